//! Durations as users write them: Go's notation, such as `90s`, `1h30m` or `1.5h`. Never negative.

use std::time::Duration;

/// What the schema asks of a duration, so that a typing error is refused when the object is applied. No part is longer than 190 years:
/// beyond 292, CEL's own durations end, and the API server would answer with that error instead of our words.
pub const PATTERN: &str =
    r"^([0-9]{1,12}(\.[0-9]{1,9})?ms|[0-9]{1,9}(\.[0-9]{1,9})?s|[0-9]{1,7}(\.[0-9]{1,9})?m|[0-9]{1,6}(\.[0-9]{1,9})?h)+$";

/// In milliseconds.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration: write it as 90s, 10m, 1h30m or 720h")]
pub struct Invalid(String);

/// Of what is no duration, only the beginning is repeated.
const REPEATED: usize = 32;

/// Reads a Go duration made of `h`, `m`, `s` and `ms`.
pub fn parse(text: &str) -> Result<Duration, Invalid> {
    let invalid = || Invalid(text.chars().filter(|letter| !letter.is_control()).take(REPEATED).collect());
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let (whole, fraction, after) = number(rest).ok_or_else(invalid)?;
        let (unit, millis) = UNITS.iter().find(|(unit, _)| after.starts_with(unit)).ok_or_else(invalid)?;
        let part = Duration::from_millis(whole.checked_mul(*millis).ok_or_else(invalid)?);
        // Of a fraction the millionth of a second may be lost, of whole numbers nothing.
        let rest_of_it = Duration::from_millis(*millis).mul_f64(fraction);
        total = total.checked_add(part).and_then(|total| total.checked_add(rest_of_it)).ok_or_else(invalid)?;
        rest = &after[unit.len()..];
    }
    Ok(total)
}

/// The duration that a field holds, or what it means to leave the field out. The schema keeps anything else from being stored.
pub fn or(text: Option<&str>, left_out: Duration) -> Duration {
    text.and_then(|text| parse(text).ok()).unwrap_or(left_out)
}

/// Splits `1.5h` into 1, 0.5 and `h`. Digits are needed on both sides of a point, as in the schema's pattern.
fn number(text: &str) -> Option<(u64, f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let mut parts = digits.split('.');
    let whole = parts.next()?;
    let fraction = parts.next();
    if whole.is_empty() || fraction == Some("") || parts.next().is_some() {
        return None;
    }
    let fraction = fraction.map_or(Some(0.0), |fraction| format!("0.{fraction}").parse().ok())?;
    Some((whole.parse().ok()?, fraction, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_read() {
        for (text, millis) in [
            ("0s", 0),
            ("90s", 90_000),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("1h30m5s", 5_405_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
            ("1m250ms", 60_250),
            ("2160h", 7_776_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in
            ["", "10", "m", "-1m", "+1m", "1 m", "1d", "1.m", ".5m", "1.2.3s", "10M", "5µs", "1h ", "99999999999999999999h"]
        {
            let error = parse(text).expect_err(text);
            assert!(error.to_string().contains("1h30m"), "{text}");
        }
    }
}

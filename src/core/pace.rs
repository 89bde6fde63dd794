//! How long to wait until the next look.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::subject::Subject;
use super::{names, rotation};
use crate::api::Probe;

const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);

/// Half of the time that it has failed already: exponential, with no state of its own, and the same after a restart.
pub fn after_error(now: Timestamp, failing_since: Timestamp) -> Duration {
    let failing = Duration::try_from(now.duration_since(failing_since)).unwrap_or_default();
    (failing / 2).clamp(SHORTEST, LONGEST)
}

/// Until a tenant at rest is looked at again: for its probe, or for drift that no watch tells of.
pub fn at_rest(probe: &Probe, resync: Duration) -> Duration {
    if probe.mode.is_off() { resync } else { probe.interval().min(resync) }
}

/// Not later than what the tenant's API key wants by itself: the end of the pair before, or another pair.
pub fn with_keys(pause: Duration, who: &Subject) -> Duration {
    rotation::next(who).map_or(pause, |next| pause.min(next.max(Duration::from_secs(1))))
}

/// Always the same part of it for one name, and for each another.
pub fn part_of(whole: Duration, name: &str) -> Duration {
    whole / 65536 * u32::from_str_radix(&names::digest(&[name], 4), 16).unwrap_or(0)
}

/// Up to a tenth more, always the same for one name: tenants do not come back in step after a restart.
pub fn spread(pause: Duration, name: &str) -> Duration {
    let part = u32::from_str_radix(&names::digest(&[name], 2), 16).unwrap_or(0);
    pause + pause / 10 * part / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_an_error_grows_with_the_time_it_lasts_between_two_bounds() {
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().expect("a time");
        let ago = |seconds: i64| now - k8s_openapi::jiff::SignedDuration::from_secs(seconds);
        assert_eq!(after_error(now, ago(0)), SHORTEST);
        assert_eq!(after_error(now, ago(60)), Duration::from_secs(30));
        assert_eq!(after_error(now, ago(100_000)), LONGEST);
        assert_eq!(after_error(now, ago(-10)), SHORTEST);
    }

    #[test]
    fn the_spread_is_at_most_a_tenth_and_steady() {
        let hour = Duration::from_secs(3600);
        let one = spread(hour, "acme");
        assert_eq!(one, spread(hour, "acme"));
        assert!(one >= hour && one <= hour + hour / 10);
    }
}

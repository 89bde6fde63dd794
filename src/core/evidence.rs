//! Reads back what a step's container said when it ended: one line of JSON, written inside the bench, so nothing in it is taken on trust.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::seen::{FailureClass, StepFailure, StepReport};
use super::steps::Step;

const LONGEST: usize = 300;
const TAIL: usize = 5;
/// No step works for longer: a Job's deadline comes first.
const MOST_SECONDS: f64 = 604_800.0;

#[derive(Deserialize)]
struct Line {
    ok: bool,
    #[serde(default)]
    done: BTreeMap<String, Value>,
    #[serde(default)]
    bench: f64,
    #[serde(default)]
    step: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    class: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    tail: Vec<String>,
}

/// None where the container left nothing that can be read: it was killed, or something else wrote there.
pub fn parse(message: &str) -> Option<StepReport> {
    let line: Line = serde_json::from_str(message.trim()).ok()?;
    let failure = (!line.ok).then(|| StepFailure {
        step: clip(&line.step),
        reason: if camel_case(&line.reason) { line.reason.clone() } else { "StepFailed".to_owned() },
        class: match line.class.as_str() {
            "Fatal" => FailureClass::Fatal,
            "Denied" => FailureClass::Denied,
            _ => FailureClass::Retryable,
        },
        message: clip(&line.message),
        tail: line.tail.iter().rev().take(TAIL).rev().map(|text| clip(text)).collect(),
    });
    let done = line.done.into_iter().filter_map(|(name, facts)| Some((Step::parse(&name)?, object(facts)))).collect();
    let bench_seconds = if line.bench.is_finite() { line.bench.clamp(0.0, MOST_SECONDS) } else { 0.0 };
    Some(StepReport { done, failure, bench_seconds })
}

/// Facts go into the record, and the API server takes nothing but an object there.
fn object(facts: Value) -> Value {
    if facts.is_object() { facts } else { Value::Object(serde_json::Map::new()) }
}

/// What the API server takes as a condition's reason.
fn camel_case(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn clip(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_names_the_steps_that_were_done_and_their_facts() {
        let report = parse(r#"{"ok":true,"done":{"create":{"created":true},"later":{}},"bench":3.5}"#).expect("readable");
        assert_eq!(report.done.keys().copied().collect::<Vec<_>>(), [Step::Create]);
        assert_eq!((report.failure, report.bench_seconds), (None, 3.5));
    }

    #[test]
    fn a_reason_that_the_api_server_would_refuse_is_replaced() {
        let report =
            parse(r#"{"ok":false,"step":"apps","reason":"not camel\ncase","class":"Fatal","message":"m"}"#).expect("readable");
        let failure = report.failure.expect("a failure");
        assert_eq!((failure.reason.as_str(), failure.class), ("StepFailed", FailureClass::Fatal));
    }

    #[test]
    fn what_is_no_report_is_none() {
        for text in ["", "Killed", "[]", "{}", "{\"ok\":1}", "\u{0}\u{1}"] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn long_and_unprintable_texts_are_cut_down() {
        let long = "x".repeat(5000);
        let line = serde_json::json!({"ok": false, "reason": "A", "message": format!("a\u{7}{long}"), "tail": [long, "b", "c", "d", "e", "f"]});
        let failure = parse(&line.to_string()).expect("readable").failure.expect("a failure");
        assert_eq!(failure.message.len(), LONGEST);
        assert_eq!(failure.tail, ["b", "c", "d", "e", "f"]);
    }
}

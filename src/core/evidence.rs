//! Reads back what a step's container said when it ended: one line of JSON, written inside the bench, so nothing in it is taken on trust.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::seen::{FailureClass, JobSeen, StepFailure, StepReport};
use super::steps::{self, Step};
use super::subject::Subject;

const LONGEST: usize = 300;
const TAIL: usize = 5;

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
    let done = line.done.into_iter().filter_map(|(name, facts)| Some((Step::parse(&name)?, facts))).collect();
    Some(StepReport { done, failure, bench_seconds: if line.bench.is_finite() { line.bench } else { 0.0 } })
}

/// A step's report that is not in the record yet.
pub struct News<'a> {
    pub step: Step,
    pub hash: &'a String,
    pub facts: &'a Value,
}

/// What the Job's containers reported and the record does not have yet. Not what it had when a receipt came to be in doubt: a Job
/// that began before that receipt says nothing of the time after.
pub fn news<'a>(who: &'a Subject, job: &'a JobSeen) -> impl Iterator<Item = News<'a>> {
    let done = job.reports.iter().flat_map(|report| &report.done);
    let of = |(step, facts): (&'a Step, &'a Value)| Some(News { step: *step, hash: job.hashes.get(step)?, facts });
    done.filter_map(of).filter(|news| {
        who.receipt(news.step).is_none_or(|receipt| {
            let known = receipt.hash == *news.hash && receipt.version == steps::version();
            !known && job.started.is_none_or(|started| started.as_second() >= receipt.at.0.as_second())
        })
    })
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

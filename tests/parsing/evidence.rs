//! Termination messages.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tenant_operator::core::evidence::parse;
use tenant_operator::core::seen::StepReport;
use tenant_operator::core::steps::Step;

use crate::cases;
use crate::strange;

/// As the API server wants the reason of a condition.
pub fn is_reason(text: &str) -> bool {
    let word = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    !text.is_empty() && text.len() <= 64 && word && text.as_bytes()[0].is_ascii_uppercase()
}

pub fn is_printable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn harmless(report: &StepReport) {
    assert!(report.bench_seconds.is_finite() && (0.0..=604_800.0).contains(&report.bench_seconds), "{}", report.bench_seconds);
    assert!(report.done.values().all(Value::is_object), "the API server takes no other facts: {:?}", report.done);
    let Some(failure) = &report.failure else { return };
    assert!(is_reason(&failure.reason), "{:?}", failure.reason);
    assert!(failure.tail.len() <= 5);
    for text in failure.tail.iter().chain([&failure.step, &failure.message]) {
        assert!(is_printable(text) && text.chars().count() <= 300, "{text:?}");
    }
}

/// A line of a report, in which any field may be anything.
fn line() -> impl Strategy<Value = Value> {
    let step = prop::sample::select(Step::ALL.to_vec()).prop_map(|step| step.as_str().to_owned());
    let name = prop_oneof![step, strange::text()];
    let done = prop::collection::btree_map(name, strange::json(), 0..6).prop_map(|done: BTreeMap<String, Value>| json!(done));
    let texts = vec(strange::text(), 0..12).prop_map(Value::from);
    let text = || strange::text().prop_map(Value::from);
    let ok = prop_oneof![4 => any::<bool>().prop_map(Value::from), 1 => strange::json()];
    let seconds = prop_oneof![any::<f64>().prop_map(Value::from), strange::json()];
    (ok, done, seconds, text(), text(), text(), text(), texts).prop_map(|(ok, done, bench, step, reason, class, message, tail)| {
        json!({"ok": ok, "done": done, "bench": bench, "step": step, "reason": reason, "class": class, "message": message, "tail": tail})
    })
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_line_of_a_step_becomes_a_harmless_report_or_none(line in line()) {
        if let Some(report) = parse(&line.to_string()) {
            harmless(&report);
            prop_assert_eq!(report.failure.is_some(), line["ok"] == false);
        }
    }

    #[test]
    fn any_text_at_all_becomes_a_harmless_report_or_none(text in strange::text(), bytes in vec(any::<u8>(), 0..200)) {
        for text in [text, String::from_utf8_lossy(&bytes).into_owned()] {
            if let Some(report) = parse(&text) {
                harmless(&report);
            }
        }
    }

    /// The kubelet keeps 4096 bytes of it: what is cut off is not half understood.
    #[test]
    fn a_report_that_was_cut_off_is_none(line in line(), at in 0.0..1.0f64) {
        let text = line.to_string();
        let end = (0..text.len()).rev().find(|end| text.is_char_boundary(*end) && (*end as f64) <= text.len() as f64 * at);
        prop_assert_eq!(parse(&text[..end.unwrap_or(0)]), None);
    }
}

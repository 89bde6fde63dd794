//! The status that is made of foreign words: steps', edges', issuers', Masters'.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use tenant_operator::api::TenantStatus;
use tenant_operator::controller::transitions;
use tenant_operator::core::evidence;
use tenant_operator::core::op::JobKind;
use tenant_operator::core::report::{Outcome, Pass, status};
use tenant_operator::core::seen::{JobSeen, JobState, RegistryAnswer, RegistrySeen, SecretState, Seen};
use tenant_operator::core::stages::{Stage, Way};
use tenant_operator::core::steps::{self, Step};
use tenant_operator::core::subject::Subject;

use crate::evidence::{is_printable, is_reason};
use crate::records::{ID, noon, work};
use crate::{cases, objects, schema, strange};

/// The API server stores it, and a person's terminal shows it.
pub fn harmless(status: &TenantStatus) {
    static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(|| schema::of("Tenant", "status"));
    let said = schema::objections(&SCHEMA, &json!(status));
    assert!(said.is_empty(), "the API server would refuse it: {said:?}");
    for condition in &status.conditions {
        assert!(is_reason(&condition.reason), "{:?}", condition.reason);
        assert!(is_printable(&condition.message) && condition.message.chars().count() <= 1024, "{:?}", condition.message);
    }
    assert!(status.apps.iter().all(|app| is_printable(&app.name) && is_printable(&app.version)), "{:?}", status.apps);
    for event in transitions(None, status).into_iter().chain(transitions(Some(&TenantStatus::default()), status)) {
        // More is refused, in bytes: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
        assert!(event.note.is_some_and(|note| note.len() <= 1024) && event.reason.len() <= 128);
    }
}

fn who() -> Subject {
    objects::subject(ID, objects::bench(), noon())
}

fn fold(who: &Subject, way: Way, stage: Stage, seen: &Seen) -> TenantStatus {
    let outcomes = [(stage, Outcome::Verdict(stage.decide(way, who, seen)))];
    status(None, &Pass { way, who, outcomes: &outcomes, certificate_until: None, probe_failed: false, changes: None })
}

/// A Job of this tenant that ended, with what its containers left.
fn job(who: &Subject, messages: &[String], blocked: Option<String>, attempt: u32) -> Seen {
    let steps = Step::UP;
    let state = if blocked.is_some() { JobState::Running } else { JobState::Failed };
    let job = JobSeen {
        name: format!("{ID}-provision-0a1b2c3d-{attempt}"),
        uid: "job-uid".to_owned(),
        kind: JobKind::Provision,
        attempt,
        hashes: steps.into_iter().map(|step| (step, steps::hash(step, who, &Default::default()))).collect(),
        state,
        leaving: false,
        ended: Some(noon()),
        reports: messages.iter().filter_map(|message| evidence::parse(message)).collect(),
        blocked,
    };
    work(vec![job], SecretState::Absent)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_a_failed_step_says_becomes_a_harmless_status(
        reason in strange::text(), class in prop::sample::select(vec!["Fatal", "Denied", "Retryable", "x"]), message in strange::text(),
        tail in vec(strange::text(), 0..7), attempt in prop_oneof![0..9u32, Just(u32::MAX)],
    ) {
        let who = who();
        let line = json!({"ok": false, "step": "create", "reason": reason, "class": class, "message": message, "tail": tail});
        harmless(&fold(&who, Way::Up, Stage::Site, &job(&who, &[line.to_string()], None, attempt)));
    }

    #[test]
    fn a_step_that_left_no_report_becomes_a_harmless_status(messages in vec(strange::text(), 0..3), attempt in any::<u32>()) {
        let who = who();
        harmless(&fold(&who, Way::Up, Stage::Site, &job(&who, &messages, None, attempt)));
    }

    #[test]
    fn what_the_kubelet_says_becomes_a_harmless_status(words in strange::text()) {
        let who = who();
        harmless(&fold(&who, Way::Up, Stage::Site, &job(&who, &[], Some(words), 0)));
    }

    #[test]
    fn what_the_master_answers_becomes_a_harmless_status(words in strange::text(), row in prop::collection::btree_map(strange::text(), strange::json(), 0..5), id in strange::text()) {
        let mut bench = objects::bench();
        bench["spec"]["registry"] = json!({"url": "http://pilot:8222", "site": "master.port.test", "docType": "SaaS Tenant", "keyField": "subdomain",
            "idField": "operator_id", "tokenSecretRef": {"name": "token"}, "fields": [{"name": "status", "from": "Status"}]});
        let who = objects::subject(ID, bench, noon());
        let fields = ["subdomain", "operator_id", "status"].map(|name| (name.to_owned(), "Data".to_owned())).into();
        let mut row = row;
        row.insert("operator_id".to_owned(), json!(id));
        for answer in [
            RegistryAnswer::Known { fields, row: Some(row) },
            RegistryAnswer::Unreachable(words.clone()),
            RegistryAnswer::Denied(words.clone()),
            RegistryAnswer::TokenMissing(words),
        ] {
            for way in [Way::Up, Way::Down] {
                harmless(&fold(&who, way, Stage::Registry, &Seen::Registry(RegistrySeen { answer: answer.clone() })));
            }
        }
    }
}

//! Records that are read back, with receipts and facts of any shape, and annotations of any text.

use proptest::prelude::*;
use serde_json::{Value, json};
use tenant_operator::api::{Record, TenantClaim};
use tenant_operator::core::record::{Change, changed};
use tenant_operator::core::report::{Outcome, Pass, status};
use tenant_operator::core::seen::{GateSeen, JobSeen, SecretState, Seen, WorkSeen};
use tenant_operator::core::stages::{Stage, Way};
use tenant_operator::core::steps::{self, Step};
use tenant_operator::core::subject::{Remembered, Subject};

use crate::statuses::harmless;
use crate::{cases, objects, strange};

pub const ID: &str = "7f3a9c1e5b2d4a60";

pub fn noon() -> jiff::Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("a time")
}

/// A record with everything that one can have.
fn record() -> Value {
    let receipt =
        |facts: Value| json!({"hash": "0123456789abcdef", "version": "1", "at": "2026-11-21T11:00:00Z", "facts": facts});
    let receipts = json!({
        "create": receipt(json!({"created": true})),
        "apps": receipt(json!({"apps": [{"name": "frappe", "version": "15.2"}, {"name": "erpnext", "version": "15.1"}]})),
        "settings": receipt(json!({"config": ["mail_password"], "admins": ["a@b.test"]})),
        "keys": receipt(json!({"user": "tenant-api-a@data.pelican.port.test", "serial": 0})),
        "proof": receipt(json!({"serial": 0})),
        "row": receipt(json!({"created": true, "seen": "0123"})),
    });
    json!({
        "subdomain": "pelican", "bench": {"name": "dock", "namespace": objects::YARD}, "benchPath": "/srv/frappe/dock", "sitesClaim": "hold",
        "siteName": objects::API, "database": "t_7f3a9c1e5b2d4a60", "hosts": {"frontend": objects::FRONTEND, "api": objects::API},
        "credentialsSecret": "ship-credentials", "createdAt": "2026-11-21T10:00:00Z", "firstReadyAt": "2026-11-21T10:01:00Z",
        "phase": "Active", "origin": "Created", "plan": {"name": "ferry", "generation": 4, "spec": {"setup": "Skip", "apps": [{"name": "erpnext"}]}},
        "rotation": {"serial": 1, "token": "again", "publishedAt": "2026-11-21T10:30:00Z", "retired": true},
        "receipts": receipts, "archive": "archived_sites/7f3a9c1e5b2d4a60/20261121T120000Z", "left": ["the site's database"],
    })
}

/// What was seen of a bench where all is well, but for these Jobs.
pub fn work(jobs: Vec<JobSeen>, published: SecretState) -> Seen {
    Seen::Work(WorkSeen {
        custody_moved: false,
        custody: SecretState::Current,
        pairs: [0].into(),
        missing: vec![],
        versions: Default::default(),
        inputs: SecretState::Current,
        jobs,
        gate: GateSeen::Open,
        pod_source_missing: None,
        published,
        key: None,
    })
}

/// Everything that is made of a record on a pass, both ways.
fn passes(mut who: Subject, record: Record) {
    who.record = Some(Remembered { record, version: "17".to_owned() });
    let versions = Default::default();
    for step in Step::ALL {
        steps::fresh(step, &who, &versions);
    }
    let left = steps::left(&who, &versions);
    assert!(left.is_sorted(), "{left:?}");
    let input = steps::input(&who);
    assert!(input["settings"]["unsetConfig"].as_array().is_none_or(|names| names.iter().all(Value::is_string)));
    assert!(steps::config_to_unset(&who).iter().all(|name| !steps::config_names(&who).contains(name)));
    for way in [Way::Up, Way::Down] {
        let decided = [Stage::Site, Stage::Apps, Stage::Settings, Stage::Keys]
            .map(|stage| (stage, Outcome::Verdict(stage.decide(way, &who, &work(vec![], SecretState::Current)))));
        harmless(&status(
            None,
            &Pass { way, who: &who, outcomes: &decided, certificate_until: None, probe_failed: false, changes: None },
        ));
    }
}

#[test]
fn the_record_that_is_made_strange_is_a_whole_one() {
    let record: Record = serde_json::from_value(record()).expect("a record");
    passes(objects::subject(ID, objects::bench(), noon()), record);
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_record_that_can_be_read_can_be_worked_with(document in strange::almost(record())) {
        if let Ok(record) = serde_json::from_value::<Record>(document) {
            passes(objects::subject(ID, objects::bench(), noon()), record);
        }
    }

    /// What a step reports goes through the record and comes back in the next pass.
    #[test]
    fn any_facts_of_any_step_can_be_worked_with(facts in strange::json(), step in prop::sample::select(Step::ALL.to_vec())) {
        let mut document = record();
        document["receipts"][step.as_str()] = json!({"hash": "x", "version": "1", "at": "2026-11-21T11:00:00Z", "facts": facts});
        let record: Record = serde_json::from_value(document).expect("facts may be anything");
        let after = changed(&record, &Change::Stale(vec![step]));
        prop_assert_eq!(&after.receipts[step.as_str()].facts, &record.receipts[step.as_str()].facts);
        passes(objects::subject(ID, objects::bench(), noon()), record);
        passes(objects::subject(ID, objects::bench(), noon()), after);
    }

    #[test]
    fn any_claim_is_read_or_refused_and_is_written_as_it_was_read(document in strange::almost(record())) {
        let claim = json!({"apiVersion": "tenancy.nexuserp.io/v1alpha1", "kind": "TenantClaim", "metadata": {"name": "site.x"},
            "spec": {"holder": {"id": ID, "namespace": "harbour", "name": "ship"}, "record": document}});
        if let Ok(claim) = serde_json::from_value::<TenantClaim>(claim) {
            let written = serde_json::to_value(&claim).expect("JSON");
            prop_assert_eq!(serde_json::from_value::<TenantClaim>(written).expect("what was written"), claim);
        }
    }

    #[test]
    fn any_retry_at_is_a_moment_or_nothing(text in prop_oneof![strange::text(), "[0-9]{1,6}-[0-9]{2}-[0-9]{2}T[0-9:.]{2,12}(Z|[+-][0-9:]{2,5})"]) {
        let mut who: Value = objects::tenant("ship", "pelican");
        who["metadata"]["annotations"] = json!({"tenancy.nexuserp.io/retry-at": text});
        let (tenant, plan, bench) = (objects::read(who), objects::read(objects::plan()), objects::read(objects::bench()));
        let given = tenant_operator::core::subject::Given {
            tenant: &tenant, plan: Some(&plan), turn: true, bench: &bench, id: ID.to_owned(), record: None, begin: Default::default(), now: noon(), cluster: "lighthouse".to_owned(),
        };
        let who = Subject::parse(given).expect("an annotation is no reason to refuse a tenant");
        prop_assert_eq!(who.retry_at, text.parse().ok());
    }
}

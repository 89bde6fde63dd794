//! What the inspection of a bench is given, and what its findings, and a probe that meets no site, make of a tenant's receipts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};
use tenant_operator::api::{BenchStatus, Differing};
use tenant_operator::core::expectation;
use tenant_operator::core::manifests::{covers, inspect, routes};
use tenant_operator::core::op::{Change, Op};
use tenant_operator::core::record;
use tenant_operator::core::seen::{Check, ProbeSeen, Seen};
use tenant_operator::core::stages::{Stage, Way};
use tenant_operator::core::steps::{self, Step};
use tenant_operator::core::subject::Subject;
use tenant_operator::core::verdict::Verdict;

use crate::manifests::{ID, noon, receipt, remember};
use crate::{golden, objects};

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// Settled at noon.
fn settled() -> Subject {
    let mut who = objects::subject(ID, objects::bench(), noon());
    let facts = |step: Step| match step {
        Step::Create => json!({"created": true, "sha256": {"encryptionKey": "hash-of-the-encryption-key"}}),
        Step::Keys => json!({"user": "tenant-api-b@site", "sha256": {"apiKey": "hash-of-key", "apiSecret": "hash-of-secret"}}),
        Step::Settings => json!({"config": ["mail_password"]}),
        _ => Value::Null,
    };
    let versions = Default::default();
    let all = [Step::Create, Step::Apps, Step::Settings, Step::Keys, Step::Proof];
    let receipts = all.map(|step| (step, receipt(&steps::hash(step, &who, &versions), facts(step))));
    remember(&mut who, &receipts);
    who.now = noon() + seconds(7200);
    who
}

fn doubted(who: &mut Subject, what: &[&str], at: k8s_openapi::jiff::Timestamp) {
    let entry = Differing { id: who.id.clone(), what: what.iter().map(|what| (*what).to_owned()).collect() };
    let status = BenchStatus { inspected_at: Some(Time(at)), differing: vec![entry], ..Default::default() };
    who.doubt = expectation::doubt(Some(&status), &who.id);
}

#[test]
fn the_inspection_is_a_job_of_the_benchs_own_pod_without_any_secret() {
    let who = settled();
    let expected = expectation::of(&who).expect("it is settled");
    let bench = objects::read(objects::bench());
    let maps = inspect::config_maps(&bench, &[(who.id.clone(), expected)].into());
    let job = inspect::job(&bench, noon(), maps.len(), None);
    assert!(!serde_json::to_string(&job).expect("a Job").contains("secretKeyRef"));
    golden::is("inspect.yaml", &(maps, job));
}

#[test]
fn nothing_is_expected_of_a_site_that_is_being_changed() {
    let who = settled();
    assert!(expectation::of(&who).is_some());
    for step in [Step::Create, Step::Apps, Step::Settings, Step::Keys] {
        let mut who = who.clone();
        let remembered = who.record.as_mut().expect("a record");
        remembered.record = record::changed(&remembered.record, &Change::Stale(vec![step]));
        assert!(expectation::of(&who).is_none(), "{step:?}");
    }
    let mut other = who.clone();
    other.want.as_mut().expect("wants").apps.push("hrms".to_owned());
    assert!(expectation::of(&other).is_none());
}

#[test]
fn what_is_in_doubt_already_is_looked_at_again_until_its_repair_begins() {
    let mut who = settled();
    let now = who.now;
    doubted(&mut who, &["locked"], now);
    assert!(expectation::of(&who).is_some());
}

#[test]
fn each_difference_has_the_steps_run_again_that_put_it_right() {
    use Step::{Apps, Create, Keys, Proof, Settings};
    let cases: [(&str, &[Step]); 13] = [
        ("locked", &[Settings]),
        ("scheduler", &[Settings]),
        ("config:berths", &[Settings]),
        ("config", &[Settings]),
        ("admin", &[Settings]),
        ("apiUser", &[Keys, Proof]),
        ("retired", &[Keys]),
        ("key", &[Keys, Proof]),
        ("app:erpnext", &[Apps]),
        ("encryptionKey", &[Create]),
        ("site:Absent", &[Create]),
        ("error:OperationalError", &[Create]),
        ("of another version", &[Create, Apps, Settings, Keys]),
    ];
    for (what, expected) in cases {
        let mut who = settled();
        doubted(&mut who, &[what], noon() + seconds(600));
        let versions = Default::default();
        let stale = [Create, Apps, Settings, Keys, Proof].into_iter().filter(|step| !steps::fresh(*step, &who, &versions));
        assert_eq!(stale.collect::<Vec<_>>(), expected, "{what}");
    }
}

#[test]
fn a_receipt_younger_than_the_inspection_is_not_in_doubt() {
    let mut who = settled();
    doubted(&mut who, &["locked"], noon() - seconds(1));
    assert!(steps::left(&who, &Default::default()).is_empty());
    // Times are kept in whole seconds: of the same one, nobody knows which was first.
    doubted(&mut who, &["locked"], noon());
    assert_eq!(steps::left(&who, &Default::default()), [Step::Settings]);
}

fn probed(who: &Subject, problem: &str, failures: u32) -> Verdict {
    let mut who = who.clone();
    who.bench = objects::subject(ID, objects::bench(), noon()).bench;
    let checks = vec![Check { name: Check::PING, problem: Some(problem.to_owned()) }];
    Stage::Probe.decide(Way::Up, &who, &Seen::Probe(ProbeSeen { checks, failures }))
}

#[test]
fn a_site_that_the_bench_does_not_know_any_more_is_looked_for_by_the_create_step() {
    let who = settled();
    let looked = Verdict::Do(vec![Op::Remember(Change::Stale(vec![Step::Create]))]);
    assert_eq!(probed(&who, "answers 404 Not Found", 3), looked);
    assert!(matches!(probed(&who, "answers 404 Not Found", 2), Verdict::Wait(..)), "it may be the edge that is late");
    assert!(matches!(probed(&who, "answers 502 Bad Gateway", 9), Verdict::Wait(..)));
    let mut looked_for = who.clone();
    looked_for.now = noon() + seconds(300);
    assert!(matches!(probed(&looked_for, "answers 404 Not Found", 9), Verdict::Wait(..)), "not again and again");
    let mut begun = who;
    let remembered = begun.record.as_mut().expect("a record");
    remembered.record = record::changed(&remembered.record, &Change::Stale(vec![Step::Create]));
    assert!(matches!(probed(&begun, "answers 404 Not Found", 9), Verdict::Wait(..)));
}

#[test]
fn an_annotation_that_the_bench_has_no_longer_is_a_difference() {
    let ingress = |annotations: Value| {
        let mut bench = objects::bench();
        bench["spec"]["edge"]["ingress"]["annotations"] = annotations;
        let routes = routes::routes(&objects::subject(ID, bench, noon()));
        let tenant_operator::core::manifests::Child::Ingress(ingress) = &routes[0] else { panic!("an Ingress") };
        serde_json::to_value(ingress).expect("an Ingress")
    };
    let (with, without) = (ingress(json!({"deep": "water"})), ingress(json!({})));
    assert!(covers(&with, &with) && covers(&without, &without));
    assert!(!covers(&with, &without) && !covers(&without, &with));
}

//! Where the hosts lead, what the settings step is told, and what the status says, for each way in which a tenant is suspended.

use serde_json::{Value, json};
use tenant_operator::api::{Condition, Receipt, Suspend, SuspendMode};
use tenant_operator::core::lead::{Leads, told};
use tenant_operator::core::op::{Change, Op};
use tenant_operator::core::report::{Outcome, Pass, status};
use tenant_operator::core::seen::{GateSeen, JobSeen, KeyAnswer, SecretState, Seen, WorkSeen};
use tenant_operator::core::stages::{Stage, Way};
use tenant_operator::core::steps::{self, SecretVersions, Step};
use tenant_operator::core::subject::Subject;
use tenant_operator::core::verdict::Verdict;

use crate::manifests::{ID, noon, receipt, remember};
use crate::objects;

use SuspendMode::{Maintenance, ReadOnly};

fn versions() -> SecretVersions {
    [("mail/password".to_owned(), "41".to_owned())].into()
}

fn wanting(mut who: Subject, mode: Option<SuspendMode>) -> Subject {
    let suspend = mode.map(|mode| Suspend { mode, reason: Some("unpaid".to_owned()), public_message: None });
    who.want.as_mut().expect("a tenant on its way up").suspend = suspend;
    who
}

/// Proven, wanted in one state, with its site left in another by a settings step that was given what it has.
fn tenant(wanted: Option<SuspendMode>, facts: Value) -> Subject {
    let mut who = wanting(objects::subject(ID, objects::bench(), noon()), wanted);
    who.now = noon();
    remember(&mut who, &[(Step::Proof, receipt("any", Value::Null))]);
    let mut done: Vec<(Step, Receipt)> =
        Step::UP.map(|step| (step, receipt(&steps::hash(step, &who, &versions()), json!({})))).into();
    done[2].1.facts = Some(facts);
    done.push((Step::Proof, receipt(&steps::hash(Step::Proof, &who, &versions()), json!({}))));
    remember(&mut who, &done);
    who
}

fn seen(key: Option<KeyAnswer>) -> WorkSeen {
    WorkSeen {
        pairs: [0].into(),
        custody: SecretState::Current,
        custody_moved: false,
        missing: vec![],
        versions: versions(),
        inputs: SecretState::Absent,
        jobs: Vec::<JobSeen>::new(),
        gate: GateSeen::Open,
        pod_source_missing: None,
        published: SecretState::Current,
        key,
    }
}

fn decide(stage: Stage, who: &Subject, seen: WorkSeen) -> Verdict {
    stage.decide(Way::Up, who, &Seen::Work(seen))
}

#[test]
fn hosts_lead_to_the_suspended_page_at_once_and_back_only_when_the_site_is_open() {
    let (open, closed, read) = (json!({"suspend": null}), json!({"suspend": "Maintenance"}), json!({"suspend": "ReadOnly"}));
    let in_doubt = json!({"suspend": null, "closing": true});
    for (wanted, left, leads) in [
        (None, &open, Leads::Serving),
        (None, &Value::Null, Leads::Serving),
        (None, &json!("what is this"), Leads::Serving),
        (None, &closed, Leads::Suspended),
        (None, &in_doubt, Leads::Suspended),
        (None, &read, Leads::Serving),
        (Some(Maintenance), &open, Leads::Suspended),
        (Some(Maintenance), &closed, Leads::Suspended),
        (Some(ReadOnly), &open, Leads::Serving),
        (Some(ReadOnly), &closed, Leads::Suspended),
        (Some(ReadOnly), &in_doubt, Leads::Suspended),
    ] {
        assert_eq!(tenant(wanted, left.clone()).leads(), leads, "{wanted:?} wanted, {left} left");
    }
}

#[test]
fn before_the_key_is_proven_the_page_is_shown_and_the_site_stays_open() {
    for (wanted, leads) in [(None, Leads::Preparing), (Some(ReadOnly), Leads::Preparing), (Some(Maintenance), Leads::Suspended)] {
        let who = wanting(objects::subject(ID, objects::bench(), noon()), wanted);
        assert_eq!((who.leads(), who.suspension(), who.is_closed()), (leads, None, false), "{wanted:?}");
        assert_eq!(steps::input(&who)["settings"]["suspend"], Value::Null);
    }
}

#[test]
fn each_change_of_the_suspension_runs_the_settings_again_and_nothing_else() {
    let modes = [None, Some(Maintenance), Some(ReadOnly)];
    for before in modes {
        for after in modes {
            let who = wanting(tenant(before, json!({})), after);
            let expected: &[Step] = if before == after { &[] } else { &[Step::Settings] };
            assert_eq!(steps::left(&who, &versions()), expected, "{before:?} to {after:?}");
            assert_eq!(steps::input(&who)["settings"]["suspend"], json!(after));
        }
    }
}

#[test]
fn what_only_people_read_runs_nothing() {
    let mut who = tenant(Some(Maintenance), json!({"suspend": "Maintenance"}));
    let suspend = who.want.as_mut().and_then(|want| want.suspend.as_mut()).expect("suspended");
    (suspend.reason, suspend.public_message) = (None, Some("$(HOME) {{x}} <b>".to_owned()));
    assert_eq!(steps::left(&who, &versions()), []);
    assert!(!steps::input(&who).to_string().contains("HOME"), "it never comes near the site");
}

#[test]
fn before_the_site_is_closed_the_record_says_that_it_may_be_and_that_it_is_to_be_asked_again() {
    let who = wanting(tenant(None, json!({"suspend": null, "config": ["a"]})), Some(Maintenance));
    let Verdict::Do(ops) = decide(Stage::Settings, &who, seen(None)) else { panic!("a Job is started") };
    let inputs = decide(Stage::Settings, &who, WorkSeen { inputs: SecretState::Current, ..seen(None) });
    assert_eq!(ops, [Op::CopyInputs]);
    let Verdict::Do(ops) = inputs else { panic!("a Job is started") };
    let [Op::Remember(Change::Receipts(receipts)), Op::StartJob(_)] = ops.as_slice() else { panic!("{ops:?}") };
    let marked = &receipts[&Step::Settings];
    assert_eq!(marked.hash, "stale");
    assert_eq!(marked.facts, Some(json!({"suspend": null, "config": ["a"], "closing": true})));
    // Resumed before anything was heard of that Job: the page stays until another run has said that the site is open.
    let mut resumed = wanting(who.clone(), None);
    let record = &mut resumed.record.as_mut().expect("a record").record;
    record.receipts.insert("settings".to_owned(), marked.clone());
    assert_eq!(resumed.leads(), Leads::Suspended);
    assert_eq!(steps::left(&resumed, &versions()), [Step::Settings]);
}

#[test]
fn a_tenant_suspended_from_its_beginning_waits_for_its_suspension_once_its_key_works() {
    let who = wanting(tenant(None, json!({"suspend": null})), Some(Maintenance));
    let verdict = decide(Stage::Keys, &who, seen(None));
    assert!(matches!(&verdict, Verdict::Wait(note, _) if note.reason == "Suspending"), "{verdict:?}");
}

#[test]
fn a_key_set_in_maintenance_is_proven_over_http_after_it() {
    let mut bench = objects::bench();
    bench["spec"]["apiUser"]["verify"]["mode"] = json!("HTTP");
    let mut who = tenant(Some(Maintenance), json!({"suspend": "Maintenance"}));
    let spec: tenant_operator::api::Bench = objects::read(bench);
    who.bench.spec = spec.spec.into();
    // The roles of the API user have changed since the key was proven.
    let hash = |step, who: &Subject| steps::hash(step, who, &versions());
    let fresh = receipt(&hash(Step::Keys, &who), json!({}));
    let record = &mut who.record.as_mut().expect("a record").record;
    record.receipts.insert("keys".to_owned(), fresh);
    record.receipts.insert("proof".to_owned(), receipt("older", json!({})));
    let verdict = decide(Stage::Keys, &who, seen(None));
    assert!(matches!(&verdict, Verdict::Settled(note) if note.reason == "SetWhileSuspended"), "{verdict:?}");
    let mut resumed = wanting(who, None);
    let opened = receipt(&hash(Step::Settings, &resumed), json!({"suspend": null}));
    resumed.record.as_mut().expect("a record").record.receipts.insert("settings".to_owned(), opened);
    let verdict = decide(Stage::Keys, &resumed, seen(Some(KeyAnswer::Unreachable("503 SessionStopped".to_owned()))));
    assert!(matches!(&verdict, Verdict::Wait(note, _) if note.reason == "BenchUnreachable"), "{verdict:?}");
}

fn said(who: &Subject, trouble: Option<(Stage, Outcome)>) -> Vec<(String, String, String)> {
    let settled = |stage| (stage, Outcome::Verdict(Verdict::settled("Fine", "as it should be")));
    let outcome = |stage| trouble.clone().filter(|(other, _)| *other == stage).unwrap_or_else(|| settled(stage));
    let outcomes: Vec<_> = Stage::ALL.into_iter().map(outcome).collect();
    let pass = Pass { way: Way::Up, who, outcomes: &outcomes, certificate_until: None, probe_failed: false, changes: None };
    let shown = [Condition::Ready, Condition::Suspended].map(Condition::type_);
    let all = status(None, &pass).conditions.into_iter().filter(|found| shown.contains(&found.type_.as_str()));
    all.map(|found| (format!("{}={}", found.type_, found.status), found.reason, found.message)).collect()
}

#[test]
fn a_suspended_tenant_is_ready_and_says_why_and_how() {
    for (mode, name) in [(Maintenance, "Maintenance"), (ReadOnly, "ReadOnly")] {
        let who = tenant(Some(mode), json!({"suspend": name}));
        let words = told(who.suspend().expect("suspended"));
        assert!(words.starts_with("Suspended (unpaid): "), "{words}");
        let expected = [("Ready=True", "Suspended"), ("Suspended=True", name)]
            .map(|(what, why)| (what.to_owned(), why.to_owned(), words.clone()));
        assert_eq!(said(&who, None), expected);
    }
}

#[test]
fn one_that_is_not_suspended_yet_or_not_in_this_way_is_not_called_so() {
    let waits = || Some((Stage::Settings, Outcome::Verdict(Verdict::wait("Configuring", "Job runs", 30))));
    for left in [json!({"suspend": null, "closing": true}), json!({"suspend": "ReadOnly"})] {
        let said = said(&tenant(Some(Maintenance), left), waits());
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!((said[0].0.as_str(), said[0].1.as_str()), ("Ready=False", "Configuring"));
    }
    assert_eq!(said(&tenant(None, json!({"suspend": "Maintenance"})), waits()).len(), 1);
}

#[test]
fn for_a_minute_after_it_was_resumed_a_site_that_still_says_503_has_not_failed() {
    let mut who = tenant(None, json!({"suspend": null, "resumed": true}));
    let check = tenant_operator::core::seen::Check { name: "ping", problem: Some("answers 503 SessionStopped".to_owned()) };
    let seen = Seen::Probe(tenant_operator::core::seen::ProbeSeen { checks: vec![check], failures: 1 });
    let reason = |who: &Subject| match Stage::Probe.decide(Way::Up, who, &seen) {
        Verdict::Wait(note, _) => note.reason.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(reason(&who), "Resuming");
    who.now = noon() + k8s_openapi::jiff::SignedDuration::from_secs(120);
    assert_eq!(reason(&who), "ProbeFailed");
}

//! What the stages decide about keys: what is published, what is made, what is healed, and what a Job that is over still says.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::SignedDuration;
use serde_json::json;
use tenant_operator::core::op::{Change, JobKind, Op};
use tenant_operator::core::record;
use tenant_operator::core::report::{Outcome, Pass, status};
use tenant_operator::core::seen::{
    Check, GateSeen, JobSeen, JobState, KEY, KeyAnswer, ProbeSeen, SecretState, Seen, StepReport, WorkSeen,
};
use tenant_operator::core::stages::{Stage, Way, is_unread};
use tenant_operator::core::steps::{self, Step};
use tenant_operator::core::subject::Subject;
use tenant_operator::core::verdict::Verdict;

use crate::manifests::{ID, noon, receipt};
use crate::rotation::{overlapping, proven, turn};

fn seen(pairs: impl IntoIterator<Item = u32>) -> WorkSeen {
    WorkSeen {
        custody: SecretState::Current,
        custody_moved: false,
        pairs: BTreeSet::from_iter(pairs),
        missing: vec![],
        versions: Default::default(),
        inputs: SecretState::Absent,
        jobs: vec![],
        gate: GateSeen::Open,
        pod_source_missing: None,
        published: SecretState::Current,
        key: None,
    }
}

/// Every step was done, for the pair that is the newest now; the bench is asked over HTTP.
fn done(mut who: Subject) -> Subject {
    let mut spec = (*who.bench.spec).clone();
    spec.api_user.verify.mode = tenant_operator::api::VerifyMode::HTTP;
    who.bench.spec = spec.into();
    for step in Step::UP.into_iter().chain([Step::Proof]) {
        let hash = steps::hash(step, &who, &Default::default());
        let record = &mut who.record.as_mut().expect("a record").record;
        let facts = record.receipts.get(step.as_str()).and_then(|old| old.facts.clone());
        record.receipts.insert(step.as_str().to_owned(), receipt(&hash, facts.unwrap_or_else(|| json!({}))));
    }
    who
}

fn change(who: &mut Subject, change: &Change) {
    let remembered = who.record.as_mut().expect("a record");
    remembered.record = record::changed(&remembered.record, change);
}

fn decide(stage: Stage, who: &Subject, seen: &WorkSeen) -> Verdict {
    stage.decide(Way::Up, who, &Seen::Work(seen.clone()))
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Settled(note) | Verdict::Wait(note, _) | Verdict::Stalled(note) => format!("{}: {}", note.reason, note.message),
        Verdict::Do(ops) => format!("{ops:?}"),
    }
}

/// The second pair was made, and nothing more.
fn begun() -> Subject {
    let mut who = done(proven(0, None));
    turn(&mut who, |rotation| rotation.serial = 1);
    who
}

#[test]
fn a_secret_that_is_deleted_during_a_rotation_comes_back_with_the_pair_that_was_proven() {
    let mut seen = seen([0, 1]);
    seen.published = SecretState::Absent;
    assert_eq!(decide(Stage::Keys, &begun(), &seen), Verdict::Do(vec![Op::PublishKeys]));
    seen.published = SecretState::NotOurs;
    assert!(words(&decide(Stage::Keys, &begun(), &seen)).starts_with("SecretNotOurs"));
}

#[test]
fn a_pair_is_made_while_it_was_never_in_use_and_one_that_was_is_missed() {
    assert_eq!(decide(Stage::Site, &begun(), &seen([0])), Verdict::Do(vec![Op::EnsureCustody]));
    assert_eq!(decide(Stage::Keys, &begun(), &seen([0])), Verdict::Do(vec![Op::EnsureCustody]));
    for lost in [seen([]), seen([1])] {
        assert!(words(&decide(Stage::Site, &begun(), &lost)).starts_with("CustodyLost"));
    }
    assert!(words(&decide(Stage::Site, &done(proven(1, None)), &seen([0]))).starts_with("CustodyLost"));
}

#[test]
fn a_rotation_begins_with_the_record_and_with_nothing_else() {
    let mut who = done(proven(0, None));
    who.want.as_mut().expect("wants").credentials.rotate_token = Some("a".to_owned());
    let Verdict::Do(ops) = decide(Stage::Keys, &who, &seen([0])) else { panic!("nothing to do") };
    assert!(matches!(ops.as_slice(), [Op::Remember(Change::Rotation(rotation))] if rotation.serial == 1));
}

#[test]
fn the_hosts_lead_to_the_site_all_the_time_and_status_tells_of_the_pair_that_is_published() {
    let who = begun();
    assert!(who.serves());
    let outcomes = [(Stage::Keys, Outcome::Verdict(Verdict::settled("A", "b")))];
    let pass = Pass { way: Way::Up, who: &who, outcomes: &outcomes, certificate_until: None, probe_failed: false, changes: None };
    let told = status(None, &pass).credentials.expect("credentials");
    assert_eq!((told.slot.as_str(), told.rotate_token, told.issued_at.map(|at| at.0)), ("A", None, Some(noon())));
    let after = overlapping();
    let told = status(None, &Pass { who: &after, ..pass }).credentials.expect("credentials");
    assert_eq!((told.slot.as_str(), told.rotate_token.as_deref()), ("B", Some("1")));
}

#[test]
fn the_condition_says_how_long_the_pair_before_works_and_that_another_is_asked_for() {
    let mut who = done(overlapping());
    let said = words(&decide(Stage::Keys, &who, &seen([0, 1])));
    assert_eq!(said, "ProvenOverHTTP: slot B accepted by the site; slot A works on until 2026-11-21 12:10:00Z");
    who.want.as_mut().expect("wants").credentials.rotate_token = Some("2".to_owned());
    let said = words(&decide(Stage::Keys, &who, &seen([0, 1])));
    assert!(said.ends_with("12:10:00Z; another takes its place after that"), "{said}");
}

#[test]
fn the_pair_before_is_stopped_by_a_job_of_its_own_and_leaves_custody_only_then() {
    let mut who = done(overlapping());
    who.now = noon() + SignedDuration::from_secs(601);
    let Verdict::Do(ops) = decide(Stage::Keys, &who, &seen([0, 1])) else { panic!("nothing to do") };
    assert!(matches!(ops.as_slice(), [Op::StartJob(plan)] if plan.containers == [("tenant", vec![Step::Retire])]));

    let mut waiting = seen([0, 1]);
    waiting.gate = GateSeen::Full { in_use: 2, limit: 2, waiting: 1 };
    let said = decide(Stage::Keys, &who, &waiting);
    assert!(said.is_settled() && words(&said).contains("slot A is being stopped: 2 of 2 slots"), "{}", words(&said));

    let stopped = receipt(&steps::hash(Step::Retire, &who, &Default::default()), json!({}));
    change(&mut who, &Change::Receipts(BTreeMap::from([(Step::Retire, stopped)])));
    let Verdict::Do(ops) = decide(Stage::Keys, &who, &seen([0, 1])) else { panic!("nothing to do") };
    let [Op::Remember(Change::Rotation(rotation))] = ops.as_slice() else { panic!("{ops:?}") };
    assert!(rotation.retired && rotation.serial == 1);
    change(&mut who, &Change::Rotation(rotation.clone()));
    assert_eq!(decide(Stage::Keys, &who, &seen([0, 1])), Verdict::Do(vec![Op::DropPairs(vec![0])]));
    assert!(decide(Stage::Keys, &who, &seen([1])).is_settled());
}

#[test]
fn a_key_that_the_site_cannot_decrypt_is_set_anew_with_the_encryption_key_put_back_first() {
    let mut who = begun();
    let hash = steps::hash(Step::Keys, &who, &Default::default());
    change(&mut who, &Change::Receipts(BTreeMap::from([(Step::Keys, receipt(&hash, json!({})))])));
    let mut asked = seen([0, 1]);
    asked.key = Some(KeyAnswer::Undecryptable);
    assert!(words(&decide(Stage::Keys, &who, &asked)).starts_with("KeyNotAccepted"), "a worker may be behind");
    who.now = noon() + SignedDuration::from_secs(76);
    let stale = vec![Op::Remember(Change::Stale(vec![Step::Create, Step::Keys]))];
    assert_eq!(decide(Stage::Keys, &who, &asked), Verdict::Do(stale));
    asked.key = Some(KeyAnswer::Rejected(401));
    assert_eq!(decide(Stage::Keys, &who, &asked), Verdict::Do(vec![Op::Remember(Change::Stale(vec![Step::Keys]))]));
}

fn probed(who: &Subject, checks: &[(&'static str, bool)], failures: u32) -> Verdict {
    let checks = checks.iter().map(|(name, fine)| Check { name, problem: (!fine).then(|| "401".to_owned()) }).collect();
    Stage::Probe.decide(Way::Up, who, &Seen::Probe(ProbeSeen { checks, failures }))
}

#[test]
fn a_key_that_fails_from_outside_long_after_it_was_set_is_set_again_once() {
    let mut who = done(proven(0, None));
    let bad = [("ping", true), (KEY, false)];
    assert!(!matches!(probed(&who, &bad, 9), Verdict::Do(_)), "it was set just now");
    who.now = noon() + SignedDuration::from_secs(601);
    assert!(!matches!(probed(&who, &bad, 2), Verdict::Do(_)), "it may pass");
    assert!(!matches!(probed(&who, &[("ping", false), (KEY, false)], 9), Verdict::Do(_)), "nothing answers");
    let stale = Change::Stale(vec![Step::Create, Step::Keys, Step::Proof]);
    assert_eq!(probed(&who, &bad, 3), Verdict::Do(vec![Op::Remember(stale.clone())]));
    change(&mut who, &stale);
    assert!(!matches!(probed(&who, &bad, 4), Verdict::Do(_)), "it is being set");
    assert!(who.serves());
    assert_eq!(tenant_operator::core::rotation::proven(&who).map(|proven| proven.serial), Some(0));
}

fn job(who: &Subject, uid: &str) -> JobSeen {
    let hashes = [Step::Create, Step::Keys].map(|step| (step, steps::hash(step, who, &Default::default())));
    let done = hashes.iter().map(|(step, _)| (*step, json!({"proven": true}))).collect();
    JobSeen {
        name: format!("{ID}-provision-00000000-0"),
        uid: uid.to_owned(),
        kind: JobKind::Provision,
        attempt: 0,
        hashes: hashes.into(),
        state: JobState::Succeeded,
        leaving: false,
        ended: Some(noon()),
        reports: vec![StepReport { done, failure: None, bench_seconds: 1.0 }],
        blocked: None,
    }
}

#[test]
fn what_a_job_found_before_is_no_answer_to_a_later_doubt() {
    let mut who = done(proven(0, None));
    change(&mut who, &Change::Stale(vec![Step::Create, Step::Keys, Step::Proof]));
    let mut seen = seen([0]);
    seen.jobs = vec![job(&who, "one")];
    assert!(is_unread(&who, &seen.jobs));
    let Verdict::Do(ops) = decide(Stage::Keys, &who, &seen) else { panic!("nothing to do") };
    let [Op::Remember(read @ Change::Receipts(_))] = ops.as_slice() else { panic!("{ops:?}") };
    change(&mut who, read);

    change(&mut who, &Change::Stale(vec![Step::Create, Step::Keys, Step::Proof]));
    assert!(!is_unread(&who, &seen.jobs));
    let Verdict::Do(ops) = decide(Stage::Keys, &who, &seen) else { panic!("nothing to do") };
    assert!(matches!(ops.as_slice(), [Op::StartJob(plan)] if plan.attempt == 1), "{ops:?}");
    seen.jobs.push(JobSeen { attempt: 1, ..job(&who, "two") });
    assert!(is_unread(&who, &seen.jobs));
}

#[test]
fn what_was_put_back_into_the_site_is_named() {
    let mut who = done(proven(0, None));
    assert!(words(&decide(Stage::Site, &who, &seen([0]))).starts_with("Created: "));
    let hash = steps::hash(Step::Create, &who, &Default::default());
    let repaired = receipt(&hash, json!({"created": false, "repaired": ["encryption_key", "<script>"]}));
    change(&mut who, &Change::Receipts(BTreeMap::from([(Step::Create, repaired)])));
    let said = words(&decide(Stage::Site, &who, &seen([0])));
    assert_eq!(
        said,
        "Repaired: data.pelican.port.test carries our marker; put back at 2026-11-21 12:00:00Z, since it was changed or lost: encryption_key"
    );
}

#[test]
fn a_site_that_is_kept_has_both_users_revoked() {
    let input = steps::input(&overlapping());
    let users = ["user", "other"].map(|slot| input["keys"][slot].clone());
    assert_eq!(users, ["tenant-api-b@data.pelican.port.test", "tenant-api-a@data.pelican.port.test"].map(|user| json!(user)));
}

//! The fold into status: Ready, the two that kstatus reads, what counts as background, and when times change.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as MetaCondition, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tenant_operator::api::{Condition, TenantStatus};
use tenant_operator::core::report::{Outcome, Pass, problem, status};
use tenant_operator::core::stages::{Stage, Way};
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{Problem, Subject};
use tenant_operator::core::verdict::{Note, Verdict};

use crate::manifests::{ID, noon, receipt, remember};
use crate::objects;

fn who() -> Subject {
    let mut who = objects::subject(ID, objects::bench(), noon());
    who.now = noon();
    remember(&mut who, &[(Step::Create, receipt("any", Value::Null))]);
    who
}

/// One that was Ready before.
fn known(mut who: Subject) -> Subject {
    who.record.as_mut().expect("a record").record.first_ready_at = Some(Time(noon()));
    who
}

fn fold(old: Option<&TenantStatus>, who: &Subject, way: Way, troubles: &[(Stage, Outcome)], probe_failed: bool) -> TenantStatus {
    let settled = |stage| (stage, Outcome::Verdict(Verdict::settled("Fine", "as it should be")));
    let trouble = |stage| troubles.iter().find(|(other, _)| *other == stage).cloned();
    let outcomes: Vec<_> = Stage::ALL.into_iter().map(|stage| trouble(stage).unwrap_or_else(|| settled(stage))).collect();
    status(old, &Pass { way, who, outcomes: &outcomes, certificate_until: None, probe_failed, changes: None })
}

fn wait(reason: &'static str) -> Outcome {
    Outcome::Verdict(Verdict::Wait(Note::new(reason, "takes its time"), Duration::from_secs(9)))
}

fn stalled(reason: &'static str) -> Outcome {
    Outcome::Verdict(Verdict::stalled(reason, "a person is needed"))
}

fn find(status: &TenantStatus, condition: Condition) -> Option<&MetaCondition> {
    status.conditions.iter().find(|found| found.type_ == condition.type_())
}

fn said(status: &TenantStatus, condition: Condition) -> Option<(&str, &str)> {
    find(status, condition).map(|found| (found.status.as_str(), found.reason.as_str()))
}

fn at(status: &TenantStatus, condition: Condition) -> Timestamp {
    find(status, condition).expect("the condition").last_transition_time.0
}

#[test]
fn a_tenant_with_every_stage_settled_is_ready_and_nothing_else() {
    let status = fold(None, &who(), Way::Up, &[], false);
    assert_eq!(said(&status, Condition::Ready), Some(("True", "Ready")));
    assert_eq!((said(&status, Condition::Reconciling), said(&status, Condition::Stalled)), (None, None));
    assert_eq!(status.conditions.len(), 11);
    assert!(status.conditions.iter().all(|condition| condition.observed_generation == Some(1)));
}

#[test]
fn one_that_waits_is_reconciling_and_says_for_what() {
    let status =
        fold(None, &who(), Way::Up, &[(Stage::Site, wait("Creating")), (Stage::Apps, Outcome::Blocked(Stage::Site))], false);
    assert_eq!(said(&status, Condition::Ready), Some(("False", "Creating")));
    assert_eq!(said(&status, Condition::Reconciling), Some(("True", "Creating")));
    assert_eq!(said(&status, Condition::AppsReady), Some(("Unknown", "WaitingForSite")));
    let message = &find(&status, Condition::Ready).expect("Ready").message;
    assert_eq!(message, "SiteReady: takes its time");
}

#[test]
fn what_needs_a_person_is_said_before_what_only_waits() {
    let troubles = [(Stage::Claim, wait("Conflict")), (Stage::Registry, stalled("RegistryConflict"))];
    let status = fold(None, &who(), Way::Up, &troubles, false);
    assert_eq!(said(&status, Condition::Ready), Some(("False", "RegistryConflict")));
    assert_eq!(said(&status, Condition::Stalled), Some(("True", "RegistryConflict")));
    assert_eq!(said(&status, Condition::Reconciling), None);
}

#[test]
fn an_outage_or_a_repair_takes_nothing_from_a_tenant_that_serves() {
    let who = known(who());
    let old = fold(None, &who, Way::Up, &[], false);
    for (stage, outcome) in [
        (Stage::Registry, wait("RegistryUnreachable")),
        (Stage::Settings, wait("Configuring")),
        (Stage::Routes, Outcome::Failed(Note::new("ClusterUnavailable", "503"))),
        (Stage::Probe, wait("ProbeFailed")),
    ] {
        let status = fold(Some(&old), &who, Way::Up, &[(stage, outcome)], false);
        assert_eq!(said(&status, Condition::Ready), Some(("True", "Ready")), "{stage:?}");
        assert_eq!(said(&status, Condition::Reconciling), None, "{stage:?}");
        assert_eq!(find(&status, stage.condition()).expect("the stage's own").status, "False", "{stage:?}");
    }
}

#[test]
fn a_lasting_failure_of_the_probe_a_stalled_stage_a_lost_claim_or_a_new_generation_takes_ready_away() {
    let who = known(who());
    let old = fold(None, &who, Way::Up, &[], false);
    let probe = fold(Some(&old), &who, Way::Up, &[(Stage::Probe, wait("ProbeFailed"))], true);
    assert_eq!(said(&probe, Condition::Ready), Some(("False", "ProbeFailed")));
    let stuck = fold(Some(&old), &who, Way::Up, &[(Stage::Site, stalled("SiteVanished"))], false);
    assert_eq!(said(&stuck, Condition::Ready), Some(("False", "SiteVanished")));
    let claim = fold(Some(&old), &who, Way::Up, &[(Stage::Claim, wait("Conflict"))], false);
    assert_eq!(said(&claim, Condition::Ready), Some(("False", "Conflict")));
    let mut newer = who.clone();
    newer.generation = 2;
    let changed = fold(Some(&old), &newer, Way::Up, &[(Stage::Settings, wait("Configuring"))], false);
    assert_eq!(said(&changed, Condition::Ready), Some(("False", "Configuring")));
}

#[test]
fn a_tenant_that_was_never_ready_has_no_background() {
    let who = who();
    let old = fold(None, &who, Way::Up, &[], false);
    let status = fold(Some(&old), &who, Way::Up, &[(Stage::Registry, wait("RegistryUnreachable"))], false);
    assert_eq!(said(&status, Condition::Ready), Some(("False", "RegistryUnreachable")));
}

#[test]
fn the_time_of_a_condition_changes_with_its_status_and_not_with_its_reason() {
    let early = who();
    let first = fold(None, &early, Way::Up, &[(Stage::Site, wait("Creating"))], false);
    let mut late = early.clone();
    late.now = noon() + SignedDuration::from_secs(60);
    let second = fold(Some(&first), &late, Way::Up, &[(Stage::Site, wait("StepLost"))], false);
    assert_eq!(at(&second, Condition::SiteReady), noon());
    let third = fold(Some(&second), &late, Way::Up, &[], false);
    assert_eq!(at(&third, Condition::SiteReady), late.now);
    assert_eq!(at(&third, Condition::Claimed), noon());
    assert_eq!(fold(Some(&third), &late, Way::Up, &[], false), third, "the same again is no difference");
}

#[test]
fn one_that_leaves_is_never_ready_and_says_what_holds_it() {
    let who = known(who());
    let old = fold(None, &who, Way::Up, &[], false);
    let leaving = fold(Some(&old), &who, Way::Down, &[(Stage::Site, wait("Archiving"))], false);
    assert_eq!(said(&leaving, Condition::Ready), Some(("False", "Archiving")));
    assert_eq!(said(&leaving, Condition::Reconciling), Some(("True", "Archiving")));
    assert_eq!(said(&leaving, Condition::Claimed), Some(("False", "Fine")));
    let stuck = fold(Some(&old), &who, Way::Down, &[(Stage::Site, stalled("ManifestMismatch"))], false);
    assert_eq!(said(&stuck, Condition::Stalled), Some(("True", "ManifestMismatch")));
}

#[test]
fn a_tenant_without_a_place_has_every_condition_and_a_reason() {
    for (passing, present) in [(true, Condition::Reconciling), (false, Condition::Stalled)] {
        let trouble = Problem { reason: "PlanNotFound".into(), message: "there is no such plan".to_owned(), passing };
        let status = problem(None, 3, noon(), &trouble);
        assert_eq!(said(&status, Condition::Ready), Some(("False", "PlanNotFound")));
        assert_eq!(said(&status, present), Some(("True", "PlanNotFound")));
        assert_eq!(status.conditions.len(), 12);
        assert!(status.conditions.iter().all(|condition| condition.observed_generation == Some(3)));
    }
}

#[test]
fn a_message_is_never_longer_than_a_person_reads() {
    let long = Outcome::Failed(Note::new("ClusterRefused", "é".repeat(5000)));
    let status = fold(None, &who(), Way::Up, &[(Stage::Site, long)], false);
    assert!(status.conditions.iter().all(|condition| condition.message.chars().count() <= 1024));
}

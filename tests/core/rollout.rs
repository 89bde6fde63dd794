//! How a change of a plan reaches its tenants: who takes which version, whose turn it is, when it stops, and what the status says.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use tenant_operator::api::{Record, Rollout, TenantPlan};
use tenant_operator::core::record;
use tenant_operator::core::rollout::{Came, Copies, Course, Standing, Tally, Version, applied, copy, standing, status};
use tenant_operator::core::subject::ObjectName;

use crate::manifests::{ID, noon};
use crate::objects;

const PLAN: &str = "ferry";
const NOBODY: [u32; 0] = [];

fn plan(generation: i64) -> TenantPlan {
    let mut plan: TenantPlan = objects::read(objects::plan());
    plan.metadata.generation = Some(generation);
    plan.spec.rollout = Rollout { at_once: 2, stop_after: 2 };
    plan.spec.display_name = Some(format!("The {generation}."));
    plan
}

fn version(generation: i64) -> Version {
    Version::of(&copy(PLAN, &plan(generation)))
}

/// In the record, and what the pass was about.
fn both(generation: i64) -> Copies {
    Copies { has: version(generation), given: version(generation) }
}

/// A record that holds a copy of the plan.
fn holding(name: &str, generation: i64, was_ready: bool) -> Record {
    let mut record = record::first(&objects::subject(ID, objects::bench(), noon()));
    record.plan = Some(copy(name, &plan(generation)));
    record.first_ready_at = was_ready.then(|| Time(noon()));
    record
}

#[test]
fn a_tenant_in_use_waits_for_its_turn_and_all_others_take_the_plan_as_it_is() {
    let now = plan(5);
    let mut old_record = holding(PLAN, 5, true);
    old_record.plan = None;
    for (what, plan, record, expected) in [
        ("new", Some(&now), None, Standing::AtOnce),
        ("from before records had plans", Some(&now), Some(old_record), Standing::AtOnce),
        ("never Ready", Some(&now), Some(holding(PLAN, 4, false)), Standing::AtOnce),
        ("of another plan before", Some(&now), Some(holding("dinghy", 5, true)), Standing::AtOnce),
        ("in use", Some(&now), Some(holding(PLAN, 4, true)), Standing::Behind),
        ("up to date", Some(&now), Some(holding(PLAN, 5, true)), Standing::Current),
        ("of a plan that is gone", None, Some(holding(PLAN, 4, true)), Standing::Gone),
        ("of another plan, naming one that is not there", None, Some(holding("dinghy", 4, true)), Standing::Without),
        ("new, naming one that is not there", None, None, Standing::Without),
    ] {
        assert_eq!(standing(PLAN, plan, record.as_ref()), expected, "{what}");
    }
}

#[test]
fn what_is_applied_is_the_copy_until_the_turn_has_come_and_when_the_plan_is_gone() {
    let (now, behind) = (plan(5), holding(PLAN, 4, true));
    let generation = |plan, turn| applied(PLAN, plan, Some(&behind), turn).map(|copy| copy.generation);
    assert_eq!(generation(Some(&now), false), Some(4));
    assert_eq!(generation(Some(&now), true), Some(5));
    assert_eq!(generation(None, true), Some(4));
    assert_eq!(applied(PLAN, None, None, true), None);
    assert_eq!(applied(PLAN, Some(&now), None, false).map(|copy| copy.generation), Some(5));
}

#[test]
fn a_plan_that_was_deleted_and_made_again_is_another_version_although_it_counts_from_one() {
    let mut again = plan(1);
    again.spec.apps.clear();
    assert_ne!(copy(PLAN, &again), copy(PLAN, &plan(1)));
    assert_ne!(Version::of(&copy(PLAN, &again)), version(1));
    assert_eq!(standing(PLAN, Some(&again), Some(&holding(PLAN, 1, true))), Standing::Behind);
}

fn name(number: u32) -> ObjectName {
    ObjectName { namespace: format!("quay-{}", number % 2), name: format!("ship-{number}") }
}

fn later(seconds: u64) -> Timestamp {
    noon() + Duration::from_secs(seconds)
}

/// So many tenants, the lowest number being the oldest, all of which follow generation 4; then it is 5.
fn edited(tenants: u32) -> (Course, Vec<u32>) {
    let mut course = Course::default();
    course.see(PLAN, &plan(4));
    for number in 0..tenants {
        course.named(&name(number), later(u64::from(number)), None);
        course.report(&name(number), both(4), false, Came::Settled, noon());
    }
    course.see(PLAN, &plan(5));
    let called = advance(&mut course);
    (course, called)
}

fn advance(course: &mut Course) -> Vec<u32> {
    numbers(course.advance(noon()))
}

fn numbers(names: Vec<ObjectName>) -> Vec<u32> {
    names.iter().map(|name| name.name.trim_start_matches("ship-").parse().expect("a number")).collect()
}

fn report(course: &mut Course, number: u32, generation: i64, came: Came) -> Vec<u32> {
    course.report(&name(number), both(generation), false, came, noon());
    advance(course)
}

#[test]
fn the_oldest_come_first_as_many_at_once_as_the_plan_says() {
    let (mut course, called) = edited(5);
    assert_eq!(called, [0, 1]);
    assert!(course.may_change(&name(0)) && course.may_change(&name(1)) && !course.may_change(&name(2)));
    assert_eq!(report(&mut course, 0, 5, Came::UnderWay), NOBODY);
    assert_eq!(report(&mut course, 1, 5, Came::Settled), [2]);
    assert_eq!(report(&mut course, 0, 5, Came::Settled), [3]);
    assert_eq!(course.tally(), Tally { following: 2, changing: 2, waiting: 1, ..Default::default() });
}

#[test]
fn it_stops_after_so_many_failures_and_goes_on_when_one_is_mended() {
    let (mut course, _) = edited(5);
    assert_eq!(report(&mut course, 0, 5, Came::Failed), [2], "one failure is not too many, and its slot is free");
    assert_eq!(report(&mut course, 1, 5, Came::Failed), NOBODY);
    assert!(!course.may_change(&name(2)), "called, but not begun when it stopped");
    assert_eq!(report(&mut course, 2, 4, Came::Settled), NOBODY);
    assert_eq!(report(&mut course, 1, 5, Came::UnderWay), NOBODY, "one that is tried again has failed until it is settled");
    assert_eq!(course.tally(), Tally { failing: 2, waiting: 3, ..Default::default() });
    assert_eq!(report(&mut course, 1, 5, Came::Settled), [2, 3]);
}

#[test]
fn a_corrected_plan_reaches_those_that_failed_first() {
    let (mut course, _) = edited(5);
    report(&mut course, 0, 5, Came::Settled);
    report(&mut course, 2, 5, Came::Failed);
    report(&mut course, 1, 5, Came::Failed);
    report(&mut course, 3, 4, Came::Settled);
    course.see(PLAN, &plan(6));
    assert_eq!(advance(&mut course), [1, 2]);
    assert_eq!(report(&mut course, 1, 6, Came::Settled), [0]);
}

#[test]
fn a_tenant_that_is_being_changed_goes_on_to_the_next_version_in_the_same_turn() {
    let (mut course, _) = edited(4);
    report(&mut course, 0, 5, Came::UnderWay);
    course.see(PLAN, &plan(6));
    assert_eq!(advance(&mut course), NOBODY);
    assert!(course.may_change(&name(0)) && course.may_change(&name(1)) && !course.may_change(&name(2)));
    assert_eq!(report(&mut course, 0, 6, Came::UnderWay), NOBODY);
    assert_eq!(course.tally().changing, 2);
}

#[test]
fn a_plan_that_was_read_before_the_one_that_is_known_says_nothing() {
    let (mut course, _) = edited(3);
    course.see(PLAN, &plan(4));
    assert_eq!(course.tally(), Tally { changing: 2, waiting: 1, ..Default::default() });
}

#[test]
fn after_a_restart_nobodys_turn_comes_before_all_were_looked_at() {
    let mut course = Course::default();
    for number in 0..3 {
        course.named(&name(number), later(u64::from(number)), None);
    }
    course.see(PLAN, &plan(5));
    assert_eq!(report(&mut course, 0, 4, Came::Settled), NOBODY);
    assert_eq!(report(&mut course, 1, 5, Came::Failed), NOBODY);
    assert_eq!(report(&mut course, 2, 5, Came::UnderWay), [0], "one of two slots is in use, and one failure is not too many");
}

#[test]
fn after_a_restart_what_ails_a_tenant_that_followed_before_is_not_its_plans_fault() {
    let mut course = Course::default();
    course.see(PLAN, &plan(5));
    course.named(&name(0), noon(), Some(5));
    course.named(&name(1), noon(), Some(4));
    report(&mut course, 0, 5, Came::Failed);
    report(&mut course, 1, 5, Came::Failed);
    assert_eq!(course.tally(), Tally { following: 1, failing: 1, ..Default::default() });
}

#[test]
fn after_a_restart_one_that_is_tried_again_on_an_earlier_version_takes_nobodys_turn() {
    let mut course = Course::default();
    course.see(PLAN, &plan(6));
    (0..4).for_each(|number| course.named(&name(number), later(u64::from(number)), Some(4)));
    assert_eq!(report(&mut course, 0, 5, Came::UnderWay), NOBODY);
    assert!(!course.may_change(&name(0)), "two others may be on their way to the newest version already");
    assert_eq!(report(&mut course, 1, 6, Came::UnderWay), NOBODY);
    assert_eq!(report(&mut course, 2, 6, Came::Queued), NOBODY);
    assert_eq!(report(&mut course, 3, 4, Came::Settled), NOBODY);
    assert!(!course.may_change(&name(0)), "they are");
    assert_eq!(report(&mut course, 0, 5, Came::Settled), NOBODY);
    assert_eq!(report(&mut course, 2, 6, Came::Settled), [0]);
    assert!(course.may_change(&name(0)));
}

#[test]
fn a_tenant_that_followed_once_follows_whatever_happens_to_it_later() {
    let (mut course, _) = edited(1);
    report(&mut course, 0, 5, Came::Settled);
    report(&mut course, 0, 5, Came::Failed);
    assert_eq!(course.tally(), Tally { following: 1, ..Default::default() });
}

#[test]
fn a_new_tenant_neither_takes_a_turn_nor_stops_anybody() {
    let (mut course, _) = edited(3);
    for number in 7..10 {
        course.named(&name(number), noon(), None);
        course.report(&name(number), both(5), true, Came::Failed, noon());
    }
    assert_eq!(course.tally(), Tally { following: 3, changing: 2, waiting: 1, ..Default::default() });
}

#[test]
fn one_that_is_paused_keeps_nobody_from_their_turn_and_comes_when_it_is_back() {
    let (mut course, _) = edited(3);
    course.aside(&name(0));
    assert_eq!(advance(&mut course), [2]);
    report(&mut course, 1, 5, Came::Settled);
    report(&mut course, 2, 5, Came::Settled);
    assert_eq!(course.tally(), Tally { following: 2, aside: 1, ..Default::default() });
    assert_eq!(report(&mut course, 0, 4, Came::Settled), [0]);
}

#[test]
fn a_paused_tenant_that_has_the_plan_follows_it_also_after_a_restart() {
    let mut course = Course::default();
    course.see(PLAN, &plan(5));
    course.named(&name(0), noon(), Some(5));
    course.named(&name(1), noon(), Some(4));
    course.aside(&name(0));
    course.aside(&name(1));
    assert_eq!(course.tally(), Tally { following: 1, aside: 1, ..Default::default() });
}

#[test]
fn one_that_goes_leaves_its_turn_to_the_next() {
    let (mut course, _) = edited(3);
    course.gone(&name(0));
    assert_eq!(advance(&mut course), [2]);
    assert_eq!(course.tally().tenants(), 2);
}

#[test]
fn a_change_that_takes_too_long_counts_as_failed_but_not_the_time_in_the_queue_of_the_bench() {
    let (mut course, _) = edited(3);
    course.report(&name(0), both(5), false, Came::Queued, later(7000));
    course.report(&name(1), both(5), false, Came::UnderWay, later(7000));
    assert_eq!(course.tally(), Tally { changing: 1, failing: 1, waiting: 1, ..Default::default() });
    course.report(&name(0), both(5), false, Came::UnderWay, later(10_000));
    assert_eq!(course.tally().failing, 1);
    assert_eq!(report(&mut course, 1, 5, Came::Settled), [2]);
}

#[test]
fn without_its_plan_nobodys_turn_comes() {
    let (mut course, _) = edited(3);
    course.plan_is_gone();
    assert_eq!(report(&mut course, 0, 4, Came::Settled), NOBODY);
    assert!(!course.may_change(&name(1)));
    course.see(PLAN, &plan(1));
    assert_eq!(advance(&mut course), [0]);
}

fn said(tally: Tally) -> (String, String, String) {
    let status = status(PLAN, &plan(5), &tally, noon());
    let ready = status.conditions.into_iter().next().expect("Ready");
    (ready.status, ready.reason, ready.message)
}

#[test]
fn the_status_says_how_many_follow_and_when_to_do_what() {
    let tally = Tally { following: 3, ..Default::default() };
    assert_eq!(said(tally), ("True".into(), "Followed".into(), "all 3 Tenants have it as it is now".into()));
    let tally = Tally { following: 1, changing: 2, waiting: 4, failing: 1, ..Default::default() };
    let message = "1 of 8 Tenants have it as it is now; being changed: 2, waiting for their turn: 4, failed on it: 1; \
                   see kubectl get tenants -A --field-selector spec.plan=ferry";
    assert_eq!(said(tally), ("False".into(), "RollingOut".into(), message.into()));
    let (truth, reason, message) = said(Tally { failing: 2, waiting: 4, ..Default::default() });
    assert_eq!((truth.as_str(), reason.as_str()), ("False", "Stopped"));
    assert!(
        message.starts_with("2 failed on it, and no more are changed (rollout.stopAfter); 4 keep what they had."),
        "{message}"
    );
    assert_eq!(said(Tally { failing: 2, ..Default::default() }).1, "RollingOut", "nobody is left to be stopped");
}

#[test]
fn a_status_that_says_the_same_is_the_same() {
    let mut plan = plan(5);
    let tally = Tally { following: 2, ..Default::default() };
    plan.status = Some(status(PLAN, &plan, &tally, noon()));
    assert_eq!(Some(status(PLAN, &plan, &tally, later(99))), plan.status);
    let fewer = Tally { following: 1, waiting: 1, ..Default::default() };
    let changed = status(PLAN, &plan, &fewer, later(99));
    assert_eq!(changed.conditions[0].last_transition_time.0, later(99));
    assert_eq!((changed.tenants, changed.following, changed.failing), (Some(2), Some(1), Some(0)));
}

#[test]
fn one_whose_record_cannot_take_the_plan_counts_as_failed_and_is_not_called_for_ever() {
    let (mut course, _) = edited(4);
    let refused = || Copies { has: version(4), given: version(5) };
    course.report(&name(0), refused(), false, Came::Failed, noon());
    assert_eq!((course.tally().failing, advance(&mut course)), (1, vec![2]), "its slot is free, and it is not called again");
    assert!(course.may_change(&name(0)), "it tries again whenever it is looked at");
    course.report(&name(0), refused(), false, Came::UnderWay, noon());
    assert_eq!(course.tally().failing, 1, "until it is settled");
    course.report(&name(0), both(5), false, Came::Settled, noon());
    assert_eq!(course.tally().failing, 0);

    course.report(&name(1), refused(), false, Came::Failed, noon());
    course.see(PLAN, &plan(6));
    report(&mut course, 2, 5, Came::Settled);
    assert!(course.may_change(&name(1)) || advance(&mut course).contains(&1), "another version may be one that it can take");
}

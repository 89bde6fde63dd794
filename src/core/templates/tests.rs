use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::api::{Bench, BenchStatus, TenantPlan};

const A: &str = "aaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbb";
const GRACE: Duration = Duration::from_secs(1200);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
}

fn want(name: &str) -> Asked {
    Asked { name: name.to_owned(), apps: vec!["erpnext".to_owned()], image: "frappe:1".to_owned() }
}

fn template(name: &str, state: TemplateState, since: i64) -> Template {
    let mut all = vec![];
    begun(&mut all, &Order { make: Some(want(name)), anew: false, keep: vec![] }, at(since));
    let content = (state != TemplateState::Building).then(|| format!("c{}", &name[1..]));
    Template { state, content, ..all.remove(0) }
}

fn round(makes: Option<&str>, since: i64, state: JobState, report: Option<Result<Made, StepFailure>>) -> RoundSeen {
    let makes = makes.map(str::to_owned);
    RoundSeen { name: "dock-template-1".to_owned(), at: at(since), makes, state, leaving: false, blocked: None, report }
}

fn made(content: &str) -> Option<Result<Made, StepFailure>> {
    Some(Ok(Made { content: Some(content.to_owned()), holds: vec![] }))
}

fn failure(class: FailureClass) -> Option<Result<Made, StepFailure>> {
    let (step, reason) = (STEP.to_owned(), "AppInstallFailed".to_owned());
    Some(Err(StepFailure { step, reason, class, message: "words".to_owned(), tail: vec!["last".to_owned()] }))
}

fn given<'a>(now: i64, templates: &'a [Template], asked: &'a [Asked], rounds: &'a [RoundSeen]) -> Given<'a> {
    Given { now: at(now), templates, asked, distrusted: &[], retry_at: None, grace: GRACE, rounds }
}

fn starts(next: &Next) -> Option<&str> {
    match next {
        Next::Start(order) => order.make.as_ref().map(|asked| asked.name.as_str()),
        Next::Rest(_) | Next::Running(..) => None,
    }
}

#[test]
fn what_is_asked_for_is_made_one_after_the_other_and_then_rests() {
    let asked = [want(A), want(B)];
    let (none, next) = course(&given(0, &[], &asked, &[]));
    assert_eq!((none.len(), starts(&next)), (0, Some(A)));
    let mut templates = none;
    let Next::Start(order) = next else { panic!("it begins") };
    begun(&mut templates, &order, at(0));
    let running = [round(Some(A), 0, JobState::Running, None)];
    let (same, next) = course(&given(5, &templates, &asked, &running));
    assert_eq!((same, next), (templates.clone(), Next::Running(None, LOOK_AGAIN)));
    let ended = [round(Some(A), 0, JobState::Succeeded, made("cccccccccccccccc"))];
    let (templates, next) = course(&given(90, &templates, &asked, &ended));
    assert_eq!((templates[0].state, templates[0].content.as_deref()), (TemplateState::Ready, Some("cccccccccccccccc")));
    assert_eq!(starts(&next), Some(B));
    let Next::Start(order) = next else { panic!("the other one") };
    assert_eq!(order.keep, ["cccccccccccccccc"]);
    let all = [template(A, TemplateState::Ready, 0), template(B, TemplateState::Ready, 0)];
    assert_eq!(course(&given(100, &all, &asked, &[])), (all.to_vec(), Next::Rest(None)));
}

#[test]
fn a_job_is_taken_up_once() {
    let ended = [round(Some(A), 0, JobState::Failed, failure(FailureClass::Retryable))];
    let (templates, _) = course(&given(10, &[template(A, TemplateState::Building, 0)], &[want(A)], &ended));
    assert_eq!((templates[0].failures, templates[0].state), (1, TemplateState::Failed));
    assert_eq!(course(&given(20, &templates, &[want(A)], &ended)).0, templates);
}

#[test]
fn a_failure_is_tried_again_with_growing_pauses_and_then_not_any_more() {
    let asked = [want(A)];
    let mut templates = vec![];
    let (mut now, mut pauses) = (0, vec![]);
    while let (_, Next::Start(order)) = course(&given(now, &templates, &asked, &[])) {
        begun(&mut templates, &order, at(now));
        let ended = [round(Some(A), now, JobState::Failed, failure(FailureClass::Retryable))];
        let (taken, next) = course(&given(now + 1, &templates, &asked, &ended));
        templates = taken;
        let Next::Rest(pause) = next else { panic!("{next:?}") };
        let Some(pause) = pause else { break };
        pauses.push(pause.as_secs());
        now += 1 + i64::try_from(pause.as_secs()).expect("a pause");
    }
    assert_eq!(pauses, [60, 120, 240, 480, 960]);
    assert_eq!(templates[0].message.as_deref(), Some("AppInstallFailed: words; last line: last"));
    let asked_again = Given { retry_at: Some(at(now + 5)), ..given(now + 6, &templates, &asked, &[]) };
    assert_eq!(starts(&course(&asked_again).1), Some(A));
}

#[test]
fn what_only_another_image_or_plan_can_mend_is_not_tried_again() {
    let ended = [round(Some(A), 0, JobState::Failed, failure(FailureClass::Fatal))];
    let (templates, next) = course(&given(10, &[template(A, TemplateState::Building, 0)], &[want(A)], &ended));
    assert_eq!((templates[0].failures, next), (MOST_FAILURES, Next::Rest(None)));
    // Another image asks for another template.
    let (_, next) = course(&given(20, &templates, &[want(B)], &[]));
    assert_eq!(starts(&next), Some(B));
}

#[test]
fn a_job_that_vanished_is_started_again_and_one_without_a_word_has_failed() {
    let (_, next) = course(&given(9, &[template(A, TemplateState::Building, 0)], &[want(A)], &[]));
    assert_eq!(starts(&next), Some(A));
    let silent = [round(Some(A), 0, JobState::Failed, None)];
    let (templates, _) = course(&given(9, &[template(A, TemplateState::Building, 0)], &[want(A)], &silent));
    assert!(templates[0].message.as_ref().is_some_and(|message| message.starts_with("StepLost")), "{templates:?}");
}

#[test]
fn one_that_nothing_needs_is_removed_only_when_no_job_can_be_reading_it() {
    let (templates, next) = course(&given(0, &[template(A, TemplateState::Ready, -50)], &[], &[]));
    assert_eq!((templates[0].state, templates[0].at.0), (TemplateState::Superseded, at(0)));
    assert_eq!(next, Next::Rest(Some(GRACE)));
    let (same, next) = course(&given(1199, &templates, &[], &[]));
    assert_eq!((same == templates, next), (true, Next::Rest(Some(Duration::from_secs(1)))));
    let (same, next) = course(&given(1200, &templates, &[], &[]));
    assert_eq!(next, Next::Start(Order { make: None, anew: false, keep: vec![] }));
    assert_eq!(same, templates, "it is told of until it is gone");
    let ended = [round(None, 1200, JobState::Succeeded, Some(Ok(Made::default())))];
    assert_eq!(course(&given(1210, &templates, &[], &ended)), (vec![], Next::Rest(None)));
}

#[test]
fn a_removal_that_failed_is_tried_again_after_an_hour() {
    let templates = [template(A, TemplateState::Superseded, 0)];
    let ended = [round(None, 1200, JobState::Failed, failure(FailureClass::Retryable))];
    let (same, next) = course(&given(1300, &templates, &[], &ended));
    assert_eq!((same.as_slice(), next), (&templates[..], Next::Rest(Some(Duration::from_secs(3500)))));
    assert!(matches!(course(&given(4800, &templates, &[], &ended)).1, Next::Start(_)));
}

#[test]
fn a_job_that_makes_another_one_keeps_what_may_still_be_read() {
    let templates = [template(A, TemplateState::Superseded, 0), template(B, TemplateState::Superseded, -1200)];
    let Next::Start(order) = course(&given(5, &templates, &[want("0000000000000000")], &[])).1 else { panic!("it begins") };
    assert_eq!(order.keep, [format!("c{}", &A[1..])]);
}

#[test]
fn one_that_is_asked_for_again_in_time_is_ready_again() {
    let (templates, next) = course(&given(9, &[template(A, TemplateState::Superseded, 0)], &[want(A)], &[]));
    assert_eq!((templates[0].state, next), (TemplateState::Ready, Next::Rest(None)));
}

#[test]
fn one_that_a_new_site_found_unfit_is_made_anew_but_not_at_once() {
    let templates = [template(A, TemplateState::Ready, 0)];
    let content = templates[0].content.clone().expect("a folder");
    let doubts = [(content.clone(), at(30))];
    let asked = [want(A)];
    let doubted = |now| Given { distrusted: &doubts, ..given(now, &templates, &asked, &[]) };
    assert_eq!(course(&doubted(31)).1, Next::Rest(Some(Duration::from_secs(569))));
    // A person's word of before it was made says nothing of it.
    let told = |word| course(&Given { retry_at: Some(at(word)), ..doubted(31) }).1;
    assert_eq!((starts(&told(20)), starts(&told(0))), (Some(A), None));
    let Next::Start(order) = course(&doubted(600)).1 else { panic!("it begins") };
    assert!(order.anew && order.keep == [content.clone()], "{order:?}");
    let mut building = templates.to_vec();
    begun(&mut building, &order, at(600));
    assert_eq!(best(Some(&BenchStatus { templates: building.clone(), ..Default::default() }), &["erpnext".to_owned()]), None);
    let ended = [round(Some(A), 600, JobState::Succeeded, made("dddddddddddddddd"))];
    let (after, next) = course(&Given { rounds: &ended, ..Given { templates: &building, ..doubted(700) } });
    // The folder that it had is kept as long as somebody may be reading it.
    assert_eq!((after.len(), after[1].content.as_ref(), after[1].state), (2, Some(&content), TemplateState::Superseded));
    assert_eq!((after[0].state, next), (TemplateState::Ready, Next::Rest(Some(GRACE))));
}

#[test]
fn a_pod_that_does_not_start_is_told() {
    let stuck = RoundSeen { blocked: Some("no such image".to_owned()), ..round(Some(A), 0, JobState::Running, None) };
    let (templates, next) = course(&given(9, &[template(A, TemplateState::Building, 0)], &[want(A)], &[stuck]));
    let mut status = BenchStatus::default();
    let asked = [want(A)];
    tell(&mut status, templates, &Told { asked: &asked, absent: &[], next: &next, retry_at: None }, at(9), Some(1));
    assert_eq!((status.conditions[0].reason.as_str(), status.conditions[0].status.as_str()), ("PodBlocked", "False"));
}

#[test]
fn nothing_is_said_where_nothing_is_wanted_and_nothing_changes_at_rest() {
    let mut status = BenchStatus::default();
    let told = |asked| Told { asked, absent: &[], next: &Next::Rest(None), retry_at: None };
    tell(&mut status, vec![], &told(&[]), at(0), Some(1));
    assert_eq!(status, BenchStatus::default());
    let asked = [want(A)];
    tell(&mut status, vec![template(A, TemplateState::Ready, 0)], &told(&asked), at(0), Some(1));
    let before = status.clone();
    tell(&mut status, before.templates.clone(), &told(&asked), at(500), Some(1));
    assert_eq!(status, before);
}

fn plans(apps: &[(&str, &[&str])]) -> BTreeMap<String, TenantPlan> {
    let plan = |(name, apps): &(&str, &[&str])| {
        let apps: Vec<_> = apps.iter().map(|app| json!({"name": app})).collect();
        let kind = json!({"apiVersion": "tenancy.nexuserp.io/v1alpha1", "kind": "TenantPlan", "metadata": {"name": name}, "spec": {"apps": apps}});
        ((*name).to_owned(), serde_json::from_value(kind).expect("a plan"))
    };
    apps.iter().map(plan).collect()
}

fn bench(templates: &serde_json::Value) -> Bench {
    let mut bench: Bench = serde_yaml::from_str(include_str!("../../../examples/bench.yaml")).expect("the example");
    bench.spec.templates = serde_json::from_value(templates.clone()).expect("templates");
    bench
}

#[test]
fn each_set_of_apps_in_its_order_is_asked_for_once() {
    let plans =
        plans(&[("small", &["erpnext"]), ("large", &["erpnext", "hrms"]), ("other", &["frappe", "erpnext"]), ("bare", &[])]);
    let prewarm = bench(&json!({"prewarm": ["large", "small", "other", "bare", "nosuch"]}));
    let (found, absent) = asked(&prewarm.spec, "frappe:1", &plans, &[]);
    let sets: Vec<String> = found.iter().map(|asked| asked.apps.join("+")).collect();
    assert_eq!((sets, absent), (vec!["erpnext+hrms".to_owned(), "erpnext".to_owned(), String::new()], vec!["nosuch".to_owned()]));
    let (others, _) = asked(&prewarm.spec, "frappe:2", &plans, &[]);
    assert!(others.iter().all(|other| !found.iter().any(|one| one.name == other.name)), "another image");
    for off in [json!(null), json!({"enabled": false, "prewarm": ["small"]})] {
        assert_eq!(asked(&bench(&off).spec, "frappe:1", &plans, &[]), (vec![], vec![]));
    }
}

#[test]
fn a_new_site_is_made_from_the_largest_template_that_holds_nothing_else() {
    let one = |name: &str, apps: &[&str], state| Template {
        apps: apps.iter().map(|app| (*app).to_owned()).collect(),
        ..template(name, state, 0)
    };
    let ready = TemplateState::Ready;
    let templates = vec![
        one(A, &[], ready),
        one(B, &["erpnext"], ready),
        one("dddddddddddddddd", &["erpnext", "hrms"], TemplateState::Building),
        one("eeeeeeeeeeeeeeee", &["hrms"], ready),
    ];
    let status = BenchStatus { templates, ..Default::default() };
    let best = |apps: &[&str]| {
        let apps: Vec<String> = apps.iter().map(|app| (*app).to_owned()).collect();
        best(Some(&status), &apps).map(|one| one.name.as_str())
    };
    assert_eq!(best(&["erpnext", "hrms"]), Some(B));
    assert_eq!(best(&["hrms", "erpnext"]), Some("eeeeeeeeeeeeeeee"));
    assert_eq!(best(&["crm"]), Some(A));
}

#[test]
fn nothing_that_the_bench_says_is_taken_on_trust() {
    let said = |name: &str| json!({"ok": true, "done": {"template": {"name": name, "apps": [{"name": "a", "version": "1"}, {"name": "a", "version": "2"}]}}});
    let made = read(&said(A).to_string()).expect("a line").expect("a success");
    assert_eq!((made.content.as_deref(), made.holds.len()), (Some(A), 1));
    for name in ["../x", "AAAAAAAAAAAAAAAA", "", "aaaa"] {
        assert_eq!(read(&said(name).to_string()).expect("a line").expect("a success").content, None, "{name}");
    }
    for line in ["", "Killed", "{}", r#"{"ok":true,"done":{}}"#, r#"{"ok":true,"done":{"template":[]}}"#] {
        assert_eq!(read(line), None, "{line}");
    }
}

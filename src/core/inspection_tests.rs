use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_248_000 + second).expect("a time")
}

fn round(begun: i64, state: JobState, ended: Option<i64>, report: Option<Result<Found, StepFailure>>) -> RoundSeen {
    RoundSeen {
        name: "dock-inspect-1".to_owned(),
        at: at(begun),
        state,
        leaving: false,
        ended: ended.map(at),
        report,
        blocked: None,
    }
}

fn found(more: bool) -> Found {
    let entry = |id: &str, what: &str| Differing { id: id.to_owned(), what: vec![what.to_owned()] };
    let differing = vec![entry("00000000000000aa", "locked"), entry("00000000000000bb", "key")];
    Found { seen: 9, differing, more, archives: Some(4) }
}

fn failed(begun: i64, class: FailureClass) -> RoundSeen {
    let failure = StepFailure {
        step: STEP.to_owned(),
        reason: "DatabaseUnreachable".to_owned(),
        class,
        message: "MariaDB does not answer".to_owned(),
        tail: vec![],
    };
    round(begun, JobState::Failed, Some(begun + 10), Some(Err(failure)))
}

fn inspected(second: i64) -> BenchStatus {
    BenchStatus { inspected_at: Some(Time(at(second))), ..Default::default() }
}

fn decide(now: i64, status: &BenchStatus, first: Option<i64>, rounds: &[RoundSeen]) -> Next {
    next(&Given { now: at(now), interval: HOUR, status, first: first.map(at), asked: None, rounds })
}

fn asked(asked: i64, now: i64, status: &BenchStatus, rounds: &[RoundSeen]) -> Next {
    next(&Given { now: at(now), interval: HOUR, status, first: Some(at(0)), asked: Some(at(asked)), rounds })
}

#[test]
fn one_that_a_person_asks_for_comes_at_once_and_only_once() {
    assert_eq!(asked(300, 300, &inspected(200), &[]), Next::Start);
    assert_eq!(asked(300, 301, &BenchStatus::default(), &[]), Next::Start);
    assert_eq!(asked(300, 310, &inspected(300), &[]), Next::Rest(Duration::from_secs(3590)));
    assert_eq!(asked(300, 250, &inspected(200), &[]), Next::Rest(Duration::from_secs(3550)), "not before its time");
    let running = round(301, JobState::Running, None, None);
    assert!(matches!(asked(300, 302, &inspected(200), &[running]), Next::Running(..)));
    let refused = failed(210, FailureClass::Denied);
    assert!(matches!(asked(205, 230, &inspected(200), std::slice::from_ref(&refused)), Next::Failed(..)), "it was tried since");
    assert_eq!(asked(300, 300, &inspected(200), &[refused]), Next::Start, "not held back by an earlier failure");
}

#[test]
fn the_first_one_comes_an_interval_after_the_first_tenant() {
    let never = BenchStatus::default();
    assert_eq!(decide(5000, &never, None, &[]), Next::Rest(HOUR));
    assert_eq!(decide(100, &never, Some(0), &[]), Next::Rest(Duration::from_secs(3500)));
    assert_eq!(decide(3600, &never, Some(0), &[]), Next::Start);
}

#[test]
fn another_comes_an_interval_after_the_last_also_when_every_tenant_has_gone() {
    assert_eq!(decide(3700, &inspected(200), None, &[]), Next::Rest(Duration::from_secs(100)));
    assert_eq!(decide(3800, &inspected(200), None, &[]), Next::Start);
}

#[test]
fn never_two_at_once() {
    let running = round(0, JobState::Running, None, None);
    assert_eq!(decide(90_000, &BenchStatus::default(), Some(0), &[running.clone()]), Next::Running(None, LOOK_AGAIN));
    let leaving = RoundSeen { leaving: true, ..running };
    assert!(matches!(decide(90_000, &BenchStatus::default(), Some(0), &[leaving]), Next::Running(None, _)));
}

#[test]
fn what_was_found_is_taken_up_once() {
    let ended = round(4000, JobState::Succeeded, Some(4100), Some(Ok(found(false))));
    assert_eq!(decide(4101, &inspected(0), None, &[ended.clone()]), Next::Take(at(4000), found(false)));
    assert_eq!(decide(4101, &inspected(4000), None, &[ended]), Next::Rest(Duration::from_secs(3499)));
}

#[test]
fn where_more_sites_differ_than_were_named_the_next_one_comes_soon() {
    let ended = round(4000, JobState::Succeeded, Some(4100), Some(Ok(found(true))));
    assert_eq!(decide(4200, &inspected(4000), None, &[ended.clone()]), Next::Rest(Duration::from_secs(200)));
    assert_eq!(decide(4400, &inspected(4000), None, &[ended]), Next::Start);
}

#[test]
fn a_failure_is_tried_again_after_a_growing_pause_and_says_so() {
    use FailureClass::{Denied, Retryable};
    let mut rounds = vec![failed(4000, Retryable)];
    let Next::Failed(note, left) = decide(4011, &inspected(0), None, &rounds) else { panic!("it waits") };
    assert_eq!((note.reason.as_ref(), left), ("DatabaseUnreachable", Duration::from_secs(59)));
    assert_eq!(note.message, "MariaDB does not answer; failed 1 in a row, tried again at 09:07:50Z");
    assert_eq!(decide(4070, &inspected(0), None, &rounds), Next::Start);
    rounds.push(failed(4070, Retryable));
    rounds.push(failed(4200, Retryable));
    assert!(matches!(decide(4211, &inspected(0), None, &rounds), Next::Failed(_, left) if left == Duration::from_secs(239)));
    rounds.push(failed(5000, Denied));
    assert!(matches!(decide(5010, &inspected(0), None, &rounds), Next::Failed(_, HOUR)));
}

#[test]
fn a_pod_that_ends_without_a_word_is_a_failure_too() {
    for state in [JobState::Failed, JobState::Succeeded] {
        let lost = round(4000, state, Some(4001), None);
        assert!(matches!(decide(4002, &inspected(0), None, &[lost]), Next::Failed(note, _) if note.reason == "StepLost"));
    }
}

#[test]
fn a_pod_that_does_not_start_is_said() {
    let mut status = inspected(0);
    let blocked = RoundSeen { blocked: Some("ImagePullBackOff".to_owned()), ..round(4000, JobState::Running, None, None) };
    let next = decide(4002, &status, None, &[blocked]);
    tell(&mut status, &next, &BTreeSet::new(), at(4002), Some(3));
    assert_eq!((status.conditions[0].status.as_str(), status.conditions[0].reason.as_str()), ("False", "PodBlocked"));
}

#[test]
fn the_status_names_tenants_of_this_bench_only_and_keeps_the_time_of_a_condition_that_stays() {
    let mut status = inspected(0);
    let ids = BTreeSet::from(["00000000000000bb".to_owned()]);
    tell(&mut status, &Next::Take(at(4000), found(true)), &ids, at(4100), Some(3));
    assert_eq!(status.differing, [Differing { id: "00000000000000bb".to_owned(), what: vec!["key".to_owned()] }]);
    assert_eq!((status.archives, status.inspected_at.clone()), (Some(4), Some(Time(at(4000)))));
    let first = status.conditions[0].clone();
    assert_eq!((first.reason.as_str(), first.message.as_str()), ("Differing", "1 and more of 9 sites differ and are put right"));
    let before = status.clone();
    tell(&mut status, &Next::Rest(HOUR), &ids, at(4200), Some(3));
    tell(&mut status, &Next::Running(None, HOUR), &ids, at(4200), Some(3));
    assert_eq!(status, before);
    let all_well = Found { seen: 9, archives: None, ..Default::default() };
    tell(&mut status, &Next::Take(at(7600), all_well), &ids, at(7700), Some(3));
    assert_eq!((status.differing.len(), status.archives), (0, Some(4)));
    assert_eq!(status.conditions.len(), 1);
    assert_eq!(status.conditions[0].last_transition_time, first.last_transition_time);
}

#[test]
fn what_a_container_said_is_read_back_within_bounds() {
    let long = "x".repeat(5000);
    let line = json!({"ok": true, "done": {"inspect": {
        "seen": 3, "more": false, "archives": 2, "seconds": 0.1,
        "differ": {"00000000000000aa": ["locked", "locked", 7, long, "a\nb"], "no id": ["key"], "00000000000000BB": ["key"]},
    }}});
    let Some(Ok(found)) = read(&line.to_string()) else { panic!("it is readable") };
    assert_eq!((found.seen, found.more, found.archives), (3, false, Some(2)));
    let what = &found.differing[0].what;
    assert_eq!((found.differing.len(), what[0].as_str(), what.len(), what[2].as_str()), (1, "locked", 3, "ab"));
    assert!(what[1].len() < 256);
    let many: BTreeMap<String, Vec<String>> = (0..90).map(|n| (format!("{n:016x}"), vec![])).collect();
    let line = json!({"ok": true, "done": {"inspect": {"seen": 90, "more": false, "differ": many}}});
    assert!(matches!(read(&line.to_string()), Some(Ok(found)) if found.more && found.differing.len() == 60));
    let line = json!({"ok": false, "step": "inspect", "reason": "DatabaseUnreachable", "class": "Retryable", "message": "m"});
    assert!(matches!(read(&line.to_string()), Some(Err(failure)) if failure.reason == "DatabaseUnreachable"));
    for text in ["", "Killed", r#"{"ok":true,"done":{}}"#, r#"{"ok":true,"done":{"inspect":{"seen":-1}}}"#] {
        assert_eq!(read(text), None, "{text}");
    }
}

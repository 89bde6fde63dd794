//! When another pair of the API key is made, what is published meanwhile, and when the one before stops.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};
use tenant_operator::api::{Rotation, Suspend};
use tenant_operator::core::steps::{self, Step};
use tenant_operator::core::subject::Subject;
use tenant_operator::core::{pace, record, rotation};

use crate::manifests::{ID, noon, receipt, remember};
use crate::objects;

/// Proven at noon: the pair of this number, made for this token.
pub fn proven(serial: u32, token: Option<&str>) -> Subject {
    let mut who = objects::subject(ID, objects::bench(), noon());
    who.now = noon();
    let facts = json!({"serial": serial, "issuedAt": "2026-11-21T12:00:00Z", "token": token});
    let receipts = [(Step::Create, receipt("any", json!({}))), (Step::Proof, receipt("any", facts))];
    remember(&mut who, &receipts);
    turn(&mut who, |rotation| *rotation = Rotation { serial, token: token.map(str::to_owned), ..Default::default() });
    who
}

pub fn turn(who: &mut Subject, change: impl FnOnce(&mut Rotation)) {
    change(&mut who.record.as_mut().expect("a record").record.rotation);
}

fn asked(mut who: Subject, token: Option<&str>) -> Subject {
    who.want.as_mut().expect("wants").credentials.rotate_token = token.map(str::to_owned);
    who
}

fn every(mut who: Subject, every: &str) -> Subject {
    who.want.as_mut().expect("wants").credentials.rotate_every = Some(every.to_owned());
    who
}

fn later(mut who: Subject, seconds: i64) -> Subject {
    who.now = noon() + SignedDuration::from_secs(seconds);
    who
}

/// The second pair was published at noon, and the first one still works.
pub fn overlapping() -> Subject {
    let mut who = proven(1, Some("1"));
    turn(&mut who, |rotation| rotation.published_at = Some(Time(noon())));
    asked(who, Some("1"))
}

#[test]
fn the_token_that_a_tenant_begins_with_asks_for_nothing() {
    let who = asked(objects::subject(ID, objects::bench(), noon()), Some("first"));
    assert_eq!(record::first(&who).rotation.token.as_deref(), Some("first"));
    assert!(!rotation::is_due(&asked(proven(0, Some("first")), Some("first"))));
}

#[test]
fn another_token_asks_for_one_pair_and_taking_it_out_for_none() {
    let who = asked(proven(0, None), Some("a"));
    assert!(rotation::is_due(&who));
    let begun = rotation::begun(&who);
    assert_eq!(begun, Rotation { serial: 1, token: Some("a".to_owned()), published_at: None, retired: false });
    let mut who = who;
    turn(&mut who, |rotation| *rotation = begun);
    assert!(!rotation::is_due(&who), "it is on its way");
    let out = asked(proven(0, Some("a")), None);
    assert!(!rotation::is_due(&out));
    let aged = later(every(out, "1h"), 3600);
    assert_eq!(rotation::begun(&aged).token.as_deref(), Some("a"), "the same token later is no other one");
}

#[test]
fn a_pair_is_replaced_when_it_is_old_enough_and_not_before() {
    let who = every(proven(0, None), "1h");
    assert!(!rotation::is_due(&later(who.clone(), 3599)));
    assert!(rotation::is_due(&later(who, 3600)));
}

#[test]
fn a_pair_that_is_proven_again_is_as_old_as_it_was() {
    let who = later(proven(0, None), 900);
    assert_eq!(rotation::facts(&who)["issuedAt"], "2026-11-21T12:00:00Z");
    let mut who = who;
    turn(&mut who, |rotation| rotation.serial = 1);
    assert_eq!(rotation::facts(&who), json!({"serial": 1, "issuedAt": "2026-11-21T12:15:00Z", "token": null}));
}

#[test]
fn nothing_is_rotated_while_suspended_while_two_are_in_use_or_before_the_first_works() {
    let mut suspended = asked(proven(0, None), Some("a"));
    suspended.want.as_mut().expect("wants").suspend = Some(Suspend::default());
    assert!(rotation::is_wanted(&suspended) && !rotation::is_due(&suspended));
    let two = asked(overlapping(), Some("2"));
    assert!(rotation::is_wanted(&two) && !rotation::is_due(&two));
    let mut retired = two;
    turn(&mut retired, |rotation| rotation.retired = true);
    assert!(rotation::is_due(&retired));
    let mut unproven = asked(proven(0, None), Some("a"));
    unproven.record.as_mut().expect("a record").record.receipts.clear();
    assert!(!rotation::is_due(&unproven));
}

#[test]
fn the_pair_before_stops_after_the_overlap_and_never_before_the_next_one_is_published() {
    let who = overlapping();
    assert!(!rotation::is_stopping(&later(who.clone(), 599)));
    assert!(rotation::is_stopping(&later(who.clone(), 600)));
    let mut unpublished = later(who.clone(), 9000);
    turn(&mut unpublished, |rotation| rotation.published_at = None);
    assert!(!rotation::is_stopping(&unpublished));
    let published = rotation::published(&unpublished).expect("it is published now");
    assert_eq!(published.published_at, Some(Time(unpublished.now)));
    let mut unproven = later(who, 9000);
    turn(&mut unproven, |rotation| rotation.serial = 2);
    assert!(!rotation::is_stopping(&unproven));
    assert_eq!(rotation::published(&unproven), None);
}

#[test]
fn custody_holds_the_pairs_that_work_and_no_other() {
    let held = |who: &Subject| (0..5).filter(|serial| rotation::is_held(who, *serial)).collect::<Vec<_>>();
    assert_eq!(held(&proven(0, None)), [0]);
    let mut begun = proven(2, None);
    turn(&mut begun, |rotation| rotation.serial = 3);
    assert_eq!(held(&begun), [2, 3]);
    let mut retired = overlapping();
    assert_eq!(held(&retired), [0, 1]);
    turn(&mut retired, |rotation| rotation.retired = true);
    assert_eq!(held(&retired), [1]);
}

#[test]
fn a_tenant_is_looked_at_again_when_a_key_wants_something() {
    let day = Duration::from_secs(86_400);
    assert_eq!(pace::with_keys(day, &proven(0, None)), day);
    assert_eq!(pace::with_keys(day, &later(overlapping(), 100)), Duration::from_secs(500));
    assert_eq!(pace::with_keys(day, &later(overlapping(), 700)), Duration::from_secs(30), "its Job may have ended unheard");
    let aging = every(proven(0, None), "2h");
    assert_eq!(pace::with_keys(day, &later(aging.clone(), 60)), Duration::from_secs(7140));
    assert_eq!(pace::with_keys(Duration::from_secs(5), &aging), Duration::from_secs(5));
    let mut suspended = later(aging, 60);
    suspended.want.as_mut().expect("wants").suspend = Some(Suspend::default());
    assert_eq!(pace::with_keys(day, &suspended), day);
}

#[test]
fn each_pair_is_another_input_also_the_next_but_one_of_the_same_user() {
    let of = |serial| {
        let who = proven(serial, None);
        (steps::hash(Step::Keys, &who, &Default::default()), steps::input(&who)["keys"].clone())
    };
    let (first, second, third) = (of(0), of(1), of(2));
    assert_eq!(first.1["user"], "tenant-api-a@data.pelican.port.test");
    assert_eq!((&second.1["user"], &second.1["other"]), (&first.1["other"], &first.1["user"]));
    assert_eq!((&third.1["user"], &third.1["other"]), (&first.1["user"], &first.1["other"]));
    assert!(first.0 != second.0 && second.0 != third.0 && first.0 != third.0);
}

#[test]
fn a_receipt_that_cannot_be_read_is_that_of_the_first_pair() {
    for facts in [Value::Null, json!({}), json!({"serial": -1, "issuedAt": "soon"}), json!({"serial": 1_u64 << 40})] {
        let mut who = objects::subject(ID, objects::bench(), noon());
        remember(&mut who, &[(Step::Proof, receipt("any", facts))]);
        let proven = rotation::proven(&who).expect("proven");
        assert_eq!((proven.serial, proven.issued), (0, noon()));
    }
}

#[test]
fn the_user_that_was_stopped_is_named_to_the_step_and_the_inspection_and_makes_no_other_input() {
    let of = |who: &Subject| (steps::hash(Step::Keys, who, &Default::default()), steps::input(who)["keys"].clone());
    let mut who = proven(1, None);
    let before = of(&who);
    assert_eq!(before.1.get("retired"), None, "it works on for a while");
    turn(&mut who, |rotation| rotation.retired = true);
    let after = of(&who);
    assert_eq!(after.1["retired"], after.1["other"]);
    assert_eq!(before.0, after.0);
    let mut next = who.clone();
    turn(&mut next, |rotation| *rotation = rotation::begun(&who));
    assert_eq!(of(&next).1.get("retired"), None, "the next pair is its own");
    assert_eq!(of(&proven(0, None)).1.get("retired"), None, "of the first pair nobody was before");
}

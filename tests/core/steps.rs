//! When a step has to run again, and what is unset when it does.

use k8s_openapi::jiff;
use serde_json::{Value, json};
use tenant_operator::api::DeletionPolicy;
use tenant_operator::core::steps::{self, SecretVersions, Step};
use tenant_operator::core::subject::{Config, ConfigValue, Subject};

use crate::manifests::{ID, noon, receipt, remember};
use crate::objects;

fn versions() -> SecretVersions {
    [("mail/password".to_owned(), "41".to_owned())].into()
}

/// With a receipt of every step on the way up.
fn settled() -> Subject {
    let mut who = objects::subject(ID, objects::bench(), noon());
    let facts = |step| if step == Step::Settings { json!({"config": ["mail_password", "old_key"]}) } else { json!({}) };
    let done = Step::UP.map(|step| (step, receipt(&steps::hash(step, &who, &versions()), facts(step))));
    remember(&mut who, &done);
    who
}

fn edit(mut who: Subject, edit: impl FnOnce(&mut tenant_operator::core::subject::Want)) -> Subject {
    edit(who.want.as_mut().expect("a tenant on its way up"));
    who
}

#[test]
fn a_tenant_at_rest_has_nothing_left_to_do() {
    assert_eq!(steps::left(&settled(), &versions()), []);
}

#[test]
fn a_changed_config_key_or_secret_runs_the_settings_again_and_nothing_else() {
    let value = ConfigValue::Plain(json!(3));
    let who = edit(settled(), |want| want.config.push(Config { name: "berths".to_owned(), value }));
    assert_eq!(steps::left(&who, &versions()), [Step::Settings]);
    let rotated = [("mail/password".to_owned(), "42".to_owned())].into();
    assert_eq!(steps::left(&settled(), &rotated), [Step::Settings]);
}

#[test]
fn a_new_app_runs_apps_and_settings_again() {
    let who = edit(settled(), |want| want.apps.push("hrms".to_owned()));
    assert_eq!(steps::left(&who, &versions()), [Step::Apps, Step::Settings]);
}

#[test]
fn the_organization_is_applied_once_and_its_change_runs_nothing() {
    let who = edit(settled(), |want| {
        want.organization = Some(tenant_operator::api::Organization { name: Some("Another".to_owned()), ..Default::default() });
    });
    assert_eq!(steps::left(&who, &versions()), []);
    assert_eq!(steps::input(&who)["settings"]["organization"]["name"], "Another", "whoever runs for another reason is told");
}

#[test]
fn a_key_that_was_ours_and_is_no_longer_wanted_is_unset() {
    let who = settled();
    assert_eq!(steps::config_to_unset(&who), ["old_key"]);
    assert_eq!(steps::input(&who)["settings"]["unsetConfig"], json!(["old_key"]));
    let none = edit(settled(), |want| want.config.clear());
    assert_eq!(steps::config_to_unset(&none), ["mail_password", "old_key"]);
}

#[test]
fn after_the_encryption_key_was_put_back_the_api_key_is_set_and_proven_again() {
    let left_after = |repaired: Value, seconds: i64| {
        let mut who = settled();
        let mut created = receipt(&steps::hash(Step::Create, &who, &versions()), json!({"repaired": repaired}));
        created.at.0 += jiff::SignedDuration::from_secs(seconds);
        let held = who.record.as_mut().expect("a record");
        held.record.receipts.insert(Step::Create.as_str().to_owned(), created);
        steps::left(&who, &versions())
    };
    assert_eq!(left_after(json!(["encryption_key"]), 1), [Step::Keys]);
    assert_eq!(left_after(json!(["encryption_key"]), 0), [], "set in the same Job, after it");
    assert_eq!(left_after(json!(["encryption_key"]), -1), [], "set since");
    assert_eq!(left_after(json!(["marker"]), 1), []);
}

#[test]
fn an_empty_site_is_never_expected_before_one_was_made_and_always_after() {
    let fresh = objects::subject(ID, objects::bench(), noon());
    assert_eq!(steps::input(&fresh)["expectSite"], json!(false));
    assert_eq!(steps::input(&settled())["expectSite"], json!(true));
}

/// Given, policy, created, drop begun, archive named: what becomes of the site.
#[test]
fn what_becomes_of_a_site_follows_its_policy_as_far_as_it_still_can() {
    use DeletionPolicy::{Archive, Delete, Retain};
    for (policy, created, begun, archive, expected) in [
        (Delete, true, false, false, Delete),
        (Archive, true, false, false, Archive),
        (Retain, true, false, false, Retain),
        (Archive, false, false, false, Archive),
        (Retain, false, false, false, Archive),
        (Retain, true, true, false, Delete),
        (Archive, true, true, false, Delete),
        (Retain, true, true, true, Archive),
        (Archive, true, true, true, Archive),
        (Delete, true, true, true, Delete),
    ] {
        let mut who = objects::subject(ID, objects::bench(), noon());
        who.deletion = policy;
        let steps = [(Step::Create, created), (Step::Drop, begun)];
        let receipts: Vec<_> =
            steps.iter().filter(|(_, there)| *there).map(|(step, _)| (*step, receipt("any", Value::Null))).collect();
        remember(&mut who, &receipts);
        if let Some(remembered) = who.record.as_mut().filter(|_| archive) {
            remembered.record.archive = Some("archived_sites/a/b".to_owned());
        }
        assert_eq!(who.parting(), expected, "{policy:?}, created {created}, begun {begun}, archive {archive}");
        let manifest = &steps::input(&who)["drop"]["manifest"];
        assert_eq!(manifest.is_null(), who.parting() != Archive || !archive, "{policy:?}: {manifest}");
    }
}

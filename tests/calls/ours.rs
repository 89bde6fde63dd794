//! What does not carry the tenant's id is somebody's: it is neither written nor deleted, and the status says what to do.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tenant_operator::api::Receipt;
use tenant_operator::core::op::Op;
use tenant_operator::core::record;
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::Remembered;
use tenant_operator::world::{Error, World};

use crate::objects::{self, HOME, YARD};
use crate::rig::{Rig, holder, rig, secret};
use crate::server::Call;

fn touches(calls: &[Call], plural: &str, name: &str) -> bool {
    calls.iter().any(|call| call.writes() && call.key.plural == plural && call.key.name == name)
}

/// A tenant for which, as soon as its id is known, somebody else has put something under a name that it needs.
async fn meets(plural: &'static str, suffix: &'static str, mut object: Value) -> (Rig, String, Value) {
    let rig = rig();
    rig.server.before("create tenantclaims site.", move |store| {
        let id = holder(store).expect("the hosts are claimed first");
        object["metadata"] = json!({"name": format!("{id}{suffix}"), "namespace": YARD, "uid": "foreign-uid"});
        store.put(plural, object);
    });
    rig.pass().await.result.expect("a pass");
    let name = format!("{}{suffix}", rig.id());
    let found = rig.server.with(|store| store.get(plural, YARD, &name).cloned()).expect("the foreign object");
    (rig, name, found)
}

fn foreign(api_version: &str, kind: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "spec": {}})
}

#[tokio::test]
async fn a_child_of_somebody_else_stops_its_stage_and_stays_as_it_is() {
    let cases = [
        ("ingresses", "", foreign("networking.k8s.io/v1", "Ingress"), "RoutesReady", "NotOurs"),
        ("certificates", "-tls", foreign("cert-manager.io/v1", "Certificate"), "CertificateReady", "NotOurs"),
        ("secrets", "-custody", secret(YARD, "", &[("db-password", "theirs")]), "SiteReady", "SecretNotOurs"),
        ("secrets", "-inputs", secret(YARD, "", &[("mail", "theirs")]), "SiteReady", "SecretNotOurs"),
    ];
    for (plural, suffix, object, condition, reason) in cases {
        let (rig, name, before) = meets(plural, suffix, object).await;
        assert_eq!(rig.condition(condition), ("False".to_owned(), reason.to_owned()), "{plural} {suffix}");
        assert_eq!(rig.condition("Stalled").0, "True");
        let calls = rig.teardown().await;
        assert!(!touches(&calls, plural, &name), "{plural} {name}");
        assert_eq!(rig.server.with(|store| store.get(plural, YARD, &name).cloned()), Some(before));
    }
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_not_overwritten_with_the_key() {
    let rig = rig();
    rig.server.with(|store| store.put("secrets", secret(HOME, "passport", &[("api-key", "theirs")])));
    let before = rig.server.with(|store| store.get("secrets", HOME, "passport").cloned());
    for _ in 0..4 {
        rig.pass().await.result.expect("a pass");
        rig.finish_jobs();
        rig.issue_certificates();
    }
    assert_eq!(rig.condition("KeysReady"), ("False".to_owned(), "SecretNotOurs".to_owned()));
    rig.teardown().await;
    assert_eq!(rig.server.with(|store| store.get("secrets", HOME, "passport").cloned()), before);
}

#[tokio::test]
async fn a_secret_that_somebody_makes_in_the_last_moment_is_not_overwritten() {
    let rig = rig();
    rig.server.before("create secrets harbour/passport", |store| {
        store.put("secrets", secret(HOME, "passport", &[("api-key", "theirs")]));
    });
    for _ in 0..3 {
        rig.pass().await.result.expect("a pass");
        rig.finish_jobs();
        rig.issue_certificates();
    }
    assert_eq!(rig.condition("KeysReady"), ("False".to_owned(), "SecretNotOurs".to_owned()));
}

/// The stages look first; but what they saw may be another's by the time that it is written.
#[tokio::test]
async fn whoever_writes_a_secret_looks_at_its_label_itself() {
    let rig = rig();
    let mut who = objects::subject("0123456789abcdef", objects::bench(), Timestamp::now());
    let mut record = record::first(&who);
    // Only a key that was proven is ever published.
    let proof = Receipt { hash: "any".to_owned(), version: "1".to_owned(), at: Time(who.now), facts: None };
    record.receipts.insert(Step::Proof.as_str().to_owned(), proof);
    who.record = Some(Remembered { record, version: "1".to_owned() });
    let live = rig.world();
    live.execute(&Op::EnsureCustody, &who).await.expect("custody is made");
    let passport = who.credentials_secret.clone();
    let inputs = format!("{}-inputs", who.id);
    for (op, namespace, name) in [(Op::PublishKeys, HOME, passport), (Op::CopyInputs, YARD, inputs)] {
        rig.server.with(|store| store.put("secrets", secret(namespace, &name, &[("api-key", "theirs")])));
        rig.server.take_calls();
        let error = live.execute(&op, &who).await.expect_err("it is somebody else's");
        assert!(matches!(error, Error::SecretNotOurs { .. }), "{error}");
        assert!(!rig.server.take_calls().iter().any(Call::writes), "{}", op.kind());
    }
}

#[tokio::test]
async fn a_certificates_secret_that_was_made_anew_by_somebody_else_stays() {
    let rig = rig();
    rig.settle().await;
    let name = format!("{}-tls", rig.id());
    rig.server.with(|store| store.put("secrets", secret(YARD, &name, &[("tls.key", "theirs")])));
    let calls = rig.teardown().await;
    assert!(!touches(&calls, "secrets", &name));
}

#[tokio::test]
async fn a_child_that_changes_hands_in_the_last_moment_is_not_deleted() {
    let rig = rig();
    rig.settle().await;
    let id = rig.id();
    let foreign = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": id, "namespace": YARD, "uid": "foreign-uid"}, "spec": {},
    });
    rig.server.before("delete ingresses", move |store| store.put("ingresses", foreign));
    rig.teardown().await;
    let left = rig.server.with(|store| store.get("ingresses", YARD, &id).cloned()).expect("the foreign Ingress");
    assert_eq!(left["metadata"]["uid"], "foreign-uid");
}

//! Another key: every change in its order, the pair before stopped by a Job of its own, and one pair for each time that one is asked for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::objects::{HOME, YARD};
use crate::rig::{Rig, rig};
use crate::server::Call;
use crate::{changes, lines, listed, writes};

const ROTATED: &str = "
    patch tenantclaims site.*
    patch secrets yard/ID-custody
    patch tenantclaims site.*
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-provision-*-1
    apply tenants/status harbour/wharf
    patch tenantclaims site.*
    patch tenantclaims site.*
    patch secrets harbour/passport
    patch tenantclaims site.*
    apply tenants/status harbour/wharf";

const STOPPED: &str = "
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-provision-*-2
    apply tenants/status harbour/wharf
    patch tenantclaims site.*
    patch tenantclaims site.*
    patch secrets yard/ID-custody
    apply tenants/status harbour/wharf";

fn credentials(rig: &Rig, changed: Value) {
    rig.server.with(|store| {
        store.edit("tenants", HOME, "wharf", |tenant| {
            let credentials = tenant["spec"]["credentials"].as_object_mut().expect("credentials");
            credentials.extend(changed.as_object().expect("an object").clone());
        });
    });
}

async fn asked() -> Rig {
    let rig = rig();
    rig.settle().await;
    credentials(&rig, json!({"rotateToken": "a"}));
    rig
}

/// As if the pair in use had been published an hour ago.
fn let_the_overlap_pass(rig: &Rig) {
    let name = record(rig).0;
    rig.server.with(|store| {
        store.edit("tenantclaims", "", &name, |claim| {
            claim["spec"]["record"]["rotation"]["publishedAt"] = json!("2026-11-21T07:00:00Z");
        });
    });
}

fn record(rig: &Rig) -> (String, Value) {
    let claim = rig.server.with(|store| store.of("tenantclaims").find(|claim| claim["spec"].get("record").is_some()).cloned());
    let claim = claim.expect("a record");
    (claim["metadata"]["name"].as_str().expect("a name").to_owned(), claim["spec"]["record"].clone())
}

fn secret(rig: &Rig, namespace: &str, name: &str) -> Value {
    rig.server.with(|store| store.get("secrets", namespace, name).cloned()).expect("the Secret")["data"].clone()
}

fn custody(rig: &Rig) -> Value {
    secret(rig, YARD, &format!("{}-custody", rig.id()))
}

fn names(data: &Value) -> BTreeSet<&str> {
    data.as_object().expect("data").keys().map(String::as_str).collect()
}

fn user(data: &Value) -> String {
    use base64::Engine;
    let text = data["user"].as_str().expect("a user");
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).expect("base64")).expect("text")
}

/// Passes until nothing is written any more.
async fn rest(rig: &Rig) -> Vec<Call> {
    let mut calls = vec![];
    for _ in 0..12 {
        let pass = rig.pass().await;
        let done = pass.result.is_ok() && !pass.calls.iter().any(Call::writes);
        calls.extend(pass.calls);
        if done {
            return calls;
        }
        rig.finish_jobs();
    }
    panic!("never at rest: {:#?}", lines(&calls));
}

#[tokio::test]
async fn another_key_is_remembered_made_set_proven_and_published_in_this_order() {
    let rig = asked().await;
    let (custody_before, published_before) = (custody(&rig), secret(&rig, HOME, "passport"));
    assert_eq!(changes(&rest(&rig).await), listed(ROTATED));
    let (custody, published) = (custody(&rig), secret(&rig, HOME, "passport"));
    assert_eq!(names(&custody).difference(&names(&custody_before)).copied().collect::<Vec<_>>(), ["api-key-1", "api-secret-1"]);
    assert!(custody_before.as_object().expect("data").iter().all(|(key, value)| custody[key] == *value));
    assert_eq!((user(&published_before), user(&published)), (service_user("a"), service_user("b")));
    assert_eq!((&published["api-key"], &published["api-secret"]), (&custody["api-key-1"], &custody["api-secret-1"]));
    let status = rig.tenant("wharf").and_then(|tenant| tenant.status).and_then(|status| status.credentials).expect("credentials");
    assert_eq!((status.slot.as_str(), status.rotate_token.as_deref()), ("B", Some("a")));
    assert_eq!(rig.condition("Ready").0, "True");
}

fn service_user(slot: &str) -> String {
    format!("tenant-api-{slot}@data.pelican.port.test")
}

#[tokio::test]
async fn the_published_secret_keeps_the_pair_before_until_the_job_has_ended() {
    let rig = asked().await;
    let before = secret(&rig, HOME, "passport");
    for _ in 0..3 {
        rig.pass().await.result.expect("a pass");
        assert_eq!(secret(&rig, HOME, "passport"), before);
    }
    rig.server.with(|store| store.remove("secrets", HOME, "passport"));
    rig.pass().await.result.expect("a pass");
    assert_eq!(secret(&rig, HOME, "passport"), before, "it comes back with the pair that works");
    let job = rig.server.with(|store| store.of("jobs").find(|job| job["status"].is_null()).cloned()).expect("a Job");
    let env = &job["spec"]["template"]["spec"]["containers"][0]["env"];
    let from: Vec<&Value> = env.as_array().expect("env").iter().map(|one| &one["valueFrom"]["secretKeyRef"]["key"]).collect();
    assert!(from.contains(&&json!("api-key-1")) && from.contains(&&json!("api-secret-1")), "{from:?}");
}

#[tokio::test]
async fn while_both_work_nothing_is_written_and_the_next_look_is_when_the_first_one_ends() {
    let rig = asked().await;
    rest(&rig).await;
    let pass = rig.pass().await;
    assert!(writes(&pass.calls).is_empty());
    let again = format!("{:?}", pass.result.expect("a pass"));
    let seconds: f64 = again.split("Some(").nth(1).and_then(|text| text.split("s)").next()).expect(&again).parse().expect(&again);
    assert!((590.0..=661.0).contains(&seconds), "{again}");
}

#[tokio::test]
async fn when_the_overlap_is_over_the_pair_before_is_stopped_and_leaves_custody() {
    let rig = asked().await;
    rest(&rig).await;
    let published = secret(&rig, HOME, "passport");
    let_the_overlap_pass(&rig);
    let calls = rest(&rig).await;
    assert_eq!(changes(&calls), listed(STOPPED));
    let job = calls.iter().find(|call| call.is("create jobs")).expect("a Job");
    let container = &job.body["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["args"], json!(["retire"]));
    assert_eq!(names(&custody(&rig)), BTreeSet::from(["api-key-1", "api-secret-1", "db-password", "encryption-key"]));
    assert_eq!(secret(&rig, HOME, "passport"), published);
    let rig = Rig::started_on(&rig.server);
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn whichever_reply_is_lost_there_is_one_new_pair() {
    let rig = asked().await;
    let count = rest(&rig).await.iter().filter(|call| call.writes()).count();
    for lost in 0..count {
        let rig = asked().await;
        rig.server.lose_reply_after(lost);
        rest(&rig).await;
        let_the_overlap_pass(&rig);
        // Not the end, where the reply to an event is lost: one more that is.
        rest(&rig).await;
        assert_eq!(record(&rig).1["rotation"]["serial"], 1, "the reply to write {lost} was lost");
        assert_eq!(names(&custody(&rig)), BTreeSet::from(["api-key-1", "api-secret-1", "db-password", "encryption-key"]));
        assert_eq!(user(&secret(&rig, HOME, "passport")), service_user("b"));
    }
}

#[tokio::test]
async fn a_process_that_begins_at_any_moment_goes_on_with_the_same_pair() {
    let rig = asked().await;
    let mut pairs = BTreeSet::new();
    for _ in 0..6 {
        let fresh = Rig::resumed_on(&rig.server).await;
        fresh.pass().await.result.expect("a pass");
        fresh.finish_jobs();
        pairs.extend(custody(&rig).get("api-key-1").cloned().map(|key| key.to_string()));
    }
    assert_eq!((pairs.len(), &record(&rig).1["rotation"]["serial"]), (1, &json!(1)));
    assert!(writes(&Rig::resumed_on(&rig.server).await.pass().await.calls).is_empty());
}

#[tokio::test]
async fn two_processes_that_both_begin_a_rotation_make_one() {
    let rig = asked().await;
    let name = record(&rig).0;
    rig.server.before(&format!("patch tenantclaims {name}"), move |store| {
        store.edit("tenantclaims", "", &name, |claim| claim["spec"]["record"]["rotation"] = json!({"serial": 1, "token": "a"}));
    });
    rest(&rig).await;
    assert_eq!(record(&rig).1["rotation"]["serial"], 1);
}

#[tokio::test]
async fn a_suspended_tenant_keeps_its_key() {
    let rig = asked().await;
    let suspend = json!({"mode": "ReadOnly"});
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["spec"]["suspend"] = suspend));
    rest(&rig).await;
    assert_eq!(record(&rig).1["rotation"].get("serial"), None);
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["spec"]["suspend"] = Value::Null));
    rest(&rig).await;
    assert_eq!(record(&rig).1["rotation"]["serial"], 1);
}

#[tokio::test]
async fn a_proven_pair_that_is_gone_from_custody_is_never_replaced_by_another_of_its_number() {
    let rig = rig();
    rig.settle().await;
    let name = format!("{}-custody", rig.id());
    rig.server.with(|store| {
        store.edit("secrets", YARD, &name, |secret| drop(secret["data"].as_object_mut().map(|data| data.remove("api-secret-0"))));
    });
    let calls = rest(&rig).await;
    assert_eq!(rig.condition("SiteReady").1, "CustodyLost");
    assert!(!changes(&calls).iter().any(|line| line.contains("secrets")), "{:?}", changes(&calls));
}

#[tokio::test]
async fn a_site_that_is_kept_between_two_pairs_has_both_revoked() {
    let rig = asked().await;
    rest(&rig).await;
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["spec"]["deletionPolicy"] = json!("Retain")));
    let calls = rig.teardown().await;
    let job = calls.iter().find(|call| call.is("create jobs")).expect("a Job");
    let env = job.body["spec"]["template"]["spec"]["containers"][0]["env"].as_array().expect("env").clone();
    let input =
        env.iter().find(|one| one["name"] == "TENANT_STEP_INPUT").and_then(|one| one["value"].as_str()).expect("the input");
    assert!(["a", "b"].iter().all(|slot| input.contains(&service_user(slot))), "{input}");
}

//! Finding a site again, taking one over, and giving one up: which objects are read, which are written, and what stays as it was.

use serde_json::{Value, json};

use crate::objects::{self, API, HOME, YARD};
use crate::rig::{Rig, claim, rig, secret};
use crate::{changes, lines, writes};

const LATER: &str = "galleon";

pub fn edit(rig: &Rig, name: &str, change: impl FnOnce(&mut Value)) {
    rig.server.with(|store| store.edit("tenants", HOME, name, change));
}

pub fn bench(rig: &Rig, change: impl FnOnce(&mut Value)) {
    rig.server.with(|store| store.edit("benches", YARD, "dock", change));
}

fn list_site(rig: &Rig) {
    bench(rig, |bench| bench["spec"]["adoption"]["siteNames"] = json!([API]));
}

fn get(rig: &Rig, plural: &str, namespace: &str, name: &str) -> Option<Value> {
    rig.server.with(|store| store.get(plural, namespace, name).cloned())
}

fn custody(rig: &Rig, id: &str) -> Value {
    get(rig, "secrets", YARD, &format!("{id}-custody")).expect("custody")
}

/// The claim that holds the record.
fn record(rig: &Rig) -> Value {
    rig.server
        .with(|store| store.of("tenantclaims").find(|claim| claim["spec"].get("record").is_some()).cloned())
        .expect("a record")
}

pub fn lose(rig: &Rig, plural: &str, lost: impl Fn(&Value) -> bool) {
    let names: Vec<Value> = rig.server.with(|store| store.of(plural).filter(|object| lost(object)).cloned().collect());
    for object in names {
        let text = |part: &str| object["metadata"][part].as_str().unwrap_or_default().to_owned();
        rig.server.with(|store| store.remove(plural, &text("namespace"), &text("name")));
    }
}

/// A tenant that was deleted, and its site kept.
async fn kept() -> (Rig, String) {
    let rig = rig();
    edit(&rig, "wharf", |tenant| tenant["spec"]["deletionPolicy"] = json!("Retain"));
    rig.settle().await;
    let id = rig.id();
    rig.teardown().await;
    (rig, id)
}

async fn settle(rig: &Rig, name: &str) {
    for _ in 0..10 {
        let calls = rig.pass_over(name).await.calls;
        if changes(&calls).is_empty() {
            return;
        }
        rig.finish_jobs();
        rig.issue_certificates();
    }
    panic!("{name} does not settle: {:#?}", rig.tenant(name).and_then(|tenant| tenant.status));
}

fn reason(rig: &Rig, name: &str) -> String {
    let status = rig.tenant(name).and_then(|tenant| tenant.status).expect("a status");
    status.conditions[0].reason.clone()
}

#[tokio::test]
async fn a_cluster_restored_without_the_claims_of_hosts_takes_them_again() {
    let rig = rig();
    rig.settle().await;
    let id = rig.id();
    lose(&rig, "tenantclaims", |claim| claim["spec"].get("host").is_some());
    edit(&rig, "wharf", |tenant| tenant["metadata"]["uid"] = json!("restored"));
    let rig = Rig::started_on(&rig.server);
    let done = changes(&rig.settle().await);
    assert_eq!(done[..2], [format!("create tenantclaims host.{API}"), "create tenantclaims host.pelican.port.test".to_owned()]);
    assert_eq!((rig.id(), done.iter().any(|line| line.contains("jobs"))), (id, false), "{done:?}");
}

#[tokio::test]
async fn a_lost_record_touches_nothing_until_the_bench_lets_it_be_recovered() {
    let rig = rig();
    rig.settle().await;
    let id = rig.id();
    let before = custody(&rig, &id);
    lose(&rig, "tenantclaims", |_| true);
    let rig = Rig::started_on(&rig.server);
    assert_eq!(changes(&rig.pass().await.calls), ["apply tenants/status harbour/wharf"]);
    assert_eq!(rig.condition("Stalled"), ("True".to_owned(), "AdoptionNeeded".to_owned()));
    assert!(rig.message("Ready").contains("adoption.recover"), "{}", rig.message("Ready"));
    bench(&rig, |bench| bench["spec"]["adoption"] = json!({"recover": true}));
    rig.settle().await;
    let found = record(&rig);
    assert_eq!((rig.id(), &found["spec"]["record"]["origin"]), (id.clone(), &json!("Recovered")));
    assert_eq!(custody(&rig, &id)["data"], before["data"]);
    let input = rig.server.with(|store| store.of("jobs").map(Value::to_string).collect::<Vec<_>>()).join("\n");
    assert!(input.contains(r#"\"expectSite\":true"#), "a site that is gone is never made anew");
}

#[tokio::test]
async fn a_kept_site_goes_over_to_a_tenant_of_another_name() {
    let (rig, id) = kept().await;
    let before = custody(&rig, &id);
    rig.server.with(|store| store.put("tenants", objects::tenant(LATER, "pelican")));
    rig.pass_over(LATER).await.result.expect("a pass");
    assert_eq!(reason(&rig, LATER), "AdoptionNeeded");
    assert_eq!(record(&rig)["spec"]["holder"]["name"], "wharf");
    list_site(&rig);
    edit(&rig, LATER, |tenant| tenant["spec"]["adoption"] = json!("TakeOver"));
    settle(&rig, LATER).await;
    let claim = record(&rig);
    assert_eq!(claim["spec"]["holder"], json!({"id": id, "namespace": HOME, "name": LATER}));
    assert_eq!(claim["metadata"]["labels"]["tenancy.nexuserp.io/tenant"], LATER);
    assert_eq!(claim["spec"]["record"]["phase"], "Active");
    assert!(claim["spec"]["record"]["receipts"].get("revoke").is_none());
    let after = custody(&rig, &id);
    assert_eq!((&after["data"], &after["metadata"]["labels"]["tenancy.nexuserp.io/tenant"]), (&before["data"], &json!(LATER)));
    assert_eq!(reason(&rig, LATER), "Ready");
}

#[tokio::test]
async fn a_site_does_not_go_over_while_its_tenant_is_there() {
    let rig = rig();
    list_site(&rig);
    rig.settle().await;
    let before = record(&rig);
    rig.server.with(|store| store.put("tenants", objects::tenant(LATER, "pelican")));
    edit(&rig, LATER, |tenant| tenant["spec"]["adoption"] = json!("TakeOver"));
    rig.pass_over(LATER).await.result.expect("a pass");
    assert_eq!((reason(&rig, LATER), record(&rig)), ("Conflict".to_owned(), before));
}

#[tokio::test]
async fn a_report_makes_one_job_and_takes_nothing() {
    let rig = rig();
    list_site(&rig);
    edit(&rig, "wharf", |tenant| tenant["spec"]["adoption"] = json!("Report"));
    let first = changes(&rig.pass().await.calls);
    assert_eq!(first[1..3], ["create configmaps yard/tenant-operator-steps-*", "create jobs yard/ID-report-*-0"], "{first:?}");
    rig.finish_jobs();
    rig.pass().await.result.expect("a pass");
    assert_eq!(rig.condition("Stalled"), ("True".to_owned(), "AdoptionReport".to_owned()));
    let status = rig.tenant("wharf").and_then(|tenant| tenant.status).expect("a status");
    assert_eq!(status.adoption.expect("a report").changes, ["marker: it becomes ours"]);
    lose(&rig, "jobs", |_| true);
    let rig = Rig::started_on(&rig.server);
    assert!(writes(&rig.pass().await.calls).is_empty(), "what was reported is not asked for again");
    assert_eq!(rig.server.with(|store| store.of("tenantclaims").count()), 0);
    assert_eq!(changes(&rig.teardown().await), ["patch tenants harbour/wharf"]);
}

#[tokio::test]
async fn a_site_of_somebody_else_keeps_its_key_and_its_database() {
    let rig = rig();
    list_site(&rig);
    edit(&rig, "wharf", |tenant| tenant["spec"]["adoption"] = json!("TakeOver"));
    rig.settle().await;
    let claim = record(&rig);
    let found = &claim["spec"]["record"];
    assert_eq!((&found["origin"], &found["database"]), (&json!("Adopted"), &json!("_of_old")));
    let held = custody(&rig, &rig.id());
    let keys: Vec<&String> = held["data"].as_object().expect("data").keys().collect();
    assert!(keys.iter().all(|key| key.starts_with("api-")), "{keys:?}");
    let jobs = rig.server.with(|store| store.of("jobs").map(Value::to_string).collect::<Vec<_>>());
    assert_eq!(jobs.len(), 2, "the database is known before anything else is done");
    assert!(jobs.iter().all(|job| !job.contains("TENANT_ENCRYPTION_KEY") && !job.contains("TENANT_DB_PASSWORD")));
    assert_eq!(rig.condition("SiteReady"), ("True".to_owned(), "Adopted".to_owned()));
    edit(&rig, "wharf", |tenant| drop(tenant["spec"].as_object_mut().expect("a spec").remove("adoption")));
    rig.teardown().await;
    assert_eq!(record(&rig)["spec"]["record"]["phase"], "Retained", "unless its spec says otherwise");
}

#[tokio::test]
async fn custody_that_is_deleted_before_anything_is_known_keeps_nothing_from_being_dropped() {
    let rig = rig();
    rig.pass().await.result.expect("a pass");
    let id = rig.id();
    lose(&rig, "secrets", |secret| secret["metadata"]["name"] == format!("{id}-custody"));
    let done = changes(&rig.teardown().await);
    assert!(done.iter().any(|line| line.starts_with("create jobs yard/ID-remove")), "{done:?}");
}

#[tokio::test]
async fn a_secret_of_somebody_else_in_the_place_of_custody_is_left_and_does_not_hold_the_tenant() {
    let rig = rig();
    rig.settle().await;
    let name = format!("{}-custody", rig.id());
    let theirs = secret(YARD, &name, &[("theirs", "a-value")]);
    rig.server.with(|store| store.put("secrets", theirs));
    let before = get(&rig, "secrets", YARD, &name);
    rig.teardown().await;
    assert_eq!(get(&rig, "secrets", YARD, &name), before);
}

pub fn abandon(rig: &Rig, after: &str) {
    edit(rig, "wharf", |tenant| tenant["metadata"]["annotations"]["tenancy.nexuserp.io/abandon-after"] = json!(after));
}

fn events(rig: &Rig, reason: &str) -> Vec<String> {
    rig.server.with(|store| {
        let told = store.of("events").filter(|event| event["reason"] == reason && event["type"] == "Warning");
        told.map(|event| event["note"].as_str().unwrap_or_default().to_owned()).collect()
    })
}

#[tokio::test]
async fn without_its_bench_a_tenant_goes_after_its_time_and_leaves_word() {
    let rig = rig();
    rig.settle().await;
    let id = rig.id();
    rig.server.with(|store| store.remove("benches", YARD, "dock"));
    rig.delete("wharf");
    abandon(&rig, "tomorrow");
    rig.pass().await.result.expect("a pass");
    assert!(rig.message("Ready").contains("\"tomorrow\""), "{}", rig.message("Ready"));
    abandon(&rig, "999999h");
    rig.pass().await.result.expect("a pass");
    assert!(rig.message("Ready").contains("given up at 2"), "{}", rig.message("Ready"));
    abandon(&rig, "0s");
    rig.pass().await.result.expect("a pass");
    assert!(rig.tenant("wharf").is_none());
    let claims = rig.server.with(|store| store.of("tenantclaims").cloned().collect::<Vec<_>>());
    assert_eq!((claims.len(), &claims[0]["spec"]["record"]["phase"]), (1, &json!("Abandoned")));
    let left = claims[0]["spec"]["record"]["left"].to_string();
    for word in [API, &format!("t_{id}"), &format!("{id}-custody"), "drop-site", "yard/hold"] {
        assert!(left.contains(word), "{word}: {left}");
    }
    assert_eq!(events(&rig, "Abandoned").len(), 2);
    assert!(get(&rig, "secrets", HOME, "passport").is_none() && get(&rig, "secrets", YARD, &format!("{id}-custody")).is_some());
    later_meets_it(&rig).await;
}

/// One of the same name, once the Bench is back.
async fn later_meets_it(rig: &Rig) {
    rig.server.with(|store| {
        store.put("benches", objects::bench());
        store.put("tenants", objects::tenant("wharf", "pelican"));
    });
    assert_eq!(changes(&rig.pass().await.calls), ["apply tenants/status harbour/wharf"]);
    assert_eq!(rig.condition("Stalled"), ("True".to_owned(), "AdoptionNeeded".to_owned()));
    assert!(rig.message("Ready").contains("delete that claim"), "{}", rig.message("Ready"));
    lose(rig, "tenantclaims", |_| true);
    lose(rig, "secrets", |secret| secret["metadata"]["name"].as_str().is_some_and(|name| name.ends_with("-custody")));
    rig.settle().await;
}

#[tokio::test]
async fn a_bench_whose_namespace_is_going_holds_its_tenant_only_for_the_time_that_was_set() {
    let rig = rig();
    rig.settle().await;
    rig.mark_deleted("namespaces", "", YARD);
    rig.delete("wharf");
    rig.pass().await.result.expect("a pass");
    assert_eq!(rig.condition("SiteReady"), ("False".to_owned(), "ClusterDenied".to_owned()));
    abandon(&rig, "0s");
    rig.teardown().await;
    assert_eq!(record(&rig)["spec"]["record"]["phase"], "Abandoned");
}

#[tokio::test]
async fn what_can_be_reached_is_not_given_up() {
    let rig = rig();
    rig.settle().await;
    abandon(&rig, "0s");
    rig.teardown().await;
    assert_eq!(rig.server.with(|store| store.of("tenantclaims").count()), 0);
    assert!(events(&rig, "Abandoned").is_empty());
}

#[tokio::test]
async fn a_site_that_was_given_up_frees_its_hosts_for_others() {
    let rig = rig();
    rig.server.with(|store| store.put("tenantclaims", claim("host.elsewhere.port.test", HOME, LATER)));
    rig.settle().await;
    rig.server.with(|store| store.remove("benches", YARD, "dock"));
    rig.delete("wharf");
    abandon(&rig, "0s");
    rig.pass().await.result.expect("a pass");
    let mut left: Vec<String> =
        rig.server.with(|store| store.of("tenantclaims").map(|claim| claim["metadata"]["name"].to_string()).collect());
    left.sort();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].contains("host.elsewhere") && left[1].contains("site."), "{left:?}");
}

#[tokio::test]
async fn a_bench_is_read_once_and_again_when_it_looks_full_and_a_full_one_takes_nobody() {
    let rig = rig();
    bench(&rig, |bench| {
        bench["spec"]["capacity"] = json!({"tenants": 2});
    });
    rig.server.with(|store| {
        store.put("tenants", objects::tenant(LATER, "heron"));
        store.put("tenants", objects::tenant("tug", "egret"));
    });
    let asked = |calls: &[_]| lines(calls).iter().filter(|line| line.contains("bench-namespace")).count();
    let first = rig.pass().await.calls;
    assert_eq!(asked(&first), 1);
    assert!(first.iter().any(|call| call.uri.contains("limit=500")));
    assert_eq!(asked(&rig.pass_over(LATER).await.calls), 0);
    for rig in [&rig, &Rig::started_on(&rig.server)] {
        assert_eq!(asked(&rig.pass_over("tug").await.calls), 1);
        assert_eq!(reason(rig, "tug"), "NoBench");
    }
    rig.settle().await;
    rig.teardown().await;
    rig.pass_over("tug").await.result.expect("a pass");
    assert_ne!(reason(&rig, "tug"), "NoBench", "the place of one that is gone is free");
}

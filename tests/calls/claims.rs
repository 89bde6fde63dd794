//! Claims: taken in order or not at all, given back to nobody but the API server, and a record that is never written over.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;
use tenant_operator::api::{Receipt, TenantClaim};
use tenant_operator::core::op::{Change, Op};
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::Remembered;
use tenant_operator::world::live::Live;
use tenant_operator::world::{Error, World};

use crate::objects::{self, API, FRONTEND, HOME};
use crate::rig::{Rig, claim, rig};
use crate::{changes, writes};

fn host(name: &str) -> String {
    format!("host.{name}")
}

#[tokio::test]
async fn a_holder_of_the_same_namespace_is_named() {
    let rig = rig();
    rig.server.with(|store| store.put("tenantclaims", claim(&host(FRONTEND), HOME, "galleon")));
    rig.pass().await.result.expect("a pass");
    assert_eq!(rig.condition("Claimed"), ("False".to_owned(), "Conflict".to_owned()));
    assert!(rig.message("Claimed").contains("Tenant galleon"), "{}", rig.message("Claimed"));
}

#[tokio::test]
async fn a_holder_of_another_namespace_is_not() {
    let rig = rig();
    rig.server.with(|store| store.put("tenantclaims", claim(&host(FRONTEND), "secret-cove", "galleon")));
    let pass = rig.pass().await;
    let told = format!("{:?}", pass.calls.iter().filter(|call| call.writes()).collect::<Vec<_>>());
    assert!(told.contains("another namespace") && !told.contains("galleon") && !told.contains("secret-cove"), "{told}");
}

#[tokio::test]
async fn a_conflict_takes_nothing_and_is_told_once() {
    let rig = rig();
    rig.server.with(|store| store.put("tenantclaims", claim(&host(FRONTEND), HOME, "galleon")));
    assert_eq!(changes(&rig.pass().await.calls), ["patch tenants harbour/wharf", "apply tenants/status harbour/wharf"]);
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn whoever_loses_a_race_gives_back_what_it_took() {
    let rig = rig();
    rig.server.before(&format!("create tenantclaims {}", host(FRONTEND)), |store| {
        store.put("tenantclaims", claim(&host(FRONTEND), HOME, "galleon"));
    });
    let done = changes(&rig.pass().await.calls);
    let [api, frontend] = [API, FRONTEND].map(host);
    let expected =
        [format!("create tenantclaims {api}"), format!("create tenantclaims {frontend}"), format!("delete tenantclaims {api}")];
    assert_eq!(done[1..4], expected);
    let left: Vec<String> =
        rig.server.with(|store| store.of("tenantclaims").map(|claim| claim["metadata"]["name"].to_string()).collect());
    assert_eq!(left, [format!("{frontend:?}")]);
    assert_eq!(rig.condition("Claimed").1, "Conflict");
}

#[tokio::test]
async fn a_claim_that_exists_already_because_the_answer_was_lost_is_ours() {
    let rig = rig();
    // The finalizer is the first write, the claims of the hosts are the next.
    rig.server.lose_reply_after(2);
    rig.pass().await.result.expect("a pass");
    let id = rig.id();
    rig.settle().await;
    assert_eq!(rig.id(), id);
    let holders: Vec<String> =
        rig.server.with(|store| store.of("tenantclaims").map(|claim| claim["spec"]["holder"]["id"].to_string()).collect());
    assert_eq!(holders, vec![format!("{id:?}"); 3]);
}

#[tokio::test]
async fn a_claim_is_only_deleted_in_the_version_that_was_seen_to_be_ours() {
    let rig = rig();
    rig.settle().await;
    let calls = rig.teardown().await;
    let released: Vec<_> = calls.iter().filter(|call| call.is("delete tenantclaims")).collect();
    assert_eq!(released.len(), 3);
    for call in released {
        let preconditions = &call.body["preconditions"];
        assert!(preconditions["uid"].is_string() && preconditions["resourceVersion"].is_string(), "{call}: {}", call.body);
    }
}

#[tokio::test]
async fn a_claim_that_changes_hands_in_the_last_moment_is_not_deleted() {
    let rig = rig();
    rig.settle().await;
    rig.server.before(&format!("delete tenantclaims {}", host(API)), |store| {
        store.put("tenantclaims", claim(&host(API), HOME, "galleon"));
    });
    rig.teardown().await;
    let left: Vec<String> =
        rig.server.with(|store| store.of("tenantclaims").map(|claim| claim["spec"]["holder"]["name"].to_string()).collect());
    assert_eq!(left, ["\"galleon\""]);
}

#[tokio::test]
async fn hosts_that_were_taken_before_a_crash_are_free_again_when_the_tenant_is_deleted() {
    let rig = rig();
    rig.server.refuse("create tenantclaims site.", 500, "InternalError");
    rig.pass().await.result.expect("a pass");
    let done = changes(&rig.teardown().await);
    let [api, frontend] = [API, FRONTEND].map(|name| format!("delete tenantclaims {}", host(name)));
    assert_eq!(done, [api, frontend, "patch tenants harbour/wharf".to_owned()]);
}

/// The record as it is now, and a world to write it with.
fn record(rig: &Rig) -> (TenantClaim, Live) {
    let claim = rig.server.with(|store| store.of("tenantclaims").find(|claim| claim["spec"].get("record").is_some()).cloned());
    (objects::read(claim.expect("a record")), rig.world())
}

#[tokio::test]
async fn a_record_that_changed_meanwhile_is_not_written_over() {
    let rig = rig();
    rig.settle().await;
    let (claim, live) = record(&rig);
    let mut who = objects::subject(&rig.id(), objects::bench(), Timestamp::now());
    let version = claim.metadata.resource_version.expect("a version");
    who.record = Some(Remembered { record: claim.spec.record.expect("a record"), version });
    let name = who.site_claim();
    rig.server.with(|store| store.edit("tenantclaims", "", &name, |claim| claim["spec"]["record"]["archive"] = json!("kept")));
    let before = rig.server.with(|store| store.get("tenantclaims", "", &name).cloned());

    let receipt = Receipt { hash: "ab".to_owned(), version: "1".to_owned(), at: Time(Timestamp::now()), facts: None };
    for change in [
        Change::Receipts(BTreeMap::from([(Step::Drop, receipt)])),
        Change::Forget(Step::Create),
        Change::Archive("elsewhere".to_owned()),
        Change::FirstReady(Timestamp::now()),
    ] {
        let error = live.execute(&Op::Remember(change), &who).await.expect_err("the version is old");
        assert!(matches!(error, Error::Changed { .. }), "{error}");
    }
    assert_eq!(rig.server.with(|store| store.get("tenantclaims", "", &name).cloned()), before);
}

//! Finalizers, status and Events: written onto what was read, when something changed, and not again.

use kube::runtime::events::EventType;
use serde_json::{Value, json};
use tenant_operator::api::TenantStatus;
use tenant_operator::controller::transitions;
use tenant_operator::world::Error;

use crate::objects::{self, HOME};
use crate::rig::rig;
use crate::writes;

#[tokio::test]
async fn a_finalizer_that_another_added_meanwhile_is_not_lost() {
    let rig = rig();
    rig.server.before("patch tenants", |store| {
        store.edit("tenants", HOME, "wharf", |tenant| tenant["metadata"]["finalizers"] = json!(["another/finalizer"]));
    });
    let error = rig.pass().await.result.expect_err("the version is old");
    assert!(matches!(error, Error::Changed { kind: "Tenant", .. }), "{error}");
    rig.pass().await.result.expect("from the new version it works");
    let finalizers = rig.tenant("wharf").and_then(|tenant| tenant.metadata.finalizers).expect("finalizers");
    assert_eq!(finalizers, ["another/finalizer", "tenancy.nexuserp.io/teardown"]);
}

#[tokio::test]
async fn releasing_leaves_the_finalizers_of_others() {
    let rig = rig();
    rig.settle().await;
    rig.server.with(|store| {
        store.edit("tenants", HOME, "wharf", |tenant| {
            tenant["metadata"]["finalizers"] = json!(["another/finalizer", "tenancy.nexuserp.io/teardown"]);
        });
    });
    rig.delete("wharf");
    for _ in 0..3 {
        rig.pass().await.result.expect("a pass");
        rig.finish_jobs();
    }
    let finalizers = rig.tenant("wharf").and_then(|tenant| tenant.metadata.finalizers).expect("finalizers");
    assert_eq!(finalizers, ["another/finalizer"]);
    let pass = rig.pass().await;
    assert!(pass.result.is_ok() && pass.calls.is_empty(), "ours is gone, and so is our part");
}

#[tokio::test]
async fn a_tenant_that_is_gone_when_its_finalizer_should_go_is_no_error() {
    let rig = rig();
    rig.server.refuse("create tenantclaims", 500, "InternalError");
    rig.pass().await.result.expect("a pass");
    rig.delete("wharf");
    rig.server.before("patch tenants", |store| {
        store.remove("tenants", HOME, "wharf");
    });
    rig.pass().await.result.expect("as good as released");
}

#[tokio::test]
async fn a_status_that_nobody_is_left_to_have_is_no_error_and_no_news() {
    for code in [(404, "NotFound"), (409, "Conflict")] {
        let rig = rig();
        rig.server.refuse("apply tenants/status", code.0, code.1);
        let pass = rig.pass().await;
        pass.result.expect("nobody is left to tell");
        assert!(!writes(&pass.calls).iter().any(|line| line.starts_with("create events")));
    }
}

#[tokio::test]
async fn a_status_that_could_not_be_written_is_written_by_the_next_pass_with_its_events() {
    let rig = rig();
    rig.server.refuse("apply tenants/status", 500, "InternalError");
    let pass = rig.pass().await;
    assert!(pass.result.is_err());
    let told = |calls: &[crate::server::Call]| calls.iter().filter(|call| call.is("create events")).count();
    assert_eq!(told(&pass.calls), 0);
    assert_eq!(told(&rig.pass().await.calls), 3);
    assert_eq!(told(&rig.pass().await.calls), 0);
}

#[tokio::test]
async fn an_event_that_cannot_be_told_stops_nothing() {
    let rig = rig();
    rig.server.refuse("create events", 403, "Forbidden");
    rig.pass().await.result.expect("a pass");
    assert_eq!(rig.condition("Claimed").0, "True");
}

fn status(conditions: &[(&str, &str, &str)]) -> TenantStatus {
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|(type_, status, reason)| {
            json!({"type": type_, "status": status, "reason": reason, "message": "m", "lastTransitionTime": "2026-11-21T08:00:00Z"})
        })
        .collect();
    objects::read(json!({"conditions": conditions}))
}

fn told(old: Option<&TenantStatus>, new: &TenantStatus) -> Vec<(String, bool)> {
    let warns = |type_: EventType| matches!(type_, EventType::Warning);
    transitions(old, new).into_iter().map(|event| (event.reason, warns(event.type_))).collect()
}

#[test]
fn the_same_again_is_no_news() {
    let same = status(&[("Ready", "True", "Ready"), ("Claimed", "True", "Claimed")]);
    assert!(told(Some(&same), &same).is_empty());
}

#[test]
fn at_first_only_what_holds_is_news() {
    let first = status(&[("Ready", "False", "Creating"), ("Claimed", "True", "Claimed"), ("SiteReady", "False", "Creating")]);
    assert_eq!(told(None, &first), [("Claimed".to_owned(), false)]);
}

#[test]
fn what_is_lost_or_stalled_is_a_warning() {
    let old = status(&[("Ready", "True", "Ready"), ("Reachable", "True", "Probed")]);
    let lost = status(&[
        ("Ready", "False", "ProbeFailed"),
        ("Reachable", "False", "ProbeFailed"),
        ("Reconciling", "True", "ProbeFailed"),
    ]);
    assert_eq!(told(Some(&old), &lost), [("ProbeFailed".to_owned(), true), ("ProbeFailed".to_owned(), true)]);
    let waiting = status(&[("Ready", "False", "Queued"), ("SiteReady", "False", "Queued")]);
    let stalled =
        status(&[("Ready", "False", "ForeignSite"), ("SiteReady", "False", "ForeignSite"), ("Stalled", "True", "ForeignSite")]);
    assert_eq!(told(Some(&waiting), &stalled), [("ForeignSite".to_owned(), true)]);
}

#[test]
fn a_stage_that_waits_for_another_is_no_news() {
    let old = status(&[("KeysReady", "False", "SettingKeys")]);
    assert!(told(Some(&old), &status(&[("KeysReady", "Unknown", "WaitingForSettings")])).is_empty());
}

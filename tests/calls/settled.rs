//! A tenant at rest: it is only looked at, and only what somebody changed is put right.

use serde_json::json;

use crate::objects::{HOME, YARD};
use crate::rig::{Rig, rig};
use crate::{changes, lines, listed, writes};

const LOOK: &str = "
    list tenantclaims tenant=wharf,tenant-namespace=harbour
    get benches yard/dock
    get tenantplans ferry
    get tenantclaims host.data.pelican.port.test
    get tenantclaims host.pelican.port.test
    get tenantclaims site.*
    get ingresses yard/ID
    get certificates yard/ID-tls
    get secrets yard/ID-custody
    get secrets harbour/mail
    get secrets yard/ID-inputs
    get secrets harbour/passport";

#[tokio::test]
async fn a_settled_tenant_causes_no_write() {
    let rig = rig();
    rig.settle().await;
    assert_eq!(lines(&rig.pass().await.calls), listed(LOOK));
}

#[tokio::test]
async fn nor_does_it_after_a_restart() {
    let rig = rig();
    rig.settle().await;
    let rig = Rig::started_on(&rig.server);
    assert_eq!(lines(&rig.pass().await.calls), listed(LOOK));
}

#[tokio::test]
async fn an_ingress_that_was_edited_by_hand_is_applied_once() {
    let rig = rig();
    rig.settle().await;
    let id = rig.id();
    rig.server.with(|store| store.edit("ingresses", YARD, &id, |ingress| ingress["spec"]["ingressClassName"] = json!("other")));
    assert_eq!(writes(&rig.pass().await.calls), ["apply ingresses yard/ID"]);
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn what_others_add_to_a_child_is_left_alone() {
    let rig = rig();
    rig.settle().await;
    let id = rig.id();
    rig.server.with(|store| {
        store.edit("ingresses", YARD, &id, |ingress| {
            ingress["metadata"]["annotations"]["seen.by"] = json!("somebody");
            ingress["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
        });
    });
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn a_published_secret_that_was_deleted_is_made_again_from_custody() {
    let rig = rig();
    rig.settle().await;
    let before = rig.server.with(|store| store.get("secrets", HOME, "passport").cloned()).expect("published");
    rig.server.with(|store| store.remove("secrets", HOME, "passport"));
    assert_eq!(changes(&rig.pass().await.calls), ["create secrets harbour/passport"]);
    let after = rig.server.with(|store| store.get("secrets", HOME, "passport").cloned()).expect("published again");
    assert_eq!(after["data"], before["data"]);
}

#[tokio::test]
async fn a_lost_status_is_written_once_and_nothing_else_is() {
    let rig = rig();
    rig.settle().await;
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["status"] = json!({})));
    let rig = Rig::started_on(&rig.server);
    assert_eq!(changes(&rig.pass().await.calls), ["apply tenants/status harbour/wharf"]);
    assert_eq!(rig.condition("Ready").0, "True");
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn a_changed_config_secret_runs_the_settings_again_in_one_new_job() {
    let rig = rig();
    rig.settle().await;
    rig.server.with(|store| store.put("secrets", crate::rig::secret(HOME, "mail", &[("password", "another")])));
    let changed = changes(&rig.settle().await);
    let started: Vec<_> = changed.iter().filter(|line| line.starts_with("create jobs")).collect();
    assert_eq!(started, ["create jobs yard/ID-provision-*-1"]);
    assert!(changed.contains(&"delete secrets yard/ID-inputs".to_owned()), "{changed:?}");
}

#[tokio::test]
async fn a_paused_tenant_causes_no_call_at_all() {
    let rig = rig();
    let paused = json!({"tenancy.nexuserp.io/paused": "true"});
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["metadata"]["annotations"] = paused));
    let pass = rig.pass().await;
    assert!(pass.result.is_ok() && pass.calls.is_empty());
}

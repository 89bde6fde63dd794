//! A tenant is suspended and resumed: which calls that costs, and what its visitors are told.

use serde_json::{Value, json};

use crate::objects::{self, API, FRONTEND, HOME, YARD};
use crate::rig::{Rig, rig};
use crate::{changes, lines, listed, writes};

const ANSWER: &str = "dock-tenant-answer";
const ODD: &str = r#"Pay "now" <b>or else</b> {{7*7}} $(HOME) $$(HOME) 'x' \ ü"#;

/// From the change of the spec until it is at rest.
const SUSPENDED: &str = "
    apply ingresses yard/ID
    create secrets yard/ID-inputs
    patch tenantclaims site.*
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-provision-*-1
    apply tenants/status harbour/wharf
    patch tenantclaims site.*
    delete secrets yard/ID-inputs
    apply tenants/status harbour/wharf";

const RESUMED: &str = "
    create secrets yard/ID-inputs
    patch tenantclaims site.*
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-provision-*-2
    apply tenants/status harbour/wharf
    patch tenantclaims site.*
    delete secrets yard/ID-inputs
    apply ingresses yard/ID
    apply tenants/status harbour/wharf";

fn set(rig: &Rig, suspend: Value) {
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["spec"]["suspend"] = suspend));
}

/// The port of the answering backend that the API host leads to; null where it leads to the site.
fn led(rig: &Rig) -> Value {
    let id = rig.id();
    let ingress = rig.server.with(|store| store.get("ingresses", YARD, &id).cloned()).expect("an Ingress");
    let paths = ingress["spec"]["rules"][1]["http"]["paths"].as_array().expect("paths");
    let service = &paths.last().expect("a path")["backend"]["service"];
    if service["name"] == ANSWER { service["port"]["number"].clone() } else { Value::Null }
}

fn messages(rig: &Rig) -> Value {
    rig.server.with(|store| store.get("configmaps", YARD, ANSWER).cloned()).expect("the ConfigMap")["data"].clone()
}

#[tokio::test]
async fn each_way_costs_one_job_and_at_rest_nothing() {
    let rig = rig();
    rig.settle().await;
    set(&rig, json!({"mode": "Maintenance", "reason": "unpaid"}));
    assert_eq!(changes(&rig.settle().await), listed(SUSPENDED));
    assert_eq!(rig.condition("Ready"), ("True".to_owned(), "Suspended".to_owned()));
    assert_eq!(rig.condition("Suspended"), ("True".to_owned(), "Maintenance".to_owned()));
    assert_eq!(rig.message("Ready"), "Suspended (unpaid): both hosts answer 503");
    assert_eq!(led(&rig), json!(8504));
    assert!(writes(&rig.pass().await.calls).is_empty());
    let rig = Rig::started_on(&rig.server);
    assert!(writes(&rig.pass().await.calls).is_empty(), "nor after a restart");

    set(&rig, Value::Null);
    assert_eq!(changes(&rig.settle().await), listed(RESUMED));
    assert_eq!((led(&rig), rig.condition("Ready").1.as_str()), (Value::Null, "Ready"));
    assert_eq!(rig.condition("Suspended"), Default::default());
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn the_hosts_say_so_before_the_job_has_begun_and_until_the_job_of_the_way_back_has_ended() {
    let rig = rig();
    rig.settle().await;
    set(&rig, json!({"mode": "Maintenance"}));
    rig.pass().await.result.expect("a pass");
    assert_eq!((led(&rig), rig.condition("Ready").0.as_str()), (json!(8504), "False"));
    assert_eq!(rig.condition("Suspended"), Default::default());
    set(&rig, Value::Null);
    rig.pass().await.result.expect("a pass");
    assert_eq!(led(&rig), json!(8504), "the Job that runs may close the site yet");
    rig.finish_jobs();
    rig.pass().await.result.expect("a pass");
    assert_eq!(led(&rig), json!(8504), "it has closed it");
    rig.finish_jobs();
    rig.settle().await;
    assert_eq!(led(&rig), Value::Null);
}

#[tokio::test]
async fn one_that_is_created_suspended_becomes_ready_all_the_same() {
    let rig = rig();
    set(&rig, json!({"mode": "Maintenance", "publicMessage": ODD}));
    rig.settle().await;
    assert_eq!(rig.condition("Ready"), ("True".to_owned(), "Suspended".to_owned()));
    assert!(rig.server.with(|store| store.get("secrets", HOME, "passport").is_some()), "its key was proven before");
    assert_eq!((led(&rig), rig.server.with(|store| store.of("jobs").count())), (json!(8504), 2));
}

#[tokio::test]
async fn a_read_only_tenant_keeps_its_routes() {
    let rig = rig();
    rig.settle().await;
    set(&rig, json!({"mode": "ReadOnly"}));
    let done = changes(&rig.settle().await);
    assert!(!done.iter().any(|line| line.contains("ingresses")), "{done:?}");
    assert_eq!(rig.condition("Suspended"), ("True".to_owned(), "ReadOnly".to_owned()));
    assert_eq!(rig.condition("RoutesReady").1, "Programmed");
}

#[tokio::test]
async fn whichever_reply_is_lost_on_either_way_the_end_is_the_same() {
    for lost in 0..12 {
        let rig = rig();
        rig.settle().await;
        rig.server.lose_reply_after(lost);
        set(&rig, json!({"mode": "Maintenance"}));
        rig.settle().await;
        assert_eq!((led(&rig), rig.condition("Ready").1.as_str()), (json!(8504), "Suspended"), "after {lost} writes");
        rig.server.lose_reply_after(lost);
        set(&rig, Value::Null);
        rig.settle().await;
        assert_eq!((led(&rig), rig.condition("Ready").1.as_str()), (Value::Null, "Ready"), "after {lost} writes");
    }
}

#[tokio::test]
async fn the_backend_is_told_the_message_for_both_hosts_as_it_was_written_until_the_tenant_is_resumed() {
    let rig = rig();
    rig.settle().await;
    rig.bench_pass().await.result.expect("a pass");
    assert_eq!(messages(&rig), Value::Null);
    set(&rig, json!({"mode": "Maintenance", "publicMessage": ODD}));
    let calls = rig.bench_pass().await.calls;
    assert!(lines(&calls).contains(&"list tenants spec.suspend.mode=Maintenance".to_owned()), "{:?}", lines(&calls));
    assert_eq!(writes(&calls), [format!("apply configmaps {YARD}/{ANSWER}")]);
    assert_eq!(messages(&rig), json!({FRONTEND: ODD, API: ODD}));
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    rig.server.with(|store| store.edit("configmaps", YARD, ANSWER, |map| map["data"][API] = json!("by hand")));
    assert_eq!(writes(&rig.bench_pass().await.calls), [format!("apply configmaps {YARD}/{ANSWER}")]);
    assert_eq!(messages(&rig), json!({FRONTEND: ODD, API: ODD}));
    for other in [json!({"mode": "Maintenance"}), json!({"mode": "ReadOnly", "publicMessage": ODD}), Value::Null] {
        set(&rig, json!({"mode": "Maintenance", "publicMessage": "again"}));
        rig.bench_pass().await.result.expect("a pass");
        set(&rig, other.clone());
        assert_eq!(writes(&rig.bench_pass().await.calls), [format!("apply configmaps {YARD}/{ANSWER}")], "{other}");
    }
}

#[tokio::test]
async fn a_tenant_that_holds_no_host_has_no_say_over_what_it_answers() {
    let rig = rig();
    rig.settle().await;
    let mut rival = objects::tenant("rival", "pelican");
    rival["spec"]["suspend"] = json!({"mode": "Maintenance", "publicMessage": "mine"});
    rig.server.with(|store| store.put("tenants", rival));
    rig.pass_over("rival").await.result.expect("a pass");
    rig.bench_pass().await.result.expect("a pass");
    assert_eq!(messages(&rig), Value::Null);
}

#[tokio::test]
async fn a_config_map_of_somebody_else_is_not_written() {
    let rig = rig();
    let theirs =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ANSWER, "namespace": YARD, "uid": "foreign"}});
    rig.server.with(|store| store.put("configmaps", theirs));
    let done = changes(&rig.bench_pass().await.calls);
    assert!(!done.iter().any(|line| line.contains("configmaps")), "{done:?}");
    let bench = rig.server.with(|store| store.get("benches", YARD, "dock").cloned()).expect("the Bench");
    assert_eq!(bench["status"]["conditions"][0]["reason"], "NotOurs");
}

#[tokio::test]
async fn a_suspended_tenant_is_torn_down_as_any_other() {
    let rig = rig();
    rig.settle().await;
    set(&rig, json!({"mode": "Maintenance"}));
    rig.settle().await;
    rig.teardown().await;
    let left = rig.server.with(|store| ["tenantclaims", "ingresses", "jobs"].map(|plural| store.of(plural).count()));
    assert_eq!(left, [0, 0, 0]);
}

//! A Bench: the backend that answers for it is made once, and it does not go while tenants are on it.

use serde_json::{Value, json};

use crate::objects::YARD;
use crate::rig::{Rig, rig};
use crate::{changes, lines, listed, writes};

const ANSWER: &str = "dock-tenant-answer";

const FIRST_PASS: &str = "
    list tenantclaims bench=dock
    patch benches yard/dock
    get services yard/dock-tenant-answer
    apply services yard/dock-tenant-answer
    get deployments yard/dock-tenant-answer
    apply deployments yard/dock-tenant-answer
    get configmaps yard/dock-tenant-answer
    apply configmaps yard/dock-tenant-answer
    get cronjobs yard/dock-upkeep
    get deployments yard/crane-web
    apply benches/status yard/dock";

const LOOK: &str = "
    list tenantclaims bench=dock
    get services yard/dock-tenant-answer
    get deployments yard/dock-tenant-answer
    get configmaps yard/dock-tenant-answer
    get cronjobs yard/dock-upkeep
    get deployments yard/crane-web";

async fn settled() -> Rig {
    let rig = rig();
    rig.bench_pass().await.result.expect("a pass");
    let available = json!({"availableReplicas": 1});
    rig.server.with(|store| store.edit("deployments", YARD, ANSWER, |answer| answer["status"] = available));
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    rig
}

fn ready(rig: &Rig) -> (Value, Value) {
    let bench = rig.server.with(|store| store.get("benches", YARD, "dock").cloned()).expect("the Bench");
    let condition = &bench["status"]["conditions"][0];
    (condition["status"].clone(), condition["reason"].clone())
}

#[tokio::test]
async fn a_new_bench_gets_its_backend() {
    let rig = rig();
    assert_eq!(lines(&rig.bench_pass().await.calls), listed(FIRST_PASS));
    assert_eq!(ready(&rig), (json!("False"), json!("AnswerNotReady")));
}

#[tokio::test]
async fn a_settled_bench_causes_no_write() {
    let rig = settled().await;
    assert_eq!(lines(&rig.bench_pass().await.calls), listed(LOOK));
    let rig = Rig::started_on(&rig.server);
    assert_eq!(lines(&rig.bench_pass().await.calls), listed(LOOK));
}

#[tokio::test]
async fn a_backend_of_an_older_version_is_applied_once() {
    let rig = settled().await;
    rig.server.with(|store| {
        store.edit("deployments", YARD, ANSWER, |answer| {
            answer["spec"]["template"]["spec"]["containers"][0]["image"] = json!("operator:old");
        });
    });
    assert_eq!(writes(&rig.bench_pass().await.calls), [format!("apply deployments {YARD}/{ANSWER}")]);
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
}

#[tokio::test]
async fn a_bench_with_tenants_stays_until_the_last_is_gone() {
    let rig = settled().await;
    rig.settle().await;
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    rig.mark_deleted("benches", YARD, "dock");
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    assert_eq!(ready(&rig), (json!("False"), json!("InUse")));
    assert!(writes(&rig.bench_pass().await.calls).is_empty());

    rig.teardown().await;
    let done = changes(&rig.bench_pass().await.calls);
    let backend = ["deployments", "configmaps", "services"].map(|plural| format!("delete {plural} {YARD}/{ANSWER}"));
    assert_eq!(done, [backend[0].as_str(), &backend[1], &backend[2], "patch benches yard/dock"]);
    assert!(rig.server.with(|store| store.get("benches", YARD, "dock").is_none()));
}

#[tokio::test]
async fn a_deployment_of_somebody_else_is_neither_written_nor_deleted() {
    let rig = rig();
    let theirs = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": ANSWER, "namespace": YARD, "uid": "foreign-uid"},
        "spec": {"selector": {}, "template": {}},
    });
    rig.server.with(|store| store.put("deployments", theirs));
    let before = rig.server.with(|store| store.get("deployments", YARD, ANSWER).cloned());
    rig.bench_pass().await.result.expect("it is told in the status");
    assert_eq!(ready(&rig), (json!("False"), json!("NotOurs")));
    rig.mark_deleted("benches", YARD, "dock");
    rig.bench_pass().await.result.expect("a pass");
    assert_eq!(rig.server.with(|store| store.get("deployments", YARD, ANSWER).cloned()), before);
}

fn keep(rig: &Rig, archive: Value) {
    rig.server.with(|store| store.edit("benches", YARD, "dock", |bench| bench["spec"]["archive"] = archive));
}

#[tokio::test]
async fn archives_are_looked_after_only_while_the_bench_says_how_long_it_keeps_them() {
    let rig = settled().await;
    keep(&rig, json!({"keep": "48h"}));
    let made =
        ["apply configmaps yard/tenant-operator-steps-*", "apply cronjobs yard/dock-upkeep", "apply benches/status yard/dock"];
    assert_eq!(writes(&rig.bench_pass().await.calls), made);
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    keep(&rig, json!({"keep": "72h"}));
    assert_eq!(writes(&rig.bench_pass().await.calls), made[1..]);
    rig.server.with(|store| store.remove("deployments", YARD, "crane-web"));
    keep(&rig, json!({}));
    assert!(writes(&rig.bench_pass().await.calls).contains(&"delete cronjobs yard/dock-upkeep".to_owned()));
    assert!(rig.server.with(|store| store.get("cronjobs", YARD, "dock-upkeep").is_none()));
}

#[tokio::test]
async fn a_bench_whose_pods_cannot_be_copied_says_so() {
    let rig = settled().await;
    rig.server.with(|store| store.remove("deployments", YARD, "crane-web"));
    rig.bench_pass().await.result.expect("a pass");
    assert_eq!(ready(&rig), (json!("False"), json!("PodSourceMissing")));
}

//! The inspection of a Bench: one Job once an interval, one write of the status for what it found, and nothing else at rest.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::objects::YARD;
use crate::rig::{INSPECT_INTERVAL, Rig, rig};
use crate::{changes, writes};

/// A settled tenant on a settled Bench, whose last inspection is an interval ago.
async fn due() -> Rig {
    let rig = rig();
    rig.settle().await;
    rig.bench_pass().await.result.expect("a pass");
    let available = json!({"availableReplicas": 1});
    rig.server.with(|store| store.edit("deployments", YARD, "dock-tenant-answer", |answer| answer["status"] = available));
    rig.bench_pass().await.result.expect("a pass");
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    let long_ago =
        Timestamp::now() - SignedDuration::try_from(INSPECT_INTERVAL).expect("a duration") - SignedDuration::from_secs(60);
    let long_ago = long_ago.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    rig.server.with(|store| store.edit("benches", YARD, "dock", |bench| bench["status"]["inspectedAt"] = json!(long_ago)));
    rig
}

fn jobs(rig: &Rig) -> Vec<Value> {
    rig.server.with(|store| {
        store.of("jobs").filter(|job| job["metadata"]["labels"]["tenancy.nexuserp.io/step"] == "inspect").cloned().collect()
    })
}

/// The Job that runs ends so.
fn end(rig: &Rig, line: &Value) {
    let job = jobs(rig).into_iter().find(|job| job["status"].is_null()).expect("one that runs");
    let name = job["metadata"]["name"].as_str().expect("a name").to_owned();
    let ended = if line["ok"] == true { "Complete" } else { "Failed" };
    let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut labels = job["spec"]["template"]["metadata"]["labels"].clone();
    labels["batch.kubernetes.io/controller-uid"] = job["metadata"]["uid"].clone();
    let state = json!({"terminated": {"exitCode": 0, "message": line.to_string()}});
    let status =
        json!({"name": "inspect", "image": "frappe:test", "imageID": "", "ready": false, "restartCount": 0, "state": state});
    rig.server.with(|store| {
        store.put(
            "pods",
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{name}-x1"), "namespace": YARD, "labels": labels},
                "status": {"containerStatuses": [status]},
            }),
        );
        let condition = json!({"conditions": [{"type": ended, "status": "True", "lastTransitionTime": at}]});
        store.edit("jobs", YARD, &name, |job| job["status"] = condition);
    });
}

fn answer(differ: Value) -> Value {
    json!({"ok": true, "done": {"inspect": {"seen": 1, "differ": differ, "more": false, "archives": 3}}})
}

fn status(rig: &Rig) -> Value {
    rig.server.with(|store| store.get("benches", YARD, "dock").cloned()).expect("the Bench")["status"].clone()
}

/// Reason of the condition, and its status.
fn said(rig: &Rig) -> (Value, Value) {
    let status = status(rig);
    let found = status["conditions"].as_array().expect("conditions").iter().find(|condition| condition["type"] == "Inspected");
    let found = found.expect("the condition");
    (found["status"].clone(), found["reason"].clone())
}

#[tokio::test]
async fn it_is_started_once_with_what_each_site_should_have_and_without_a_secret() {
    let rig = due().await;
    let started = writes(&rig.bench_pass().await.calls);
    assert_eq!(started.len(), 2, "{started:?}");
    assert_eq!(started[0], "apply configmaps yard/dock-inspect-0");
    assert!(started[1].starts_with("create jobs yard/dock-inspect-"), "{started:?}");
    let map = rig.server.with(|store| store.get("configmaps", YARD, "dock-inspect-0").cloned()).expect("the expectations");
    let text = map["data"]["sites-000.json"].as_str().expect("text");
    let expected: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(expected[&rig.id()]["site"], "data.pelican.port.test");
    assert_eq!(expected[&rig.id()]["settings"]["siteConfig"], json!([{"name": "mail_password"}]));
    assert!(writes(&rig.bench_pass().await.calls).is_empty(), "it runs already");
    let rig = Rig::started_on(&rig.server);
    assert!(writes(&rig.bench_pass().await.calls).is_empty(), "nor after a restart");
}

#[tokio::test]
async fn where_all_is_well_it_costs_one_write_of_the_status() {
    let rig = due().await;
    rig.bench_pass().await.result.expect("a pass");
    end(&rig, &answer(json!({})));
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    assert_eq!((said(&rig), &status(&rig)["archives"]), ((json!("True"), json!("AsExpected")), &json!(3)));
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    assert!(writes(&rig.pass().await.calls).is_empty());
    // The next one finds the same expectations, and writes them no more.
    let long_ago = "2026-01-01T00:00:00Z";
    rig.server.with(|store| {
        store.edit("benches", YARD, "dock", |bench| bench["status"]["inspectedAt"] = json!(long_ago));
        let names: Vec<String> = store.of("jobs").filter_map(|job| job["metadata"]["name"].as_str().map(str::to_owned)).collect();
        for name in names {
            store.remove("jobs", YARD, &name);
        }
    });
    let started = writes(&rig.bench_pass().await.calls);
    assert!(started.len() == 1 && started[0].starts_with("create jobs yard/dock-inspect-"), "{started:?}");
}

#[tokio::test]
async fn a_tenant_that_differs_is_put_right_in_one_job_and_rests_again() {
    let rig = due().await;
    rig.bench_pass().await.result.expect("a pass");
    end(&rig, &answer(json!({rig.id(): ["locked"], "feedfacefeedface": ["key"]})));
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    assert_eq!(
        status(&rig)["differing"],
        json!([{"id": rig.id(), "what": ["locked"]}]),
        "another Bench's tenants are not believed in"
    );
    assert_eq!(said(&rig), (json!("True"), json!("Differing")));
    // Receipts keep whole seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let done = changes(&rig.settle().await);
    let started: Vec<_> = done.iter().filter(|line| line.starts_with("create jobs")).collect();
    assert_eq!(started, ["create jobs yard/ID-provision-*-1"]);
    assert_eq!(done[0], "create secrets yard/ID-inputs");
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn a_failed_one_is_said_once_and_tried_again_later() {
    let rig = due().await;
    rig.bench_pass().await.result.expect("a pass");
    end(&rig, &json!({"ok": false, "step": "inspect", "reason": "DatabaseUnreachable", "class": "Retryable", "message": "away"}));
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    assert_eq!(said(&rig), (json!("False"), json!("DatabaseUnreachable")));
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    let again = rig.bench_pass().await.result.expect("a pass");
    let soon = kube::runtime::controller::Action::requeue(Duration::from_secs(90));
    assert!(format!("{again:?}") < format!("{soon:?}"), "{again:?}");
}

#[tokio::test]
async fn it_waits_for_the_pod_that_it_copies() {
    let rig = due().await;
    rig.server.with(|store| store.remove("deployments", YARD, "crane-web"));
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    assert!(jobs(&rig).is_empty());
}

#[tokio::test]
async fn it_may_not_and_says_so() {
    let rig = due().await;
    rig.server.refuse("create jobs yard/dock-inspect", 403, "Forbidden");
    rig.bench_pass().await.result.expect("it is told in the status");
    assert_eq!(said(&rig), (json!("False"), json!("ClusterDenied")));
}

#[tokio::test]
async fn expectations_edited_by_hand_are_put_right_before_the_next_one_and_needless_ones_go() {
    let rig = due().await;
    rig.server.with(|store| {
        for number in [0, 1] {
            store.put("configmaps", json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": {"sites-000.json": "{}"},
                "metadata": {"name": format!("dock-inspect-{number}"), "namespace": YARD, "labels": {"app.kubernetes.io/managed-by": "tenant-operator"}},
            }));
        }
    });
    let written = writes(&rig.bench_pass().await.calls);
    assert_eq!(written[..2], ["apply configmaps yard/dock-inspect-0", "delete configmaps yard/dock-inspect-1"]);
}

#[tokio::test]
async fn it_goes_with_its_bench() {
    let rig = due().await;
    rig.bench_pass().await.result.expect("a pass");
    rig.teardown().await;
    rig.mark_deleted("benches", YARD, "dock");
    rig.bench_pass().await.result.expect("a pass");
    assert!(jobs(&rig).is_empty());
    assert!(rig.server.with(|store| store.get("configmaps", YARD, "dock-inspect-0").is_none()));
    assert!(rig.server.with(|store| store.get("benches", YARD, "dock").is_none()));
}

//! Every child that somebody edits or deletes by hand comes back as it was, and costs no more writes than that.

use serde_json::{Value, json};

use crate::objects::{HOME, YARD};
use crate::rig::{Pass, Rig, rig};
use crate::{changes, writes};

type Edit = fn(&mut Value);

fn get(rig: &Rig, plural: &str, namespace: &str, name: &str) -> Option<Value> {
    rig.server.with(|store| store.get(plural, namespace, name).cloned())
}

/// Without what an API server writes down by itself.
fn essence(object: Option<Value>) -> Value {
    let mut object = object.expect("it is there");
    let meta = &object["metadata"];
    object["metadata"] = json!({"name": meta["name"], "labels": meta["labels"], "annotations": meta["annotations"]});
    object["status"] = Value::Null;
    for (at, field) in [("/spec/ports/0", "nodePort"), ("/spec/template/spec/containers/0", "terminationMessagePath")] {
        if let Some(Value::Object(part)) = object.pointer_mut(at) {
            part.remove(field);
        }
    }
    object
}

async fn comes_back(rig: &Rig, at: (&str, &str, &str), edit: Edit, pass: impl AsyncFn() -> Pass) {
    let (plural, namespace, name) = at;
    let before = essence(get(rig, plural, namespace, name));
    let written = |pass: Pass| writes(&pass.calls).iter().filter(|call| call.contains(&format!(" {plural} "))).count();
    rig.server.with(|store| store.edit(plural, namespace, name, edit));
    assert_eq!(written(pass().await), 1, "{plural} edited");
    assert_eq!(essence(get(rig, plural, namespace, name)), before, "{plural} edited");
    rig.server.with(|store| store.remove(plural, namespace, name));
    assert_eq!(written(pass().await), 1, "{plural} deleted");
    assert_eq!(essence(get(rig, plural, namespace, name)), before, "{plural} deleted");
}

#[tokio::test]
async fn ingress_certificate_and_published_secret() {
    let rig = rig();
    rig.settle().await;
    let (id, tls) = (rig.id(), format!("{}-tls", rig.id()));
    let cases: [((&str, &str, &str), Edit); 3] = [
        (("ingresses", YARD, &id), |ingress| ingress["spec"]["rules"][0]["host"] = json!("other.test")),
        (("certificates", YARD, &tls), |certificate| certificate["spec"]["dnsNames"] = json!(["other.test"])),
        (("secrets", HOME, "passport"), |secret| secret["data"]["api-secret"] = json!("b3RoZXI=")),
    ];
    for (at, edit) in cases {
        comes_back(&rig, at, edit, async || rig.pass().await).await;
        rig.issue_certificates();
        rig.settle().await;
    }
}

#[tokio::test]
async fn http_routes() {
    let rig = rig();
    rig.server.with(|store| {
        store.edit("benches", YARD, "dock", |bench| {
            let spec = &mut bench["spec"];
            spec["edge"] = json!({"type": "Gateway", "gateway": {"parentRef": {"name": "seagate", "namespace": "walls"}}});
            spec["tls"] = json!({"mode": "Gateway"});
            spec["hosts"]["api"] = json!("data-{subdomain}.{domain}");
            spec["siteNameTemplate"] = json!("data-{subdomain}.{domain}");
        });
    });
    for _ in 0..4 {
        rig.pass().await.result.expect("a pass");
        rig.finish_jobs();
    }
    for suffix in ["frontend", "api"] {
        let name = format!("{}-{suffix}", rig.id());
        let edit: Edit = |route| route["spec"]["rules"][0]["backendRefs"][0]["port"] = json!(1);
        comes_back(&rig, ("httproutes", YARD, &name), edit, async || rig.pass().await).await;
    }
}

#[tokio::test]
async fn what_a_bench_has_of_its_own() {
    let rig = rig();
    let keep = json!({"keep": "48h"});
    rig.server.with(|store| store.edit("benches", YARD, "dock", |bench| bench["spec"]["archive"] = keep));
    rig.bench_pass().await.result.expect("a pass");
    let cases: [((&str, &str, &str), Edit); 3] = [
        (("services", YARD, "dock-tenant-answer"), |service| {
            service["spec"]["selector"]["app.kubernetes.io/name"] = json!("other");
        }),
        (("deployments", YARD, "dock-tenant-answer"), |answer| {
            answer["spec"]["template"]["spec"]["containers"][0]["image"] = json!("operator:other");
        }),
        (("cronjobs", YARD, "dock-upkeep"), |upkeep| upkeep["spec"]["suspend"] = json!(true)),
    ];
    for (at, edit) in cases {
        comes_back(&rig, at, edit, async || rig.bench_pass().await).await;
    }
}

#[tokio::test]
async fn an_annotation_that_the_bench_has_no_longer_is_taken_off_the_ingress() {
    let rig = rig();
    let annotate = |annotations: Value| {
        rig.server.with(|store| {
            store.edit("benches", YARD, "dock", |bench| bench["spec"]["edge"]["ingress"]["annotations"] = annotations);
        });
    };
    annotate(json!({"depth": "9"}));
    rig.settle().await;
    annotate(json!({}));
    let pass = rig.pass().await;
    assert_eq!(changes(&pass.calls), ["apply ingresses yard/ID"]);
    // Server-side: what was applied once and is applied no longer goes.
    let applied = pass.calls.iter().find(|call| call.is("apply ingresses")).expect("applied");
    assert!(applied.body["metadata"]["annotations"].get("depth").is_none(), "{}", applied.body);
    assert!(writes(&rig.pass().await.calls).is_empty());
}

//! More tenants than slots: the next one starts when it is its turn, also after a restart, and whoever cannot go on is passed over.

use serde_json::json;

use crate::changes;
use crate::objects::{self, HOME, YARD};
use crate::rig::{Pass, Rig, rig};

/// A Bench with one slot, and three tenants, the oldest first.
fn crowded() -> Rig {
    let rig = rig();
    rig.server.with(|store| {
        store.edit("benches", YARD, "dock", |bench| bench["spec"]["jobs"]["concurrency"] = json!(1));
        for (age, name) in ["wharf", "jetty", "keel"].into_iter().enumerate() {
            let mut tenant = objects::tenant(name, name);
            tenant["metadata"]["creationTimestamp"] = json!(format!("2026-11-21T07:30:0{age}Z"));
            tenant["spec"]["plan"] = json!(format!("plan-of-{name}"));
            tenant["spec"]["credentials"]["secretName"] = json!(format!("{name}-passport"));
            store.put("tenants", tenant);
            let mut plan = objects::plan();
            plan["metadata"]["name"] = json!(format!("plan-of-{name}"));
            store.put("tenantplans", plan);
        }
    });
    rig
}

fn starts(pass: &Pass) -> bool {
    pass.calls.iter().any(|call| call.is("create jobs"))
}

/// The first works, and the other two wait.
async fn queued() -> Rig {
    let rig = crowded();
    let mut started = vec![];
    for name in ["wharf", "keel", "jetty"] {
        started.push(starts(&rig.pass_over(name).await));
    }
    assert_eq!(started, [true, false, false]);
    rig
}

fn reason(rig: &Rig, name: &str) -> String {
    let conditions = rig.tenant(name).and_then(|tenant| tenant.status).expect("a status").conditions;
    conditions.into_iter().find(|condition| condition.type_ == "SiteReady").expect("the condition").reason
}

#[tokio::test]
async fn the_oldest_that_waits_comes_next() {
    let rig = queued().await;
    assert_eq!(reason(&rig, "jetty"), "Queued");
    rig.finish_jobs();
    rig.pass_over("wharf").await.result.expect("a pass");
    assert!(!starts(&rig.pass_over("keel").await), "jetty is older");
    assert!(starts(&rig.pass_over("jetty").await));
}

#[tokio::test]
async fn whoever_waits_writes_nothing_while_it_waits() {
    let rig = queued().await;
    assert!(changes(&rig.pass_over("keel").await.calls).is_empty());
}

#[tokio::test]
async fn after_a_restart_a_job_that_still_runs_keeps_its_slot() {
    let rig = queued().await;
    let rig = Rig::resumed_on(&rig.server).await;
    assert!(!starts(&rig.pass_over("jetty").await));
    rig.finish_jobs();
    rig.pass_over("wharf").await.result.expect("a pass");
    assert!(starts(&rig.pass_over("jetty").await));
}

fn pause(rig: &Rig) {
    let paused = json!({"tenancy.nexuserp.io/paused": "true"});
    rig.server.with(|store| store.edit("tenants", HOME, "jetty", |tenant| tenant["metadata"]["annotations"] = paused));
}

fn name_no_plan(rig: &Rig) {
    rig.server.with(|store| store.edit("tenants", HOME, "jetty", |tenant| tenant["spec"]["plan"] = json!("no-such-plan")));
}

#[tokio::test]
async fn whoever_cannot_go_on_does_not_keep_the_next_from_its_turn() {
    let ways: [(&str, fn(&Rig)); 3] =
        [("paused", pause), ("without a plan", name_no_plan), ("deleted", |rig| rig.delete("jetty"))];
    for (what, stop) in ways {
        let rig = queued().await;
        stop(&rig);
        rig.pass_over("jetty").await.result.expect("a pass");
        rig.finish_jobs();
        rig.pass_over("wharf").await.result.expect("a pass");
        assert!(starts(&rig.pass_over("keel").await), "jetty is {what}");
    }
}

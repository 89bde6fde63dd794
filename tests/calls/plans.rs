//! A plan that is edited: each tenant that it names is changed when it is its turn, and the plan says how far that is.

use serde_json::{Value, json};

use crate::objects::{self, HOME};
use crate::rig::{Pass, Rig, rig};
use crate::{changes, lines, listed, writes};

/// Three Tenants of one plan, the oldest first, that are all Ready; it is changed one at a time, until one has failed.
async fn fleet() -> Rig {
    let rig = rig();
    rig.server.with(|store| {
        store.edit("tenantplans", "", "ferry", |plan| plan["spec"]["rollout"] = json!({"atOnce": 1, "stopAfter": 1}));
        for (age, name) in NAMES.into_iter().enumerate() {
            let mut tenant = objects::tenant(name, name);
            tenant["metadata"]["creationTimestamp"] = json!(format!("2026-11-21T07:30:0{age}Z"));
            tenant["spec"]["credentials"]["secretName"] = json!(format!("{name}-passport"));
            store.put("tenants", tenant);
        }
    });
    rounds(&rig, 6).await;
    rig
}

const NAMES: [&str; 3] = ["wharf", "jetty", "keel"];

async fn rounds(rig: &Rig, count: usize) {
    for _ in 0..count {
        for name in NAMES {
            rig.pass_over(name).await.result.expect("a pass");
        }
        rig.finish_jobs();
        rig.issue_certificates();
    }
}

fn edit(rig: &Rig, change: impl FnOnce(&mut Value)) {
    rig.server.with(|store| store.edit("tenantplans", "", "ferry", |plan| change(&mut plan["spec"])));
}

fn starts(pass: &Pass) -> bool {
    pass.calls.iter().any(|call| call.is("create jobs"))
}

/// Generation in the record, and in the status.
fn has(rig: &Rig, name: &str) -> (Value, Value) {
    let claim = rig.server.with(|store| {
        let mut all = store.of("tenantclaims");
        all.find(|claim| claim["spec"]["holder"]["name"] == name && !claim["spec"]["record"].is_null()).cloned()
    });
    let tenant = rig.server.with(|store| store.get("tenants", HOME, name).cloned());
    let generation = tenant.map(|tenant| tenant["status"]["plan"]["observedGeneration"].clone());
    (claim.map(|claim| claim["spec"]["record"]["plan"]["generation"].clone()).unwrap_or_default(), generation.unwrap_or_default())
}

fn plan_status(rig: &Rig) -> Value {
    rig.server.with(|store| store.get("tenantplans", "", "ferry").cloned()).expect("the plan")["status"].clone()
}

fn ready(rig: &Rig) -> (Value, Value) {
    let condition = plan_status(rig)["conditions"][0].clone();
    (condition["status"].clone(), condition["reason"].clone())
}

#[tokio::test]
async fn the_status_of_a_plan_is_written_on_difference_only() {
    let rig = fleet().await;
    let look = "get tenantplans ferry";
    assert_eq!(lines(&rig.plan_pass().await.calls), listed(&format!("{look}\napply tenantplans/status ferry")));
    let status = plan_status(&rig);
    assert_eq!((&status["tenants"], &status["following"], &status["failing"]), (&json!(3), &json!(3), &json!(0)));
    assert_eq!(ready(&rig), (json!("True"), json!("Followed")));
    assert_eq!(lines(&rig.plan_pass().await.calls), [look]);
}

#[tokio::test]
async fn after_a_restart_nothing_is_said_before_every_tenant_was_looked_at() {
    let rig = fleet().await;
    rig.plan_pass().await.result.expect("a pass");
    let rig = Rig::started_on(&rig.server);
    rig.hear_of_tenants();
    assert!(writes(&rig.plan_pass().await.calls).is_empty());
    rounds(&rig, 1).await;
    assert!(writes(&rig.plan_pass().await.calls).is_empty());
}

#[tokio::test]
async fn the_next_tenant_is_changed_once_the_one_before_is_settled() {
    let rig = fleet().await;
    edit(&rig, |plan| plan["siteConfig"] = json!([{"name": "tide", "value": 3}]));
    assert!(changes(&rig.pass_over("keel").await.calls).is_empty(), "others are older");
    let first = changes(&rig.pass_over("wharf").await.calls);
    assert_eq!(first[0], "patch tenantclaims site.*", "the record has the plan before anything of it is applied");
    assert!(first.iter().any(|line| line.starts_with("create jobs")), "{first:?}");
    assert!(changes(&rig.pass_over("jetty").await.calls).is_empty());
    assert_eq!((has(&rig, "wharf"), has(&rig, "jetty")), ((json!(6), json!(5)), (json!(5), json!(5))));
    assert_eq!(ready_of(&rig, "jetty"), "True");
    rig.plan_pass().await.result.expect("a pass");
    assert_eq!(ready(&rig), (json!("False"), json!("RollingOut")));
    rig.finish_jobs();
    rig.pass_over("wharf").await.result.expect("a pass");
    rig.pass_over("wharf").await.result.expect("a pass");
    assert_eq!(has(&rig, "wharf"), (json!(6), json!(6)));
    assert!(!starts(&rig.pass_over("keel").await));
    assert!(starts(&rig.pass_over("jetty").await));
    rounds(&rig, 4).await;
    rig.plan_pass().await.result.expect("a pass");
    assert_eq!(ready(&rig), (json!("True"), json!("Followed")));
    for name in NAMES {
        assert!(writes(&rig.pass_over(name).await.calls).is_empty(), "{name} is at rest");
    }
}

fn ready_of(rig: &Rig, name: &str) -> String {
    let conditions = rig.tenant(name).and_then(|tenant| tenant.status).expect("a status").conditions;
    conditions.into_iter().find(|condition| condition.type_ == "Ready").expect("Ready").status
}

#[tokio::test]
async fn a_plan_that_fails_stops_and_a_corrected_one_goes_on() {
    let rig = fleet().await;
    edit(&rig, |plan| plan["apps"] = json!([{"name": "erpnext"}, {"name": "sails"}]));
    rig.pass_over("wharf").await.result.expect("a pass");
    rig.fail_jobs("apps", "AppMissing", "Fatal");
    rig.pass_over("wharf").await.result.expect("a pass");
    for name in ["jetty", "keel"] {
        assert!(changes(&rig.pass_over(name).await.calls).is_empty(), "{name} keeps what it has");
        assert_eq!(ready_of(&rig, name), "True");
    }
    rig.plan_pass().await.result.expect("a pass");
    assert_eq!(ready(&rig), (json!("False"), json!("Stopped")));
    let message = plan_status(&rig)["conditions"][0]["message"].to_string();
    assert!(!NAMES.iter().any(|name| message.contains(name)) && !message.contains(HOME), "{message}");
    edit(&rig, |plan| plan["apps"] = json!([{"name": "erpnext"}]));
    rounds(&rig, 6).await;
    rig.plan_pass().await.result.expect("a pass");
    assert_eq!(ready(&rig), (json!("True"), json!("Followed")));
}

#[tokio::test]
async fn tenants_go_on_without_their_plan_and_say_so() {
    let rig = fleet().await;
    assert!(rig.server.with(|store| store.remove("tenantplans", "", "ferry")));
    let pass = rig.pass().await;
    assert_eq!(changes(&pass.calls), ["apply tenants/status harbour/wharf"]);
    assert_eq!(rig.condition("Ready"), ("True".to_owned(), "Ready".to_owned()));
    assert!(rig.message("Ready").contains("the TenantPlan ferry is gone"), "{}", rig.message("Ready"));
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn a_site_that_was_in_use_is_backed_up_before_apps_are_added() {
    let rig = fleet().await;
    let backup = |rig: &Rig| {
        let inputs = rig.server.with(|store| {
            let jobs: Vec<Value> = store.of("jobs").cloned().collect();
            jobs.iter().map(|job| job["spec"]["template"]["spec"].to_string()).collect::<Vec<_>>()
        });
        inputs.iter().filter(|input| input.contains(r#"\"backup\":true"#)).count()
    };
    assert_eq!(backup(&rig), 0);
    edit(&rig, |plan| plan["apps"] = json!([{"name": "erpnext"}, {"name": "hrms"}]));
    rig.pass_over("wharf").await.result.expect("a pass");
    assert_eq!(backup(&rig), 1);
}

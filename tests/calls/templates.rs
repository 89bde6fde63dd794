//! The templates of a Bench: one Job for each, one write of the status for what it came to, and nothing at rest; and a new tenant's
//! Job, which is given the template that fits.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::objects::YARD;
use crate::rig::{Rig, rig};
use crate::{lines, listed, writes};

const CONTENT: &str = "0123456789abcdef";

const LOOK: &str = "
    list tenantclaims bench=dock
    get services yard/dock-tenant-answer
    get deployments yard/dock-tenant-answer
    get configmaps yard/dock-tenant-answer
    get cronjobs yard/dock-upkeep
    get deployments yard/crane-web
    get deployments yard/crane-web
    list tenantplans";

/// A settled Bench that prewarms the plan.
async fn prewarming() -> Rig {
    let rig = rig();
    rig.bench_pass().await.result.expect("a pass");
    rig.server.with(|store| {
        store.edit("deployments", YARD, "dock-tenant-answer", |answer| answer["status"] = json!({"availableReplicas": 1}));
        store.edit("benches", YARD, "dock", |bench| bench["spec"]["templates"] = json!({"prewarm": ["ferry"]}));
    });
    rig
}

/// The same, and its template is there.
async fn ready() -> Rig {
    let rig = prewarming().await;
    rig.bench_pass().await.result.expect("a pass");
    rig.finish_jobs();
    rig.bench_pass().await.result.expect("a pass");
    assert_eq!(templates(&rig)[0]["state"], "Ready");
    rig
}

fn templates(rig: &Rig) -> Value {
    let bench = rig.server.with(|store| store.get("benches", YARD, "dock").cloned()).expect("the Bench");
    bench["status"]["templates"].clone()
}

fn said(rig: &Rig) -> Option<(String, String)> {
    let bench = rig.server.with(|store| store.get("benches", YARD, "dock").cloned()).expect("the Bench");
    let found = bench["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == "TemplatesReady")?;
    Some((found["status"].as_str()?.to_owned(), found["reason"].as_str()?.to_owned()))
}

fn is_said(rig: &Rig, truth: &str, reason: &str) {
    assert_eq!(said(rig), Some((truth.to_owned(), reason.to_owned())));
}

/// What the first container of the newest Job of this step is given.
fn input(rig: &Rig, step: &str) -> Value {
    let jobs: Vec<Value> = rig.server.with(|store| {
        store.of("jobs").filter(|job| job["metadata"]["labels"]["tenancy.nexuserp.io/step"] == step).cloned().collect()
    });
    let spec = &jobs.last().expect("a Job")["spec"]["template"]["spec"];
    let first = if spec["initContainers"].is_null() { "containers" } else { "initContainers" };
    let env = spec[first][0]["env"].as_array().expect("variables").iter();
    let text = env.filter(|one| one["name"] == "TENANT_STEP_INPUT").find_map(|one| one["value"].as_str()).expect("the input");
    serde_json::from_str(text).expect("JSON")
}

fn started(rig: &[String]) -> bool {
    rig.iter().any(|line| line.starts_with("create jobs yard/dock-template-"))
}

/// So long ago was the template what it is.
fn age(rig: &Rig, seconds: i64) {
    let then = (Timestamp::now() - SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    rig.server.with(|store| {
        store.edit("benches", YARD, "dock", |bench| {
            for one in bench["status"]["templates"].as_array_mut().into_iter().flatten() {
                one["at"] = json!(then);
            }
        });
        // As their time to live has it.
        let names: Vec<String> = store.of("jobs").filter_map(|job| job["metadata"]["name"].as_str().map(str::to_owned)).collect();
        for name in names.iter().filter(|name| name.starts_with("dock-template")) {
            store.remove("jobs", YARD, name);
        }
    });
}

#[tokio::test]
async fn it_is_made_by_one_job_before_any_tenant_comes() {
    let rig = prewarming().await;
    let made = writes(&rig.bench_pass().await.calls);
    assert_eq!(made.len(), 3, "{made:?}");
    assert_eq!(made[0], "apply configmaps yard/tenant-operator-steps-*");
    assert!(started(&made) && made[2] == "apply benches/status yard/dock", "{made:?}");
    is_said(&rig, "False", "Building");
    let given = input(&rig, "template");
    assert_eq!((&given["apps"], &given["templates"]["image"]), (&json!(["erpnext"]), &json!("frappe:test")));
    assert!(writes(&rig.bench_pass().await.calls).is_empty(), "it runs");
    let rig = Rig::resumed_on(&rig.server).await;
    assert!(writes(&rig.bench_pass().await.calls).is_empty(), "nor after a restart");
    rig.finish_jobs();
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    is_said(&rig, "True", "Ready");
    let found = &templates(&rig)[0];
    assert_eq!(
        (&found["content"], &found["apps"], &found["holds"][1]["version"]),
        (&json!(CONTENT), &json!(["erpnext"]), &json!("15.2.0"))
    );
    assert_eq!(lines(&rig.bench_pass().await.calls), listed(LOOK), "at rest");
    let rig = Rig::started_on(&rig.server);
    assert_eq!(lines(&rig.bench_pass().await.calls), listed(LOOK));
}

#[tokio::test]
async fn a_new_tenant_is_made_from_it_and_its_receipts_are_the_same() {
    let rig = ready().await;
    rig.settle().await;
    let given = input(&rig, "provision");
    assert_eq!((&given["template"]["name"], &given["template"]["recipe"]), (&json!(CONTENT), &json!(1)));
    assert!(writes(&rig.pass().await.calls).is_empty());
    // The Bench loses its templates: nothing about the tenant changes.
    rig.server.with(|store| store.edit("benches", YARD, "dock", |bench| bench["status"]["templates"] = json!([])));
    assert!(writes(&rig.pass().await.calls).is_empty());
}

#[tokio::test]
async fn a_template_of_another_image_or_one_that_is_not_ready_is_not_given() {
    for change in [
        json!({"image": "frappe:before"}),
        json!({"state": "Building"}),
        json!({"state": "Superseded"}),
        json!({"apps": ["crm"]}),
    ] {
        let rig = ready().await;
        rig.server.with(|store| {
            store.edit("benches", YARD, "dock", |bench| {
                for (key, value) in change.as_object().expect("a change") {
                    bench["status"]["templates"][0][key] = value.clone();
                }
            });
        });
        rig.settle().await;
        assert!(input(&rig, "provision")["template"].is_null(), "{change}");
    }
}

#[tokio::test]
async fn the_plans_of_its_tenants_get_one_too_when_a_slot_is_free() {
    let rig = rig();
    rig.bench_pass().await.result.expect("a pass");
    rig.server.with(|store| {
        store.edit("benches", YARD, "dock", |bench| {
            bench["spec"]["templates"] = json!({});
            bench["spec"]["jobs"]["concurrency"] = json!(1);
        });
    });
    // A tenant's Job is under way, and has the only slot.
    rig.pass().await;
    rig.pass().await;
    assert!(!started(&writes(&rig.bench_pass().await.calls)));
    is_said(&rig, "False", "Building");
    rig.settle().await;
    assert!(input(&rig, "provision")["template"].is_null());
    assert!(started(&writes(&rig.bench_pass().await.calls)));
}

#[tokio::test]
async fn another_image_asks_for_another_one_and_the_old_one_goes_when_nobody_can_read_it() {
    let rig = ready().await;
    rig.server.with(|store| {
        store.edit("deployments", YARD, "crane-web", |web| {
            web["spec"]["template"]["spec"]["containers"][0]["image"] = json!("frappe:next");
        });
    });
    age(&rig, 7200);
    assert!(started(&writes(&rig.bench_pass().await.calls)));
    assert_eq!(input(&rig, "template")["templates"]["keep"], json!([CONTENT]));
    let states: Vec<Value> = templates(&rig).as_array().expect("templates").iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["Superseded", "Building"]);
    rig.finish_jobs();
    rig.bench_pass().await.result.expect("a pass");
    is_said(&rig, "True", "Ready");
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    age(&rig, 7200);
    assert!(started(&writes(&rig.bench_pass().await.calls)), "for the removal");
    assert_eq!(input(&rig, "template")["templates"]["make"], false);
    rig.finish_jobs();
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    assert_eq!(templates(&rig).as_array().map(Vec::len), Some(1));
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
}

#[tokio::test]
async fn one_that_a_tenant_found_unfit_is_made_anew() {
    let rig = ready().await;
    rig.settle().await;
    rig.server.with(|store| {
        let claims: Vec<String> =
            store.of("tenantclaims").filter_map(|one| one["metadata"]["name"].as_str().map(str::to_owned)).collect();
        for name in claims.iter().filter(|name| name.starts_with("site.")) {
            store.edit("tenantclaims", "", name, |claim| {
                claim["spec"]["record"]["receipts"]["create"]["facts"]["template"] =
                    json!({"name": CONTENT, "used": false, "why": "Broken"});
            });
        }
    });
    age(&rig, 7200);
    assert!(started(&writes(&rig.bench_pass().await.calls)));
    assert_eq!(input(&rig, "template")["templates"]["anew"], true);
    rig.finish_jobs();
    rig.bench_pass().await.result.expect("a pass");
    is_said(&rig, "True", "Ready");
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    rig.pass().await;
    assert_eq!(
        rig.message("SiteReady").split("; ").nth(1),
        Some("installed, since the template 0123456789abcdef was unfit (broken)")
    );
}

#[tokio::test]
async fn a_failure_is_said_once_and_tenants_are_installed_meanwhile() {
    let rig = prewarming().await;
    rig.bench_pass().await.result.expect("a pass");
    rig.fail_jobs("template", "TemplateFailed", "Retryable");
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    is_said(&rig, "False", "TemplateFailed");
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
    rig.settle().await;
    assert!(input(&rig, "provision")["template"].is_null());
    assert_eq!(rig.condition("Ready").0, "True");
    age(&rig, 120);
    assert!(started(&writes(&rig.bench_pass().await.calls)), "tried again");
}

#[tokio::test]
async fn it_may_not_and_says_so() {
    let rig = prewarming().await;
    rig.server.refuse("create jobs yard/dock-template", 403, "Forbidden");
    rig.bench_pass().await.result.expect("it is told in the status");
    is_said(&rig, "False", "ClusterDenied");
}

#[tokio::test]
async fn a_plan_that_is_not_there_is_named() {
    let rig = prewarming().await;
    rig.server
        .with(|store| store.edit("benches", YARD, "dock", |bench| bench["spec"]["templates"]["prewarm"] = json!(["nosuch"])));
    assert_eq!(writes(&rig.bench_pass().await.calls), ["apply benches/status yard/dock"]);
    is_said(&rig, "False", "PlanNotFound");
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
}

#[tokio::test]
async fn turned_off_they_are_removed_and_nothing_more_is_said() {
    let rig = ready().await;
    rig.server.with(|store| store.edit("benches", YARD, "dock", |bench| bench["spec"]["templates"] = json!({"enabled": false})));
    rig.bench_pass().await.result.expect("a pass");
    assert_eq!(templates(&rig)[0]["state"], "Superseded");
    age(&rig, 7200);
    assert!(started(&writes(&rig.bench_pass().await.calls)));
    rig.finish_jobs();
    rig.bench_pass().await.result.expect("a pass");
    assert_eq!((templates(&rig), said(&rig)), (Value::Null, None));
    assert!(writes(&rig.bench_pass().await.calls).is_empty());
}

#[tokio::test]
async fn they_go_with_their_bench_as_far_as_they_can() {
    for ends in ["well", "badly", "refused"] {
        let rig = ready().await;
        age(&rig, 60);
        rig.mark_deleted("benches", YARD, "dock");
        if ends == "refused" {
            rig.server.refuse("create jobs yard/dock-template", 403, "Forbidden");
        } else {
            assert!(started(&writes(&rig.bench_pass().await.calls)), "{ends}");
            assert!(writes(&rig.bench_pass().await.calls).is_empty(), "it runs");
            assert_eq!(
                input(&rig, "template")["templates"],
                json!({
                    "owner": input(&rig, "template")["templates"]["owner"], "recipe": 1, "image": null, "make": false, "anew": false, "keep": [],
                })
            );
        }
        match ends {
            "well" => rig.finish_jobs(),
            _ => rig.fail_jobs("template", "DatabaseUnreachable", "Retryable"),
        }
        rig.bench_pass().await.result.expect("a pass");
        assert!(rig.server.with(|store| store.get("benches", YARD, "dock").is_none()), "{ends}");
        assert_eq!(rig.server.with(|store| store.of("jobs").count()), 0, "{ends}");
    }
}

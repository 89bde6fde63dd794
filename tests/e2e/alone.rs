//! What bears nobody beside it: the operator killed, its requests counted, a database server taken away.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use tenant_operator::api::{Tenant, TenantClaim};

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::case::{self, Case, Company, id};
use crate::history::says;
use crate::lab::CUSTOMERS;
use crate::operator::{between, total, writes};
use crate::tenant::{light_plan, tenant, whole_plan};
use crate::wait::{first, within};
use crate::{remains, times};

#[test]
fn a_settled_tenant_costs_no_write_and_its_way_to_ready_is_measured() {
    case::run("rest", Company::Alone, async |case| {
        for place in [INGRESS_15, GATEWAY_16] {
            measured(case, place).await;
        }
        // The last answers of the edge and of cert-manager come a moment after Ready.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let before = case.lab.operator_requests().await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        let requests = between(&before, &case.lab.operator_requests().await);
        let per_minute = total(&requests) as f64 * 3.0 / 2.0;
        times::write(&format!(
            "a settled tenant: {per_minute:.1} API requests per minute, for the lease left out: {requests:?}\n"
        ));
        assert!(writes(&requests).is_empty(), "a settled tenant was written: {requests:?}");
    });
}

async fn measured(case: &Case, place: Place) {
    let name = format!("{}-{}", case.name, place.frappe());
    let bench = case.bench(place).await;
    let plan = case.plan(whole_plan).await;
    let before = case.lab.operator_requests().await;
    case.apply(&tenant(&name, CUSTOMERS, &plan, bench)).await;
    let (ready, history) = case.ready(&place, &name).await;
    let requests = between(&before, &case.lab.operator_requests().await);
    let title = format!("{:?}, Frappe {}, alone", place.edge, place.frappe());
    let count = format!("  {} API requests from apply to Ready: {requests:?}\n", total(&requests));
    times::report(&case.lab, &title, place.namespace, &id(&ready), &history, &count).await;
}

#[test]
fn a_killed_operator_goes_on_where_it_was_and_makes_nothing_twice() {
    case::run("kill", Company::Alone, async |case| {
        let place = INGRESS_15;
        let (plan, bench) = (case.plan(whole_plan).await, case.bench(place).await);
        let before = case.inside(&place).databases();
        // Proving the key takes long enough to be killed in it.
        let slow = json!({"do": "slow", "seconds": 4, "times": 2, "site": place.api_host(&case.name), "path": WHO});
        let inside = case.inside(&place);
        inside.set_faults(&json!({"http:request": slow}));
        case.finally(move |case| case.inside(&place).set_faults(&json!({})));

        case.apply(&tenant(&case.name, CUSTOMERS, &plan, bench)).await;
        claimed(case).await;
        case.lab.kill_operator().await;
        job(case, &place, "running", |job| job.active.is_some_and(|active| active > 0)).await;
        case.lab.kill_operator_and_its_pod().await;
        job(case, &place, "done", |job| job.succeeded.is_some_and(|succeeded| succeeded > 0)).await;
        case.lab.kill_operator_and_its_pod().await;
        let secret = case.lab.secret(CUSTOMERS, &format!("{}-credentials", case.name)).await;
        assert!(secret.is_none(), "the operator was to be killed before it published the key");

        let (ready, _) = case.ready(&place, &case.name).await;
        everything_is_there_once(case, &place, &ready, &before).await;
        case.delete(&case.name).await;
        remains::nothing(case, &place, &case.name, &id(&ready)).await;
    });
}

const WHO: &str = "/api/method/frappe.auth.get_logged_user";

async fn claimed(case: &Case) {
    let claims = Api::<TenantClaim>::all(case.lab.client.clone());
    let is_record = |claim: &TenantClaim| claim.spec.record.is_some();
    first(claims, &of_tenant(&case.name), "claim of the site", is_record).await;
}

async fn job(case: &Case, place: &Place, what: &str, is: impl Fn(&JobStatus) -> bool) {
    let jobs = Api::<Job>::namespaced(case.lab.client.clone(), place.namespace);
    first(jobs, &of_tenant(&case.name), &format!("Job {what}"), |job: &Job| job.status.as_ref().is_some_and(&is)).await;
}

fn of_tenant(name: &str) -> String {
    format!("tenancy.nexuserp.io/tenant={name}")
}

async fn everything_is_there_once(case: &Case, place: &Place, tenant: &Tenant, before: &BTreeSet<String>) {
    let (id, inside, site) = (id(tenant), case.inside(place), place.api_host(&case.name));
    let made: Vec<String> = inside.databases().difference(before).cloned().collect();
    assert_eq!(made, [format!("t_{id}")]);
    let users: Vec<String> = inside.database_users().into_iter().filter(|user| user.contains(&id)).collect();
    assert_eq!(users, [format!("t_{id}@%")]);
    let folders: Vec<String> = inside.folders().into_iter().filter(|folder| folder.contains(&case.name)).collect();
    assert_eq!(folders, [site.clone()]);
    let program = "return frappe.get_all('User', filters={'name': ['like', 'tenant-api-%']}, pluck='name')";
    assert_eq!(inside.python(&site, program, &json!(null)), json!([format!("tenant-api-a@{site}")]));
    let claims =
        Api::<TenantClaim>::all(case.lab.client.clone()).list(&ListParams::default().labels(&of_tenant(&case.name))).await;
    let holders: Vec<String> = claims.expect("claims").into_iter().map(|claim| claim.spec.holder.id).collect();
    assert_eq!(holders, [id.clone(), id.clone(), id.clone()], "two hosts and one site");
    let answer = case.api(place, &case.name).await.get(WHO).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[test]
fn without_the_database_server_a_deletion_waits_says_so_and_goes_on_by_itself() {
    case::run("nodb", Company::AloneOn(GATEWAY_16.namespace), async |case| {
        let place = GATEWAY_16;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        case.apply(&tenant(&case.name, CUSTOMERS, &plan, bench)).await;
        let id = id(&case.ready(&place, &case.name).await.0);

        scale_database(case, place, 0).await;
        case.finally(move |case| drop(case.lab.kubectl(&["scale", "deploy/mariadb", "--replicas=1", "-n", place.namespace], "")));
        case.tenants(CUSTOMERS).delete(&case.name, &DeleteParams::default()).await.expect("a deletion");
        let waits = |tenant: Option<&Tenant>| says(tenant, "SiteReady", "DatabaseUnreachable");
        case.until(&case.name, "told that the database server is away", case::GONE, waits).await;

        scale_database(case, place, 1).await;
        case.until(&case.name, "gone", case::GONE, |tenant| tenant.is_none()).await;
        remains::nothing(case, &place, &case.name, &id).await;
    });
}

async fn scale_database(case: &Case, place: Place, replicas: i32) {
    let count = format!("--replicas={replicas}");
    case.lab.kubectl(&["scale", "deploy/mariadb", &count, "-n", place.namespace], "").expect("another scale");
    let deployments = Api::<Deployment>::namespaced(case.lab.client.clone(), place.namespace);
    let reached = |found: Option<&Deployment>| {
        let status = found.and_then(|found| found.status.clone()).unwrap_or_default();
        status.replicas.unwrap_or_default() == replicas && status.available_replicas.unwrap_or_default() == replicas
    };
    within(Duration::from_secs(90), "other number of MariaDB's pods", await_condition(deployments, "mariadb", reached)).await;
}

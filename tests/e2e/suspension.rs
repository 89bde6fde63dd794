//! Suspended and resumed, as visitors, programs and the site itself see it.

use serde_json::{Value, json};
use tenant_operator::api::Tenant;

use crate::bench::{GATEWAY_15, INGRESS_16, Place};
use crate::case::{self, Case, Company, READY};
use crate::edge::Door;
use crate::history::{condition, ready};
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};

const WORDS: &str = r#"Paid? <b>Call</b> us & say "hello" {{ 1 }} $(HOME)"#;

#[test]
fn a_suspended_tenant_behind_ingress_says_so_and_comes_back() {
    case::run("susp-a", Company::On(INGRESS_16.namespace), async |case| there_and_back(case, INGRESS_16).await);
}

#[test]
fn a_suspended_tenant_behind_a_gateway_says_so_and_comes_back() {
    case::run("susp-b", Company::On(GATEWAY_15.namespace), async |case| there_and_back(case, GATEWAY_15).await);
}

async fn there_and_back(case: &Case, place: Place) {
    let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
    let name = &case.name;
    case.apply(&tenant(name, CUSTOMERS, &plan, bench)).await;
    case.ready(&place, name).await;

    suspend(case, json!({"mode": "Maintenance", "reason": "unpaid", "publicMessage": WORDS})).await;
    until_suspended(case, "unpaid").await;
    for host in [place.frontend_host(name), place.api_host(name)] {
        let door = Door::public(&case.lab, &host).await;
        let page = door.with("Accept", "text/html").until("/", 503).await;
        assert!(!page.text.contains("<b>Call</b>"), "words of people are never markup: {}", page.text);
    }
    assert_eq!(config(case, &place)["maintenance_mode"], json!(1));
    assert_eq!(config(case, &place)["pause_scheduler"], json!(1));

    suspend(case, json!({"mode": "ReadOnly", "reason": "moving", "publicMessage": null})).await;
    until_suspended(case, "moving").await;
    let api = case.api(&place, name).await;
    api.until("/api/method/frappe.auth.get_logged_user", 200).await;
    assert_eq!(config(case, &place)["allow_reads_during_maintenance"], json!(1));

    suspend(case, Value::Null).await;
    let (resumed, _) = case.until(name, "Ready again", READY, |tenant| ready(tenant) && !is_suspended(tenant)).await;
    assert!(condition(&resumed.expect("a Tenant"), "Suspended").is_none());
    api.until("/api/method/frappe.auth.get_logged_user", 200).await;
    for key in ["maintenance_mode", "pause_scheduler", "allow_reads_during_maintenance"] {
        assert!(matches!(config(case, &place)[key].as_i64(), None | Some(0)), "{key} is left in the site's config");
    }
}

async fn suspend(case: &Case, how: Value) {
    case.change(&case.name, json!({"spec": {"suspend": how}})).await;
}

async fn until_suspended(case: &Case, why: &str) {
    let told = |tenant: Option<&Tenant>| ready(tenant) && is_suspended(tenant) && says_why(tenant, why);
    let (tenant, _) = case.until(&case.name, "Suspended", READY, told).await;
    let tenant = tenant.expect("a Tenant");
    assert_eq!(condition(&tenant, "Ready").map(|ready| ready.reason.as_str()), Some("Suspended"));
}

fn is_suspended(tenant: Option<&Tenant>) -> bool {
    tenant.and_then(|tenant| condition(tenant, "Suspended")).is_some_and(|said| said.status == "True")
}

fn says_why(tenant: Option<&Tenant>, why: &str) -> bool {
    tenant.and_then(|tenant| condition(tenant, "Suspended")).is_some_and(|said| said.message.contains(why))
}

fn config(case: &Case, place: &Place) -> Value {
    case.inside(place).site_config(&place.api_host(&case.name))
}

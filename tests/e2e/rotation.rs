//! Another API key: proven and published before the old one stops.

use serde_json::json;
use tenant_operator::api::Tenant;

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::case::{self, Case, Company, READY};
use crate::edge::Door;
use crate::history::ready;
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};

const WHO: &str = "/api/method/frappe.auth.get_logged_user";

#[test]
fn a_key_is_rotated_behind_ingress_on_frappe_15() {
    case::run("rot-a", Company::On(INGRESS_15.namespace), async |case| rotated(case, INGRESS_15).await);
}

#[test]
fn a_key_is_rotated_behind_a_gateway_on_frappe_16() {
    case::run("rot-b", Company::On(GATEWAY_16.namespace), async |case| rotated(case, GATEWAY_16).await);
}

async fn rotated(case: &Case, place: Place) {
    let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
    let name = &case.name;
    let mut wanted = tenant(name, CUSTOMERS, &plan, bench);
    wanted.spec.credentials.rotate_token = Some("one".to_owned());
    wanted.spec.credentials.overlap = Some("30s".to_owned());
    case.apply(&wanted).await;
    let (first, _) = case.ready(&place, name).await;
    assert_eq!(slot(Some(&first)), Some(("A", "one")), "a token that was there from the beginning rotates nothing");
    let old = case.api(&place, name).await;

    case.change(name, json!({"spec": {"credentials": {"rotateToken": "two"}}})).await;
    let rotated = |tenant: Option<&Tenant>| ready(tenant) && slot(tenant) == Some(("B", "two"));
    case.until(name, "Ready with another key", READY, rotated).await;
    let new = case.api(&place, name).await;
    assert_eq!(new.get(WHO).await.json()["message"], json!(format!("tenant-api-b@{}", place.api_host(name))));
    assert_eq!(old.get(WHO).await.status, 200, "the old key works on for the overlap");
    old.within(WHO, 401, READY).await;
    assert_eq!(new.get(WHO).await.status, 200, "the new key outlives the old one");
    only_one_pair_is_kept(case, &place).await;
}

async fn only_one_pair_is_kept(case: &Case, place: &Place) {
    let ids = case.ids.lock().expect("ids").clone();
    for (id, ..) in ids {
        let pairs = async || {
            let custody = case.lab.secret(place.namespace, &format!("{id}-custody")).await.expect("custody");
            custody.keys().filter(|key| key.starts_with("api-")).count()
        };
        crate::wait::until("one pair in custody", READY, async || pairs().await == 2).await;
    }
    let user = Door::inside(&case.lab, place.namespace, &place.api_host(&case.name)).await;
    assert_eq!(user.get("/api/method/ping").await.status, 200);
}

fn slot(tenant: Option<&Tenant>) -> Option<(&str, &str)> {
    let credentials = tenant?.status.as_ref()?.credentials.as_ref()?;
    Some((credentials.slot.as_str(), credentials.rotate_token.as_deref()?))
}

//! Two tenants on one bench, who must not reach each other.

use serde_json::json;

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::case::{self, Case, Company};
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};

#[test]
fn two_tenants_behind_ingress_do_not_reach_each_other() {
    case::run("two-a", Company::On(INGRESS_15.namespace), async |case| two(case, INGRESS_15).await);
}

#[test]
fn two_tenants_behind_a_gateway_do_not_reach_each_other() {
    case::run("two-b", Company::On(GATEWAY_16.namespace), async |case| two(case, GATEWAY_16).await);
}

async fn two(case: &Case, place: Place) {
    let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
    let names = ["x", "y"].map(|end| format!("{}-{end}", case.name));
    for name in &names {
        case.apply(&tenant(name, CUSTOMERS, &plan, bench.clone())).await;
    }
    for name in &names {
        case.ready(&place, name).await;
    }
    neither_key_opens_the_other_site(case, &place, &names).await;
    no_header_leads_to_the_other_site(case, &place, &names).await;
}

const WHO: &str = "/api/method/frappe.auth.get_logged_user";

async fn neither_key_opens_the_other_site(case: &Case, place: &Place, [x, y]: &[String; 2]) {
    for (host, holder) in [(x, y), (y, x)] {
        let key = case.lab.secret(CUSTOMERS, &format!("{holder}-credentials")).await.expect("a key");
        let host = crate::edge::Door::public(&case.lab, &place.api_host(host)).await;
        let answer = host.with_key(&key["api-key"], &key["api-secret"]).get(WHO).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
}

/// The site is chosen by the host that was asked, whatever a client claims.
async fn no_header_leads_to_the_other_site(case: &Case, place: &Place, [x, y]: &[String; 2]) {
    for (asked, other) in [(x, y), (y, x)] {
        let user = json!(format!("tenant-api-a@{}", place.api_host(asked)));
        let own = case.api(place, asked).await;
        for name in ["X-Frappe-Site-Name", "x-frappe-site-name"] {
            let answer = own.with(name, &place.api_host(other)).get(WHO).await;
            assert_eq!((answer.status, answer.json()["message"].clone()), (200, user.clone()), "{}", answer.text);
        }
        let twice = own.with("X-Frappe-Site-Name", &place.api_host(other)).with("X-Frappe-Site-Name", &place.api_host(other));
        assert_eq!(twice.get(WHO).await.json()["message"], user);
    }
}

//! Retain: the object goes, the site stays, and nobody comes by the name again without a person's word.

use std::time::Duration;

use kube::Api;
use kube::api::{DeleteParams, ListParams};
use tenant_operator::api::{Adoption, DeletionPolicy, Phase, Tenant, TenantClaim};

use crate::adoption;
use crate::bench::{GATEWAY_15, Place};
use crate::case::{self, Case, Company, GONE, READY, id};
use crate::edge::Door;
use crate::history::{self, condition, follow, says};
use crate::lab::CUSTOMERS;
use crate::remains;
use crate::tenant::{light_plan, tenant};

#[test]
fn a_retained_site_moves_with_its_tenant_to_another_namespace() {
    case::run("move", Company::On(GATEWAY_15.namespace), async |case| {
        let place = GATEWAY_15;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let (name, site) = (&case.name, place.api_host(&case.name));
        let mut before = tenant(name, CUSTOMERS, &plan, bench.clone());
        before.spec.deletion_policy = Some(DeletionPolicy::Retain);
        case.apply(&before).await;
        let (ready, _) = case.ready(&place, name).await;
        let installed = case.inside(&place).site_config(&site)["db_password"].clone();
        adoption::list(case, &bench, &site).await;

        let mut after = tenant(name, place.namespace, &plan, bench);
        after.spec.adoption = Adoption::TakeOver;
        case.apply(&after).await;
        let there = case.tenants(place.namespace);
        let held = |tenant: Option<&Tenant>| says(tenant, "Ready", "Conflict");
        follow(&there, name, "refused while the other is there", Duration::from_secs(60), held).await;

        case.delete(name).await;
        let (moved, _) = follow(&there, name, "Ready", READY, history::ready).await;
        assert_eq!(id(&moved.expect("a Tenant")), id(&ready), "it is the same tenant");
        assert_eq!(case.inside(&place).site_config(&site)["db_password"], installed, "with the same site");
        let api = case.api_of(place.namespace, &place, name).await;
        api.until("/api/method/frappe.auth.get_logged_user", 200).await;

        there.delete(name, &DeleteParams::default()).await.expect("a deletion");
        follow(&there, name, "gone", GONE, |tenant| tenant.is_none()).await;
        remains::nothing(case, &place, name, &id(&ready)).await;
    });
}

#[test]
fn a_retained_site_stays_and_is_not_taken_up_again_by_itself() {
    case::run("retain", Company::On(GATEWAY_15.namespace), async |case| {
        let place = GATEWAY_15;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let name = &case.name;
        let mut wanted = tenant(name, CUSTOMERS, &plan, bench);
        wanted.spec.deletion_policy = Some(DeletionPolicy::Retain);
        case.apply(&wanted).await;
        let (ready, _) = case.ready(&place, name).await;
        let key = case.lab.secret(CUSTOMERS, &format!("{name}-credentials")).await.expect("a key");

        case.delete(name).await;
        the_site_answers_but_not_to_the_key(case, &place, &key["api-key"], &key["api-secret"]).await;
        let record = record(case, &id(&ready)).await;

        case.apply(&wanted).await;
        let stalled =
            case.until(name, "Stalled", Duration::from_secs(30), |tenant| says(tenant, "Stalled", "AdoptionNeeded")).await;
        let again = stalled.0.expect("a Tenant");
        assert_eq!(condition(&again, "Ready").map(|ready| ready.status.as_str()), Some("False"));
        case.delete(name).await;
        assert_eq!(self::record(case, &id(&ready)).await, record, "the record was touched");
        the_site_answers_but_not_to_the_key(case, &place, &key["api-key"], &key["api-secret"]).await;
    });
}

async fn the_site_answers_but_not_to_the_key(case: &Case, place: &Place, key: &str, secret: &str) {
    let site = Door::inside(&case.lab, place.namespace, &place.api_host(&case.name)).await;
    assert_eq!(site.get("/api/method/ping").await.json()["message"], "pong");
    let answer = site.with_key(key, secret).get("/api/method/frappe.auth.get_logged_user").await;
    assert_eq!(answer.status, 401, "the key must be revoked: {}", answer.text);
    assert!(case.lab.secret(CUSTOMERS, &format!("{}-credentials", case.name)).await.is_none(), "the key is still published");
}

/// Version of the record, which is all that the tenant still holds beside its site.
async fn record(case: &Case, id: &str) -> Option<String> {
    let of_tenant = ListParams::default().labels(&format!("tenancy.nexuserp.io/id={id}"));
    let claims = Api::<TenantClaim>::all(case.lab.client.clone()).list(&of_tenant).await.expect("claims").items;
    let [claim] = claims.as_slice() else {
        panic!("the hosts must be free, the site's claim must stay: {} claims", claims.len())
    };
    assert_eq!(claim.spec.record.as_ref().map(|record| record.phase), Some(Phase::Retained));
    claim.metadata.resource_version.clone()
}

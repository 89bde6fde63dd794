//! What people change, and what they take away by mistake, while a tenant is in use.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::ApiResource;
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};
use tenant_operator::api::{InstalledApp, Tenant, TenantClaim, TenantPlan};

use crate::bench::{GATEWAY_15, INGRESS_16};
use crate::case::{self, Case, Company, id};
use crate::history::ready;
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};
use crate::wait::{first, within};

#[test]
fn a_changed_plan_and_a_changed_tenant_reach_the_site() {
    case::run("change", Company::On(INGRESS_16.namespace), async |case| {
        let place = INGRESS_16;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench);
        wanted.spec.site_config = serde_json::from_value(json!([{"name": "max_file_size", "value": 1000}])).expect("entries");
        case.apply(&wanted).await;
        case.ready(&place, &case.name).await;
        let config = || case.inside(&place).site_config(&place.api_host(&case.name));
        assert_eq!(config()["max_file_size"], json!(1000));

        let plans = Api::<TenantPlan>::all(case.lab.client.clone());
        let more = json!({"spec": {"apps": [{"name": "hrms"}], "siteConfig": [{"name": "allow_tests", "value": false}]}});
        plans.patch(&plan, &PatchParams::default(), &Patch::Merge(more)).await.expect("a changed plan");
        // All this time the tenant serves, and says so: the record tells when the last step is done.
        let claims = Api::<TenantClaim>::all(case.lab.client.clone());
        let of_tenant = format!("tenancy.nexuserp.io/tenant={}", case.name);
        first(claims, &of_tenant, "receipt of the changed settings", |claim| sets(claim, "allow_tests")).await;
        let has_hrms = |tenant: Option<&Tenant>| ready(tenant) && apps(tenant).any(|app| app.name == "hrms");
        case.until(&case.name, "Ready with the app of the changed plan", case::READY, has_hrms).await;
        assert_eq!((config()["allow_tests"].clone(), config()["max_file_size"].clone()), (json!(false), json!(1000)));

        let less = json!({"spec": {"siteConfig": null}});
        let tenants = case.tenants(CUSTOMERS);
        tenants.patch(&case.name, &PatchParams::default(), &Patch::Merge(less)).await.expect("a changed Tenant");
        case.until(&case.name, "Ready again", case::READY, ready).await;
        assert_eq!(config()["max_file_size"], Value::Null, "a key that is taken out of the spec is taken out of the site");
    });
}

fn apps(tenant: Option<&Tenant>) -> impl Iterator<Item = &InstalledApp> {
    tenant.and_then(|tenant| tenant.status.as_ref()).into_iter().flat_map(|status| &status.apps)
}

/// Whether the last run of the settings set this key of the site's config.
fn sets(claim: &TenantClaim, key: &str) -> bool {
    let receipt = claim.spec.record.as_ref().and_then(|record| record.receipts.get("settings"));
    let facts = receipt.and_then(|receipt| receipt.facts.as_ref());
    facts.and_then(|facts| facts["config"].as_array()).is_some_and(|keys| keys.contains(&json!(key)))
}

#[test]
fn a_route_and_a_secret_that_were_deleted_come_back() {
    case::run("repair", Company::On(GATEWAY_15.namespace), async |case| {
        let place = GATEWAY_15;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        case.apply(&tenant(&case.name, CUSTOMERS, &plan, bench)).await;
        let id = id(&case.ready(&place, &case.name).await.0);
        let secret = format!("{}-credentials", case.name);
        let before = case.lab.secret(CUSTOMERS, &secret).await;

        let route = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
        comes_back(case, place.namespace, &ApiResource::from_gvk(&route), &format!("{id}-api")).await;
        comes_back(case, CUSTOMERS, &ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Secret")), &secret).await;
        assert_eq!(case.lab.secret(CUSTOMERS, &secret).await, before, "the key is the same as before");
        let api = case.api(&place, &case.name).await;
        api.until("/api/method/frappe.auth.get_logged_user", 200).await;
    });
}

async fn comes_back(case: &Case, namespace: &str, kind: &ApiResource, name: &str) {
    let api = Api::<DynamicObject>::namespaced_with(case.lab.client.clone(), namespace, kind);
    let uid = api.get(name).await.expect("the object").uid();
    api.delete(name, &DeleteParams::default()).await.expect("a deletion");
    let another = |found: Option<&DynamicObject>| found.is_some_and(|found| found.uid() != uid);
    within(Duration::from_secs(60), &format!("new {} {name}", kind.kind), await_condition(api, name, another)).await;
}

//! A bench that fails in the middle, a person who changes his mind in the middle: both end well without anybody.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::{Api, ResourceExt};
use serde_json::json;
use tenant_operator::api::DeletionPolicy;

use crate::bench::{INGRESS_15, INGRESS_16};
use crate::case::{self, Company, id};
use crate::lab::CUSTOMERS;
use crate::remains;
use crate::tenant::{light_plan, tenant, whole_plan};
use crate::wait::first;

#[test]
fn a_site_that_was_killed_and_then_failed_half_made_is_made_whole() {
    case::run("fault", Company::On(INGRESS_16.namespace), async |case| {
        let place = INGRESS_16;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let once = |what: &str| json!({"do": what, "times": 1, "site": place.api_host(&case.name)});
        let faults = json!({"new-site:after-db": once("kill"), "new-site:after-schema": once("fail")});
        case.inside(&place).set_faults(&faults);
        case.finally(move |case| case.inside(&place).set_faults(&json!({})));

        case.apply(&tenant(&case.name, CUSTOMERS, &plan, bench)).await;
        let (ready, history) = case.ready(&place, &case.name).await;
        let said = history.message("SiteReady", "CreateFailed").expect("the condition says that it failed");
        assert!(said.contains("tried"), "{said}");
        assert!(history.message("Stalled", "CreateFailed").is_none(), "this needs no person");

        case.delete(&case.name).await;
        remains::nothing(case, &place, &case.name, &id(&ready)).await;
    });
}

#[test]
fn a_tenant_that_is_deleted_while_its_site_is_built_leaves_nothing() {
    case::run("mind", Company::On(INGRESS_15.namespace), async |case| {
        let place = INGRESS_15;
        let (plan, bench) = (case.plan(whole_plan).await, case.bench(place).await);
        let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench);
        // Of a site that never came to be there is nothing to archive.
        wanted.spec.deletion_policy = Some(DeletionPolicy::Archive);
        // However late this test sees it, the site never comes to be.
        let faults = json!({"new-site:after-db": {"do": "hang", "site": place.api_host(&case.name)}});
        case.inside(&place).set_faults(&faults);
        case.finally(move |case| case.inside(&place).set_faults(&json!({})));
        case.apply(&wanted).await;
        let pods = Api::<Pod>::namespaced(case.lab.client.clone(), place.namespace);
        let of_tenant = format!("tenancy.nexuserp.io/tenant={}", case.name);
        let runs = |pod: &Pod| pod.status.iter().flat_map(|status| &status.init_container_statuses).flatten().any(in_the_middle);
        let pod = first(pods, &of_tenant, "running step", runs).await;
        let id = pod.labels()["tenancy.nexuserp.io/id"].clone();
        case.remember(&place, &case.name, &id);

        case.delete(&case.name).await;
        remains::nothing(case, &place, &case.name, &id).await;
    });
}

fn in_the_middle(container: &ContainerStatus) -> bool {
    container.state.as_ref().is_some_and(|state| state.running.is_some())
}

//! Namespaces where the operator may not do what it wants: one that is deleted with a Tenant in it takes the operator's permissions there
//! away before the Tenant is gone, and one that no release names never gave any.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;
use tenant_operator::api::{Bench, BenchRef, Tenant};

use crate::bench::INGRESS_15;
use crate::case::{self, Case, Company, id};
use crate::history::{self, says};
use crate::lab::{CUSTOMERS, OPERATOR};
use crate::remains;
use crate::tenant::{light_plan, tenant};
use crate::wait::within;

#[test]
fn a_namespace_is_deleted_with_the_tenant_in_it() {
    case::run("space", Company::On(INGRESS_15.namespace), async |case| {
        let place = INGRESS_15;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let namespace = namespace(case).await;
        case.apply(&tenant(&case.name, &case.name, &plan, bench)).await;
        let tenants = case.tenants(&case.name);
        let (ready, _) = history::follow(&tenants, &case.name, "Ready", case::READY, history::ready).await;
        let id = id(&ready.expect("a Tenant"));
        case.remember(&place, &case.name, &id);

        let namespaces = Api::<Namespace>::all(case.lab.client.clone());
        let bindings = Api::<RoleBinding>::namespaced(case.lab.client.clone(), &case.name);
        namespaces.delete(&case.name, &DeleteParams::default()).await.expect("a deletion");
        // The namespace's own end does the same, sooner or later than the operator's work.
        let _ = bindings.delete("tenant-operator-tenants", &DeleteParams::default()).await;
        let uid = namespace.uid().expect("a uid");
        within(case::GONE, "end of the namespace", await_condition(namespaces, &case.name, conditions::is_deleted(&uid))).await;
        remains::nothing(case, &place, &case.name, &id).await;
    });
}

#[test]
fn a_bench_where_nothing_is_granted_says_so_and_is_no_place_for_a_tenant() {
    case::run("closed", Company::On(INGRESS_15.namespace), async |case| {
        empty_namespace(case).await;
        let at = BenchRef { name: case.name.clone(), namespace: case.name.clone() };
        let mut bench = INGRESS_15.bench(&at.name);
        bench.metadata.namespace = Some(at.namespace.clone());
        let benches = Api::<Bench>::namespaced(case.lab.client.clone(), &at.namespace);
        let made = benches.create(&PostParams::default(), &bench).await.expect("a Bench");
        case.bench_says(&at, "ClusterDenied", "forbidden").await;

        let plan = case.plan(light_plan).await;
        case.apply(&tenant(&case.name, CUSTOMERS, &plan, at)).await;
        let told = |tenant: Option<&Tenant>| says(tenant, "Ready", "ClusterDenied");
        case.until(&case.name, "told what is not granted", Duration::from_secs(60), told).await;
        case.delete(&case.name).await;

        benches.delete(&case.name, &DeleteParams::default()).await.expect("a deletion");
        let uid = made.uid().expect("a uid");
        let gone = await_condition(benches, &case.name, conditions::is_deleted(&uid));
        within(case::GONE, "end of the Bench", gone).await;
    });
}

/// With the permissions that the chart gives the operator in a namespace of tenants.
async fn namespace(case: &Case) -> Namespace {
    let made = empty_namespace(case).await;
    let binding = serde_json::from_value(json!({
        "metadata": {"name": "tenant-operator-tenants"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "tenant-operator-tenants"},
        "subjects": [{"kind": "ServiceAccount", "name": "tenant-operator", "namespace": OPERATOR}],
    }));
    let bindings = Api::<RoleBinding>::namespaced(case.lab.client.clone(), &case.name);
    bindings.create(&PostParams::default(), &binding.expect("a binding")).await.expect("a binding");
    made
}

/// Of the test's own name.
async fn empty_namespace(case: &Case) -> Namespace {
    let object = serde_json::from_value(json!({"metadata": {"name": case.name}})).expect("a namespace");
    let namespaces = Api::<Namespace>::all(case.lab.client.clone());
    let made = namespaces.create(&PostParams::default(), &object).await.expect("a namespace");
    case.finally(|case| drop(case.lab.kubectl(&["delete", "namespace", &case.name, "--wait=false", "--ignore-not-found"], "")));
    made
}

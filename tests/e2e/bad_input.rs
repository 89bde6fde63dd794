//! What a person gets wrong is said in words, and heals by itself where something outside puts it right.

use std::time::Duration;

use kube::api::DeleteParams;
use serde_json::json;
use tenant_operator::api::{App, BenchRef, SecretKeyRef};

use crate::bench::{GATEWAY_15, GATEWAY_16, INGRESS_15, INGRESS_16};
use crate::case::{self, Company};
use crate::edge::Door;
use crate::history::{condition, says};
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_tenant_of_an_unknown_plan_waits_for_the_plan() {
    case::run("noplan", Company::On(GATEWAY_16.namespace), async |case| {
        let bench = case.bench(GATEWAY_16).await;
        case.apply(&tenant(&case.name, CUSTOMERS, &case.name, bench)).await;
        let seen =
            case.until(&case.name, "told that its plan is missing", SOON, |tenant| says(tenant, "Ready", "PlanNotFound")).await;
        let ready = condition(seen.0.as_ref().expect("a Tenant"), "Ready").expect("Ready").clone();
        assert_eq!(ready.status, "False");
        assert!(ready.message.contains(&case.name), "{}", ready.message);

        case.plan(light_plan).await;
        case.ready(&GATEWAY_16, &case.name).await;
    });
}

#[test]
fn an_app_that_the_bench_does_not_have_stalls_the_tenant() {
    case::run("noapp", Company::On(INGRESS_16.namespace), async |case| {
        let (plan, bench) = (case.plan(light_plan).await, case.bench(INGRESS_16).await);
        let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench);
        wanted.spec.apps = vec![App { name: "no_such_app".to_owned() }];
        case.apply(&wanted).await;
        let seen = case.until(&case.name, "Stalled", case::READY, |tenant| says(tenant, "Stalled", "AppMissing")).await;
        let stalled = condition(seen.0.as_ref().expect("a Tenant"), "Stalled").expect("Stalled").clone();
        assert!(stalled.message.contains("no_such_app"), "{}", stalled.message);

        for host in [INGRESS_16.frontend_host(&case.name), INGRESS_16.api_host(&case.name)] {
            let answer = Door::public(&case.lab, &host).await.until("/login", 503).await;
            assert!(answer.retry_after.is_some(), "a tenant that is being prepared says when to come again");
        }
    });
}

#[test]
fn a_tenant_waits_for_a_secret_that_it_names() {
    case::run("nosecret", Company::On(GATEWAY_15.namespace), async |case| {
        let (plan, bench) = (case.plan(light_plan).await, case.bench(GATEWAY_15).await);
        let secret = format!("{}-admin", case.name);
        let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench);
        wanted.spec.admin.password_secret_ref = Some(SecretKeyRef { name: secret.clone(), key: "password".to_owned() });
        case.apply(&wanted).await;
        let seen =
            case.until(&case.name, "told that a Secret is missing", SOON, |tenant| says(tenant, "Ready", "SecretMissing")).await;
        let ready = condition(seen.0.as_ref().expect("a Tenant"), "Ready").expect("Ready").clone();
        assert!(ready.message.contains(&secret), "{}", ready.message);

        case.secret(CUSTOMERS, &secret, "password", "correct-Horse-7-battery-staple").await;
        case.ready(&GATEWAY_15, &case.name).await;
    });
}

#[test]
fn a_host_that_another_namespace_holds_is_refused_without_its_name_until_it_is_free() {
    case::run("conflict", Company::On(INGRESS_15.namespace), async |case| {
        let place = INGRESS_15;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let holder = format!("{}-holder", case.name);
        let claimant = |name: &str, namespace: &str, bench: BenchRef| {
            let mut wanted = tenant(name, namespace, &plan, bench);
            wanted.spec.subdomain = case.name.clone();
            wanted
        };
        // The bench's own namespace: one that the operator may write Secrets in.
        case.apply(&claimant(&holder, place.namespace, bench.clone())).await;
        let holders = case.tenants(place.namespace);
        crate::history::follow(&holders, &holder, "claimed", SOON, |tenant| says(tenant, "Claimed", "Claimed")).await;

        case.apply(&claimant(&case.name, CUSTOMERS, bench)).await;
        let seen = case.until(&case.name, "refused", SOON, |tenant| says(tenant, "Ready", "Conflict")).await;
        let said = json!(seen.0.expect("a Tenant").status).to_string();
        assert!(said.contains("held by"), "{said}");
        assert!(!said.contains(&holder), "the holder of another namespace is named: {said}");

        holders.delete(&holder, &DeleteParams::default()).await.expect("a deletion");
        case.ready(&place, &case.name).await;
    });
}

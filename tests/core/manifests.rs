//! Routes, certificate and Job, as they are applied.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use tenant_operator::api::{Hosts, Phase, Receipt, Record, Suspend};
use tenant_operator::core::manifests::certificate::certificate;
use tenant_operator::core::manifests::job::job;
use tenant_operator::core::manifests::routes::routes;
use tenant_operator::core::manifests::{Child, covers};
use tenant_operator::core::op::{JobKind, JobPlan};
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{Remembered, Subject};

use crate::{golden, objects};

pub const ID: &str = "7f3a9c1e5b2d4a60";
const NOON: &str = "2026-11-21T12:00:00Z";

pub fn noon() -> k8s_openapi::jiff::Timestamp {
    NOON.parse().expect("a time")
}

pub fn receipt(hash: &str, facts: Value) -> Receipt {
    Receipt { hash: hash.to_owned(), version: "1".to_owned(), at: Time(noon()), facts: Some(facts) }
}

pub fn remember(who: &mut Subject, receipts: &[(Step, Receipt)]) {
    let record = Record {
        subdomain: who.subdomain.clone(),
        bench: who.bench_ref(),
        bench_path: who.bench.spec.path.clone(),
        sites_claim: who.bench.spec.sites_volume.claim_name.clone(),
        site_name: who.site.clone(),
        database: who.database.clone(),
        hosts: Hosts { frontend: who.hosts.frontend.clone(), api: who.hosts.api.clone() },
        credentials_secret: who.credentials_secret.clone(),
        created_at: Time(noon()),
        first_ready_at: None,
        phase: Phase::Active,
        receipts: receipts.iter().map(|(step, receipt)| (step.as_str().to_owned(), receipt.clone())).collect(),
        origin: Default::default(),
        plan: None,
        rotation: Default::default(),
        left: vec![],
        archive: None,
    };
    who.record = Some(Remembered { record, version: "17".to_owned() });
}

/// A Bench behind a Gateway, with flat API hosts.
fn gateway() -> Value {
    let mut bench = objects::bench();
    let spec = &mut bench["spec"];
    spec["edge"] =
        json!({"type": "Gateway", "gateway": {"parentRef": {"name": "seagate", "namespace": "walls", "sectionName": "tls"}}});
    spec["tls"] = json!({"mode": "Gateway"});
    spec["hosts"]["api"] = json!("data-{subdomain}.{domain}");
    spec["siteNameTemplate"] = json!("data-{subdomain}.{domain}");
    bench
}

fn values(children: Vec<Child>) -> Vec<Value> {
    let value = |child: &Child| match child {
        Child::Ingress(child) => serde_json::to_value(child),
        Child::HttpRoute(child) => serde_json::to_value(child),
        Child::Certificate(child) => serde_json::to_value(child),
    };
    children.iter().map(|child| value(child).expect("a child")).collect()
}

fn serving(bench: Value) -> Subject {
    let mut who = objects::subject(ID, bench, noon());
    remember(&mut who, &[(Step::Proof, receipt("any", Value::Null))]);
    who
}

fn suspended(bench: Value) -> Subject {
    let mut who = serving(bench);
    who.want.as_mut().expect("a tenant on its way up").suspend = Some(Suspend::default());
    who
}

#[test]
fn an_ingress_leads_to_the_preparing_page_and_then_to_the_bench() {
    let preparing = objects::subject(ID, objects::bench(), noon());
    golden::is("ingress-preparing.yaml", &values(routes(&preparing)));
    golden::is("ingress.yaml", &values(routes(&serving(objects::bench()))));
    golden::is("ingress-suspended.yaml", &values(routes(&suspended(objects::bench()))));
}

#[test]
fn http_routes_lead_to_the_preparing_page_and_then_overwrite_the_header_that_chooses_the_site() {
    let preparing = objects::subject(ID, gateway(), noon());
    golden::is("http-routes-preparing.yaml", &values(routes(&preparing)));
    golden::is("http-routes.yaml", &values(routes(&serving(gateway()))));
    golden::is("http-routes-suspended.yaml", &values(routes(&suspended(gateway()))));
}

#[test]
fn one_certificate_covers_both_hosts_where_an_issuer_signs_and_none_is_made_where_the_gateway_has_one() {
    let who = objects::subject(ID, objects::bench(), noon());
    golden::is("certificate.yaml", &values(certificate(&who).into_iter().collect()));
    assert!(certificate(&objects::subject(ID, gateway(), noon())).is_none());
}

#[test]
fn what_was_applied_covers_itself_and_the_preparing_routes_do_not_cover_the_serving_ones() {
    let (before, after) =
        (values(routes(&objects::subject(ID, objects::bench(), noon()))), values(routes(&serving(objects::bench()))));
    assert!(covers(&after[0], &after[0]));
    assert!(!covers(&before[0], &after[0]));
}

/// One that is looked at at noon.
fn who() -> Subject {
    Subject { now: noon(), ..objects::subject(ID, objects::bench(), noon()) }
}

fn plan(kind: JobKind, containers: Vec<(&'static str, Vec<Step>)>) -> JobPlan {
    let steps = containers.iter().flat_map(|(_, steps)| steps);
    let hashes = steps.map(|step| (*step, format!("hash-of-{}", step.as_str()))).collect();
    JobPlan { name: format!("{ID}-{}-0a1b2c3d-2", kind.as_str()), kind, attempt: 2, containers, hashes }
}

fn source() -> Deployment {
    objects::read(json!({
        "metadata": {"name": "crane-web"},
        "spec": {"selector": {}, "template": {"spec": {
            "nodeSelector": {"deck": "upper"},
            "imagePullSecrets": [{"name": "pull"}],
            "securityContext": {"runAsUser": 1234, "supplementalGroups": [77]},
            "containers": [{
                "name": "web",
                "image": "registry.port.test/frappe:15",
                "env": [{"name": "SECRET_OF_THE_BENCH", "value": "stays there"}],
                "volumeMounts": [
                    {"name": "sites", "mountPath": "/srv/frappe/dock/sites"},
                    {"name": "tmp", "mountPath": "/tmp"},
                ],
            }],
            "volumes": [
                {"name": "sites", "persistentVolumeClaim": {"claimName": "hold"}},
                {"name": "tmp", "emptyDir": {}},
            ],
        }}},
    }))
}

#[test]
fn the_job_that_provisions_is_the_benchs_own_pod_with_our_program() {
    let who = who();
    let containers = vec![("site", vec![Step::Create, Step::Apps]), ("tenant", vec![Step::Settings, Step::Keys])];
    golden::is("job-provision.yaml", &job(&who, &plan(JobKind::Provision, containers), Some(&source())));
}

#[test]
fn the_job_that_removes_does_without_custody_and_without_a_deployment_to_copy() {
    let mut who = who();
    remember(&mut who, &[(Step::Create, receipt("any", Value::Null))]);
    if let Some(remembered) = &mut who.record {
        remembered.record.archive = Some(format!("archived_sites/{ID}/20261121T120000Z"));
    }
    let containers = vec![("tenant", vec![Step::Archive, Step::Drop])];
    golden::is("job-remove.yaml", &job(&who, &plan(JobKind::Remove, containers), None));
}

#[test]
fn no_secret_and_no_dollar_sign_stands_in_a_job() {
    let mut who = objects::subject(ID, objects::bench(), noon());
    if let Some(want) = &mut who.want {
        want.admin.first_name = Some("$(TENANT_DB_ROOT_PASSWORD) $$(HOME) \"quoted\"\n{{x}}".to_owned());
    }
    let containers = vec![("tenant", vec![Step::Settings])];
    let manifest = serde_json::to_value(job(&who, &plan(JobKind::Provision, containers), None)).expect("a Job");
    let container = &manifest["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().expect("variables");
    let input = variables.iter().find(|variable| variable["name"] == "TENANT_STEP_INPUT").expect("the input");
    let text = input["value"].as_str().expect("text");
    assert!(!text.contains('$'), "the kubelet would expand it: {text}");
    let input: Value = serde_json::from_str(text).expect("still JSON");
    assert_eq!(input["settings"]["admin"]["firstName"], "$(TENANT_DB_ROOT_PASSWORD) $$(HOME) \"quoted\"\n{{x}}");
    for variable in variables.iter().filter(|variable| variable["name"] != "TENANT_STEP_INPUT") {
        let plain = variable["value"].as_str().unwrap_or_default();
        assert!(!variable["name"].as_str().unwrap_or_default().contains("PASSWORD") || plain.is_empty(), "{variable}");
    }
}

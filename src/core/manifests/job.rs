//! The Job that works on one tenant's site.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, SecretKeySelector};

use k8s_openapi::jiff::Timestamp;

use super::owned_meta;
use super::pod::BenchPod;
use crate::core::names;
use crate::core::op::JobPlan;
use crate::core::steps::{Step, input};
use crate::core::subject::Subject;

/// `source` is the Deployment that the Bench names in `jobs.podFrom`.
pub fn job(who: &Subject, plan: &JobPlan, source: Option<&Deployment>) -> Job {
    let bench = BenchPod::new(&who.bench.spec, source);
    let input = input(who);
    let containers: Vec<Container> = plan
        .containers
        .iter()
        .map(|(name, steps)| bench.container(name, steps.iter().map(|step| step.as_str()), &input, secrets(who, steps)))
        .collect();
    let mut metadata = owned_meta(who, &plan.name);
    let mut labels = who.labels();
    labels.insert(names::label::STEP.to_owned(), plan.kind.as_str().to_owned());
    metadata.labels = Some(labels.clone());
    metadata.annotations = Some(annotations(who, plan));
    Job { metadata, spec: Some(bench.job(labels, containers)), status: None }
}

fn annotations(who: &Subject, plan: &JobPlan) -> BTreeMap<String, String> {
    let hashes: BTreeMap<&str, &String> = plan.hashes.iter().map(|(step, hash)| (step.as_str(), hash)).collect();
    [
        (names::annotation::HASHES.to_owned(), serde_json::json!(hashes).to_string()),
        (names::annotation::ATTEMPT.to_owned(), plan.attempt.to_string()),
        (names::annotation::AT.to_owned(), at(who.now)),
    ]
    .into()
}

/// In whole seconds, as the times of receipts are kept.
pub fn at(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Each from the Secret that holds it.
fn secrets(who: &Subject, run: &[Step]) -> Vec<EnvVar> {
    let secret = |name: &str, from: &str, key: &str, optional: bool| EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: from.to_owned(),
                key: key.to_owned(),
                optional: optional.then_some(true),
            }),
            ..Default::default()
        }),
    };
    let root = &who.bench.spec.database.root_secret_ref;
    let custody = names::custody(&who.id);
    let mut env = vec![secret("TENANT_DB_ROOT_PASSWORD", &root.name, &root.key, false)];
    // Custody may be gone already when a half-made tenant is removed.
    let leaving = run.iter().any(|step| matches!(step, Step::Archive | Step::Drop | Step::Revoke));
    for (name, key) in CUSTODY {
        env.push(secret(name, &custody, key, leaving));
    }
    if run.contains(&Step::Settings) {
        let inputs = names::inputs(&who.id);
        env.extend(who.secret_inputs().iter().map(|input| secret(&input.env, &inputs, &input.env, false)));
    }
    env
}

/// What the custody Secret holds, and the variable that carries each into a Job.
pub const CUSTODY: [(&str, &str); 4] = [
    ("TENANT_DB_PASSWORD", "db-password"),
    ("TENANT_ENCRYPTION_KEY", "encryption-key"),
    ("TENANT_API_KEY", "api-key"),
    ("TENANT_API_SECRET", "api-secret"),
];

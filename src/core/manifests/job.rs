//! The Job that works on one tenant's site.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, SecretKeySelector};

use serde_json::{Value, json};

use super::owned_meta;
use super::pod::BenchPod;
use crate::core::op::JobPlan;
use crate::core::steps::{Step, input};
use crate::core::subject::Subject;
use crate::core::{names, rotation, templates};

/// `source` is the Deployment that the Bench names in `jobs.podFrom`.
pub fn job(who: &Subject, plan: &JobPlan, source: Option<&Deployment>) -> Job {
    let bench = BenchPod::new(&who.bench.spec, source);
    let mut input = with_template(who, plan, bench.image(), input(who));
    // Not part of what a step's hash is made of: by it a site tells a Job from those that were made before it.
    input["issued"] = serde_json::json!(who.now.as_millisecond());
    let containers: Vec<Container> = plan
        .containers
        .iter()
        .map(|(name, steps)| bench.container(name, steps.iter().map(|step| step.as_str()), &input, secrets(who, steps)))
        .collect();
    let mut metadata = owned_meta(who, &plan.name);
    let mut labels = who.labels();
    labels.insert(names::label::STEP.to_owned(), plan.kind.as_str().to_owned());
    metadata.labels = Some(labels.clone());
    metadata.annotations = Some(annotations(plan));
    Job { metadata, spec: Some(bench.job(labels, containers)), status: None }
}

/// A site that is to be made is made from a template, where there is one of the image that the Job runs in. No part of what the step
/// is known by: the site comes to be the same.
fn with_template(who: &Subject, plan: &JobPlan, image: Option<String>, mut input: Value) -> Value {
    let makes = plan.hashes.contains_key(&Step::Create) && !who.expects_site() && !who.is_adopted();
    let fitting = who.template.as_ref().filter(|template| makes && Some(&template.image) == image.as_ref());
    if let Some(content) = fitting.and_then(|template| template.content.as_ref()) {
        let owner = templates::owner(&who.cluster, &who.bench_ref());
        input["template"] = json!({"owner": owner, "name": content, "recipe": templates::RECIPE});
    }
    input
}

fn annotations(plan: &JobPlan) -> BTreeMap<String, String> {
    let hashes: BTreeMap<&str, &String> = plan.hashes.iter().map(|(step, hash)| (step.as_str(), hash)).collect();
    [
        (names::annotation::HASHES.to_owned(), serde_json::json!(hashes).to_string()),
        (names::annotation::ATTEMPT.to_owned(), plan.attempt.to_string()),
    ]
    .into()
}

/// A variable from the Secret that holds its value.
pub fn secret(name: &str, from: &str, key: &str, optional: bool) -> EnvVar {
    EnvVar {
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
    }
}

/// Each from the Secret that holds it.
fn secrets(who: &Subject, run: &[Step]) -> Vec<EnvVar> {
    let root = &who.bench.spec.database.root_secret_ref;
    let custody = names::custody(&who.id);
    let mut env = vec![secret("TENANT_DB_ROOT_PASSWORD", &root.name, &root.key, false)];
    // Custody may be gone already when a half-made tenant is removed.
    let leaving = run.iter().any(|step| matches!(step, Step::Archive | Step::Drop | Step::Revoke));
    // A report is made before there is any custody, and its key is nobody's yet.
    if !run.contains(&Step::Report) {
        for (name, key) in in_custody(who) {
            env.push(secret(name, &custody, key, leaving));
        }
        for (name, key) in PAIR.into_iter().zip(names::pair(rotation::newest(who))) {
            env.push(secret(name, &custody, &key, leaving));
        }
    }
    if run.contains(&Step::Settings) {
        let inputs = names::inputs(&who.id);
        env.extend(who.secret_inputs().iter().map(|input| secret(&input.env, &inputs, &input.env, false)));
    }
    env
}

/// What the tenant has in custody besides the pairs of its key: an adopted site keeps its encryption key and its database's password to itself.
pub fn in_custody(who: &Subject) -> Vec<(&'static str, &'static str)> {
    let own = |key: &str| ["db-password", "encryption-key"].contains(&key);
    CUSTODY.into_iter().filter(|(_, key)| !who.is_adopted() || !own(key)).collect()
}

/// What the custody Secret holds besides the pairs of the API key, and the variable that carries each into a Job.
pub const CUSTODY: [(&str, &str); 2] = [("TENANT_DB_PASSWORD", "db-password"), ("TENANT_ENCRYPTION_KEY", "encryption-key")];

/// The variables that carry the newest pair.
const PAIR: [&str; 2] = ["TENANT_API_KEY", "TENANT_API_SECRET"];

//! The Job that works on a site: the bench's own image, volumes and placement, as its user.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Affinity, ConfigMapVolumeSource, Container, EmptyDirVolumeSource, EnvVar, EnvVarSource, PersistentVolumeClaimVolumeSource,
    PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, SecretKeySelector, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{answer, owned_meta, steps};
use crate::api::duration;
use crate::core::names;
use crate::core::op::JobPlan;
use crate::core::steps::{Step, input_variable};
use crate::core::subject::Subject;

const PROGRAM: &str = "/tenant-operator/steps";
/// frappe_docker's user; a Deployment that says otherwise is followed.
const FRAPPE_USER: i64 = 1000;
/// Long enough for the evidence of a failed Job to be copied into the Tenant's status, and to be looked at.
const KEPT_SECONDS: i32 = 3600;
/// Where the Bench says nothing: installing ERPNext takes one to two minutes of a busy core.
const DEADLINE_SECONDS: i64 = 900;

/// `source` is the Deployment that the Bench names in `jobs.podFrom`; what the Bench says itself overrides it.
pub fn job(who: &Subject, plan: &JobPlan, source: Option<&Deployment>) -> Job {
    let template = source.and_then(|source| source.spec.template.spec.clone()).unwrap_or_default();
    let mut pod = pod(who, &template);
    let mut containers: Vec<Container> =
        plan.containers.iter().map(|(name, steps)| container(who, name, steps, &template)).collect();
    pod.containers = containers.pop().into_iter().collect();
    pod.init_containers = (!containers.is_empty()).then_some(containers);
    let mut metadata = owned_meta(who, &plan.name);
    let mut labels = who.labels();
    labels.insert(names::label::STEP.to_owned(), plan.kind.as_str().to_owned());
    metadata.labels = Some(labels.clone());
    metadata.annotations = Some(annotations(plan));
    Job {
        metadata,
        spec: Some(JobSpec {
            backoff_limit: Some(0),
            active_deadline_seconds: Some(deadline(who)),
            ttl_seconds_after_finished: Some(KEPT_SECONDS),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..Default::default() }),
                spec: Some(pod),
            },
            ..Default::default()
        }),
        status: None,
    }
}

fn annotations(plan: &JobPlan) -> BTreeMap<String, String> {
    let hashes: BTreeMap<&str, &String> = plan.hashes.iter().map(|(step, hash)| (step.as_str(), hash)).collect();
    [
        (names::annotation::HASHES.to_owned(), serde_json::json!(hashes).to_string()),
        (names::annotation::ATTEMPT.to_owned(), plan.attempt.to_string()),
    ]
    .into()
}

fn deadline(who: &Subject) -> i64 {
    let given = who.bench.spec.jobs.deadline.as_deref().and_then(|text| duration::parse(text).ok());
    given.and_then(|deadline| i64::try_from(deadline.as_secs()).ok()).unwrap_or(DEADLINE_SECONDS)
}

fn pod(who: &Subject, from: &PodSpec) -> PodSpec {
    let mut security = from.security_context.clone().unwrap_or_default();
    security.run_as_non_root = Some(true);
    security.run_as_user.get_or_insert(FRAPPE_USER);
    security.run_as_group.get_or_insert(FRAPPE_USER);
    security.seccomp_profile.get_or_insert_with(|| SeccompProfile { type_: "RuntimeDefault".to_owned(), ..Default::default() });
    PodSpec {
        restart_policy: Some("Never".to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        image_pull_secrets: from.image_pull_secrets.clone(),
        node_selector: from.node_selector.clone(),
        tolerations: from.tolerations.clone(),
        // Pod (anti-)affinity is about the Deployment's own pods.
        affinity: from
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.clone())
            .map(|node| Affinity { node_affinity: Some(node), ..Default::default() }),
        security_context: Some(PodSecurityContext { ..security }),
        volumes: Some(volumes(who, from)),
        ..Default::default()
    }
}

/// The Deployment's volumes as far as they are mounted where a bench has files, the program, and what is missing of sites and logs.
fn volumes(who: &Subject, from: &PodSpec) -> Vec<Volume> {
    let mounts = bench_mounts(who, from);
    let mut volumes: Vec<Volume> =
        from.volumes.iter().flatten().filter(|volume| mounts.iter().any(|mount| mount.name == volume.name)).cloned().collect();
    let claim = PersistentVolumeClaimVolumeSource { claim_name: who.bench.spec.sites_volume.claim_name.clone(), read_only: None };
    let missing = |name: &str| !volumes.iter().any(|volume| volume.name == name);
    let sites = missing_mount(&mounts, &sites_path(who)).filter(|_| missing("tenant-sites"));
    let logs = missing_mount(&mounts, &logs_path(who)).filter(|_| missing("tenant-logs"));
    let sites =
        sites.map(|()| Volume { name: "tenant-sites".to_owned(), persistent_volume_claim: Some(claim), ..Default::default() });
    let logs = logs.map(|()| Volume {
        name: "tenant-logs".to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Default::default()
    });
    volumes.extend(sites.into_iter().chain(logs));
    volumes.push(Volume {
        name: "tenant-steps".to_owned(),
        config_map: Some(ConfigMapVolumeSource { name: steps::name(), ..Default::default() }),
        ..Default::default()
    });
    volumes
}

fn sites_path(who: &Subject) -> String {
    format!("{}/sites", who.bench.spec.path)
}

fn logs_path(who: &Subject) -> String {
    format!("{}/logs", who.bench.spec.path)
}

fn missing_mount(mounts: &[VolumeMount], path: &str) -> Option<()> {
    (!mounts.iter().any(|mount| mount.mount_path.trim_end_matches('/') == path)).then_some(())
}

/// The mounts of the Deployment's first container that lie below the bench's path, but no Secret or ConfigMap of its own.
fn bench_mounts(who: &Subject, from: &PodSpec) -> Vec<VolumeMount> {
    let below = format!("{}/", who.bench.spec.path);
    let mounts = from.containers.first().and_then(|container| container.volume_mounts.clone()).unwrap_or_default();
    mounts.into_iter().filter(|mount| mount.mount_path.starts_with(&below)).collect()
}

fn container(who: &Subject, name: &str, run: &[Step], from: &PodSpec) -> Container {
    let spec = &who.bench.spec;
    let mut mounts = bench_mounts(who, from);
    let mount = |name: &str, path: String| VolumeMount { name: name.to_owned(), mount_path: path, ..Default::default() };
    let sites = missing_mount(&mounts, &sites_path(who)).map(|()| mount("tenant-sites", sites_path(who)));
    let logs = missing_mount(&mounts, &logs_path(who)).map(|()| mount("tenant-logs", logs_path(who)));
    mounts.extend(sites.into_iter().chain(logs));
    mounts.push(VolumeMount { read_only: Some(true), ..mount("tenant-steps", PROGRAM.to_owned()) });
    let first = from.containers.first();
    Container {
        name: name.to_owned(),
        image: spec.jobs.image.clone().or_else(|| first?.image.clone()),
        image_pull_policy: first.and_then(|first| first.image_pull_policy.clone()),
        command: Some(vec![format!("{}/env/bin/python", spec.path), format!("{PROGRAM}/main.py")]),
        args: Some(run.iter().map(|step| step.as_str().to_owned()).collect()),
        working_dir: Some(sites_path(who)),
        env: Some(environment(who, run)),
        volume_mounts: Some(mounts),
        resources: spec.jobs.resources.clone(),
        security_context: Some(answer::restricted(None)),
        termination_message_policy: Some("File".to_owned()),
        ..Default::default()
    }
}

/// Plain values first, then the secrets, each from the Secret that holds it.
fn environment(who: &Subject, run: &[Step]) -> Vec<EnvVar> {
    let home = who.bench.spec.path.rsplit_once('/').map_or("/", |(parent, _)| parent);
    let plain = |name: &str, value: &str| EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None };
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
    let mut env = vec![
        plain("HOME", home),
        plain("LANG", "C.UTF-8"),
        plain("PYTHONDONTWRITEBYTECODE", "1"),
        plain("TENANT_STEP_INPUT", &input_variable(who)),
        secret("TENANT_DB_ROOT_PASSWORD", &root.name, &root.key, false),
    ];
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

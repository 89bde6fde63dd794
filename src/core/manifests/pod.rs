//! The pod that works in a bench, for whatever Job: the bench's own image, volumes and placement, as its user.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::JobSpec;
use k8s_openapi::api::core::v1::{
    Affinity, ConfigMapVolumeSource, Container, EmptyDirVolumeSource, EnvVar, PersistentVolumeClaimVolumeSource,
    PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::{answer, steps};
use crate::api::BenchSpec;

const PROGRAM: &str = "/tenant-operator/steps";
/// frappe_docker's user; a Deployment that says otherwise is followed.
const FRAPPE_USER: i64 = 1000;
/// What the restricted Pod Security Standard takes.
const SELINUX_TYPES: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
/// Long enough for the evidence of a failed Job to be copied into the Tenant's status, and to be looked at.
const KEPT_SECONDS: i32 = 3600;

pub struct BenchPod<'a> {
    spec: &'a BenchSpec,
    from: PodSpec,
}

impl<'a> BenchPod<'a> {
    /// `source` is the Deployment that the Bench names in `jobs.podFrom`; what the Bench says itself overrides it.
    pub fn new(spec: &'a BenchSpec, source: Option<&Deployment>) -> Self {
        Self { spec, from: source.and_then(|source| source.spec.template.spec.clone()).unwrap_or_default() }
    }

    pub fn image(&self) -> Option<String> {
        self.spec.jobs.image.clone().or_else(|| self.from.containers.first()?.image.clone())
    }

    /// A Job that runs these containers one after the other, and once.
    pub fn job(&self, labels: BTreeMap<String, String>, mut containers: Vec<Container>) -> JobSpec {
        let last = containers.pop();
        let pod = PodSpec {
            containers: last.into_iter().collect(),
            init_containers: (!containers.is_empty()).then_some(containers),
            ..self.pod()
        };
        JobSpec {
            backoff_limit: Some(0),
            active_deadline_seconds: i64::try_from(self.spec.jobs.deadline().as_secs()).ok(),
            ttl_seconds_after_finished: Some(KEPT_SECONDS),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..Default::default() }),
                spec: Some(pod),
            },
            ..Default::default()
        }
    }

    /// A container that runs steps of the program; `secrets` are the further variables that they read.
    pub fn container<'s>(
        &self,
        name: &str,
        steps: impl IntoIterator<Item = &'s str>,
        input: &Value,
        secrets: Vec<EnvVar>,
    ) -> Container {
        let first = self.from.containers.first();
        let mut env = self.environment(input);
        env.extend(secrets);
        Container {
            name: name.to_owned(),
            image: self.image(),
            image_pull_policy: first.and_then(|first| first.image_pull_policy.clone()),
            command: Some(vec![format!("{}/env/bin/python", self.spec.path), format!("{PROGRAM}/main.py")]),
            args: Some(steps.into_iter().map(str::to_owned).collect()),
            working_dir: Some(self.sites()),
            env: Some(env),
            volume_mounts: Some(self.mounts()),
            resources: self.spec.jobs.resources.clone(),
            security_context: Some(answer::restricted(None)),
            termination_message_policy: Some("File".to_owned()),
            ..Default::default()
        }
    }

    fn environment(&self, input: &Value) -> Vec<EnvVar> {
        let home = self.spec.path.rsplit_once('/').map_or("/", |(parent, _)| parent);
        // The kubelet would expand `$(NAME)`, so no dollar sign is written as such.
        let input = input.to_string().replace('$', "\\u0024");
        let plain =
            |(name, value): (&str, &str)| EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None };
        [("HOME", home), ("LANG", "C.UTF-8"), ("PYTHONDONTWRITEBYTECODE", "1"), ("TENANT_STEP_INPUT", &input)].map(plain).into()
    }

    fn pod(&self) -> PodSpec {
        // Pod (anti-)affinity is about the Deployment's own pods.
        let node_affinity = self.from.affinity.as_ref().and_then(|affinity| affinity.node_affinity.clone());
        PodSpec {
            restart_policy: Some("Never".to_owned()),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            image_pull_secrets: self.from.image_pull_secrets.clone(),
            node_selector: self.from.node_selector.clone(),
            tolerations: self.from.tolerations.clone(),
            affinity: node_affinity.map(|node| Affinity { node_affinity: Some(node), ..Default::default() }),
            security_context: Some(self.security()),
            volumes: Some(self.volumes()),
            ..Default::default()
        }
    }

    /// The Deployment's users and groups, so that its files can be read and written; of the rest only what the restricted Pod Security
    /// Standard lets through, since the Bench's namespace may enforce it. Never root: a bench that runs as root gets frappe_docker's user.
    fn security(&self) -> PodSecurityContext {
        let from = self.from.security_context.clone().unwrap_or_default();
        let seccomp = from.seccomp_profile.filter(|profile| profile.type_ != "Unconfined");
        let labels = from.se_linux_options.filter(|options| {
            let type_ = options.type_.as_deref().unwrap_or_default();
            options.user.is_none() && options.role.is_none() && SELINUX_TYPES.contains(&type_)
        });
        PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: from.run_as_user.filter(|user| *user != 0).or(Some(FRAPPE_USER)),
            run_as_group: from.run_as_group.or(Some(FRAPPE_USER)),
            fs_group: from.fs_group,
            fs_group_change_policy: from.fs_group_change_policy,
            supplemental_groups: from.supplemental_groups,
            supplemental_groups_policy: from.supplemental_groups_policy,
            se_linux_options: labels,
            seccomp_profile: seccomp.or(Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..Default::default() })),
            ..Default::default()
        }
    }

    /// The Deployment's volumes as far as they are mounted where a bench has files, the program, and what is missing of sites and logs.
    fn volumes(&self) -> Vec<Volume> {
        let mounts = self.bench_mounts();
        let mut volumes: Vec<Volume> = self
            .from
            .volumes
            .iter()
            .flatten()
            .filter(|volume| mounts.iter().any(|mount| mount.name == volume.name))
            .cloned()
            .collect();
        let claim = PersistentVolumeClaimVolumeSource { claim_name: self.spec.sites_volume.claim_name.clone(), read_only: None };
        let missing = |name: &str| !volumes.iter().any(|volume| volume.name == name);
        let sites = missing_mount(&mounts, &self.sites()).filter(|()| missing("tenant-sites"));
        let logs = missing_mount(&mounts, &self.logs()).filter(|()| missing("tenant-logs"));
        let sites = sites.map(|()| Volume {
            name: "tenant-sites".to_owned(),
            persistent_volume_claim: Some(claim),
            ..Default::default()
        });
        let logs = logs.map(|()| Volume {
            name: "tenant-logs".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Default::default()
        });
        volumes.extend(sites.into_iter().chain(logs));
        volumes.push(Volume {
            name: "tenant-steps".to_owned(),
            config_map: Some(ConfigMapVolumeSource { name: steps::name().to_owned(), ..Default::default() }),
            ..Default::default()
        });
        volumes
    }

    fn mounts(&self) -> Vec<VolumeMount> {
        let mut mounts = self.bench_mounts();
        let mount = |name: &str, path: String| VolumeMount { name: name.to_owned(), mount_path: path, ..Default::default() };
        let sites = missing_mount(&mounts, &self.sites()).map(|()| mount("tenant-sites", self.sites()));
        let logs = missing_mount(&mounts, &self.logs()).map(|()| mount("tenant-logs", self.logs()));
        mounts.extend(sites.into_iter().chain(logs));
        mounts.push(VolumeMount { read_only: Some(true), ..mount("tenant-steps", PROGRAM.to_owned()) });
        mounts
    }

    /// The mounts of the Deployment's first container that lie below the bench's path, but no Secret or ConfigMap of its own.
    fn bench_mounts(&self) -> Vec<VolumeMount> {
        let below = format!("{}/", self.spec.path);
        let mounts = self.from.containers.first().and_then(|container| container.volume_mounts.clone()).unwrap_or_default();
        mounts.into_iter().filter(|mount| mount.mount_path.starts_with(&below)).collect()
    }

    fn sites(&self) -> String {
        format!("{}/sites", self.spec.path)
    }

    fn logs(&self) -> String {
        format!("{}/logs", self.spec.path)
    }
}

fn missing_mount(mounts: &[VolumeMount], path: &str) -> Option<()> {
    (!mounts.iter().any(|mount| mount.mount_path.trim_end_matches('/') == path)).then_some(())
}

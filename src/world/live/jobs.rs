//! Jobs in the Bench's namespace: started once, watched through their pods' termination messages, deleted with their pods.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use tracing::warn;

use super::shelves::id_of;
use super::{Live, absent};
use crate::api::BenchRef;
use crate::core::evidence;
use crate::core::manifests::{job, steps};
use crate::core::names::{annotation, label};
use crate::core::op::{JobKind, JobPlan};
use crate::core::seen::{JobSeen, JobState, StepReport};
use crate::core::stages::Way;
use crate::core::steps::Step;
use crate::core::subject::{ObjectName, Subject};
use crate::world::Error;

/// So many Jobs are read at once.
const PAGE: u32 = 500;
/// Reasons of a waiting container that do not pass by themselves.
const BLOCKED: [&str; 5] =
    ["ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError", "ErrImageNeverPull"];

impl Live {
    pub(super) fn jobs(&self, namespace: &str) -> Api<Job> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The tenant's Jobs, oldest attempt first, with what their containers reported.
    pub(super) async fn see_jobs(&self, who: &Subject) -> Result<Vec<JobSeen>, Error> {
        if let Some(seen) = self.known_jobs(who) {
            return Ok(seen);
        }
        let ours = ListParams::default().labels(&format!("{}={}", label::ID, who.id));
        let list = |kind: &'static str| move |source| Error::cluster("list", kind, who.id.clone(), source);
        let jobs = self.jobs(&who.bench.namespace).list(&ours).await.map_err(list("Job"))?.items;
        if jobs.is_empty() {
            return Ok(vec![]);
        }
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &who.bench.namespace);
        let pods = pods.list(&ours).await.map_err(list("Pod"))?.items;
        Ok(in_order(&jobs, &pods))
    }

    /// None where the API server has to be asked. The watch of the pods may be behind that of the Jobs: of a Job that has ended, the
    /// end of every container must have been told.
    fn known_jobs(&self, who: &Subject) -> Option<Vec<JobSeen>> {
        let jobs = self.shelves.jobs.of(id_of(&who.id))?;
        let ours = |meta: &ObjectMeta| {
            let id = meta.labels.as_ref().and_then(|labels| labels.get(label::ID));
            id == Some(&who.id) && meta.namespace.as_ref() == Some(&who.bench.namespace)
        };
        let jobs: Vec<Job> = jobs.into_iter().filter(|job| ours(&job.metadata)).collect();
        if jobs.is_empty() {
            return Some(vec![]);
        }
        let pods: Vec<Pod> = self.shelves.pods.of(id_of(&who.id))?.into_iter().filter(|pod| ours(&pod.metadata)).collect();
        let told = |job: &Job| state(job) == JobState::Running || has_ended(job, &pods);
        jobs.iter().all(told).then(|| in_order(&jobs, &pods))
    }

    pub(super) async fn pod_source(&self, who: &Subject) -> Result<Option<Deployment>, Error> {
        let Some(from) = &who.bench.spec.jobs.pod_from else { return Ok(None) };
        let ask = self.deployment(&who.bench.namespace, &from.deployment);
        match self.shelves.listen() {
            true => self.sources.or_ask((who.bench.namespace.clone(), from.deployment.clone()), ask).await,
            false => ask.await,
        }
    }

    pub(super) async fn deployment(&self, namespace: &str, name: &str) -> Result<Option<Deployment>, Error> {
        let found = Api::<Deployment>::namespaced(self.client.clone(), namespace).get_opt(name).await;
        found.map_err(|source| Error::cluster("get", "Deployment", name, source))
    }

    /// Starts the Job if a slot is free; otherwise nothing happens, and the next look says so.
    pub(super) async fn start_job(&self, who: &Subject, plan: &JobPlan) -> Result<(), Error> {
        let way = if plan.kind == JobKind::Remove { Way::Down } else { Way::Up };
        if !self.gate.enter(way, who) {
            return Ok(());
        }
        match self.shelves.listen() {
            true => self.programs.or_ask(who.bench.namespace.clone(), self.put_program(&who.bench.namespace)).await.map(drop)?,
            false => self.put_program(&who.bench.namespace).await.map(drop)?,
        }
        let source = self.pod_source(who).await?;
        let made = self.jobs(&who.bench.namespace).create(&PostParams::default(), &job::job(who, plan, source.as_ref())).await;
        match &made {
            Ok(made) => self.shelves.jobs.wrote(made),
            Err(_) => self.shelves.jobs.doubt(&who.bench.namespace, &plan.name),
        }
        existing(made).map_err(|source| Error::cluster("create", "Job", plan.name.clone(), source))
    }

    async fn put_program(&self, namespace: &str) -> Result<Option<()>, Error> {
        let program: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let made = program.create(&PostParams::default(), &steps::config_map(namespace)).await;
        existing(made).map(Some).map_err(|source| Error::cluster("create", "ConfigMap", steps::name(), source))
    }

    /// In the foreground: the Job goes only when its pods are gone, so nothing of it works on the site any more.
    pub(super) async fn remove_job(&self, who: &Subject, name: &str) -> Result<(), Error> {
        let deleted = self.jobs(&who.bench.namespace).delete(name, &DeleteParams::foreground()).await;
        match deleted.as_ref().map(|deleted| deleted.as_ref().left()) {
            Ok(Some(leaving)) => self.shelves.jobs.wrote(leaving),
            Ok(None) => self.shelves.jobs.deleted(&who.bench.namespace, name, true),
            Err(_) => self.shelves.jobs.doubt(&who.bench.namespace, name),
        }
        match deleted {
            Err(source) if !absent(&source) => Err(Error::cluster("delete", "Job", name, source)),
            _ => Ok(()),
        }
    }

    /// A Tenant that can't go on waits at the gate for nothing, and has a slot only while a Job of its own is running; true for as long.
    pub async fn set_aside(&self, tenant: &ObjectName) -> bool {
        let mut keeps = false;
        for (bench, id) in self.gate.stop_waiting(tenant) {
            let ours = ListParams::default().labels(&format!("{}={id}", label::ID));
            match self.jobs(&bench.namespace).list(&ours).await {
                Ok(jobs) if !jobs.items.iter().any(|job| state(job) == JobState::Running) => self.gate.leave(&id),
                Ok(_) => keeps = true,
                Err(error) => {
                    warn!(tenant = %tenant.name, namespace = %tenant.namespace, %error, "whether its Job is running is not known");
                    keeps = true;
                }
            }
        }
        keeps
    }

    /// Fills the gate again from the Jobs that have not ended.
    pub async fn resume_gate(&self) -> Result<(), Error> {
        let mut page = ListParams::default().labels(&format!("{},{}", label::ID, label::STEP)).limit(PAGE);
        let all: Api<Job> = Api::all(self.client.clone());
        loop {
            let jobs = all.list(&page).await.map_err(|source| Error::cluster("list", "Job", "unfinished", source))?;
            jobs.items.iter().filter(|job| state(job) == JobState::Running).for_each(|job| self.resume(job));
            match jobs.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(()),
            }
        }
    }

    fn resume(&self, job: &Job) {
        let label = |name: &str| job.metadata.labels.as_ref().and_then(|labels| labels.get(name)).cloned().unwrap_or_default();
        let way = if JobKind::parse(&label(label::STEP)) == Some(JobKind::Remove) { Way::Down } else { Way::Up };
        let bench = BenchRef { name: label(label::BENCH), namespace: job.metadata.namespace.clone().unwrap_or_default() };
        let tenant = ObjectName { namespace: label(label::TENANT_NAMESPACE), name: label(label::TENANT) };
        self.gate.resume(bench, way, label(label::ID), tenant);
    }
}

/// An object that exists already is as good as one that was made: its name says what it holds.
pub(super) fn existing<T>(made: kube::Result<T>) -> kube::Result<()> {
    match made {
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        other => other.map(drop),
    }
}

/// The oldest attempt first.
fn in_order(jobs: &[Job], pods: &[Pod]) -> Vec<JobSeen> {
    let mut seen: Vec<JobSeen> = jobs.iter().filter_map(|job| job_seen(job, pods)).collect();
    seen.sort_by_key(|job| job.attempt);
    seen
}

/// Whether it has a pod of which each container has said its last word.
fn has_ended(job: &Job, pods: &[Pod]) -> bool {
    let mut pods = pods.iter().filter(|pod| job_of(pod) == job.metadata.name.as_ref()).peekable();
    let silent = |container: &ContainerStatus| container.state.as_ref().is_none_or(|state| state.terminated.is_none());
    pods.peek().is_some() && pods.all(|pod| containers(pod).next().is_some() && !containers(pod).any(silent))
}

fn job_seen(job: &Job, pods: &[Pod]) -> Option<JobSeen> {
    let name = job.metadata.name.clone()?;
    let annotation = |key: &str| job.metadata.annotations.as_ref().and_then(|all| all.get(key));
    let hashes: std::collections::BTreeMap<String, String> = serde_json::from_str(annotation(annotation::HASHES)?).ok()?;
    let pods: Vec<&Pod> = pods.iter().filter(|pod| job_of(pod) == Some(&name)).collect();
    Some(JobSeen {
        kind: JobKind::parse(job.metadata.labels.as_ref()?.get(label::STEP)?)?,
        attempt: annotation(annotation::ATTEMPT)?.parse().ok()?,
        hashes: hashes.into_iter().filter_map(|(step, hash)| Some((Step::parse(&step)?, hash))).collect(),
        state: state(job),
        leaving: job.metadata.deletion_timestamp.is_some(),
        ended: ended(job),
        reports: pods.iter().flat_map(|pod| reports(pod)).collect(),
        blocked: pods.iter().find_map(|pod| blocked(pod)),
        uid: job.metadata.uid.clone().unwrap_or_default(),
        name,
    })
}

pub(super) fn job_of(pod: &Pod) -> Option<&String> {
    pod.metadata.labels.as_ref()?.get("batch.kubernetes.io/job-name")
}

pub(super) fn state(job: &Job) -> JobState {
    let holds = |type_: &str| {
        let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.into_iter().flatten().any(|condition| condition.type_ == type_ && condition.status == "True")
    };
    match (holds("Complete"), holds("Failed")) {
        (true, _) => JobState::Succeeded,
        (false, true) => JobState::Failed,
        (false, false) => JobState::Running,
    }
}

pub(super) fn ended(job: &Job) -> Option<Timestamp> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let last = conditions.iter().filter(|condition| matches!(condition.type_.as_str(), "Complete" | "Failed"));
    last.filter_map(|condition| condition.last_transition_time.as_ref()).map(|time| time.0).max()
}

/// Init containers first: the order in which they ran.
fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let first = status.and_then(|status| status.init_container_statuses.as_ref()).into_iter().flatten();
    first.chain(status.and_then(|status| status.container_statuses.as_ref()).into_iter().flatten())
}

/// What the containers that have ended left to be read.
pub(super) fn messages(pod: &Pod) -> impl Iterator<Item = &str> {
    containers(pod).filter_map(|container| container.state.as_ref()?.terminated.as_ref()?.message.as_deref())
}

fn reports(pod: &Pod) -> Vec<StepReport> {
    messages(pod).filter_map(evidence::parse).collect()
}

pub(super) fn blocked(pod: &Pod) -> Option<String> {
    let waiting = containers(pod).filter_map(|container| container.state.as_ref()?.waiting.as_ref());
    let stuck = waiting.into_iter().find(|waiting| waiting.reason.as_deref().is_some_and(|reason| BLOCKED.contains(&reason)));
    if let Some(waiting) = stuck {
        return Some(format!(
            "{}: {}",
            waiting.reason.as_deref().unwrap_or_default(),
            waiting.message.as_deref().unwrap_or_default()
        ));
    }
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let unscheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    unscheduled.message.clone()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::Config;
    use serde_json::json;

    use super::*;

    fn read(annotations: &serde_json::Value, message: &str) -> Option<JobSeen> {
        let label = |name: &str| format!("tenancy.nexuserp.io/{name}");
        let job = json!({
            "metadata": {"name": "7f3a-provision-0a1b-0", "labels": {label("step"): "provision"}, "annotations": annotations},
            "status": {"conditions": [{"type": "Failed", "status": "True", "lastTransitionTime": "2026-11-21T12:00:00Z"}]},
        });
        let state = json!({"terminated": {"exitCode": 1, "message": message}});
        let pod = json!({
            "metadata": {"labels": {"batch.kubernetes.io/job-name": "7f3a-provision-0a1b-0"}},
            "status": {"containerStatuses": [{"name": "site", "image": "x", "imageID": "x", "ready": false, "restartCount": 0, "state": state}]},
        });
        job_seen(&serde_json::from_value(job).expect("a Job"), &[serde_json::from_value(pod).expect("a Pod")])
    }

    #[test]
    fn a_job_is_known_by_its_annotations_and_its_pods_last_words() {
        let annotations =
            json!({"tenancy.nexuserp.io/hashes": r#"{"create":"ab","later":"cd"}"#, "tenancy.nexuserp.io/attempt": "3"});
        let seen = read(&annotations, r#"{"ok":true,"done":{"create":{}}}"#).expect("a Job of ours");
        assert_eq!((seen.attempt, seen.state, seen.reports.len()), (3, JobState::Failed, 1));
        assert_eq!(seen.hashes.into_iter().collect::<Vec<_>>(), [(Step::Create, "ab".to_owned())]);
    }

    proptest! {
        #![proptest_config(Config { cases: 1000, failure_persistence: None, ..Config::default() })]

        /// Whoever may edit Jobs may write anything there: such a Job is not ours, or is one with what could be read.
        #[test]
        fn annotations_of_any_text_are_read_or_make_it_nobodys_job(
            hashes in prop_oneof![".{0,60}", "[{\\[]\"(create|apps|x)\":(\"[a-f0-9]{4}\"|5|null|\\[\\])[}\\]]"],
            attempt in prop_oneof![".{0,12}", "-?[0-9]{1,12}"],
            message in ".{0,80}",
        ) {
            let annotations = json!({"tenancy.nexuserp.io/hashes": hashes, "tenancy.nexuserp.io/attempt": attempt});
            let map: Option<std::collections::BTreeMap<String, String>> = serde_json::from_str(&hashes).ok();
            let number: Option<u32> = attempt.parse().ok();
            let seen = read(&annotations, &message);
            prop_assert_eq!(seen.is_some(), map.is_some() && number.is_some());
            prop_assert_eq!(seen.map(|seen| seen.attempt), number.filter(|_| map.is_some()));
        }
    }
}

//! Jobs in the Bench's namespace: started once, watched through their pods' termination messages, deleted with their pods.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use tracing::warn;

use super::pages::each;
use super::shelf::Keys;
use super::shelves::id_of;
use super::words::{has_ended, in_order, state};
use super::{Live, absent, is_open};
use crate::api::BenchRef;
use crate::core::manifests::{job, steps};
use crate::core::names::label;
use crate::core::op::{JobKind, JobPlan};
use crate::core::seen::{JobSeen, JobState};
use crate::core::stages::Way;
use crate::core::subject::{ObjectName, Subject};
use crate::world::Error;

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
        let source = self.pod_source(who).await?;
        // Gone since it was looked for: the next look names it.
        if who.bench.spec.jobs.lack(source.as_ref()) || !self.gate.enter(way, who) {
            return Ok(());
        }
        match self.shelves.listen() {
            true => self.programs.or_ask(who.bench.namespace.clone(), self.put_program(&who.bench.namespace)).await.map(drop)?,
            false => self.put_program(&who.bench.namespace).await.map(drop)?,
        }
        let made = self.jobs(&who.bench.namespace).create(&PostParams::default(), &job::job(who, plan, source.as_ref())).await;
        match &made {
            Ok(made) => self.shelves.jobs.wrote(made),
            Err(error) => self.doubt_job(who, &plan.name, error),
        }
        existing(made).map_err(|source| Error::cluster("create", "Job", plan.name.clone(), source))
    }

    /// It may be there, or be gone, all the same.
    fn doubt_job(&self, who: &Subject, name: &str, error: &kube::Error) {
        if is_open(error) {
            self.shelves.jobs.doubt(&who.bench.namespace, name, Keys { whose: Some(id_of(&who.id)), group: None });
        }
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
            Err(error) => self.doubt_job(who, name, error),
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
        let ours = ListParams::default().labels(&format!("{},{}", label::ID, label::STEP));
        let resume = |job: Job| {
            if state(&job) == JobState::Running {
                self.resume(&job);
            }
        };
        let all: Api<Job> = Api::all(self.client.clone());
        each(&all, ours, resume).await.map_err(|source| Error::cluster("list", "Job", "unfinished", source))
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

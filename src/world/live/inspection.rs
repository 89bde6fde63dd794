//! The inspections of one Bench: Jobs that are no tenant's, found by their labels.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, PostParams, Preconditions};

use super::jobs::existing;
use super::words::{blocked, ended, is_of, messages, state};
use super::{Live, absent};
use crate::api::Bench;
use crate::core::inspection::{self, RoundSeen};
use crate::core::manifests::inspect;
use crate::core::names::{annotation, label};
use crate::world::Error;

impl Live {
    /// All that are there, the oldest first, with what they found.
    pub async fn see_inspections(&self, bench: &Bench) -> Result<Vec<RoundSeen>, Error> {
        let (jobs, pods) = self.jobs_of(bench, inspection::STEP).await?;
        let mut seen: Vec<RoundSeen> = jobs.iter().filter_map(|job| round(job, &pods)).collect();
        seen.sort_by_key(|round| round.at);
        Ok(seen)
    }

    /// The Bench's own Jobs for a step, and their pods.
    pub(super) async fn jobs_of(&self, bench: &Bench, step: &str) -> Result<(Vec<Job>, Vec<Pod>), Error> {
        let jobs = self.list_jobs(bench, step).await?;
        if jobs.is_empty() {
            return Ok((jobs, vec![]));
        }
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &bench.namespace().unwrap_or_default());
        let pods = pods.list(&labelled(bench, step)).await;
        Ok((jobs, pods.map_err(|source| Error::cluster("list", "Pod", bench.name_any(), source))?.items))
    }

    async fn list_jobs(&self, bench: &Bench, step: &str) -> Result<Vec<Job>, Error> {
        let jobs = self.jobs(&bench.namespace().unwrap_or_default()).list(&labelled(bench, step)).await;
        Ok(jobs.map_err(|source| Error::cluster("list", "Job", bench.name_any(), source))?.items)
    }

    /// One of the same second that exists already is as good.
    pub async fn start_inspection(
        &self,
        bench: &Bench,
        at: Timestamp,
        maps: usize,
        source: Option<&Deployment>,
    ) -> Result<(), Error> {
        let job = inspect::job(bench, at, maps, source);
        let made = self.jobs(&bench.namespace().unwrap_or_default()).create(&PostParams::default(), &job).await;
        existing(made).map_err(|source| Error::cluster("create", "Job", job.name_any(), source))
    }

    pub async fn end_jobs(&self, bench: &Bench, step: &str) -> Result<(), Error> {
        for job in self.list_jobs(bench, step).await? {
            let this_one = Preconditions { uid: job.uid(), resource_version: None };
            let params = DeleteParams { preconditions: Some(this_one), ..DeleteParams::background() };
            match self.jobs(&bench.namespace().unwrap_or_default()).delete(&job.name_any(), &params).await {
                Err(source) if !absent(&source) => return Err(Error::cluster("delete", "Job", job.name_any(), source)),
                _ => {}
            }
        }
        Ok(())
    }
}

fn labelled(bench: &Bench, step: &str) -> ListParams {
    ListParams::default().labels(&format!("{}={},{}={step}", label::BENCH, bench.name_any(), label::STEP))
}

fn round(job: &Job, pods: &[Pod]) -> Option<RoundSeen> {
    let name = job.metadata.name.clone()?;
    let pods: Vec<&Pod> = pods.iter().filter(|pod| is_of(pod, job)).collect();
    Some(RoundSeen {
        at: job.annotations().get(annotation::AT)?.parse().ok()?,
        state: state(job),
        leaving: job.metadata.deletion_timestamp.is_some(),
        ended: ended(job),
        report: pods.iter().flat_map(|pod| messages(pod)).find_map(inspection::read),
        blocked: pods.iter().find_map(|pod| blocked(pod)),
        name,
    })
}

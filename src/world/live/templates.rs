//! The Jobs that make and remove a Bench's templates: no tenant's, found by their labels.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::PostParams;

use super::Live;
use super::jobs::existing;
use super::words::{blocked, is_of, messages, state};
use crate::api::Bench;
use crate::core::names::annotation;
use crate::core::templates::{self, RoundSeen};
use crate::world::Error;

impl Live {
    /// All that are there, the oldest first, with what they came to.
    pub async fn see_templates(&self, bench: &Bench) -> Result<Vec<RoundSeen>, Error> {
        let (jobs, pods) = self.jobs_of(bench, templates::STEP).await?;
        let mut seen: Vec<RoundSeen> = jobs.iter().filter_map(|job| round(job, &pods)).collect();
        seen.sort_by_key(|round| round.at);
        Ok(seen)
    }

    /// One of the same second that exists already is as good.
    pub async fn start_template(&self, bench: &Bench, job: &Job) -> Result<(), Error> {
        let made = self.jobs(&bench.namespace().unwrap_or_default()).create(&PostParams::default(), job).await;
        existing(made).map_err(|source| Error::cluster("create", "Job", job.name_any(), source))
    }

    pub async fn pod_source_of(&self, bench: &Bench) -> Result<Option<Deployment>, Error> {
        match &bench.spec.jobs.pod_from {
            None => Ok(None),
            Some(from) => self.deployment(&bench.namespace().unwrap_or_default(), &from.deployment).await,
        }
    }
}

fn round(job: &Job, pods: &[Pod]) -> Option<RoundSeen> {
    let name = job.metadata.name.clone()?;
    let pods: Vec<&Pod> = pods.iter().filter(|pod| is_of(pod, job)).collect();
    Some(RoundSeen {
        at: job.annotations().get(annotation::AT)?.parse().ok()?,
        makes: job.annotations().get(annotation::TEMPLATE).cloned(),
        state: state(job),
        leaving: job.metadata.deletion_timestamp.is_some(),
        report: pods.iter().flat_map(|pod| messages(pod)).find_map(templates::read),
        blocked: pods.iter().find_map(|pod| blocked(pod)),
        name,
    })
}

//! What site, apps, settings and keys look at. Most of it is only read while there is something left to do.

use std::sync::PoisonError;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use super::Live;
use super::secrets::Pair;
use crate::api::VerifyMode;
use crate::core::rotation;
use crate::core::seen::{GateSeen, JobState, KeyAnswer, SecretState, WorkSeen};
use crate::core::stages::{Stage, Way, is_unread};
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::world::error::{Class, Error};

impl Live {
    pub(super) async fn see_work(&self, stage: Stage, way: Way, who: &Subject) -> Result<WorkSeen, Error> {
        let kept = self.work.lock().unwrap_or_else(PoisonError::into_inner).get(&who.id).cloned();
        let mut seen = match kept {
            Some(seen) => seen,
            None => self.look_at_work(way, who).await?,
        };
        if stage == Stage::Keys && way == Way::Up && seen.key.is_none() && unproven(who, &seen) {
            seen.key = Some(self.try_key(who).await?);
        }
        self.work.lock().unwrap_or_else(PoisonError::into_inner).insert(who.id.clone(), seen.clone());
        Ok(seen)
    }

    async fn look_at_work(&self, way: Way, who: &Subject) -> Result<WorkSeen, Error> {
        let custody = self.see_custody(who).await?;
        let inputs = self.read_inputs(who).await?;
        let left = steps::left(who, &inputs.versions);
        let busy = way == Way::Down || !left.is_empty() || rotation::is_stopping(who);
        let jobs = if busy { self.see_jobs(who).await? } else { vec![] };
        let running = jobs.iter().any(|job| job.state == JobState::Running);
        if !running {
            // One that is queued stays queued while it has something to run; else it must keep nobody out.
            if busy { self.gate.give_back(&who.id) } else { self.gate.leave(&who.id) }
        }
        let starts = busy && !running;
        let needs_inputs = left.contains(&Step::Settings);
        Ok(WorkSeen {
            custody: custody.state,
            custody_moved: custody.moved,
            pairs: custody.pairs.keys().copied().collect(),
            missing: if needs_inputs { inputs.missing.clone() } else { vec![] },
            inputs: self.see_inputs(who, &inputs).await?,
            versions: inputs.versions,
            // What a Job reported comes into the record first: there may be nothing left to queue for.
            gate: if starts && !is_unread(who, &jobs) { self.gate.look(way, who) } else { GateSeen::Open },
            pod_source_missing: if starts { self.missing_source(who).await? } else { None },
            published: self.published(way, who, custody.proven(who)).await?,
            jobs,
            key: None,
        })
    }

    /// A namespace that is being deleted may take our permissions away before its Tenants: its Secrets go all the same, and a
    /// key that was never proven was never published. Neither may hold a Tenant back.
    async fn published(&self, way: Way, who: &Subject, pair: Option<&Pair>) -> Result<SecretState, Error> {
        match self.see_published(who, pair).await {
            Err(error) if way == Way::Down && error.class() == Class::Denied => {
                let gone = who.receipt(Step::Proof).is_none() || self.ending(&who.tenant.namespace).await?;
                if gone { Ok(SecretState::Absent) } else { Err(error) }
            }
            seen => seen,
        }
    }

    pub(super) async fn ending(&self, namespace: &str) -> Result<bool, Error> {
        let found = Api::<Namespace>::all(self.client.clone()).get_metadata_opt(namespace).await;
        let found = found.map_err(|source| Error::cluster("get", "Namespace", namespace, source))?;
        Ok(found.is_none_or(|found| found.metadata.deletion_timestamp.is_some()))
    }

    async fn missing_source(&self, who: &Subject) -> Result<Option<String>, Error> {
        let Some(from) = &who.bench.spec.jobs.pod_from else { return Ok(None) };
        Ok(self.pod_source(who).await?.is_none().then(|| from.deployment.clone()))
    }

    async fn try_key(&self, who: &Subject) -> Result<KeyAnswer, Error> {
        match self.see_custody(who).await?.pairs.remove(&rotation::newest(who)) {
            Some(pair) => Ok(self.outside.try_key(who, &pair).await),
            None => Ok(KeyAnswer::Unreachable("the key is not in custody".to_owned())),
        }
    }
}

/// Set in the site, and not yet accepted from outside.
fn unproven(who: &Subject, seen: &WorkSeen) -> bool {
    let over_http = who.bench.spec.api_user.verify.mode == VerifyMode::HTTP && !who.is_closed();
    let set = steps::fresh(Step::Keys, who, &seen.versions);
    over_http && set && !steps::fresh(Step::Proof, who, &seen.versions) && seen.custody == SecretState::Current
}

//! Starts the inspection of a Bench when it is due, and takes up what it found. What is decided is the core's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kube::{Resource, ResourceExt};
use serde_json::Value;

use super::tenant::Reconciler;
use crate::api::{Bench, BenchStatus, Tenant, TenantPlan};
use crate::core::carried::Carried;
use crate::core::expectation;
use crate::core::identity::Begin;
use crate::core::inspection::{self, Next};
use crate::core::manifests::{inspect, steps};
use crate::core::names::{self, annotation};
use crate::core::subject::{Given, Remembered, Subject};
use crate::core::verdict::Note;
use crate::world::error::{Class, Error};

/// After what only a person can put right.
const DENIED: Duration = Duration::from_secs(300);

impl Reconciler {
    /// The status with what is new, and how long until this has to be looked at again. `carried`: the Bench's tenants.
    pub(super) async fn inspect(&self, bench: &Bench, carried: &[Carried]) -> Result<(BenchStatus, Duration), Error> {
        let mut status = bench.status.clone().unwrap_or_default();
        let now = Timestamp::now();
        let next = match self.next_inspection(bench, carried, now).await {
            Err(error) if error.class() != Class::Transient => {
                Next::Failed(Note::new(error.reason(), format!("sites cannot be compared: {error}")), DENIED)
            }
            next => next?,
        };
        let ids: BTreeSet<String> = carried.iter().map(|one| one.id.clone()).collect();
        inspection::tell(&mut status, &next, &ids, now, bench.metadata.generation);
        Ok((status, inspection::pause(&next, &bench.name_any())))
    }

    async fn next_inspection(&self, bench: &Bench, carried: &[Carried], now: Timestamp) -> Result<Next, Error> {
        let status = bench.status.clone().unwrap_or_default();
        let first = carried.iter().map(|one| one.created_at).min();
        let asked = bench.annotations().get(annotation::INSPECT_AT).and_then(|at| at.parse().ok());
        let given =
            inspection::Given { now, interval: self.settings.inspect_interval, status: &status, first, asked, rounds: &[] };
        let next = inspection::next(&given);
        if matches!(next, Next::Rest(_)) && status.differing.is_empty() {
            return Ok(next);
        }
        let rounds = self.live.see_inspections(bench).await?;
        let next = inspection::next(&inspection::Given { rounds: &rounds, ..given });
        if next == Next::Start {
            self.begin(bench, carried, now).await?;
        }
        Ok(next)
    }

    async fn begin(&self, bench: &Bench, carried: &[Carried], now: Timestamp) -> Result<(), Error> {
        let namespace = bench.namespace().unwrap_or_default();
        let source = self.live.pod_source_of(bench).await?;
        if bench.spec.jobs.lack(source.as_ref()) {
            // The Bench says so already, and goes on once it is there.
            return Ok(());
        }
        let maps = inspect::config_maps(bench, &self.expectations(bench, carried, now).await?);
        self.ensure(&namespace, &steps::config_map(&namespace)).await?;
        for map in &maps {
            self.ensure(&namespace, map).await?;
        }
        self.remove_expectations(bench, maps.len()).await?;
        self.live.start_inspection(bench, now, maps.len(), source.as_ref()).await
    }

    /// What each settled tenant's site should have.
    async fn expectations(&self, bench: &Bench, carried: &[Carried], now: Timestamp) -> Result<BTreeMap<String, Value>, Error> {
        let plans = self.plans().await?;
        let plans: BTreeMap<&str, &TenantPlan> =
            plans.iter().filter_map(|plan| Some((plan.meta().name.as_deref()?, plan))).collect();
        let mut expected = BTreeMap::new();
        for one in carried.iter().filter(|one| one.is_active()) {
            // Another may bear the name by now.
            let its = |tenant: &Tenant| tenant.spec.subdomain == one.subdomain && is_looked_after(tenant);
            let Some(tenant) = self.legible_tenant(&one.tenant).await?.filter(its) else { continue };
            let Some(claim) = self.live.claim(&one.claim).await?.filter(|claim| claim.holder.id == one.id) else { continue };
            let plan = plans.get(tenant.spec.plan.as_str()).copied();
            // Read only: no version to change it from.
            let record = claim.record.map(|held| Remembered { version: String::new(), ..held });
            let (id, cluster) = (one.id.clone(), self.settings.cluster_name.clone());
            let given = Given { tenant: &tenant, plan, turn: false, begin: Begin::New, bench, id, record, now, cluster };
            if let Some(wanted) = Subject::parse(given).ok().as_ref().and_then(expectation::of) {
                expected.insert(one.id.clone(), wanted);
            }
        }
        Ok(expected)
    }

    /// Deletes the ConfigMaps of this number and above.
    pub(super) async fn remove_expectations(&self, bench: &Bench, from: usize) -> Result<(), Error> {
        let (name, namespace) = (bench.name_any(), bench.namespace().unwrap_or_default());
        let mut number = from;
        while self.remove::<ConfigMap>(&namespace, &names::expectations(&name, number)).await? {
            number += 1;
        }
        Ok(())
    }
}

/// One that is paused or leaving would not be put right.
fn is_looked_after(tenant: &Tenant) -> bool {
    tenant.metadata.deletion_timestamp.is_none() && !tenant.annotations().contains_key(annotation::PAUSED)
}

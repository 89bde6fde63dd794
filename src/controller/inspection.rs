//! Starts the inspection of a Bench when it is due, and takes up what it found. What is decided is the core's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kube::{Resource, ResourceExt};
use serde_json::Value;

use super::tenant::Reconciler;
use crate::api::{Bench, BenchStatus, Tenant, TenantClaimSpec, TenantPlan};
use crate::core::expectation;
use crate::core::identity::Begin;
use crate::core::inspection::{self, Next};
use crate::core::manifests::{inspect, steps};
use crate::core::names::{self, annotation};
use crate::core::subject::{Given, ObjectName, Remembered, Subject};
use crate::core::verdict::Note;
use crate::world::error::{Class, Error};

/// After what only a person can put right.
const DENIED: Duration = Duration::from_secs(300);

impl Reconciler {
    /// The status with what is new, and how long until this has to be looked at again. `claims` are the records of the Bench's tenants.
    pub(super) async fn inspect(&self, bench: &Bench, claims: &[TenantClaimSpec]) -> Result<(BenchStatus, Duration), Error> {
        let mut status = bench.status.clone().unwrap_or_default();
        let now = Timestamp::now();
        let next = match self.next_inspection(bench, claims, now).await {
            Err(error) if error.class() != Class::Transient => {
                Next::Failed(Note::new(error.reason(), format!("sites cannot be compared: {error}")), DENIED)
            }
            next => next?,
        };
        let ids: BTreeSet<String> = claims.iter().map(|claim| claim.holder.id.clone()).collect();
        inspection::tell(&mut status, &next, &ids, now, bench.metadata.generation);
        Ok((status, inspection::pause(&next, &bench.name_any())))
    }

    async fn next_inspection(&self, bench: &Bench, claims: &[TenantClaimSpec], now: Timestamp) -> Result<Next, Error> {
        let status = bench.status.clone().unwrap_or_default();
        let first = claims.iter().filter_map(|claim| Some(claim.record.as_ref()?.created_at.0)).min();
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
            self.begin(bench, claims, now).await?;
        }
        Ok(next)
    }

    async fn begin(&self, bench: &Bench, claims: &[TenantClaimSpec], now: Timestamp) -> Result<(), Error> {
        let namespace = bench.namespace().unwrap_or_default();
        let source = self.live.pod_source_of(bench).await?;
        if bench.spec.jobs.lack(source.as_ref()) {
            // The Bench says so already, and goes on once it is there.
            return Ok(());
        }
        let maps = inspect::config_maps(bench, &self.expectations(bench, claims, now).await?);
        self.ensure(&namespace, &steps::config_map(&namespace)).await?;
        for map in &maps {
            self.ensure(&namespace, map).await?;
        }
        self.remove_expectations(bench, maps.len()).await?;
        self.live.start_inspection(bench, now, maps.len(), source.as_ref()).await
    }

    /// What each settled tenant's site should have.
    async fn expectations(
        &self,
        bench: &Bench,
        claims: &[TenantClaimSpec],
        now: Timestamp,
    ) -> Result<BTreeMap<String, Value>, Error> {
        let plans = self.plans().await?;
        let plans: BTreeMap<&str, &TenantPlan> =
            plans.iter().filter_map(|plan| Some((plan.meta().name.as_deref()?, plan))).collect();
        let claims: BTreeMap<ObjectName, &TenantClaimSpec> = claims.iter().map(|claim| (holder(claim), claim)).collect();
        let tenants = self.tenants(claims.keys()).await?;
        let expected = |tenant: &Tenant| {
            let claim = claims.get(&ObjectName::of(tenant))?;
            let (id, plan) = (claim.holder.id.clone(), plans.get(tenant.spec.plan.as_str()).copied());
            // Read only: no version to change it from.
            let record = claim.record.clone().map(|record| Remembered { record, version: String::new() });
            let cluster = self.settings.cluster_name.clone();
            let given = Given { tenant, plan, turn: false, begin: Begin::New, bench, id: id.clone(), record, now, cluster };
            Some((id, Subject::parse(given).ok().as_ref().and_then(expectation::of)?))
        };
        Ok(tenants.iter().filter(|tenant| is_looked_after(tenant)).filter_map(|tenant| expected(tenant)).collect())
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

fn holder(claim: &TenantClaimSpec) -> ObjectName {
    ObjectName { namespace: claim.holder.namespace.clone(), name: claim.holder.name.clone() }
}

/// One that is paused or leaving would not be put right.
fn is_looked_after(tenant: &Tenant) -> bool {
    tenant.metadata.deletion_timestamp.is_none() && !tenant.annotations().contains_key(annotation::PAUSED)
}

//! The reconcile of one TenantPlan: how many of its tenants follow it as it is now. Which of them is changed when is decided in
//! the passes over the tenants themselves.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use serde_json::json;

use super::tenant::Reconciler;
use crate::api::{TenantPlan, TenantPlanStatus};
use crate::core::{names, rollout};
use crate::runtime::metrics::Outcome;
use crate::world::Error;

pub async fn reconcile(plan: Arc<TenantPlan>, here: Arc<Reconciler>) -> Result<Action, Error> {
    let timer = here.metrics.reconcile("plan");
    let (name, now) = (plan.name_any(), Timestamp::now());
    let plans: Api<TenantPlan> = Api::all(here.client.clone());
    // The watch may be behind what a tenant's pass has read.
    let found = plans.get_opt(&name).await.map_err(|source| Error::cluster("get", "TenantPlan", name.clone(), source))?;
    let Some(plan) = found else {
        timer.finish(Outcome::Settled);
        return Ok(Action::await_change());
    };
    let tally = here.turns.plan(&plan, now);
    // Soon after a start most tenants were not looked at yet: what is known of the others says nothing.
    if tally.unseen > 0 {
        timer.finish(Outcome::Waiting);
        return Ok(Action::await_change());
    }
    let status = rollout::status(&name, &plan, &tally, now);
    if plan.status.as_ref() != Some(&status) {
        here.write_plan(&plan, &status).await?;
    }
    timer.finish(if tally.following == tally.tenants() { Outcome::Settled } else { Outcome::Waiting });
    Ok(Action::requeue(here.settings.resync))
}

impl Reconciler {
    async fn write_plan(&self, plan: &TenantPlan, status: &TenantPlanStatus) -> Result<(), Error> {
        let patch = json!({
            "apiVersion": TenantPlan::api_version(&()),
            "kind": TenantPlan::kind(&()),
            "metadata": {"name": plan.name_any(), "uid": plan.uid()},
            "status": status,
        });
        let plans: Api<TenantPlan> = Api::all(self.client.clone());
        let params = PatchParams::apply(names::STATUS_MANAGER).force();
        match plans.patch_status(&plan.name_any(), &params, &Patch::Apply(patch)).await {
            // Gone, or another of the same name already: nobody left to tell.
            Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
            Err(source) => Err(Error::cluster("patch the status of", "TenantPlan", plan.name_any(), source)),
            Ok(_) => Ok(()),
        }
    }
}

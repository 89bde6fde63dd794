//! What a plan's status says of the way that it reaches its tenants. It names no tenant: they are of many namespaces, the plan of none.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as MetaCondition, Time};
use k8s_openapi::jiff::Timestamp;

use super::Tally;
use crate::api::{TenantPlan, TenantPlanStatus};
use crate::core::verdict::Note;

/// The status of a plan, all of whose tenants were looked at.
pub fn status(name: &str, plan: &TenantPlan, tally: &Tally, now: Timestamp) -> TenantPlanStatus {
    let old = plan.status.clone().unwrap_or_default();
    let generation = plan.metadata.generation;
    let (followed, note) = note(name, plan, tally);
    let truth = if followed { "True" } else { "False" };
    let before = old.conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status == truth);
    let ready = MetaCondition {
        type_: "Ready".to_owned(),
        status: truth.to_owned(),
        reason: note.reason.to_string(),
        message: note.message,
        observed_generation: generation,
        last_transition_time: before.map_or(Time(now), |before| before.last_transition_time.clone()),
    };
    TenantPlanStatus {
        observed_generation: generation,
        tenants: Some(tally.tenants()),
        following: Some(tally.following),
        failing: Some(tally.failing),
        conditions: vec![ready],
    }
}

fn note(name: &str, plan: &TenantPlan, tally: &Tally) -> (bool, Note) {
    let rollout = plan.spec.rollout;
    if tally.following == tally.tenants() {
        let all = match tally.tenants() {
            0 => "no Tenant names it".to_owned(),
            1 => "its one Tenant has it as it is now".to_owned(),
            all => format!("all {all} Tenants have it as it is now"),
        };
        return (true, Note::new("Followed", all));
    }
    let look = format!("kubectl get tenants -A --field-selector spec.plan={name}");
    if tally.stopped(rollout) && tally.waiting + tally.changing > 0 {
        let message = format!(
            "{} failed on it, and no more are changed (rollout.stopAfter); {} keep what they had. See why with {look}; then correct the plan, \
             or put right what failed: it goes on by itself",
            tally.failing,
            tally.waiting + tally.changing,
        );
        return (false, Note::new("Stopped", message));
    }
    let parts = [
        (tally.changing, "being changed"),
        (tally.waiting, "waiting for their turn"),
        (tally.failing, "failed on it"),
        (tally.aside, "not to be changed now (paused, or in trouble of their own)"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{words}: {count}")).collect();
    let hint = if tally.failing + tally.aside > 0 { format!("; see {look}") } else { String::new() };
    let message = format!("{} of {} Tenants have it as it is now; {}{hint}", tally.following, tally.tenants(), parts.join(", "));
    (false, Note::new("RollingOut", message))
}

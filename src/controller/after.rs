//! Around a pass over a Tenant: what is known before the first one, how it is counted, and when the next one comes.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::Action;

use super::pass::Done;
use super::tenant::{Reconciler, STALLED};
use crate::api::{Condition, Tenant};
use crate::core::pace;
use crate::core::stages::probe;
use crate::core::stages::registry::IN_SYNC;
use crate::runtime::metrics::Outcome;
use crate::world::live::trust::Said;

impl Reconciler {
    pub(super) fn next(&self, tenant: &Tenant, done: &Done) -> Action {
        let who = &done.who;
        let pause = if done.failed {
            pace::after_error(who.now, self.failing_since(tenant, done))
        } else if let Some(again) = done.again {
            again
        } else if done.settled() {
            let probe = &who.bench.spec.probe;
            let due = self.live.probe_due(&who.id, probe.interval()).map(|left| left.max(Duration::from_secs(1)));
            let pause = pace::at_rest(probe, self.settings.resync);
            due.filter(|_| !probe.mode.is_off()).map_or(pause, |due| due.min(pause))
        } else {
            // What a person puts right is mostly nothing that a watch tells of.
            self.settings.resync.min(STALLED)
        };
        Action::requeue(pace::spread(pace::with_keys(pause, who), &who.id))
    }

    /// Since when the first failing condition fails, as the status has it.
    fn failing_since(&self, tenant: &Tenant, done: &Done) -> Timestamp {
        let failing = self.status(tenant).and_then(|status| {
            status
                .conditions
                .iter()
                .filter(|condition| condition.status == "False")
                .map(|condition| condition.last_transition_time.0)
                .max()
        });
        failing.unwrap_or(done.who.now)
    }
}

/// What the status says that an earlier process has seen, of this generation of the Tenant.
pub fn said(tenant: &Tenant) -> Said {
    let status = tenant.status.as_ref().filter(|status| status.observed_generation == tenant.metadata.generation);
    let find =
        |condition: Condition| status.and_then(|status| status.conditions.iter().find(|found| found.type_ == condition.type_()));
    let row = find(Condition::Registered).is_some_and(|found| found.status == "True" && found.reason == IN_SYNC);
    Said { probe: find(Condition::Reachable).and_then(probe::passed), row }
}

pub fn outcome(done: &Done) -> Outcome {
    use crate::core::report::Outcome as Of;
    use crate::core::verdict::Verdict;
    if done.settled() {
        Outcome::Settled
    } else if done.failed {
        Outcome::Failed
    } else if done.outcomes.iter().any(|(_, outcome)| matches!(outcome, Of::Verdict(Verdict::Stalled(_)))) {
        Outcome::Stalled
    } else {
        Outcome::Waiting
    }
}

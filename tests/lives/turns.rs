//! Plans that change under their tenants: the operator's own turns, and what must be true of every rollout.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use tenant_operator::api::{Record, Tenant};
use tenant_operator::controller::pass::Done;
use tenant_operator::core::op::Change;
use tenant_operator::core::rollout::{self, Came};
use tenant_operator::core::seen::JobState;
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{ObjectName, Problem, Subject};
use tenant_operator::world::Error;
use tenant_operator::world::turns::{Turns, Woken};

use crate::finding::Gift;
use crate::guards::Guard;
use crate::outside::Outside;
use crate::outside::jobs::Job;
use crate::sim::Sim;

/// The operator's own memory: gone with a crash.
pub struct Memory(Mutex<(Turns, Woken)>);

impl Default for Memory {
    fn default() -> Self {
        Self(Mutex::new(Turns::new()))
    }
}

impl Memory {
    fn with<T>(&self, what: impl FnOnce(&mut (Turns, Woken)) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The watch tells of every Tenant before the first pass is made.
    pub fn forget(&self, outside: &mut Outside) {
        outside.rollouts.doubt_failures();
        self.with(|turns| {
            *turns = Turns::new();
            outside.objects.tenants.values().for_each(|tenant| turns.0.named(tenant, outside.time()));
        });
    }

    pub fn called(&self) -> Vec<ObjectName> {
        self.with(|turns| std::iter::from_fn(|| turns.1.tenants.try_recv().ok()).collect())
    }

    pub fn gone(&self, name: &ObjectName, now: k8s_openapi::jiff::Timestamp) {
        self.with(|turns| turns.0.gone(name, now));
    }

    pub fn aside(&self, tenant: &Tenant, now: k8s_openapi::jiff::Timestamp) {
        self.with(|turns| turns.0.aside(tenant, now));
    }

    /// As a pass up begins.
    pub fn subject(&self, outside: &Outside, tenant: &Tenant, mut gift: Gift<'_>) -> Result<Subject, Problem> {
        let plan = outside.plans.get(&tenant.spec.plan);
        let held = gift.identity.record.as_ref().map(|held| &held.record);
        let turn = self.with(|turns| turns.0.look(tenant, plan, held, outside.time()));
        gift.turn = turn || !outside.guards(Guard::Turns);
        if !outside.guards(Guard::Opening) && tenant.spec.suspend.is_none() {
            gift.forget_closing();
        }
        let mut who = Subject::parse(gift.given())?;
        if let Some(want) = who.want.as_mut().filter(|_| !outside.guards(Guard::Overlap)) {
            want.credentials.overlap = Some("0s".to_owned());
        }
        Ok(who)
    }

    pub fn report(&self, done: &Done) {
        self.with(|turns| turns.0.report(&done.who, done.came()));
    }

    /// Plans whose status may have to be written.
    pub fn news(&self) -> BTreeSet<String> {
        self.with(|turns| std::iter::from_fn(|| turns.1.plans.try_recv().ok()).collect())
    }
}

/// Who is being changed, and who failed, as the outside sees it: by plan, tenant ids.
#[derive(Default)]
pub struct Rollouts {
    changing: BTreeMap<String, BTreeSet<String>>,
    failed: BTreeMap<(String, i64), BTreeSet<String>>,
    /// Who had failed when the operator died, and was not looked at since.
    doubted: BTreeSet<String>,
}

impl Rollouts {
    pub fn leave(&mut self, id: &str) {
        self.changing.values_mut().for_each(|ids| _ = ids.remove(id));
    }

    fn forget(&mut self, id: &str) {
        self.leave(id);
        self.failed.values_mut().for_each(|ids| _ = ids.remove(id));
    }

    /// A process that begins anew knows of a failure what the first pass over the tenant sees of it.
    fn doubt_failures(&mut self) {
        self.doubted = self.failed.values().flatten().cloned().collect();
    }
}

impl Sim {
    pub fn report(&self, done: &Done) {
        let mut outside = self.outside();
        if !outside.dead {
            let doubted = outside.rollouts.doubted.remove(&done.who.id);
            match done.came() {
                Came::Settled => outside.rollouts.forget(&done.who.id),
                Came::Failed => outside.note_failed(&done.who),
                Came::Queued | Came::UnderWay if doubted => outside.judge_failure(&done.who.id),
                Came::Queued | Came::UnderWay => {}
            }
        }
        self.turns.report(done);
    }

    /// The plans' own controller.
    pub fn tell_plan(&self, name: &str) -> Result<(), Error> {
        let mut outside = self.outside();
        let now = outside.time();
        let Some(plan) = outside.plans.get(name).cloned() else { return Ok(()) };
        let tally = self.turns.with(|turns| turns.0.plan(&plan, now));
        if tally.unseen > 0 {
            return Ok(());
        }
        let status = rollout::status(name, &plan, &tally, now);
        if plan.status.as_ref() == Some(&status) {
            return Ok(());
        }
        outside.about_to("the status of a plan")?;
        outside.say(|| format!("{name}: {status:?}"));
        if let Some(plan) = outside.plans.get_mut(name) {
            plan.status = Some(status);
        }
        outside.wrote(&format!("status of plan {name}"))
    }
}

impl Outside {
    /// Nothing can be done for the Tenant just now.
    pub fn step_aside(&mut self, name: &ObjectName) {
        let ids: Vec<String> = self.ids.get(name).into_iter().flatten().cloned().collect();
        ids.iter().for_each(|id| self.rollouts.leave(id));
    }

    /// Before a record takes another copy of the plan: whoever is in use is changed in turn.
    pub fn check_turn(&mut self, who: &Subject, change: &Change, record: &Record) {
        let Change::Plan(copy) = change else { return };
        self.rollouts.leave(&who.id);
        let switched = record.plan.as_ref().is_none_or(|before| before.name != copy.name);
        if switched || record.first_ready_at.is_none() {
            return;
        }
        let there = self.naming(&copy.name);
        let alive = |ids: &BTreeSet<String>| ids.iter().filter(|id| there.contains(*id)).count();
        let failed = self.rollouts.failed.get(&(copy.name.clone(), copy.generation)).map_or(0, alive);
        let changing = self.rollouts.changing.entry(copy.name.clone()).or_default();
        changing.insert(who.id.clone());
        let changing = alive(changing);
        if changing > copy.spec.rollout.at_once as usize {
            self.fault(format!("{changing} tenants of the plan {} are changed at once", copy.name));
        }
        if failed >= copy.spec.rollout.stop_after as usize {
            self.fault(format!("{failed} tenants failed on the plan {}, and another one is changed", copy.name));
        }
    }

    /// The identities of the Tenants that name the plan and are not leaving.
    fn naming(&self, plan: &str) -> BTreeSet<String> {
        let there =
            |(_, tenant): &(&ObjectName, &Tenant)| tenant.spec.plan == plan && tenant.metadata.deletion_timestamp.is_none();
        let names = self.objects.tenants.iter().filter(there).map(|(name, _)| name);
        names.filter_map(|name| self.ids.get(name)).flatten().cloned().collect()
    }

    fn last_ended<'a>(&'a self, id: &'a str) -> Option<&'a Job> {
        self.jobs.of(id).map(|(_, job)| job).filter(|job| job.state != JobState::Running).max_by_key(|job| job.attempt)
    }

    /// What the Job failed at was done since.
    fn is_overcome(&self, job: &Job) -> bool {
        let failed = job.reports.iter().find_map(|report| Step::parse(&report.failure.as_ref()?.step));
        let record = self.claims.values().filter(|claim| claim.holder.id == job.id).find_map(|claim| claim.record.as_ref());
        let done = |step: &Step, hash: &String| {
            record.and_then(|record| record.receipts.get(step.as_str())).is_some_and(|receipt| receipt.hash == *hash)
        };
        job.hashes.iter().filter(|(step, _)| failed.is_none_or(|failed| failed == **step)).all(|(step, hash)| done(step, hash))
    }

    fn note_failed(&mut self, who: &Subject) {
        let changing = self.rollouts.changing.values().any(|ids| ids.contains(&who.id));
        let Some(copy) = who.record().and_then(|record| record.plan.as_ref()).filter(|_| changing) else { return };
        let version = (copy.name.clone(), copy.generation);
        self.rollouts.failed.entry(version).or_default().insert(who.id.clone());
        self.rollouts.leave(&who.id);
    }

    /// Who goes on after a restart did not fail as far as can be seen then: the Job is gone, or what it failed at was done since.
    fn judge_failure(&mut self, id: &str) {
        if self.last_ended(id).is_some_and(|job| job.state == JobState::Failed && !self.is_overcome(job)) {
            return;
        }
        let versions = self.rollouts.failed.iter().filter(|(_, ids)| ids.contains(id));
        let plans: Vec<String> = versions.map(|((plan, _), _)| plan.clone()).collect();
        self.rollouts.forget(id);
        plans.into_iter().for_each(|plan| _ = self.rollouts.changing.entry(plan).or_default().insert(id.to_owned()));
    }
}

//! The simulated world behind the operator's own trait: it decides nothing, and what it remembers besides the outside dies with a crash.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::jiff::Timestamp;
use tenant_operator::api::VerifyMode;
use tenant_operator::core::op::{JobKind, Op};
use tenant_operator::core::rotation;
use tenant_operator::core::seen::{GateSeen, JobState, KeyAnswer, ProbeSeen, Seen, WorkSeen};
use tenant_operator::core::stages::{Stage, Way, is_unread};
use tenant_operator::core::steps::{self, Step};
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::world::gate::Gate;
use tenant_operator::world::{Effect, Error, World};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::faults::Party;
use crate::guards::Guard;
use crate::outside::Outside;
use crate::turns::Memory;

pub struct Sim {
    outside: Mutex<Outside>,
    /// Probes that failed in a row, by tenant id: the operator's own memory.
    failures: Mutex<BTreeMap<String, u32>>,
    /// The operator's own gate, and whom it wakes.
    gate: Mutex<(Gate, UnboundedReceiver<ObjectName>)>,
    pub turns: Memory,
    /// What was seen of a tenant's work in this pass, until something is done: as the real world keeps it.
    work: Mutex<BTreeMap<String, WorkSeen>>,
}

impl Sim {
    pub fn new(outside: Outside) -> Self {
        Self {
            outside: Mutex::new(outside),
            failures: Mutex::default(),
            gate: Mutex::new(Gate::new()),
            turns: Memory::default(),
            work: Mutex::default(),
        }
    }

    pub fn outside(&self) -> MutexGuard<'_, Outside> {
        self.outside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn gate(&self) -> MutexGuard<'_, (Gate, UnboundedReceiver<ObjectName>)> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operator starts anew, and remembers nothing; the gate is filled again from the Jobs that have not ended.
    pub fn forget(&self) {
        *self.gate() = Gate::new();
        let (gate, mut outside) = (self.gate(), self.outside());
        for job in outside.jobs.all.values().filter(|job| job.state == JobState::Running) {
            let way = if job.kind == JobKind::Remove { Way::Down } else { Way::Up };
            let bench = tenant_operator::core::place::reference(&outside.bench);
            gate.0.resume(bench, way, job.id.clone(), job.tenant.clone());
        }
        self.turns.forget(&mut outside);
        drop((gate, outside));
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.work.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// It waits for nothing, and has a slot only while its Job is running.
    pub fn set_aside(&self, tenant: &ObjectName) {
        let held = self.gate().0.stop_waiting(tenant);
        for (_, id) in held {
            let running = self.outside().jobs.of(&id).any(|(_, job)| job.state == JobState::Running);
            if !running {
                self.gate().0.leave(&id);
            }
        }
    }

    fn work(&self, outside: &Outside, stage: Stage, way: Way, who: &Subject) -> WorkSeen {
        let mut kept = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = kept.entry(who.id.clone()).or_insert_with(|| work(outside, &self.gate().0, way, who));
        if stage == Stage::Keys && way == Way::Up && seen.key.is_none() {
            seen.key = ask(outside, who, &seen.versions);
        }
        seen.clone()
    }

    fn forget_work(&self, who: &Subject) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).remove(&who.id);
    }

    fn probe(&self, outside: &Outside, who: &Subject) -> ProbeSeen {
        let checks = outside.probe(who);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = failures.entry(who.id.clone()).or_default();
        *failures = if checks.iter().any(|check| check.problem.is_some()) { *failures + 1 } else { 0 };
        ProbeSeen { checks, failures: *failures }
    }
}

fn work(outside: &Outside, gate: &Gate, way: Way, who: &Subject) -> WorkSeen {
    let inputs = outside.read_inputs(who);
    let left = steps::left(who, &inputs.versions);
    let busy = way == Way::Down || !left.is_empty() || rotation::is_stopping(who);
    let source = who.bench.spec.jobs.pod_from.as_ref().filter(|_| outside.is_out(Party::PodSource));
    let jobs = if busy { outside.see_jobs(who, way) } else { vec![] };
    let running = jobs.iter().any(|job| job.state == JobState::Running);
    if !running {
        // One that is queued stays queued while it has something to run.
        if busy { gate.give_back(&who.id) } else { gate.leave(&who.id) }
    }
    WorkSeen {
        custody: outside.see_custody(who),
        custody_moved: outside.custody_moved(who),
        pairs: outside.see_pairs(who),
        missing: if left.contains(&Step::Settings) { inputs.missing.clone() } else { vec![] },
        inputs: outside.see_inputs(who, &inputs),
        gate: if busy && !running && !is_unread(who, &jobs) && outside.guards(Guard::Gate) {
            gate.look(way, who)
        } else {
            GateSeen::Open
        },
        jobs,
        pod_source_missing: source.map(|from| from.deployment.clone()),
        published: outside.see_published(who),
        key: None,
        versions: inputs.versions,
    }
}

/// Only while it is set and not proven yet.
fn ask(outside: &Outside, who: &Subject, versions: &steps::SecretVersions) -> Option<KeyAnswer> {
    let over_http = who.bench.spec.api_user.verify.mode == VerifyMode::HTTP;
    if !over_http || who.is_closed() || !steps::fresh(Step::Keys, who, versions) || steps::fresh(Step::Proof, who, versions) {
        return None;
    }
    let api = *outside.secrets.custody.get(&who.id)?.pairs.get(&rotation::newest(who))?;
    Some(match outside.web(&who.site, api) {
        _ if !outside.guards(Guard::Proof) => KeyAnswer::Accepted,
        Ok(()) => KeyAnswer::Accepted,
        Err(words) if words == "417" => KeyAnswer::Undecryptable,
        Err(words) => match words.parse::<u16>() {
            Ok(status @ (401 | 404)) => KeyAnswer::Rejected(status),
            Ok(417) => KeyAnswer::Undecryptable,
            _ => KeyAnswer::Unreachable(words),
        },
    })
}

impl World for Sim {
    fn now(&self) -> Timestamp {
        self.outside().time()
    }

    async fn observe(&self, stage: Stage, way: Way, who: &Subject) -> Result<Seen, Error> {
        let outside = self.outside();
        outside.reachable()?;
        if way.stages().first() == Some(&stage) {
            self.forget_work(who);
        }
        Ok(match stage {
            Stage::Claim => Seen::Claims(outside.see_claims(who)),
            Stage::Routes => Seen::Routes(outside.see_routes(who)),
            Stage::Dns => Seen::Dns(outside.see_dns(who)),
            Stage::Certificate => Seen::Certificate(outside.see_certificate(way, who)),
            Stage::Site | Stage::Apps | Stage::Settings | Stage::Keys => Seen::Work(self.work(&outside, stage, way, who)),
            Stage::Probe => Seen::Probe(self.probe(&outside, who)),
            Stage::Registry => Seen::Registry(outside.see_registry(who)),
        })
    }

    async fn execute(&self, op: &Op, who: &Subject) -> Result<Effect, Error> {
        let mut outside = self.outside();
        self.forget_work(who);
        match op {
            Op::TakeClaims(claims) => return outside.take_claims(who, claims),
            Op::TakeOver(handover) => return outside.take_over(who, handover),
            Op::ReleaseClaims(names) => outside.release_claims(&who.id, names)?,
            Op::Remember(change) => return outside.remember(who, change),
            Op::EnsureCustody => outside.ensure_custody(who)?,
            Op::DropPairs(serials) => outside.drop_pairs(who, serials)?,
            Op::RemoveCustody => outside.remove_custody(who)?,
            Op::CopyInputs => outside.copy_inputs(who)?,
            Op::RemoveInputs => outside.remove_inputs(who)?,
            Op::StartJob(plan) => {
                let way = if plan.kind == JobKind::Remove { Way::Down } else { Way::Up };
                if self.gate().0.enter(way, who) || !outside.guards(Guard::Gate) {
                    outside.start_job(who, plan)?;
                }
            }
            Op::RemoveJob(name) => outside.remove_job(name)?,
            Op::Apply(child) => outside.apply_child(who, child)?,
            Op::Remove(child) => outside.remove_child(who, child)?,
            Op::PublishKeys => outside.publish(who)?,
            Op::RemovePublished => outside.remove_published(who)?,
            Op::WriteRow(row) => outside.write_row(who, row)?,
            Op::RemoveRow => outside.remove_row(who)?,
        }
        Ok(Effect::None)
    }
}

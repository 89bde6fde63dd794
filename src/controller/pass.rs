//! One pass over one tenant: observe, decide, execute, observe again; stage by stage, until nothing is left to do now.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tracing::{debug, info, warn};

use crate::core::abandon::{self, Patience};
use crate::core::lead::Leads;
use crate::core::op::{Change, Op};
use crate::core::report::{Outcome, Pass};
use crate::core::rollout::Came;
use crate::core::seen::Seen;
use crate::core::stages::{QUEUED, Stage, Way, adoption_report, job_failed};
use crate::core::subject::{Problem, Subject};
use crate::core::verdict::{Note, Verdict};
use crate::world::error::Class;
use crate::world::{Effect, Error, World};

/// A stage that still asks for something after so many rounds asks for the same for ever: a bug, not a state.
const ROUNDS: usize = 12;

/// What a pass came to.
#[derive(Debug)]
pub struct Done {
    pub who: Subject,
    pub way: Way,
    pub outcomes: Vec<(Stage, Outcome)>,
    pub certificate_until: Option<Timestamp>,
    pub probe_failures: u32,
    /// What an adoption would change.
    pub changes: Option<Vec<String>>,
    /// The soonest that a stage wants to be looked at again; none where none waits.
    pub again: Option<Duration>,
    /// Some stage met an error of the outside.
    pub failed: bool,
    /// The tenant's Job failed, whether or not it is tried again by now.
    pub job_failed: bool,
}

impl Done {
    pub fn settled(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| outcome.is_settled())
    }

    /// For the fold into the Tenant's status.
    pub fn report(&self) -> Pass<'_> {
        let threshold = self.who.bench.spec.probe.failure_threshold();
        Pass {
            way: self.way,
            who: &self.who,
            outcomes: &self.outcomes,
            certificate_until: self.certificate_until,
            probe_failed: self.probe_failures >= threshold,
            changes: self.changes.as_deref(),
        }
    }

    /// Back when the time is over after which what cannot be reached is given up.
    fn come_for_the_end(&mut self) {
        let Patience::Until(end) = self.who.patience else { return };
        let left = Duration::try_from(end.duration_since(self.who.now)).unwrap_or_default();
        if !left.is_zero() && !self.settled() {
            self.again = Some(self.again.map_or(left, |again| again.min(left)));
        }
    }

    /// What it came to for a tenant whose plan was changed.
    pub fn came(&self) -> Came {
        let verdicts = || {
            self.outcomes.iter().filter_map(|(_, outcome)| match outcome {
                Outcome::Verdict(verdict) => Some(verdict),
                Outcome::Blocked(_) | Outcome::Failed(_) => None,
            })
        };
        let stalled = verdicts().any(|verdict| matches!(verdict, Verdict::Stalled(_)));
        let queued = verdicts().any(|verdict| matches!(verdict, Verdict::Wait(note, _) if note.reason == QUEUED));
        match () {
            () if self.settled() => Came::Settled,
            () if stalled || self.job_failed || self.report().probe_failed => Came::Failed,
            () if queued => Came::Queued,
            () => Came::UnderWay,
        }
    }

    fn outcome(&self, stage: Stage) -> Option<&Outcome> {
        self.outcomes.iter().find_map(|(other, outcome)| (*other == stage).then_some(outcome))
    }

    fn note(&mut self, stage: Stage, outcome: Outcome) {
        match self.outcomes.iter_mut().find(|(other, _)| *other == stage) {
            Some((_, old)) => *old = outcome,
            None => self.outcomes.push((stage, outcome)),
        }
    }

    /// Facts of single stages that the status shows.
    fn learn(&mut self, seen: &Seen) {
        match seen {
            Seen::Certificate(seen) => self.certificate_until = seen.not_after,
            Seen::Probe(seen) => self.probe_failures = seen.failures,
            Seen::Work(seen) if self.who.reports() => self.changes = adoption_report(&self.who, seen),
            Seen::Work(seen) => self.job_failed = self.way == Way::Up && job_failed(&self.who, seen),
            Seen::Claims(_) | Seen::Routes(_) | Seen::Dns(_) | Seen::Registry(_) => {}
        }
    }
}

/// Goes through all stages once. Never fails: an error of one stage is its outcome, and the others go on.
pub async fn run<W: World>(world: &W, who: Subject, way: Way) -> Done {
    let mut done = begin(who, way);
    let mut led: Option<Leads> = None;
    for stage in way.stages().iter().copied() {
        // Routes come twice: again only if the key was proven in between, or the site opened again.
        if stage == Stage::Routes {
            if done.outcome(stage).is_some() && led == Some(done.who.leads()) {
                continue;
            }
            led = Some(done.who.leads());
        }
        let unsettled = |need: &&Stage| !done.outcome(**need).is_some_and(Outcome::is_settled);
        let outcome = match stage.needs(way).iter().find(unsettled) {
            Some(need) => Outcome::Blocked(*need),
            // A report takes and publishes nothing.
            None if done.who.reports() && !matches!(stage, Stage::Claim | Stage::Site) => Outcome::Blocked(Stage::Site),
            None => settle(world, &mut done, stage).await,
        };
        let outcome = if way == Way::Down { abandon::judge(&mut done.who, stage, outcome) } else { outcome };
        done.note(stage, outcome);
    }
    done.come_for_the_end();
    if way == Way::Up && done.settled() {
        first_ready(world, &mut done).await;
    }
    done
}

/// The end of a tenant whose Bench is gone, and for which nobody waits any longer: what is not in the bench goes all the same.
pub async fn without_bench<W: World>(world: &W, mut who: Subject) -> Done {
    abandon::all(&mut who);
    let mut done = begin(who, Way::Down);
    if let Err(error) = execute(world, &mut done.who, &Op::RemovePublished).await {
        warn!(tenant = %done.who.tenant.name, %error, "the tenant's Secret is left");
    }
    for stage in Way::Down.stages().iter().copied() {
        let outcome = match stage {
            Stage::Claim => settle(world, &mut done, stage).await,
            _ => Outcome::Verdict(Verdict::settled("Abandoned", "given up with its Bench")),
        };
        done.note(stage, outcome);
    }
    done
}

/// Hosts and site are taken, with the record, and nothing else is done.
///
/// # Errors
/// What keeps them from being taken.
pub async fn take_claims<W: World>(world: &W, who: Subject) -> Result<(), Problem> {
    let mut done = begin(who, Way::Up);
    match settle(world, &mut done, Stage::Claim).await {
        outcome if outcome.is_settled() => Ok(()),
        Outcome::Verdict(Verdict::Stalled(note)) => Err(Problem::lasting(note.reason, note.message)),
        Outcome::Verdict(Verdict::Wait(note, _)) | Outcome::Failed(note) => Err(Problem::passing(note.reason, note.message)),
        Outcome::Verdict(Verdict::Settled(_) | Verdict::Do(_)) | Outcome::Blocked(_) => Err(abandon::record_unread()),
    }
}

fn begin(who: Subject, way: Way) -> Done {
    Done {
        who,
        way,
        outcomes: vec![],
        certificate_until: None,
        probe_failures: 0,
        changes: None,
        again: None,
        failed: false,
        job_failed: false,
    }
}

async fn settle<W: World>(world: &W, done: &mut Done, stage: Stage) -> Outcome {
    match rounds(world, done, stage).await {
        Ok(verdict) => {
            if let Verdict::Wait(_, pause) = &verdict {
                done.again = Some(done.again.map_or(*pause, |again| again.min(*pause)));
            }
            Outcome::Verdict(verdict)
        }
        Err(error) => {
            warn!(tenant = %done.who.tenant.name, namespace = %done.who.tenant.namespace, ?stage, %error, "a stage failed");
            done.failed = true;
            failed(&error)
        }
    }
}

/// What does not pass by itself is said to a person; it is looked at again all the same, in case that it was put right.
fn failed(error: &Error) -> Outcome {
    let note = Note::new(error.reason(), error.to_string());
    match error.class() {
        Class::Fatal => Outcome::Verdict(Verdict::Stalled(note)),
        Class::Transient | Class::Denied => Outcome::Failed(note),
    }
}

async fn rounds<W: World>(world: &W, done: &mut Done, stage: Stage) -> Result<Verdict, Error> {
    for _ in 0..ROUNDS {
        done.who.now = world.now();
        let seen = world.observe(stage, done.way, &done.who).await?;
        done.learn(&seen);
        let verdict = stage.decide(done.way, &done.who, &seen);
        debug!(tenant = %done.who.tenant.name, ?stage, ?verdict, "decided");
        let Verdict::Do(ops) = verdict else { return Ok(verdict) };
        for op in ops {
            execute(world, &mut done.who, &op).await?;
        }
    }
    Err(Error::Unconverged { stage: stage.condition().type_() })
}

async fn execute<W: World>(world: &W, who: &mut Subject, op: &Op) -> Result<(), Error> {
    info!(tenant = %who.tenant.name, namespace = %who.tenant.namespace, id = %who.id, op = op.kind(), "doing");
    if let Effect::Record(record) = world.execute(op, who).await? {
        who.remember(*record);
    }
    Ok(())
}

/// The record keeps when the tenant was Ready for the first time: from then on a repair does not take Ready away.
async fn first_ready<W: World>(world: &W, done: &mut Done) {
    if done.who.record().is_none_or(|record| record.first_ready_at.is_some()) {
        return;
    }
    let op = Op::Remember(Change::FirstReady(done.who.now));
    if let Err(error) = execute(world, &mut done.who, &op).await {
        done.failed = true;
        done.note(Stage::Claim, failed(&error));
    }
}

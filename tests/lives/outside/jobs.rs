//! Jobs, read from their manifests as a kubelet would, that progress as time passes; and runners that outlive theirs.

use std::collections::BTreeMap;

use serde_json::Value;
use tenant_operator::core::manifests::job::job;
use tenant_operator::core::op::{JobKind, JobPlan};
use tenant_operator::core::seen::{FailureClass, JobSeen, JobState, StepFailure, StepReport};
use tenant_operator::core::stages::Way;
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::world::Error;

use super::Outside;
use super::pods::{Container, parse};
use super::steps::{Given, Turn};
use crate::guards::Guard;

#[derive(Clone, Debug)]
pub struct Runner {
    pub number: u64,
    pub containers: Vec<Container>,
    /// Which container, step and turn of it comes next.
    pub at: (usize, usize, u32),
    pub given: Option<Given>,
    pub done: BTreeMap<Step, Value>,
    pub nothing_to_archive: bool,
    pub due: i64,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub uid: u64,
    pub id: String,
    pub tenant: ObjectName,
    pub kind: JobKind,
    pub attempt: u32,
    pub hashes: BTreeMap<Step, String>,
    pub state: JobState,
    pub ended: Option<i64>,
    pub reports: Vec<StepReport>,
    pub blocked: Option<String>,
    pub deadline: i64,
    pub kept: i64,
    /// It is being deleted; its pod is given until then.
    pub gone_at: Option<i64>,
    pub runner: Option<Runner>,
}

#[derive(Default)]
pub struct Jobs {
    pub all: BTreeMap<String, Job>,
    /// Processes whose node was lost: nobody sees them, and they go on.
    pub ghosts: Vec<Runner>,
    /// Turns taken in this life.
    pub turns: u64,
}

enum After {
    Goes(Runner),
    Ends(JobState),
}

impl Jobs {
    pub fn next_due(&self) -> Option<i64> {
        let jobs = self.all.values().flat_map(|job| {
            let runs = job.runner.as_ref().map(|runner| runner.due.min(job.deadline));
            [runs, job.gone_at, job.ended.map(|ended| ended + job.kept)]
        });
        jobs.flatten().chain(self.ghosts.iter().map(|ghost| ghost.due)).min()
    }

    pub fn of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = (&'a String, &'a Job)> {
        self.all.iter().filter(move |(_, job)| job.id == id)
    }
}

impl Outside {
    pub fn see_jobs(&self, who: &Subject, way: Way) -> Vec<JobSeen> {
        let kind = if way == Way::Down { JobKind::Remove } else { JobKind::Provision };
        let mut seen: Vec<JobSeen> = self
            .jobs
            .of(&who.id)
            .filter(|(_, job)| self.guards(Guard::Order) || job.kind == kind)
            .map(|(name, job)| JobSeen {
                name: name.clone(),
                uid: job.uid.to_string(),
                kind: job.kind,
                attempt: job.attempt,
                hashes: job.hashes.clone(),
                state: job.state,
                leaving: job.gone_at.is_some(),
                ended: job.ended.map(super::at),
                reports: if self.guards(Guard::Receipts) { job.reports.clone() } else { vec![believed(job)] },
                blocked: job.blocked.clone(),
            })
            .collect();
        seen.sort_by_key(|job| job.attempt);
        seen
    }

    pub fn start_job(&mut self, who: &Subject, plan: &JobPlan) -> Result<(), Error> {
        self.about_to(&plan.name)?;
        if self.jobs.all.contains_key(&plan.name) {
            return Ok(());
        }
        let manifest = serde_json::to_value(job(who, plan, None)).unwrap_or_default();
        let delay = self.chance.between(1, 3);
        let number = self.fresh();
        let made = parse(&manifest, number, self.now, delay);
        if self.jobs.of(&who.id).any(|(_, other)| other.state == JobState::Running) {
            self.fault(format!("{} has two Jobs at once", who.id));
        }
        self.jobs.all.insert(plan.name.clone(), made);
        let running = self.jobs.all.values().filter(|job| job.kind == plan.kind && job.state == JobState::Running);
        // A lost Tenant's keeps no slot: nobody is left to give it back.
        let running = running.filter(|job| self.objects.tenants.contains_key(&job.tenant)).count();
        if running > self.kind.concurrency as usize {
            self.fault(format!("{running} Jobs run at once"));
        }
        self.stir_of(&who.tenant);
        self.wrote(&format!("Job {} ({:?})", plan.name, plan.containers))
    }

    /// In the foreground: the Job goes when its pod has gone.
    pub fn remove_job(&mut self, name: &str) -> Result<(), Error> {
        self.about_to(name)?;
        let grace = match self.chance.below(10) {
            0 => 30,
            1..5 => 1,
            _ => 0,
        };
        let now = self.now;
        match self.jobs.all.get_mut(name) {
            Some(job) if job.gone_at.is_none() => {
                job.gone_at = Some(now + if job.runner.is_some() { grace } else { 0 });
                let tenant = job.tenant.clone();
                self.stir_of(&tenant);
                self.wrote(&format!("Job {name} is deleted"))?;
                self.progress_jobs();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub fn progress_jobs(&mut self) {
        let names: Vec<String> = self.jobs.all.keys().cloned().collect();
        for name in names {
            self.progress_job(&name);
        }
        for ghost in std::mem::take(&mut self.jobs.ghosts) {
            if let After::Goes(ghost) = self.run(ghost, None) {
                self.jobs.ghosts.push(ghost);
            }
        }
    }

    fn progress_job(&mut self, name: &str) {
        let Some(mut job) = self.jobs.all.remove(name) else { return };
        if let Some(runner) = job.runner.take() {
            let pulled = job.deadline.min(job.gone_at.unwrap_or(i64::MAX)) <= self.now;
            let after = if pulled { self.pull(&runner) } else { self.run(runner, Some(&mut job)) };
            match after {
                After::Goes(runner) => job.runner = Some(runner),
                After::Ends(state) => {
                    self.say(|| format!("Job {name} ends: {state:?} {:?}", job.reports.last().and_then(|r| r.failure.as_ref())));
                    (job.state, job.ended, job.blocked) = (state, Some(self.now), None);
                    if self.strikes(self.faults.vanish) {
                        job.kept = 0;
                    }
                    self.stir_of(&job.tenant);
                }
            }
        }
        let over = job.ended.is_some_and(|ended| ended + job.kept <= self.now);
        if over || job.runner.is_none() && job.gone_at.is_some_and(|gone| gone <= self.now) {
            self.say(|| format!("Job {name} is gone"));
            self.stir_of(&job.tenant);
        } else {
            self.jobs.all.insert(name.to_owned(), job);
        }
    }

    /// Killed: nothing is reported, and the database lets go of the lock.
    fn pull(&mut self, runner: &Runner) -> After {
        self.dock.locks.retain(|_, holder| *holder != runner.number);
        After::Ends(JobState::Failed)
    }

    /// Takes every turn that is due. A ghost has no Job that anybody could read.
    fn run(&mut self, mut runner: Runner, mut job: Option<&mut Job>) -> After {
        while runner.due <= self.now {
            if let Some(job) = job.as_deref_mut()
                && let Some(after) = self.misfortune(&mut runner, job)
            {
                return after;
            }
            if runner.given.is_none() {
                match self.begin(&mut runner) {
                    Ok(()) => {}
                    Err(words) => {
                        runner.due = self.now + 5;
                        if let Some(job) = job.as_deref_mut() {
                            job.blocked = Some(words);
                        }
                        return After::Goes(runner);
                    }
                }
            }
            let (report, over) = self.step(&mut runner);
            if let (Some(job), Some(report)) = (job.as_deref_mut(), report) {
                job.reports.push(report);
                self.stir_of(&job.tenant);
            }
            if let Some(state) = over {
                return After::Ends(state);
            }
        }
        After::Goes(runner)
    }

    fn misfortune(&mut self, runner: &mut Runner, job: &mut Job) -> Option<After> {
        job.blocked = None;
        let turn = self.jobs.turns;
        self.jobs.turns += 1;
        if self.faults.kill_at == Some(turn) || self.strikes(self.faults.kill) {
            self.say(|| format!("the pod of {} is killed at {:?}", job.id, runner.at));
            return Some(self.pull(runner));
        }
        if runner.given.is_some() && self.strikes(self.faults.ghost) {
            self.say(|| format!("the node of {} is lost", job.id));
            self.haunt(runner.clone());
            return Some(After::Ends(JobState::Failed));
        }
        if self.strikes(self.faults.hang) {
            self.say(|| format!("the pod of {} hangs", job.id));
            runner.due = i64::MAX;
            return Some(After::Goes(runner.clone()));
        }
        None
    }

    /// The process goes on where nobody sees it, maybe after a while; the database lets go of a lock that was silent for a minute.
    fn haunt(&mut self, mut ghost: Runner) {
        let pause = self.chance.between(0, 200);
        ghost.due += pause;
        if pause > 60 {
            self.dock.locks.retain(|_, holder| *holder != ghost.number);
        }
        self.jobs.ghosts.push(ghost);
    }

    /// What the database says to a runner: another has the lock, or it has lost the one that it had.
    fn is_locked_out(&self, runner: &Runner, id: &str) -> bool {
        let begun = (runner.at.1, runner.at.2) != (0, 0);
        self.guards(Guard::Lock) && self.dock.locks.get(id).map_or(begun, |holder| *holder != runner.number)
    }

    /// A container starts: its secrets are read, as the kubelet does.
    fn begin(&mut self, runner: &mut Runner) -> Result<(), String> {
        let container = &runner.containers[runner.at.0];
        let mut env = BTreeMap::new();
        for (name, secret, key, optional) in &container.variables {
            match self.value(secret, key) {
                Some(value) => _ = env.insert(name.clone(), value),
                None if *optional => {}
                None => return Err(format!("CreateContainerConfigError: {secret}/{key}")),
            }
        }
        runner.given = Some(Given { input: container.input.clone(), env });
        Ok(())
    }

    fn value(&self, secret: &str, key: &str) -> Option<u64> {
        if let Some(id) = secret.strip_suffix("-custody") {
            let custody = self.secrets.custody.get(id)?;
            return match key {
                "db-password" | "encryption-key" if custody.adopted => None,
                "db-password" => Some(custody.database),
                "encryption-key" => Some(custody.encryption),
                _ => {
                    let serial = key.strip_prefix("api-key-").or_else(|| key.strip_prefix("api-secret-"))?;
                    custody.pairs.get(&serial.parse().ok()?).copied()
                }
            };
        }
        match secret.strip_suffix("-inputs") {
            Some(id) => self.secrets.inputs.get(id)?.get(key).copied(),
            None => (secret == "ledger-root" && key == "passphrase").then_some(1),
        }
    }

    /// One turn of the current step: the container's report if it ended, and the Job's end if that was the last.
    fn step(&mut self, runner: &mut Runner) -> (Option<StepReport>, Option<JobState>) {
        let (container, step, turn) = runner.at;
        let Some(given) = runner.given.clone() else { return (None, None) };
        let steps = runner.containers[container].steps.clone();
        let result = if self.is_locked_out(runner, given.id()) {
            Turn::Failed("Locked", FailureClass::Retryable)
        } else {
            self.dock.locks.insert(given.id().to_owned(), runner.number);
            self.turn(steps[step], turn, &given, &mut runner.nothing_to_archive)
        };
        match result {
            Turn::Next(seconds) => {
                runner.at.2 += 1;
                runner.due = self.now + seconds;
                return (None, None);
            }
            Turn::Done(facts) => {
                runner.done.insert(steps[step], facts);
                runner.at = (container, step + 1, 0);
                if step + 1 < steps.len() {
                    return (None, None);
                }
            }
            Turn::Failed(reason, class) => {
                self.pull(runner);
                return (Some(report(runner, Some((steps[step], reason, class)))), Some(JobState::Failed));
            }
        }
        self.pull(runner);
        runner.at = (container + 1, 0, 0);
        runner.given = None;
        runner.due = self.now + 1;
        let last = container + 1 == runner.containers.len();
        (Some(report(runner, None)), last.then_some(JobState::Succeeded))
    }
}

/// What it would report if all of it had gone well.
fn believed(job: &Job) -> StepReport {
    let done =
        job.hashes.keys().map(|step| (*step, serde_json::json!({"apps": [{"name": "frappe", "version": "15.7"}]}))).collect();
    StepReport { done, failure: None, bench_seconds: 0.0 }
}

fn report(runner: &mut Runner, failure: Option<(Step, &'static str, FailureClass)>) -> StepReport {
    let failure = failure.map(|(step, reason, class)| StepFailure {
        step: step.as_str().to_owned(),
        reason: reason.to_owned(),
        class,
        message: "as told".to_owned(),
        tail: vec!["last line".to_owned()],
    });
    StepReport { done: std::mem::take(&mut runner.done), failure, bench_seconds: 1.5 }
}

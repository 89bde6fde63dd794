//! Jobs, read from their manifests as a kubelet would, that progress as time passes; and runners that outlive theirs.

use std::collections::BTreeMap;

use tenant_operator::core::manifests::job::job;
use tenant_operator::core::op::{JobKind, JobPlan};
use tenant_operator::core::seen::{JobSeen, JobState, StepReport};
use tenant_operator::core::stages::Way;
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::world::Error;

use super::Outside;
use super::pods::parse;
use super::runners::Runner;
use crate::guards::Guard;

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

impl Job {
    /// When something happens to it next by itself.
    fn due(&self) -> Option<i64> {
        let runs = self.runner.as_ref().map(|runner| runner.due.min(self.deadline));
        [runs, self.gone_at, self.ended.map(|ended| ended + self.kept)].into_iter().flatten().min()
    }
}

#[derive(Default)]
pub struct Jobs {
    pub all: BTreeMap<String, Job>,
    /// Processes whose node was lost: nobody sees them, and they go on.
    pub ghosts: Vec<Runner>,
    /// Turns taken in this life.
    pub turns: u64,
}

pub enum After {
    Goes(Runner),
    Ends(JobState),
}

impl Jobs {
    pub fn next_due(&self) -> Option<i64> {
        self.all.values().filter_map(Job::due).chain(self.ghosts.iter().map(|ghost| ghost.due)).min()
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
        let due = |job: &Job| job.due().is_some_and(|due| due <= self.now);
        let names: Vec<String> = self.jobs.all.iter().filter(|(_, job)| due(job)).map(|(name, _)| name.clone()).collect();
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
}

/// What it would report if all of it had gone well.
fn believed(job: &Job) -> StepReport {
    let done =
        job.hashes.keys().map(|step| (*step, serde_json::json!({"apps": [{"name": "frappe", "version": "15.7"}]}))).collect();
    StepReport { done, failure: None, bench_seconds: 0.0 }
}

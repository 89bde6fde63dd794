//! What runs in a Job's pod: containers that are given their secrets, and their steps, turn by turn, under the database's lock.

use std::collections::BTreeMap;

use serde_json::Value;
use tenant_operator::core::seen::{FailureClass, JobState, StepFailure, StepReport};
use tenant_operator::core::steps::Step;

use super::Outside;
use super::jobs::After;
use super::pods::Container;
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

impl Outside {
    /// Killed: nothing is reported, and the database lets go of the lock.
    pub fn pull(&mut self, runner: &Runner) -> After {
        self.dock.locks.retain(|_, holder| *holder != runner.number);
        After::Ends(JobState::Failed)
    }

    /// The process goes on where nobody sees it, maybe after a while; the database lets go of a lock that was silent for a minute.
    pub fn haunt(&mut self, mut ghost: Runner) {
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
    pub fn begin(&mut self, runner: &mut Runner) -> Result<(), String> {
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
    pub fn step(&mut self, runner: &mut Runner) -> (Option<StepReport>, Option<JobState>) {
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

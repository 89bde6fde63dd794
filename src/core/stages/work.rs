//! How the steps inside a bench are driven: one Job at a time, resumed from what its containers reported, tried again with growing pauses.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use crate::api::Receipt;
use crate::core::names;
use crate::core::op::{Change, JobKind, JobPlan, Op};
use crate::core::record::STALE;
use crate::core::seen::{FailureClass, GateSeen, JobSeen, JobState, StepFailure, WorkSeen};
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::{Note, Verdict};

/// A watch tells when a Job moves; this is for the case that it is dropped.
const LOOK_AGAIN: u64 = 30;
const FIRST_PAUSE: u64 = 5;
const LONGEST_PAUSE: u64 = 600;
/// For what only a person can put right, but where nobody tells us that it was.
const DENIED_PAUSE: u64 = 120;

/// The steps that have to run, in one Job.
pub struct Order {
    pub kind: JobKind,
    pub steps: Vec<Step>,
    /// What the condition says meanwhile, as a reason.
    pub doing: &'static str,
}

/// Runs what is ordered until each step has its receipt. Never says Settled: that is for the stage to say.
pub fn run(who: &Subject, seen: &WorkSeen, order: &Order) -> Verdict {
    let newest = seen.jobs.last().filter(|job| job.kind == order.kind);
    if let Some(job) = newest {
        if let Some(op) = harvest(who, seen, job) {
            return Verdict::Do(vec![op]);
        }
        if job.leaving {
            return Verdict::wait("JobLeaving", format!("Job {} is being deleted", job.name), 2);
        }
        if job.state == JobState::Running {
            return running(job, order);
        }
        if job.state == JobState::Failed
            && let Some(verdict) = hold_back(who, seen, job, order)
        {
            return verdict;
        }
    }
    start(who, seen, order)
}

/// A Job of the other direction is ended first: two must never work on one site.
pub fn clear(seen: &WorkSeen, other: JobKind) -> Option<Verdict> {
    let job = seen.jobs.iter().find(|job| job.kind == other && (job.leaving || job.state == JobState::Running))?;
    Some(if job.leaving {
        Verdict::wait("JobLeaving", format!("Job {} is being deleted", job.name), 2)
    } else {
        Verdict::Do(vec![Op::RemoveJob(job.name.clone())])
    })
}

/// Puts what the Job's containers reported into the record, once.
fn harvest(who: &Subject, seen: &WorkSeen, job: &JobSeen) -> Option<Op> {
    let mut receipts = BTreeMap::new();
    // A report is read where it is wanted, and kept nowhere else.
    let reports = job.reports.iter().filter(|_| job.kind != JobKind::Report);
    for (step, facts) in reports.flat_map(|report| &report.done) {
        let Some(hash) = job.hashes.get(step) else { continue };
        if !is_taken_up(who, job, *step, hash) {
            let current = *hash == steps::hash(*step, who, &seen.versions);
            let mut facts = facts_to_keep(who, *step, facts, current);
            if facts.is_object() {
                facts["job"] = json!(job.uid);
            }
            receipts.insert(*step, receipt(who, hash, &facts));
        }
    }
    (!receipts.is_empty()).then(|| Op::Remember(Change::Receipts(receipts)))
}

/// Whether the record has this report already. A receipt that was made stale since has it too: what a Job found before that says
/// nothing of what the site has now.
fn is_taken_up(who: &Subject, job: &JobSeen, step: Step, hash: &str) -> bool {
    who.receipt(step).is_some_and(|receipt| {
        let of_this_job = receipt.facts.as_ref().is_some_and(|facts| facts["job"] == json!(job.uid));
        receipt.hash == hash && receipt.version == steps::version() || receipt.hash == STALE && of_this_job
    })
}

/// Whether the newest Job reported something that the record does not have yet.
pub fn is_unread(who: &Subject, jobs: &[JobSeen]) -> bool {
    let Some(job) = jobs.last().filter(|job| job.kind != JobKind::Report) else { return false };
    let mut done = job.reports.iter().flat_map(|report| report.done.keys());
    done.any(|step| job.hashes.get(step).is_some_and(|hash| !is_taken_up(who, job, *step, hash)))
}

pub fn receipt(who: &Subject, hash: &str, facts: &Value) -> Receipt {
    Receipt { hash: hash.to_owned(), version: steps::version().to_owned(), at: Time(who.now), facts: Some(facts.clone()) }
}

/// The settings step's receipt also holds the config keys that are ours, so that one taken out of the spec is unset.
/// Facts of a run for an older spec only ever add to them.
fn facts_to_keep(who: &Subject, step: Step, facts: &Value, current: bool) -> Value {
    let mut facts = facts.clone();
    if step == Step::Settings && facts.is_object() {
        let mut owned = steps::config_names(who);
        if !current {
            owned.extend(steps::config_owned(who));
            owned.sort();
            owned.dedup();
        }
        facts["config"] = json!(owned);
    }
    facts
}

fn running(job: &JobSeen, order: &Order) -> Verdict {
    match &job.blocked {
        Some(words) => Verdict::wait("PodBlocked", format!("the pod of Job {} does not start: {words}", job.name), LOOK_AGAIN),
        None => Verdict::wait(order.doing, format!("Job {} is running", job.name), LOOK_AGAIN),
    }
}

/// Whether the last word of the tenant's Jobs on the way up is that what is wanted now failed; one that is tried again has not said
/// its word yet.
pub fn failed(who: &Subject, seen: &WorkSeen) -> bool {
    let said = |job: &&JobSeen| job.state != JobState::Running || job.kind != JobKind::Provision;
    let last = seen.jobs.iter().rev().find(said).filter(|job| job.kind == JobKind::Provision && !job.leaving);
    last.is_some_and(|job| job.state == JobState::Failed && is_current(who, seen, job, &steps::left(who, &seen.versions)))
}

/// Whether a Job was given what is wanted now. Where a step failed, only what that step is given counts: a spec put right must not
/// wait for the others' sake.
fn is_current(who: &Subject, seen: &WorkSeen, job: &JobSeen, steps: &[Step]) -> bool {
    let failed = job.reports.iter().find_map(|report| Step::parse(&report.failure.as_ref()?.step));
    let mut steps = steps.iter().filter(|step| failed.is_none_or(|failed| failed == **step));
    steps.any(|step| job.hashes.get(step).is_some_and(|hash| *hash == steps::hash(*step, who, &seen.versions)))
}

/// What a failed Job means for the next one: none where it may start now.
fn hold_back(who: &Subject, seen: &WorkSeen, job: &JobSeen, order: &Order) -> Option<Verdict> {
    let current = |job: &JobSeen| is_current(who, seen, job, &order.steps);
    let ended = job.ended.unwrap_or(who.now);
    let asked_again = who.retry_at.is_some_and(|at| at > ended && at <= who.now);
    if !current(job) || asked_again {
        return None;
    }
    let failure =
        job.reports.iter().find_map(|report| report.failure.clone()).unwrap_or_else(|| StepFailure::lost("", &job.name));
    let tries = seen.jobs.iter().rev().take_while(|job| job.kind == order.kind && job.state == JobState::Failed && current(job));
    let tries = u32::try_from(tries.count()).unwrap_or(u32::MAX);
    let pause = match failure.class {
        FailureClass::Fatal => return Some(Verdict::Stalled(note(&failure, ""))),
        FailureClass::Denied => DENIED_PAUSE,
        FailureClass::Retryable => pause(tries, &who.id),
    };
    let waited = u64::try_from(who.now.duration_since(ended).as_secs()).unwrap_or(0);
    let left = pause.saturating_sub(waited);
    // A time and no countdown: the message stays the same until something happens.
    let at = ended.saturating_add(SignedDuration::from_secs(i64::try_from(pause).unwrap_or(0))).unwrap_or(ended);
    let again = format!("; failed {tries} in a row, tried again at {}", at.strftime("%H:%M:%SZ"));
    (left > 0).then(|| Verdict::Wait(note(&failure, &again), Duration::from_secs(left)))
}

fn note(failure: &StepFailure, more: &str) -> Note {
    let tail = if failure.tail.is_empty() { String::new() } else { format!("; last lines: {}", failure.tail.join(" | ")) };
    let step = if failure.step.is_empty() { "start" } else { &failure.step };
    Note::new(failure.reason.clone(), format!("{step}: {}{tail}{more}", failure.message))
}

/// Seconds until the next try: doubled each time, capped, and spread by the id so that tenants do not come back in step.
fn pause(tries: u32, id: &str) -> u64 {
    let doubled = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
    let spread = u64::from_str_radix(&names::digest(&[id], 2), 16).unwrap_or(0);
    doubled + doubled * spread / 1024
}

fn start(who: &Subject, seen: &WorkSeen, order: &Order) -> Verdict {
    if let Some(name) = &seen.pod_source_missing {
        let message = format!("there is no Deployment {name} in {} (the Bench's jobs.podFrom)", who.bench.namespace);
        return Verdict::wait("PodSourceMissing", message, LOOK_AGAIN);
    }
    if let GateSeen::Full { in_use, limit, waiting } = seen.gate {
        let band = match waiting {
            0..10 => "under 10",
            10..100 => "under 100",
            _ => "100 or more",
        };
        let message = format!("{in_use} of {limit} slots of the bench are in use, {band} tenants are waiting");
        return Verdict::wait(super::QUEUED, message, LOOK_AGAIN);
    }
    // Before they run: a step that is no longer wanted by the time it ends must not leave the receipt of what was there before.
    let closing = order.steps.contains(&Step::Settings).then(|| who.before_closing()).flatten();
    let closing = closing.map(|receipt| Op::Remember(Change::Receipts(BTreeMap::from([(Step::Settings, receipt)]))));
    let marked = |step: Step| closing.is_some() && step == Step::Settings;
    let begun: Vec<Step> = order.steps.iter().copied().filter(|step| is_done(who, *step) && !marked(*step)).collect();
    let begun = (!begun.is_empty()).then(|| Op::Remember(Change::Stale(begun)));
    Verdict::Do(closing.into_iter().chain(begun).chain([Op::StartJob(plan(who, seen, order))]).collect())
}

/// Its receipt says that it was done, with whatever inputs. The mark of a removal that has begun stays what it is.
fn is_done(who: &Subject, step: Step) -> bool {
    !matches!(step, Step::Drop | Step::Revoke) && who.receipt(step).is_some_and(|receipt| receipt.hash != STALE)
}

fn plan(who: &Subject, seen: &WorkSeen, order: &Order) -> JobPlan {
    let attempt = seen.jobs.iter().map(|job| job.attempt.saturating_add(1)).max().unwrap_or(0);
    let hashes: BTreeMap<Step, String> =
        order.steps.iter().map(|step| (*step, steps::hash(*step, who, &seen.versions))).collect();
    let all: Vec<&str> = hashes.values().map(String::as_str).collect();
    let (first, second): (Vec<Step>, Vec<Step>) =
        order.steps.iter().partition(|step| matches!(step, Step::Adopt | Step::Create | Step::Apps));
    JobPlan {
        name: format!("{}-{}-{}-{attempt}", who.id, order.kind.as_str(), names::digest(&all, 8)),
        kind: order.kind,
        attempt,
        containers: [("site", first), ("tenant", second)].into_iter().filter(|(_, steps)| !steps.is_empty()).collect(),
        hashes,
    }
}

//! When the sites of a Bench are compared with what they should be, what a finished Job found, and what the Bench's status says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::evidence;
use super::pace;
use super::seen::{FailureClass, JobState, StepFailure};
use super::verdict::{Note, set_condition};
use crate::api::{BenchStatus, Differing};

/// The condition of a Bench that tells of its inspections. Absent until one has ended.
pub const CONDITION: &str = "Inspected";
/// The name of the step, as its report has it.
pub const STEP: &str = "inspect";

/// A watch tells when the Job ends; this is for the case that it is dropped.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Where more sites differ than one answer holds: the first ones are put right meanwhile.
const SOON: Duration = Duration::from_secs(300);
const FIRST_PAUSE: u64 = 60;
/// As many as the status and one differing tenant's entry may hold.
const MOST: usize = 60;
const MOST_OF_ONE: usize = 16;
const LONGEST: usize = 256;

/// One inspection's Job.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundSeen {
    pub name: String,
    /// When its expectations were put together.
    pub at: Timestamp,
    pub state: JobState,
    pub leaving: bool,
    pub ended: Option<Timestamp>,
    /// None where it left nothing that can be read.
    pub report: Option<Result<Found, StepFailure>>,
    pub blocked: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub seen: u32,
    pub differing: Vec<Differing>,
    /// Others differ as well.
    pub more: bool,
    pub archives: Option<u32>,
}

/// What is known when it is decided whether to inspect.
pub struct Given<'a> {
    pub now: Timestamp,
    pub interval: Duration,
    pub status: &'a BenchStatus,
    /// When the first of its tenants was claimed; none where it has none.
    pub first: Option<Timestamp>,
    /// When a person asked for one.
    pub asked: Option<Timestamp>,
    /// By time, the oldest first.
    pub rounds: &'a [RoundSeen],
}

#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    Rest(Duration),
    /// The expectations are put together, and a Job is started.
    Start,
    /// A Job is at work; or its pod does not start, for this reason.
    Running(Option<Note>, Duration),
    /// The status takes up what this Job found, and is looked at again.
    Take(Timestamp, Found),
    /// It is tried again after so long.
    Failed(Note, Duration),
}

pub fn next(given: &Given<'_>) -> Next {
    let taken = given.status.inspected_at.as_ref().map(|at| at.0.as_second());
    let asked =
        |since: Option<i64>| given.asked.is_some_and(|at| at <= given.now && since.is_none_or(|since| at.as_second() > since));
    if let Some(round) = given.rounds.last() {
        if round.leaving {
            return Next::Running(None, Duration::from_secs(2));
        }
        if round.state == JobState::Running {
            let words =
                |words: &String| Note::new("PodBlocked", format!("the pod of Job {} does not start: {words}", round.name));
            return Next::Running(round.blocked.as_ref().map(words), LOOK_AGAIN);
        }
        if taken.is_none_or(|taken| round.at.as_second() > taken) && (readable(round) || !asked(Some(round.at.as_second()))) {
            return match &round.report {
                Some(Ok(found)) if round.state == JobState::Succeeded => Next::Take(round.at, found.clone()),
                Some(Ok(_)) | None => again(given, round, &StepFailure::lost(STEP, &round.name)),
                Some(Err(failure)) => again(given, round, failure),
            };
        }
    }
    if asked(taken) {
        return Next::Start;
    }
    let due = due(given);
    match Duration::try_from(due.duration_since(given.now)) {
        Ok(left) if !left.is_zero() => Next::Rest(left),
        _ => Next::Start,
    }
}

fn readable(round: &RoundSeen) -> bool {
    round.state == JobState::Succeeded && matches!(round.report, Some(Ok(_)))
}

fn due(given: &Given<'_>) -> Timestamp {
    let more = |round: &RoundSeen| matches!(&round.report, Some(Ok(found)) if found.more);
    let (since, pause) = match (&given.status.inspected_at, given.first) {
        (Some(at), _) => match given.rounds.last().filter(|round| more(round)) {
            Some(round) => (round.ended.unwrap_or(at.0), SOON.min(given.interval)),
            None => (at.0, given.interval),
        },
        (None, Some(first)) => (first, given.interval),
        // Nothing to look at: it comes with the first tenant.
        (None, None) => (given.now, given.interval),
    };
    since.saturating_add(SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

/// After a growing pause, never longer than between two inspections.
fn again(given: &Given<'_>, round: &RoundSeen, failure: &StepFailure) -> Next {
    let failed = |round: &&RoundSeen| !matches!(round.report, Some(Ok(_)));
    let tries = given.rounds.iter().rev().take_while(failed).count();
    let pause = match failure.class {
        FailureClass::Fatal | FailureClass::Denied => given.interval,
        FailureClass::Retryable => {
            let doubled = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(10));
            Duration::from_secs(doubled).min(given.interval)
        }
    };
    let ended = round.ended.unwrap_or(round.at);
    let at = ended.saturating_add(SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)).unwrap_or(ended);
    let tail = if failure.tail.is_empty() { String::new() } else { format!("; last lines: {}", failure.tail.join(" | ")) };
    let message = format!("{}{tail}; failed {tries} in a row, tried again at {}", failure.message, at.strftime("%H:%M:%SZ"));
    match Duration::try_from(at.duration_since(given.now)) {
        Ok(left) if !left.is_zero() => Next::Failed(Note::new(failure.reason.clone(), message), left),
        _ => Next::Start,
    }
}

/// How long until the Bench is looked at again for this.
pub fn pause(next: &Next, bench: &str) -> Duration {
    match next {
        Next::Rest(left) => pace::spread(*left, bench),
        Next::Start | Next::Take(..) => Duration::from_secs(5),
        Next::Running(_, pause) | Next::Failed(_, pause) => *pause,
    }
}

/// Puts down what is to be said; only of these tenants. What is going on by itself says nothing: it would be another write.
pub fn tell(status: &mut BenchStatus, next: &Next, ids: &BTreeSet<String>, now: Timestamp, generation: Option<i64>) {
    let (truth, note) = match next {
        Next::Rest(_) | Next::Start | Next::Running(None, _) => return,
        Next::Running(Some(note), _) | Next::Failed(note, _) => ("False", note.clone()),
        Next::Take(at, found) => {
            status.inspected_at = Some(Time(*at));
            status.differing = found.differing.iter().filter(|entry| ids.contains(&entry.id)).cloned().collect();
            status.archives = found.archives.or(status.archives);
            ("True", summary(found, status.differing.len()))
        }
    };
    set_condition(&mut status.conditions, CONDITION, (truth, &note), now, generation);
}

fn summary(found: &Found, differing: usize) -> Note {
    let more = if found.more { " and more" } else { "" };
    match differing {
        0 => Note::new("AsExpected", format!("{} sites are as they should be", found.seen)),
        _ => Note::new("Differing", format!("{differing}{more} of {} sites differ and are put right", found.seen)),
    }
}

/// Reads back what the Job's container said: written inside the bench, so nothing in it is taken on trust.
pub fn read(message: &str) -> Option<Result<Found, StepFailure>> {
    #[derive(Deserialize)]
    struct Line {
        done: Done,
    }
    #[derive(Deserialize)]
    struct Done {
        inspect: Facts,
    }
    #[derive(Deserialize)]
    struct Facts {
        seen: u32,
        differ: BTreeMap<String, Vec<Value>>,
        more: bool,
        archives: Option<u32>,
    }
    if let Some(failure) = evidence::parse(message)?.failure {
        return Some(Err(failure));
    }
    let facts = serde_json::from_str::<Line>(message.trim()).ok()?.done.inspect;
    let more = facts.more || facts.differ.len() > MOST;
    let differing = facts.differ.into_iter().filter(|(id, _)| is_id(id)).take(MOST);
    let differing = differing.map(|(id, what)| Differing { id, what: names(&what) }).collect();
    Some(Ok(Found { seen: facts.seen, differing, more, archives: facts.archives }))
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// As the API takes them: few, short, printable, and none twice.
fn names(what: &[Value]) -> Vec<String> {
    let clip = |text: &str| text.chars().filter(|letter| !letter.is_control()).take(LONGEST / 4).collect::<String>();
    let mut seen = BTreeSet::new();
    let all = what.iter().filter_map(Value::as_str).map(clip).filter(|name| !name.is_empty());
    all.filter(|name| seen.insert(name.clone())).take(MOST_OF_ONE).collect()
}

#[cfg(test)]
#[path = "inspection_tests.rs"]
mod tests;

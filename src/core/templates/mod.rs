//! When a Bench's templates are made, made again, and removed; and what its status says of them.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::seen::{FailureClass, JobState, StepFailure};
use super::verdict::Note;
use crate::api::{InstalledApp, Template, TemplateState};

mod asked;
mod told;

pub use asked::{Asked, RECIPE, asked, best, distrusted, owner, site_id};
pub use told::{CONDITION, Told, read, tell};

/// The name of the step, as its report has it.
pub const STEP: &str = "template";

/// A watch tells when the Job ends, and when a plan or the pod that is copied changes; this is for the case that it is dropped.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const FIRST_PAUSE: u64 = 60;
/// What failed so often fails for a reason that stays.
const MOST_FAILURES: u32 = 6;
/// One that new sites find unfit right after it was made is not made again at once.
const REST: Duration = Duration::from_secs(600);
/// After a removal that failed. Nobody waits for it.
const REMOVAL: Duration = Duration::from_secs(3600);
const LONGEST: usize = 512;

/// One Job.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundSeen {
    pub name: String,
    /// When it was begun, by the operator's own clock.
    pub at: Timestamp,
    /// Which template it makes; none where it only removes some.
    pub makes: Option<String>,
    pub state: JobState,
    pub leaving: bool,
    pub blocked: Option<String>,
    /// None where it left nothing that can be read.
    pub report: Option<Result<Made, StepFailure>>,
}

/// What a Job came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// None where it only removed some.
    pub content: Option<String>,
    pub holds: Vec<InstalledApp>,
}

pub struct Given<'a> {
    pub now: Timestamp,
    pub templates: &'a [Template],
    pub asked: &'a [Asked],
    pub distrusted: &'a [(String, Timestamp)],
    /// A person's word that what failed may be tried again from this moment on, and what was found unfit be made anew.
    pub retry_at: Option<Timestamp>,
    /// After so long, no Job reads one that was superseded.
    pub grace: Duration,
    /// By time, the oldest first.
    pub rounds: &'a [RoundSeen],
}

#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing to do now; perhaps after so long.
    Rest(Option<Duration>),
    /// A Job is at work; or its pod does not start, for this reason.
    Running(Option<Note>, Duration),
    Start(Order),
}

/// What a Job is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub make: Option<Asked>,
    /// Also where there is one that looks good.
    pub anew: bool,
    /// The folders that stay.
    pub keep: Vec<String>,
}

/// The templates as they are to be told of, and what is to be done next.
pub fn course(given: &Given<'_>) -> (Vec<Template>, Next) {
    let mut templates = given.templates.to_vec();
    let round = given.rounds.last();
    if let Some(round) = round.filter(|round| !round.leaving && round.state != JobState::Running) {
        take_up(&mut templates, given, round);
    }
    let busy = round.filter(|round| round.leaving || round.state == JobState::Running);
    follow(&mut templates, given, busy);
    let next = match busy {
        Some(round) if round.leaving => Next::Running(None, Duration::from_secs(2)),
        Some(round) => {
            let words =
                |words: &String| Note::new("PodBlocked", format!("the pod of Job {} does not start: {words}", round.name));
            Next::Running(round.blocked.as_ref().map(words), LOOK_AGAIN)
        }
        None => due(&templates, given),
    };
    (templates, next)
}

/// Once: what a Job came to is known by the time that its template was told of.
fn take_up(templates: &mut Vec<Template>, given: &Given<'_>, round: &RoundSeen) {
    let succeeded = round.state == JobState::Succeeded;
    if let Some(at) = round.makes.as_ref().and_then(|name| templates.iter().position(|one| one.name == *name)) {
        let one = &mut templates[at];
        if one.state == TemplateState::Building || seconds(one) < round.at.as_second() {
            one.at = Time(given.now);
            match &round.report {
                Some(Ok(Made { content: Some(content), holds })) if succeeded => {
                    let before = one.content.replace(content.clone()).filter(|before| before != content);
                    one.state = TemplateState::Ready;
                    one.holds.clone_from(holds);
                    (one.failures, one.message) = (0, None);
                    let old = before.map(|before| superseded(one, before, given.now));
                    templates.extend(old);
                }
                Some(Err(failure)) => failed(one, failure),
                Some(Ok(_)) | None => failed(one, &StepFailure::lost(STEP, &round.name)),
            }
        }
    }
    if succeeded && matches!(round.report, Some(Ok(_))) {
        templates.retain(|one| !is_removable(one, given.grace, round.at));
    }
}

fn failed(one: &mut Template, failure: &StepFailure) {
    one.state = TemplateState::Failed;
    one.failures = match failure.class {
        FailureClass::Fatal => MOST_FAILURES,
        FailureClass::Denied | FailureClass::Retryable => one.failures.saturating_add(1).min(MOST_FAILURES),
    };
    let tail = failure.tail.last().map(|line| format!("; last line: {line}")).unwrap_or_default();
    one.message = Some(format!("{}: {}{tail}", failure.reason, failure.message).chars().take(LONGEST).collect());
}

/// A folder that a new one was made in place of: somebody may still be reading it.
fn superseded(one: &Template, content: String, now: Timestamp) -> Template {
    let state = TemplateState::Superseded;
    Template { name: content.clone(), content: Some(content), state, at: Time(now), holds: vec![], ..one.clone() }
}

/// One that is not asked for any more is superseded, and one that is asked for again before it was removed is as good as it was.
fn follow(templates: &mut [Template], given: &Given<'_>, busy: Option<&RoundSeen>) {
    for one in templates {
        let is_asked = given.asked.iter().any(|asked| asked.name == one.name);
        let under_way = busy.is_some_and(|round| round.makes.as_ref() == Some(&one.name));
        let state = match one.state {
            TemplateState::Superseded if is_asked && one.content.is_some() => TemplateState::Ready,
            TemplateState::Superseded if is_asked => TemplateState::Building,
            TemplateState::Building | TemplateState::Ready | TemplateState::Failed if !is_asked && !under_way => {
                TemplateState::Superseded
            }
            state => state,
        };
        if state != one.state {
            (one.state, one.at, one.failures, one.message) = (state, Time(given.now), 0, None);
        }
    }
}

fn due(templates: &[Template], given: &Given<'_>) -> Next {
    let mut soonest: Option<Duration> = None;
    let mut later = |at: Timestamp| match Duration::try_from(at.duration_since(given.now)) {
        Ok(left) if !left.is_zero() => {
            soonest = Some(soonest.map_or(left, |soonest| soonest.min(left)));
            false
        }
        _ => true,
    };
    for asked in given.asked {
        let one = templates.iter().find(|one| one.name == asked.name);
        let (begin, anew) = match one.map(|one| (one.state, one)) {
            None | Some((TemplateState::Building | TemplateState::Superseded, _)) => (true, false),
            Some((TemplateState::Ready, one)) => (is_distrusted(one, given) && later(next_look(one, given.retry_at)), true),
            Some((TemplateState::Failed, one)) => (next_try(one, given.retry_at).is_some_and(&mut later), true),
        };
        if begin {
            return Next::Start(Order { make: Some(asked.clone()), anew: anew && one.is_some(), keep: keep(templates, given) });
        }
    }
    let failed_removal = given.rounds.last().filter(|round| round.makes.is_none() && !matches!(round.report, Some(Ok(_))));
    let removals = templates.iter().filter(|one| one.state == TemplateState::Superseded);
    let first = removals.map(|one| after(one.at.0, given.grace)).min();
    let first = first.map(|first| failed_removal.map_or(first, |round| first.max(after(round.at, REMOVAL))));
    match first.is_some_and(&mut later) {
        true => Next::Start(Order { make: None, anew: false, keep: keep(templates, given) }),
        false => Next::Rest(soonest),
    }
}

fn is_distrusted(one: &Template, given: &Given<'_>) -> bool {
    // Receipts keep whole seconds.
    given.distrusted.iter().any(|(content, at)| one.content.as_ref() == Some(content) && at.as_second() > seconds(one))
}

/// When one that new sites find unfit is made anew.
fn next_look(one: &Template, retry_at: Option<Timestamp>) -> Timestamp {
    told_to(one, retry_at).unwrap_or_else(|| after(one.at.0, REST))
}

/// A person's word on it, given since it is as it is.
fn told_to(one: &Template, retry_at: Option<Timestamp>) -> Option<Timestamp> {
    retry_at.filter(|at| at.as_second() > seconds(one))
}

/// When one that could not be made is tried again; never by itself once it failed too often.
fn next_try(one: &Template, retry_at: Option<Timestamp>) -> Option<Timestamp> {
    if let Some(at) = told_to(one, retry_at) {
        return Some(at);
    }
    let doubled = FIRST_PAUSE.saturating_mul(1 << one.failures.saturating_sub(1).min(10));
    (one.failures < MOST_FAILURES).then(|| after(one.at.0, Duration::from_secs(doubled)))
}

fn keep(templates: &[Template], given: &Given<'_>) -> Vec<String> {
    let kept = templates.iter().filter(|one| !is_removable(one, given.grace, given.now));
    kept.filter_map(|one| one.content.clone()).collect()
}

fn is_removable(one: &Template, grace: Duration, now: Timestamp) -> bool {
    one.state == TemplateState::Superseded && after(one.at.0, grace).as_second() <= now.as_second()
}

/// The templates once a Job was started for the order.
pub fn begun(templates: &mut Vec<Template>, order: &Order, now: Timestamp) {
    let Some(asked) = &order.make else { return };
    match templates.iter_mut().find(|one| one.name == asked.name) {
        Some(one) => (one.state, one.at) = (TemplateState::Building, Time(now)),
        None => templates.push(Template {
            name: asked.name.clone(),
            apps: asked.apps.clone(),
            state: TemplateState::Building,
            at: Time(now),
            image: asked.image.clone(),
            content: None,
            holds: vec![],
            failures: 0,
            message: None,
        }),
    }
}

/// How long until the Bench is looked at again for this.
pub fn pause(next: &Next) -> Option<Duration> {
    match next {
        Next::Rest(pause) => *pause,
        Next::Running(_, pause) => Some(*pause),
        // No slot was free for it. Tenants that end their work tell earlier.
        Next::Start(_) => Some(LOOK_AGAIN),
    }
}

fn seconds(one: &Template) -> i64 {
    one.at.0.as_second()
}

fn after(at: Timestamp, pause: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;

//! The fold: from what the stages said to the Tenant's status. Conditions change their time only when they change their status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as MetaCondition, Time};
use k8s_openapi::jiff::Timestamp;

use super::lead;
use super::stages::{Stage, Way};
use super::steps;
use super::subject::{Problem, Subject};
use super::verdict::{Note, Verdict};
use super::{names, rotation};
use crate::api::{AdoptionStatus, Condition, CredentialsStatus, PlanSeen, TenantStatus};

/// kstatus and kubectl show messages in full; the API server allows 32 KiB, a person reads less.
const LONGEST_MESSAGE: usize = 1024;

/// What one stage came to in this pass.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Verdict(Verdict),
    /// Something it needs is not settled.
    Blocked(Stage),
    /// An error of the outside: reason and message.
    Failed(Note),
}

impl Outcome {
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Verdict(Verdict::Settled(_)))
    }
}

/// One pass over a tenant, as far as it came.
pub struct Pass<'a> {
    pub way: Way,
    pub who: &'a Subject,
    pub outcomes: &'a [(Stage, Outcome)],
    /// From the certificate stage.
    pub certificate_until: Option<Timestamp>,
    /// The probe has failed as often in a row as the Bench allows.
    pub probe_failed: bool,
    /// What an adoption would change, where it was only asked for that.
    pub changes: Option<&'a [String]>,
}

/// The status after a pass.
pub fn status(old: Option<&TenantStatus>, pass: &Pass<'_>) -> TenantStatus {
    let who = pass.who;
    let mut status = TenantStatus {
        observed_generation: Some(who.generation),
        // Neither is for good before there is a record: a tenant whose hosts are another's tries with new ones each time.
        id: who.record().map(|_| who.id.clone()),
        bench: who.record().map(|_| who.bench_ref()),
        plan: followed(pass).or_else(|| old.and_then(|old| old.plan.clone())),
        site_name: Some(who.site.clone()),
        url: Some(format!("https://{}", who.hosts.frontend)),
        api_url: Some(format!("https://{}", who.hosts.api)),
        apps: steps::installed(who),
        credentials: rotation::proven(who).map(|proven| CredentialsStatus {
            secret_name: who.credentials_secret.clone(),
            slot: names::slot(proven.serial).to_owned(),
            issued_at: Some(Time(proven.issued)),
            rotate_token: proven.token,
        }),
        certificate: pass.certificate_until.map(|until| crate::api::CertificateStatus { not_after: Some(Time(until)) }),
        adoption: adoption(pass),
        first_ready_at: who.record().and_then(|record| record.first_ready_at.clone()),
        conditions: vec![],
    };
    let verdict = fold(old, pass);
    let mut scribe = Scribe { old, now: who.now, generation: who.generation, conditions: vec![] };
    scribe.write(Condition::Ready, verdict.ready, &verdict.note);
    for stage in Stage::ALL {
        let Some((_, outcome)) = pass.outcomes.iter().rev().find(|(other, _)| *other == stage) else { continue };
        let (truth, note) = condition(pass.way, outcome);
        scribe.write(stage.condition(), truth, &note);
    }
    if let Some(note) = suspended(pass) {
        scribe.write(Condition::Suspended, Truth::True, &note);
    }
    scribe.only_while_true(Condition::Reconciling, verdict.reconciling, &verdict.note);
    scribe.only_while_true(Condition::Stalled, verdict.stalled, &verdict.note);
    status.conditions = scribe.conditions;
    status
}

/// A report stays while the spec is as it was.
fn adoption(pass: &Pass<'_>) -> Option<AdoptionStatus> {
    let known = pass.who.reported.as_deref().filter(|_| pass.who.reports());
    pass.changes.or(known).map(|changes| AdoptionStatus { changes: changes.to_vec() })
}

/// The plan that the tenant has: of one that is being applied it is said once it is.
fn followed(pass: &Pass<'_>) -> Option<PlanSeen> {
    let want = pass.who.want.as_ref()?;
    let settled = pass.outcomes.iter().all(|(_, outcome)| outcome.is_settled());
    settled.then(|| PlanSeen { name: want.plan.clone(), observed_generation: Some(want.copy.generation) })
}

/// Once the site is suspended in the way that the spec says.
fn suspended(pass: &Pass<'_>) -> Option<Note> {
    let suspend = pass.who.suspend().filter(|suspend| pass.who.suspended() == Some(suspend.mode))?;
    Some(Note::new(format!("{:?}", suspend.mode), lead::told(suspend)))
}

/// The status of a Tenant that nothing can be done for yet: no plan, no Bench, a spec that can't work.
pub fn problem(old: Option<&TenantStatus>, generation: i64, now: Timestamp, problem: &Problem) -> TenantStatus {
    let mut status = old.cloned().unwrap_or_default();
    status.observed_generation = Some(generation);
    let note = Note::new(problem.reason.clone(), problem.message.clone());
    let mut scribe = Scribe { old, now, generation, conditions: vec![] };
    scribe.write(Condition::Ready, Truth::False, &note);
    for stage in Stage::ALL {
        let waiting = Note::new("Waiting", "waiting for a place on a Bench");
        match stage {
            Stage::Claim => scribe.write(stage.condition(), Truth::False, &note),
            _ => scribe.write(stage.condition(), Truth::Unknown, &waiting),
        }
    }
    scribe.only_while_true(Condition::Reconciling, problem.passing, &note);
    scribe.only_while_true(Condition::Stalled, !problem.passing, &note);
    status.conditions = scribe.conditions;
    status
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

fn condition(way: Way, outcome: &Outcome) -> (Truth, Note) {
    match (way, outcome) {
        (Way::Up, Outcome::Verdict(Verdict::Settled(note))) => (Truth::True, note.clone()),
        (Way::Down, Outcome::Verdict(Verdict::Settled(note))) => (Truth::False, note.clone()),
        (_, Outcome::Verdict(Verdict::Wait(note, _) | Verdict::Stalled(note)) | Outcome::Failed(note)) => {
            (Truth::False, note.clone())
        }
        (_, Outcome::Verdict(Verdict::Do(_))) => (Truth::False, Note::new("Working", "being put right")),
        (_, Outcome::Blocked(need)) => {
            (Truth::Unknown, Note::new(format!("WaitingFor{need:?}"), format!("waits for {}", need.condition().type_())))
        }
    }
}

struct Fold {
    ready: Truth,
    reconciling: bool,
    stalled: bool,
    note: Note,
}

fn fold(old: Option<&TenantStatus>, pass: &Pass<'_>) -> Fold {
    if pass.way == Way::Down {
        let (stalled, note) = first_trouble(pass).map_or_else(
            || (false, Note::new("Removing", "the tenant is leaving")),
            |(stage, stalled, note)| {
                let message = format!("{}: {}{}", stage.condition().type_(), note.message, pass.who.patience.words());
                (stalled, Note::new(note.reason, message))
            },
        );
        return Fold { ready: Truth::False, reconciling: !stalled, stalled, note };
    }
    let gone = pass.who.want.as_ref().filter(|want| want.plan_gone);
    let gone = gone.map(|want| format!("; the TenantPlan {} is gone, and the tenant keeps what it has of it", want.plan));
    let gone = gone.unwrap_or_default();
    let serving = match pass.who.suspend() {
        None => Note::new("Ready", format!("Serving at https://{}{gone}", pass.who.hosts.frontend)),
        Some(suspend) => Note::new("Suspended", format!("{}{gone}", lead::told(suspend))),
    };
    match first_trouble(pass) {
        None => Fold { ready: Truth::True, reconciling: false, stalled: false, note: serving },
        Some((stage, false, _)) if in_background(old, pass, stage) => {
            Fold { ready: Truth::True, reconciling: false, stalled: false, note: serving }
        }
        Some((stage, stalled, note)) => {
            let note = Note::new(note.reason, format!("{}: {}", stage.condition().type_(), note.message));
            Fold { ready: Truth::False, reconciling: !stalled, stalled, note }
        }
    }
}

/// The first stage that is not settled, preferring one that is stalled: it is what a person has to look at.
fn first_trouble(pass: &Pass<'_>) -> Option<(Stage, bool, Note)> {
    let open = |stalled_only: bool| {
        pass.outcomes.iter().find_map(move |(stage, outcome)| match outcome {
            Outcome::Verdict(Verdict::Stalled(note)) => Some((*stage, true, note.clone())),
            Outcome::Verdict(Verdict::Wait(note, _)) | Outcome::Failed(note) if !stalled_only => {
                Some((*stage, false, note.clone()))
            }
            Outcome::Verdict(Verdict::Do(_)) if !stalled_only => Some((*stage, false, Note::new("Working", "being put right"))),
            _ => None,
        })
    };
    open(true).or_else(|| open(false))
}

/// After the first Ready, at the generation that was Ready: a repair, a Master outage or a probe that failed once takes nothing
/// from a tenant that serves.
fn in_background(old: Option<&TenantStatus>, pass: &Pass<'_>, stage: Stage) -> bool {
    let Some(old) = old else { return false };
    let was_ready =
        old.conditions.iter().any(|condition| condition.type_ == Condition::Ready.type_() && condition.status == "True");
    let same = old.observed_generation == Some(pass.who.generation);
    let tolerated = match stage {
        Stage::Probe => !pass.probe_failed,
        Stage::Claim => false,
        _ => true,
    };
    was_ready && same && pass.who.record().is_some_and(|record| record.first_ready_at.is_some()) && tolerated
}

/// Foreign words in one line that a terminal can show: of what others say, many things stand in a message.
pub(super) fn plain(text: &str, longest: usize) -> String {
    text.chars().take(longest).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Writes conditions down; keeps the time of those whose status did not change.
struct Scribe<'a> {
    old: Option<&'a TenantStatus>,
    now: Timestamp,
    generation: i64,
    conditions: Vec<MetaCondition>,
}

impl Scribe<'_> {
    fn write(&mut self, condition: Condition, truth: Truth, note: &Note) {
        let before = self.old.and_then(|old| old.conditions.iter().find(|old| old.type_ == condition.type_()));
        let since = before.filter(|before| before.status == truth.as_str()).map(|before| before.last_transition_time.clone());
        let message = plain(&note.message, LONGEST_MESSAGE);
        self.conditions.push(MetaCondition {
            type_: condition.type_().to_owned(),
            status: truth.as_str().to_owned(),
            reason: note.reason.to_string(),
            message,
            observed_generation: Some(self.generation),
            last_transition_time: since.unwrap_or(Time(self.now)),
        });
    }

    fn only_while_true(&mut self, condition: Condition, true_now: bool, note: &Note) {
        if true_now {
            self.write(condition, Truth::True, note);
        }
    }
}

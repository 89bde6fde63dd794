//! What a stage says after looking: it is settled, something is to be done, something is to be waited for, or a person is needed.

use std::borrow::Cow;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

use super::op::Op;

/// Of a Bench's condition's message, in characters.
const LONGEST: usize = 1024;

/// Why, in CamelCase for machines, and in a sentence for people. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub reason: Cow<'static, str>,
    pub message: String,
}

impl Note {
    pub fn new(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into() }
    }
}

/// Puts down a condition in place of the one of its type; since when it holds stays, where its truth does.
pub fn set_condition(
    conditions: &mut Vec<Condition>,
    type_: &str,
    (truth, note): (&str, &Note),
    now: Timestamp,
    generation: Option<i64>,
) {
    let before = conditions.iter().position(|condition| condition.type_ == type_).map(|at| conditions.remove(at));
    let same = before.filter(|before| before.status == truth);
    conditions.push(Condition {
        type_: type_.to_owned(),
        status: truth.to_owned(),
        reason: note.reason.to_string(),
        message: note.message.chars().take(LONGEST).collect(),
        observed_generation: generation,
        last_transition_time: same.map_or(Time(now), |before| before.last_transition_time),
    });
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// As it should be; the condition is True (going down: nothing of it is left).
    Settled(Note),
    /// To be executed in this order, then observed again.
    Do(Vec<Op>),
    /// Not an error: something outside takes its time. Looked at again when it changes, or after this long.
    Wait(Note, Duration),
    /// Goes on only after a person, or a changed spec, has put it right.
    Stalled(Note),
}

impl Verdict {
    pub fn settled(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Settled(Note::new(reason, message))
    }

    pub fn wait(reason: impl Into<Cow<'static, str>>, message: impl Into<String>, seconds: u64) -> Self {
        Self::Wait(Note::new(reason, message), Duration::from_secs(seconds))
    }

    pub fn stalled(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Stalled(Note::new(reason, message))
    }

    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Settled(_))
    }
}

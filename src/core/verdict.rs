//! What a stage says after looking: it is settled, something is to be done, something is to be waited for, or a person is needed.

use std::borrow::Cow;
use std::time::Duration;

use super::op::Op;

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

//! Why nothing can be done for a Tenant as it is.

use std::borrow::Cow;

/// Why no subject could be made of a Tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub reason: Cow<'static, str>,
    pub message: String,
    /// True where something outside may put it right (a plan that appears), false where the spec has to change.
    pub passing: bool,
}

impl Problem {
    pub fn passing(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into(), passing: true }
    }

    pub fn lasting(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into(), passing: false }
    }
}

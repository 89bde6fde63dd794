//! The outside, behind one trait: observing never changes anything, executing never decides anything.

use k8s_openapi::jiff::Timestamp;

use crate::core::op::Op;
use crate::core::seen::Seen;
use crate::core::stages::{Stage, Way};
use crate::core::subject::{Remembered, Subject};

pub mod error;
pub mod gate;
pub mod http;
pub mod live;
pub mod turns;

pub use error::Error;

/// What executing an op changed of the subject itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    None,
    /// The record as it is now.
    Record(Box<Remembered>),
}

/// The real one is [`live::Live`]; the tests live whole tenant lives in a simulated one.
pub trait World: Send + Sync {
    /// What time it is: a pass may take long, and what is decided late in it must not be dated to its beginning.
    fn now(&self) -> Timestamp;

    /// Reads what a stage has to know. Never modifies anything outside.
    fn observe(&self, stage: Stage, way: Way, who: &Subject) -> impl Future<Output = Result<Seen, Error>> + Send;

    /// Does one thing. Idempotent: an op that was done already, wholly or partly, may be executed again.
    fn execute(&self, op: &Op, who: &Subject) -> impl Future<Output = Result<Effect, Error>> + Send;
}

//! Decisions, and nothing else: no async, no client, no clock. Everything here is a function of what it is given.

pub mod abandon;
mod check;
pub mod evidence;
pub mod expectation;
mod hosts;
pub mod identity;
mod inputs;
pub mod inspection;
pub mod lead;
pub mod manifests;
pub mod names;
pub mod op;
pub mod pace;
mod parting;
pub mod place;
mod problem;
pub mod record;
pub mod report;
pub mod rollout;
pub mod rotation;
pub mod seen;
pub mod stages;
pub mod steps;
pub mod subject;
pub mod templates;
pub mod verdict;
pub mod want;

//! The pure core, where the simulated lives say little: what goes into the cluster, word for word, and what status says of it.

#[path = "../objects/mod.rs"]
mod objects;
#[path = "../restricted/mod.rs"]
mod restricted;

mod drift;
mod golden;
mod identity;
mod keys;
mod lead;
mod manifests;
mod pods;
mod report;
mod rollout;
mod rotation;
mod steps;
mod templates;

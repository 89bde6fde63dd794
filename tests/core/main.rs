//! The pure core, where the simulated lives say little: what goes into the cluster, word for word, and what status says of it.

#[path = "../objects/mod.rs"]
mod objects;

mod drift;
mod golden;
mod lead;
mod manifests;
mod report;
mod rollout;
mod steps;

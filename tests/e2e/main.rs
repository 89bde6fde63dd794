//! End to end, in the lab: real API server, kubelet, Envoy, cert-manager, MariaDB and Redis; a stand-in for Frappe alone.
//!
//! `tests/e2e/run` says what has to be up. Anywhere else every test says that it was skipped, and why.
//! What a test makes is its own: a Bench, plans and Tenants under names that nobody else has, taken away again also where it fails.

mod bench;
mod case;
mod clean;
#[path = "../documents/mod.rs"]
mod documents;
mod edge;
mod history;
mod inside;
mod lab;
mod master;
mod operator;
mod remains;
mod tenant;
mod times;
mod wait;

mod adoption;
mod alone;
mod archive;
mod bad_input;
mod badspecs;
mod change;
mod contested;
mod drift;
mod faults;
mod lifecycle;
mod namespace;
mod neighbours;
mod retain;
mod rotation;
mod security;
mod suspension;
mod templates;
mod texts;

//! What a whole run in the lab left behind, judged after it: no secret is anywhere but in Secrets, the chart grants exactly what the
//! operator used, and its NetworkPolicies let through what was needed.
//!
//! `tests/e2e/run` starts the collector beside the end-to-end tests (`WITNESS=collect`) and ends it with them; what it saw lies in the
//! lab's folder. Anywhere else the tests say that they were skipped.

mod collect;
mod connections;
#[path = "../e2e/lab.rs"]
#[allow(dead_code, reason = "the end-to-end tests use more of it")]
mod lab;
mod needles;
#[path = "../policies/mod.rs"]
#[allow(dead_code, reason = "the chart's own tests use more of it")]
mod policies;
mod roles;
mod secrets;
mod used;

use std::io::Write;
use std::path::{Path, PathBuf};

/// What was collected: readable by root alone, since the secrets that are searched for are in it.
pub fn folder(lab: &Path) -> PathBuf {
    lab.join("witness")
}

/// Past the test's own capture of its output, which hides what a test that passes has to say.
pub fn say(words: &str) {
    writeln!(std::io::stderr(), "{words}").expect("somebody who reads");
}

#[test]
fn the_collector_sees_all_until_it_is_told_to_stop() {
    if std::env::var("WITNESS").as_deref() != Ok("collect") {
        return;
    }
    let dir = lab::dir("witness").expect("TENANT_OPERATOR_LAB is set by tests/e2e/run");
    collect::until_stopped(&dir);
}

#[test]
fn no_secret_is_anywhere_but_in_secrets() {
    if let Some(dir) = after_a_run("no_secret_is_anywhere_but_in_secrets") {
        secrets::search(&dir);
    }
}

#[test]
fn the_chart_grants_exactly_what_the_operator_used() {
    if let Some(dir) = after_a_run("the_chart_grants_exactly_what_the_operator_used") {
        roles::compare(&dir);
    }
}

#[test]
fn the_network_policies_let_through_what_was_needed() {
    if let Some(dir) = after_a_run("the_network_policies_let_through_what_was_needed") {
        connections::judge(&dir);
    }
}

/// The lab's folder, where the end-to-end tests have run in it.
fn after_a_run(test: &str) -> Option<PathBuf> {
    if std::env::var_os("WITNESS").is_some() {
        return None;
    }
    let dir = lab::dir(test)?;
    let done = folder(&dir).join("stopped").exists();
    assert!(done, "nothing was collected in {}: run tests/e2e/run first", dir.display());
    Some(dir)
}

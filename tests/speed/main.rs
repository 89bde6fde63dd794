//! How long a tenant takes from apply to Ready in the lab: installed and from a template, and many of them at once on one bench.
//!
//! `tests/speed/run` says what has to be up and what can be chosen; anywhere else the measuring says that it was skipped, and why.
//! Times are those at which a watch saw the conditions become True, since the status has whole seconds only. All single values
//! are in target/bench-lab.json, their medians in target/bench-lab.txt and, drawn, in target/bench-lab.svg.

// The frame of the end-to-end tests; not all of it is used here.
#[allow(dead_code)]
#[path = "../e2e/bench.rs"]
mod bench;
#[allow(dead_code)]
#[path = "../e2e/case.rs"]
mod case;
#[path = "../e2e/clean.rs"]
mod clean;
#[allow(dead_code)]
#[path = "../e2e/edge.rs"]
mod edge;
#[allow(dead_code)]
#[path = "../e2e/history.rs"]
mod history;
#[allow(dead_code)]
#[path = "../e2e/inside.rs"]
mod inside;
#[allow(dead_code)]
#[path = "../e2e/lab.rs"]
mod lab;
#[path = "../scale/load.rs"]
mod load;
#[allow(dead_code)]
#[path = "../e2e/master.rs"]
mod master;
#[allow(dead_code)]
#[path = "../e2e/remains.rs"]
mod remains;
#[allow(dead_code)]
#[path = "../e2e/tenant.rs"]
mod tenant;
#[allow(dead_code)]
#[path = "../e2e/times.rs"]
mod times;
#[allow(dead_code)]
#[path = "../e2e/wait.rs"]
mod wait;

mod crowd;
mod ground;
mod picture;
mod results;
mod run;
mod stages;
mod svg;
mod table;
mod variant;

use std::path::Path;

use results::Results;
use variant::PAIRS;

/// Median of so many tenants.
const RUNS: usize = 5;
/// So many at once.
const CROWD: usize = 20;

#[test]
fn apply_to_ready_is_measured_with_and_without_a_template_and_for_a_crowd() {
    let Some(dir) = lab::dir("speed") else { return };
    let (runs, crowd) = (number("SPEED_RUNS", RUNS), number("SPEED_CROWD", CROWD));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let results = runtime.block_on(measured(&dir, runs, crowd));
    assert!(!results.is_empty(), "nothing was asked for: see tests/speed/run for what can be chosen");
    // What was measured before something broke off is worth something too.
    results.write();
    assert!(results.broken.is_empty(), "broken off, see above: {}", results.broken.join("; "));
}

async fn measured(dir: &Path, runs: usize, crowd: usize) -> Results {
    let mut results = Results::new();
    let part = std::env::var("SPEED_PART").unwrap_or_default();
    for pair in PAIRS.iter().filter(|pair| runs > 0 && pair.name().contains(&part)) {
        run::pair(dir, pair, runs, &mut results).await;
    }
    if crowd > 0 && crowd::NAME.contains(&part) {
        crowd::run(dir, crowd, &mut results).await;
    }
    results.end();
    results
}

/// What the environment says, for a quick try.
fn number(name: &str, default: usize) -> usize {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number"))
}

//! Faults in the lab, one after the other: what is killed, stopped, lost or taken away while tenants come and go.
//!
//! `tests/chaos/run` says what has to be up; anywhere else the program says that it was skipped, and why. `CHAOS=short` strikes a
//! choice of them, the full form all. An argument is a part of the names of those to strike. Each fault is a line, here and in
//! target/chaos.txt; it is survived when without anybody's help those who come are Ready, those who leave are gone without a
//! trace, and those who are settled are Ready. It takes as long to recover as that takes from the end of the fault, so with what a
//! tenant's ordinary way would still have taken.

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
#[path = "../e2e/master.rs"]
mod master;
#[path = "../e2e/remains.rs"]
mod remains;
#[allow(dead_code)]
#[path = "../e2e/tenant.rs"]
mod tenant;
#[allow(dead_code)]
#[path = "../e2e/wait.rs"]
mod wait;

mod blow;
mod canary;
mod fault;
mod leader;
mod operator;
mod outage;
mod patience;
mod pods;
mod process;
mod scene;
mod settled;
mod storm;
mod table;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use futures::FutureExt;
use scene::Scene;
use table::Table;

/// How much of it is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Short,
    Full,
}

fn main() -> ExitCode {
    let Some(dir) = lab::dir("chaos") else { return ExitCode::SUCCESS };
    let form = if std::env::var("CHAOS").as_deref() == Ok("short") { Form::Short } else { Form::Full };
    let part = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let scene = Scene::begin(dir).await;
        let table = Table::new(part);
        let whole = AssertUnwindSafe(all(&scene, &table, form)).catch_unwind().await;
        // Also after a panic that belongs to no fault.
        let ended = AssertUnwindSafe(scene.end()).catch_unwind().await;
        table.end(whole.is_ok() && ended.is_ok())
    })
}

async fn all(scene: &Scene, table: &Table, form: Form) {
    operator::run(scene, table, form).await;
    pods::run(scene, table, form).await;
    outage::run(scene, table, form).await;
    leader::run(scene, table, form).await;
    if form == Form::Full {
        storm::run(scene, table).await;
    }
}

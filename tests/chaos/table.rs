//! The list of faults: one line each, and their sum.

use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt;

use crate::fault::Fault;
use crate::scene::Scene;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/chaos.txt");

pub struct Table {
    /// What a fault's name must hold to be struck.
    part: String,
    rows: Mutex<Vec<Row>>,
}

struct Row {
    survived: bool,
    took: Duration,
    line: String,
}

impl Table {
    pub fn new(part: String) -> Self {
        Self { part, rows: Mutex::default() }
    }

    pub fn wants(&self, name: &str) -> bool {
        name.contains(&self.part)
    }

    /// Strikes one fault. The body says how long it took to recover, or None where there was nothing to strike any more; it
    /// panics where the fault was not survived. Returns whether there was something to strike.
    pub async fn strike(&self, scene: &Scene, name: &str, body: impl AsyncFnOnce(&Fault<'_>) -> Option<Duration>) -> bool {
        if !self.wants(name) {
            return false;
        }
        let fault = Fault::new(scene, name);
        let outcome = AssertUnwindSafe(fault.whole(body)).catch_unwind().await;
        match outcome {
            Ok(None) => return false,
            Ok(Some(took)) => self.note(&fault.name(), true, took, "nothing"),
            Err(panic) => {
                let words = words(panic.as_ref());
                eprintln!("{} was not survived: {words}", fault.name());
                let left = fault.explain_and_remove().await;
                self.note(&fault.name(), false, fault.age(), &format!("{left} ({words})"));
            }
        }
        true
    }

    fn note(&self, name: &str, survived: bool, took: Duration, left: &str) {
        let word = if survived { "survived" } else { "LOST" };
        let left: String = left.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(600).collect();
        let line = format!("fault: {name}: {word}, {:.1} s to recover, left: {left}", took.as_secs_f64());
        println!("{line}");
        self.rows.lock().unwrap().push(Row { survived, took, line });
    }

    /// Prints the sum, its last line being the shortest, and writes everything into target/chaos.txt.
    pub fn end(&self, in_order: bool) -> ExitCode {
        let rows = self.rows.lock().unwrap();
        let survived = rows.iter().filter(|row| row.survived).count();
        let longest = rows.iter().map(|row| row.took).max().unwrap_or_default();
        let sum = format!("faults: {}, survived: {survived}", rows.len());
        let mut end = String::new();
        if !in_order {
            writeln!(end, "the run itself broke off, or something was left behind: see above").expect("text");
        }
        writeln!(end, "{sum}, longest recovery: {:.1} s\n{sum}", longest.as_secs_f64()).expect("text");
        let lines: String = rows.iter().map(|row| format!("{}\n", row.line)).collect();
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).expect("a folder");
        std::fs::write(FILE, lines + &end).expect("space");
        print!("{end}");
        std::io::stdout().flush().expect("somebody who reads");
        let good = in_order && !rows.is_empty() && survived == rows.len();
        if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The first line of what a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").lines().next().unwrap_or_default().to_owned()
}

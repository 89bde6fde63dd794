//! What came from outside is read without trust: whatever stands in a termination message, in a record, in facts, annotations or
//! durations, nothing panics, and what the operator makes of it is bounded, printable and taken by the API server.
//!
//! HTTP answers have their properties beside the code that reads them: `src/world/http/properties.rs`.

#[path = "../objects/mod.rs"]
mod objects;

mod durations;
mod evidence;
mod records;
mod schema;
mod statuses;
mod strange;

use proptest::test_runner::Config;

/// `PROPTEST_CASES` asks for another number. No files are left in the clone: a failure prints the smallest case that it found.
pub fn cases(cases: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    Config { cases: asked.unwrap_or(cases), failure_persistence: None, ..Config::default() }
}

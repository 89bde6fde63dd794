//! Simulated lives of tenants: the operator's own decisions and passes, against an outside that fails in every way we know.
//!
//! `LIVES=n` lives n random ones besides those that are told by hand, `SEED=s` begins with that seed; a failure prints its life.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use faults::Blow;
use life::{Ended, Script, live};

mod chance;
mod faults;
mod given;
mod harm;
mod inspector;
mod life;
mod operator;
mod outside;
mod random;
mod scenarios;
mod sim;
mod truth;

const RANDOM: u64 = 600;
/// Whole traces are long: as many as a person reads.
const SHOWN: usize = 3;

#[derive(Default)]
struct Tally {
    lives: AtomicUsize,
    points: AtomicUsize,
    failures: Mutex<Vec<(String, String)>>,
}

impl Tally {
    fn live(&self, name: &str, script: &Script) -> Ended {
        let ended = live(script, false);
        self.lives.fetch_add(1, Ordering::Relaxed);
        if let Some(problem) = &ended.problem {
            let trace = live(script, true).trace.join("\n");
            let text = format!("{trace}\n{name} (seed {}): {problem}\n", script.seed);
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.push((format!("{name} (seed {}): {problem}", script.seed), text));
        }
        ended
    }

    /// The life as it is told, then with each blow at each write, and with a pod killed at each turn.
    fn every_point(&self, name: &str, script: &Script) {
        if self.live(name, script).problem.is_some() {
            return;
        }
        for blow in [Blow::Crash, Blow::LoseReply, Blow::Refuse] {
            self.points_of(script, |script, at| {
                script.faults.at = Some((at, blow));
                self.live(&format!("{name}, {blow:?} at write {at}"), script).writes
            });
        }
        self.points_of(script, |script, at| {
            script.faults.kill_at = Some(at);
            self.live(&format!("{name}, pod killed at turn {at}"), script).turns
        });
    }

    /// Until the life has no such point any more.
    fn points_of(&self, script: &Script, run: impl Fn(&mut Script, u64) -> u64) {
        for at in 0.. {
            let had = run(&mut script.clone(), at);
            if had <= at {
                return;
            }
            self.points.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn main() -> ExitCode {
    let (lives, seed) = (number("LIVES"), number("SEED"));
    let begun = Instant::now();
    let tally = Tally::default();
    let wanted = std::env::var("LIFE").unwrap_or_default();
    let mut scenarios = if seed.is_some() { vec![] } else { scenarios::all() };
    scenarios.retain(|(name, _)| name.contains(&wanted));
    let first = seed.unwrap_or(0);
    let last = first + lives.unwrap_or(if seed.is_some() { 1 } else { RANDOM });
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if let Some((name, script)) = scenarios.get(index) {
                        tally.every_point(name, script);
                        continue;
                    }
                    let seed = first + (index - scenarios.len()) as u64;
                    if seed >= last {
                        break;
                    }
                    tally.live("random", &random::script(seed));
                }
            });
        }
    });
    conclude(&tally, begun)
}

fn conclude(tally: &Tally, begun: Instant) -> ExitCode {
    let mut failures = tally.failures.lock().unwrap_or_else(PoisonError::into_inner);
    // The shortest life says most.
    failures.sort_by_key(|(_, text)| text.len());
    for (_, text) in failures.iter().take(SHOWN) {
        println!("{text}");
    }
    for (brief, _) in failures.iter() {
        println!("failed: {brief}");
    }
    let (lives, points) = (tally.lives.load(Ordering::Relaxed), tally.points.load(Ordering::Relaxed));
    println!("lives: {lives}, failed: {}, crash points: {points}, {:.1} s", failures.len(), begun.elapsed().as_secs_f64());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

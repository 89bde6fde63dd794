//! Simulated lives of tenants: the operator's own decisions and passes, against an outside that fails in every way we know.
//!
//! `LIVES=n` lives so many: those that are told by hand, the more points of them the more lives are asked for, and random ones.
//! `SEED=s` lives the random one of that seed, or with `LIVES=n` so many from there; a failure prints its life. `LIFE=text` lives
//! those told under such a name with every blow at every point. `SABOTAGE=guard` switches that guard off, and fails as it must.
//! Without any of it, what `make test` lives; then each guard is switched off in turn, and has to be missed.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use faults::Blow;
use guards::Guard;
use life::{Ended, Script, live};

mod chance;
mod faults;
mod finding;
mod given;
mod guards;
mod harm;
mod identities;
mod inspector;
mod keys;
mod life;
mod operator;
mod outside;
mod random;
mod restore;
mod rollouts;
mod scenarios;
mod sim;
mod suspend;
mod truth;
mod turns;

/// What `make test` lives: of the lives told by hand the blow at every third point, and random ones for the rest.
const LIVES: usize = 10_500;
/// From here on, each of the lives told by hand is lived with every blow at every point.
const EVERY_POINT: usize = 50_000;
/// So many random lives may pass until a missing guard is noticed.
const UNNOTICED: u64 = 3000;
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

    /// The life as it is told, then with blows at its writes, and with a pod killed at its turns.
    fn told(&self, name: &str, script: &Script, points: Points) {
        if self.live(name, script).problem.is_some() {
            return;
        }
        for (index, blow) in [Blow::Crash, Blow::LoseReply, Blow::Refuse].into_iter().enumerate() {
            self.points_of(script, points.from(index), |script, at| {
                script.faults.at = Some((at, blow));
                self.live(&format!("{name}, {blow:?} at write {at}"), script).writes
            });
        }
        self.points_of(script, points.from(3), |script, at| {
            script.faults.kill_at = Some(at);
            self.live(&format!("{name}, pod killed at turn {at}"), script).turns
        });
    }

    /// Until the life has no such point any more.
    fn points_of(&self, script: &Script, points: impl Iterator<Item = u64>, run: impl Fn(&mut Script, u64) -> u64) {
        for at in points {
            let had = run(&mut script.clone(), at);
            if had <= at {
                return;
            }
            self.points.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// At which of a life's points the blows fall.
#[derive(Clone, Copy)]
enum Points {
    None,
    /// At every so-manieth; the lives told, and the blows of one, begin at different ones.
    Every { step: usize, first: usize },
}

impl Points {
    fn of(lives: usize, index: usize) -> Self {
        match lives {
            EVERY_POINT.. => Self::Every { step: 1, first: 0 },
            LIVES.. => Self::Every { step: 3, first: index },
            _ => Self::None,
        }
    }

    fn from(self, blow: usize) -> impl Iterator<Item = u64> {
        let (first, step, count) = match self {
            Self::None => (0, 1, 0),
            Self::Every { step, first } => ((first + blow) % step, step, usize::MAX),
        };
        (first as u64..).step_by(step).take(count)
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn main() -> ExitCode {
    let (lives, seed) = (number("LIVES"), number("SEED"));
    if let Some(name) = std::env::var("SABOTAGE").ok().filter(|name| !name.is_empty()) {
        return sabotage(&name, lives.unwrap_or(UNNOTICED));
    }
    let wanted = std::env::var("LIFE").ok().filter(|part| !part.is_empty());
    let (begun, tally) = (Instant::now(), Tally::default());
    let lives_wanted = lives.and_then(|lives| usize::try_from(lives).ok());
    match (&wanted, seed) {
        (Some(part), _) => tell(&tally, EVERY_POINT, part),
        (None, Some(seed)) => chance(&tally, seed, lives_wanted.unwrap_or(1)),
        (None, None) => {
            let all = lives_wanted.unwrap_or(LIVES);
            tell(&tally, all, "");
            chance(&tally, 0, all.saturating_sub(tally.lives.load(Ordering::Relaxed)));
        }
    }
    let sound = conclude(&tally, begun);
    // Whoever asks for some lives wants those.
    let all = lives.is_none() && seed.is_none() && wanted.is_none();
    if sound && (!all || every_guard()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The lives told by hand under such a name.
fn tell(tally: &Tally, lives: usize, part: &str) {
    let mut told = scenarios::all();
    told.retain(|(name, _)| name.contains(part));
    each(told.len(), |index| {
        let (name, script) = &told[index];
        tally.told(name, script, Points::of(lives, index));
        true
    });
}

fn chance(tally: &Tally, first: u64, lives: usize) {
    each(lives, |index| {
        tally.live("random", &random::script(first + index as u64));
        true
    });
}

/// As many at once as there are cores, in order, until one says that it is enough.
fn each(end: usize, work: impl Fn(usize) -> bool + Sync) {
    let (next, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= end {
                        return;
                    }
                    if !work(index) {
                        enough.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

fn conclude(tally: &Tally, begun: Instant) -> bool {
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
    let seconds = begun.elapsed().as_secs_f64();
    println!("{points} of them with a blow at a point of its own; {:.0} a second, {seconds:.1} s", lives as f64 / seconds);
    println!("lives: {lives}, failed: {}", failures.len());
    failures.is_empty()
}

/// What was noticed first while a guard was off, and after how many lives.
fn first_noticed(off: Guard, random: u64) -> (usize, Option<String>) {
    let lives: Vec<_> = guards::lives(off, random).collect();
    let (lived, noticed) = (AtomicUsize::new(0), Mutex::new(None));
    each(lives.len(), |index| {
        let (name, script) = &lives[index];
        lived.fetch_add(1, Ordering::Relaxed);
        let problem = live(script, false).problem;
        let calm = problem.is_none();
        if let Some(problem) = problem {
            noticed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(format!("{name}: {problem}"));
        }
        calm
    });
    (lived.into_inner(), noticed.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn every_guard() -> bool {
    let begun = Instant::now();
    let caught = Guard::ALL.into_iter().filter(|guard| match first_noticed(*guard, UNNOTICED) {
        (lives, Some(problem)) => {
            println!("without {}: noticed after {lives} lives: {problem}", guard.name());
            true
        }
        (lives, None) => {
            println!("without {}: NOT NOTICED in {lives} lives", guard.name());
            false
        }
    });
    let caught = caught.count();
    println!("guards switched off: {}, caught: {caught}; {:.1} s", Guard::ALL.len(), begun.elapsed().as_secs_f64());
    caught == Guard::ALL.len()
}

fn sabotage(name: &str, random: u64) -> ExitCode {
    let Some(guard) = Guard::parse(name) else {
        let all: Vec<String> = Guard::ALL.into_iter().map(Guard::name).collect();
        println!("there is no guard {name}: choose one of {}", all.join(", "));
        return ExitCode::from(2);
    };
    match first_noticed(guard, random) {
        (lives, Some(problem)) => {
            println!("without {name}: {problem}\nlives: {lives}, failed: 1");
            ExitCode::FAILURE
        }
        (lives, None) => {
            println!("without {name}: nobody noticed\nlives: {lives}, failed: 0");
            ExitCode::SUCCESS
        }
    }
}

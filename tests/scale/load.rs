//! How busy the machine was: what is measured beside others' work says less.

use serde_json::{Value, json};

use crate::figures::rounded;

/// The time of all cores since the machine began, in the kernel's ticks.
pub struct Cores {
    all: u64,
    /// Of a machine that shares its host: what the host gave to others while there was something to do here.
    stolen: u64,
}

impl Cores {
    pub fn now() -> Self {
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).filter_map(|number| number.parse().ok()).collect();
        Self { all: ticks.iter().sum(), stolen: ticks.get(7).copied().unwrap_or_default() }
    }

    /// In percent of the time since then.
    pub fn stolen_since(&self) -> Value {
        let now = Self::now();
        let passed = now.all.saturating_sub(self.all).max(1);
        rounded(now.stolen.saturating_sub(self.stolen) as f64 * 100.0 / passed as f64)
    }
}

pub fn now() -> Value {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let average: Vec<f64> = text.split(' ').take(3).filter_map(|number| number.parse().ok()).collect();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    json!({"cores": cores, "average": average})
}

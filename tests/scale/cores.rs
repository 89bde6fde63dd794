//! What a machine's host gives to others: what is measured meanwhile says less of the program.

use serde_json::Value;

use crate::figures::rounded;

/// The time of all cores since the machine began, in the kernel's ticks.
pub struct Cores {
    all: u64,
    /// Of a machine that shares its host: what the host gave to others while there was something to do here.
    stolen: Option<u64>,
}

impl Cores {
    pub fn now() -> Self {
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).filter_map(|number| number.parse().ok()).collect();
        Self { all: ticks.iter().sum(), stolen: ticks.get(7).copied() }
    }

    /// In percent of the time since then; null where the kernel does not say.
    pub fn stolen_since(&self) -> Value {
        let now = Self::now();
        let passed = now.all.saturating_sub(self.all).max(1);
        let stolen = now.stolen.zip(self.stolen).map(|(now, then)| now.saturating_sub(then));
        stolen.map_or(Value::Null, |stolen| rounded(stolen as f64 * 100.0 / passed as f64))
    }
}

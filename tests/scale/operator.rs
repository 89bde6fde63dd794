//! The operator's own process: started and killed, and asked what it did and what it uses.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::cluster::pause;

const HEALTH: &str = "127.0.0.1:8080";
/// Passes over objects at the same time, as the operator has it by default.
pub const CONCURRENCY: usize = 8;
/// The kernel counts processor time in these parts of a second.
const TICKS: f64 = 100.0;

pub struct Operator {
    process: Option<Child>,
    dir: PathBuf,
    client: reqwest::Client,
}

/// What the process has used since it began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub cpu_seconds: f64,
    pub resident_mib: f64,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Operator {
    pub async fn start(dir: &Path) -> Result<Self, Failure> {
        let mut operator = Self { process: None, dir: dir.to_owned(), client: reqwest::Client::builder().no_proxy().build()? };
        operator.begin().await?;
        Ok(operator)
    }

    /// Returns once it leads and its caches are filled.
    pub async fn begin(&mut self) -> Result<(), Failure> {
        let log = File::options().create(true).append(true).open(self.dir.join("operator.log"))?;
        let level = std::env::var("OPERATOR_LOG").unwrap_or_else(|_| "warn".to_owned());
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-operator"));
        command.args(["run", "--image", "operator:bench", "--namespace", "tenant-operator", "--identity", "bench"]);
        command.args(["--health-address", HEALTH, "--log-filter", &level, "--concurrency", &CONCURRENCY.to_string()]);
        command.env("KUBECONFIG", self.dir.join("operator")).stderr(Stdio::from(log.try_clone()?)).stdout(Stdio::from(log));
        self.process = Some(command.spawn()?);
        let end = Instant::now() + Duration::from_secs(300);
        loop {
            let answer = self.client.get(format!("http://{HEALTH}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            pause(end, "operator that is ready").await?;
        }
    }

    /// Without a word of warning.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Errors mean that it has ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Its metrics: each line's name with its labels, and the value.
    pub async fn metrics(&self) -> Result<BTreeMap<String, f64>, Failure> {
        let Ok(answer) = self.client.get(format!("http://{HEALTH}/metrics")).send().await else {
            return Err(format!("the operator does not answer any more; it said last: {}", self.last_words()).into());
        };
        let text = answer.text().await?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Ok(lines
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect())
    }

    /// Why it ended, if it did: on a machine that is too busy it loses its lease.
    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.dir.join("operator.log")).unwrap_or_default();
        log.lines().last().unwrap_or("nothing").chars().take(400).collect()
    }

    /// Tenants that it counts as Ready.
    pub async fn ready(&self) -> Result<usize, Failure> {
        let metrics = self.metrics().await?;
        let ready = metrics.iter().filter(|(name, _)| name.starts_with("tenant_operator_tenants{ready=\"True\""));
        Ok(ready.map(|(_, count)| *count as usize).sum())
    }

    /// Passes over Tenants that have ended.
    pub async fn passes(&self) -> Result<f64, Failure> {
        let metrics = self.metrics().await?;
        let passes =
            metrics.iter().filter(|(name, _)| name.starts_with("tenant_operator_reconciles_total{controller=\"tenant\""));
        Ok(passes.map(|(_, count)| count).sum())
    }

    pub fn used(&self) -> Result<Used, Failure> {
        let id = self.process.as_ref().ok_or("the operator does not run")?.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name, in parentheses, may hold anything; the fields behind it are counted from 3.
        let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no name in stat")?.1.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = resident.trim().trim_end_matches(" kB").parse()?;
        Ok(Used { cpu_seconds: ticks / TICKS, resident_mib: kib / 1024.0 })
    }
}

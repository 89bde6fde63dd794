//! The operator's process that leads: who it is, what it says it does, and its end without a word.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::time::{Instant, sleep};

use crate::lab::{self, Lab, OPERATOR};

const LIMIT: Duration = Duration::from_secs(90);

pub struct Process {
    pub pod: String,
    pub restarts: i32,
    pid: String,
    log: File,
    rest: Vec<u8>,
}

impl Process {
    /// Once there is one that leads and runs. Its log is read from here on.
    pub async fn leading(lab: &Lab) -> Self {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(process) = Self::find(lab).await {
                return process;
            }
            assert!(Instant::now() < end, "no operator leads within {} s", LIMIT.as_secs());
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn find(lab: &Lab) -> Option<Self> {
        let pod = Api::<Pod>::namespaced(lab.client.clone(), OPERATOR).get_opt(&holder(lab).await?).await.ok()??;
        let (name, uid) = (pod.metadata.name?, pod.metadata.uid?);
        let container = pod.status?.container_statuses?.into_iter().next()?;
        let id = container.container_id?;
        let pid = pid(lab, id.trim_start_matches("containerd://"))?;
        let restarts = container.restart_count;
        let log = lab.dir.join(format!("logs/{OPERATOR}_{name}_{uid}/{}/{restarts}.log", container.name));
        Some(Self { pod: name, restarts, pid, log: at_its_end(log)?, rest: vec![] })
    }

    /// SIGKILL. The kubelet starts another in the same pod.
    pub fn kill(&self) {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", &self.pid]);
        lab::output(kill, "").expect("a killed process");
    }

    /// The kind of the k-th op that it does for a tenant from now on, the moment that it says so.
    pub async fn op(&mut self, tenant: &str, k: usize) -> String {
        let mut done = 0;
        loop {
            for op in self.ops(tenant) {
                done += 1;
                if done == k {
                    return op;
                }
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn ops(&mut self, tenant: &str) -> Vec<String> {
        self.log.read_to_end(&mut self.rest).expect("the operator's log");
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return vec![] };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        String::from_utf8_lossy(&lines).lines().filter_map(|line| op(line, tenant)).collect()
    }
}

/// A line of the kubelet's kind: time, stream, a flag, and then the operator's own.
fn op(line: &str, tenant: &str) -> Option<String> {
    let said: serde_json::Value = serde_json::from_str(&line[line.find('{')?..]).ok()?;
    (said["message"] == "doing" && said["tenant"] == tenant).then(|| said["op"].as_str().map(str::to_owned))?
}

fn at_its_end(path: PathBuf) -> Option<File> {
    let mut log = File::open(path).ok()?;
    log.seek(SeekFrom::End(0)).ok()?;
    Some(log)
}

/// Of the first process in a container that runs.
fn pid(lab: &Lab, container: &str) -> Option<String> {
    let mut command = Command::new("ctr");
    command.arg("--address").arg(lab.dir.join("containerd/sock")).args(["--namespace", "k8s.io", "tasks", "list"]);
    let tasks = lab::output(command, "").ok()?;
    let mut words = tasks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let pid = words.find_map(|words| match words[..] {
        [id, pid, "RUNNING"] if id == container => Some(pid.to_owned()),
        _ => None,
    })?;
    // A number is used again; this one is killed.
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    command.contains("tenant-operator").then_some(pid)
}

/// Name of the pod that holds the lease.
pub async fn holder(lab: &Lab) -> Option<String> {
    let lease = leases(lab).get_opt(OPERATOR).await.ok()??;
    lease.spec?.holder_identity
}

pub fn leases(lab: &Lab) -> Api<Lease> {
    Api::namespaced(lab.client.clone(), OPERATOR)
}

//! What can be done to the lab, and how it is put right again.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::{self, Lab};

/// What can be away for a while.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The pods of a Deployment.
    Deployment { namespace: &'static str, name: &'static str, pods: &'static str },
    /// The API server's process.
    ApiServer,
    /// The same, but it only does not answer any more: no connection breaks.
    ApiServerHangs,
}

pub const MARIADB: Part = Part::Deployment { namespace: "erp", name: "mariadb", pods: "app=mariadb" };
pub const MARIADB_16: Part = Part::Deployment { namespace: "erp16", name: "mariadb", pods: "app=mariadb" };
pub const REDIS: Part = Part::Deployment { namespace: "erp", name: "redis", pods: "app=redis" };
pub const REDIS_16: Part = Part::Deployment { namespace: "erp16", name: "redis", pods: "app=redis" };
const GUNICORN: &str = "app.kubernetes.io/name=erpnext-gunicorn";
pub const WEB: Part = Part::Deployment { namespace: "erp", name: "erpnext-gunicorn", pods: GUNICORN };
/// The Master's as well.
pub const WEB_16: Part = Part::Deployment { namespace: "erp16", name: "erpnext-gunicorn", pods: GUNICORN };
pub const CERT_MANAGER: Part = Part::Deployment { namespace: "cert-manager", name: "cert-manager", pods: "app=cert-manager" };
const DEPLOYMENTS: [Part; 7] = [MARIADB, MARIADB_16, REDIS, REDIS_16, WEB, WEB_16, CERT_MANAGER];

impl Part {
    /// Returns once it is away.
    pub async fn stop(self, lab: &Lab) {
        beside(lab, move |lab| self.stop_now(lab)).await;
    }

    /// Returns once it is there again.
    pub async fn start(self, lab: &Lab) {
        beside(lab, move |lab| self.start_now(lab)).await;
    }

    fn stop_now(self, lab: &Lab) {
        match self {
            Self::Deployment { namespace, name, pods } => {
                scale(lab, namespace, name, 0).expect("another scale");
                let gone = ["wait", "--for=delete", "pod", "-n", namespace, "-l", pods, "--timeout=60s"];
                lab.kubectl(&gone, "").expect("an end of the pods");
            }
            Self::ApiServer => node(lab, "stop").expect("a stopped API server"),
            Self::ApiServerHangs => signal(lab, "STOP"),
        }
    }

    fn start_now(self, lab: &Lab) {
        match self {
            Self::Deployment { namespace, name, .. } => {
                scale(lab, namespace, name, 1).expect("another scale");
                let status = ["rollout", "status", &format!("deployment/{name}"), "-n", namespace, "--timeout=120s"];
                lab.kubectl(&status, "").expect("a pod that is ready");
            }
            Self::ApiServer => node(lab, "start").expect("a started API server"),
            Self::ApiServerHangs => signal(lab, "CONT"),
        }
        until_answered(lab);
    }
}

/// Programs are waited for on a thread of their own.
async fn beside(lab: &Lab, work: impl FnOnce(&Lab) + Send + 'static) {
    let lab = lab.clone();
    tokio::task::spawn_blocking(move || work(&lab)).await.expect("an end");
}

fn scale(lab: &Lab, namespace: &str, name: &str, replicas: u8) -> Result<String, String> {
    lab.kubectl(&["scale", &format!("deployment/{name}"), &format!("--replicas={replicas}"), "-n", namespace], "")
}

/// The lab's own program knows how the node's servers were started.
fn node(lab: &Lab, what: &str) -> Result<(), String> {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/lab/lab"));
    command.env("LAB_DIR", &lab.dir).args([what, "kube-apiserver"]);
    lab::output(command, "").map(drop)
}

fn signal(lab: &Lab, signal: &str) {
    let pid = std::fs::read_to_string(lab.dir.join("kube-apiserver.pid")).expect("the API server's pid");
    let mut kill = Command::new("kill");
    kill.args([&format!("-{signal}"), pid.trim()]);
    lab::output(kill, "").expect("a signal");
}

fn until_answered(lab: &Lab) {
    let end = Instant::now() + Duration::from_secs(120);
    while lab.kubectl(&["get", "--raw", "/readyz", "--request-timeout=5s"], "").is_err() {
        assert!(Instant::now() < end, "the API server did not come back");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Puts back whatever a fault may have taken, also one that broke off in the middle.
pub fn mend(lab: &Lab) {
    signal_if_alive(lab);
    node(lab, "start").expect("a started API server");
    until_answered(lab);
    for part in DEPLOYMENTS {
        let Part::Deployment { namespace, name, .. } = part else { continue };
        if lab.kubectl(&["get", "deployment", name, "-n", namespace, "-o", "jsonpath={.spec.replicas}"], "").as_deref() != Ok("1")
        {
            part.start_now(lab);
        }
    }
    let _ = scale(lab, lab::OPERATOR, lab::OPERATOR, 1);
}

/// A process that was stopped by a signal goes on.
fn signal_if_alive(lab: &Lab) {
    if lab.kubectl(&["get", "--raw", "/readyz", "--request-timeout=3s"], "").is_err() {
        let pid = std::fs::read_to_string(lab.dir.join("kube-apiserver.pid")).unwrap_or_default();
        let _ = Command::new("kill").args(["-CONT", pid.trim()]).output();
    }
}

//! The operator's own process: ended without a word, and asked what it did.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams};
use kube::{ResourceExt, runtime::wait};

use crate::edge::Door;
use crate::lab::{self, Lab, OPERATOR};
use crate::wait::within;

/// Requests to the API server by verb and resource, since the process began.
pub type Requests = BTreeMap<(String, String), u64>;

/// The requests between two counts, without those for the lease, which come by the clock.
pub fn between(before: &Requests, after: &Requests) -> Requests {
    let more = |(key, count): (&(String, String), &u64)| (key.clone(), count - before.get(key).copied().unwrap_or_default());
    after.iter().map(more).filter(|((_, resource), count)| *count > 0 && resource != "leases").collect()
}

pub fn total(requests: &Requests) -> u64 {
    requests.values().sum()
}

/// Those that change something.
pub fn writes(requests: &Requests) -> Requests {
    let reads = ["get", "list", "watch"];
    requests.iter().filter(|((verb, _), _)| !reads.contains(&verb.as_str())).map(|(key, count)| (key.clone(), *count)).collect()
}

impl Lab {
    pub async fn operator_requests(&self) -> Requests {
        let door = Door::at(self.service(OPERATOR, "tenant-operator", 8080).await);
        let text = door.get("/metrics").await.text;
        let mut requests = Requests::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("tenant_operator_api_requests_total{")) {
            let (labels, count) = line.rsplit_once("} ").expect("a value");
            let label = |name: &str| {
                let found = labels.split(',').find_map(|pair| pair.strip_prefix(&format!("{name}=\"")));
                found.unwrap_or_default().trim_end_matches('"').to_owned()
            };
            *requests.entry((label("verb"), label("resource"))).or_default() += count.parse::<f64>().expect("a number") as u64;
        }
        requests
    }

    async fn operator_pod(&self) -> Pod {
        let pods = Api::<Pod>::namespaced(self.client.clone(), OPERATOR);
        let selected = ListParams::default().labels("app.kubernetes.io/name=tenant-operator");
        let pods = pods.list(&selected).await.expect("pods").items;
        pods.into_iter().find(|pod| pod.metadata.deletion_timestamp.is_none()).expect("a pod of the operator")
    }

    /// How often the operator's container has begun anew.
    pub async fn operator_restarts(&self) -> i32 {
        let containers = self.operator_pod().await.status.and_then(|status| status.container_statuses).unwrap_or_default();
        containers.iter().map(|container| container.restart_count).sum()
    }

    /// SIGKILL to the process in the container. The kubelet starts another in the same pod.
    pub async fn kill_operator(&self) {
        for _ in 0..10 {
            let pod = self.operator_pod().await;
            let (name, container) = (pod.name_any(), container(Some(&pod)).expect("a container").to_owned());
            match self.kill(&container) {
                Ok(_) => return,
                // Ended by itself, or by an earlier kill, and the kubelet has not said so yet.
                Err(complaint) if complaint.contains("not found") => {
                    let pods = Api::<Pod>::namespaced(self.client.clone(), OPERATOR);
                    let another = |pod: Option<&Pod>| self::container(pod) != Some(&container);
                    within(Duration::from_secs(60), "another container", wait::await_condition(pods, &name, another)).await;
                }
                Err(complaint) => panic!("the operator was to be killed: {complaint}"),
            }
        }
        panic!("the operator ends by itself, again and again");
    }

    fn kill(&self, container: &str) -> Result<String, String> {
        let socket = self.dir.join("containerd/sock");
        let mut command = Command::new("ctr");
        command.arg("--address").arg(socket).args(["--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL"]);
        command.arg(container.trim_start_matches("containerd://"));
        lab::output(command, "")
    }

    /// The same, and the pod is gone as well: another pod, of another name, has to wait until the lease runs out.
    pub async fn kill_operator_and_its_pod(&self) {
        let pod = self.operator_pod().await;
        self.kill_operator().await;
        let pods = Api::<Pod>::namespaced(self.client.clone(), OPERATOR);
        pods.delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await.expect("a deleted pod");
        let gone = wait::conditions::is_deleted(pod.metadata.uid.as_deref().unwrap_or_default());
        wait::await_condition(pods, &pod.name_any(), gone).await.expect("a watch");
    }
}

/// As the pod's status has it.
fn container(pod: Option<&Pod>) -> Option<&String> {
    pod?.status.as_ref()?.container_statuses.as_ref()?.first()?.container_id.as_ref()
}

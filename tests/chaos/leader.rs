//! The operator that leads is lost, or taken away from its work: its lease, its process, its version.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;
use tokio::time::sleep;

use crate::Form;
use crate::fault::{Fault, in_flight};
use crate::lab::{Lab, OPERATOR};
use crate::process::{Process, holder, leases};
use crate::scene::{ERP, ERP16, Scene};
use crate::table::Table;

const LIMIT: Duration = Duration::from_secs(90);

pub async fn run(scene: &Scene, table: &Table, form: Form) {
    let moments: &[u64] = if form == Form::Short { &[2] } else { &[1, 4] };
    for moment in moments {
        let (after, at) = (Duration::from_secs(*moment), if moment % 2 == 0 { ERP16 } else { ERP });
        let named = |what: &str| format!("{what} {moment} s after apply and delete");
        let body = async |fault: &Fault<'_>| in_flight(fault, at, after, taken).await;
        table.strike(scene, &named("lease taken by another"), body).await;
        if form == Form::Full {
            let body = async |fault: &Fault<'_>| in_flight(fault, at, after, deleted).await;
            table.strike(scene, &named("lease deleted"), body).await;
        }
        let body = async |fault: &Fault<'_>| two(fault, at, after).await;
        table.strike(scene, &named("two replicas, the leader killed with its pod"), body).await;
        let body = async |fault: &Fault<'_>| in_flight(fault, at, after, upgraded).await;
        table.strike(scene, &named("operator upgraded"), body).await;
    }
}

/// As if another had taken it; nobody renews it after that.
async fn taken(fault: &Fault<'_>) -> Instant {
    let leader = Process::leading(fault.lab()).await;
    let other = json!({"spec": {"holderIdentity": "somebody-else"}});
    leases(fault.lab()).patch(OPERATOR, &PatchParams::default(), &Patch::Merge(other)).await.expect("another holder");
    let begun = Instant::now();
    ends(fault.lab(), &leader).await;
    begun
}

async fn deleted(fault: &Fault<'_>) -> Instant {
    let leader = Process::leading(fault.lab()).await;
    leases(fault.lab()).delete(OPERATOR, &DeleteParams::default()).await.expect("a deletion");
    let begun = Instant::now();
    ends(fault.lab(), &leader).await;
    begun
}

/// Without its lease a process must not go on working.
async fn ends(lab: &Lab, leader: &Process) {
    let pods = Api::<Pod>::namespaced(lab.client.clone(), OPERATOR);
    until("end of the process that lost its lease", async || {
        let pod = pods.get_opt(&leader.pod).await.ok().flatten();
        let container = pod.and_then(|pod| pod.status?.container_statuses?.into_iter().next());
        container.is_none_or(|container| {
            container.restart_count > leader.restarts || container.state.is_some_and(|state| state.terminated.is_some())
        })
    })
    .await;
}

/// The other has been waiting, and takes over when the lease has run out.
async fn two(fault: &Fault<'_>, at: usize, after: Duration) -> Option<Duration> {
    let lab = fault.lab();
    scale(lab, 2);
    until("second operator that waits", async || waiting(lab).await == 1).await;
    let took = in_flight(fault, at, after, async |fault| {
        let leader = Process::leading(fault.lab()).await;
        leader.kill();
        let begun = Instant::now();
        let pods = Api::<Pod>::namespaced(lab.client.clone(), OPERATOR);
        pods.delete(&leader.pod, &DeleteParams::default().grace_period(0)).await.expect("a deleted pod");
        until("another leader", async || holder(lab).await.is_some_and(|holder| holder != leader.pod)).await;
        begun
    });
    let took = took.await;
    scale(lab, 1);
    until("one operator alone", async || pods(lab).await.len() == 1).await;
    took
}

fn scale(lab: &Lab, replicas: u8) {
    lab.kubectl(&["scale", "deployment/tenant-operator", &format!("--replicas={replicas}"), "-n", OPERATOR], "")
        .expect("another scale");
}

async fn pods(lab: &Lab) -> Vec<Pod> {
    let selected = ListParams::default().labels("app.kubernetes.io/name=tenant-operator");
    let pods = Api::<Pod>::namespaced(lab.client.clone(), OPERATOR).list(&selected).await;
    pods.map(|pods| pods.items).unwrap_or_default()
}

/// Those that run and are not ready: they have no lease.
async fn waiting(lab: &Lab) -> usize {
    let waits = |pod: &Pod| {
        let container = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref()?.first());
        container.is_some_and(|one| one.started == Some(true) && !one.ready)
    };
    pods(lab).await.iter().filter(|pod| waits(pod)).count()
}

/// Another pod of the same image: how a new version comes, and the old one is asked to end.
async fn upgraded(fault: &Fault<'_>) -> Instant {
    let begun = Instant::now();
    upgrade(fault.lab());
    begun
}

pub fn upgrade(lab: &Lab) {
    lab.kubectl(&["rollout", "restart", "deployment/tenant-operator", "-n", OPERATOR], "").expect("a restart");
}

async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is().await {
        assert!(Instant::now() < end, "no {what} within {} s", LIMIT.as_secs());
        sleep(Duration::from_millis(200)).await;
    }
}

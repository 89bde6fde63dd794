//! The pod of a tenant's Job taken away, each time a second later after its start, until it is through before that. Without a grace
//! period the API forgets the pod while its process may still run; with one, a second runner comes while the first is ending.

use std::time::{Duration, Instant};

use futures::future::join_all;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::DeleteParams;
use kube::{Api, ResourceExt};
use tokio::time::sleep;

use crate::Form;
use crate::fault::Fault;
use crate::scene::{ERP, ERP16, Scene};
use crate::table::Table;
use crate::wait::first;

/// Longer than any Job of a tenant without apps.
const MOST: u64 = 40;

#[derive(Clone, Copy)]
struct Blow {
    after: u64,
    grace: Option<u32>,
    at: usize,
}

impl Blow {
    fn name(self, way: &str) -> String {
        let how = if self.grace == Some(0) { "killed" } else { "deleted with its grace period" };
        format!("Job pod {how} {} s after its start, going {way}", self.after)
    }
}

pub async fn run(scene: &Scene, table: &Table, form: Form) {
    let (killed, ended) = (Some(0), None);
    let blow = |after: u64, grace: Option<u32>| Blow { after, grace, at: if after % 2 == 0 { ERP16 } else { ERP } };
    if form == Form::Short {
        batch(scene, table, &[blow(1, killed), blow(2, ended), blow(4, killed)]).await;
        return;
    }
    for grace in [killed, ended] {
        let mut after = 1;
        // A bench takes three at a time.
        while after < MOST && batch(scene, table, &[0, 1, 2, 3].map(|more| blow(after + more, grace))).await {
            after += 4;
        }
    }
}

/// Several tenants at the same time, each with its own blow up and down. Whether any was struck.
async fn batch(scene: &Scene, table: &Table, blows: &[Blow]) -> bool {
    let struck = join_all(blows.iter().map(async |blow| {
        let up = table.strike(scene, &blow.name("up"), async |fault| coming(fault, *blow).await).await;
        let down = table.strike(scene, &blow.name("down"), async |fault| leaving(fault, *blow).await).await;
        up || down
    }));
    struck.await.into_iter().any(|struck| struck)
}

async fn coming(fault: &Fault<'_>, blow: Blow) -> Option<Duration> {
    let name = fault.come(blow.at).await;
    let struck = strike(fault, blow, &name, "provision").await;
    let guest = fault.ready(blow.at, &name).await;
    let took = struck.map(|struck| struck.elapsed());
    fault.scene.keep(guest);
    took
}

async fn leaving(fault: &Fault<'_>, blow: Blow) -> Option<Duration> {
    let guest = fault.spare(blow.at).await;
    fault.leave(&guest.name).await;
    let struck = strike(fault, blow, &guest.name, "remove").await;
    fault.gone(&guest.name).await;
    let took = struck.map(|struck| struck.elapsed());
    fault.nothing_left(&guest).await;
    took
}

/// None where the pod was through before.
async fn strike(fault: &Fault<'_>, blow: Blow, tenant: &str, kind: &str) -> Option<Instant> {
    let namespace = fault.scene.grounds[blow.at].place.namespace;
    let pods = Api::<Pod>::namespaced(fault.lab().client.clone(), namespace);
    let labels = format!("tenancy.nexuserp.io/tenant={tenant},tenancy.nexuserp.io/step={kind}");
    let pod = first(pods.clone(), &labels, "Job's pod that runs", begun).await;
    sleep(Duration::from_secs(blow.after)).await;
    let now = pods.get_opt(&pod.name_any()).await.expect("an answer")?;
    if now.uid() != pod.uid() || is_through(&now) {
        return None;
    }
    fault.add_to_name(&format!(" ({})", running(&now)));
    let delete = DeleteParams { grace_period_seconds: blow.grace, ..Default::default() };
    pods.delete(&pod.name_any(), &delete).await.ok()?;
    Some(Instant::now())
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.iter();
    status.flat_map(|status| status.init_container_statuses.iter().chain(&status.container_statuses)).flatten()
}

fn begun(pod: &Pod) -> bool {
    let left_waiting = |one: &ContainerStatus| one.state.as_ref().is_some_and(|state| state.waiting.is_none());
    containers(pod).any(left_waiting)
}

fn is_through(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")) || pod.metadata.deletion_timestamp.is_some()
}

/// Which of its containers it was in.
fn running(pod: &Pod) -> String {
    let runs = |one: &&ContainerStatus| one.state.as_ref().is_some_and(|state| state.running.is_some());
    containers(pod).find(runs).map_or("between containers".to_owned(), |one| one.name.clone())
}

//! Thirty tenants come and go, six at a time on two benches, while one fault after the other strikes. `SEED` repeats the same
//! faults; their moments are the lab's own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tenant_operator::api::TenantClaim;
use tokio::time::sleep;

use crate::blow::{CERT_MANAGER, MARIADB, MARIADB_16, Part, REDIS, REDIS_16, WEB, WEB_16};
use crate::fault::Fault;
use crate::lab::OPERATOR;
use crate::leader;
use crate::process::{Process, leases};
use crate::scene::{Guest, Scene};
use crate::table::Table;

const TENANTS: usize = 30;
const AT_ONCE: usize = 6;
/// A row of faults could keep them from ever ending; so it ends by itself.
const LONGEST: Duration = Duration::from_secs(420);

pub async fn run(scene: &Scene, table: &Table) {
    let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| rand::random::<u32>().into());
    let name = format!("{TENANTS} tenants coming and going under faults of all kinds, SEED={seed}");
    table.strike(scene, &name, async |fault| storm(fault, seed).await).await;
}

async fn storm(fault: &Fault<'_>, seed: u64) -> Option<Duration> {
    for ground in &fault.scene.grounds {
        fault.may_hurt_those_on(ground.place.namespace);
    }
    let over = AtomicBool::new(false);
    let calm = Mutex::new(None);
    let lives = async {
        let lives = stream::iter(0..TENANTS).map(|number| life(fault, number, seed)).buffer_unordered(AT_ONCE);
        let guests: Vec<Option<Guest>> = lives.collect().await;
        over.store(true, Ordering::Relaxed);
        guests
    };
    let blows = async {
        let struck = blows(fault, seed, &over).await;
        *calm.lock().unwrap() = Some(Instant::now());
        struck
    };
    let (guests, struck) = tokio::join!(lives, blows);
    let took = calm.lock().unwrap().map(|calm: Instant| calm.elapsed())?;
    fault.add_to_name(&format!(" ({struck} faults)"));
    for guest in guests.iter().flatten() {
        fault.nothing_left(guest).await;
    }
    Some(took)
}

/// Every third leaves before it is Ready, the others after. Returns whom it was where it was seen to have an id.
async fn life(fault: &Fault<'_>, number: usize, seed: u64) -> Option<Guest> {
    let mut chance = StdRng::seed_from_u64(seed.wrapping_add(number as u64 + 1));
    let (early, pause) = (number % 3 == 2, Duration::from_millis(chance.random_range(500..10_000)));
    let at = number % 2;
    let name = fault.come(at).await;
    let guest = if early {
        sleep(pause).await;
        claimed(fault, at, &name).await
    } else {
        Some(fault.ready(at, &name).await)
    };
    fault.leave(&name).await;
    fault.gone(&name).await;
    guest
}

/// None where it was not claimed yet, or nobody could be asked: then the end of the whole run shows what is left.
async fn claimed(fault: &Fault<'_>, at: usize, name: &str) -> Option<Guest> {
    let of_tenant = ListParams::default().labels(&format!("tenancy.nexuserp.io/tenant={name}"));
    let claims = Api::<TenantClaim>::all(fault.lab().client.clone()).list(&of_tenant).await.ok()?;
    let id = claims.items.first()?.spec.holder.id.clone();
    fault.scene.case.remember(&fault.scene.grounds[at].place, name, &id);
    Some(Guest { name: name.to_owned(), id, at })
}

async fn blows(fault: &Fault<'_>, seed: u64, over: &AtomicBool) -> usize {
    let (mut chance, begun, mut struck) = (StdRng::seed_from_u64(seed), Instant::now(), 0);
    loop {
        sleep(Duration::from_millis(chance.random_range(4_000..12_000))).await;
        if over.load(Ordering::Relaxed) || begun.elapsed() > LONGEST {
            return struck;
        }
        blow(fault, &mut chance).await;
        struck += 1;
    }
}

async fn blow(fault: &Fault<'_>, chance: &mut StdRng) {
    const PARTS: [Part; 9] =
        [MARIADB, MARIADB_16, REDIS, REDIS_16, WEB, WEB_16, CERT_MANAGER, Part::ApiServer, Part::ApiServerHangs];
    let lab = fault.lab();
    let kind = chance.random_range(0..8);
    match kind {
        0 | 1 => Process::leading(lab).await.kill(),
        2 | 3 => job_pod(fault, chance).await,
        4 => {
            let other = json!({"spec": {"holderIdentity": "somebody-else"}});
            let _ = leases(lab).patch(OPERATOR, &PatchParams::default(), &Patch::Merge(other)).await;
        }
        5 => leader::upgrade(lab),
        _ => {
            let (part, pause) = (PARTS[chance.random_range(0..PARTS.len())], chance.random_range(5..15));
            part.stop(lab).await;
            sleep(Duration::from_secs(pause)).await;
            part.start(lab).await;
        }
    }
}

/// One that runs, with or without a grace period.
async fn job_pod(fault: &Fault<'_>, chance: &mut StdRng) {
    let namespace = fault.scene.grounds[chance.random_range(0..2)].place.namespace;
    let pods = Api::<Pod>::namespaced(fault.lab().client.clone(), namespace);
    let jobs = ListParams::default().labels("tenancy.nexuserp.io/step").fields("status.phase=Running");
    let Ok(running) = pods.list(&jobs).await else { return };
    let delete = DeleteParams { grace_period_seconds: chance.random_bool(0.5).then_some(0), ..Default::default() };
    if !running.items.is_empty() {
        let pod = &running.items[chance.random_range(0..running.items.len())];
        let _ = pods.delete(&pod.name_any(), &delete).await;
    }
}

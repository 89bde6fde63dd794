//! The operator killed at each of its ops in turn, on a tenant's way up and on its way down.

use std::time::{Duration, Instant};

use crate::Form;
use crate::fault::Fault;
use crate::process::Process;
use crate::scene::{ERP, ERP16, Scene};
use crate::table::Table;

/// Longer than any life: one that has so many ops does not converge.
const MOST: usize = 80;

pub async fn run(scene: &Scene, table: &Table, form: Form) {
    let step = if form == Form::Short { 6 } else { 1 };
    let (mut up, mut down) = (true, true);
    // Each life is on the other bench than the one before.
    for k in (1..=MOST).skip(step / 2).step_by(step) {
        let at = if k / step % 2 == 0 { ERP } else { ERP16 };
        up = up
            && table
                .strike(scene, &format!("operator killed at op {k} going up"), async |fault| coming(fault, at, k).await)
                .await;
        down = down
            && table
                .strike(scene, &format!("operator killed at op {k} going down"), async |fault| leaving(fault, at, k).await)
                .await;
        if !up && !down {
            return;
        }
    }
    assert!(!up && !down, "a life of more than {MOST} ops");
}

async fn coming(fault: &Fault<'_>, at: usize, k: usize) -> Option<Duration> {
    let mut operator = Process::leading(fault.lab()).await;
    let name = fault.come(at).await;
    let struck = tokio::select! {
        op = operator.op(&name, k) => Some(op),
        guest = fault.ready(at, &name) => {
            fault.scene.keep(guest);
            None
        }
    }?;
    operator.kill();
    let killed = Instant::now();
    fault.add_to_name(&format!(" ({struck})"));
    let guest = fault.ready(at, &name).await;
    let took = killed.elapsed();
    fault.scene.keep(guest);
    Some(took)
}

async fn leaving(fault: &Fault<'_>, at: usize, k: usize) -> Option<Duration> {
    let guest = fault.spare(at).await;
    let mut operator = Process::leading(fault.lab()).await;
    fault.leave(&guest.name).await;
    let struck = tokio::select! {
        op = operator.op(&guest.name, k) => Some(op),
        () = fault.gone(&guest.name) => None,
    };
    let Some(op) = struck else {
        fault.nothing_left(&guest).await;
        return None;
    };
    operator.kill();
    let killed = Instant::now();
    fault.add_to_name(&format!(" ({op})"));
    fault.gone(&guest.name).await;
    let took = killed.elapsed();
    fault.nothing_left(&guest).await;
    Some(took)
}

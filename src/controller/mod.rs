//! Brings decisions and the outside together: watches, the reconcile loop, the finalizer, the gate, status and events.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use crate::runtime::{Metrics, Readiness};

pub mod pass;

/// All that the controller needs from the process around it.
pub struct Context {
    pub client: Client,
    pub settings: Settings,
    pub metrics: Arc<Metrics>,
    pub readiness: Readiness,
}

pub struct Settings {
    pub cluster_name: String,
    pub image: String,
    pub namespace: String,
    pub resync: Duration,
    pub concurrency: u16,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {}

/// Works until `shutdown` resolves and the passes that have begun are finished.
pub async fn run(context: Context, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    context.readiness.set("caches", true);
    shutdown.await;
    Ok(())
}

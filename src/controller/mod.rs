//! Brings decisions and the outside together: watches, the reconcile loop, the finalizer, the gate, status and events.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::Client;
use tokio::sync::watch;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::runtime::{Metrics, Readiness};
use crate::world::gate::Gate;
use crate::world::live::Live;
use crate::world::turns::Turns;

mod after;
pub mod bench;
mod events;
mod finalizer;
mod finding;
mod inspection;
mod known;
mod leaving;
mod messages;
mod metered;
mod news;
pub mod pass;
mod placing;
pub mod plan;
mod seed;
mod status;
mod templates;
pub mod tenant;
mod watches;

pub use status::transitions;
use tenant::Reconciler;

/// All that the controller needs from the process around it.
pub struct Context {
    pub client: Client,
    pub settings: Settings,
    pub metrics: Arc<Metrics>,
    pub readiness: Readiness,
}

#[derive(Clone)]
pub struct Settings {
    pub cluster_name: String,
    pub image: String,
    pub namespace: String,
    pub resync: Duration,
    /// How often the sites of a Bench are compared with what they should be.
    pub inspect_interval: Duration,
    /// Secrets may be read in every namespace.
    pub cluster_wide: bool,
    pub concurrency: u16,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot begin")]
    Begin(#[from] crate::world::Error),
    #[error("cannot ask the API server which kinds it serves")]
    Discovery(#[source] Box<kube::Error>),
    #[error("a watch ended before its first answer")]
    Watch,
}

/// Works until `shutdown` resolves and the passes that have begun are finished.
pub async fn run(context: Context, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    let Context { client, settings, metrics, readiness } = context;
    let (gate, woken) = Gate::new();
    let live = Live::new(client.clone(), Arc::new(gate))?;
    live.resume_gate().await?;
    let (turns, called) = Turns::new();
    let mut reconciler = Reconciler::new(client, live, turns, metrics, settings);
    reconciler.settle_in();
    let reconciler = Arc::new(reconciler);

    let (stop, stopped) = watch::channel(());
    tokio::spawn(async move {
        shutdown.await;
        drop(stop);
    });
    let changed = reconciler.live.shelves.watch_secrets(reconciler.client.clone(), reconciler.settings.cluster_wide);
    let woken = [woken, called.tenants, changed].map(UnboundedReceiverStream::new);
    let woken = futures::stream::select_all(woken);
    let tenants = watches::tenants(&reconciler, woken, ended(stopped.clone())).await?;
    let benches = watches::benches(&reconciler, ended(stopped.clone()));
    let plans = watches::plans(&reconciler, called.plans, ended(stopped));
    let warm = tenants.warm;
    let ready = async {
        let warm = warm.await;
        readiness.set("caches", warm);
        if warm { Ok(()) } else { Err(Error::Watch) }
    };
    let work = async {
        futures::join!(tenants.work.for_each(|()| async {}), benches.for_each(|()| async {}), plans.for_each(|()| async {}));
    };
    let (ready, ()) = futures::join!(ready, work);
    ready
}

async fn ended(mut stopped: watch::Receiver<()>) {
    // The sender is dropped, never used: the only change is its end.
    let _ = stopped.changed().await;
}

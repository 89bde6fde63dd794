//! The life of `tenant-operator run`: wait for what it needs, lead, work, and end without leaving anything half told.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use super::leader::{Candidate, Leadership, Lost};
use super::{Metrics, Readiness, Settings, Shutdown, client, crds, health};
use crate::controller;

/// What readiness calls leadership. The controller sets `CACHES` by itself.
const LEASE: &str = "lease";
const CACHES: &str = "caches";
/// How long passes that have begun may take to finish; less than the 30 s that a kubelet gives by default.
const GRACE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot take over SIGTERM and SIGINT")]
    Signals(#[source] io::Error),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot find the cluster; run in a pod with a service account, or set KUBECONFIG")]
    Config(#[source] Box<dyn StdError + Send + Sync>),
    #[error("cannot build the client of the API server")]
    Client(#[source] Box<kube::Error>),
    #[error("cannot go on as leader")]
    Lost(#[from] Lost),
    #[error("cannot go on as leader: the renewal of the lease broke off")]
    Renewal(#[source] JoinError),
    #[error("the controller failed")]
    Controller(#[from] controller::Error),
    #[error("the controller ended without being asked to")]
    Ended,
}

pub async fn run(settings: Settings) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals().map_err(Error::Signals)?;
    let metrics = Arc::new(Metrics::new());
    let readiness = Readiness::new(crds::conditions().chain([LEASE.to_owned(), CACHES.to_owned()]));
    serve_health(settings.health_address, &metrics, &readiness).await?;
    let client = client::connect(&metrics).await?;
    let namespace = settings.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), cluster = settings.cluster_name, namespace, "starting");

    let leadership = tokio::select! {
        () = shutdown.requested() => return Ok(()),
        leadership = prepare(&client, &settings, &namespace, &readiness) => leadership,
    };
    tracing::info!("leading");
    metrics.leads(true);
    readiness.set(LEASE, true);
    let context = controller::Context {
        client,
        settings: controller::Settings {
            cluster_name: settings.cluster_name,
            image: settings.image,
            namespace,
            resync: settings.resync,
            inspect_interval: settings.inspect_interval,
            cluster_wide: settings.cluster_wide,
            concurrency: settings.concurrency.get(),
        },
        metrics,
        readiness,
    };
    lead(leadership, context, shutdown).await
}

async fn serve_health(address: SocketAddr, metrics: &Arc<Metrics>, readiness: &Readiness) -> Result<(), Error> {
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    let router = health::router(metrics.clone(), readiness.clone());
    // Serves until the process ends: it must answer while the rest is still ending.
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

async fn prepare(client: &Client, settings: &Settings, namespace: &str, readiness: &Readiness) -> Leadership {
    crds::wait(client, readiness).await;
    let identity = settings.identity.clone().unwrap_or_else(|| format!("tenant-operator-{:016x}", rand::random::<u64>()));
    Candidate::new(client.clone(), namespace, &settings.lease_name, &identity).acquire().await
}

/// Works as long as the lease is kept. A lost lease ends the work where it stands: another may have begun already.
async fn lead(leadership: Leadership, context: controller::Context, shutdown: Shutdown) -> Result<(), Error> {
    let metrics = context.metrics.clone();
    let (give_back, asked) = oneshot::channel();
    // A task of its own: renewal must not wait for a busy controller.
    let mut keeper = tokio::spawn(leadership.keep(asked));
    let worked = tokio::select! {
        kept = &mut keeper => return Err(broken(kept)),
        worked = controller::run(context, shutdown.requested()) => worked,
        () = overdue(&shutdown) => {
            tracing::warn!(seconds = GRACE.as_secs(), "ending with work unfinished; it is taken up again by what is observed");
            Ok(())
        }
    };
    metrics.leads(false);
    // The receiver is gone only if the lease is lost in this very moment; then there is nothing to give back.
    let _ = give_back.send(());
    finish(keeper).await;
    worked?;
    if shutdown.is_requested() { Ok(()) } else { Err(Error::Ended) }
}

async fn overdue(shutdown: &Shutdown) {
    shutdown.requested().await;
    tokio::time::sleep(GRACE).await;
}

async fn finish(keeper: JoinHandle<Result<(), Lost>>) {
    if let Ok(Err(lost)) = keeper.await {
        tracing::warn!(error = &lost as &dyn StdError, "the lease was lost while ending");
    }
}

fn broken(kept: Result<Result<(), Lost>, JoinError>) -> Error {
    match kept {
        Ok(Ok(())) => Error::Ended,
        Ok(Err(lost)) => Error::Lost(lost),
        Err(error) => Error::Renewal(error),
    }
}

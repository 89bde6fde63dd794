//! The way to the API server.

use std::sync::Arc;

use kube::client::ClientBuilder;
use kube::{Client, Config};

use super::requests::CountRequests;
use super::{Error, Metrics};

const USER_AGENT: &str = concat!("tenant-operator/", env!("CARGO_PKG_VERSION"));

/// Connects as a pod's service account, or as the kubeconfig says outside a cluster.
pub async fn connect(metrics: &Arc<Metrics>) -> Result<Client, Error> {
    // An error means that a provider is there already, and one is all it needs.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = Config::infer().await.map_err(|error| Error::Config(Box::new(error)))?;
    let agent = http::HeaderValue::from_static(USER_AGENT);
    config.headers.push((http::header::USER_AGENT, agent));
    let builder = ClientBuilder::try_from(config).map_err(|error| Error::Client(Box::new(error)))?;
    Ok(builder.with_layer(&CountRequests(metrics.clone())).build())
}

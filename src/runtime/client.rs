//! The way to the API server.

use std::sync::Arc;

use http::Request;
use http::uri::{PathAndQuery, Uri};
use kube::client::ClientBuilder;
use kube::{Client, Config};
use tower::util::MapRequestLayer;

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
    Ok(builder.with_layer(&MapRequestLayer::new(latest)).with_layer(&CountRequests(metrics.clone())).build())
}

/// kube begins a streamed list at version 0: with what this API server happens to remember. Without a version it begins with what there
/// is, our own last writes among it, as a list in pages does.
fn latest<B>(mut request: Request<B>) -> Request<B> {
    let target = request.uri().path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    let Some((path, query)) = target.split_once('?').filter(|(_, query)| query.contains("sendInitialEvents=true")) else {
        return request;
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| *pair != "resourceVersion=0").collect();
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = format!("{path}?{}", kept.join("&")).parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(uri: &str) -> String {
        latest(Request::get(uri).body(()).unwrap()).uri().to_string()
    }

    #[test]
    fn a_streamed_list_begins_with_what_there_is() {
        let asked =
            "https://api:6443/api/v1/pods?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0";
        let rest = "https://api:6443/api/v1/pods?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
        assert_eq!(sent(asked), rest);
        let later = asked.replace("=0", "=07");
        assert_eq!(sent(&later), later);
    }

    #[test]
    fn every_other_request_is_left_as_it_is() {
        for uri in ["/api/v1/pods?watch=true&resourceVersion=0", "/api/v1/pods?resourceVersion=0&limit=500", "/api/v1/pods"] {
            assert_eq!(sent(uri), uri);
        }
    }
}

//! The operator can do nothing before its four kinds of object are served; it waits for them and names those that are missing.

use std::time::Duration;

use kube::{Client, Error};
use tokio::time::sleep;

use super::Readiness;

const GROUP_VERSION: &str = "tenancy.nexuserp.io/v1alpha1";
const PLURALS: [&str; 4] = ["tenants", "tenantplans", "benches", "tenantclaims"];
/// The API server's list of what it serves cannot be watched.
const POLL: Duration = Duration::from_secs(2);

/// The names that readiness uses for them.
pub fn conditions() -> impl Iterator<Item = String> {
    PLURALS.iter().map(|plural| condition(plural))
}

fn condition(plural: &str) -> String {
    format!("CustomResourceDefinition {plural}.tenancy.nexuserp.io")
}

/// Returns once all four are served.
pub async fn wait(client: &Client, readiness: &Readiness) {
    let mut told = None;
    loop {
        match missing(client).await {
            Ok(missing) => {
                for plural in PLURALS {
                    readiness.set(&condition(plural), !missing.contains(&plural));
                }
                if missing.is_empty() {
                    return;
                }
                if told.as_ref() != Some(&missing) {
                    tracing::warn!(missing = missing.join(", "), "waiting for the CustomResourceDefinitions; apply crds/");
                    told = Some(missing);
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot ask which objects are served"),
        }
        sleep(POLL).await;
    }
}

async fn missing(client: &Client) -> Result<Vec<&'static str>, Error> {
    let served = match client.list_api_group_resources(GROUP_VERSION).await {
        Ok(list) => list.resources,
        Err(Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(error) => return Err(error),
    };
    let is_served = |plural: &str| served.iter().any(|resource| resource.name == plural);
    Ok(PLURALS.into_iter().filter(|plural| !is_served(plural)).collect())
}

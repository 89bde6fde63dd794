//! The operator can do nothing before its four kinds of object are served; it waits for them and names those that are missing.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::Duration;

use kube::{Client, Error, Resource};
use tokio::time::sleep;

use super::Readiness;
use crate::api::{Bench, Tenant, TenantClaim, TenantPlan};

/// The API server's list of what it serves cannot be watched.
const POLL: Duration = Duration::from_secs(2);

type Plural = Cow<'static, str>;

fn plurals() -> [Plural; 4] {
    [Tenant::plural(&()), TenantPlan::plural(&()), Bench::plural(&()), TenantClaim::plural(&())]
}

/// What readiness calls them.
pub fn conditions() -> impl Iterator<Item = String> {
    plurals().into_iter().map(|plural| condition(&plural))
}

fn condition(plural: &str) -> String {
    format!("CustomResourceDefinition {plural}.{}", Tenant::group(&()))
}

/// Returns once all four are served.
pub async fn wait(client: &Client, readiness: &Readiness) {
    let mut told = None;
    loop {
        match missing(client).await {
            Ok(missing) => {
                for plural in plurals() {
                    readiness.set(&condition(&plural), !missing.contains(&plural));
                }
                if missing.is_empty() {
                    return;
                }
                if told.as_ref() != Some(&missing) {
                    tracing::warn!(missing = missing.join(", "), "waiting for the CustomResourceDefinitions; apply crds/");
                    told = Some(missing);
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn StdError, "cannot ask which objects are served"),
        }
        sleep(POLL).await;
    }
}

async fn missing(client: &Client) -> Result<Vec<Plural>, Error> {
    let served = match client.list_api_group_resources(&Tenant::api_version(&())).await {
        Ok(list) => list.resources,
        Err(Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(error) => return Err(error),
    };
    let is_served = |plural: &Plural| served.iter().any(|resource| resource.name == **plural);
    Ok(plurals().into_iter().filter(|plural| !is_served(plural)).collect())
}

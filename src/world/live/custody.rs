//! Secrets in custody that are found by the name of the Tenant that left them: its record may be lost.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::ListParams;

use super::Live;
use super::claims::bearing;
use super::shelves::bearer_of;
use crate::api::BenchRef;
use crate::core::identity;
use crate::core::names::{self, annotation, label};
use crate::core::subject::ObjectName;
use crate::world::Error;

impl Live {
    /// The Secrets in custody that bear a Tenant's name, in the namespace of a Bench. `cached`: as far as watches have told.
    pub async fn custodies(&self, tenant: &ObjectName, namespace: &str, cached: bool) -> Result<Vec<identity::Custody>, Error> {
        let shelf = if cached { self.shelves.secrets(namespace).await } else { None };
        let known = shelf.and_then(|shelf| shelf.of(bearer_of(tenant)));
        let found: Vec<Secret> = match known {
            Some(known) => known.into_iter().filter(|secret| secret.namespace().as_deref() == Some(namespace)).collect(),
            None => {
                let found = self.secrets(namespace).list(&ListParams::default().labels(&bearing(tenant))).await;
                found.map_err(|source| Error::cluster("list", "Secret", namespace, source))?.items
            }
        };
        let custody = |secret: Secret| {
            let label = |name: &str| secret.labels().get(name).cloned();
            let id = label(label::ID).filter(|id| secret.metadata.name.as_ref() == Some(&names::custody(id)))?;
            let bench = BenchRef { name: label(label::BENCH)?, namespace: namespace.to_owned() };
            let adopted = secret.annotations().contains_key(annotation::ADOPTED);
            let site = secret.annotations().get(annotation::SITE)?.clone();
            let numbers = secret.data.iter().flatten().filter_map(|(name, _)| names::pair_of(name));
            let serial = numbers.max().unwrap_or_default();
            Some(identity::Custody { id, bench, site, adopted, serial })
        };
        Ok(found.into_iter().filter_map(custody).collect())
    }
}

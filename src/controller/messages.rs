//! What the answering backend of a Bench says of its suspended tenants: their messages, by host, in a ConfigMap beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::ResourceExt;

use super::tenant::Reconciler;
use crate::api::{Bench, Tenant};
use crate::core::carried::Carried;
use crate::core::manifests::messages::{self, Messages};
use crate::core::subject::ObjectName;
use crate::world::error::Error;

/// The only Tenants whose hosts lead to the page with a message.
pub const IN_MAINTENANCE: &str = "spec.suspend.mode=Maintenance";

impl Reconciler {
    /// `carried`: the tenants that the Bench carries. Only who holds a host has a say over what it answers.
    pub(super) async fn say(&self, bench: &Bench, carried: &[Carried]) -> Result<(), Error> {
        let (name, namespace) = (bench.name_any(), bench.namespace().unwrap_or_default());
        let tenants = if carried.is_empty() { Arc::default() } else { self.in_maintenance().await? };
        let (wanted, left_out) = messages::config_map(&name, &namespace, &by_host(carried, &tenants));
        if left_out > 0 {
            tracing::warn!(bench = %name, %namespace, hosts = left_out, "no room for the messages of all suspended tenants: the rest says a general text");
        }
        self.ensure(&namespace, &wanted).await.map(drop)
    }
}

fn by_host(carried: &[Carried], tenants: &[Tenant]) -> Messages {
    let tenants: BTreeMap<ObjectName, &Tenant> = tenants.iter().map(|tenant| (ObjectName::of(tenant), tenant)).collect();
    let message = |one: &Carried| {
        let spec = tenants.get(&one.tenant).map(|tenant| &tenant.spec).filter(|spec| spec.subdomain == one.subdomain)?;
        let message = spec.suspend.as_ref()?.public_message.clone()?;
        Some([(one.hosts.frontend.clone(), message.clone()), (one.hosts.api.clone(), message)])
    };
    carried.iter().filter(|one| one.is_active()).filter_map(message).flatten().collect()
}

//! What the controllers' own watches keep: whoever they wake finds there what woke them, and need not list it. Before a watch has told
//! of all, the API server is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use kube::api::{Api, ListParams};
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};

use super::messages::IN_MAINTENANCE;
use super::tenant::Reconciler;
use crate::api::{Tenant, TenantPlan};
use crate::core::subject::ObjectName;
use crate::world::error::Error;

/// Tenants are read so many at a time: there may be ten thousand.
const PAGE: u32 = 500;

#[derive(Default)]
pub struct Known {
    pub tenants: Kept<Tenant>,
    /// The Tenants that are suspended for maintenance.
    pub closed: Kept<Tenant>,
    pub plans: Kept<TenantPlan>,
}

/// What one watch keeps, once it has begun.
pub struct Kept<K: Resource<DynamicType = ()> + Clone + 'static>(OnceLock<Store<K>>);

impl<K: Resource<DynamicType = ()> + Clone + 'static> Default for Kept<K> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Kept<K> {
    pub fn by(&self, store: Store<K>) {
        // Each watch begins once in a process.
        let _ = self.0.set(store);
    }

    fn all_told(&self) -> Option<&Store<K>> {
        self.0.get().filter(|store| store.wait_until_ready().now_or_never().is_some_and(|ready| ready.is_ok()))
    }
}

impl Reconciler {
    /// Those of them that are there.
    pub(super) async fn tenants(&self, names: impl Iterator<Item = &ObjectName>) -> Result<Vec<Arc<Tenant>>, Error> {
        match self.known.tenants.all_told() {
            Some(store) => {
                let named = |name: &ObjectName| ObjectRef::new(&name.name).within(&name.namespace);
                Ok(names.filter_map(|name| store.get(&named(name))).collect())
            }
            None => self.list_tenants("").await,
        }
    }

    pub(super) async fn in_maintenance(&self) -> Result<Vec<Arc<Tenant>>, Error> {
        match self.known.closed.all_told() {
            Some(store) => Ok(store.state()),
            None => self.list_tenants(IN_MAINTENANCE).await,
        }
    }

    pub(super) async fn plans(&self) -> Result<BTreeMap<String, TenantPlan>, Error> {
        let plans: Vec<TenantPlan> = match self.known.plans.all_told() {
            Some(store) => store.state().iter().map(|plan| TenantPlan::clone(plan)).collect(),
            None => {
                let plans = Api::<TenantPlan>::all(self.client.clone()).list(&ListParams::default()).await;
                plans.map_err(|source| Error::cluster("list", "TenantPlan", "all", source))?.items
            }
        };
        Ok(plans.into_iter().map(|plan| (plan.name_any(), plan)).collect())
    }

    /// Without those that can't be read.
    async fn list_tenants(&self, fields: &str) -> Result<Vec<Arc<Tenant>>, Error> {
        let api: Api<DeserializeGuard<Tenant>> = Api::all(self.client.clone());
        let (mut all, mut page) = (vec![], ListParams::default().limit(PAGE));
        if !fields.is_empty() {
            page = page.fields(fields);
        }
        loop {
            let list = api.list(&page).await.map_err(|source| Error::cluster("list", "Tenant", "all", source))?;
            all.extend(list.items.into_iter().filter_map(|tenant| tenant.0.ok()).map(Arc::new));
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(all),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector;
    use kube::runtime::watcher::Event;

    use super::*;

    #[test]
    fn nothing_is_known_before_the_watch_has_told_of_all() {
        let (store, mut writer) = reflector::store();
        let kept = Kept::default();
        assert!(kept.all_told().is_none());
        kept.by(store);
        writer.apply_watcher_event(&Event::Init);
        writer.apply_watcher_event(&Event::InitApply(TenantPlan::new("ferry", Default::default())));
        assert!(kept.all_told().is_none());
        writer.apply_watcher_event(&Event::InitDone);
        let names: Vec<_> = kept.all_told().expect("all of them").state().iter().map(|plan| plan.name_any()).collect();
        assert_eq!(names, ["ferry"]);
    }
}

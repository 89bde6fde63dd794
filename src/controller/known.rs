//! What reconciles read of Tenants and plans: from what watches keep. Before those have told of all, and where they are not sure of one,
//! the API server is asked.

use std::sync::Arc;

use kube::api::{Api, ListParams};
use kube::core::DeserializeGuard;

use super::messages::IN_MAINTENANCE;
use super::tenant::Reconciler;
use crate::api::{Tenant, TenantPlan};
use crate::core::subject::ObjectName;
use crate::world::error::Error;
use crate::world::live::pages::each;

impl Reconciler {
    pub(super) async fn tenant(&self, name: &ObjectName) -> Result<Option<Tenant>, Error> {
        self.live.shelves.tenants.warm().await;
        if let Some(known) = self.live.shelves.tenants.get(&name.namespace, &name.name) {
            return Ok(known);
        }
        let found = Api::<Tenant>::namespaced(self.client.clone(), &name.namespace).get_opt(&name.name).await;
        let found = found.map_err(|source| Error::cluster("get", "Tenant", &name.name, source))?;
        found.iter().for_each(|tenant| self.live.shelves.tenants.wrote(tenant));
        Ok(found)
    }

    /// None also for one that can't be read.
    pub(super) async fn legible_tenant(&self, name: &ObjectName) -> Result<Option<Tenant>, Error> {
        match self.tenant(name).await {
            Err(error) if error.is_illegible() => Ok(None),
            found => found,
        }
    }

    pub(super) async fn in_maintenance(&self) -> Result<Arc<Vec<Tenant>>, Error> {
        match self.live.shelves.closed.all() {
            Some(known) => Ok(known),
            None => self.list_in_maintenance().await.map(Arc::new),
        }
    }

    pub(super) async fn plans(&self) -> Result<Arc<Vec<TenantPlan>>, Error> {
        if let Some(known) = self.live.shelves.offers.all() {
            return Ok(known);
        }
        let plans = Api::<TenantPlan>::all(self.client.clone()).list(&ListParams::default()).await;
        Ok(Arc::new(plans.map_err(|source| Error::cluster("list", "TenantPlan", "all", source))?.items))
    }

    /// Without those that can't be read.
    async fn list_in_maintenance(&self) -> Result<Vec<Tenant>, Error> {
        let api: Api<DeserializeGuard<Tenant>> = Api::all(self.client.clone());
        let mut all = vec![];
        let listed = each(&api, ListParams::default().fields(IN_MAINTENANCE), |tenant| all.extend(tenant.0.ok())).await;
        listed.map_err(|source| Error::cluster("list", "Tenant", "all", source)).map(|()| all)
    }
}

//! The Tenants as the API server keeps them: generations, finalizers, and deletion that waits for them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tenant_operator::api::{DeletionPolicy, Phase, Tenant, TenantStatus};
use tenant_operator::core::names::FINALIZER;
use tenant_operator::core::subject::ObjectName;
use tenant_operator::world::Error;

use super::Outside;
use crate::guards::Guard;

#[derive(Default)]
pub struct Objects {
    pub tenants: BTreeMap<ObjectName, Tenant>,
    /// Each as it was before its last change.
    pub before: BTreeMap<ObjectName, Tenant>,
    /// Identities whose data may go for good, by the policy of their Tenant.
    pub given_up: BTreeSet<String>,
}

pub fn name_of(tenant: &Tenant) -> ObjectName {
    ObjectName {
        namespace: tenant.metadata.namespace.clone().unwrap_or_default(),
        name: tenant.metadata.name.clone().unwrap_or_default(),
    }
}

pub fn is_held(tenant: &Tenant) -> bool {
    tenant.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
}

impl Outside {
    pub fn apply_tenant(&mut self, tenant: Tenant) {
        self.say(|| format!("applied: {:?}", name_of(&tenant)));
        self.objects.before.remove(&name_of(&tenant));
        self.objects.tenants.insert(name_of(&tenant), tenant);
        self.stir();
    }

    /// As the operator's cache has it: it may be behind by a change, but never goes back. `known` is what the operator saw last.
    pub fn tenant(&mut self, name: &ObjectName, known: Option<&Tenant>) -> Option<Tenant> {
        let now = self.objects.tenants.get(name).cloned()?;
        let same = |before: &&Tenant| known.is_some_and(|known| known.spec == before.spec && known.metadata == before.metadata);
        let before = self.objects.before.get(name).filter(same).cloned();
        match before {
            Some(before) if self.strikes(self.faults.stale) => {
                self.say(|| "the Tenant is seen as it was before".to_owned());
                Some(before)
            }
            _ => Some(now),
        }
    }

    pub fn edit_tenant(&mut self, name: &ObjectName, edit: impl FnOnce(&mut Tenant)) {
        let Some(tenant) = self.objects.tenants.get_mut(name) else { return };
        self.objects.before.insert(name.clone(), tenant.clone());
        let before = tenant.spec.clone();
        edit(tenant);
        if tenant.spec != before {
            tenant.metadata.generation = tenant.metadata.generation.map(|generation| generation + 1);
        }
        self.note_policy(name);
        self.stir();
    }

    pub fn delete_tenant(&mut self, name: &ObjectName) {
        let now = Time(self.time());
        let Some(tenant) = self.objects.tenants.get_mut(name) else { return };
        self.objects.before.insert(name.clone(), tenant.clone());
        if is_held(tenant) {
            if tenant.metadata.deletion_timestamp.is_none() {
                tenant.metadata.deletion_timestamp = Some(now);
                tenant.metadata.generation = tenant.metadata.generation.map(|generation| generation + 1);
            }
        } else {
            self.objects.tenants.remove(name);
        }
        self.say(|| format!("deleted: {name:?}"));
        self.note_policy(name);
        self.stir();
    }

    /// The object is gone at once, whatever held it: a restored backup, or somebody in a hurry.
    pub fn lose_tenant(&mut self, name: &ObjectName) {
        self.say(|| format!("lost: {name:?}"));
        self.objects.tenants.remove(name);
        self.stir();
    }

    /// A tenant that is kept is beyond the policy of any later Tenant of its name.
    fn note_policy(&mut self, name: &ObjectName) {
        let Some(tenant) = self.objects.tenants.get(name).filter(|tenant| tenant.metadata.deletion_timestamp.is_some()) else {
            return;
        };
        let policy = tenant.spec.deletion_policy();
        let kept = |id: &&String| {
            let record = self.claims.values().filter(|claim| claim.holder.id == **id).find_map(|claim| claim.record.as_ref());
            record.is_some_and(|record| record.phase == Phase::Retained)
        };
        if policy == DeletionPolicy::Delete {
            let ids: Vec<String> = self.ids.get(name).into_iter().flatten().filter(|id| !kept(id)).cloned().collect();
            self.objects.given_up.extend(ids);
        }
    }

    /// Onto the version that was read only.
    pub fn hold(&mut self, name: &ObjectName, read: &Tenant) -> Result<(), Error> {
        self.about_to("the finalizer")?;
        if !self.guards(Guard::Finalizer) {
            return Ok(());
        }
        let same = |tenant: &Tenant| tenant.metadata == read.metadata && tenant.spec == read.spec;
        if !self.objects.tenants.get(name).is_some_and(same) {
            return Err(Error::Changed { kind: "Tenant", name: name.name.clone() });
        }
        if let Some(tenant) = self.objects.tenants.get_mut(name) {
            tenant.metadata.finalizers.get_or_insert_default().push(FINALIZER.to_owned());
        }
        self.stir_of(name);
        self.wrote(&format!("holds {name:?}"))
    }

    pub fn release(&mut self, name: &ObjectName) -> Result<(), Error> {
        self.about_to("the finalizer")?;
        self.objects.tenants.remove(name);
        self.stir();
        self.wrote(&format!("releases {name:?}"))
    }

    pub fn write_status(&mut self, name: &ObjectName, status: TenantStatus) -> Result<(), Error> {
        self.about_to("the status")?;
        if let Some(tenant) = self.objects.tenants.get_mut(name) {
            tenant.status = Some(status);
        }
        self.wrote(&format!("status of {name:?}"))
    }
}

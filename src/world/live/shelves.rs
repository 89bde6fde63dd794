//! Everything that watches have told of, by kind. See [`super::shelf`].

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DynamicObject, TypeMeta};
use kube::core::ObjectMeta;
use kube::{Client, Resource, ResourceExt};
use tokio::sync::mpsc;

use super::inputs::Inputs;
use super::shelf::{Form, Key, Shelf, key};
use super::watched::Secrets;
use crate::api::{Bench, BenchRef, Tenant, TenantClaim, TenantPlan};
use crate::core::manifests::Child;
use crate::core::manifests::foreign::{Certificate, HTTPRoute};
use crate::core::names::label;
use crate::core::subject::ObjectName;

pub struct Shelves {
    pub tenants: Shelf<Tenant>,
    pub benches: Shelf<Bench>,
    pub plans: Shelf<TenantPlan>,
    pub claims: Shelf<TenantClaim>,
    /// The plans as the Benches' own watch tells of them: whoever it wakes finds here what woke them.
    pub offers: Shelf<TenantPlan>,
    /// The Tenants that are suspended for maintenance, in the same way.
    pub closed: Shelf<Tenant>,
    pub jobs: Shelf<Job>,
    pub pods: Shelf<Pod>,
    pub ingresses: Shelf<DynamicObject>,
    pub http_routes: Shelf<DynamicObject>,
    pub certificates: Shelf<DynamicObject>,
    secrets: Secrets,
}

impl Default for Shelves {
    fn default() -> Self {
        Self {
            tenants: Shelf::new(Form { prune: prune_tenant, ..by_name() }),
            benches: Shelf::new(by_name()),
            plans: Shelf::new(by_name()),
            claims: Shelf::new(Form { prune: |_| {}, whose: bearer, group: bench }),
            offers: Shelf::new(by_name()),
            closed: Shelf::new(by_name()),
            jobs: Shelf::new(Form { prune: prune_job, whose: id, group: |_| None }),
            pods: Shelf::new(Form { prune: prune_pod, whose: id, group: |_| None }),
            ingresses: Shelf::new(Form { prune: name_kind::<Ingress>, ..by_name() }),
            http_routes: Shelf::new(Form { prune: name_kind::<HTTPRoute>, ..by_name() }),
            certificates: Shelf::new(Form { prune: name_kind::<Certificate>, ..by_name() }),
            secrets: Secrets::default(),
        }
    }
}

pub fn by_name<K>() -> Form<K> {
    Form { prune: |_| {}, whose: |_| None, group: |_| None }
}

impl Shelves {
    /// Waits until those that are filled by a watch can answer.
    pub async fn warm(&self) {
        tokio::join!(
            self.tenants.warm(),
            self.benches.warm(),
            self.plans.warm(),
            self.claims.warm(),
            self.jobs.warm(),
            self.pods.warm(),
            self.ingresses.warm(),
            self.http_routes.warm(),
            self.certificates.warm(),
        );
    }

    pub fn of(&self, child: &Child) -> &Shelf<DynamicObject> {
        match child {
            Child::Ingress(_) => &self.ingresses,
            Child::HttpRoute(_) => &self.http_routes,
            Child::Certificate(_) => &self.certificates,
        }
    }

    /// From now on Secrets are watched. The Tenants that one concerns come out where it changed.
    pub fn watch_secrets(&self, client: Client, everywhere: bool) -> mpsc::UnboundedReceiver<ObjectName> {
        self.secrets.watch(client, everywhere)
    }

    /// This process listens to watches, and may take a moment old for new.
    pub fn listen(&self) -> bool {
        self.secrets.are_watched()
    }

    /// The shelf with the tenants' own Secrets of a namespace; none where they are not watched.
    pub async fn secrets(&self, namespace: &str) -> Option<Arc<Shelf<Secret>>> {
        let shelf = self.secrets.of_tenants(namespace)?;
        shelf.warm().await;
        Some(shelf)
    }

    /// The shelf that says which other Secrets a namespace has, and in which version; none where they are not watched.
    pub async fn other_secrets(&self, namespace: &str) -> Option<Arc<Shelf<Secret>>> {
        let shelf = self.secrets.others(namespace)?;
        shelf.warm().await;
        Some(shelf)
    }

    pub fn inputs(&self) -> &Inputs {
        &self.secrets.inputs
    }

    /// The shelf with one Secret that a Bench names; none where it is not watched.
    pub async fn secret(&self, namespace: &str, name: &str) -> Option<Arc<Shelf<Secret>>> {
        let shelf = self.secrets.named(namespace, name)?;
        shelf.warm().await;
        Some(shelf)
    }
}

fn word<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(name).map(String::as_str)
}

/// The Tenant whose name an object bears.
pub fn tenant(meta: &ObjectMeta) -> Option<ObjectName> {
    let (namespace, name) = (word(meta, label::TENANT_NAMESPACE)?, word(meta, label::TENANT)?);
    Some(ObjectName { namespace: namespace.to_owned(), name: name.to_owned() })
}

pub fn bearer(meta: &ObjectMeta) -> Option<Key> {
    Some(key(&[word(meta, label::TENANT_NAMESPACE)?, word(meta, label::TENANT)?]))
}

pub fn bearer_of(tenant: &ObjectName) -> Key {
    key(&[&tenant.namespace, &tenant.name])
}

/// Of the claims of sites.
fn bench(meta: &ObjectMeta) -> Option<Key> {
    Some(key(&[word(meta, label::BENCH_NAMESPACE)?, word(meta, label::BENCH)?]))
}

pub fn bench_of(bench: &BenchRef) -> Key {
    key(&[&bench.namespace, &bench.name])
}

fn id(meta: &ObjectMeta) -> Option<Key> {
    Some(id_of(word(meta, label::ID)?))
}

pub fn id_of(id: &str) -> Key {
    key(&[id])
}

/// The objects of a list do not say what they are.
fn name_kind<K: Resource<DynamicType = ()>>(object: &mut DynamicObject) {
    object.types = Some(TypeMeta::resource::<K>());
}

/// kubectl's own copy of the spec.
fn prune_tenant(tenant: &mut Tenant) {
    tenant.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}

/// What a Job was made of is known from the tenant; of the Job only what became of it.
fn prune_job(job: &mut Job) {
    job.spec = None;
    if let Some(status) = &mut job.status {
        let conditions = status.conditions.take();
        *status = Default::default();
        status.conditions = conditions;
    }
}

fn prune_pod(pod: &mut Pod) {
    pod.spec = None;
    pod.annotations_mut().clear();
}

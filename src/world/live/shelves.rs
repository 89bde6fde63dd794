//! Everything that watches have told of, by kind. See [`super::shelf`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Api, DynamicObject, TypeMeta};
use kube::core::ObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource, ResourceExt};
use tokio::sync::mpsc;

use super::shelf::{Form, Shelf, key};
use crate::api::{Bench, BenchRef, Tenant, TenantClaim, TenantPlan};
use crate::core::manifests::Child;
use crate::core::manifests::foreign::{Certificate, HTTPRoute};
use crate::core::names::label;
use crate::core::subject::ObjectName;

pub struct Shelves {
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

fn by_name<K>() -> Form<K> {
    Form { prune: |_| {}, whose: |_| None, group: |_| None }
}

impl Shelves {
    /// Waits until those that are filled by a watch can answer.
    pub async fn warm(&self) {
        tokio::join!(
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

    /// From now on the Secrets that carry a tenant's id are watched: in all namespaces at once, or in each that is asked for. The
    /// names of their tenants come out where one changed.
    pub fn watch_secrets(&self, client: Client, everywhere: bool) -> mpsc::UnboundedReceiver<ObjectName> {
        let (news, heard) = mpsc::unbounded_channel();
        let watch = Watch { client, everywhere, news };
        *self.secrets.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        heard
    }

    /// This process listens to watches, and may take a moment old for new.
    pub fn listen(&self) -> bool {
        self.secrets.watch.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The shelf with the tenants' own Secrets of a namespace; none where they are not watched.
    pub async fn secrets(&self, namespace: &str) -> Option<Arc<Shelf<Secret>>> {
        let shelf = self.secrets.at(namespace)?;
        shelf.warm().await;
        Some(shelf)
    }
}

/// A namespace's Secrets are watched from the first time on that one of them is wanted: where they may be read is said namespace by
/// namespace.
#[derive(Default)]
struct Secrets {
    shelves: Mutex<HashMap<String, Arc<Shelf<Secret>>>>,
    watch: Mutex<Option<Watch>>,
}

#[derive(Clone)]
struct Watch {
    client: Client,
    everywhere: bool,
    news: mpsc::UnboundedSender<ObjectName>,
}

impl Secrets {
    fn at(&self, namespace: &str) -> Option<Arc<Shelf<Secret>>> {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let place = if watch.everywhere { "" } else { namespace };
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = shelves.get(place) {
            return Some(shelf.clone());
        }
        let shelf = Arc::new(Shelf::new(Form { prune: prune_secret, whose: bearer, group: |_| None }));
        shelf.feed();
        shelves.insert(place.to_owned(), shelf.clone());
        tokio::spawn(watch.fill(shelf.clone(), place.to_owned()));
        Some(shelf)
    }
}

/// After so long it is asked again whether Secrets may be watched.
const DENIED: Duration = Duration::from_secs(60);

impl Watch {
    async fn fill(self, shelf: Arc<Shelf<Secret>>, place: String) {
        loop {
            let api: Api<Secret> =
                if place.is_empty() { Api::all(self.client.clone()) } else { Api::namespaced(self.client.clone(), &place) };
            let mut events = watcher(api, watcher::Config::default().labels(label::ID)).default_backoff().boxed();
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => self.pass_on(&shelf, &event),
                    Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error))
                        if is_denied(&error) =>
                    {
                        tracing::warn!(namespace = place, %error, "Secrets can't be watched: each is read whenever it is needed");
                        break;
                    }
                    // What is there stays as it is until the watch goes on.
                    Err(error) => tracing::debug!(namespace = place, %error, "the watch of Secrets broke off and begins anew"),
                }
            }
            shelf.lose();
            tokio::time::sleep(DENIED).await;
        }
    }

    fn pass_on(&self, shelf: &Shelf<Secret>, event: &watcher::Event<Secret>) {
        use watcher::Event;
        let news = shelf.hear(event);
        let (Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) = event else { return };
        if let Some(tenant) = tenant(&secret.metadata).filter(|_| news) {
            // Nobody listens any more while the process ends.
            let _ = self.news.send(tenant);
        }
    }
}

fn is_denied(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403))
}

fn word<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(name).map(String::as_str)
}

/// The Tenant whose name an object bears.
pub fn tenant(meta: &ObjectMeta) -> Option<ObjectName> {
    let (namespace, name) = (word(meta, label::TENANT_NAMESPACE)?, word(meta, label::TENANT)?);
    Some(ObjectName { namespace: namespace.to_owned(), name: name.to_owned() })
}

fn bearer(meta: &ObjectMeta) -> Option<u64> {
    Some(key(&[word(meta, label::TENANT_NAMESPACE)?, word(meta, label::TENANT)?]))
}

pub fn bearer_of(tenant: &ObjectName) -> u64 {
    key(&[&tenant.namespace, &tenant.name])
}

/// Of the claims of sites.
fn bench(meta: &ObjectMeta) -> Option<u64> {
    Some(key(&[word(meta, label::BENCH_NAMESPACE)?, word(meta, label::BENCH)?]))
}

pub fn bench_of(bench: &BenchRef) -> u64 {
    key(&[&bench.namespace, &bench.name])
}

fn id(meta: &ObjectMeta) -> Option<u64> {
    Some(id_of(word(meta, label::ID)?))
}

pub fn id_of(id: &str) -> u64 {
    key(&[id])
}

/// The objects of a list do not say what they are.
fn name_kind<K: Resource<DynamicType = ()>>(object: &mut DynamicObject) {
    object.types = Some(TypeMeta::resource::<K>());
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

/// The key of a certificate is the edge's, and only whether it is there concerns us.
fn prune_secret(secret: &mut Secret) {
    if secret.type_.as_deref() == Some("kubernetes.io/tls") {
        secret.data = None;
    }
}

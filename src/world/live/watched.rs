//! Secrets are watched from the first time on that one of them is wanted: where they may be read is said namespace by namespace.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PartialObjectMeta};
use kube::core::{NamespaceResourceScope, ObjectMeta};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::inputs::Inputs;
use super::shelf::{Form, Shelf};
use super::shelves::{bearer, by_name, tenant};
use super::streamed::streamed;
use crate::core::names::label;
use crate::core::subject::ObjectName;

/// After so long it is asked again whether Secrets may be watched.
const DENIED: Duration = Duration::from_secs(60);
/// One that a Bench names is watched no longer than it was wanted within this time.
const UNUSED: Duration = Duration::from_secs(3600);

#[derive(Default)]
pub struct Secrets {
    stands: Stands,
    watch: Mutex<Option<Watch>>,
    /// What tenants' specs name of the others.
    pub inputs: Arc<Inputs>,
}

type Stands = Arc<Mutex<HashMap<Which, Arc<Stand>>>>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Which {
    /// All that carry a tenant's id: in a namespace, or everywhere.
    Tenants(Option<String>),
    /// What a namespace, or every one, has besides: only that they are there, and in which version.
    Others(Option<String>),
    /// One, by namespace and name.
    Named(String, String),
}

struct Stand {
    shelf: Arc<Shelf<Secret>>,
    wanted: AtomicBool,
}

#[derive(Clone)]
struct Watch {
    client: Client,
    everywhere: bool,
    news: mpsc::UnboundedSender<ObjectName>,
    inputs: Arc<Inputs>,
}

impl Secrets {
    /// From now on they are watched, those of tenants in all namespaces at once or in each that is asked for. The names of their
    /// tenants come out where one changed.
    pub fn watch(&self, client: Client, everywhere: bool) -> mpsc::UnboundedReceiver<ObjectName> {
        let (news, heard) = mpsc::unbounded_channel();
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Watch { client, everywhere, news, inputs: self.inputs.clone() });
        heard
    }

    pub fn are_watched(&self) -> bool {
        self.watching().is_some()
    }

    fn watching(&self) -> Option<Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The tenants' own of a namespace; none where they are not watched.
    pub fn of_tenants(&self, namespace: &str) -> Option<Arc<Shelf<Secret>>> {
        let watch = self.watching()?;
        let place = (!watch.everywhere).then(|| namespace.to_owned());
        let form = || Form { prune: without_tls_key, whose: bearer, group: |_| None };
        Some(self.at(watch, Which::Tenants(place), form))
    }

    /// Which others there are in a namespace: without what they hold.
    pub fn others(&self, namespace: &str) -> Option<Arc<Shelf<Secret>>> {
        let watch = self.watching()?;
        let place = (!watch.everywhere).then(|| namespace.to_owned());
        Some(self.at(watch, Which::Others(place), || Form { prune: only_version, ..by_name() }))
    }

    /// One that a Bench names.
    pub fn named(&self, namespace: &str, name: &str) -> Option<Arc<Shelf<Secret>>> {
        let form = || Form { prune: without_private_key, ..by_name() };
        Some(self.at(self.watching()?, Which::Named(namespace.to_owned(), name.to_owned()), form))
    }

    fn at(&self, watch: Watch, which: Which, form: impl FnOnce() -> Form<Secret>) -> Arc<Shelf<Secret>> {
        let mut stands = self.stands.lock().unwrap_or_else(PoisonError::into_inner);
        let stand = stands.entry(which.clone()).or_insert_with(|| {
            let stand = Arc::new(Stand { shelf: Arc::new(Shelf::new(form())), wanted: AtomicBool::new(true) });
            stand.shelf.feed();
            tokio::spawn(watch.fill(stand.clone(), which, self.stands.clone()));
            stand
        });
        stand.wanted.store(true, Ordering::Relaxed);
        stand.shelf.clone()
    }
}

type Events = BoxStream<'static, watcher::Result<Event<Secret>>>;

impl Which {
    fn api<K>(&self, client: Client) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match self {
            Self::Tenants(None) | Self::Others(None) => Api::all(client),
            Self::Tenants(Some(namespace)) | Self::Others(Some(namespace)) | Self::Named(namespace, _) => {
                Api::namespaced(client, namespace)
            }
        }
    }

    fn events(&self, client: Client) -> Events {
        let config = watcher::Config::default();
        match self {
            Self::Tenants(_) => streamed(self.api(client), config.labels(label::ID)).default_backoff().boxed(),
            Self::Others(_) => {
                let api: Api<PartialObjectMeta<Secret>> = self.api(client);
                streamed(api, config.labels(&format!("!{}", label::ID))).default_backoff().map_ok(bare).boxed()
            }
            Self::Named(_, name) => {
                streamed(self.api(client), config.fields(&format!("metadata.name={name}"))).default_backoff().boxed()
            }
        }
    }

    /// True for what was not wanted since this was asked last, and is watched no more.
    fn leaves(&self, stand: &Stand, stands: &Stands) -> bool {
        // Whoever wants it meanwhile waits for its turn, and finds another.
        let mut stands = stands.lock().unwrap_or_else(PoisonError::into_inner);
        let leaves = matches!(self, Self::Named(..)) && !stand.wanted.swap(false, Ordering::Relaxed);
        if leaves {
            stands.remove(self);
        }
        leaves
    }
}

impl Watch {
    async fn fill(self, stand: Arc<Stand>, which: Which, stands: Stands) {
        let mut due = Instant::now() + UNUSED;
        loop {
            let mut events = which.events(self.client.clone());
            loop {
                match timeout_at(due, events.next()).await {
                    Ok(Some(Ok(event))) => self.pass_on(&stand.shelf, &event),
                    Ok(Some(Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error))))
                        if is_denied(&error) =>
                    {
                        tracing::warn!(?which, %error, "Secrets can't be watched: each is read whenever it is needed");
                        break;
                    }
                    Ok(Some(Err(error))) => {
                        tracing::debug!(?which, %error, "the watch of Secrets broke off and begins anew");
                        if matches!(error, watcher::Error::InitialListFailed(_)) {
                            stand.shelf.lose();
                        }
                    }
                    Ok(None) => break,
                    Err(_) if which.leaves(&stand, &stands) => return,
                    Err(_) => due += UNUSED,
                }
            }
            stand.shelf.lose();
            tokio::time::sleep(DENIED).await;
            if which.leaves(&stand, &stands) {
                return;
            }
        }
    }

    fn pass_on(&self, shelf: &Shelf<Secret>, event: &Event<Secret>) {
        let news = shelf.hear(event);
        let (Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) = event else { return };
        if news {
            let (bearer, users) = (tenant(&secret.metadata), self.inputs.users(&secret.metadata));
            // Nobody listens any more while the process ends.
            bearer.into_iter().chain(users).for_each(|tenant| drop(self.news.send(tenant)));
        }
    }
}

fn is_denied(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403))
}

fn bare(event: Event<PartialObjectMeta<Secret>>) -> Event<Secret> {
    let secret = |found: PartialObjectMeta<Secret>| Secret { metadata: found.metadata, ..Default::default() };
    match event {
        Event::Apply(found) => Event::Apply(secret(found)),
        Event::InitApply(found) => Event::InitApply(secret(found)),
        Event::Delete(found) => Event::Delete(secret(found)),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    }
}

fn only_version(secret: &mut Secret) {
    let meta = std::mem::take(&mut secret.metadata);
    *secret = Secret::default();
    secret.metadata = ObjectMeta {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        resource_version: meta.resource_version,
        ..Default::default()
    };
}

/// An authority may be named by the Secret of its certificate.
fn without_private_key(secret: &mut Secret) {
    secret.data.get_or_insert_default().remove("tls.key");
}

/// The key of a certificate is the edge's, and only whether it is there concerns us.
fn without_tls_key(secret: &mut Secret) {
    if secret.type_.as_deref() == Some("kubernetes.io/tls") {
        secret.data = None;
    }
}

//! What wakes a reconcile: the objects themselves, their children (by labels, since nothing has an owner reference), their Bench's
//! spec, a free slot at the gate, and their turn to follow their plan.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ApiResource, PartialObjectMeta};
use kube::runtime::controller::{Action, Config as ControllerConfig, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Resource, ResourceExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::news::{child, gathered, readable, readable_some, told};
use super::seed::{self, Seed};
use super::tenant::Reconciler;
use super::{Error, bench, messages, plan};
use crate::api::{Bench, BenchRef, Differing, Tenant, TenantClaim, TenantPlan};
use crate::core::manifests::foreign::{Certificate, HTTPRoute};
use crate::core::names::label;
use crate::core::pace;
use crate::core::subject::ObjectName;
use crate::core::{inspection, templates};

/// Of many changes to one object within this time one reconcile is made.
const DEBOUNCE: Duration = Duration::from_millis(20);

const CHANGED: Duration = Duration::from_secs(1);
const FAILED: Duration = Duration::from_secs(10);

/// The Tenants' controller, and when its cache has seen them all.
pub struct Tenants {
    pub work: BoxStream<'static, ()>,
    pub warm: BoxFuture<'static, bool>,
}

pub async fn tenants(
    here: &Arc<Reconciler>,
    woken: impl Stream<Item = ObjectName> + Send + 'static,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) -> Result<Tenants, Error> {
    let client = here.client.clone();
    let (store, mut writer) = reflector::store();
    let events = readable::<Tenant>(Api::all(client.clone()), Some((here, |shelves| &shelves.tenants))).inspect(news(here));
    let events = events.inspect_ok(move |event| writer.apply_watcher_event(&Seed::event(event)));
    let tenants = events.applied_objects().predicate_filter(changed, Default::default()).map_ok(|tenant| Seed::of(&tenant));
    let config = ControllerConfig::default().concurrency(here.settings.concurrency).debounce(DEBOUNCE);
    let mut controller = Controller::for_stream(tenants, store.clone())
        .with_config(config)
        .watches_stream(told(here, Api::<Job>::all(client.clone()), ours(), |shelves| &shelves.jobs), owner)
        .watches_stream(told(here, Api::<Pod>::all(client.clone()), steps(), |shelves| &shelves.pods), owner)
        .watches_stream(
            readable::<Bench>(Api::all(client.clone()), Some((here, |shelves| &shelves.benches))).touched_objects(),
            of_bench(&store),
        )
        .watches_stream_with(child::<Ingress>(here, |shelves| &shelves.ingresses), owner, ApiResource::erase::<Ingress>(&()))
        .reconcile_on(woken.map(|name| ObjectRef::new(&name.name).within(&name.namespace)))
        .graceful_shutdown_on(stop);
    if serves::<Certificate>(here).await? {
        let certificates = child::<Certificate>(here, |shelves| &shelves.certificates);
        controller = controller.watches_stream_with(certificates, owner, ApiResource::erase::<Certificate>(&()));
    }
    if serves::<HTTPRoute>(here).await? {
        let routes = child::<HTTPRoute>(here, |shelves| &shelves.http_routes);
        controller = controller.watches_stream_with(routes, owner, ApiResource::erase::<HTTPRoute>(&()));
    }
    let work = controller.run(seed::reconcile, failed, here.clone()).map(|result| note("tenant", result.map(drop))).boxed();
    let warm = async move { store.wait_until_ready().await.is_ok() };
    Ok(Tenants { work, warm: warm.boxed() })
}

pub fn benches(here: &Arc<Reconciler>, stop: impl Future<Output = ()> + Send + Sync + 'static) -> BoxStream<'static, ()> {
    let client = here.client.clone();
    let claims = readable::<TenantClaim>(Api::all(client.clone()), Some((here, |shelves| &shelves.claims))).touched_objects();
    let (touched, touching) = mpsc::unbounded_channel();
    let (store, writer) = reflector::store();
    let events = readable::<Bench>(Api::all(client), None);
    let benches = events.reflect(writer).applied_objects().predicate_filter(changed, Default::default());
    let (of_pod, of_plans) = (store.clone(), store.clone());
    let pods = watcher(children::<Deployment>(here), watcher::Config::default()).default_backoff();
    let plans = readable::<TenantPlan>(Api::all(here.client.clone()), Some((here, |shelves| &shelves.offers)));
    let closed = watcher::Config::default().fields(messages::IN_MAINTENANCE);
    let closed = readable_some::<Tenant>(Api::all(here.client.clone()), closed, Some((here, |shelves| &shelves.closed)));
    Controller::for_stream(benches, store)
        .with_config(ControllerConfig::default().concurrency(2).debounce(Duration::from_secs(1)))
        .watches(children::<Deployment>(here), ours(), of_its_bench)
        .watches(children::<Job>(here), inspections(), of_its_bench)
        // Templates are made for an image, and for the apps of plans.
        .watches_stream(pods.touched_objects().predicate_filter(changed, Default::default()), move |pod| copying(&of_pod, &pod))
        .watches_stream(plans.touched_objects().predicate_filter(changed, Default::default()), move |_| {
            find(&of_plans, |bench: &Bench| bench.spec.templates.as_ref().is_some_and(|templates| templates.enabled))
        })
        .watches_stream(claims, move |claim| {
            // Nobody listens any more while the process ends.
            let _ = carrier(&claim).map(|bench| touched.send(bench));
            None
        })
        .reconcile_on(gathered(touching))
        .watches_stream(closed.touched_objects(), |tenant| {
            let at = tenant.status.and_then(|status| status.bench)?;
            Some(ObjectRef::new(&at.name).within(&at.namespace))
        })
        .graceful_shutdown_on(stop)
        .run(bench::reconcile, failed, here.clone())
        .map(|result| note("bench", result.map(drop)))
        .boxed()
}

/// The plans' controller: it also tells the turns that a plan was changed, and they wake the tenants, a few at a time.
pub fn plans(
    here: &Arc<Reconciler>,
    news: mpsc::UnboundedReceiver<String>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) -> BoxStream<'static, ()> {
    let (store, writer) = reflector::store();
    let events = readable::<TenantPlan>(Api::all(here.client.clone()), Some((here, |shelves| &shelves.plans)));
    let plans = events.reflect(writer).applied_objects().predicate_filter(changed, Default::default());
    Controller::for_stream(plans, store)
        .with_config(ControllerConfig::default().concurrency(2).debounce(Duration::from_secs(1)))
        .reconcile_on(UnboundedReceiverStream::new(news).map(|name| ObjectRef::new(&name)))
        .graceful_shutdown_on(stop)
        .run(plan::reconcile, failed, here.clone())
        .map(|result| note("plan", result.map(drop)))
        .boxed()
}

/// What gate and turns have to know of a Tenant at once: that it is there, which plan it names, that it is gone.
fn news(here: &Arc<Reconciler>) -> impl FnMut(&watcher::Result<watcher::Event<Tenant>>) + Send + 'static {
    use watcher::Event;
    let here = here.clone();
    let mut there = BTreeSet::new();
    move |event| {
        let now = Timestamp::now();
        match event {
            Ok(Event::Init) => there.clear(),
            Ok(Event::InitApply(tenant)) => {
                there.insert(ObjectName::of(tenant));
                here.hear_of(tenant);
            }
            Ok(Event::InitDone) => {
                let there = std::mem::take(&mut there);
                here.gate().only(&there);
                here.placements.only(&there);
                here.live.shelves.inputs().only(&there);
                here.turns.only(&there, now);
            }
            Ok(Event::Apply(tenant)) => here.turns.named(tenant, now),
            Ok(Event::Delete(tenant)) => {
                here.gate().gone(&ObjectName::of(tenant));
                here.placements.release(&ObjectName::of(tenant));
                here.live.shelves.inputs().forget(&ObjectName::of(tenant));
                here.turns.gone(&ObjectName::of(tenant), now);
            }
            Err(_) => {}
        }
    }
}

/// What makes an object worth another look; its status, which we write ourselves, does not. The uid is part of it: an object
/// deleted and made again has the same generation.
fn changed<K: Resource>(object: &K) -> Option<u64> {
    let meta = object.meta();
    let mut hash = DefaultHasher::new();
    (&meta.uid, meta.generation, &meta.annotations, &meta.finalizers, meta.deletion_timestamp.is_some()).hash(&mut hash);
    Some(hash.finish())
}

fn children<K: Resource<DynamicType = ()>>(here: &Reconciler) -> Api<PartialObjectMeta<K>> {
    Api::all(here.client.clone())
}

pub(super) fn ours() -> watcher::Config {
    watcher::Config::default().labels(label::BENCH)
}

/// The Jobs that compare all sites of a Bench with what they should be, and those that make its templates.
fn inspections() -> watcher::Config {
    watcher::Config::default().labels(&format!("{} in ({},{})", label::STEP, inspection::STEP, templates::STEP))
}

/// The Benches whose Jobs are made after the pod of a Deployment.
fn copying<K: Resource<DynamicType = ()>>(benches: &Store<Bench>, pod: &K) -> Vec<ObjectRef<Bench>> {
    find(benches, |bench| {
        let from = bench.spec.jobs.pod_from.as_ref().map(|from| &from.deployment);
        from == pod.meta().name.as_ref() && bench.metadata.namespace == pod.meta().namespace
    })
}

/// The Bench that a site is on.
fn carrier(claim: &TenantClaim) -> Option<ObjectRef<Bench>> {
    Some(ObjectRef::new(claim.labels().get(label::BENCH)?).within(claim.labels().get(label::BENCH_NAMESPACE)?))
}

fn of_its_bench<K: Resource>(child: K) -> Option<ObjectRef<Bench>> {
    let meta = child.meta();
    let bench = meta.labels.as_ref()?.get(label::BENCH)?;
    Some(ObjectRef::new(bench).within(meta.namespace.as_deref().unwrap_or_default()))
}

/// Pods of our Jobs: the end of an init container changes no Job.
fn steps() -> watcher::Config {
    watcher::Config::default().labels(label::STEP)
}

fn owner<K: Resource>(child: K) -> Option<ObjectRef<Seed>> {
    let labels = child.meta().labels.as_ref()?;
    Some(ObjectRef::new(labels.get(label::TENANT)?).within(labels.get(label::TENANT_NAMESPACE)?))
}

/// Those that wait for a place; and its own tenants, but only when its spec was changed or it leaves: its status says how many there
/// are, which concerns none of them.
fn of_bench(tenants: &Store<Seed>) -> impl Fn(Bench) -> Vec<ObjectRef<Seed>> + Send + Sync + 'static {
    let tenants = tenants.clone();
    let known: Mutex<HashMap<BenchRef, String>> = Mutex::default();
    move |bench| {
        let (at, meta) = (crate::core::place::reference(&bench), &bench.metadata);
        let now = format!("{:?} {:?} {}", meta.uid, meta.generation, meta.deletion_timestamp.is_some());
        let before = known.lock().unwrap_or_else(PoisonError::into_inner).insert(at.clone(), now.clone());
        let other = before != Some(now);
        let ids = bench.status.map(|status| status.differing).unwrap_or_default();
        find(&tenants, |tenant| {
            let placed = tenant.bench.as_ref();
            placed.is_none_or(|placed| *placed == at && (other || differs(tenant, &ids)))
        })
    }
}

/// Its site was found different by the Bench's last inspection: nothing else about it has changed that a watch could tell.
fn differs(tenant: &Seed, ids: &[Differing]) -> bool {
    tenant.id.as_ref().is_some_and(|id| ids.iter().any(|entry| entry.id == *id))
}

fn find<K>(store: &Store<K>, matches: impl Fn(&K) -> bool) -> Vec<ObjectRef<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store.state().iter().filter(|object| matches(object)).map(|object| ObjectRef::from_obj(object.as_ref())).collect()
}

/// Whether the cluster has this kind: a Bench may do without cert-manager or without the Gateway API.
async fn serves<K: Resource<DynamicType = ()>>(here: &Reconciler) -> Result<bool, Error> {
    let group = K::group(&()).to_string();
    match here.client.list_api_group_resources(&format!("{group}/{}", K::version(&()))).await {
        Ok(list) => Ok(list.resources.iter().any(|resource| resource.kind == K::kind(&()))),
        // By its code: an unknown group is answered with a line of text, which has no reason.
        Err(kube::Error::Api(status)) if status.code == 404 => {
            tracing::info!(group, kind = %K::kind(&()), "not served by this cluster: Benches that use it will say so");
            Ok(false)
        }
        Err(source) => Err(Error::Discovery(Box::new(source))),
    }
}

fn failed<K: Resource>(object: Arc<K>, error: &crate::world::Error, _here: Arc<Reconciler>) -> Action {
    let name = object.meta().name.clone().unwrap_or_default();
    // Somebody else wrote at the same time, or the watch is behind our own write: no fault, and soon over.
    let pause = if matches!(error, crate::world::Error::Changed { .. }) { CHANGED } else { FAILED };
    tracing::warn!(%name, %error, "a reconcile failed; it is tried again");
    Action::requeue(pace::spread(pause, &name))
}

fn note<E: Debug>(controller: &'static str, result: Result<(), E>) {
    if let Err(error) = result {
        tracing::debug!(controller, ?error, "reconcile");
    }
}

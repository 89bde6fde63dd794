//! The streams that watches are: without what can't be read, onto the shelves, and no more often than is of use.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::ready;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kube::Resource;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::{DeserializeGuard, ObjectMeta};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{WatchStreamExt, watcher};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::tenant::Reconciler;
use crate::api::Bench;
use crate::world::live::shelf::Shelf;
use crate::world::live::shelves::Shelves;
use crate::world::live::streamed::streamed;

/// A Bench counts its tenants this often while they come and go.
const GATHERING: Duration = Duration::from_secs(5);

/// What can be kept on a shelf.
pub trait Kept: Resource + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<K: Resource + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static> Kept for K {}

pub type OnShelf<K> = fn(&Shelves) -> &Shelf<K>;

/// The watch of tenants' children, without what is no news: our own writes.
pub fn told<K: Kept>(
    here: &Arc<Reconciler>,
    api: Api<K>,
    of: watcher::Config,
    shelf: OnShelf<K>,
) -> BoxStream<'static, watcher::Result<K>> {
    let here = here.clone();
    shelf(&here.live.shelves).feed();
    let news = move |event: &watcher::Result<watcher::Event<K>>| ready(hear(shelf(&here.live.shelves), event));
    streamed(api, of).default_backoff().filter(news).touched_objects().boxed()
}

/// Onto the shelf before anybody is woken by it. Whether it is news.
fn hear<K: Kept>(shelf: &Shelf<K>, event: &watcher::Result<watcher::Event<K>>) -> bool {
    match event {
        Ok(event) => shelf.hear(event),
        Err(watcher::Error::InitialListFailed(_)) => {
            shelf.lose();
            true
        }
        Err(_) => true,
    }
}

/// The same of a kind that is only compared with what it should be.
pub fn child<K: Resource<DynamicType = ()>>(
    here: &Arc<Reconciler>,
    shelf: OnShelf<DynamicObject>,
) -> BoxStream<'static, watcher::Result<DynamicObject>> {
    told(here, Api::all_with(here.client.clone(), &ApiResource::erase::<K>(&())), super::watches::ours(), shelf)
}

/// The watch of a kind, without objects that can't be read: one of them must not stop it for all. Onto a shelf goes that they are there.
pub fn readable<K>(
    api: Api<DeserializeGuard<K>>,
    keep: Option<(&Arc<Reconciler>, OnShelf<K>)>,
) -> BoxStream<'static, watcher::Result<watcher::Event<K>>>
where
    K: Kept + Resource<DynamicType = ()>,
{
    readable_some(api, watcher::Config::default(), keep)
}

/// The same of some of a kind.
pub fn readable_some<K>(
    api: Api<DeserializeGuard<K>>,
    of: watcher::Config,
    keep: Option<(&Arc<Reconciler>, OnShelf<K>)>,
) -> BoxStream<'static, watcher::Result<watcher::Event<K>>>
where
    K: Kept + Resource<DynamicType = ()>,
{
    let keep = keep.map(|(here, shelf)| (here.clone(), shelf));
    if let Some((here, shelf)) = &keep {
        shelf(&here.live.shelves).feed();
    }
    let events = streamed(api, of).default_backoff();
    let events = events.filter_map(move |event| {
        let shelf = keep.as_ref().map(|(here, shelf)| shelf(&here.live.shelves));
        let event = legible(event, shelf);
        if let (Some(shelf), Some(event)) = (shelf, &event) {
            hear(shelf, event);
        }
        ready(event)
    });
    events.boxed()
}

fn legible<K: Kept + Resource<DynamicType = ()>>(
    event: watcher::Result<watcher::Event<DeserializeGuard<K>>>,
    shelf: Option<&Shelf<K>>,
) -> Option<watcher::Result<watcher::Event<K>>> {
    use watcher::Event;
    let read = |object: DeserializeGuard<K>, becomes: fn(&Shelf<K>, &ObjectMeta)| {
        let problem = match object.0 {
            Ok(mut object) => {
                // Who has set which field takes more room than all the rest, and nobody reads it.
                object.meta_mut().managed_fields = None;
                return Some(object);
            }
            Err(problem) => problem,
        };
        tracing::error!(kind = %K::kind(&()), %problem, "an object can't be read and is left alone");
        shelf.iter().for_each(|shelf| becomes(shelf, &problem.metadata));
        None
    };
    match event {
        Ok(Event::Apply(object)) => read(object, Shelf::illegible).map(|object| Ok(Event::Apply(object))),
        Ok(Event::InitApply(object)) => read(object, Shelf::illegible).map(|object| Ok(Event::InitApply(object))),
        Ok(Event::Delete(object)) => read(object, Shelf::ended).map(|object| Ok(Event::Delete(object))),
        Ok(Event::Init) => Some(Ok(Event::Init)),
        Ok(Event::InitDone) => Some(Ok(Event::InitDone)),
        Err(error) => Some(Err(error)),
    }
}

/// Each Bench at once, but none again before a while: a thousand claims are counted as easily as one.
pub fn gathered(touched: mpsc::UnboundedReceiver<ObjectRef<Bench>>) -> impl Stream<Item = ObjectRef<Bench>> + Send {
    let rounds = futures::stream::unfold((touched, Instant::now()), |(mut touched, next)| async move {
        let first = touched.recv().await?;
        sleep_until(next).await;
        let mut all = HashSet::from([first]);
        while let Ok(another) = touched.try_recv() {
            all.insert(another);
        }
        Some((futures::stream::iter(all), (touched, Instant::now() + GATHERING)))
    });
    rounds.flatten()
}

//! What a watch has told of one kind of object, kept small, and found by name, by whose it is and by its Bench. Our own writes are
//! put here at once, so that a pass sees what it has done before the watch tells of it.
//!
//! Where it cannot answer for sure (not filled yet, or something was written whose outcome it does not know) it says so, and the API
//! server is asked. What is decided on it may be a moment old; whatever is written then is refused by the API server if it was.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use kube::Resource;
use kube::core::ObjectMeta;
use kube::runtime::watcher::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// A list of everything takes no longer; until then it can be asked for one by one.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a kind is kept.
pub struct Form<K> {
    /// Takes away what nobody reads.
    pub prune: fn(&mut K),
    /// By what it is found besides its name.
    pub whose: fn(&ObjectMeta) -> Option<u64>,
    pub group: fn(&ObjectMeta) -> Option<u64>,
}

pub struct Shelf<K> {
    form: Form<K>,
    state: RwLock<State>,
    filled: watch::Sender<Fill>,
    /// Since when a watch fills it.
    fed: OnceLock<Instant>,
    /// All there was after so many changes.
    whole: Mutex<Option<Whole<K>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Coming,
    /// Every object there was at some time has been told of.
    Whole,
    /// The watch can't list them.
    Lost,
}

type Whole<K> = (u64, Arc<Vec<K>>);

#[derive(Default)]
struct State {
    changes: u64,
    /// By namespace and name.
    kept: HashMap<Arc<str>, Entry>,
    whose: HashMap<u64, Vec<Arc<str>>>,
    /// What a list that is under way has told of already.
    coming: Option<HashSet<Arc<str>>>,
}

struct Entry {
    version: u64,
    whose: Option<u64>,
    group: Option<u64>,
    body: Body,
}

enum Body {
    /// As JSON: a tenth of what it takes in memory otherwise.
    There(Box<[u8]>),
    Gone,
    /// Something was written, and it is not known what came of it.
    Unsure,
}

/// A hash of several words, to find things by.
pub fn key(words: &[&str]) -> u64 {
    let mut hash = DefaultHasher::new();
    words.hash(&mut hash);
    hash.finish()
}

impl<K> Shelf<K>
where
    K: Resource + Serialize + DeserializeOwned + Clone,
{
    pub fn new(form: Form<K>) -> Self {
        Self {
            form,
            state: RwLock::default(),
            filled: watch::channel(Fill::Coming).0,
            fed: OnceLock::new(),
            whole: Mutex::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_filled(&self) -> bool {
        *self.filled.borrow() == Fill::Whole
    }

    /// From now on a watch fills it.
    pub fn feed(&self) {
        self.fed.get_or_init(Instant::now);
    }

    /// Waits until it can answer, if a watch fills it; not for ever.
    pub async fn warm(&self) {
        let Some(since) = self.fed.get().filter(|_| !self.is_filled()) else { return };
        let mut filled = self.filled.subscribe();
        // If it is not by then the API server is asked instead.
        let _ = timeout_at(*since + PATIENCE, filled.wait_for(|filled| *filled != Fill::Coming)).await;
    }

    /// The watch cannot list what there is: what is here gets old.
    pub fn lose(&self) {
        self.filled.send_replace(Fill::Lost);
    }

    /// None: the API server has to be asked. Some(None): there is no such object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Option<K>> {
        if !self.is_filled() {
            return None;
        }
        let state = self.read();
        match state.kept.get(place(namespace, name).as_ref()).map(|entry| &entry.body) {
            None | Some(Body::Gone) => Some(None),
            Some(Body::Unsure) => None,
            Some(Body::There(json)) => serde_json::from_slice(json).ok().map(Some),
        }
    }

    /// The same, but what was never heard of may be there all the same: not ours, and so not told of.
    pub fn sure(&self, namespace: &str, name: &str) -> Option<Option<K>> {
        let heard = self.read().kept.contains_key(place(namespace, name).as_ref());
        self.get(namespace, name).filter(|_| heard)
    }

    /// How many there are of a group; none where only the API server can say.
    pub fn count(&self, group: u64) -> Option<usize> {
        let there = |entry: &&Entry| entry.group == Some(group) && !matches!(entry.body, Body::Gone);
        self.is_filled().then(|| self.read().kept.values().filter(there).count())
    }

    /// All that are found by this key. None: the API server has to be asked.
    pub fn of(&self, whose: u64) -> Option<Vec<K>> {
        let state = self.read();
        let places = state.whose.get(&whose).map(Vec::as_slice).unwrap_or_default();
        self.is_filled().then(|| bodies(places.iter().filter_map(|place| state.kept.get(place))))?
    }

    /// All of a group. None: the API server has to be asked.
    pub fn group(&self, group: u64) -> Option<Vec<K>> {
        let state = self.read();
        self.is_filled().then(|| bodies(state.kept.values().filter(|entry| entry.group == Some(group))))?
    }

    /// All there are. None: the API server has to be asked.
    pub fn all(&self) -> Option<Arc<Vec<K>>> {
        let state = self.read();
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        if whole.as_ref().is_none_or(|(at, _)| *at != state.changes) {
            *whole = bodies(state.kept.values()).map(|all| (state.changes, Arc::new(all)));
        }
        whole.as_ref().filter(|_| self.is_filled()).map(|(_, all)| all.clone())
    }

    /// What the API server answered to a write of ours, or to a question.
    pub fn wrote(&self, object: &K) {
        self.change().put(&self.form, object);
    }

    /// The API server has deleted it; while it has finalizers it stays, and the watch tells what becomes of it.
    pub fn deleted(&self, namespace: &str, name: &str, at_once: bool) {
        let body = if at_once { Body::Gone } else { Body::Unsure };
        self.change().mark(namespace, name, body);
    }

    /// It is not as it was thought to be.
    pub fn doubt(&self, namespace: &str, name: &str) {
        self.change().mark(namespace, name, Body::Unsure);
    }

    /// The watch has told of one that can't be read: whoever needs it asks, and sees why.
    pub fn illegible(&self, meta: &ObjectMeta) {
        let mut state = self.change();
        let place = place_of(meta);
        if let Some(coming) = &mut state.coming {
            coming.insert(place.clone());
        }
        state.insert(place, &self.form, meta, Body::Unsure);
    }

    /// False where this is no news: our own write, or what was there before this process began.
    pub fn hear(&self, event: &Event<K>) -> bool {
        let mut state = self.change();
        match event {
            Event::Init => {
                state.coming = Some(HashSet::new());
                false
            }
            Event::InitApply(object) => {
                let filled = self.is_filled();
                state.put(&self.form, object) && filled
            }
            Event::InitDone => {
                if let Some(there) = state.coming.take() {
                    let gone: Vec<Arc<str>> = state.kept.keys().filter(|place| !there.contains(*place)).cloned().collect();
                    gone.iter().for_each(|place| state.remove(place));
                }
                self.filled.send_replace(Fill::Whole);
                false
            }
            Event::Apply(object) => state.put(&self.form, object),
            Event::Delete(object) => state.take(object.meta()),
        }
    }
}

impl State {
    /// True where it is newer than what is kept.
    fn put<K: Resource + Serialize + Clone>(&mut self, form: &Form<K>, object: &K) -> bool {
        let (meta, place) = (object.meta(), place_of(object.meta()));
        if let Some(coming) = &mut self.coming {
            coming.insert(place.clone());
        }
        let version = version(meta);
        let known = self.kept.get(&place);
        let newer = known.is_none_or(|entry| match entry.body {
            Body::There(_) | Body::Gone => version > entry.version,
            // It may be the answer to a question about it.
            Body::Unsure => version >= entry.version,
        });
        if !newer {
            return false;
        }
        let mut object = object.clone();
        object.meta_mut().managed_fields = None;
        (form.prune)(&mut object);
        let body = serde_json::to_vec(&object).map_or(Body::Unsure, |json| Body::There(json.into()));
        self.insert(place, form, object.meta(), body);
        true
    }

    fn insert<K>(&mut self, place: Arc<str>, form: &Form<K>, meta: &ObjectMeta, body: Body) {
        let (whose, group) = ((form.whose)(meta), (form.group)(meta));
        self.remove(&place);
        if let Some(key) = whose {
            self.whose.entry(key).or_default().push(place.clone());
        }
        self.kept.insert(place, Entry { version: version(meta), whose, group, body });
    }

    fn mark(&mut self, namespace: &str, name: &str, body: Body) {
        self.changes += 1;
        let place = place(namespace, name);
        match self.kept.get_mut(&place) {
            Some(entry) => entry.body = body,
            None => {
                self.kept.insert(place, Entry { version: 0, whose: None, group: None, body });
            }
        }
    }

    /// The watch tells that it is gone: true where it is not another by now.
    fn take(&mut self, meta: &ObjectMeta) -> bool {
        let place = place_of(meta);
        let Some(entry) = self.kept.get(&place).filter(|entry| version(meta) >= entry.version) else { return false };
        let news = !matches!(entry.body, Body::Gone);
        self.remove(&place);
        news
    }

    fn remove(&mut self, place: &Arc<str>) {
        self.changes += 1;
        let Some(Entry { whose: Some(key), .. }) = self.kept.remove(place) else { return };
        if let Some(places) = self.whose.get_mut(&key) {
            places.retain(|other| other != place);
            if places.is_empty() {
                self.whose.remove(&key);
            }
        }
    }
}

/// None where one of them is not known for sure.
fn bodies<'a, K: DeserializeOwned>(entries: impl Iterator<Item = &'a Entry>) -> Option<Vec<K>> {
    let there = entries.filter(|entry| !matches!(entry.body, Body::Gone));
    there
        .map(|entry| match &entry.body {
            Body::There(json) => serde_json::from_slice(json).ok(),
            Body::Gone | Body::Unsure => None,
        })
        .collect()
}

fn place(namespace: &str, name: &str) -> Arc<str> {
    format!("{namespace}/{name}").into()
}

fn place_of(meta: &ObjectMeta) -> Arc<str> {
    place(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// Versions of one kind grow.
fn version(meta: &ObjectMeta) -> u64 {
    meta.resource_version.as_ref().and_then(|version| version.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;

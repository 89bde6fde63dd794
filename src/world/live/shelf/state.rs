//! What is on a shelf, by version: of two that tell of one object, the later counts.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use kube::Resource;
use kube::core::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::Form;
use super::packed::{Packed, Primer};

#[derive(Default)]
pub struct State {
    pub changes: u64,
    /// By namespace and name.
    pub kept: HashMap<Arc<str>, Entry>,
    /// Each of these is of a few.
    whose: HashMap<Key, Vec<Arc<str>>>,
    /// And each of these may be of thousands.
    groups: HashMap<Key, Group>,
    /// How often a list has begun.
    lists: u64,
    /// The highest version that the watch has told of.
    pub told: u64,
    /// What a list that is under way has told of already.
    pub coming: Option<HashSet<Arc<str>>>,
    primer: Primer,
}

#[derive(Default)]
struct Group {
    places: HashSet<Arc<str>>,
    /// The few of them that are gone, or may be.
    doubtful: HashSet<Arc<str>>,
}

/// A request that was under way is done by then, or never was.
const DONE: Duration = Duration::from_secs(120);

pub struct Entry {
    version: u64,
    keys: Keys,
    body: Body,
}

/// By what an object is found besides its name.
#[derive(Clone, Copy, Default)]
pub struct Keys {
    pub whose: Option<Key>,
    pub group: Option<Key>,
}

/// A hash of words.
pub type Key = NonZeroU64;

/// What an object was at one time: a version says so until a list begins anew.
pub type Issue = (u64, u64);

/// What a write of ours has made of an object.
#[derive(Clone, Copy)]
pub enum Fate {
    Gone,
    Unsure,
}

pub enum Body {
    There(Packed),
    Gone,
    /// Something was written, and it is not known what came of it; for one that was not there: since when it may be.
    Unsure(Option<Instant>),
}

impl Body {
    fn after(&self, fate: Fate) -> Self {
        match (fate, self) {
            (Fate::Gone, _) => Self::Gone,
            (Fate::Unsure, Self::There(_) | Self::Unsure(None)) => Self::Unsure(None),
            (Fate::Unsure, Self::Gone | Self::Unsure(Some(_))) => Self::Unsure(Some(Instant::now())),
        }
    }
}

impl State {
    /// A list comes, and what it says counts, whatever its versions: where the API server's own store was restored from a backup they are
    /// lower than what is here. Only what is written from now on is newer.
    pub fn begin_anew(&mut self) {
        self.coming = Some(HashSet::new());
        self.lists += 1;
        self.told = 0;
        self.kept.values_mut().for_each(|entry| entry.version = 0);
    }

    /// True where it is newer than what is kept, and not the same.
    pub fn put<K: Resource + Serialize + Clone>(&mut self, form: &Form<K>, object: &K) -> bool {
        let (meta, place) = (object.meta(), place_of(object.meta()));
        if let Some(coming) = &mut self.coming {
            coming.insert(place.clone());
        }
        let version = version(meta);
        let known = self.kept.get(&place);
        let newer = known.is_none_or(|entry| match entry.body {
            Body::There(_) | Body::Gone => version > entry.version,
            // It may be the answer to a question about it.
            Body::Unsure(_) => version >= entry.version,
        });
        if !newer {
            return false;
        }
        let mut object = object.clone();
        object.meta_mut().managed_fields = None;
        (form.prune)(&mut object);
        let body = Packed::of(&object, &mut self.primer).map_or(Body::Unsure(None), Body::There);
        let news = match (known.map(|entry| &entry.body), &body) {
            (Some(Body::There(known)), Body::There(packed)) => known != packed,
            (None | Some(Body::There(_) | Body::Gone | Body::Unsure(_)), _) => true,
        };
        self.insert(place, form, object.meta(), body);
        news
    }

    pub fn insert<K>(&mut self, place: Arc<str>, form: &Form<K>, meta: &ObjectMeta, body: Body) {
        self.remove(&place);
        let keys = Keys { whose: (form.whose)(meta), group: (form.group)(meta) };
        self.add(place, Entry { version: version(meta), keys, body });
    }

    fn add(&mut self, place: Arc<str>, entry: Entry) {
        if let Some(key) = entry.keys.whose {
            self.whose.entry(key).or_default().push(place.clone());
        }
        if let Some(key) = entry.keys.group {
            let group = self.groups.entry(key).or_default();
            group.places.insert(place.clone());
            if !matches!(entry.body, Body::There(_)) {
                group.doubtful.insert(place.clone());
            }
        }
        self.kept.insert(place, entry);
    }

    /// What is known of it no longer holds; `keys`: by what it is found, for one that was never heard of.
    pub fn mark(&mut self, namespace: &str, name: &str, fate: Fate, keys: Keys) {
        self.changes += 1;
        let place = place(namespace, name);
        if let Some(coming) = &mut self.coming {
            // The list may have been made before.
            coming.insert(place.clone());
        }
        match self.kept.get_mut(&place) {
            Some(entry) => {
                entry.body = entry.body.after(fate);
                if let Some(group) = entry.keys.group.and_then(|key| self.groups.get_mut(&key)) {
                    group.doubtful.insert(place);
                }
            }
            None => self.add(place, Entry { version: 0, keys, body: Body::Gone.after(fate) }),
        }
    }

    /// An answer that comes after the watch has told of the object's end.
    pub fn is_over(&self, meta: &ObjectMeta) -> bool {
        !self.kept.contains_key(&place_of(meta)) && version(meta) <= self.told
    }

    /// The watch has come so far.
    pub fn hear(&mut self, meta: &ObjectMeta) {
        self.told = self.told.max(version(meta));
    }

    /// The watch tells that it is gone: true where it is not another by now.
    pub fn take(&mut self, meta: &ObjectMeta) -> bool {
        let place = place_of(meta);
        let Some(entry) = self.kept.get(&place).filter(|entry| version(meta) >= entry.version) else { return false };
        let news = !matches!(entry.body, Body::Gone);
        self.remove(&place);
        news
    }

    pub fn remove(&mut self, place: &Arc<str>) {
        self.changes += 1;
        let Some(Entry { keys, .. }) = self.kept.remove(place) else { return };
        if let Some((key, places)) = keys.whose.and_then(|key| Some((key, self.whose.get_mut(&key)?))) {
            places.retain(|other| other != place);
            if places.is_empty() {
                self.whose.remove(&key);
            }
        }
        if let Some((key, group)) = keys.group.and_then(|key| Some((key, self.groups.get_mut(&key)?))) {
            group.doubtful.remove(place);
            group.places.remove(place);
            if group.places.is_empty() {
                self.groups.remove(&key);
            }
        }
    }

    pub fn of(&self, whose: Key) -> impl Iterator<Item = &Entry> {
        self.whose.get(&whose).into_iter().flatten().filter_map(|place| self.kept.get(place))
    }

    pub fn group(&self, group: Key) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        let places = self.groups.get(&group).into_iter().flat_map(|group| &group.places);
        places.filter_map(|place| Some((place, self.kept.get(place)?)))
    }

    /// How many of a group are there, without a look at each: they may be thousands.
    pub fn count(&self, group: Key) -> usize {
        let Some(Group { places, doubtful }) = self.groups.get(&group) else { return 0 };
        let gone = doubtful.iter().filter(|place| self.kept.get(*place).is_none_or(Entry::is_gone));
        places.len() - gone.count()
    }

    /// None where it is not known for sure.
    pub fn issue(&self, entry: &Entry) -> Option<Issue> {
        matches!(entry.body, Body::There(_)).then_some((self.lists, entry.version))
    }
}

impl Entry {
    pub fn is_gone(&self) -> bool {
        match &self.body {
            Body::There(_) => false,
            Body::Gone => true,
            Body::Unsure(doubted) => doubted.is_some_and(|since| since.elapsed() > DONE),
        }
    }

    pub fn is_newer(&self, meta: &ObjectMeta) -> bool {
        self.version > version(meta)
    }

    /// None where it is not known for sure.
    pub fn open<K: DeserializeOwned>(&self) -> Option<K> {
        match &self.body {
            Body::There(packed) => packed.open(),
            Body::Gone | Body::Unsure(_) => None,
        }
    }
}

/// None where one of them is not known for sure.
pub fn bodies<'a, K: DeserializeOwned>(entries: impl Iterator<Item = &'a Entry>) -> Option<Vec<K>> {
    let there = entries.filter(|entry| !entry.is_gone());
    there.map(Entry::open).collect()
}

pub fn place(namespace: &str, name: &str) -> Arc<str> {
    format!("{namespace}/{name}").into()
}

pub fn place_of(meta: &ObjectMeta) -> Arc<str> {
    place(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// Versions of one kind grow.
fn version(meta: &ObjectMeta) -> u64 {
    meta.resource_version.as_ref().and_then(|version| version.parse().ok()).unwrap_or_default()
}

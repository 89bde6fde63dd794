//! What a watch has told of one kind of object, kept small, and found by name, by whose it is and by its Bench. Our own writes are
//! put here at once, so that a pass sees what it has done before the watch tells of it.
//!
//! Where it cannot answer for sure (not filled yet, or something was written whose outcome it does not know) it says so, and the API
//! server is asked. What is decided on it may be a moment old; whatever is written then is refused by the API server if it was.

use std::collections::BTreeMap;
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

use state::{Body, Entry, Fate, Issue, State, bodies, place, place_of};
pub use state::{Key, Keys};

mod packed;
mod state;

/// A list of everything takes no longer, also of ten thousand tenants on a busy cluster; after that each is asked for by itself.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a kind is kept.
pub struct Form<K> {
    /// Takes away what nobody reads.
    pub prune: fn(&mut K),
    /// By what it is found besides its name.
    pub whose: fn(&ObjectMeta) -> Option<Key>,
    pub group: fn(&ObjectMeta) -> Option<Key>,
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

/// What was wanted of each of a group when it was looked at last, and of which issue of it that is.
pub type Extracts<T> = BTreeMap<Arc<str>, (Issue, T)>;

/// A hash of several words, to find things by.
pub fn key(words: &[&str]) -> Key {
    let mut hash = DefaultHasher::new();
    words.hash(&mut hash);
    Key::new(hash.finish()).unwrap_or(Key::MIN)
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
        match state.kept.get(place(namespace, name).as_ref()).filter(|entry| !entry.is_gone()) {
            None => Some(None),
            Some(entry) => entry.open().map(Some),
        }
    }

    /// A later one of the same object, if it is here.
    pub fn newer(&self, object: &K) -> Option<K> {
        let (meta, state) = (object.meta(), self.read());
        let found: K = state.kept.get(&place_of(meta)).filter(|entry| entry.is_newer(meta)).and_then(Entry::open)?;
        Some(found).filter(|found| found.meta().uid == meta.uid)
    }

    /// The same, but what was never heard of may be there all the same: not ours, and so not told of.
    pub fn sure(&self, namespace: &str, name: &str) -> Option<Option<K>> {
        let heard = self.read().kept.contains_key(place(namespace, name).as_ref());
        self.get(namespace, name).filter(|_| heard)
    }

    /// How many there are of a group; none where only the API server can say.
    pub fn count(&self, group: Key) -> Option<usize> {
        self.is_filled().then(|| self.read().count(group))
    }

    /// All that are found by this key. None: the API server has to be asked.
    pub fn of(&self, whose: Key) -> Option<Vec<K>> {
        self.is_filled().then(|| bodies(self.read().of(whose)))?
    }

    /// Of each of a group what is wanted of it, in the order of their names: they may be thousands, and each is opened once in a
    /// version. None: the API server has to be asked.
    pub fn group<T: Clone>(&self, group: Key, seen: &mut Extracts<T>, wanted: impl Fn(K) -> T) -> Option<Vec<T>> {
        if !self.is_filled() {
            return None;
        }
        let state = self.read();
        let there = state.group(group).filter(|(_, entry)| !entry.is_gone());
        // Before anything is taken out of what was seen: it serves the next time where one of them is not known for sure.
        let there: Vec<_> = there.map(|(place, entry)| Some((place, entry, state.issue(entry)?))).collect::<Option<_>>()?;
        let mut now = Extracts::new();
        for (place, entry, issue) in there {
            let known = seen.remove(place).filter(|(of, _)| *of == issue);
            let extract = known.or_else(|| Some((issue, wanted(entry.open()?))))?;
            now.insert(place.clone(), extract);
        }
        drop(state);
        *seen = now;
        Some(seen.values().map(|(_, extract)| extract.clone()).collect())
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
        let mut state = self.change();
        if !state.is_over(object.meta()) {
            state.put(&self.form, object);
        }
    }

    /// The API server has deleted it; while it has finalizers it stays, and the watch tells what becomes of it.
    pub fn deleted(&self, namespace: &str, name: &str, at_once: bool) {
        let fate = if at_once { Fate::Gone } else { Fate::Unsure };
        let mut state = self.change();
        // The watch may have been faster, and then there is nothing to note.
        if state.kept.contains_key(&place(namespace, name)) {
            state.mark(namespace, name, fate, Keys::default());
        }
    }

    /// It is not as it was thought to be, or something was written and no answer came: whoever asks for it, or for those that are found
    /// as it is, is sent to the API server.
    pub fn doubt(&self, namespace: &str, name: &str, keys: Keys) {
        self.change().mark(namespace, name, Fate::Unsure, keys);
    }

    /// The watch has told of one that can't be read: whoever needs it asks, and sees why.
    pub fn illegible(&self, meta: &ObjectMeta) {
        let mut state = self.change();
        let place = place_of(meta);
        if let Some(coming) = &mut state.coming {
            coming.insert(place.clone());
        }
        state.insert(place, &self.form, meta, Body::Unsure(None));
    }

    /// The watch has told that one which can't be read is gone.
    pub fn ended(&self, meta: &ObjectMeta) {
        self.change().take(meta);
    }

    /// False where this is no news: our own write, or what was there before this process began.
    pub fn hear(&self, event: &Event<K>) -> bool {
        let mut state = self.change();
        match event {
            Event::Init => {
                state.begin_anew();
                false
            }
            Event::InitApply(object) => {
                state.hear(object.meta());
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
            Event::Apply(object) => {
                state.hear(object.meta());
                state.put(&self.form, object)
            }
            Event::Delete(object) => {
                state.hear(object.meta());
                state.take(object.meta())
            }
        }
    }
}

#[cfg(test)]
mod tests;

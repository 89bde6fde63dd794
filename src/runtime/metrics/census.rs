//! How many tenants are in which state, kept without a look at all of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct State {
    ready: String,
    reason: String,
}

#[derive(Debug, Default)]
pub struct Census {
    states: Mutex<HashMap<String, State>>,
    counts: Family<State, Gauge>,
}

impl Census {
    pub fn counts(&self) -> Family<State, Gauge> {
        self.counts.clone()
    }

    pub fn note(&self, namespace: &str, name: &str, ready: &str, reason: &str) {
        let state = State { ready: ready.to_owned(), reason: reason.to_owned() };
        let before = self.lock().insert(key(namespace, name), state.clone());
        self.counts.get_or_create(&state).inc();
        self.left(before);
    }

    pub fn forget(&self, namespace: &str, name: &str) {
        let before = self.lock().remove(&key(namespace, name));
        self.left(before);
    }

    /// A state that nobody is in any more stays at 0: a series that ends would look like lost data.
    fn left(&self, before: Option<State>) {
        if let Some(state) = before {
            self.counts.get_or_create(&state).dec();
        }
    }

    // The map is valid after every statement, so a thread that panicked while holding the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(census: &Census, ready: &str, reason: &str) -> i64 {
        let state = State { ready: ready.to_owned(), reason: reason.to_owned() };
        census.counts.get_or_create(&state).get()
    }

    #[test]
    fn a_tenant_is_counted_once_wherever_it_goes() {
        let census = Census::default();
        census.note("customers", "acme", "False", "Preparing");
        census.note("customers", "acme", "False", "Preparing");
        census.note("customers", "globex", "False", "Preparing");
        assert_eq!(count(&census, "False", "Preparing"), 2);
        census.note("customers", "acme", "True", "Ready");
        assert_eq!((count(&census, "False", "Preparing"), count(&census, "True", "Ready")), (1, 1));
        census.forget("customers", "acme");
        census.forget("customers", "acme");
        assert_eq!(count(&census, "True", "Ready"), 0);
    }
}

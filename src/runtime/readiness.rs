//! What must hold before this process counts as ready, and which of it does not hold yet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Cheap to clone; all clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeSet<String>>>);

impl Readiness {
    /// Nothing of `conditions` holds in the beginning.
    pub fn new<S: Into<String>>(conditions: impl IntoIterator<Item = S>) -> Self {
        Self(Arc::new(Mutex::new(conditions.into_iter().map(Into::into).collect())))
    }

    /// Notes that one condition holds, or no longer does.
    pub fn set(&self, condition: &str, holds: bool) {
        let mut missing = self.lock();
        if holds {
            missing.remove(condition);
        } else {
            missing.insert(condition.to_owned());
        }
    }

    /// What is still missing, in the order of the alphabet; empty once ready.
    pub fn missing(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    // The set is valid after every statement, so a thread that panicked while holding the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_what_is_missing_until_all_holds() {
        let readiness = Readiness::new(["caches", "lease"]);
        let clone = readiness.clone();
        clone.set("lease", true);
        assert_eq!(readiness.missing(), ["caches"]);
        clone.set("caches", true);
        assert!(readiness.missing().is_empty());
        clone.set("caches", false);
        assert_eq!(readiness.missing(), ["caches"]);
    }
}

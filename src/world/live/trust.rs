//! What an earlier process has seen of a tenant, by the status that it left: good for the first pass of this one. Ten thousand tenants
//! are not all probed, and their rows not all asked for, because the operator began anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::core::seen::Check;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The checks of the last probe, all of which passed.
    pub probe: Option<Vec<Check>>,
    /// The Master's row was as it should be.
    pub row: bool,
}

#[derive(Default)]
pub struct Trust(Mutex<State>);

#[derive(Default)]
struct State {
    /// Tenants that this process has looked at itself.
    met: HashSet<String>,
    said: HashMap<String, Said>,
}

impl Trust {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pass begins; only before the first one counts what was said before.
    pub fn begin(&self, id: &str, said: impl FnOnce() -> Said) {
        let mut state = self.state();
        if state.met.insert(id.to_owned()) {
            state.said.insert(id.to_owned(), said());
        }
    }

    /// The tenant is gone.
    pub fn forget(&self, id: &str) {
        let mut state = self.state();
        state.said.remove(id);
        state.met.remove(id);
    }

    pub fn end(&self, id: &str) {
        self.state().said.remove(id);
    }

    pub fn probe(&self, id: &str) -> Option<Vec<Check>> {
        self.state().said.get_mut(id)?.probe.take()
    }

    pub fn row(&self, id: &str) -> bool {
        self.state().said.get_mut(id).is_some_and(|said| std::mem::take(&mut said.row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        Said { probe: Some(vec![Check { name: "name", problem: None }]), row: true }
    }

    #[test]
    fn what_was_said_before_counts_once_and_in_the_first_pass_only() {
        let trust = Trust::default();
        trust.begin("a", said);
        assert!(trust.probe("a").is_some() && trust.probe("a").is_none());
        assert!(trust.row("a") && !trust.row("a"));
        trust.end("a");
        trust.begin("a", said);
        assert!(trust.probe("a").is_none() && !trust.row("a"));
    }

    #[test]
    fn what_the_first_pass_did_not_come_to_is_forgotten_with_its_end() {
        let trust = Trust::default();
        trust.begin("a", said);
        trust.end("a");
        assert!(trust.probe("a").is_none() && !trust.row("a"));
    }
}

//! The measure of one pass: it is counted however the pass ends.

use std::time::Instant;

use super::{Metrics, Outcome};

#[must_use = "a pass that is never finished counts as abandoned"]
pub struct Reconcile<'a> {
    metrics: &'a Metrics,
    controller: &'static str,
    outcome: Outcome,
    start: Instant,
}

impl<'a> Reconcile<'a> {
    pub(super) fn begin(metrics: &'a Metrics, controller: &'static str) -> Self {
        Self { metrics, controller, outcome: Outcome::Abandoned, start: Instant::now() }
    }

    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Reconcile<'_> {
    fn drop(&mut self) {
        self.metrics.reconciled(self.controller, self.outcome, self.start.elapsed());
    }
}

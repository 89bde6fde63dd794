//! What this process counts, in the format of Prometheus. No metric carries a tenant's name: their number is unbounded.

mod census;
mod labels;
mod reconcile;

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use census::Census;
pub use labels::{ControllerLabel, Outcome, SlotState};
use labels::{GateLabels, OpLabels, ReconcileLabels, RequestLabels};
pub use reconcile::Reconcile;

/// A look at a settled tenant takes milliseconds, a pass that talks to a slow bench takes seconds.
const RECONCILE_BUCKETS: [f64; 9] = [0.002, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

type Seconds = Family<ControllerLabel, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: Family<ReconcileLabels, Counter>,
    reconcile_seconds: Seconds,
    tenants: Census,
    ops: Family<OpLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    gate: Family<GateLabels, Gauge>,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("tenant_operator"),
            reconciles: Family::default(),
            reconcile_seconds: Family::new_with_constructor(|| Histogram::new(RECONCILE_BUCKETS)),
            tenants: Census::default(),
            ops: Family::default(),
            requests: Family::default(),
            gate: Family::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let registry = &mut self.registry;
        registry.register("build", "The version that runs", build);
        registry.register("leader", "1 while this process holds the lease", self.leader.clone());
        registry.register("reconciles", "Passes over one object, by how they ended", self.reconciles.clone());
        registry.register("reconcile_seconds", "How long a pass over one object took", self.reconcile_seconds.clone());
        registry.register("tenants", "Tenants by their Ready condition", self.tenants.counts());
        registry.register("ops", "Changes made for tenants, by kind and how they ended", self.ops.clone());
        registry.register("api_requests", "Requests to the Kubernetes API server", self.requests.clone());
        registry.register("gate_slots", "Places for Jobs on a bench: used, or waited for", self.gate.clone());
    }

    /// Begins to measure one pass over one object; a pass that is never finished counts as abandoned.
    pub fn reconcile(&self, controller: &'static str) -> Reconcile<'_> {
        Reconcile::begin(self, controller)
    }

    fn reconciled(&self, controller: &'static str, outcome: Outcome, took: Duration) {
        self.reconciles.get_or_create(&ReconcileLabels { controller, outcome }).inc();
        self.reconcile_seconds.get_or_create(&ControllerLabel { controller }).observe(took.as_secs_f64());
    }

    /// Counts a tenant under its Ready condition, and no longer under the one it had before.
    pub fn tenant(&self, namespace: &str, name: &str, ready: &str, reason: &str) {
        self.tenants.note(namespace, name, ready, reason);
    }

    /// Forgets a tenant that is gone.
    pub fn tenant_gone(&self, namespace: &str, name: &str) {
        self.tenants.forget(namespace, name);
    }

    /// Counts one executed op: `outcome` is Ok, or the class of the error.
    pub fn op(&self, kind: &'static str, outcome: &'static str) {
        self.ops.get_or_create(&OpLabels { kind, outcome }).inc();
    }

    /// Notes how many places of a bench's gate are used, and how many tenants wait for one. `bench` is `namespace/name`.
    pub fn gate(&self, bench: &str, used: usize, waiting: usize) {
        for (state, count) in [(SlotState::Used, used), (SlotState::Waiting, waiting)] {
            let labels = GateLabels { bench: bench.to_owned(), state };
            self.gate.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Forgets the gate of a bench that is gone.
    pub fn gate_gone(&self, bench: &str) {
        for state in [SlotState::Used, SlotState::Waiting] {
            self.gate.remove(&GateLabels { bench: bench.to_owned(), state });
        }
    }

    pub(super) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    pub(super) fn request(&self, verb: &'static str, resource: String, code: String) {
        self.requests.get_or_create(&RequestLabels { verb, resource, code }).inc();
    }

    /// All of it as text, in the OpenMetrics format.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(metrics: &Metrics, line: &str) -> bool {
        metrics.text().unwrap().lines().any(|found| found == line)
    }

    #[test]
    fn a_pass_is_counted_by_how_it_ended_and_measured() {
        let metrics = Metrics::new();
        metrics.reconcile("tenant").finish(Outcome::Settled);
        drop(metrics.reconcile("tenant"));
        assert!(has(&metrics, r#"tenant_operator_reconciles_total{controller="tenant",outcome="Settled"} 1"#));
        assert!(has(&metrics, r#"tenant_operator_reconciles_total{controller="tenant",outcome="Abandoned"} 1"#));
        assert!(has(&metrics, r#"tenant_operator_reconcile_seconds_count{controller="tenant"} 2"#));
    }

    #[test]
    fn the_gate_of_a_bench_shows_who_works_and_who_waits() {
        let metrics = Metrics::new();
        metrics.gate("erp/main", 3, 7);
        assert!(has(&metrics, r#"tenant_operator_gate_slots{bench="erp/main",state="Used"} 3"#));
        assert!(has(&metrics, r#"tenant_operator_gate_slots{bench="erp/main",state="Waiting"} 7"#));
        metrics.gate_gone("erp/main");
        assert!(!metrics.text().unwrap().contains("erp/main"));
    }

    #[test]
    fn ops_leadership_and_the_version_are_there() {
        let metrics = Metrics::new();
        metrics.op("RunJob", "Ok");
        metrics.leads(true);
        assert!(has(&metrics, r#"tenant_operator_ops_total{kind="RunJob",outcome="Ok"} 1"#));
        assert!(has(&metrics, "tenant_operator_leader 1"));
        assert!(metrics.text().unwrap().contains("tenant_operator_build_info{version="));
    }
}

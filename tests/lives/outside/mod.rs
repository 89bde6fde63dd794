//! The simulated outside: what would be a cluster, a bench, an edge and a Master is data here, and time passes at once.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use tenant_operator::api::{Bench, TenantPlan};
use tenant_operator::core::subject::ObjectName;

use crate::chance::Chance;
use crate::faults::Faults;
use crate::given::{self, Kind};
use crate::guards::Guard;
use crate::turns::Rollouts;

pub mod claims;
pub mod dock;
pub mod edge;
pub mod inspect;
pub mod jobs;
pub mod master;
pub mod objects;
pub mod pods;
pub mod rotation;
pub mod secrets;
pub mod steps;
pub mod strangers;

/// 2026-11-21T08:00:00Z
const BEGINNING: i64 = 1_795_248_000;

pub struct Outside {
    pub now: i64,
    /// When the operator's pass began.
    pub began: i64,
    pub chance: Chance,
    pub kind: Kind,
    pub bench: Bench,
    /// False while somebody has taken the Bench away.
    pub bench_there: bool,
    pub plans: BTreeMap<String, TenantPlan>,
    pub objects: objects::Objects,
    pub claims: BTreeMap<String, claims::Claimed>,
    pub secrets: secrets::Secrets,
    pub jobs: jobs::Jobs,
    pub dock: dock::Dock,
    pub edge: edge::Edge,
    pub master: master::Master,
    pub inspections: inspect::Inspections,
    pub ledger: rotation::Ledger,
    pub faults: Faults,
    /// The guard that is switched off.
    pub off: Option<Guard>,
    /// Writes that the operator made, each of its ops and of its own patches.
    pub writes: u64,
    /// The operator was killed: nothing reaches the outside until it is started again.
    pub dead: bool,
    /// Raised by everything that a watch would tell of all tenants, or of one.
    pub epoch: u64,
    touched: BTreeMap<ObjectName, u64>,
    serial: u64,
    /// Every identity that a Tenant of this name ever had.
    pub ids: BTreeMap<ObjectName, BTreeSet<String>>,
    /// What customers wrote into their sites, by tenant id: it may only go where their policy says so.
    pub promised: BTreeMap<String, u64>,
    /// Sites in which somebody changed something past the operator, and until when that may last.
    pub harmed: BTreeMap<String, i64>,
    /// Sites that are gone, folder or database: they are never made anew.
    pub vanished: BTreeSet<String>,
    /// Identities whose record was lost once: what it said is not known any more.
    pub forgotten: BTreeSet<String>,
    /// Sites that are none of ours, as they are.
    pub strangers: BTreeMap<String, dock::Site>,
    pub rollouts: Rollouts,
    pub wrong: Vec<String>,
    pub trace: Option<Vec<String>>,
}

impl Outside {
    pub fn new(seed: u64, kind: Kind, trace: bool) -> Self {
        Self {
            now: BEGINNING,
            began: BEGINNING,
            chance: Chance::new(seed),
            kind,
            bench: given::bench(kind),
            bench_there: true,
            plans: given::plans().into_iter().map(|plan| (plan.metadata.name.clone().unwrap_or_default(), plan)).collect(),
            objects: Default::default(),
            claims: BTreeMap::new(),
            secrets: Default::default(),
            jobs: Default::default(),
            dock: dock::Dock::new(),
            edge: Default::default(),
            master: master::Master::new(),
            inspections: Default::default(),
            ledger: Default::default(),
            faults: Faults::default(),
            off: None,
            writes: 0,
            dead: false,
            epoch: 0,
            touched: BTreeMap::new(),
            serial: 0,
            ids: BTreeMap::new(),
            promised: BTreeMap::new(),
            harmed: BTreeMap::new(),
            vanished: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            strangers: BTreeMap::new(),
            rollouts: Rollouts::default(),
            wrong: vec![],
            trace: trace.then(Vec::new),
        }
    }

    pub fn time(&self) -> Timestamp {
        at(self.now)
    }

    pub fn guards(&self, guard: Guard) -> bool {
        self.off != Some(guard)
    }

    /// A number that never comes twice: versions, secrets, data.
    pub fn fresh(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>6} s  {}", self.now - BEGINNING, line()));
        }
    }

    pub fn fault(&mut self, what: String) {
        self.say(|| format!("WRONG: {what}"));
        self.wrong.push(what);
    }

    /// Something changed that a watch tells of, and that may concern every tenant.
    pub fn stir(&mut self) {
        self.epoch += 1;
        self.still_sound();
    }

    /// Something changed that concerns one tenant alone: its Jobs, routes and certificate.
    pub fn stir_of(&mut self, tenant: &ObjectName) {
        *self.touched.entry(tenant.clone()).or_default() += 1;
        self.still_sound();
    }

    /// Another number whenever a watch has something to tell of the tenant.
    pub fn news_of(&self, tenant: &ObjectName) -> u64 {
        self.epoch + self.touched.get(tenant).copied().unwrap_or_default()
    }

    pub fn still_sound(&mut self) {
        self.keep_promises();
        self.leave_strangers_alone();
    }

    /// Lets everything happen that is due by now.
    pub fn progress(&mut self) {
        self.progress_jobs();
        self.progress_edge();
        self.progress_inspections();
    }

    /// When something happens next by itself.
    pub fn next_due(&self) -> Option<i64> {
        [self.jobs.next_due(), self.edge.next_due(self), self.inspections.next_due(), self.faults.next_end(self.now)]
            .into_iter()
            .flatten()
            .min()
    }

    /// What a customer wrote is in the database, or in an archive, or was given up by the Tenant's own policy.
    pub fn keep_promises(&mut self) {
        let lost = |id: &&String, data: &u64| {
            let kept = self.dock.databases.values().any(|database| database.data == Some(*data));
            let archived = self.dock.archives.values().any(|archive| archive.id == **id && archive.data == Some(*data));
            !kept && !archived && !self.objects.given_up.contains(*id)
        };
        let lost: Vec<String> = self.promised.iter().filter(|(id, data)| lost(id, data)).map(|(id, _)| id.clone()).collect();
        for id in lost {
            self.promised.remove(&id);
            self.fault(format!("the data of {id} is lost"));
        }
    }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

//! What all faults share: two benches, the tenants that are settled on them all the time, and those that are left for the next fault.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use futures::future::join_all;
use tenant_operator::api::BenchRef;

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::blow;
use crate::canary::Canary;
use crate::case::{Case, id};
use crate::fault::{Fault, LIMIT};
use crate::history;
use crate::lab::CUSTOMERS;
use crate::settled::Settled;
use crate::tenant::{light_plan, tenant};

/// Frappe 15 behind Ingress with a certificate for each tenant; its Master is on the other bench.
pub const ERP: usize = 0;
/// Frappe 16 behind a Gateway, with the Master.
pub const ERP16: usize = 1;
const PLACES: [Place; 2] = [Place { master_in: GATEWAY_16.namespace, ..INGRESS_15 }, GATEWAY_16];

pub struct Ground {
    pub place: Place,
    bench: BenchRef,
}

/// A tenant that is Ready.
#[derive(Clone)]
pub struct Guest {
    pub name: String,
    pub id: String,
    pub at: usize,
}

pub struct Scene {
    pub case: Case,
    pub grounds: Vec<Ground>,
    plan: String,
    made: AtomicUsize,
    spare: Mutex<Vec<Guest>>,
    pub settled: Settled,
    canary: Canary,
}

impl Scene {
    /// Takes away again what it made where it cannot begin.
    pub async fn begin(dir: PathBuf) -> Self {
        let case = Case::new(dir, "chaos").await;
        blow::mend(&case.lab);
        let canary = Canary::before(&case);
        let (made, spare, settled) = Default::default();
        let mut scene = Self { case, grounds: vec![], plan: String::new(), made, spare, settled, canary };
        if let Err(panic) = AssertUnwindSafe(scene.furnish()).catch_unwind().await {
            scene.case.clean().await;
            scene.canary.forget(&scene.case);
            resume_unwind(panic);
        }
        scene
    }

    async fn furnish(&mut self) {
        self.plan = self.case.plan(light_plan).await;
        for place in PLACES {
            self.grounds.push(Ground { place, bench: self.case.bench(place).await });
        }
        let guests = join_all([self.guest(ERP), self.guest(ERP16)]).await;
        self.canary.leave(&self.case, &self.grounds, &guests).await;
        self.settled.follow(&self.case, guests);
    }

    pub fn new_name(&self) -> String {
        format!("{}-{:03}", self.case.name, self.made.fetch_add(1, Ordering::Relaxed))
    }

    pub fn tenant(&self, at: usize, name: &str) -> tenant_operator::api::Tenant {
        tenant(name, CUSTOMERS, &self.plan, self.grounds[at].bench.clone())
    }

    /// A new one, once it is Ready.
    async fn guest(&self, at: usize) -> Guest {
        let name = self.new_name();
        self.case.apply(&self.tenant(at, &name)).await;
        let (tenant, _) = self.case.until(&name, "Ready", LIMIT, history::ready).await;
        let id = id(&tenant.expect("a Tenant"));
        self.case.remember(&self.grounds[at].place, &name, &id);
        Guest { name, id, at }
    }

    /// One that is Ready and that nobody needs.
    pub fn spare(&self, at: usize) -> Option<Guest> {
        let mut spare = self.spare.lock().unwrap();
        let index = spare.iter().position(|guest| guest.at == at)?;
        Some(spare.swap_remove(index))
    }

    pub fn keep(&self, guest: Guest) {
        self.spare.lock().unwrap().push(guest);
    }

    /// Asserts that all that was there is whole, and that everybody leaves without a trace; takes away what the run made in any case.
    pub async fn end(&self) {
        blow::mend(&self.case.lab);
        self.settled.end();
        let outcome = AssertUnwindSafe(self.part()).catch_unwind().await;
        let cleaned = AssertUnwindSafe(self.case.clean()).catch_unwind().await;
        let compared = catch_unwind(AssertUnwindSafe(|| self.canary.nothing_came_or_went(&self.case)));
        if let Err(panic) = outcome.and(cleaned).and(compared) {
            resume_unwind(panic);
        }
    }

    async fn part(&self) {
        self.canary.is_whole(&self.case).await;
        let spare = std::mem::take(&mut *self.spare.lock().unwrap());
        let last = Fault::new(self, "the end");
        let guests: Vec<&Guest> = self.settled.guests.iter().chain(&spare).collect();
        join_all(guests.iter().map(|guest| last.leave(&guest.name))).await;
        join_all(guests.iter().map(|guest| last.gone(&guest.name))).await;
        for guest in guests {
            last.nothing_left(guest).await;
        }
    }
}

//! What all faults share: two benches, the tenants that are settled on them all the time, and those that are left for the next fault.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use tenant_operator::api::BenchRef;

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::blow;
use crate::canary::Canary;
use crate::case::{Case, id};
use crate::fault::LIMIT;
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
    pub async fn begin(dir: PathBuf) -> Self {
        let case = Case::new(dir, "chaos").await;
        blow::mend(&case.lab);
        let canary = Canary::before(&case);
        let plan = case.plan(light_plan).await;
        let mut grounds = vec![];
        for place in PLACES {
            grounds.push(Ground { place, bench: case.bench(place).await });
        }
        let (made, spare) = Default::default();
        let settled = Settled::default();
        let mut scene = Self { case, grounds, plan, made, spare, settled, canary };
        let guests = join_all([scene.guest(ERP), scene.guest(ERP16)]).await;
        scene.canary.leave(&scene.case, &scene.grounds, &guests).await;
        scene.settled.follow(&scene.case, guests);
        scene
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

    /// Asserts that all that was there is whole, and takes away what the run made.
    pub async fn end(&self) {
        blow::mend(&self.case.lab);
        self.settled.end();
        self.canary.is_whole(&self.case).await;
        self.case.clean().await;
        self.canary.nothing_came_or_went(&self.case);
    }
}

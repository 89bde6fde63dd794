//! Where a new Tenant goes, with an eye on how many a Bench takes: also when many come at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use super::tenant::Reconciler;
use crate::api::{Bench, BenchRef, Tenant};
use crate::core::place::{self, Candidate};
use crate::core::subject::{ObjectName, Problem};
use crate::world::Error;

/// Who is on a Bench that takes only so many. Read once, page by page, and from then on known: this process alone places Tenants.
/// One that goes is counted on until the Bench looks full and is read again: there may be too few on it, and never too many.
#[derive(Default)]
pub struct Placements(Mutex<HashMap<BenchRef, Carried>>);

#[derive(Default)]
struct Carried {
    known: BTreeSet<ObjectName>,
    /// Placed by this process, and when it had its claims: a list that was on its way by then may lack it.
    placed: BTreeMap<ObjectName, Option<Instant>>,
}

impl Placements {
    fn lanes(&self) -> MutexGuard<'_, HashMap<BenchRef, Carried>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has its claims: every list shows it.
    pub fn claimed(&self, tenant: &ObjectName) {
        for carried in self.lanes().values_mut() {
            if let Some(claimed) = carried.placed.get_mut(tenant) {
                claimed.get_or_insert_with(Instant::now);
            }
        }
    }

    /// It could not take what it needs, if it was placed just now.
    pub fn release(&self, tenant: &ObjectName) {
        for carried in self.lanes().values_mut() {
            if carried.placed.get(tenant) == Some(&None) {
                carried.placed.remove(tenant);
                carried.known.remove(tenant);
            }
        }
    }

    /// All Tenants there are, after a watch began anew.
    pub fn only(&self, there: &BTreeSet<ObjectName>) {
        for carried in self.lanes().values_mut() {
            let Carried { known, placed } = carried;
            placed.retain(|tenant, claimed| {
                let stays = claimed.is_some() || there.contains(tenant);
                if !stays {
                    known.remove(tenant);
                }
                stays
            });
        }
    }

    /// Whether the Bench has to be read (again) before anybody is placed on it.
    fn unknown(&self, bench: &BenchRef, tenant: &ObjectName, capacity: usize) -> bool {
        let lanes = self.lanes();
        lanes.get(bench).is_none_or(|carried| carried.known.iter().filter(|other| *other != tenant).count() >= capacity)
    }

    fn read(&self, bench: &BenchRef, listed: BTreeSet<ObjectName>, since: Instant) {
        let mut lanes = self.lanes();
        let carried = lanes.entry(bench.clone()).or_default();
        carried.placed.retain(|_, claimed| claimed.is_none_or(|at| at >= since));
        carried.known = listed;
        carried.known.extend(carried.placed.keys().cloned());
    }

    /// Chosen and noted in one, so that no two Tenants are given the last place.
    fn choose(
        &self,
        tenant: &ObjectName,
        benches: &[Bench],
        choose: impl FnOnce(&[Candidate<'_>]) -> Result<BenchRef, Problem>,
    ) -> Result<BenchRef, Problem> {
        let mut lanes = self.lanes();
        let count = |bench: &Bench| match lanes.get(&place::reference(bench)).filter(|_| bench.spec.capacity.is_some()) {
            Some(carried) => carried.known.iter().filter(|other| *other != tenant).count(),
            None => bench.status.as_ref().and_then(|status| status.tenants).unwrap_or_default() as usize,
        };
        let tenants = |bench| u32::try_from(count(bench)).unwrap_or(u32::MAX);
        let candidates: Vec<Candidate<'_>> = benches.iter().map(|bench| Candidate { bench, tenants: tenants(bench) }).collect();
        let chosen = choose(&candidates)?;
        let carried = lanes.entry(chosen.clone()).or_default();
        carried.known.insert(tenant.clone());
        carried.placed.insert(tenant.clone(), None);
        Ok(chosen)
    }
}

impl Reconciler {
    pub(super) async fn benches(&self) -> Result<Vec<Bench>, Error> {
        let all = Api::<Bench>::all(self.client.clone()).list(&ListParams::default()).await;
        Ok(all.map_err(|source| Error::cluster("list", "Bench", "all", source))?.items)
    }

    pub(super) async fn place(&self, tenant: &Tenant, benches: &[Bench]) -> Result<Result<BenchRef, Problem>, Error> {
        let name = ObjectName::of(tenant);
        for bench in benches {
            let (at, capacity) =
                (place::reference(bench), bench.spec.capacity.as_ref().map(|capacity| capacity.tenants as usize));
            if capacity.is_some_and(|capacity| self.placements.unknown(&at, &name, capacity)) {
                let since = Instant::now();
                self.placements.read(&at, self.live.carried(&at).await?, since);
            }
        }
        let home = tenant.namespace().unwrap_or_default();
        let namespace = Api::<Namespace>::all(self.client.clone()).get_metadata(&home).await;
        let namespace = namespace.map_err(|source| Error::cluster("get", "Namespace", home, source))?;
        let choose = |candidates: &[Candidate<'_>]| place::choose(tenant, namespace.labels(), candidates);
        Ok(self.placements.choose(&name, benches, choose))
    }
}

//! Where a new Tenant goes, with an eye on how many a Bench takes: also when many come at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// It takes only so many: everybody on it has to be known.
    limited: bool,
}

impl Carried {
    fn others(&self, tenant: &ObjectName) -> usize {
        self.known.len() - usize::from(self.known.contains(tenant))
    }

    /// Placed, but for this one, and without its claims.
    fn coming(&self, tenant: &ObjectName) -> usize {
        self.placed.iter().filter(|(other, claimed)| claimed.is_none() && *other != tenant).count()
    }
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
            if !carried.limited {
                carried.placed.remove(tenant);
                carried.known.remove(tenant);
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
            let Carried { known, placed, limited: _ } = carried;
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
        let is_full = |carried: &Carried| carried.others(tenant) >= capacity;
        lanes.get(bench).is_none_or(|carried| !carried.limited || is_full(carried))
    }

    fn read(&self, bench: &BenchRef, listed: BTreeSet<ObjectName>, since: Instant) {
        let mut lanes = self.lanes();
        let carried = lanes.entry(bench.clone()).or_default();
        carried.placed.retain(|_, claimed| claimed.is_none_or(|at| at >= since));
        carried.limited = true;
        carried.known = listed;
        carried.known.extend(carried.placed.keys().cloned());
    }

    /// Chosen and noted in one, so that no two Tenants are given the last place. `carries`: how many sites are on a Bench.
    fn choose(
        &self,
        tenant: &ObjectName,
        benches: &[Bench],
        carries: impl Fn(&Bench) -> usize,
        choose: impl FnOnce(&[Candidate<'_>]) -> Result<BenchRef, Problem>,
    ) -> Result<BenchRef, Problem> {
        let mut lanes = self.lanes();
        let count = |bench: &Bench| match lanes.get(&place::reference(bench)).filter(|_| bench.spec.capacity.is_some()) {
            Some(carried) => carried.others(tenant),
            // Those that were sent there just now and have no claim yet would all be sent to one.
            None => carries(bench) + lanes.get(&place::reference(bench)).map_or(0, |carried| carried.coming(tenant)),
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
    pub(super) async fn benches(&self) -> Result<Arc<Vec<Bench>>, Error> {
        if let Some(known) = self.live.shelves.benches.all() {
            return Ok(known);
        }
        let all = Api::<Bench>::all(self.client.clone()).list(&ListParams::default()).await;
        Ok(Arc::new(all.map_err(|source| Error::cluster("list", "Bench", "all", source))?.items))
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
        let carries = |bench: &Bench| {
            let told = || bench.status.as_ref().and_then(|status| status.tenants).unwrap_or_default() as usize;
            self.live.count_on(&place::reference(bench)).unwrap_or_else(told)
        };
        Ok(self.placements.choose(&name, benches, carries, choose))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BENCHES: usize = 100;
    const TENANTS: usize = 10_000;

    fn bench(number: usize, capacity: Option<usize>, drain: bool) -> Bench {
        let text = include_str!("../../examples/bench.yaml");
        let mut bench: Bench = serde_yaml::from_str(text).expect("an example");
        bench.metadata.name = Some(format!("bench-{number}"));
        bench.spec.capacity =
            serde_json::from_value(json!(capacity.map(|tenants| json!({"tenants": tenants})))).expect("a capacity");
        bench.spec.drain = drain;
        bench
    }

    /// Places them all, a few of them at a time without their claims; how many each Bench has at the end.
    fn place_all(benches: &[Bench]) -> HashMap<BenchRef, usize> {
        let placements = Placements::default();
        let labels = BTreeMap::from([("saas".to_owned(), "true".to_owned())]);
        let mut on: HashMap<BenchRef, usize> = HashMap::new();
        let mut coming: Vec<(ObjectName, BenchRef)> = vec![];
        for bench in benches.iter().filter(|bench| bench.spec.capacity.is_some()) {
            placements.read(&place::reference(bench), BTreeSet::new(), Instant::now());
        }
        for number in 0..TENANTS {
            let tenant = json!({"metadata": {"name": format!("t{number}"), "namespace": "customers"}, "spec": {
                "subdomain": format!("t{number}"), "plan": "starter", "admin": {"email": "a@b.test"},
            }});
            let tenant: Tenant = serde_json::from_value(tenant).expect("a Tenant");
            let carries = |bench: &Bench| on.get(&place::reference(bench)).copied().unwrap_or_default();
            let choose = |candidates: &[Candidate<'_>]| place::choose(&tenant, &labels, candidates);
            let at = placements.choose(&ObjectName::of(&tenant), benches, carries, choose).expect("a place");
            coming.push((ObjectName::of(&tenant), at));
            if coming.len() == 8 {
                for (name, at) in coming.drain(..) {
                    placements.claimed(&name);
                    *on.entry(at).or_default() += 1;
                }
            }
        }
        on
    }

    #[test]
    fn ten_thousand_tenants_spread_evenly_over_a_hundred_benches_and_none_goes_to_one_that_is_drained() {
        let benches: Vec<Bench> = (0..BENCHES).map(|number| bench(number, None, number % 10 == 0)).collect();
        let on = place_all(&benches);
        assert_eq!(on.len(), 90);
        assert!(on.values().all(|count| (111..=112).contains(count)), "{on:?}");
    }

    #[test]
    fn nor_does_any_bench_get_more_than_it_takes() {
        let benches: Vec<Bench> =
            (0..BENCHES).map(|number| bench(number, Some(if number < 50 { 150 } else { 60 }), false)).collect();
        let on = place_all(&benches);
        let most = |bench: &Bench| bench.spec.capacity.as_ref().map_or(0, |capacity| capacity.tenants as usize);
        assert!(benches.iter().all(|bench| on[&place::reference(bench)] <= most(bench)), "{on:?}");
        assert_eq!(on.values().sum::<usize>(), TENANTS);
    }
}

//! Where a new Tenant goes, with an eye on how many a Bench takes: also when many come at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use super::tenant::{Reconciler, object_name};
use crate::api::{Bench, BenchRef, Tenant};
use crate::core::place::{self, Candidate};
use crate::core::subject::{ObjectName, Problem};
use crate::world::Error;

/// Whom this process has placed: a Bench's status, and a list that is on its way, know of them a little later.
#[derive(Default)]
pub struct Placements(Mutex<HashMap<BenchRef, BTreeSet<ObjectName>>>);

impl Placements {
    /// The Tenant holds nothing any more, or could not take what it needs.
    pub fn forget(&self, tenant: &ObjectName) {
        let mut placed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tenants in placed.values_mut() {
            tenants.remove(tenant);
        }
    }

    /// Chosen and noted in one, so that no two Tenants are given the last place.
    fn choose(
        &self,
        tenant: &ObjectName,
        counted: &[Counted<'_>],
        choose: impl FnOnce(&[Candidate<'_>]) -> Result<BenchRef, Problem>,
    ) -> Result<BenchRef, Problem> {
        let mut placed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let none = BTreeSet::new();
        let candidates: Vec<Candidate<'_>> = counted
            .iter()
            .map(|counted| {
                let here = placed.get(&place::reference(counted.bench)).unwrap_or(&none).iter().filter(|other| *other != tenant);
                let tenants = match &counted.carried {
                    Carried::About(tenants) => *tenants as usize + here.count(),
                    Carried::Named(all) => here.filter(|other| !all.contains(*other)).count() + all.len(),
                };
                Candidate { bench: counted.bench, tenants: u32::try_from(tenants).unwrap_or(u32::MAX) }
            })
            .collect();
        let chosen = choose(&candidates)?;
        placed.entry(chosen.clone()).or_default().insert(tenant.clone());
        Ok(chosen)
    }

    fn at(&self, bench: &BenchRef) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bench).map_or(0, BTreeSet::len)
    }
}

struct Counted<'a> {
    bench: &'a Bench,
    carried: Carried,
}

enum Carried {
    /// As its status says; with those placed since, never too few.
    About(u32),
    Named(BTreeSet<ObjectName>),
}

impl Reconciler {
    pub(super) async fn benches(&self) -> Result<Vec<Bench>, Error> {
        let all = Api::<Bench>::all(self.client.clone()).list(&ListParams::default()).await;
        Ok(all.map_err(|source| Error::cluster("list", "Bench", "all", source))?.items)
    }

    pub(super) async fn place(&self, tenant: &Tenant, benches: &[Bench]) -> Result<Result<BenchRef, Problem>, Error> {
        let mut counted = vec![];
        for bench in benches {
            counted.push(Counted { bench, carried: self.carried(bench).await? });
        }
        let home = tenant.namespace().unwrap_or_default();
        let namespace = Api::<Namespace>::all(self.client.clone()).get_metadata(&home).await;
        let namespace = namespace.map_err(|source| Error::cluster("get", "Namespace", home, source))?;
        let choose = |candidates: &[Candidate<'_>]| place::choose(tenant, namespace.labels(), candidates);
        Ok(self.placements.choose(&object_name(tenant), &counted, choose))
    }

    /// Counted one by one only where it may matter: a Bench that is far from full is not asked for all of its claims.
    async fn carried(&self, bench: &Bench) -> Result<Carried, Error> {
        let at = place::reference(bench);
        let said = bench.status.as_ref().and_then(|status| status.tenants);
        let placed = self.placements.at(&at);
        let room = |tenants: u32| match &bench.spec.capacity {
            None => true,
            Some(capacity) => (tenants as usize).saturating_add(placed) < capacity.tenants as usize,
        };
        match said.or(bench.spec.capacity.is_none().then_some(0)) {
            Some(tenants) if room(tenants) => Ok(Carried::About(tenants)),
            _ => Ok(Carried::Named(self.live.carried(&at).await?)),
        }
    }
}

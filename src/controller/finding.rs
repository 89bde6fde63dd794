//! What has to be read before a pass can begin: the claims that bear the Tenant's name, its Bench, and who it is.

use kube::ResourceExt;
use kube::api::Api;

use super::tenant::Reconciler;
use crate::api::{Bench, BenchRef, Tenant};
use crate::core::identity::{self, Custody, Facts, Held, Identity, Named};
use crate::core::place;
use crate::core::subject::{ObjectName, Problem, site_of};
use crate::world::Error;
use crate::world::error::Class;

/// A Tenant that may go on.
pub struct Found {
    pub bench: Bench,
    pub identity: Identity,
}

/// Secrets in custody that bear a Tenant's name, and the Benches that it can be on.
struct Left {
    benches: Vec<Bench>,
    /// Those in whose namespaces it could not be looked for, and why.
    closed: Vec<Bench>,
    denied: Vec<(String, Error)>,
    custody: Vec<Custody>,
}

/// The Bench on which these secrets are the Tenant's own.
fn home<'a>(custody: &Custody, tenant: &Tenant, benches: &'a [Bench]) -> Option<&'a Bench> {
    benches.iter().find(|bench| place::reference(bench) == custody.bench && site_of(&tenant.spec, &bench.spec) == custody.site)
}

impl Reconciler {
    pub(super) async fn find(&self, tenant: &Tenant, named: Named) -> Result<Result<Found, Problem>, Error> {
        let (bench, custody) = match named.bench() {
            Some(at) => (at.clone(), vec![]),
            None => match self.new_place(tenant).await? {
                Ok(place) => place,
                Err(problem) => return Ok(Err(problem)),
            },
        };
        let Some(bench) = self.find_bench(&bench).await? else {
            let message = format!("Bench {}/{} is not there: create it again", bench.namespace, bench.name);
            return Ok(Err(Problem::passing("BenchNotFound", message)));
        };
        let site = match identity::asks_for_site(tenant, &named) {
            true => self.live.claim(&identity::site_claim(tenant, &bench)).await?,
            false => None,
        };
        let holder_lives = self.lives(tenant, &named, site.as_ref()).await?;
        let facts = Facts { tenant, bench: &bench, named, custody: &custody, site: site.as_ref(), holder_lives };
        Ok(identity::decide(facts).map(|identity| Found { bench, identity }))
    }

    /// Where a Tenant without a record may go. One that left its secrets in custody goes where they are.
    async fn new_place(&self, tenant: &Tenant) -> Result<Result<(BenchRef, Vec<Custody>), Problem>, Error> {
        let Left { benches, closed, custody, mut denied } = self.custody_of(tenant, true).await?;
        let named = tenant.spec.bench_ref.as_ref();
        let only = closed.iter().any(|bench| named.is_none_or(|named| place::reference(bench) == *named));
        if let Some((_, error)) = denied.pop().filter(|_| only && (named.is_some() || benches.is_empty())) {
            return Err(error);
        }
        let known = match custody.as_slice() {
            [one] if tenant.spec.bench_ref.as_ref().is_none_or(|at| *at == one.bench) => {
                home(one, tenant, &benches).map(place::reference)
            }
            _ => None,
        };
        Ok(match known {
            Some(bench) => Ok((bench, custody)),
            None => self.place(tenant, &benches).await?.map(|bench| (bench, custody)),
        })
    }

    /// What a Tenant without a record left in custody, of the very site that it would have.
    pub(super) async fn left_in_custody(&self, tenant: &Tenant) -> Result<Vec<Custody>, Error> {
        let Left { benches, mut custody, denied, .. } = self.custody_of(tenant, false).await?;
        custody.retain(|one| home(one, tenant, &benches).is_some());
        let placed = tenant.status.as_ref().and_then(|status| status.bench.as_ref()).or(tenant.spec.bench_ref.as_ref());
        let here = |(namespace, _): &(String, Error)| placed.is_some_and(|at| at.namespace == *namespace);
        match denied.into_iter().find(here).filter(|_| custody.is_empty()) {
            // What it left there cannot be seen.
            Some((_, error)) => Err(error),
            None => Ok(custody),
        }
    }

    async fn custody_of(&self, tenant: &Tenant, cached: bool) -> Result<Left, Error> {
        let benches = self.benches().await?;
        let mut namespaces: Vec<String> = benches.iter().filter_map(Bench::namespace).collect();
        namespaces.sort();
        namespaces.dedup();
        let (mut custody, mut denied) = (vec![], vec![]);
        for namespace in namespaces {
            match self.live.custodies(&ObjectName::of(tenant), &namespace, cached).await {
                Ok(found) => custody.extend(found),
                // A Bench where nothing is granted is no place for this Tenant, and no reason to keep it from the others.
                Err(error) if error.class() == Class::Denied => {
                    tracing::warn!(namespace, %error, "custody can't be looked for");
                    denied.push((namespace, error));
                }
                Err(error) => return Err(error),
            }
        }
        // What is kept there may be this Tenant's own: it must not begin anew where that cannot be known.
        let open = |bench: &Bench| !denied.iter().any(|(namespace, _)| bench.namespace().as_ref() == Some(namespace));
        let (benches, closed): (Vec<Bench>, Vec<Bench>) = benches.iter().cloned().partition(open);
        Ok(Left { benches, closed, custody, denied })
    }

    pub(super) async fn find_bench(&self, at: &BenchRef) -> Result<Option<Bench>, Error> {
        match self.live.shelves.benches.get(&at.namespace, &at.name) {
            Some(known) => Ok(known),
            None => self.ask_bench(at).await,
        }
    }

    /// Of the API server, never of a cache.
    pub(super) async fn ask_bench(&self, at: &BenchRef) -> Result<Option<Bench>, Error> {
        let benches: Api<Bench> = Api::namespaced(self.client.clone(), &at.namespace);
        benches.get_opt(&at.name).await.map_err(|source| Error::cluster("get", "Bench", at.name.clone(), source))
    }

    /// Whether the Tenant that holds the site is still there; asked of the API server, never of a cache.
    async fn lives(&self, tenant: &Tenant, named: &Named, site: Option<&Held>) -> Result<bool, Error> {
        let Some(held) = site.filter(|held| held.record.is_some() && !matches!(named, Named::Kept(_))) else { return Ok(false) };
        let holder = identity::object_name(&held.holder);
        if holder == ObjectName::of(tenant) {
            return Ok(false);
        }
        let tenants: Api<Tenant> = Api::namespaced(self.client.clone(), &holder.namespace);
        let found = tenants.get_metadata_opt(&holder.name).await;
        Ok(found.map_err(|source| Error::cluster("get", "Tenant", holder.name, source))?.is_some())
    }
}

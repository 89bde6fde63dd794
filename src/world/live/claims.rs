//! Claims and the record: taken by a plain create, written only onto the version that was read, released only while they are ours. What
//! watches have told is as good as a question where it only has to be seen; once the API server refuses something, it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, ListParams, PartialObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::pages::each;
use super::shelf::Keys;
use super::shelves::{bearer_of, bench_of, tenant};
use super::{Live, absent, is_open};
use crate::api::{BenchRef, Holder, Phase, TenantClaim, TenantClaimSpec};
use crate::core::carried::Carried;
use crate::core::identity::{Handover, Held};
use crate::core::names::{self, label};
use crate::core::op::{Change, Claim};
use crate::core::record;
use crate::core::seen::{ClaimSeen, ClaimState};
use crate::core::subject::{ObjectName, Remembered, Subject};
use crate::world::error::Class;
use crate::world::{Effect, Error};

const KIND: &str = "TenantClaim";

impl Live {
    fn claims(&self) -> Api<TenantClaim> {
        Api::all(self.client.clone())
    }

    /// The claims that bear a Tenant's name: neither uid nor status is needed to find it again.
    pub async fn recall(&self, tenant: &ObjectName) -> Result<Vec<Held>, Error> {
        if let Some(claims) = self.shelves.claims.of(bearer_of(tenant)) {
            return Ok(claims.iter().filter(|claim| self::tenant(&claim.metadata).as_ref() == Some(tenant)).map(held).collect());
        }
        self.ask_claims(tenant).await
    }

    /// The same of the API server, never of a cache.
    pub async fn ask_claims(&self, tenant: &ObjectName) -> Result<Vec<Held>, Error> {
        let found = self.claims().list(&ListParams::default().labels(&bearing(tenant))).await;
        let claims = found.map_err(|source| Error::cluster("list", KIND, tenant.name.clone(), source))?.items;
        Ok(claims.iter().map(held).collect())
    }

    /// Whoever holds it.
    pub async fn claim(&self, name: &str) -> Result<Option<Held>, Error> {
        Ok(self.find_claim(name).await?.as_ref().map(held))
    }

    async fn find_claim(&self, name: &str) -> Result<Option<TenantClaim>, Error> {
        if let Some(known) = self.shelves.claims.get("", name) {
            return Ok(known);
        }
        let found = self.claims().get_opt(name).await.map_err(|source| Error::cluster("get", KIND, name, source))?;
        found.iter().for_each(|found| self.shelves.claims.wrote(found));
        Ok(found)
    }

    /// How many sites are on a Bench; none where it is not known.
    pub fn count_on(&self, bench: &BenchRef) -> Option<usize> {
        self.shelves.claims.count(bench_of(bench))
    }

    /// The tenants whose sites are on a Bench; none where only the API server can say.
    pub fn known_on(&self, bench: &BenchRef) -> Option<Vec<Carried>> {
        let mut carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = carried.entry(bench.clone()).or_default();
        let known = self.shelves.claims.group(bench_of(bench), seen, |claim| Carried::of(claim, bench))?;
        Some(known.into_iter().flatten().collect())
    }

    /// Nothing is left to remember of a Bench that is gone.
    pub fn close_bench(&self, bench: &BenchRef) {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).remove(bench);
    }

    /// The tenants that a Bench carries, by their objects' names; without what their claims hold, and page by page.
    pub async fn carried(&self, bench: &BenchRef) -> Result<BTreeSet<ObjectName>, Error> {
        let labels = format!("{}={},{}={}", label::BENCH, bench.name, label::BENCH_NAMESPACE, bench.namespace);
        let claims: Api<PartialObjectMeta<TenantClaim>> = Api::all(self.client.clone());
        let mut carried = BTreeSet::new();
        let listed = each(&claims, ListParams::default().labels(&labels), |claim| carried.extend(tenant(&claim.metadata))).await;
        listed.map_err(|source| Error::cluster("list", KIND, bench.name.clone(), source)).map(|()| carried)
    }

    pub(super) async fn see_claims(&self, who: &Subject) -> Result<Vec<ClaimSeen>, Error> {
        let mut wanted: Vec<Claim> = [&who.hosts.api, &who.hosts.frontend]
            .map(|host| Claim { name: names::host_claim(host), host: Some(host.clone()) })
            .into();
        wanted.push(Claim { name: who.site_claim(), host: None });
        wanted.sort();
        let mut seen = vec![];
        for claim in wanted {
            let found = self.find_claim(&claim.name).await?;
            let state = match found {
                None => ClaimState::Free,
                Some(found) if found.spec.holder.id == who.id => ClaimState::Ours,
                Some(found) if found.spec.record.as_ref().is_some_and(|record| record.phase != Phase::Active) => ClaimState::Kept,
                Some(found) => ClaimState::Theirs(found.spec.holder.namespace, found.spec.holder.name),
            };
            seen.push(ClaimSeen { name: claim.name, host: claim.host, state });
        }
        Ok(seen)
    }

    pub(super) async fn take_claims(&self, who: &Subject, claims: &[Claim]) -> Result<Effect, Error> {
        let mut effect = Effect::None;
        for claim in claims {
            match self.claims().create(&PostParams::default(), &new(who, claim)).await {
                Ok(made) => {
                    self.shelves.claims.wrote(&made);
                    effect = remembered(&made).map_or(effect, |record| Effect::Record(Box::new(record)));
                }
                // Somebody was faster, or an answer of ours was lost: the next look tells which.
                Err(kube::Error::Api(status)) if status.is_already_exists() => {
                    self.shelves.claims.doubt("", &claim.name, Keys::default());
                    return Ok(effect);
                }
                Err(source) => {
                    if is_open(&source) {
                        let group = claim.host.is_none().then(|| bench_of(&who.bench_ref()));
                        self.shelves.claims.doubt("", &claim.name, Keys { whose: Some(bearer_of(&who.tenant)), group });
                    }
                    return Err(Error::cluster("create", KIND, &claim.name, source));
                }
            }
        }
        Ok(effect)
    }

    /// Hosts first, and the key that the earlier Tenant may have left: whoever bears its name again must find nothing of this one's.
    pub(super) async fn take_over(&self, who: &Subject, handover: &Handover) -> Result<Effect, Error> {
        let ours = ListParams::default().labels(&format!("{}={}", label::ID, who.id));
        let found = self.claims().list(&ours).await.map_err(|source| Error::cluster("list", KIND, who.id.clone(), source))?;
        let hosts = found.items.iter().filter(|claim| claim.spec.record.is_none());
        let hosts: Vec<String> = hosts.filter_map(|claim| claim.metadata.name.clone()).collect();
        self.release_claims(&who.id, &hosts).await?;
        let removed = self.remove_secret(who, &handover.from.namespace, &handover.secret).await;
        if let Err(error) = removed {
            // With its namespace went our permissions there, and the Secret.
            if error.class() != Class::Denied || !self.ending(&handover.from.namespace).await? {
                return Err(error);
            }
        }
        let name = who.site_claim();
        let Some(Remembered { record, version }) = &who.record else { return Err(Error::Changed { kind: KIND, name }) };
        let holder = Holder { id: who.id.clone(), namespace: who.tenant.namespace.clone(), name: who.tenant.name.clone() };
        self.write_claim(
            &name,
            json!([
                {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
                {"op": "replace", "path": "/metadata/labels", "value": site_labels(who)},
                {"op": "replace", "path": "/spec/holder", "value": holder},
                {"op": "replace", "path": "/spec/record", "value": record},
            ]),
        )
        .await
    }

    /// Deletes claims of ours; each only in the version that was seen to be ours.
    pub async fn release_claims(&self, id: &str, claims: &[String]) -> Result<(), Error> {
        for name in claims {
            let error = |verb| move |source| Error::cluster(verb, KIND, name, source);
            let Some(found) = self.claims().get_opt(name).await.map_err(error("get"))? else {
                self.shelves.claims.deleted("", name, true);
                continue;
            };
            if found.spec.holder.id != id {
                continue;
            }
            let preconditions = Preconditions { uid: found.metadata.uid, resource_version: found.metadata.resource_version };
            let params = DeleteParams { preconditions: Some(preconditions), ..Default::default() };
            let deleted = self.claims().delete(name, &params).await;
            match &deleted {
                Ok(_) => self.shelves.claims.deleted("", name, true),
                Err(_) => self.shelves.claims.doubt("", name, Keys::default()),
            }
            match deleted {
                Err(source) if !absent(&source) => return Err(error("delete")(source)),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) async fn remember(&self, who: &Subject, change: &Change) -> Result<Effect, Error> {
        let name = who.site_claim();
        let Some(Remembered { record, version }) = &who.record else {
            return Err(Error::Changed { kind: KIND, name });
        };
        self.write_claim(
            &name,
            json!([
                {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
                {"op": "replace", "path": "/spec/record", "value": record::changed(record, change)},
            ]),
        )
        .await
    }

    /// Writing the version that was read makes the API server refuse the patch where somebody else was faster.
    async fn write_claim(&self, name: &str, patch: Value) -> Result<Effect, Error> {
        let patch = serde_json::from_value(patch);
        let patch = patch.map_err(|problem| Error::Unusable { what: "the record".to_owned(), problem: problem.to_string() })?;
        let written = self.claims().patch(name, &PatchParams::default(), &Patch::Json::<()>(patch)).await;
        if written.is_err() {
            self.shelves.claims.doubt("", name, Keys::default());
        }
        match written {
            Ok(claim) => {
                self.shelves.claims.wrote(&claim);
                Ok(remembered(&claim).map_or(Effect::None, |record| Effect::Record(Box::new(record))))
            }
            Err(kube::Error::Api(status)) if status.is_conflict() => Err(Error::Changed { kind: KIND, name: name.to_owned() }),
            Err(source) => Err(Error::cluster("patch", KIND, name, source)),
        }
    }
}

fn remembered(claim: &TenantClaim) -> Option<Remembered> {
    Some(Remembered { record: claim.spec.record.clone()?, version: claim.metadata.resource_version.clone()? })
}

fn held(claim: &TenantClaim) -> Held {
    let name = claim.metadata.name.clone().unwrap_or_default();
    Held { name, holder: claim.spec.holder.clone(), record: remembered(claim) }
}

/// The selector of what bears a Tenant's name.
pub(super) fn bearing(tenant: &ObjectName) -> String {
    format!("{}={},{}={}", label::TENANT, tenant.name, label::TENANT_NAMESPACE, tenant.namespace)
}

/// Of a site's claim: by these a Bench's tenants are counted.
fn site_labels(who: &Subject) -> BTreeMap<String, String> {
    let mut labels = who.labels();
    labels.insert(label::BENCH_NAMESPACE.to_owned(), who.bench.namespace.clone());
    labels
}

fn new(who: &Subject, claim: &Claim) -> TenantClaim {
    let holder = Holder { id: who.id.clone(), namespace: who.tenant.namespace.clone(), name: who.tenant.name.clone() };
    let record = claim.host.is_none().then(|| record::first(who));
    let labels = if record.is_some() { site_labels(who) } else { who.labels() };
    TenantClaim {
        metadata: ObjectMeta { name: Some(claim.name.clone()), labels: Some(labels), ..Default::default() },
        spec: TenantClaimSpec { holder, host: claim.host.clone(), record },
    }
}

//! Claims and the record: taken by a plain create, read from the API and never from a cache, released only while they are ours.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::json;

use super::{Live, absent};
use crate::api::{Holder, TenantClaim, TenantClaimSpec};
use crate::core::names::{self, label};
use crate::core::op::{Change, Claim};
use crate::core::record;
use crate::core::seen::{ClaimSeen, ClaimState};
use crate::core::subject::{ObjectName, Remembered, Subject};
use crate::world::{Effect, Error};

const KIND: &str = "TenantClaim";

/// What the claims say of a tenant that is known only by its object's name.
pub struct Recalled {
    pub id: String,
    pub record: Option<Remembered>,
    /// Names of the claims it holds.
    pub claims: Vec<String>,
}

impl Live {
    fn claims(&self) -> Api<TenantClaim> {
        Api::all(self.client.clone())
    }

    /// Finds a tenant again by the labels of its claims: neither uid nor status is needed.
    pub async fn recall(&self, tenant: &ObjectName) -> Result<Option<Recalled>, Error> {
        let labels = format!("{}={},{}={}", label::TENANT, tenant.name, label::TENANT_NAMESPACE, tenant.namespace);
        let found = self.claims().list(&ListParams::default().labels(&labels)).await;
        let claims = found.map_err(|source| Error::cluster("list", KIND, tenant.name.clone(), source))?.items;
        let record = claims.iter().find(|claim| claim.spec.record.is_some());
        let Some(first) = record.or(claims.first()) else { return Ok(None) };
        Ok(Some(Recalled {
            id: first.spec.holder.id.clone(),
            record: record.and_then(remembered),
            claims: claims.iter().filter_map(|claim| claim.metadata.name.clone()).collect(),
        }))
    }

    pub(super) async fn see_claims(&self, who: &Subject) -> Result<Vec<ClaimSeen>, Error> {
        let mut wanted: Vec<Claim> = [&who.hosts.api, &who.hosts.frontend]
            .map(|host| Claim { name: names::host_claim(host), host: Some(host.clone()) })
            .into();
        wanted.push(Claim { name: who.site_claim(), host: None });
        wanted.sort();
        let mut seen = vec![];
        for claim in wanted {
            let found =
                self.claims().get_opt(&claim.name).await.map_err(|source| Error::cluster("get", KIND, &claim.name, source))?;
            let state = match found {
                None => ClaimState::Free,
                Some(found) if found.spec.holder.id == who.id => ClaimState::Ours,
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
                Ok(made) => effect = remembered(&made).map_or(effect, |record| Effect::Record(Box::new(record))),
                // Somebody was faster, or an answer of ours was lost: the next look tells which.
                Err(kube::Error::Api(status)) if status.is_already_exists() => return Ok(effect),
                Err(source) => return Err(Error::cluster("create", KIND, &claim.name, source)),
            }
        }
        Ok(effect)
    }

    /// Deletes claims of ours; each only in the version that was seen to be ours.
    pub async fn release_claims(&self, id: &str, claims: &[String]) -> Result<(), Error> {
        for name in claims {
            let error = |verb| move |source| Error::cluster(verb, KIND, name, source);
            let Some(found) = self.claims().get_opt(name).await.map_err(error("get"))? else { continue };
            if found.spec.holder.id != id {
                continue;
            }
            let preconditions = Preconditions { uid: found.metadata.uid, resource_version: found.metadata.resource_version };
            let params = DeleteParams { preconditions: Some(preconditions), ..Default::default() };
            match self.claims().delete(name, &params).await {
                Ok(_) => {}
                Err(source) if absent(&source) => {}
                Err(source) => return Err(error("delete")(source)),
            }
        }
        Ok(())
    }

    pub(super) async fn remember(&self, who: &Subject, change: &Change) -> Result<Effect, Error> {
        let name = who.site_claim();
        let Some(Remembered { record, version }) = &who.record else {
            return Err(Error::Changed { kind: KIND, name });
        };
        // Writing the version that was read makes the API server refuse the patch where somebody else was faster.
        let patch = serde_json::from_value(json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "replace", "path": "/spec/record", "value": record::changed(record, change)},
        ]));
        let patch = patch.map_err(|problem| Error::Unusable { what: "the record".to_owned(), problem: problem.to_string() })?;
        match self.claims().patch(&name, &PatchParams::default(), &Patch::Json::<()>(patch)).await {
            Ok(claim) => Ok(remembered(&claim).map_or(Effect::None, |record| Effect::Record(Box::new(record)))),
            Err(kube::Error::Api(status)) if status.is_conflict() => Err(Error::Changed { kind: KIND, name }),
            Err(source) => Err(Error::cluster("patch", KIND, name, source)),
        }
    }
}

fn remembered(claim: &TenantClaim) -> Option<Remembered> {
    Some(Remembered { record: claim.spec.record.clone()?, version: claim.metadata.resource_version.clone()? })
}

fn new(who: &Subject, claim: &Claim) -> TenantClaim {
    let holder = Holder { id: who.id.clone(), namespace: who.tenant.namespace.clone(), name: who.tenant.name.clone() };
    let record = claim.host.is_none().then(|| record::first(who));
    TenantClaim {
        metadata: ObjectMeta { name: Some(claim.name.clone()), labels: Some(who.labels()), ..Default::default() },
        spec: TenantClaimSpec { holder, host: claim.host.clone(), record },
    }
}

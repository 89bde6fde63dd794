//! Claims with versions: made by a plain create, changed from the version that was read, deleted only while they are the tenant's.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tenant_operator::api::{Holder, Receipt, Record};
use tenant_operator::core::names;
use tenant_operator::core::op::{Change, Claim};
use tenant_operator::core::record;
use tenant_operator::core::seen::{ClaimSeen, ClaimState};
use tenant_operator::core::subject::{ObjectName, Remembered, Subject};
use tenant_operator::world::{Effect, Error};

use super::Outside;
use crate::guards::Guard;

#[derive(Clone, Debug)]
pub struct Claimed {
    pub holder: Holder,
    pub record: Option<Record>,
    pub version: u64,
    /// Receipts of a later release of the operator that were written into the record.
    pub notes: Vec<String>,
}

/// What the claims say of a tenant that is known only by its object's name.
pub struct Recalled {
    pub id: String,
    pub record: Option<Remembered>,
    pub claims: Vec<String>,
}

impl Claimed {
    fn remembered(&self) -> Option<Remembered> {
        Some(Remembered { record: self.record.clone()?, version: self.version.to_string() })
    }
}

impl Outside {
    pub fn recall(&self, tenant: &ObjectName) -> Option<Recalled> {
        let held = |claim: &&Claimed| claim.holder.name == tenant.name && claim.holder.namespace == tenant.namespace;
        let record = self.claims.values().filter(held).find(|claim| claim.record.is_some());
        let first = record.or_else(|| self.claims.values().find(held))?;
        let claims = self.claims.iter().filter(|(_, claim)| held(claim));
        Some(Recalled {
            id: first.holder.id.clone(),
            record: record.and_then(Claimed::remembered),
            claims: claims.map(|(name, _)| name.clone()).collect(),
        })
    }

    pub fn see_claims(&self, who: &Subject) -> Vec<ClaimSeen> {
        let host = |host: &String| (names::host_claim(host), Some(host.clone()));
        let mut wanted = vec![host(&who.hosts.api), host(&who.hosts.frontend), (who.site_claim(), None)];
        wanted.sort();
        let state = |name: &String| match self.claims.get(name) {
            None => ClaimState::Free,
            Some(claim) if claim.holder.id == who.id => ClaimState::Ours,
            Some(_) if !self.guards(Guard::Claim) => ClaimState::Free,
            Some(_) if !self.guards(Guard::Holder) => ClaimState::Ours,
            Some(claim) => ClaimState::Theirs(claim.holder.namespace.clone(), claim.holder.name.clone()),
        };
        wanted.into_iter().map(|(name, host)| ClaimSeen { state: state(&name), name, host }).collect()
    }

    pub fn take_claims(&mut self, who: &Subject, claims: &[Claim]) -> Result<Effect, Error> {
        let mut effect = Effect::None;
        for claim in claims {
            self.about_to(&claim.name)?;
            if self.claims.contains_key(&claim.name) && self.guards(Guard::Claim) {
                return Ok(effect);
            }
            let holder = Holder { id: who.id.clone(), namespace: who.tenant.namespace.clone(), name: who.tenant.name.clone() };
            let record = claim.host.is_none().then(|| record::first(who));
            let made = Claimed { holder, record, version: self.fresh(), notes: vec![] };
            let before = effect.clone();
            if let Some(remembered) = made.remembered() {
                effect = Effect::Record(Box::new(remembered));
            }
            self.claims.insert(claim.name.clone(), made);
            self.ids.entry(who.tenant.clone()).or_default().insert(who.id.clone());
            self.wrote(&format!("{} takes {}", who.id, claim.name))?;
            if self.strikes(self.faults.repeat) {
                // The second create finds what the first has made.
                self.say(|| "and again: it exists already".to_owned());
                return Ok(before);
            }
        }
        Ok(effect)
    }

    pub fn release_claims(&mut self, id: &str, names: &[String]) -> Result<(), Error> {
        for name in names {
            self.about_to(name)?;
            if self.claims.get(name).is_some_and(|claim| claim.holder.id == id || !self.guards(Guard::Holder)) {
                self.claims.remove(name);
                self.wrote(&format!("{id} releases {name}"))?;
            }
        }
        Ok(())
    }

    pub fn remember(&mut self, who: &Subject, change: &Change) -> Result<Effect, Error> {
        let name = who.site_claim();
        self.about_to("the record")?;
        if self.strikes(self.faults.conflict) {
            self.somebody_writes(&name);
        }
        let changed = || Error::Changed { kind: "TenantClaim", name: name.clone() };
        let read = who.record.as_ref().ok_or_else(changed)?.version.clone();
        let version = self.fresh();
        if let Some(held) =
            self.claims.get(&name).filter(|claim| claim.version.to_string() == read).and_then(|claim| claim.record.clone())
        {
            self.check_turn(who, change, &held);
        }
        let guarded = self.guards(Guard::Preconditions);
        if !self.guards(Guard::Begun) && matches!(change, Change::Stale(_)) {
            return Ok(Effect::None);
        }
        let claim = self.claims.get_mut(&name).ok_or_else(changed)?;
        if !guarded {
            // The whole record goes over whatever was written meanwhile.
            claim.record = who.record().cloned();
        } else if claim.version.to_string() != read {
            return Err(changed());
        }
        claim.record = Some(record::changed(claim.record.as_ref().ok_or_else(changed)?, change));
        claim.version = version;
        let kept = claim.record.as_ref().is_some_and(|record| claim.notes.iter().all(|note| record.receipts.contains_key(note)));
        let effect = claim.remembered().map_or(Effect::None, |record| Effect::Record(Box::new(record)));
        if !kept {
            self.fault(format!("what somebody else wrote into the record of {} is lost", who.id));
        }
        self.wrote(&format!("{} remembers {}", who.id, brief(change)))?;
        Ok(effect)
    }
}

impl Outside {
    /// Another leader, in the moment before it learns that it is none any more.
    fn somebody_writes(&mut self, name: &str) {
        let (version, now) = (self.fresh(), self.time());
        let Some(claim) = self.claims.get_mut(name) else { return };
        if let Some(record) = &mut claim.record {
            let note = format!("later-{version}");
            let receipt = Receipt { hash: note.clone(), version: "2".to_owned(), at: Time(now), facts: None };
            record.receipts.insert(note.clone(), receipt);
            claim.notes.push(note);
        }
        claim.version = version;
        self.say(|| "somebody else writes the record".to_owned());
    }
}

fn brief(change: &Change) -> String {
    match change {
        Change::Receipts(receipts) => {
            format!("receipts of {}", receipts.keys().map(|step| step.as_str()).collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

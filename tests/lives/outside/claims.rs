//! Claims with versions: made by a plain create, changed from the version that was read, deleted only while they are the tenant's.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tenant_operator::api::{Holder, Phase, Receipt, Record};
use tenant_operator::core::identity::{self, Handover, Held};
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

impl Claimed {
    fn held(&self, name: &str) -> Held {
        Held { name: name.to_owned(), holder: self.holder.clone(), record: self.remembered() }
    }

    fn remembered(&self) -> Option<Remembered> {
        Some(Remembered { record: self.record.clone()?, version: self.version.to_string() })
    }
}

impl Outside {
    /// The claims that bear a Tenant's name.
    pub fn recall(&self, tenant: &ObjectName) -> Vec<Held> {
        let all = self.claims.iter().filter(|(_, claim)| identity::object_name(&claim.holder) == *tenant);
        all.map(|(name, claim)| claim.held(name)).collect()
    }

    /// The identity that lives under a Tenant's name, or that is about to.
    pub fn id_of(&self, tenant: &ObjectName) -> Option<String> {
        let claims = self.recall(tenant);
        let record = claims.iter().find(|claim| claim.record.is_some());
        record.or(claims.first()).map(|claim| claim.holder.id.clone())
    }

    pub fn claim(&self, name: &str) -> Option<Held> {
        self.claims.get(name).map(|claim| claim.held(name))
    }

    /// The record of a tenant, whoever bears it now.
    pub fn record_of(&self, id: &str) -> Option<&Record> {
        self.claims.values().filter(|claim| claim.holder.id == id).find_map(|claim| claim.record.as_ref())
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
            Some(claim) if claim.record.as_ref().is_some_and(|record| record.phase != Phase::Active) => ClaimState::Kept,
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
            self.begin_ledger(who);
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

    pub fn take_over(&mut self, who: &Subject, handover: &Handover) -> Result<Effect, Error> {
        let hosts = self.claims.iter().filter(|(_, claim)| claim.holder.id == who.id && claim.record.is_none());
        let hosts: Vec<String> = hosts.map(|(name, _)| name.clone()).collect();
        self.release_claims(&who.id, &hosts)?;
        let left = ObjectName { namespace: handover.from.namespace.clone(), name: handover.secret.clone() };
        self.take_back(&who.id, &left)?;
        let name = who.site_claim();
        self.about_to("the record")?;
        let changed = || Error::Changed { kind: "TenantClaim", name: name.clone() };
        let (record, read) = who.record.as_ref().map(|held| (held.record.clone(), held.version.clone())).ok_or_else(changed)?;
        let from = identity::object_name(&handover.from);
        if from != who.tenant && self.objects.tenants.contains_key(&from) {
            self.fault(format!("{} is taken over while its Tenant is there", who.id));
        }
        if from != who.tenant && !self.bench.spec.adoption.site_names.contains(&who.site) {
            self.fault(format!("{} is taken over, and the Bench does not list it", who.site));
        }
        let version = self.fresh();
        let claim = self.claims.get_mut(&name).filter(|claim| claim.version.to_string() == read).ok_or_else(changed)?;
        claim.holder = Holder { id: who.id.clone(), namespace: who.tenant.namespace.clone(), name: who.tenant.name.clone() };
        (claim.record, claim.version) = (Some(record), version);
        let effect = claim.remembered().map_or(Effect::None, |record| Effect::Record(Box::new(record)));
        self.ids.entry(from).or_default().remove(&who.id);
        self.ids.entry(who.tenant.clone()).or_default().insert(who.id.clone());
        self.wrote(&format!("{} goes over to {:?}", who.id, who.tenant))?;
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
        let current = self.claims.get(&name).ok_or_else(changed)?.version.to_string() == read;
        if guarded && !current {
            return Err(changed());
        }
        self.note_change(who, change);
        let claim = self.claims.get_mut(&name).ok_or_else(changed)?;
        if !guarded {
            // The whole record goes over whatever was written meanwhile.
            claim.record = who.record().cloned();
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

//! What is known of every pair of the API key that there ever was, apart from what the operator remembers: who asked for it, when it was
//! proven and published, and what somebody did to it in the site.

use std::collections::{BTreeMap, BTreeSet};

use tenant_operator::api::{Credentials, Rotation};
use tenant_operator::core::op::Change;
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{ObjectName, Subject};

use super::Outside;
use super::steps::Given;

#[derive(Default)]
pub struct Ledger {
    /// By tenant id and number.
    made: BTreeMap<(String, u32), u64>,
    proven: BTreeMap<(String, u32), i64>,
    published: BTreeMap<u64, i64>,
    /// The token that the newest pair of a tenant was made for.
    served: BTreeMap<String, Option<String>>,
    /// Pairs that somebody made useless in the site, until they are healed.
    spoiled: BTreeSet<u64>,
    /// Secrets that somebody deleted, until they are published again.
    deleted: BTreeSet<ObjectName>,
}

/// What somebody does to a key in the site.
#[derive(Clone, Copy, Debug)]
pub enum Spoil {
    Key,
    User,
    Encryption,
}

impl Outside {
    fn credentials(&self, tenant: &ObjectName) -> Credentials {
        self.objects.tenants.get(tenant).map(|tenant| tenant.spec.credentials.clone()).unwrap_or_default()
    }

    /// The first pair is made for the token that is there from the beginning.
    pub fn begin_ledger(&mut self, who: &Subject) {
        let token = self.credentials(&who.tenant).rotate_token;
        self.ledger.served.entry(who.id.clone()).or_insert(token);
    }

    pub fn note_pair(&mut self, id: &str, serial: u32, api: u64) {
        if self.ledger.made.insert((id.to_owned(), serial), api).is_some() {
            self.fault(format!("{id} has a second pair of the number {serial}"));
        }
    }

    pub fn note_published(&mut self, name: &ObjectName, api: u64) {
        self.ledger.published.entry(api).or_insert(self.now);
        self.ledger.deleted.remove(name);
    }

    /// A change of the record, before it is made.
    pub fn note_change(&mut self, who: &Subject, change: &Change) {
        match change {
            Change::Rotation(after) => {
                let before = who.record().map(|record| record.rotation.clone()).unwrap_or_default();
                self.note_rotation(who, &before, after);
            }
            Change::Receipts(receipts) => {
                let facts = receipts.get(&Step::Proof).and_then(|proof| proof.facts.as_ref());
                let serial = facts.and_then(|facts| facts["serial"].as_u64()).and_then(|serial| u32::try_from(serial).ok());
                if let Some(serial) = serial {
                    self.ledger.proven.entry((who.id.clone(), serial)).or_insert(self.now);
                }
            }
            _ => {}
        }
    }

    /// Another pair only where the spec asks for one, once for each time that it does, and never while two are in use.
    fn note_rotation(&mut self, who: &Subject, before: &Rotation, after: &Rotation) {
        if after.serial == before.serial {
            return;
        }
        let spec = self.credentials(&who.tenant);
        let asked = spec.rotate_token.is_some() && self.ledger.served.get(&who.id) != Some(&spec.rotate_token);
        let proven = self.ledger.proven.get(&(who.id.clone(), before.serial)).copied();
        let age = proven.map_or(0, |proven| self.now - proven);
        let old_enough = spec.rotate_every().is_some_and(|every| age >= i64::try_from(every.as_secs()).unwrap_or(i64::MAX));
        if after.serial != before.serial + 1 || !(asked || old_enough) || before.serial > 0 && !before.retired || proven.is_none()
        {
            self.fault(format!("{} rotates from {before:?} to {after:?}, unasked or too early", who.id));
        }
        if spec.rotate_token.is_some() {
            self.ledger.served.insert(who.id.clone(), spec.rotate_token);
        }
    }

    fn published_of(&self, id: &str) -> Option<u64> {
        self.secrets.published.values().find(|held| held.owner.as_deref() == Some(id)).map(|held| held.api)
    }

    /// The step that sets a user's pair: it never takes the published one away.
    pub fn note_set(&mut self, id: &str, site: &str, user: &str, api: u64) {
        let held = self.dock.sites.get(site).and_then(|site| site.keys.get(user)).map(|key| key.api);
        if held.is_some_and(|held| held != api && self.published_of(id) == Some(held)) {
            self.fault(format!("the published pair of {id} is overwritten"));
        }
        self.ledger.spoiled.remove(&api);
    }

    /// The step that stops the other user: only after the pair that took its place has been published for as long as the spec says.
    pub fn note_stopped(&mut self, given: &Given, other: &str) {
        let (id, api) = (given.id().to_owned(), given.secret("TENANT_API_SECRET"));
        let held = self.dock.sites.get(given.site()).and_then(|site| site.keys.get(other)).map(|key| key.api);
        if held.is_some() && held == self.published_of(&id) {
            self.fault(format!("the published pair of {id} is stopped"));
        }
        let owner = self.ids.iter().find(|(_, ids)| ids.contains(&id)).map(|(name, _)| name.clone());
        let overlap = owner.map(|name| self.credentials(&name).overlap().as_secs()).unwrap_or_default();
        let since = self.ledger.published.get(&api).map(|at| self.now - at);
        if since.is_none_or(|since| since < i64::try_from(overlap).unwrap_or(i64::MAX)) {
            self.fault(format!("the pair before of {id} is stopped {since:?} s after the other was published"));
        }
    }

    pub fn is_deleted(&self, name: &ObjectName) -> bool {
        self.ledger.deleted.contains(name)
    }

    pub fn is_spoiled(&self, api: u64) -> bool {
        self.ledger.spoiled.contains(&api)
    }

    /// Somebody changes the published key in the site.
    pub fn spoil(&mut self, tenant: &ObjectName, what: Spoil) {
        let Some(id) = self.id_of(tenant) else { return };
        let (Some(api), other) = (self.published_of(&id), self.fresh()) else { return };
        let Some(site) = self.dock.sites.values_mut().find(|site| site.is_of(&id)) else { return };
        self.ledger.spoiled.extend(site.keys.values().map(|key| key.api));
        let key = site.keys.values_mut().find(|key| key.api == api);
        match (what, key) {
            (Spoil::Key, Some(key)) => key.api = other,
            (Spoil::User, Some(key)) => key.revoked = true,
            (Spoil::Encryption, _) => site.encryption = other,
            (Spoil::Key | Spoil::User, None) => {}
        }
        self.say(|| format!("by hand: {what:?} of {id}"));
    }

    /// Somebody deletes the tenant's own Secret.
    pub fn unpublish(&mut self, tenant: &ObjectName) {
        let Some(id) = self.id_of(tenant) else { return };
        let of_tenant = self.secrets.published.iter().find(|(_, held)| held.owner.as_deref() == Some(&id));
        let Some(name) = of_tenant.map(|(name, _)| name.clone()) else { return };
        self.secrets.published.remove(&name);
        self.ledger.deleted.insert(name);
        self.stir();
    }

    /// What is published works again, or nothing is published.
    pub fn is_healed(&self, tenant: &ObjectName) -> bool {
        let Some(id) = self.id_of(tenant) else { return true };
        let site = self.dock.sites.iter().find(|(_, site)| site.is_of(&id)).map(|(name, _)| name);
        self.published_of(&id).is_none_or(|api| site.is_some_and(|site| self.dock.accepts(site, api)))
    }

    pub fn forget_spoiled(&mut self) {
        self.ledger.spoiled.clear();
    }
}

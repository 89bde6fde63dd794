//! Secrets by the identity of what they hold: a number stands for a value, equal numbers for equal values.

use std::collections::{BTreeMap, BTreeSet};

use tenant_operator::core::identity;
use tenant_operator::core::seen::SecretState;
use tenant_operator::core::steps::{SecretVersions, Step};
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::core::{names, rotation};
use tenant_operator::world::Error;

use super::Outside;
use crate::guards::Guard;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custody {
    /// Whose name it bears.
    pub holder: ObjectName,
    /// The site was there before, and keeps its own key.
    pub adopted: bool,
    pub database: u64,
    pub encryption: u64,
    /// By number.
    pub pairs: BTreeMap<u32, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// None: somebody's own Secret of that name.
    pub owner: Option<String>,
    pub api: u64,
    pub url: String,
}

#[derive(Default)]
pub struct Secrets {
    pub custody: BTreeMap<String, Custody>,
    pub inputs: BTreeMap<String, BTreeMap<String, u64>>,
    pub published: BTreeMap<ObjectName, Published>,
    /// What users keep: namespace, Secret, key.
    pub theirs: BTreeMap<(String, String, String), u64>,
}

pub struct Inputs {
    pub missing: Vec<String>,
    pub versions: SecretVersions,
    pub values: BTreeMap<String, u64>,
}

fn passport(who: &Subject) -> ObjectName {
    ObjectName { namespace: who.tenant.namespace.clone(), name: who.credentials_secret.clone() }
}

impl Outside {
    pub fn see_custody(&self, who: &Subject) -> SecretState {
        if self.secrets.custody.contains_key(&who.id) { SecretState::Current } else { SecretState::Absent }
    }

    pub fn custody_moved(&self, who: &Subject) -> bool {
        self.secrets.custody.get(&who.id).is_some_and(|custody| custody.holder != who.tenant)
    }

    pub fn custodies(&self, tenant: &ObjectName) -> Vec<identity::Custody> {
        let bench = tenant_operator::core::place::reference(&self.bench);
        let all = self.secrets.custody.iter().filter(|(_, custody)| custody.holder == *tenant);
        all.map(|(id, custody)| identity::Custody {
            id: id.clone(),
            bench: bench.clone(),
            adopted: custody.adopted,
            serial: custody.pairs.keys().max().copied().unwrap_or_default(),
        })
        .collect()
    }

    pub fn see_pairs(&self, who: &Subject) -> BTreeSet<u32> {
        self.secrets.custody.get(&who.id).into_iter().flat_map(|custody| custody.pairs.keys().copied()).collect()
    }

    /// The pair that should be published.
    pub fn proven(&self, who: &Subject) -> Option<u64> {
        self.secrets.custody.get(&who.id)?.pairs.get(&rotation::proven(who)?.serial).copied()
    }

    pub fn read_inputs(&self, who: &Subject) -> Inputs {
        let mut inputs = Inputs { missing: vec![], versions: BTreeMap::new(), values: BTreeMap::new() };
        for input in who.secret_inputs() {
            match self.secrets.theirs.get(&(who.tenant.namespace.clone(), input.secret.clone(), input.key.clone())) {
                None => inputs.missing.push(format!("the key {} of Secret {}", input.key, input.secret)),
                Some(value) => {
                    if input.env != "TENANT_ADMIN_PASSWORD" {
                        inputs.versions.insert(format!("{}/{}", input.secret, input.key), value.to_string());
                    }
                    inputs.values.insert(input.env, *value);
                }
            }
        }
        inputs
    }

    pub fn see_inputs(&self, who: &Subject, wanted: &Inputs) -> SecretState {
        match self.secrets.inputs.get(&who.id) {
            None => SecretState::Absent,
            Some(held) if wanted.values.iter().all(|(name, value)| held.get(name) == Some(value)) => SecretState::Current,
            Some(_) => SecretState::Stale,
        }
    }

    pub fn see_published(&self, who: &Subject) -> SecretState {
        let proven = self.proven(who);
        match self.secrets.published.get(&passport(who)) {
            None => SecretState::Absent,
            Some(held) if held.owner.as_ref() != Some(&who.id) && self.guards(Guard::Secret) => SecretState::NotOurs,
            Some(held) if proven == Some(held.api) && held.url.contains(&who.hosts.api) => SecretState::Current,
            Some(_) => SecretState::Stale,
        }
    }

    pub fn ensure_custody(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("custody")?;
        let guarded = self.guards(Guard::Serial);
        let (serial, fresh) = (rotation::newest(who), [self.fresh(), self.fresh(), self.fresh()]);
        let new = !self.secrets.custody.contains_key(&who.id);
        if new && who.expects_site() {
            self.fault(format!("{} gets new secrets for a site that was there before", who.id));
        }
        let (holder, adopted) = (who.tenant.clone(), who.is_adopted());
        let made = Custody { holder, adopted, database: fresh[0], encryption: fresh[1], pairs: BTreeMap::new() };
        let custody = self.secrets.custody.entry(who.id.clone()).or_insert(made);
        let moved = custody.holder != who.tenant;
        custody.holder = who.tenant.clone();
        if custody.pairs.contains_key(&serial) && guarded {
            return if moved { self.wrote(&format!("custody of {} bears its name", who.id)) } else { Ok(()) };
        }
        custody.pairs.insert(serial, fresh[2]);
        self.note_pair(&who.id, serial, fresh[2]);
        self.wrote(&format!("{} has secrets in custody, with the pair {serial}", who.id))
    }

    pub fn drop_pairs(&mut self, who: &Subject, serials: &[u32]) -> Result<(), Error> {
        self.about_to("custody")?;
        let published = self.secrets.published.get(&passport(who)).map(|held| held.api);
        let Some(custody) = self.secrets.custody.get_mut(&who.id) else { return Ok(()) };
        let gone: Vec<u64> = serials.iter().filter_map(|serial| custody.pairs.remove(serial)).collect();
        if gone.iter().any(|api| Some(*api) == published || self.dock.accepts(&who.site, *api)) {
            self.fault(format!("a pair of {} leaves custody while it works", who.id));
        }
        self.wrote(&format!("{} drops the pairs {serials:?}", who.id))
    }

    pub fn remove_custody(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("custody")?;
        if let Some(site) = self.dock.sites.get(&who.site).filter(|site| site.is_of(&who.id)) {
            let whole = site.complete;
            self.fault(format!("custody of {} goes while its site is there (complete: {whole})", who.id));
        }
        match self.secrets.custody.remove(&who.id) {
            Some(_) => self.wrote(&format!("{} gives up custody", who.id)),
            None => Ok(()),
        }
    }

    pub fn copy_inputs(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("inputs")?;
        let values = self.read_inputs(who).values;
        self.secrets.inputs.insert(who.id.clone(), values);
        self.wrote(&format!("{} has its inputs copied", who.id))
    }

    pub fn remove_inputs(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("inputs")?;
        match self.secrets.inputs.remove(&who.id) {
            Some(_) => self.wrote(&format!("{} has its inputs removed", who.id)),
            None => Ok(()),
        }
    }

    /// A key is published only once the site has accepted it.
    pub fn publish(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("the published key")?;
        let unusable = |problem: &str| Error::Unusable { what: names::custody(&who.id), problem: problem.to_owned() };
        let api = self.proven(who).ok_or_else(|| unusable("it holds no key"))?;
        // What somebody did to it in the site since it was proven is not seen yet.
        let excused = self.is_spoiled(api) || self.is_harmed(&who.site);
        if who.receipt(Step::Proof).is_none() || !self.dock.accepts(&who.site, api) && !excused {
            self.fault(format!("a key of {} is published that its site does not accept", who.id));
        }
        if self.secrets.published.get(&passport(who)).is_some_and(|held| held.owner.as_ref() != Some(&who.id)) {
            if !self.guards(Guard::Secret) {
                self.fault(format!("{} writes over a Secret that is not its own", who.id));
            }
            return Err(Error::SecretNotOurs { name: who.credentials_secret.clone() });
        }
        let made = Published { owner: Some(who.id.clone()), api, url: format!("https://{}", who.hosts.api) };
        self.secrets.published.insert(passport(who), made);
        self.note_published(&passport(who), api);
        self.wrote(&format!("{} has its key published", who.id))
    }

    pub fn remove_published(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("the published key")?;
        self.take_back(&who.id, &passport(who))
    }

    pub fn take_back(&mut self, id: &str, name: &ObjectName) -> Result<(), Error> {
        match self.secrets.published.get(name) {
            Some(held) if held.owner.as_deref() == Some(id) => {
                self.secrets.published.remove(name);
                self.wrote(&format!("{id} has its key taken back"))
            }
            _ => Ok(()),
        }
    }
}

//! Secrets by the identity of what they hold: a number stands for a value, equal numbers for equal values.

use std::collections::BTreeMap;

use tenant_operator::core::names;
use tenant_operator::core::seen::SecretState;
use tenant_operator::core::steps::{SecretVersions, Step};
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::world::Error;

use super::Outside;
use crate::guards::Guard;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custody {
    pub database: u64,
    pub encryption: u64,
    pub api: u64,
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
        let custody = self.secrets.custody.get(&who.id);
        match self.secrets.published.get(&passport(who)) {
            None => SecretState::Absent,
            Some(held) if held.owner.as_ref() != Some(&who.id) && self.guards(Guard::Secret) => SecretState::NotOurs,
            Some(held) if custody.is_some_and(|custody| custody.api == held.api) && held.url.contains(&who.hosts.api) => {
                SecretState::Current
            }
            Some(_) => SecretState::Stale,
        }
    }

    pub fn ensure_custody(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("custody")?;
        if self.secrets.custody.contains_key(&who.id) {
            return Ok(());
        }
        let made = Custody { database: self.fresh(), encryption: self.fresh(), api: self.fresh() };
        self.secrets.custody.insert(who.id.clone(), made);
        self.wrote(&format!("{} has secrets in custody", who.id))
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
        let api = self.secrets.custody.get(&who.id).ok_or_else(|| unusable("it holds no key"))?.api;
        if who.receipt(Step::Proof).is_none() || !self.dock.accepts(&who.site, api) {
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
        self.wrote(&format!("{} has its key published", who.id))
    }

    pub fn remove_published(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("the published key")?;
        let name = passport(who);
        match self.secrets.published.get(&name) {
            Some(held) if held.owner.as_ref() == Some(&who.id) => {
                self.secrets.published.remove(&name);
                self.wrote(&format!("{} has its key taken back", who.id))
            }
            _ => Ok(()),
        }
    }
}

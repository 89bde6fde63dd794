//! Sites that somebody else made: what the adopt and report steps do with them, and that nothing else ever touches them.

use serde_json::json;
use tenant_operator::api::{Adoption, Phase};
use tenant_operator::core::seen::FailureClass::Fatal;

use super::Outside;
use super::dock::Site;
use super::steps::{Given, Refusal, Turn};

impl Outside {
    /// A site of somebody's, with data, set up, and with a database whose name says nothing.
    pub fn settle(&mut self, site: &str) {
        let data = self.fresh();
        self.dock.settle_stranger(site, data);
        self.promised.insert(format!("stranger {data}"), data);
        if let Some(found) = self.dock.sites.get(site).cloned() {
            self.strangers.insert(site.to_owned(), found);
        }
    }

    /// Until the Bench lists it and a Tenant asks for it, it stays as it is.
    pub fn leave_strangers_alone(&mut self) {
        let touched = |name: &&String, before: &&Site| self.dock.sites.get(*name) != Some(*before);
        let touched: Vec<String> =
            self.strangers.iter().filter(|(name, before)| touched(name, before)).map(|(name, _)| name.clone()).collect();
        for name in touched {
            self.strangers.remove(&name);
            self.fault(format!("the site {name} is somebody else's, and was touched"));
        }
    }

    fn adoptable(&self, given: &Given) -> Result<&Site, Refusal> {
        let site = self.dock.sites.get(given.site()).ok_or(("NoSuchSite", Fatal))?;
        if !site.marker.is_null() && !site.is_of(given.id()) {
            return Err(("ForeignSite", Fatal));
        }
        let shared = self.dock.sites.iter().any(|(name, other)| name != given.site() && other.database == site.database);
        if shared { Err(("ForeignDatabase", Fatal)) } else { Ok(site) }
    }

    pub fn adopt(&mut self, turn: u32, given: &Given) -> Result<Turn, Refusal> {
        let (own, database) = self.adoptable(given).map(|site| (site.is_of(given.id()), site.database.clone()))?;
        if turn == 0 {
            return Ok(Turn::Next(1));
        }
        if !own {
            self.may_adopt(given);
            self.strangers.remove(given.site());
            if let Some(site) = self.dock.sites.get_mut(given.site()) {
                site.marker = given.input["marker"].clone();
            }
            self.change_hands(given.id(), &database);
        }
        Ok(Turn::Done(json!({"adopted": !own, "database": database})))
    }

    fn may_adopt(&mut self, given: &Given) {
        let listed = self.bench.spec.adoption.site_names.iter().any(|site| site == given.site());
        let asks = self.objects.tenants.values().any(|tenant| tenant.spec.adoption == Adoption::TakeOver);
        let held =
            self.record_of(given.id()).is_some_and(|record| record.site_name == given.site() && record.phase == Phase::Active);
        // A Job may outlive what was wanted when it began; what it may touch was decided then.
        if !listed || !asks && !held {
            self.fault(format!("{} is adopted, and nobody asked for it", given.site()));
        }
    }

    /// Its data is its new owner's from now on.
    fn change_hands(&mut self, id: &str, database: &str) {
        let Some(database) = self.dock.databases.get_mut(database) else { return };
        database.owner = Some(id.to_owned());
        if let Some(data) = database.data {
            self.promised.remove(&format!("stranger {data}"));
            self.promised.insert(id.to_owned(), data);
        }
    }

    pub fn report(&mut self, turn: u32, given: &Given) -> Result<Turn, Refusal> {
        self.adoptable(given)?;
        if turn == 0 {
            return Ok(Turn::Next(2));
        }
        Ok(Turn::Done(json!({"changes": ["marker: it becomes this tenant's", "locked: nobody signs in with a password"]})))
    }
}

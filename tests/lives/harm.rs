//! What people do inside a bench, past the operator: it is to be found and put right, or, where a site has vanished, to be said.

use tenant_operator::core::subject::ObjectName;

use crate::inspector::INTERVAL;
use crate::outside::Outside;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    Unlock,
    SchedulerOff,
    RolesTaken,
    ConfigChanged,
    KeyChanged,
    EncryptionChanged,
    FolderGone,
    DatabaseGone,
    AllGone,
}

impl Harm {
    /// Those that can be put right.
    pub const CURABLE: [Self; 6] =
        [Self::Unlock, Self::SchedulerOff, Self::RolesTaken, Self::ConfigChanged, Self::KeyChanged, Self::EncryptionChanged];
}

/// An inspection comes once an interval, at most a tenth later; then it is found and put right.
const LONGEST: i64 = INTERVAL + INTERVAL / 10 + 600;

impl Outside {
    /// A site that is not whole yet is left alone.
    pub fn harm(&mut self, who: &ObjectName, site: &str, harm: Harm) {
        let (api, encryption) = (self.fresh(), self.fresh());
        let Some(found) =
            self.dock.sites.get_mut(site).filter(|found| found.complete && found.settings.is_some() && !found.keys.is_empty())
        else {
            return;
        };
        match harm {
            Harm::Unlock => found.settings.iter_mut().for_each(|settings| settings[3]["mode"] = "None".into()),
            Harm::SchedulerOff => drop(found.harmed.insert("scheduler")),
            Harm::RolesTaken => drop(found.harmed.insert("apiUser")),
            Harm::ConfigChanged => found.config.values_mut().for_each(|value| *value = "by hand".into()),
            Harm::KeyChanged => found.keys.values_mut().for_each(|key| key.api = api),
            Harm::EncryptionChanged => found.encryption = encryption,
            Harm::FolderGone => drop(self.dock.sites.remove(site)),
            Harm::DatabaseGone | Harm::AllGone => {
                let database = found.database.clone();
                self.dock.databases.remove(&database);
                // Nobody can keep a promise about it any more.
                let id = self.id_of(who).unwrap_or_default();
                self.promised.remove(&id);
            }
        }
        if harm == Harm::AllGone {
            self.dock.sites.remove(site);
        }
        if matches!(harm, Harm::FolderGone | Harm::DatabaseGone | Harm::AllGone) {
            self.vanished.insert(site.to_owned());
        }
        let certain = self.faults.until <= self.now && self.faults.outages.is_empty();
        let by = if certain { self.now + LONGEST } else { i64::MAX };
        self.harmed.insert(site.to_owned(), by);
        self.say(|| format!("{site} is harmed: {harm:?}"));
    }

    /// Nobody may expect it to be well yet.
    pub fn is_harmed(&self, site: &str) -> bool {
        self.harmed.get(site).is_some_and(|by| self.now <= *by)
    }
}

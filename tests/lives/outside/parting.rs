//! The steps inside a bench that take something away: a pair of the key, the archive of a site, the site.

use serde_json::json;
use tenant_operator::core::seen::FailureClass::{Fatal, Retryable};

use super::Outside;
use super::dock::Archive;
use super::steps::{Given, Refusal, Turn};
use crate::guards::Guard;

impl Outside {
    pub fn archive(&mut self, turn: u32, given: &Given, nothing: &mut bool) -> Result<Turn, Refusal> {
        let Some(directory) = given.input["archive"]["directory"].as_str().map(str::to_owned) else {
            return Err(("BadInput", Fatal));
        };
        if let Some(archive) = self.dock.archives.get(&directory) {
            let whole = archive.id == given.id() && archive.site == given.site();
            return if whole {
                Ok(Turn::Done(json!({"directory": directory, "files": 4})))
            } else {
                Err(("ManifestMismatch", Fatal))
            };
        }
        let own = self.dock.sites.get(given.site()).filter(|site| site.is_of(given.id()));
        if own.map_or(!given.expects_site(), |site| !site.complete) {
            *nothing = true;
            return Ok(Turn::Done(json!({"directory": null, "files": 0})));
        }
        let resting = self.own(given)?;
        (resting.maintenance, resting.reads, resting.paused) = (true, false, true);
        if turn == 0 {
            return Ok(Turn::Next(given.input["archive"]["configCacheSeconds"].as_i64().unwrap_or(0)));
        }
        if turn == 1 {
            return Ok(Turn::Next(2));
        }
        let encryption = resting.encryption;
        let data = self.dock.databases.get(given.database()).ok_or(("ArchiveFailed", Retryable))?.data;
        if !self.guards(Guard::Manifest) {
            return Ok(Turn::Done(json!({"directory": directory, "files": 4})));
        }
        let archive = Archive { id: given.id().to_owned(), site: given.site().to_owned(), data, encryption };
        self.dock.archives.insert(directory.clone(), archive);
        Ok(Turn::Done(json!({"directory": directory, "files": 4})))
    }

    pub fn drop(&mut self, turn: u32, given: &Given, nothing_to_archive: bool) -> Result<Turn, Refusal> {
        if let Some(manifest) = given.input["drop"]["manifest"].as_str().filter(|_| !nothing_to_archive) {
            let proven = self.dock.archives.get(manifest).is_some_and(|archive| archive.id == given.id());
            if !proven && self.guards(Guard::Manifest) {
                return Err(("ManifestMismatch", Fatal));
            }
        }
        let site = self.dock.sites.get(given.site());
        if site.is_some_and(|site| !site.is_of(given.id())) && !given.expects_site() {
            return Ok(Turn::Done(json!({"dropped": false, "foreign": true})));
        }
        if site.is_some() {
            self.own(given)?;
        }
        if let Some(database) = self.dock.databases.get(given.database()) {
            if database.owner.as_deref() != Some(given.id()) {
                self.fault(format!("{} drops the database {} of somebody else", given.id(), given.database()));
            }
            self.dock.databases.remove(given.database());
            return Ok(Turn::Next(1));
        }
        let dropped = self.dock.sites.remove(given.site()).is_some() || turn > 0;
        Ok(Turn::Done(json!({"dropped": dropped})))
    }

    pub fn retire(&mut self, turn: u32, given: &Given) -> Result<Turn, Refusal> {
        let (user, other, api) = (given.user("user"), given.user("other"), given.secret("TENANT_API_SECRET"));
        let site = self.own(given)?;
        if turn == 0 {
            return Ok(Turn::Next(1));
        }
        let under = site.encryption;
        let holds = site.keys.get(&user).is_some_and(|key| key.api == api && key.under == under && !key.revoked);
        if !holds || site.pair != given.input["keys"]["pair"] {
            return Err(("UserFailed", Retryable));
        }
        self.note_stopped(given, &other);
        if let Some(key) = self.own(given)?.keys.get_mut(&other) {
            key.revoked = true;
        }
        Ok(Turn::Done(json!({"user": other, "revoked": true})))
    }

    pub fn revoke(&mut self, given: &Given) -> Result<Turn, Refusal> {
        let own = self.dock.sites.get(given.site()).is_some_and(|site| site.is_of(given.id()));
        if !own && !given.expects_site() {
            return Ok(Turn::Done(json!({"revoked": false, "foreign": true})));
        }
        let users = [given.user("user"), given.user("other")];
        let site = self.own(given)?;
        for (_, key) in site.keys.iter_mut().filter(|(user, _)| users.contains(user)) {
            key.revoked = true;
        }
        Ok(Turn::Done(json!({"revoked": true})))
    }
}

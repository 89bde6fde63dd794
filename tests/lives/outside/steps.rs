//! The steps inside a bench on the way up, as turns: between two turns time passes, and a pod may be killed. What each refuses is what
//! the real ones do.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenant_operator::core::seen::FailureClass;
use tenant_operator::core::steps::Step;

use super::Outside;
use super::dock::{Database, Key, Site};
use crate::faults::Party;
use crate::given::TEMPLATES;
use crate::guards::Guard;

/// What a container was started with.
#[derive(Clone, Debug)]
pub struct Given {
    pub input: Value,
    pub env: BTreeMap<String, u64>,
}

pub enum Turn {
    /// So many seconds pass.
    Next(i64),
    Done(Value),
    Failed(&'static str, FailureClass),
}

use FailureClass::{Fatal, Retryable};

pub type Refusal = (&'static str, FailureClass);

impl Given {
    pub fn id(&self) -> &str {
        self.input["id"].as_str().unwrap_or_default()
    }

    pub fn site(&self) -> &str {
        self.input["site"].as_str().unwrap_or_default()
    }

    pub fn database(&self) -> &str {
        self.input["database"]["name"].as_str().unwrap_or_default()
    }

    pub fn expects_site(&self) -> bool {
        self.input["expectSite"] == json!(true)
    }

    fn is_adopted(&self) -> bool {
        self.input["adopted"] == json!(true)
    }

    pub fn secret(&self, name: &str) -> u64 {
        self.env.get(name).copied().unwrap_or_default()
    }

    /// One of the two service users, as the keys section names it.
    pub fn user(&self, which: &str) -> String {
        self.input["keys"][which].as_str().unwrap_or_default().to_owned()
    }

    fn apps(&self) -> Vec<String> {
        serde_json::from_value(self.input["apps"].clone()).unwrap_or_default()
    }
}

impl Outside {
    pub fn turn(&mut self, step: Step, turn: u32, given: &Given, nothing_to_archive: &mut bool) -> Turn {
        let refused = self.refuses(given);
        if let Some((reason, class)) = refused {
            return Turn::Failed(reason, class);
        }
        let result = match step {
            Step::Adopt => self.adopt(turn, given),
            Step::Report => self.report(turn, given),
            Step::Create => self.create(turn, given),
            Step::Apps => self.install(turn, given),
            Step::Settings => self.configure(turn, given),
            Step::Keys => self.set_key(turn, given),
            Step::Archive => self.archive(turn, given, nothing_to_archive),
            Step::Drop => self.drop(turn, given, *nothing_to_archive),
            Step::Retire => self.retire(turn, given),
            Step::Revoke => self.revoke(given),
            Step::Proof | Step::Row => Err(("BadInput", Fatal)),
        };
        // No watch sees it.
        self.still_sound();
        result.unwrap_or_else(|(reason, class)| Turn::Failed(reason, class))
    }

    fn refuses(&self, given: &Given) -> Option<Refusal> {
        let protected = given.input["protectedSites"].as_array().is_some_and(|all| all.contains(&json!(given.site())));
        match () {
            () if protected => Some(("ProtectedSite", Fatal)),
            () if self.is_out(Party::Database) => Some(("DatabaseUnreachable", Retryable)),
            () => None,
        }
    }

    /// The site, proven to be the tenant's own.
    pub fn own(&mut self, given: &Given) -> Result<&mut Site, Refusal> {
        let guarded = self.guards(Guard::Marker);
        let site = self.dock.sites.get_mut(given.site()).ok_or(("SiteVanished", Fatal))?;
        if !guarded {
            return Ok(site);
        }
        if !site.is_of(given.id()) {
            return Err(("ForeignSite", Fatal));
        }
        // The step reads it from the site itself, where nobody has been told of it yet.
        let unknown = given.is_adopted() && given.database().is_empty();
        if unknown || site.database == given.database() { Ok(site) } else { Err(("ForeignDatabase", Fatal)) }
    }

    fn create(&mut self, turn: u32, given: &Given) -> Result<Turn, Refusal> {
        if !self.dock.sites.contains_key(given.site()) {
            if given.expects_site() && self.guards(Guard::Vanished) {
                return Err(("SiteVanished", Fatal));
            }
            if self.dock.databases.contains_key(given.database()) {
                return Err(("ForeignDatabase", Fatal));
            }
            if self.vanished.contains(given.site()) {
                self.fault(format!("{} has vanished and is made anew, empty", given.site()));
            }
            let site =
                Site::new(given.input["marker"].clone(), given.database().to_owned(), given.secret("TENANT_ENCRYPTION_KEY"));
            self.dock.sites.insert(given.site().to_owned(), site);
            return Ok(Turn::Next(3));
        }
        let has_database = self.dock.databases.get(given.database()).is_some_and(|database| database.complete);
        let encryption = given.secret("TENANT_ENCRYPTION_KEY");
        if !self.guards(Guard::Marker) && !self.dock.sites[given.site()].is_of(given.id()) {
            // new-site --force, on whatever database the site's config names.
            let theirs = self.dock.sites[given.site()].database.clone();
            self.dock.databases.remove(&theirs);
        }
        let site = self.own(given)?;
        if site.complete && turn == 0 {
            let adopted = given.is_adopted();
            let ours = if adopted { site.encryption } else { encryption };
            let repaired: Vec<&str> = (site.encryption != ours).then_some("encryption_key").into_iter().collect();
            site.encryption = ours;
            let hashes = if adopted { json!({}) } else { json!({"encryptionKey": encryption.to_string()}) };
            let facts = json!({"created": false, "repaired": repaired, "sha256": hashes});
            return if has_database { Ok(Turn::Done(facts)) } else { Err(("SiteVanished", Fatal)) };
        }
        site.encryption = encryption;
        if turn < 2 && given.input["template"].is_object() {
            // Restored, or begun to be: it counts for nothing before it ends. What is unfit is installed over.
            let database = Database { owner: Some(given.id().to_owned()), complete: false, data: None };
            self.dock.databases.insert(given.database().to_owned(), database);
            return Ok(Turn::Next(1));
        }
        if turn == 2 && given.input["template"].is_object() && self.chance.below(4) > 0 {
            return self.restored(given, encryption);
        }
        let site = self.own(given)?;
        if turn < 3 {
            let database = Database { owner: Some(given.id().to_owned()), complete: false, data: None };
            self.dock.databases.insert(given.database().to_owned(), database);
            return Ok(Turn::Next(4));
        }
        site.complete = true;
        site.apps = vec!["frappe".to_owned()];
        if let Some(database) = self.dock.databases.get_mut(given.database()) {
            database.complete = true;
        }
        let unfit = given.input["template"]["name"].as_str().map(|name| json!({"name": name, "used": false, "why": "Broken"}));
        let mut facts = json!({"created": true, "sha256": {"encryptionKey": encryption.to_string()}});
        if let Some(unfit) = unfit {
            facts["template"] = unfit;
        }
        Ok(Turn::Done(facts))
    }

    /// All of a template is in the site, and nothing else.
    fn restored(&mut self, given: &Given, encryption: u64) -> Result<Turn, Refusal> {
        let name = given.input["template"]["name"].clone();
        let Some((_, apps)) = TEMPLATES.into_iter().find(|(content, _)| name == *content) else {
            return Err(("BadInput", Fatal));
        };
        let others = apps.iter().any(|app| !given.apps().iter().any(|wanted| wanted == app));
        if others {
            self.fault(format!("{} is made from a template with apps that it does not want", given.site()));
        }
        let site = self.own(given)?;
        site.complete = true;
        site.apps = ["frappe"].iter().chain(apps).map(|app| (*app).to_owned()).collect();
        if let Some(database) = self.dock.databases.get_mut(given.database()) {
            database.complete = true;
        }
        let template = json!({"name": name, "used": true});
        Ok(Turn::Done(json!({"created": true, "sha256": {"encryptionKey": encryption.to_string()}, "template": template})))
    }

    fn install(&mut self, turn: u32, given: &Given) -> Result<Turn, Refusal> {
        let available = self.dock.apps.clone();
        let backs_up = given.input["backup"] == json!(true) && self.guards(Guard::Backup);
        let site = self.own(given)?;
        let wanted = given.apps();
        if wanted.iter().any(|app| !available.contains(app)) {
            return Err(("AppMissing", Fatal));
        }
        if turn % 2 == 1
            && let Some(app) = site.installing.take()
            && !site.apps.contains(&app)
        {
            site.apps.push(app);
        }
        if let Some(app) = wanted.iter().find(|app| !site.apps.contains(app)) {
            if backs_up && !site.backed_up {
                site.backed_up = true;
                return Ok(Turn::Next(3));
            }
            site.installing = Some(app.clone());
            let backed_up = site.backed_up;
            if self.promised.contains_key(given.id()) && !backed_up {
                self.fault(format!("{} gets {app} without a backup", given.id()));
            }
            return Ok(Turn::Next(if turn % 2 == 0 { 9 } else { 0 }));
        }
        site.backed_up = false;
        let apps: Vec<Value> = site.apps.iter().map(|app| json!({"name": app, "version": "15.7"})).collect();
        Ok(Turn::Done(json!({"apps": apps, "installed": wanted})))
    }

    fn configure(&mut self, turn: u32, given: &Given) -> Result<Turn, Refusal> {
        let wanted = given.input["settings"].clone();
        // As long as Frappe 16 may take to read the site's config again.
        let opens = self.now + self.chance.between(0, 60);
        let site = self.own(given)?;
        if turn == 0 {
            return Ok(Turn::Next(if wanted["setup"] == json!("Complete") && site.setup_runs == 0 { 9 } else { 1 }));
        }
        if turn == 1 {
            site.setup_runs += u32::from(site.setup_runs == 0 && wanted["setup"] == json!("Complete"));
            return Ok(Turn::Next(1));
        }
        let mut values = BTreeMap::new();
        for entry in wanted["siteConfig"].as_array().into_iter().flatten() {
            let value = match entry["env"].as_str() {
                None => entry["value"].clone(),
                Some(env) => json!(given.env.get(env).ok_or(("BadInput", Fatal))?),
            };
            values.insert(entry["name"].as_str().unwrap_or_default().to_owned(), value);
        }
        let unset = wanted["unsetConfig"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let gone: Vec<String> = site.ours.iter().map(String::as_str).chain(unset).map(str::to_owned).collect();
        site.config.retain(|name, _| values.contains_key(name) || !gone.contains(name));
        site.ours = values.keys().cloned().collect();
        site.config.extend(values);
        site.harmed.remove("scheduler");
        let admin = wanted["admin"]["email"].as_str().unwrap_or_default().to_owned();
        site.admins.retain(|other| *other != admin);
        let earlier = site.admins.clone();
        site.admins.push(admin);
        site.settings = Some(json!([wanted["setup"], wanted["admin"], wanted["rateLimit"], wanted["lockdown"]]));
        let closed = site.is_closed();
        site.suspend(wanted["suspend"].as_str(), opens);
        let resumed = closed && wanted["suspend"].is_null();
        let done = json!({"setup": wanted["setup"], "suspend": wanted["suspend"], "resumed": resumed, "earlierAdmins": earlier, "changed": []});
        Ok(Turn::Done(done))
    }

    fn set_key(&mut self, turn: u32, given: &Given) -> Result<Turn, Refusal> {
        let user = given.user("user");
        let api = given.secret("TENANT_API_SECRET");
        // As long as Frappe 16 may take to read the site's config again.
        let from = self.now + self.chance.between(0, 60);
        let issued = given.input["issued"].as_i64().unwrap_or_default();
        let site = self.own(given)?;
        if issued < site.issued {
            return Err(("Superseded", Retryable));
        }
        if turn == 0 {
            site.pair = given.input["keys"]["pair"].clone();
            site.issued = issued;
            return Ok(Turn::Next(1));
        }
        if api == 0 {
            return Err(("BadInput", Fatal));
        }
        let under = site.encryption;
        site.harmed.remove("apiUser");
        // Only a key that is new to a worker can be written over, and only a request from outside tells.
        let first = self.own(given)?.keys.is_empty() && given.input["keys"]["verifyInSite"] == json!(false);
        let spoiled = (first && self.strikes(self.faults.spoil)).then(|| self.fresh());
        let site = self.own(given)?;
        let changed = site.keys.get(&user).is_none_or(|key| key.api != api || key.under != under || key.revoked);
        self.note_set(given.id(), given.site(), &user, api);
        if changed {
            self.own(given)?.keys.insert(user.clone(), Key { api, under, revoked: false, from });
        }
        if let Some(key) = self.own(given)?.keys.get_mut(&given.user("retired")) {
            key.revoked = true;
        }
        if let Some(spoiled) = spoiled {
            self.own(given)?.encryption = spoiled;
        }
        let hashes = json!({"apiKey": api.to_string(), "apiSecret": api.to_string()});
        let proven = &given.input["keys"]["verifyInSite"];
        Ok(Turn::Done(json!({"user": user, "changed": changed, "proven": proven, "sha256": hashes})))
    }
}

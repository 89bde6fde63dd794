//! A model of what lies in a bench: sites with their markers and configs, databases by name, archives, and the database's locks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::given;

#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Null in a site that we did not make.
    pub marker: Value,
    pub database: String,
    pub encryption: u64,
    /// False from its folder's first moment until new-site has ended.
    pub complete: bool,
    pub apps: Vec<String>,
    pub installing: Option<String>,
    /// For the installation that is under way.
    pub backed_up: bool,
    pub admins: Vec<String>,
    pub config: BTreeMap<String, Value>,
    /// Config keys that our steps have set.
    pub ours: BTreeSet<String>,
    /// Setup, scheduler, admin and lockdown, as the last settings step was told.
    pub settings: Option<Value>,
    pub setup_runs: u32,
    /// By service user.
    pub keys: BTreeMap<String, Key>,
    /// The number of the pair that was set last.
    pub pair: Value,
    /// When the Job was made that set it.
    pub issued: i64,
    pub maintenance: bool,
    /// What somebody changed in it by hand, by the inspection's names.
    pub harmed: BTreeSet<&'static str>,
    /// In maintenance, it still answers who only reads.
    pub reads: bool,
    /// Its scheduler starts nothing.
    pub paused: bool,
    /// A worker may believe until then that it is closed.
    pub opens: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub api: u64,
    /// The encryption key that it was stored under.
    pub under: u64,
    pub revoked: bool,
    /// A worker may believe an older config until then.
    pub from: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// The tenant that it was made for; none for anybody else's.
    pub owner: Option<String>,
    pub complete: bool,
    /// What the customer wrote.
    pub data: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    pub id: String,
    pub site: String,
    pub data: Option<u64>,
    pub encryption: u64,
}

pub struct Dock {
    pub apps: Vec<String>,
    pub sites: BTreeMap<String, Site>,
    pub databases: BTreeMap<String, Database>,
    pub archives: BTreeMap<String, Archive>,
    /// Tenant id to the runner that holds its lock.
    pub locks: BTreeMap<String, u64>,
}

impl Site {
    pub fn is_closed(&self) -> bool {
        self.maintenance && !self.reads
    }

    /// As Frappe's own config keys have it.
    pub fn suspend(&mut self, mode: Option<&str>, opens: i64) {
        let was_closed = self.is_closed();
        self.maintenance = mode.is_some();
        self.paused = mode.is_some();
        self.reads = mode == Some("ReadOnly");
        if was_closed && !self.is_closed() {
            self.opens = opens;
        }
    }

    pub fn new(marker: Value, database: String, encryption: u64) -> Self {
        Self {
            marker,
            database,
            encryption,
            complete: false,
            apps: vec![],
            installing: None,
            backed_up: false,
            admins: vec![],
            config: BTreeMap::new(),
            ours: BTreeSet::new(),
            settings: None,
            setup_runs: 0,
            keys: BTreeMap::new(),
            pair: Value::Null,
            issued: 0,
            maintenance: false,
            harmed: BTreeSet::new(),
            reads: false,
            paused: false,
            opens: 0,
        }
    }

    pub fn is_of(&self, id: &str) -> bool {
        self.marker["id"] == json!(id) && self.marker["cluster"] == json!(given::CLUSTER)
    }
}

impl Dock {
    pub fn new() -> Self {
        Self {
            apps: given::APPS.map(str::to_owned).into(),
            sites: BTreeMap::new(),
            databases: BTreeMap::new(),
            archives: BTreeMap::new(),
            locks: BTreeMap::new(),
        }
    }

    /// A site that somebody else has in this bench, with data of its own.
    pub fn settle_stranger(&mut self, site: &str, data: u64) {
        let database = format!("_{data:x}");
        let mut stranger = Site::new(Value::Null, database.clone(), data);
        stranger.complete = true;
        stranger.apps = vec!["frappe".to_owned()];
        stranger.setup_runs = 1;
        self.sites.insert(site.to_owned(), stranger);
        self.databases.insert(database, Database { owner: None, complete: true, data: Some(data) });
    }

    /// Whether the site lets this key in, whatever the network says.
    pub fn accepts(&self, site: &str, api: u64) -> bool {
        let Some(site) = self.sites.get(site).filter(|site| site.complete && self.databases.contains_key(&site.database)) else {
            return false;
        };
        !site.harmed.contains("apiUser")
            && site.keys.values().any(|key| key.api == api && key.under == site.encryption && !key.revoked)
    }
}

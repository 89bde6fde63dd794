//! The steps that run inside a bench: their names, their inputs and the hash that tells when one has to run again.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::report::plain;
use super::subject::{ConfigValue, Subject, Want};
use super::{names, rotation};
use crate::api::{DeletionPolicy, InstalledApp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A site of somebody else becomes the tenant's.
    Adopt,
    Create,
    Apps,
    Settings,
    Keys,
    /// Says what an adoption would change; leaves no receipt.
    Report,
    /// Not run in a bench: the key was accepted from outside.
    Proof,
    /// Not run in a bench: the Master row was written with these fields.
    Row,
    Archive,
    Drop,
    /// The API user of the pair before the newest is stopped.
    Retire,
    /// Both API users are stopped.
    Revoke,
}

impl Step {
    pub const ALL: [Self; 12] = [
        Self::Adopt,
        Self::Create,
        Self::Apps,
        Self::Settings,
        Self::Keys,
        Self::Report,
        Self::Proof,
        Self::Row,
        Self::Archive,
        Self::Drop,
        Self::Retire,
        Self::Revoke,
    ];
    /// On the way up, in this order.
    pub const UP: [Self; 4] = [Self::Create, Self::Apps, Self::Settings, Self::Keys];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Create => "create",
            Self::Apps => "apps",
            Self::Settings => "settings",
            Self::Keys => "keys",
            Self::Report => "report",
            Self::Proof => "proof",
            Self::Row => "row",
            Self::Archive => "archive",
            Self::Drop => "drop",
            Self::Retire => "retire",
            Self::Revoke => "revoke",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// Raised when a step has to run again on every site because what it does has changed.
const VERSION: &str = "1";

/// As many as the step reports at most.
const EARLIER_ADMINS: usize = 5;

/// The version that receipts carry.
pub fn version() -> &'static str {
    VERSION
}

/// Versions of the tenant's Secrets that go into its site's config, as they were read: a changed Secret is a changed input.
pub type SecretVersions = BTreeMap<String, String>;

/// The hash of what a step is given; a receipt of another hash is out of date.
pub fn hash(step: Step, who: &Subject, secrets: &SecretVersions) -> String {
    let input = match step {
        // What a Job said before the record was lost is no word on whether the site is there now.
        Step::Create if who.is_recovered() => json!([who.site, who.database, marker(who), "recovered"]),
        Step::Create => json!([who.site, who.database, marker(who)]),
        Step::Report => input(who),
        Step::Apps => json!(who.want.as_ref().map(|want| &want.apps)),
        Step::Settings => json!([who.want.as_ref().map(|want| settings(want, who, false)), secrets]),
        Step::Keys | Step::Proof => keys(who),
        Step::Retire => json!([who.site, step.as_str(), rotation::newest(who)]),
        Step::Adopt | Step::Row | Step::Archive | Step::Drop | Step::Revoke => json!([who.site, step.as_str()]),
    };
    names::digest(&[step.as_str(), &input.to_string()], 16)
}

/// What has not been done yet, or not so, in order; empty for a tenant at rest.
pub fn left(who: &Subject, secrets: &SecretVersions) -> Vec<Step> {
    if who.adopts() {
        // Alone: only it can tell the others which database the site has.
        return vec![Step::Adopt];
    }
    let mut steps: Vec<Step> = Step::UP.into_iter().filter(|step| !fresh(*step, who, secrets)).collect();
    // An app installed later may bring fields and settings of its own: settings follow apps.
    if steps.contains(&Step::Apps) && !steps.contains(&Step::Settings) {
        steps.push(Step::Settings);
        steps.sort();
    }
    steps
}

/// Done with these inputs by this version, and not found different since.
pub fn fresh(step: Step, who: &Subject, secrets: &SecretVersions) -> bool {
    let doubted = |at: Timestamp| who.doubt.as_ref().is_some_and(|doubt| doubt.concerns(step, at));
    current(step, who, secrets) && !who.receipt(step).is_some_and(|receipt| doubted(receipt.at.0))
}

/// Done with these inputs by this version, whatever became of it since.
pub fn current(step: Step, who: &Subject, secrets: &SecretVersions) -> bool {
    who.receipt(step).is_some_and(|receipt| receipt.hash == hash(step, who, secrets) && receipt.version == VERSION)
}

fn marker(who: &Subject) -> Value {
    json!({"id": who.id, "namespace": who.tenant.namespace, "name": who.tenant.name, "cluster": who.cluster})
}

/// The document every container of a tenant's Job is given. Without secrets; see bench/README.md for its form.
pub fn input(who: &Subject) -> Value {
    let bench = &who.bench.spec;
    let archive = who.record().and_then(|record| record.archive.as_ref());
    json!({
        "id": who.id,
        "marker": marker(who),
        "benchPath": bench.path,
        "site": who.site,
        "protectedSites": bench.registry.as_ref().map(|registry| vec![registry.site.clone()]).unwrap_or_default(),
        "database": {
            "name": who.database,
            "host": bench.database.host,
            "port": bench.database.port,
            "rootUser": bench.database.root_user,
        },
        "expectSite": who.expects_site(),
        "adopted": who.is_adopted() || who.reports(),
        "apps": who.want.as_ref().map(|want| want.apps.clone()).unwrap_or_default(),
        // A site in use is backed up before an app is added to it.
        "backup": who.record().is_some_and(|record| record.first_ready_at.is_some()),
        "settings": who.want.as_ref().map(|want| settings(want, who, true)),
        "keys": keys(who),
        "archive": archive.map(|directory| json!({"directory": directory, "configCacheSeconds": 60})),
        // An archive that was meant to be made, under a policy that was changed since, need not be there.
        "drop": {"manifest": archive.filter(|_| who.parting() == DeletionPolicy::Archive)},
    })
}

/// `whole` is what the step is given. The hash leaves out the organization (applied once, and the customer's own afterwards)
/// and the keys to unset (they follow from the receipt, which the step's own success changes).
fn settings(want: &Want, who: &Subject, whole: bool) -> Value {
    let bench = &who.bench.spec;
    let config: Vec<Value> = want
        .config
        .iter()
        .enumerate()
        .map(|(index, config)| match &config.value {
            ConfigValue::Plain(value) => json!({"name": config.name, "value": value}),
            ConfigValue::Secret { .. } => json!({"name": config.name, "env": format!("TENANT_SITE_CONFIG_{index}")}),
        })
        .collect();
    json!({
        "setup": want.setup,
        "organization": whole.then_some(&want.organization),
        "admin": {
            "email": want.admin.email,
            "firstName": want.admin.first_name,
            "lastName": want.admin.last_name,
            "hasPassword": want.admin.password_secret_ref.is_some(),
        },
        "siteConfig": config,
        "unsetConfig": if whole { config_to_unset(who) } else { vec![] },
        "rateLimit": want.rate_limit,
        "lockdown": {"mode": bench.lockdown.mode, "oauthProviderURL": bench.lockdown.oauth_provider_url},
        "suspend": who.suspension(),
    })
}

fn keys(who: &Subject) -> Value {
    let user = &who.bench.spec.api_user;
    let serial = rotation::newest(who);
    json!({
        "pair": serial,
        "user": names::api_user(&who.site, serial),
        "other": names::api_user(&who.site, serial.saturating_add(1)),
        "roles": user.roles,
        "verifyInSite": user.verify.mode == crate::api::VerifyMode::InSite,
    })
}

/// The config keys that we own now: to be kept in the receipt, so that one that leaves the spec is unset.
pub fn config_names(who: &Subject) -> Vec<String> {
    who.want.iter().flat_map(|want| want.config.iter().map(|config| config.name.clone())).collect()
}

/// Keys that an earlier run of the settings step set and that nothing wants any more.
pub fn config_to_unset(who: &Subject) -> Vec<String> {
    let wanted = config_names(who);
    config_owned(who).into_iter().filter(|name| !wanted.contains(name)).collect()
}

/// Keys that the receipt of the settings step says we set.
pub fn config_owned(who: &Subject) -> Vec<String> {
    let facts = who.receipt(Step::Settings).and_then(|receipt| receipt.facts.as_ref());
    let names = facts.and_then(|facts| facts["config"].as_array());
    names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// More apps than status has room for, no bench has; no longer names either.
const MOST_APPS: usize = 64;
const LONGEST_APP: usize = 140;

/// What the receipt of the apps step says that the site has.
pub fn installed(who: &Subject) -> Vec<InstalledApp> {
    let facts = who.receipt(Step::Apps).and_then(|receipt| receipt.facts.as_ref());
    let apps = facts.and_then(|facts| facts["apps"].as_array()).into_iter().flatten();
    let mut installed: Vec<InstalledApp> = vec![];
    for app in apps.filter_map(|app| serde_json::from_value::<InstalledApp>(app.clone()).ok()) {
        let app = InstalledApp { name: plain(&app.name, LONGEST_APP), version: plain(&app.version, LONGEST_APP) };
        if installed.len() < MOST_APPS && !installed.iter().any(|other| other.name == app.name) {
            installed.push(app);
        }
    }
    installed
}

/// Admins that the spec named before, as the settings step found them: they are users of the site still.
pub fn earlier_admins(who: &Subject) -> Vec<String> {
    let facts = who.receipt(Step::Settings).and_then(|receipt| receipt.facts.as_ref());
    let emails = facts.and_then(|facts| facts["earlierAdmins"].as_array()).into_iter().flatten();
    emails.filter_map(|email| email.as_str().map(str::to_owned)).take(EARLIER_ADMINS).collect()
}

//! The steps that run inside a bench: their names, their inputs and the hash that tells when one has to run again.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

pub use super::inputs::input;
use super::report::plain;
use super::subject::Subject;
use super::{inputs, names};
use crate::api::InstalledApp;

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
    names::digest(&[step.as_str(), &inputs::hashed(step, who, secrets)], 16)
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

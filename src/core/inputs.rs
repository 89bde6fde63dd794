//! What the steps inside a bench are given: the document of a container, and the parts of it that are hashed. Without secrets.

use serde::Serialize;
use serde_json::{Value, json};

use super::steps::{SecretVersions, Step};
use super::subject::{Config, ConfigValue, Subject, Want};
use super::{names, rotation, steps};
use crate::api::{DeletionPolicy, LockdownMode, Organization, Setup, SiteRateLimit, SuspendMode, VerifyMode};

/// The document every container of a tenant's Job is given; see bench/README.md for its form.
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
        // A site in use is backed up before an app is added to it; one that was found, not made, may be in use for years.
        "backup": who.is_adopted() || who.is_recovered() || who.record().is_some_and(|record| record.first_ready_at.is_some()),
        "settings": who.want.as_ref().map(|want| settings(want, who, true)),
        "keys": keys(who, true),
        "archive": archive.map(|directory| json!({"directory": directory, "configCacheSeconds": 60})),
        // An archive that was meant to be made, under a policy that was changed since, need not be there.
        "drop": {"manifest": archive.filter(|_| who.parting() == DeletionPolicy::Archive)},
    })
}

/// The part that a step's hash is made of, as text. A tenant at rest costs a dozen of these with every look at it: they are written
/// straight from the subject.
pub(super) fn hashed(step: Step, who: &Subject, secrets: &SecretVersions) -> String {
    match step {
        // What a Job said before the record was lost is no word on whether the site is there now.
        Step::Create if who.is_recovered() => text(&(&who.site, &who.database, marker(who), "recovered")),
        Step::Create => text(&(&who.site, &who.database, marker(who))),
        Step::Report => input(who).to_string(),
        Step::Apps => text(&who.want.as_ref().map(|want| &want.apps)),
        Step::Settings => text(&(who.want.as_ref().map(|want| settings(want, who, false)), secrets)),
        Step::Keys | Step::Proof => text(&keys(who, false)),
        Step::Retire => text(&(&who.site, step.as_str(), rotation::newest(who))),
        Step::Adopt | Step::Row | Step::Archive | Step::Drop | Step::Revoke => text(&(&who.site, step.as_str())),
    }
}

fn text(part: &impl Serialize) -> String {
    // Only maps whose keys are no texts can't be written, and there are none.
    serde_json::to_string(part).unwrap_or_default()
}

// Fields stand in the order of the alphabet, as they do in a document: a hash is of their text.

#[derive(Serialize)]
struct Marker<'a> {
    cluster: &'a str,
    id: &'a str,
    name: &'a str,
    namespace: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings<'a> {
    admin: Admin<'a>,
    lockdown: Lockdown<'a>,
    organization: Option<&'a Organization>,
    rate_limit: &'a Option<SiteRateLimit>,
    setup: Setup,
    site_config: Vec<Entry<'a>>,
    suspend: Option<SuspendMode>,
    unset_config: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Admin<'a> {
    email: &'a str,
    first_name: &'a Option<String>,
    has_password: bool,
    last_name: &'a Option<String>,
}

#[derive(Serialize)]
struct Lockdown<'a> {
    mode: LockdownMode,
    #[serde(rename = "oauthProviderURL")]
    oauth_provider_url: &'a Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Plain { name: &'a str, value: &'a Value },
    Secret { env: String, name: &'a str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Keys<'a> {
    other: String,
    pair: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retired: Option<String>,
    roles: &'a [String],
    user: String,
    verify_in_site: bool,
}

fn marker(who: &Subject) -> Marker<'_> {
    Marker { cluster: &who.cluster, id: &who.id, name: &who.tenant.name, namespace: &who.tenant.namespace }
}

/// `whole` is what the step is given. The hash leaves out the organization (applied once, and the customer's own afterwards)
/// and the keys to unset (they follow from the receipt, which the step's own success changes).
fn settings<'a>(want: &'a Want, who: &'a Subject, whole: bool) -> Settings<'a> {
    let lockdown = &who.bench.spec.lockdown;
    let entry = |(index, config): (usize, &'a Config)| match &config.value {
        ConfigValue::Plain(value) => Entry::Plain { name: &config.name, value },
        ConfigValue::Secret { .. } => Entry::Secret { env: format!("TENANT_SITE_CONFIG_{index}"), name: &config.name },
    };
    Settings {
        admin: Admin {
            email: &want.admin.email,
            first_name: &want.admin.first_name,
            has_password: want.admin.password_secret_ref.is_some(),
            last_name: &want.admin.last_name,
        },
        lockdown: Lockdown { mode: lockdown.mode, oauth_provider_url: &lockdown.oauth_provider_url },
        organization: want.organization.as_ref().filter(|_| whole),
        rate_limit: &want.rate_limit,
        setup: want.setup,
        site_config: want.config.iter().enumerate().map(entry).collect(),
        suspend: who.suspension(),
        unset_config: if whole { steps::config_to_unset(who) } else { vec![] },
    }
}

/// The hash leaves out which user is stopped: that is the end of what the step has begun, and no other key.
fn keys(who: &Subject, whole: bool) -> Keys<'_> {
    let user = &who.bench.spec.api_user;
    let serial = rotation::newest(who);
    let retired = rotation::stopped(who).filter(|_| whole);
    Keys {
        other: names::api_user(&who.site, serial.saturating_add(1)),
        pair: serial,
        retired: retired.map(|serial| names::api_user(&who.site, serial)),
        roles: &user.roles,
        user: names::api_user(&who.site, serial),
        verify_in_site: user.verify.mode == VerifyMode::InSite,
    }
}

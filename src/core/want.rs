//! What spec, plan and Bench want together of one tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::subject::{Given, Problem};
use crate::api::{Admin, BenchSpec, Credentials, Organization, PlanCopy, RefusedPath, Setup, SiteRateLimit, Suspend};

/// Paths that a tenant's API host always refuses while the Bench locks sites to their API.
const REFUSED: [&str; 3] = ["/login", "/signup", "/api/method/login"];

#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    pub plan: String,
    /// The plan as it is applied.
    pub copy: Arc<PlanCopy>,
    /// There is no such plan any more: its copy is what is left of it.
    pub plan_gone: bool,
    /// What the Master row calls the plan.
    pub plan_value: String,
    /// The plan's and the tenant's, in the order of installation, without frappe itself.
    pub apps: Vec<String>,
    pub config: Vec<Config>,
    pub rate_limit: Option<SiteRateLimit>,
    pub setup: Setup,
    pub organization: Option<Organization>,
    pub admin: Admin,
    pub credentials: Credentials,
    pub refused: Vec<RefusedPath>,
    pub suspend: Option<Suspend>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub name: String,
    pub value: ConfigValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    Plain(Value),
    /// A key of a Secret in the tenant's namespace.
    Secret {
        secret: String,
        key: String,
    },
}

/// # Errors
/// A config key that the Bench does not let tenants set.
pub(super) fn want(given: &Given<'_>, plan: PlanCopy) -> Result<Want, Problem> {
    let (spec, bench) = (&given.tenant.spec, &given.bench.spec);
    let mut seen = BTreeSet::from(["frappe".to_owned()]);
    let apps =
        plan.spec.apps.iter().chain(&spec.apps).map(|app| app.name.clone()).filter(|name| seen.insert(name.clone())).collect();
    for entry in &spec.site_config {
        if !bench.site_config_policy.tenant_keys.contains(&entry.name) {
            return Err(Problem::lasting(
                "ConfigKeyNotAllowed",
                format!(
                    "spec.siteConfig: the Bench does not let tenants set {:?}; remove it, or add it to the Bench's siteConfigPolicy.tenantKeys",
                    entry.name
                ),
            ));
        }
    }
    let mut config: BTreeMap<String, ConfigValue> = BTreeMap::new();
    for entry in plan.spec.site_config.iter().chain(&spec.site_config) {
        let value = match (&entry.value, &entry.value_from) {
            (Some(value), _) => ConfigValue::Plain(value.clone()),
            (None, Some(from)) => {
                ConfigValue::Secret { secret: from.secret_key_ref.name.clone(), key: from.secret_key_ref.key.clone() }
            }
            (None, None) => continue,
        };
        config.insert(entry.name.clone(), value);
    }
    Ok(Want {
        plan: spec.plan.clone(),
        plan_value: plan.spec.registry_value.clone().unwrap_or_else(|| spec.plan.clone()),
        apps,
        config: config.into_iter().map(|(name, value)| Config { name, value }).collect(),
        rate_limit: plan.spec.site_rate_limit.clone(),
        setup: plan.spec.setup,
        organization: spec.organization.clone(),
        admin: spec.admin.clone(),
        credentials: spec.credentials.clone(),
        refused: refused(&plan, bench),
        copy: Arc::new(plan),
        plan_gone: given.plan.is_none(),
        suspend: spec.suspend.clone(),
    })
}

fn refused(plan: &PlanCopy, bench: &BenchSpec) -> Vec<RefusedPath> {
    let locked = bench.lockdown.mode == crate::api::LockdownMode::APIOnly;
    let ours = REFUSED
        .iter()
        .filter(|_| locked)
        .map(|path| RefusedPath { path: (*path).to_owned(), type_: crate::api::PathType::Prefix });
    let mut paths: Vec<RefusedPath> = plan.spec.refused_paths.clone();
    for path in ours {
        if !paths.iter().any(|other| other.path == path.path) {
            paths.push(path);
        }
    }
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    paths
}

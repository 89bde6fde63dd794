//! What the operator sets in every site of a bench: lockdown, the API user, and which config keys tenants may set.

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::super::{schema, site_config};

/// What the sites refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lockdown {
    /// APIOnly: nobody signs in with a password, at the edge and in the site itself; API keys and single sign-on work. None: as
    /// Frappe does it.
    #[serde(default)]
    pub mode: LockdownMode,
    /// Where users sign in instead. Becomes oauth_provider_url in the site's config.
    #[serde(default, rename = "oauthProviderURL", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::url")]
    pub oauth_provider_url: Option<String>,
}

impl Lockdown {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What the sites refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LockdownMode {
    #[default]
    APIOnly,
    None,
}

/// The service user whose key the tenant gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct ApiUser {
    /// Roles of the user, and no others. Left out: System Manager.
    #[serde(default = "system_manager")]
    #[schemars(schema_with = "roles")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub roles: Vec<String>,
    /// How a key is proven before it is published.
    #[serde(default)]
    pub verify: Verify,
}

impl ApiUser {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ApiUser {
    fn default() -> Self {
        Self { roles: system_manager(), verify: Verify::default() }
    }
}

fn system_manager() -> Vec<String> {
    vec!["System Manager".to_owned()]
}

fn roles(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "minItems": 1, "maxItems": 32, "items": schema::title(generator) })
}

/// How a key is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = ("self.mode == 'HTTP' || !has(self.path)", "verify.mode InSite asks no path: take out verify.path, or set verify.mode to HTTP"))]
pub struct Verify {
    /// HTTP: by a request to the site. InSite: by Frappe's own validator inside the site, for benches where an app refuses the
    /// key on every path.
    #[serde(default)]
    pub mode: VerifyMode,
    /// Path that answers 200 to the key's owner and refuses everyone else. Left out: /api/method/frappe.auth.get_logged_user. Goes
    /// with mode HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::url_path")]
    pub path: Option<String>,
}

impl Verify {
    /// What is asked where the Bench names no path.
    pub const DEFAULT_PATH: &str = "/api/method/frappe.auth.get_logged_user";

    /// The path to ask with the key.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(Self::DEFAULT_PATH)
    }
}

/// How a key is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VerifyMode {
    #[default]
    HTTP,
    InSite,
}

/// Which config keys tenants may set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteConfigPolicy {
    /// Keys that a Tenant's siteConfig may name, such as max_file_size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "keys")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub tenant_keys: Vec<String>,
}

impl SiteConfigPolicy {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn keys(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "maxItems": 128, "items": site_config::key(generator) })
}

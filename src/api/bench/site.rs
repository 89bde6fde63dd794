//! What the operator sets in every site of a bench: lockdown, the API user, and which config keys tenants may set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the sites refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lockdown {
    /// APIOnly or None.
    #[serde(default)]
    pub mode: LockdownMode,
    /// Becomes the site's oauth_provider_url.
    #[serde(
        default,
        rename = "oauthProviderURL",
        skip_serializing_if = "Option::is_none"
    )]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiUser {
    /// Roles of the user.
    #[serde(default = "system_manager")]
    pub roles: Vec<String>,
    /// How the key is proven.
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
        Self {
            roles: system_manager(),
            verify: Verify::default(),
        }
    }
}

fn system_manager() -> Vec<String> {
    vec!["System Manager".to_owned()]
}

/// How a key is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verify {
    /// HTTP or InSite.
    #[serde(default)]
    pub mode: VerifyMode,
    /// Path that answers the key's owner with 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteConfigPolicy {
    /// Keys that a Tenant's siteConfig may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenant_keys: Vec<String>,
}

impl SiteConfigPolicy {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

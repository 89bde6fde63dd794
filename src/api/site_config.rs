//! Keys of a site's `site_config.json`, as tenants and plans declare them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refs::SecretKeyRef;

/// One key of the site's config. Exactly one of `value` and `valueFrom`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteConfigEntry {
    /// Key in `site_config.json`.
    pub name: String,
    /// The value as it is written: a string, a number or a boolean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Where a secret value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueFrom>,
}

/// A source for a value that must not stand in the object itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValueFrom {
    /// A key of a Secret in the same namespace.
    pub secret_key_ref: SecretKeyRef,
}

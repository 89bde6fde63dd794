//! Keys of a site's `site_config.json`, as tenants and plans declare them.

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::refs::SecretKeyRef;
use super::schema;

/// Keys that the operator or the bench itself writes. A tenant or a plan that set one could lose or open a site.
pub const RESERVED_KEYS: [&str; 21] = [
    "admin_password",
    "allow_reads_during_maintenance",
    "db_host",
    "db_name",
    "db_password",
    "db_port",
    "db_socket",
    "db_type",
    "db_user",
    "encryption_key",
    "maintenance_mode",
    "oauth_provider_url",
    "pause_scheduler",
    "rate_limit",
    "root_login",
    "root_password",
    "mariadb_root_login",
    "mariadb_root_password",
    "skip_setup_wizard",
    "tenant_operator",
    "tenant_operator_state",
];

/// One key of the site's config, with exactly one of `value` and `valueFrom`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{"required": ["value"]}, {"required": ["valueFrom"]}]))]
pub struct SiteConfigEntry {
    /// Key in `site_config.json`, such as max_file_size.
    #[schemars(schema_with = "key")]
    pub name: String,
    /// The value as it is to stand in the file: a text, a number, or true or false. Either this or valueFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "scalar")]
    pub value: Option<serde_json::Value>,
    /// Where a secret value comes from, which must not be readable here. Either this or value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueFrom>,
}

/// A source for a value that must not stand in the object itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValueFrom {
    /// The key of a Secret that holds the value.
    pub secret_key_ref: SecretKeyRef,
}

/// A config key that users may set.
pub(super) fn key(_: &mut SchemaGenerator) -> Schema {
    let mut key =
        schema::text(64, "^[a-z][a-z0-9_]*$", "write the key as Frappe does: lower-case letters, digits and underscores");
    let reserved = serde_json::Value::from(RESERVED_KEYS.as_slice()).to_string().replace('"', "'");
    let rule = json!({
        "rule": format!("!(self in {reserved})"),
        "message": "the operator or the bench sets this key itself: take it out",
    });
    if let Some(rules) = key.ensure_object().get_mut("x-kubernetes-validations").and_then(|rules| rules.as_array_mut()) {
        rules.push(rule);
    }
    key
}

/// A text, a number or a boolean. CEL cannot see a field without a type, so lists and objects are kept out by what they may hold.
fn scalar(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-preserve-unknown-fields": true,
        "maxLength": 4096,
        "maxItems": 0,
        "maxProperties": 0,
        "not": { "enum": [[], {}] },
    })
}

/// The entries of a plan: a plan is in no namespace, so there is no Secret that it could name.
pub(super) fn plain_entries(generator: &mut SchemaGenerator) -> Schema {
    let mut name = key(generator);
    name.insert("description".into(), json!("Key in `site_config.json`, such as max_file_size."));
    let mut value = scalar(generator);
    value.insert(
        "description".into(),
        json!("The value as it is to stand in the file: a text, a number, or true or false. A secret belongs into the Tenant's siteConfig."),
    );
    json_schema!({
        "type": "array",
        "items": { "type": "object", "required": ["name", "value"], "properties": { "name": name, "value": value } },
    })
}

//! A suspended tenant: what its site still does, and what visitors read.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::super::schema;

/// How the tenant is suspended, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suspend {
    /// Maintenance: both hosts answer 503 with a page that says so. ReadOnly: the site can be read, and refuses every change. In both
    /// the site's scheduler is paused.
    pub mode: SuspendMode,
    /// Why, in a word or two for the status, such as unpaid. Visitors do not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub reason: Option<String>,
    /// What visitors read on the page of mode Maintenance, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "message")]
    pub public_message: Option<String>,
}

fn message(_: &mut SchemaGenerator) -> Schema {
    schema::text(512, "^[^[:cntrl:]]+$", "write 1 to 512 characters in one line; they are shown as they are, not as HTML")
}

/// What a suspended site still does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SuspendMode {
    #[default]
    Maintenance,
    ReadOnly,
}

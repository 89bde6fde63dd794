//! The Master site, where every tenant has a row that other systems read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::refs::NameRef;

/// The Master site that lists the tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registry {
    /// Where the Master answers.
    pub url: String,
    /// Name of the Master's site.
    pub site: String,
    /// Secret with the keys api-key and api-secret.
    pub token_secret_ref: NameRef,
    /// The DocType of the rows.
    pub doc_type: String,
    /// The field that holds the subdomain.
    pub key_field: String,
    /// The field that holds the tenant's id.
    pub id_field: String,
    /// What is written into which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<RegistryField>,
    /// What becomes of the row when the tenant leaves.
    #[serde(default)]
    pub on_delete: RegistryOnDelete,
}

/// One field of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistryField {
    /// Name of the field in the DocType.
    pub name: String,
    /// What is written into it.
    pub from: RegistrySource,
}

/// What can be written into a field.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum RegistrySource {
    #[default]
    Subdomain,
    OrganizationName,
    AdminEmail,
    Plan,
    FrontendURL,
    APIURL,
    SiteName,
    Status,
    Id,
    CreatedAt,
    APIKey,
    APISecret,
}

impl RegistrySource {
    /// Secrets may only go into fields of type Password.
    pub const fn is_secret(self) -> bool {
        matches!(self, RegistrySource::APISecret)
    }
}

/// What becomes of the row when the tenant leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RegistryOnDelete {
    #[default]
    SetStatus,
    Delete,
}

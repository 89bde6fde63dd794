//! The Master site, where every tenant has a row that other systems read.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::refs::NameRef;
use super::super::schema;

/// The Master site, where every tenant has a row. The row is written last, once all else works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.keyField != self.idField", "keyField holds the subdomain and idField the tenant's id: name two different fields"),
    validation = (
        "!has(self.fields) || self.fields.all(field, field.name != self.keyField && field.name != self.idField)",
        "keyField and idField are written by themselves: take them out of fields"
    ),
    validation = (
        "self.onDelete != 'SetStatus' || (has(self.fields) && self.fields.exists(field, field.from == 'Status'))",
        "onDelete SetStatus needs a field that holds the status: add one with from: Status to fields, or set onDelete to Delete"
    )
)]
pub struct Registry {
    /// Where the Master answers, from inside the cluster, such as http://erpnext-gunicorn:8000. A Service without a namespace is
    /// one in the Bench's namespace.
    #[schemars(schema_with = "schema::url")]
    pub url: String,
    /// Name of the Master's site. No tenant can ever have it.
    #[schemars(schema_with = "schema::name")]
    pub site: String,
    /// Secret with the keys api-key and api-secret of a user of the Master.
    pub token_secret_ref: NameRef,
    /// The DocType of the rows, such as SaaS Tenant.
    #[schemars(schema_with = "schema::title")]
    pub doc_type: String,
    /// The field that holds the subdomain. Rows are found by it.
    #[schemars(schema_with = "schema::doc_field")]
    pub key_field: String,
    /// The field that holds the tenant's id, and says whose row it is. The DocType must have it.
    #[schemars(schema_with = "schema::doc_field")]
    pub id_field: String,
    /// What is written into which other fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub fields: Vec<RegistryField>,
    /// What becomes of the row when the tenant leaves. SetStatus: its status says so. Delete: it is deleted, if the operator made
    /// it; a row that was there before is never deleted.
    #[serde(default)]
    pub on_delete: RegistryOnDelete,
}

/// One field of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistryField {
    /// Name of the field in the DocType.
    #[schemars(schema_with = "schema::doc_field")]
    pub name: String,
    /// What is written into it. APISecret only goes into a field of type Password.
    pub from: RegistrySource,
}

/// What can be written into a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

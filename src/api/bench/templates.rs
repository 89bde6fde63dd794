//! Templates of sites: dumps of freshly installed ones, from which new sites are made in seconds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::super::schema;
use crate::api::InstalledApp;

/// Which templates are kept on the sites volume: one for the apps of each plan that has tenants on the Bench, at most eight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Templates {
    /// False: none is made, and those that there are are removed.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// TenantPlans whose templates are made before their first tenant comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "plans")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub prewarm: Vec<String>,
}

fn enabled() -> bool {
    true
}

fn plans(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "maxItems": 8, "items": schema::short_name(generator) })
}

/// One template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct Template {
    /// What it is known by: the digest of its apps, the bench's image, and how templates are made.
    pub name: String,
    /// The apps that it is for, beside frappe, in the order of installation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 140)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub apps: Vec<String>,
    /// What it is good for now.
    pub state: TemplateState,
    /// Since when.
    pub at: Time,
    /// The bench's image.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub image: String,
    /// Its folder among those of the Bench: the digest of what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub content: Option<String>,
    /// The apps that it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub holds: Vec<InstalledApp>,
    /// How many times in a row it could not be made.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// Why it could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Building: not there yet, or being made anew. Ready: new sites are made from it. Failed: it could not be made. Superseded: nothing needs it any more; it is removed once no Job can be reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TemplateState {
    #[default]
    Building,
    Ready,
    Failed,
    Superseded,
}

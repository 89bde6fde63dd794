//! `TenantPlan`: what starter, professional and enterprise mean, for every tenant that names one.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::site_config::SiteConfigEntry;
use super::tenant::App;

/// What every tenant of the plan gets.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "tenancy.nexuserp.io",
    version = "v1alpha1",
    kind = "TenantPlan",
    shortname = "tplan",
    category = "saas",
    derive = "PartialEq",
    doc = "What a plan such as starter or professional means: apps, site config, limits and refused paths."
)]
#[serde(rename_all = "camelCase")]
pub struct TenantPlanSpec {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the Master row calls the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_value: Option<String>,
    /// Whether the setup wizard is run.
    #[serde(default)]
    pub setup: Setup,
    /// Apps of every tenant of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub apps: Vec<App>,
    /// Keys of the site's config of every tenant of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub site_config: Vec<SiteConfigEntry>,
    /// Frappe's own rate limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_rate_limit: Option<SiteRateLimit>,
    /// Paths that the edge refuses with 403.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".into()]))]
    pub refused_paths: Vec<RefusedPath>,
}

/// Whether the setup wizard is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Setup {
    #[default]
    Complete,
    Skip,
}

/// Frappe's own rate limit: so much time of the server in each window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteRateLimit {
    /// Seconds of processing that a site may use in each window.
    pub limit_seconds: i64,
    /// Length of the window in seconds.
    pub window_seconds: i64,
}

/// A path that the edge refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedPath {
    /// The path, beginning with a slash.
    pub path: String,
    /// Exact or Prefix.
    #[serde(rename = "type")]
    pub type_: PathType,
}

/// How a path is compared.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum PathType {
    #[default]
    Exact,
    Prefix,
}

//! `TenantPlan`: what starter, professional and enterprise mean, for every tenant that names one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition as MetaCondition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;
use super::site_config::{SiteConfigEntry, plain_entries};
use super::tenant::App;

/// What every tenant of the plan gets.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "tenancy.nexuserp.io",
    version = "v1alpha1",
    kind = "TenantPlan",
    status = "TenantPlanStatus",
    shortname = "tplan",
    category = "saas",
    derive = "PartialEq",
    doc = "A TenantPlan says what a plan such as starter or professional means: setup, apps, site config, rate limit and refused paths. Tenants name it in spec.plan. A change reaches all of its tenants.",
    printcolumn(name = "Display", type_ = "string", json_path = ".spec.displayName", description = "Name for people"),
    printcolumn(name = "Setup", type_ = "string", json_path = ".spec.setup", description = "Whether the setup wizard is completed"),
    printcolumn(name = "Tenants", type_ = "integer", json_path = ".status.tenants", description = "How many tenants name it"),
    printcolumn(name = "Following", type_ = "integer", json_path = ".status.following", description = "How many of them have it as it is now"),
    printcolumn(name = "Failing", type_ = "integer", json_path = ".status.failing", description = "How many of them failed on it"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = ("self.metadata.name.size() <= 63", "metadata.name becomes a label value: use at most 63 characters")
)]
#[serde(rename_all = "camelCase")]
pub struct TenantPlanSpec {
    /// Name of the plan for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub display_name: Option<String>,
    /// What the tenant's row in the Master site calls the plan. Left out: the name of the TenantPlan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub registry_value: Option<String>,
    /// Complete: the setup wizard is completed with the Tenant's organization, so that the first user can begin to work. Skip:
    /// it is left to whoever signs in first.
    #[serde(default)]
    pub setup: Setup,
    /// Apps of every tenant of the plan, beside frappe. They must be in the bench's image. An app that is added is installed
    /// for all tenants of the plan; one that is taken out stays installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub apps: Vec<App>,
    /// Keys of the site's config of every tenant of the plan. A Tenant that sets the same key wins, where the Bench lets it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "plain_entries", length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub site_config: Vec<SiteConfigEntry>,
    /// Frappe's own rate limit. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_rate_limit: Option<SiteRateLimit>,
    /// Paths that the edge refuses with 403 on the API host, beyond /login, /signup and /api/method/login, which are always
    /// refused while the Bench's lockdown is APIOnly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".into()]))]
    pub refused_paths: Vec<RefusedPath>,
    /// How a change of this plan reaches its tenants. Left out: five at a time, until three have failed.
    #[serde(default, skip_serializing_if = "Rollout::is_default")]
    pub rollout: Rollout,
}

/// How a change of the plan reaches its tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// How many tenants are changed at a time.
    #[serde(default = "at_once")]
    #[schemars(range(min = 1, max = 1000))]
    pub at_once: u32,
    /// After how many failed tenants no further ones are changed, until those are mended or the plan is changed again.
    #[serde(default = "stop_after")]
    #[schemars(range(min = 1, max = 1000))]
    pub stop_after: u32,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { at_once: at_once(), stop_after: stop_after() }
    }
}

impl Rollout {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn at_once() -> u32 {
    5
}

fn stop_after() -> u32 {
    3
}

/// What the operator sees. Written by the operator only.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantPlanStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many tenants name the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<u32>,
    /// How many of them have the plan as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following: Option<u32>,
    /// How many of them failed on the plan as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<u32>,
    /// What is true, what is not, why, and since when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<MetaCondition>,
}

/// Whether the setup wizard is completed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Setup {
    #[default]
    Complete,
    Skip,
}

/// Frappe's own rate limit: a site that has used its time is answered with 429 until the window ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteRateLimit {
    /// Seconds of processing that all requests of a site may use in each window.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub limit_seconds: i64,
    /// Length of the window in seconds, at most 31 days.
    #[schemars(range(min = 1, max = 2_678_400))]
    pub window_seconds: i64,
}

/// A path that the edge refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = (
    "self.type == 'Exact' ? self.path != '/api/method/ping' : !'/api/method/ping/'.startsWith(self.path + (self.path.endsWith('/') ? '' : '/'))",
    "this would refuse /api/method/ping as well, which tells that the site is alive: name the paths to refuse one by one"
))]
pub struct RefusedPath {
    /// The path, beginning with a slash.
    #[schemars(schema_with = "schema::url_path")]
    pub path: String,
    /// Exact: this path only. Prefix: this path and all below it; /signup then means /signup/now, but not /signups.
    #[serde(rename = "type")]
    pub type_: PathType,
}

/// How a path is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PathType {
    #[default]
    Exact,
    Prefix,
}

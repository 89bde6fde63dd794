//! `Bench`: a Frappe bench that runs already. The operator attaches to it and never runs it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition as MetaCondition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

mod edge;
mod jobs;
mod place;
mod registry;
mod site;

pub use edge::*;
pub use jobs::*;
pub use place::*;
pub use registry::*;
pub use site::*;

/// Where the bench is, how its tenants are reached, and what they may do.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "tenancy.nexuserp.io",
    version = "v1alpha1",
    kind = "Bench",
    namespaced,
    status = "BenchStatus",
    category = "saas",
    derive = "PartialEq",
    doc = "A Frappe bench that runs already (frappe/helm, frappe_docker or plain Deployments) and carries tenants."
)]
#[serde(rename_all = "camelCase")]
pub struct BenchSpec {
    /// Path of the bench inside its containers.
    pub path: String,
    /// The volume that holds the sites.
    pub sites_volume: SitesVolume,
    /// The database server of the sites.
    pub database: Database,
    /// The bench's Services.
    pub services: Services,
    /// The domain below which the tenants' hosts are.
    pub domain: String,
    /// Templates of a tenant's two hosts.
    pub hosts: Hosts,
    /// Template of a tenant's site name.
    pub site_name_template: String,
    /// Subdomains that no tenant may have on this bench.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub reserved_subdomains: Vec<String>,
    /// How the hosts are published.
    pub edge: Edge,
    /// Where certificates come from.
    pub tls: Tls,
    /// DNS of the hosts.
    #[serde(default, skip_serializing_if = "Dns::is_default")]
    pub dns: Dns,
    /// How the operator looks at a tenant from outside.
    #[serde(default, skip_serializing_if = "Probe::is_default")]
    pub probe: Probe,
    /// What the sites refuse.
    #[serde(default, skip_serializing_if = "Lockdown::is_default")]
    pub lockdown: Lockdown,
    /// The service user whose key the tenant gets.
    #[serde(default, skip_serializing_if = "ApiUser::is_default")]
    pub api_user: ApiUser,
    /// Which config keys tenants may set.
    #[serde(default, skip_serializing_if = "SiteConfigPolicy::is_default")]
    pub site_config_policy: SiteConfigPolicy,
    /// The Master site that lists the tenants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,
    /// How work inside the bench is run.
    #[serde(default, skip_serializing_if = "Jobs::is_default")]
    pub jobs: Jobs,
    /// How many tenants the bench takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// True: no new tenants.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drain: bool,
    /// From which namespaces Tenants may come.
    #[serde(default, skip_serializing_if = "AllowedTenants::is_default")]
    pub allowed_tenants: AllowedTenants,
    /// What becomes of archives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
}

/// What the operator sees.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BenchStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many tenants the bench carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<u32>,
    /// What is true, what is not, why, and since when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<MetaCondition>,
}

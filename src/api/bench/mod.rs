//! `Bench`: a Frappe bench that runs already. The operator attaches to it and never runs it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as MetaCondition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::schema;

mod edge;
mod jobs;
mod place;
mod probe;
mod registry;
mod site;
mod templates;

pub use edge::*;
pub use jobs::*;
pub use place::*;
pub use probe::*;
pub use registry::*;
pub use site::*;
pub use templates::*;

/// Where the bench is, how its tenants are reached, and what they may do.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "tenancy.nexuserp.io",
    version = "v1alpha1",
    kind = "Bench",
    plural = "benches",
    namespaced,
    status = "BenchStatus",
    category = "saas",
    derive = "PartialEq",
    doc = "A Bench is a Frappe bench that runs already (frappe/helm, frappe_docker or plain Deployments), and how it carries tenants. The operator attaches to it: it runs Jobs in its namespace, and publishes hosts that lead to its Services.",
    printcolumn(name = "Domain", type_ = "string", json_path = ".spec.domain", description = "The domain below which tenants are"),
    printcolumn(name = "Edge", type_ = "string", json_path = ".spec.edge.type", description = "What publishes the hosts"),
    printcolumn(name = "Tenants", type_ = "integer", json_path = ".status.tenants", description = "How many tenants it carries"),
    printcolumn(name = "Capacity", type_ = "integer", json_path = ".spec.capacity.tenants", description = "How many tenants it takes"),
    printcolumn(name = "Drain", type_ = "boolean", json_path = ".spec.drain", description = "Whether new tenants are refused", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = (
        "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",
        "Services are named after a Bench: use at most 40 lower-case letters, digits and hyphens for metadata.name, with a letter first and no hyphen last"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.edge.type != 'Ingress' || has(self.services.nginx)", "edge.type Ingress leads to the bench's nginx: set services.nginx"),
    validation = ("self.edge.type != 'Ingress' || self.tls.mode == 'Issuer'", "edge.type Ingress works with tls.mode Issuer: set that and tls.issuerRef"),
    validation = ("self.edge.type != 'Gateway' || self.tls.mode == 'Gateway'", "edge.type Gateway works with the certificate of its own listener: set tls.mode Gateway"),
    validation = (
        "self.edge.type != 'Ingress' || self.siteNameTemplate == self.hosts.api",
        "edge.type Ingress needs the site to be named as its API host, since nginx finds the site by the host: set siteNameTemplate to what hosts.api says"
    ),
    validation = (
        "self.edge.type != 'Gateway' || [self.hosts.frontend, self.hosts.api].all(host, host.matches('^[a-z0-9-]*[{]subdomain[}][a-z0-9-]*[.][{]domain[}]$'))",
        "edge.type Gateway needs hosts of one label below the domain, which the listener's wildcard certificate covers: write them as {subdomain}.{domain} and api-{subdomain}.{domain}"
    ),
    validation = (
        "self.domain.size() + self.siteNameTemplate.size() <= 83",
        "with a subdomain of 63 characters the site's name would pass 127 characters, the most that Frappe's user names leave room for: use a shorter domain or siteNameTemplate"
    ),
    validation = (
        "has(self.jobs) && (has(self.jobs.podFrom) || has(self.jobs.image))",
        "Jobs need the bench's image: set jobs.podFrom.deployment to the bench's gunicorn Deployment, or jobs.image"
    )
)]
pub struct BenchSpec {
    /// Path of the bench inside its containers, such as /home/frappe/frappe-bench. Immutable.
    #[schemars(schema_with = "bench_path")]
    #[x_kube(validation = ("self == oldSelf", "path is immutable, since sites are known by it: create another Bench"))]
    pub path: String,
    /// The volume that holds the sites.
    pub sites_volume: SitesVolume,
    /// The database server of the sites.
    pub database: Database,
    /// The bench's Services, all in the Bench's namespace.
    pub services: Services,
    /// The domain below which the tenants' hosts are, such as example.com. Immutable.
    #[schemars(schema_with = "schema::domain")]
    #[x_kube(validation = ("self == oldSelf", "domain is immutable, since hosts and sites are named after it: create another Bench"))]
    pub domain: String,
    /// Templates of a tenant's two hosts. Immutable.
    #[x_kube(validation = ("self == oldSelf", "hosts are immutable, since tenants hold them: create another Bench"))]
    #[schemars(schema_with = "host_templates")]
    pub hosts: Hosts,
    /// Template of a tenant's site name, with {subdomain} and {domain}. With edge.type Ingress, the same as hosts.api. Immutable.
    #[schemars(schema_with = "host_template")]
    #[x_kube(validation = ("self == oldSelf", "siteNameTemplate is immutable, since sites are named after it: create another Bench"))]
    pub site_name_template: String,
    /// Subdomains that no tenant may have on this Bench, beyond those that none may have anywhere (www, api, admin and the like).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "reserved")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub reserved_subdomains: Vec<String>,
    /// How the hosts are published.
    pub edge: Edge,
    /// Where the certificates of the hosts come from.
    pub tls: Tls,
    /// DNS of the hosts. Left out: someone else makes the records, and nothing is checked.
    #[serde(default, skip_serializing_if = "Dns::is_default")]
    pub dns: Dns,
    /// How the operator looks at a tenant from outside. Left out: through the edge, by the hosts' public names.
    #[serde(default, skip_serializing_if = "Probe::is_default")]
    pub probe: Probe,
    /// What the sites refuse. Left out: signing in with a password.
    #[serde(default, skip_serializing_if = "Lockdown::is_default")]
    pub lockdown: Lockdown,
    /// The service user whose key the tenant gets. Left out: a System Manager, proven over HTTP.
    #[serde(default, skip_serializing_if = "ApiUser::is_default")]
    pub api_user: ApiUser,
    /// Which config keys Tenants may set. Left out: none.
    #[serde(default, skip_serializing_if = "SiteConfigPolicy::is_default")]
    pub site_config_policy: SiteConfigPolicy,
    /// The Master site, where every tenant has a row. Left out: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,
    /// How work inside the bench is run.
    #[serde(default, skip_serializing_if = "Jobs::is_default")]
    pub jobs: Jobs,
    /// Dumps of freshly installed sites, from which new sites are made in seconds. Left out: none; every site is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<Templates>,
    /// How many tenants the bench takes. Left out: as many as come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// True: no new tenants are placed here. Those that are here stay, and are looked after.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drain: bool,
    /// From which namespaces Tenants may come. Left out: from the Bench's own.
    #[serde(default, skip_serializing_if = "AllowedTenants::is_default")]
    pub allowed_tenants: AllowedTenants,
    /// Which sites that are there already may become tenants. Left out: none.
    #[serde(default, skip_serializing_if = "BenchAdoption::is_default")]
    pub adoption: BenchAdoption,
    /// What becomes of archives. Left out: they are kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
}

/// What no subdomain can be would reserve nothing, without a word.
fn reserved(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "maxItems": 256, "items": schema::label(generator) })
}

fn bench_path(_: &mut SchemaGenerator) -> Schema {
    schema::text(
        128,
        "^(/[a-zA-Z0-9_-][a-zA-Z0-9._-]*)+$",
        "write an absolute path such as /home/frappe/frappe-bench, without a slash at the end or parts that begin with a dot",
    )
}

/// What the operator sees. Written by the operator only.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BenchStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many tenants the bench carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<u32>,
    /// How many archives of deleted tenants the sites volume holds, as of inspectedAt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archives: Option<u32>,
    /// When all sites were last compared with what they should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspected_at: Option<Time>,
    /// Tenants whose sites differed then; they are put right one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub differing: Vec<Differing>,
    /// The templates that there are, or that are being made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub templates: Vec<Template>,
    /// What is true, what is not, why, and since when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<MetaCondition>,
}

/// A tenant whose site differed from what it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Differing {
    /// The tenant's lasting identity.
    pub id: String,
    /// What differed, such as locked, scheduler, config:max_file_size or site:Absent.
    #[schemars(length(max = 16), inner(length(max = 256)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub what: Vec<String>,
}

//! `Tenant`: what a customer bought. Users write the spec, only the operator writes the status.

use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::refs::{BenchRef, SecretKeyRef};
use super::schema;
use super::site_config::SiteConfigEntry;

mod credentials;
mod organization;
mod status;
mod suspend;

pub use credentials::Credentials;
pub use organization::Organization;
pub use status::*;
pub use suspend::{Suspend, SuspendMode};

/// Subdomains that no tenant may have on any Bench: hosts of the platform, and names that the world gives a meaning.
pub const RESERVED_SUBDOMAINS: [&str; 9] = ["www", "api", "auth", "admin", "app", "blog", "mail", "ftp", "localhost"];

/// What the tenant is.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "tenancy.nexuserp.io",
    version = "v1alpha1",
    kind = "Tenant",
    namespaced,
    status = "TenantStatus",
    shortname = "tn",
    category = "saas",
    derive = "PartialEq",
    doc = "A Tenant is one customer's ERPNext: a site with its own database, apps, an admin user and API keys, on two hosts behind TLS. Apply it, wait for the condition Ready, and find the API key in the Secret that status.credentials names.",
    selectable = ".spec.subdomain",
    selectable = ".spec.plan",
    selectable = ".spec.suspend.mode",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#, description = "Whether the tenant serves its users"),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#, description = "Why it is Ready or not"),
    printcolumn(name = "Plan", type_ = "string", json_path = ".spec.plan", description = "Name of the TenantPlan"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url", description = "Where the tenant's users go"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "API", type_ = "string", json_path = ".status.apiURL", description = "Where programs go", priority = 1),
    printcolumn(name = "Site", type_ = "string", json_path = ".status.siteName", description = "Name of the Frappe site", priority = 1),
    printcolumn(name = "Certificate", type_ = "string", json_path = ".status.certificate.notAfter", description = "When the certificate ends", priority = 1),
    validation = (
        "self.metadata.name.size() <= 63",
        "metadata.name becomes a label value: use at most 63 characters"
    ),
    validation = (BENCH_REF_FOLLOWS_PLACEMENT, "the tenant is placed and does not move: set benchRef to what status.bench says, or leave it out"),
    validation = (ORGANIZATION_IS_THEIRS, "organization is applied once and is the customer's own afterwards: change it inside the site"),
    validation = (SECRET_KEEPS_ITS_NAME, "credentials.secretName is immutable, since programs read that Secret: keep its name"),
    validation = (SITE_NAME_IS_FIXED, "siteName is immutable, since the site is found by it: keep it, or create another Tenant")
)]
#[serde(rename_all = "camelCase")]
pub struct TenantSpec {
    /// The tenant's own part of its hosts: acme becomes acme.example.com on a Bench with the domain example.com. 3 to 63
    /// lower-case letters, digits and hyphens. Immutable.
    #[schemars(schema_with = "subdomain")]
    #[x_kube(validation = ("self == oldSelf", "subdomain is immutable, since hosts and site are named after it: create another Tenant"))]
    pub subdomain: String,
    /// Name of the TenantPlan, which says what the tenant gets. May be changed; apps and config of the new plan are added.
    #[schemars(schema_with = "schema::short_name")]
    pub plan: String,
    /// The Bench that must carry the tenant. Left out, the operator chooses one that accepts it. Once the tenant is placed
    /// (status.bench), it may only be set to that place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench_ref: Option<BenchRef>,
    /// Name of the Frappe site. Left out: what the Bench's siteNameTemplate makes of the subdomain. Another name only where the Bench
    /// lists it (adoption.siteNames). Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name")]
    pub site_name: Option<String>,
    /// Whether a site that is there already may become this tenant's; the Bench must list it (adoption.siteNames). Never: it is left
    /// alone. Report: status.adoption says what would change, and nothing is changed. TakeOver: it becomes this tenant's.
    #[serde(default, skip_serializing_if = "Adoption::is_default")]
    pub adoption: Adoption,
    /// The customer's first user. A changed address adds a user; the earlier one keeps its access until it is disabled in the site.
    pub admin: Admin,
    /// The customer's organization, for the setup wizard of a plan with setup Complete. Applied once and never repaired: it is
    /// the customer's own afterwards. Immutable once it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// Apps beyond those of the plan. They must be in the bench's image. An app that is taken out here stays installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub apps: Vec<App>,
    /// Keys of the site's config, on top of the plan's. Only keys that the Bench allows tenants (siteConfigPolicy). A key that
    /// is taken out here is taken out of the site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub site_config: Vec<SiteConfigEntry>,
    /// Where the API key and secret are published.
    #[serde(default, skip_serializing_if = "Credentials::is_default")]
    pub credentials: Credentials,
    /// Set while the tenant is suspended. Its data stays; the tenant counts as Ready, with the reason Suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<Suspend>,
    /// What becomes of the site when this Tenant is deleted. Archive: it is dropped once a verified archive of database, files
    /// and keys lies on the sites volume. Delete: it is dropped, nothing is kept. Retain: site, database and keys stay. Left out:
    /// Archive, or Retain for a site that was adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

impl TenantSpec {
    /// What becomes of the site in the end, also where the spec leaves it out.
    pub fn deletion_policy(&self) -> DeletionPolicy {
        self.deletion_policy.unwrap_or(match self.adoption {
            Adoption::Never => DeletionPolicy::Archive,
            Adoption::Report | Adoption::TakeOver => DeletionPolicy::Retain,
        })
    }
}

/// Whether a site that is there already may become the tenant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Adoption {
    #[default]
    Never,
    Report,
    TakeOver,
}

impl Adoption {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Lets an unchanged benchRef pass in any case: else a status that disagrees with it could never be written again.
const BENCH_REF_FOLLOWS_PLACEMENT: &str = "!has(self.spec.benchRef) || !has(oldSelf.status) || !has(oldSelf.status.bench) \
    || (has(oldSelf.spec.benchRef) && self.spec.benchRef == oldSelf.spec.benchRef) \
    || (self.spec.benchRef.name == oldSelf.status.bench.name && self.spec.benchRef.__namespace__ == oldSelf.status.bench.__namespace__)";

/// Written with `has`: the server cannot bound the cost of optional fields (`?.`).
const ORGANIZATION_IS_THEIRS: &str = "!has(oldSelf.status) \
    || !(has(oldSelf.status.firstReadyAt) || (has(oldSelf.status.conditions) \
    && oldSelf.status.conditions.exists(c, c.type == 'Configured' && c.status == 'True'))) \
    || (has(self.spec.organization) ? has(oldSelf.spec.organization) && self.spec.organization == oldSelf.spec.organization \
    : !has(oldSelf.spec.organization))";

/// To write out the name that it has when left out is no change.
const SECRET_KEEPS_ITS_NAME: &str = "(has(self.spec.credentials) && has(self.spec.credentials.secretName) \
    ? self.spec.credentials.secretName : self.metadata.name + '-credentials') \
    == (has(oldSelf.spec.credentials) && has(oldSelf.spec.credentials.secretName) \
    ? oldSelf.spec.credentials.secretName : self.metadata.name + '-credentials')";

/// As the rule of the field itself, which would not see it come or go.
const SITE_NAME_IS_FIXED: &str = "has(self.spec.siteName) ? has(oldSelf.spec.siteName) && self.spec.siteName == oldSelf.spec.siteName \
    : !has(oldSelf.spec.siteName)";

fn subdomain(_: &mut SchemaGenerator) -> Schema {
    let reserved = serde_json::Value::from(RESERVED_SUBDOMAINS.as_slice()).to_string().replace('"', "'");
    json_schema!({
        "type": "string",
        "minLength": 3,
        "maxLength": 63,
        "x-kubernetes-validations": [
            {
                "rule": "self.matches('^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$')",
                "message": "write lower-case letters, digits and hyphens, with a letter or digit at both ends",
            },
            { "rule": "!self.contains('xn--')", "message": "xn-- marks an encoded international name: write the subdomain in plain letters" },
            { "rule": format!("!(self in {reserved})"), "message": "this subdomain is the platform's own: choose another one" },
        ],
    })
}

/// The customer's first user. It gets the role System Manager, and keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Admin {
    /// Address of the user, which is its name in Frappe as well.
    #[schemars(schema_with = "email")]
    pub email: String,
    /// First name. Left out: the part of the address before the @.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub last_name: Option<String>,
    /// A key of a Secret in the Tenant's namespace with the user's password. Left out: the user has none, and comes in by
    /// single sign-on or by a reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,
}

fn email(_: &mut SchemaGenerator) -> Schema {
    schema::text(
        140,
        "^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)+$",
        "write one address such as ada@acme.example, without a name or angle brackets",
    )
}

/// An app of the bench.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct App {
    /// Name of the app, such as erpnext or hrms.
    #[schemars(schema_with = "schema::app")]
    pub name: String,
}

/// What becomes of the site when the Tenant is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    #[default]
    Archive,
    Delete,
    Retain,
}

//! `Tenant`: what a customer bought. Users write the spec, only the operator writes the status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as MetaCondition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refs::{BenchRef, SecretKeyRef};
use super::site_config::SiteConfigEntry;

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
    doc = "One customer's ERPNext: a site with its own database, apps, admin user and API keys, on two hosts behind TLS.",
    selectable = ".spec.subdomain",
    selectable = ".spec.plan"
)]
#[serde(rename_all = "camelCase")]
pub struct TenantSpec {
    /// The tenant's own part of its hosts.
    pub subdomain: String,
    /// Name of the TenantPlan.
    pub plan: String,
    /// The Bench that must carry the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench_ref: Option<BenchRef>,
    /// The customer's first user.
    pub admin: Admin,
    /// The customer's organization, for the setup wizard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// Apps beyond those of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub apps: Vec<App>,
    /// Keys of the site's config.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub site_config: Vec<SiteConfigEntry>,
    /// Where the API key and secret are published.
    #[serde(default, skip_serializing_if = "Credentials::is_default")]
    pub credentials: Credentials,
    /// What happens to the data when the Tenant is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// The customer's first user. Gets the role System Manager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Admin {
    /// Address of the user, and its name in Frappe.
    pub email: String,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// A key of a Secret in the Tenant's namespace with the user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,
}

/// What the setup wizard is told. Applied once: it is the customer's own afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Name of the company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Short form of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abbreviation: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Currency, ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Language code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Chart of accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart_of_accounts: Option<String>,
    /// First day of the fiscal year, MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fiscal_year_start: Option<String>,
}

/// An app of the bench.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct App {
    /// Name of the app.
    pub name: String,
}

/// Where the API key and secret are published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// Name of the Secret. Absent: the Tenant's name and `-credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
}

impl Credentials {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What happens to the data when the Tenant is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    #[default]
    Archive,
    Delete,
    Retain,
}

/// What the operator sees.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The tenant's lasting identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The Bench that carries the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench: Option<BenchRef>,
    /// The plan as it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSeen>,
    /// Name of the Frappe site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_name: Option<String>,
    /// Where users go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where programs go.
    #[serde(default, rename = "apiURL", skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// Apps that the site has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub apps: Vec<InstalledApp>,
    /// The API key in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsStatus>,
    /// The certificate in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateStatus>,
    /// When the tenant was Ready for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ready_at: Option<Time>,
    /// What is true, what is not, why, and since when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<MetaCondition>,
}

/// The plan as it was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanSeen {
    /// Name of the TenantPlan.
    pub name: String,
    /// Generation of the TenantPlan that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// An app that the site has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstalledApp {
    /// Name of the app.
    pub name: String,
    /// Version of the app.
    pub version: String,
}

/// The API key in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsStatus {
    /// Name of the Secret with the key.
    pub secret_name: String,
    /// Which of the two service users holds the key: A or B.
    pub slot: String,
    /// When the key was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Time>,
}

/// The certificate in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus {
    /// When the certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}

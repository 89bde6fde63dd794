//! `TenantClaim`: who holds a host or a site. Written only by the operator; the site's claim is the tenant's durable record.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::Hosts;
use super::refs::BenchRef;

/// What is claimed, and by whom.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "tenancy.nexuserp.io",
    version = "v1alpha1",
    kind = "TenantClaim",
    shortname = "tclaim",
    category = "saas",
    derive = "PartialEq",
    doc = "A host or a site that one tenant holds, in the whole cluster. Written only by the operator: do not edit or delete."
)]
#[serde(rename_all = "camelCase")]
pub struct TenantClaimSpec {
    /// The tenant that holds the claim.
    pub holder: Holder,
    /// The host, where a host is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The tenant's durable record, where a site is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// The tenant that holds a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Holder {
    /// The tenant's lasting identity.
    pub id: String,
    /// Namespace of the Tenant.
    pub namespace: String,
    /// Name of the Tenant.
    pub name: String,
}

/// All that must be known of a tenant when its object, its Bench or its status is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The tenant's own part of its hosts.
    pub subdomain: String,
    /// The Bench that carries the tenant.
    pub bench: BenchRef,
    /// Path of the bench inside its containers.
    pub bench_path: String,
    /// Claim of the volume that holds the sites.
    pub sites_claim: String,
    /// Name of the Frappe site.
    pub site_name: String,
    /// Name of the site's database.
    pub database: String,
    /// The two hosts.
    pub hosts: Hosts,
    /// Name of the Secret with the API key, in the Tenant's namespace.
    pub credentials_secret: String,
    /// When the tenant was claimed.
    pub created_at: Time,
    /// When the tenant was Ready for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ready_at: Option<Time>,
    /// Active, or Retained once the Tenant was deleted with the policy Retain.
    pub phase: Phase,
    /// What each step left in the site.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receipts: BTreeMap<String, Receipt>,
    /// How often each step was tried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attempts: BTreeMap<String, u32>,
    /// Folder of the archive, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
}

/// Whether the tenant of a record lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    #[default]
    Active,
    Retained,
}

/// Evidence of a step: what the site has now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// Hash of the step's inputs.
    pub hash: String,
    /// Version of the step's program.
    pub version: String,
    /// When the step ended.
    pub at: Time,
    /// What the step reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<serde_json::Value>,
}

//! `TenantClaim`: who holds a host or a site. Written only by the operator; the site's claim is the tenant's durable record.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::Hosts;
use super::plan::TenantPlanSpec;
use super::refs::BenchRef;
use super::schema;

/// What is claimed, and by whom.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "tenancy.nexuserp.io",
    version = "v1alpha1",
    kind = "TenantClaim",
    shortname = "tclaim",
    derive = "PartialEq",
    doc = "A TenantClaim is a host or a site that one tenant holds in the whole cluster. The claim of the site is the tenant's durable record. Written only by the operator: back it up with the Tenants, and never edit or delete it.",
    printcolumn(name = "Namespace", type_ = "string", json_path = ".spec.holder.namespace", description = "Namespace of the Tenant"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.holder.name", description = "Name of the Tenant"),
    printcolumn(name = "ID", type_ = "string", json_path = ".spec.holder.id", description = "The tenant's lasting identity"),
    printcolumn(name = "Site", type_ = "string", json_path = ".spec.record.siteName", description = "Name of the Frappe site, where a site is claimed"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".spec.record.phase", description = "Active; Retained or Abandoned after its Tenant was deleted"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = (
        "has(self.spec.host) ? self.metadata.name == 'host.' + self.spec.host : self.metadata.name.startsWith('site.')",
        "a claim is named after what it claims: host.<host>, or site.<hash of the site's place>"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.host) != has(self.record)", "set host for the claim of a host, or record for the claim of a site, and not both"))]
pub struct TenantClaimSpec {
    /// The tenant that holds the claim. A claim is released by deleting it; only a retained site's goes over to another Tenant.
    #[x_kube(validation = ("self.id == oldSelf.id", "a claim never changes hands: delete it and create another one"))]
    pub holder: Holder,
    /// The host, where a host is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name")]
    pub host: Option<String>,
    /// The tenant's durable record, where a site is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// The tenant that holds a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Holder {
    /// The tenant's lasting identity.
    #[schemars(regex(pattern = r"^[0-9a-f]{16}$"))]
    pub id: String,
    /// Namespace of the Tenant.
    pub namespace: String,
    /// Name of the Tenant.
    pub name: String,
}

/// All that must be known of a tenant when its object, its Bench or its status is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (PLACE_IS_FIXED, "the place of a site is fixed for as long as it exists: what a record says of it cannot change"))]
pub struct Record {
    /// The tenant's own part of its hosts.
    #[schemars(length(max = 63))]
    pub subdomain: String,
    /// The Bench that carries the tenant.
    pub bench: BenchRef,
    /// Path of the bench inside its containers.
    #[schemars(length(max = 256))]
    pub bench_path: String,
    /// Claim of the volume that holds the sites.
    #[schemars(length(max = 253))]
    pub sites_claim: String,
    /// Name of the Frappe site.
    #[schemars(length(max = 253))]
    pub site_name: String,
    /// Name of the site's database. Empty while a site that is to be adopted has not been looked at.
    #[schemars(length(max = 64))]
    pub database: String,
    /// The two hosts.
    pub hosts: Hosts,
    /// Name of the Secret with the API key, in the Tenant's namespace.
    #[schemars(length(max = 253))]
    pub credentials_secret: String,
    /// When the tenant was claimed.
    pub created_at: Time,
    /// When the tenant was Ready for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ready_at: Option<Time>,
    /// Active; Retained once the Tenant was deleted with the policy Retain; Abandoned where its end was given up.
    pub phase: Phase,
    /// What each step left in the site.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receipts: BTreeMap<String, Receipt>,
    /// How the site became the tenant's.
    #[serde(default, skip_serializing_if = "Origin::is_default")]
    pub origin: Origin,
    /// The plan as it was last applied: a change of the plan waits for the tenant's turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanCopy>,
    /// Which pair of the API key is in use.
    #[serde(default, skip_serializing_if = "Rotation::is_default")]
    pub rotation: Rotation,
    /// With the phase Abandoned: what may be left outside, for a person to take away. Delete the claim when it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub left: Vec<String>,
    /// Folder of the archive: where it lies, or is to lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
}

/// By these, the way down finds what it must remove, however broken the Tenant or the Bench may be.
const PLACE_IS_FIXED: &str = "self.subdomain == oldSelf.subdomain && self.benchPath == oldSelf.benchPath \
    && self.sitesClaim == oldSelf.sitesClaim && self.siteName == oldSelf.siteName \
    && (self.database == oldSelf.database || oldSelf.database == '') \
    && self.hosts == oldSelf.hosts && self.createdAt == oldSelf.createdAt";

/// Whether the tenant of a record lives. Retained: its Tenant is gone, its site stays. Abandoned: its Tenant is gone, and what `left` names could not be taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    #[default]
    Active,
    Retained,
    Abandoned,
}

/// How the site became the tenant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Origin {
    /// The operator made it.
    #[default]
    Created,
    /// The operator made it, and found it again after its record was lost.
    Recovered,
    /// It was there before.
    Adopted,
}

impl Origin {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A TenantPlan as it was at one generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanCopy {
    /// Name of the TenantPlan.
    pub name: String,
    /// Its generation.
    #[serde(default)]
    pub generation: i64,
    /// Its spec.
    #[schemars(schema_with = "schema::anything")]
    pub spec: TenantPlanSpec,
}

/// Which pair of the API key is in use: pairs are numbered, and two service users take turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// Number of the newest pair. Even ones belong to the first service user (slot A), odd ones to the second (slot B).
    #[serde(default)]
    pub serial: u32,
    /// The spec's credentials.rotateToken that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When it was published in place of the pair before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Time>,
    /// True once the pair before can no longer be used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

impl Rotation {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
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
    #[schemars(schema_with = "schema::anything")]
    pub facts: Option<serde_json::Value>,
}

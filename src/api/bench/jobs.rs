//! How work inside a bench is run and limited: Jobs, capacity, who may come, and what becomes of archives.

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How work inside the bench is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Jobs {
    /// Where image, pull secrets, security context, placement and volumes are taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_from: Option<PodFrom>,
    /// Image of the Jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How many Jobs run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// When a Job is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Requests and limits of the Jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
}

impl Jobs {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A Deployment of the bench.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PodFrom {
    /// Name of the Deployment.
    pub deployment: String,
}

/// How many tenants the bench takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capacity {
    /// Number of tenants.
    pub tenants: u32,
}

/// From which namespaces Tenants may come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AllowedTenants {
    /// The namespaces.
    #[serde(default)]
    pub namespaces: NamespacesFrom,
}

impl AllowedTenants {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A choice of namespaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NamespacesFrom {
    /// Same, All or Selector.
    #[serde(default)]
    pub from: NamespaceChoice,
    /// Labels of the namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// Which namespaces are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NamespaceChoice {
    #[default]
    Same,
    All,
    Selector,
}

/// What becomes of archives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Archive {
    /// How long an archive is kept. Absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
}

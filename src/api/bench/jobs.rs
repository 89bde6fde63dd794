//! How work inside a bench is run and limited: Jobs, capacity, who may come, and what becomes of archives.

use std::time::Duration;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::super::{duration, schema};

/// How work inside the bench is run: as Jobs in its namespace, with its image and as its user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Jobs {
    /// Where image, pull secrets, security context, placement and volumes are taken from. What is set here beside it wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_from: Option<PodFrom>,
    /// Image of the Jobs. It must be the bench's own. Left out: that of podFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "image")]
    pub image: Option<String>,
    /// How many Jobs run at once on this Bench. Left out: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub concurrency: Option<u32>,
    /// After what time a Job is ended and tried again. Left out: 15m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "deadline")]
    pub deadline: Option<String>,
    /// Requests and limits of each container of the Jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "resources")]
    pub resources: Option<ResourceRequirements>,
}

impl Jobs {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What their pods are to be copied from is not there: none can be made.
    pub fn lack<D>(&self, source: Option<&D>) -> bool {
        self.pod_from.is_some() && source.is_none()
    }

    /// How many Jobs run at once.
    pub fn concurrency(&self) -> u32 {
        self.concurrency.unwrap_or(3)
    }

    /// After what time a Job is ended.
    pub fn deadline(&self) -> Duration {
        duration::or(self.deadline.as_deref(), Duration::from_secs(15 * 60))
    }
}

fn image(_: &mut SchemaGenerator) -> Schema {
    schema::text(512, "^[a-z0-9][a-zA-Z0-9._:/@-]*$", "write an image reference, such as docker.io/frappe/erpnext:v15.72.4")
}

fn deadline(_: &mut SchemaGenerator) -> Schema {
    schema::duration("1m")
}

/// Without `claims`, which would need a pod of the user's own making.
fn resources(_: &mut SchemaGenerator) -> Schema {
    let amounts = |description: &str| {
        serde_json::json!({
            "type": "object",
            "maxProperties": 16,
            "description": description,
            "additionalProperties": {
                "x-kubernetes-int-or-string": true,
                "maxLength": 32,
                "x-kubernetes-validations": [{
                    "rule": "string(self).matches('^([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$')",
                    "message": "write an amount of at least nothing, such as 500m, 2 or 512Mi",
                }],
            },
        })
    };
    json_schema!({
        "type": "object",
        "properties": {
            "requests": amounts("What a container is given at least, such as cpu: 500m and memory: 512Mi."),
            "limits": amounts("What a container may use at most, such as memory: 2Gi."),
        },
    })
}

/// A Deployment of the bench.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PodFrom {
    /// Name of the bench's gunicorn Deployment, in the Bench's namespace.
    #[schemars(schema_with = "schema::name")]
    pub deployment: String,
}

/// How many tenants the bench takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capacity {
    /// Number of tenants. Further ones wait, or go to another Bench.
    #[schemars(range(min = 1, max = 100_000))]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = ("(self.from == 'Selector') == has(self.selector)", "selector goes with from: Selector: set both, or neither"))]
pub struct NamespacesFrom {
    /// Same: the Bench's own namespace. All: every namespace. Selector: those whose labels match the selector.
    #[serde(default)]
    pub from: NamespaceChoice,
    /// Labels of the namespaces. Goes with from: Selector.
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

/// Which sites that are there already may become tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BenchAdoption {
    /// Names of sites that a Tenant may adopt, or name in its siteName. The Master's site and the bench's default site never are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), inner(length(max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub site_names: Vec<String>,
    /// True: a Tenant whose record was lost (a restore without its TenantClaims) finds its site again by the Secrets that it left in
    /// the Bench's namespace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recover: bool,
}

impl BenchAdoption {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What becomes of archives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Archive {
    /// How long the archive of a deleted tenant is kept. Left out: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "keep")]
    pub keep: Option<String>,
}

impl Archive {
    /// How long an archive is kept; none: for ever.
    pub fn keep(&self) -> Option<Duration> {
        self.keep.as_deref().and_then(|text| duration::parse(text).ok())
    }
}

fn keep(_: &mut SchemaGenerator) -> Schema {
    schema::duration("1h")
}

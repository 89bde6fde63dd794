//! How a tenant's hosts are published: edge, TLS and DNS.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::super::schema;

/// How the hosts are published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = ("(self.type == 'Ingress') == has(self.ingress)", "edge.ingress goes with edge.type Ingress: set both, or neither"),
    validation = ("(self.type == 'Gateway') == has(self.gateway)", "edge.gateway goes with edge.type Gateway: set both, or neither")
)]
pub struct Edge {
    /// Ingress: Ingresses that lead to the bench's nginx, with certificates from an issuer. Gateway: HTTPRoutes that lead to
    /// gunicorn, on a listener that has a wildcard certificate of its own. Immutable.
    #[serde(rename = "type")]
    #[x_kube(validation = ("self == oldSelf", "edge.type is immutable, since tenants are published by it: create another Bench"))]
    pub type_: EdgeType,
    /// Settings of the Ingresses. Goes with type Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressEdge>,
    /// Settings of the HTTPRoutes. Goes with type Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayEdge>,
}

/// What publishes the hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EdgeType {
    #[default]
    Ingress,
    Gateway,
}

/// Settings of the Ingresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressEdge {
    /// Name of the IngressClass, such as contour.
    #[schemars(schema_with = "schema::name")]
    pub class_name: String,
    /// Annotations for every Ingress, for settings of the ingress controller such as time limits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// Without those that would have a second certificate issued or claim that an object is ours.
fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 4096 },
        "x-kubernetes-validations": [{
            "rule": "self.all(key, !key.startsWith('cert-manager.io/') && !key.startsWith('tenancy.nexuserp.io/'))",
            "message": "tls.issuerRef chooses the issuer, and annotations of tenancy.nexuserp.io are the operator's: take out those of cert-manager.io and tenancy.nexuserp.io",
        }],
    })
}

/// Settings of the HTTPRoutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayEdge {
    /// The listener that carries the hosts. It needs a wildcard certificate for the domain, and must allow routes from the
    /// Bench's namespace.
    pub parent_ref: ParentRef,
}

/// A listener of a Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Name of the Gateway.
    #[schemars(schema_with = "schema::name")]
    pub name: String,
    /// Namespace of the Gateway.
    #[schemars(schema_with = "schema::label")]
    pub namespace: String,
    /// Name of the listener. Left out: every listener of the Gateway that matches the hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name")]
    pub section_name: Option<String>,
}

/// Where certificates come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("(self.mode == 'Issuer') == has(self.issuerRef)", "tls.issuerRef goes with tls.mode Issuer: set both, or neither"))]
pub struct Tls {
    /// Issuer: cert-manager issues one certificate per tenant, for both hosts. Gateway: the listener has a wildcard certificate,
    /// and nothing is issued.
    pub mode: TlsMode,
    /// The cert-manager issuer of the certificates. Goes with mode Issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_ref: Option<IssuerRef>,
}

/// Where certificates come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TlsMode {
    #[default]
    Issuer,
    Gateway,
}

/// A cert-manager issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssuerRef {
    /// Issuer, which is in the Bench's namespace, or ClusterIssuer.
    #[schemars(schema_with = "issuer_kind")]
    pub kind: String,
    /// Name of the issuer.
    #[schemars(schema_with = "schema::name")]
    pub name: String,
}

fn issuer_kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["Issuer", "ClusterIssuer"] })
}

/// DNS of the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dns {
    /// None: someone else makes the records, a wildcard record for instance.
    #[serde(default)]
    pub mode: DnsMode,
    /// DNS servers, as host:port, that must resolve both hosts before the tenant is Ready. Left out: nothing is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "servers")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub verify_with: Vec<String>,
}

impl Dns {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn servers(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "maxItems": 8, "items": schema::host_port(generator) })
}

/// Who makes the DNS records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DnsMode {
    #[default]
    None,
}

//! How a tenant's hosts are published and looked at from outside: edge, TLS, DNS and probe.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::refs::SecretKeyRef;

/// How the hosts are published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// Ingress or Gateway.
    #[serde(rename = "type")]
    pub type_: EdgeType,
    /// Settings of the Ingresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressEdge>,
    /// Settings of the HTTPRoutes.
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
    /// Name of the IngressClass.
    pub class_name: String,
    /// Annotations for every Ingress.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Settings of the HTTPRoutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayEdge {
    /// The listener that carries the hosts.
    pub parent_ref: ParentRef,
}

/// A listener of a Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Name of the Gateway.
    pub name: String,
    /// Namespace of the Gateway.
    pub namespace: String,
    /// Name of the listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

/// Where certificates come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Issuer or Gateway.
    pub mode: TlsMode,
    /// The cert-manager issuer.
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
    /// Issuer or ClusterIssuer.
    pub kind: String,
    /// Name of the issuer.
    pub name: String,
}

/// DNS of the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dns {
    /// None: someone else makes the records.
    #[serde(default)]
    pub mode: DnsMode,
    /// Servers that are asked whether the hosts resolve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify_with: Vec<String>,
}

impl Dns {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Who makes the DNS records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DnsMode {
    #[default]
    None,
}

/// How the operator looks at a tenant from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Edge or Off.
    #[serde(default)]
    pub mode: ProbeMode,
    /// Address to connect to instead of what the names resolve to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<String>,
    /// The certificate authority to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretKeyRef>,
    /// Time between two probes of a Ready tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// How many failures in a row it takes until a Ready tenant is no longer Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
}

impl Probe {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How the operator looks at a tenant from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProbeMode {
    #[default]
    Edge,
    Off,
}

//! How the operator looks at a tenant from outside.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::super::refs::SecretKeyRef;
use super::super::{duration, schema};

/// How the operator looks at a tenant from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Edge: a tenant is Ready once its names, TLS, ping, key and refused paths were seen to work through the edge. None: that is
    /// taken on trust. "Off" is another word for None; it has to be written in quotes, since YAML takes a bare Off for a boolean.
    #[serde(default)]
    pub mode: ProbeMode,
    /// Address, as host:port, to connect to instead of what the names resolve to, where those do not work from inside the
    /// cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::host_port")]
    pub connect_to: Option<String>,
    /// The certificate authority to trust, in PEM. Left out: those that the world trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretKeyRef>,
    /// Time between two probes of a Ready tenant. Left out: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "interval")]
    pub interval: Option<String>,
    /// How many failures in a row it takes until a Ready tenant is no longer Ready. Left out: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20))]
    pub failure_threshold: Option<u32>,
}

impl Probe {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Time between two probes of a Ready tenant.
    pub fn interval(&self) -> Duration {
        duration::or(self.interval.as_deref(), Duration::from_secs(600))
    }

    /// How many failures in a row it takes until a Ready tenant is no longer Ready.
    pub fn failure_threshold(&self) -> u32 {
        self.failure_threshold.unwrap_or(3)
    }
}

fn interval(_: &mut SchemaGenerator) -> Schema {
    schema::duration("10s")
}

/// How the operator looks at a tenant from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProbeMode {
    #[default]
    Edge,
    None,
    Off,
}

impl ProbeMode {
    /// Nothing is looked at.
    pub fn is_off(self) -> bool {
        matches!(self, Self::None | Self::Off)
    }
}

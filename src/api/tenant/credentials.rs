//! Where the tenant's API key is published, and when it is rotated.

use std::time::Duration;

use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::super::{duration, schema};

/// Where the API key and secret are published, and when another pair takes their place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "!has(self.rotateEvery) || duration(has(self.overlap) ? self.overlap : '10m') < duration(self.rotateEvery)",
    "while the old key still works the new one must not be rotated: write an overlap shorter than rotateEvery"
))]
pub struct Credentials {
    /// Name of the Secret, in the Tenant's namespace. The operator creates it and never touches one that is not its own. Left
    /// out: the Tenant's name and -credentials. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name")]
    pub secret_name: Option<String>,
    /// After what time the key is replaced by another one. Left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "rotate_every")]
    pub rotate_every: Option<String>,
    /// Another text than before replaces the key once. Taking it out does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub rotate_token: Option<String>,
    /// How long the old key works on after the new one was published. Left out: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "overlap")]
    pub overlap: Option<String>,
}

impl Credentials {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// After what time the key is replaced; none: never.
    pub fn rotate_every(&self) -> Option<Duration> {
        self.rotate_every.as_deref().and_then(|text| duration::parse(text).ok())
    }

    /// How long the old key works on.
    pub fn overlap(&self) -> Duration {
        duration::or(self.overlap.as_deref(), Duration::from_secs(600))
    }
}

fn rotate_every(_: &mut SchemaGenerator) -> Schema {
    schema::duration("1h")
}

fn overlap(_: &mut SchemaGenerator) -> Schema {
    schema::duration("1s")
}

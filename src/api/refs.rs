//! References to other objects. None of them has a namespace where the reader must not choose one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// A Bench, by name and namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BenchRef {
    /// Name of the Bench.
    #[schemars(schema_with = "schema::short_name")]
    pub name: String,
    /// Namespace of the Bench.
    #[schemars(schema_with = "schema::label")]
    pub namespace: String,
}

/// One key of a Secret. It has no namespace: the Secret is always in that of the object that names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// Name of the Secret, in the same namespace as this object.
    #[schemars(schema_with = "schema::name")]
    pub name: String,
    /// Key inside the Secret.
    #[schemars(schema_with = "schema::secret_key")]
    pub key: String,
}

/// An object in the same namespace, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameRef {
    /// Name of the object, in the same namespace as this one.
    #[schemars(schema_with = "schema::name")]
    pub name: String,
}

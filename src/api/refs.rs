//! References to other objects. None of them has a namespace where the reader must not choose one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Bench, by name and namespace.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct BenchRef {
    /// Name of the Bench.
    pub name: String,
    /// Namespace of the Bench.
    pub namespace: String,
}

/// One key of a Secret.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    pub name: String,
    /// Key inside the Secret.
    pub key: String,
}

/// An object in the same namespace, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameRef {
    /// Name of the object.
    pub name: String,
}

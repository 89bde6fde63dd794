//! The program that runs inside the bench, as the ConfigMap that brings it there.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::strings;
use crate::core::names;

/// The files of `bench/`, as they are mounted.
pub const FILES: &[(&str, &str)] = &[];

/// Named by what it holds: a new version is a new ConfigMap, and a running Job keeps its own.
pub fn name() -> String {
    let parts: Vec<&str> = FILES.iter().flat_map(|(name, text)| [*name, *text]).collect();
    format!("tenant-operator-steps-{}", names::digest(&parts, 8))
}

pub fn config_map(namespace: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name()),
            namespace: Some(namespace.to_owned()),
            labels: Some(strings([(names::label::MANAGED_BY, names::MANAGER)])),
            ..Default::default()
        },
        data: Some(FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()),
        immutable: Some(true),
        ..Default::default()
    }
}

//! The program that runs inside the bench, as the ConfigMap that brings it there.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::strings;
use crate::core::names;

macro_rules! files {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../../bench/", $name)))),*] };
}

/// The files of `bench/`, as they are mounted.
pub const FILES: &[(&str, &str)] = files![
    "main.py",
    "step_adopt.py",
    "step_apps.py",
    "step_archive.py",
    "step_create.py",
    "step_drop.py",
    "step_expire.py",
    "step_inspect.py",
    "step_keys.py",
    "step_report.py",
    "step_retire.py",
    "step_revoke.py",
    "step_settings.py",
    "step_template.py",
    "tenant_adopt.py",
    "tenant_archive.py",
    "tenant_child.py",
    "tenant_database.py",
    "tenant_failure.py",
    "tenant_frappe.py",
    "tenant_input.py",
    "tenant_inspect.py",
    "tenant_key.py",
    "tenant_keys.py",
    "tenant_report.py",
    "tenant_restore.py",
    "tenant_run.py",
    "tenant_sanitise.py",
    "tenant_server.py",
    "tenant_settings.py",
    "tenant_site.py",
    "tenant_suspend.py",
    "tenant_template.py",
    "tenant_users.py",
];

/// Named by what it holds: a new version is a new ConfigMap, and a running Job keeps its own.
pub fn name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        let parts: Vec<&str> = FILES.iter().flat_map(|(name, text)| [*name, *text]).collect();
        format!("tenant-operator-steps-{}", names::digest(&parts, 8))
    });
    &NAME
}

pub fn config_map(namespace: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name().to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some(strings([(names::label::MANAGED_BY, names::MANAGER)])),
            ..Default::default()
        },
        data: Some(FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()),
        immutable: Some(true),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FILES;

    #[test]
    fn every_file_of_the_program_is_delivered() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/bench")).expect("the folder bench");
        let names = folder.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        let there: BTreeSet<String> = names.filter(|name| name.ends_with(".py")).collect();
        assert_eq!(there, FILES.iter().map(|(name, _)| (*name).to_owned()).collect());
    }

    #[test]
    fn the_program_fits_into_a_config_map() {
        let bytes: usize = FILES.iter().map(|(_, text)| text.len()).sum();
        assert!(bytes < 900_000, "{bytes} bytes");
    }
}

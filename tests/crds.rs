//! `crds/` holds what the types say. After a change of the types: `UPDATE_CRDS=1 cargo test --test crds`.

use std::path::{Path, PathBuf};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use tenant_operator::api;

fn file(crd: &CustomResourceDefinition) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crds").join(format!("{}.yaml", crd.spec.names.plural))
}

fn schema(crd: &CustomResourceDefinition) -> &JSONSchemaProps {
    let version = &crd.spec.versions[0];
    version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref()).expect("every definition has a schema")
}

/// Calls `look` with every part of a schema below `path`, and what leads to it.
fn walk(path: &str, schema: &JSONSchemaProps, look: &mut impl FnMut(&str, &JSONSchemaProps)) {
    look(path, schema);
    for (name, property) in schema.properties.iter().flatten() {
        walk(&format!("{path}.{name}"), property, look);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        walk(&format!("{path}[]"), items, look);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        walk(&format!("{path}{{}}"), values, look);
    }
}

#[test]
fn the_files_say_what_the_types_say() {
    for crd in api::crds() {
        let (path, yaml) = (file(&crd), api::yaml(&crd));
        if std::env::var_os("UPDATE_CRDS").is_some() {
            std::fs::write(&path, &yaml).expect("crds/ can be written");
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == yaml, "{} is out of date: run UPDATE_CRDS=1 cargo test --test crds", path.display());
    }
}

#[test]
fn crds_holds_nothing_else() {
    let known: Vec<PathBuf> = api::crds().iter().map(file).collect();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crds")).expect("crds/ is there") {
        let path = entry.expect("crds/ can be read").path();
        assert!(known.contains(&path), "{} belongs to no object: remove it", path.display());
    }
}

#[test]
fn every_field_is_explained_in_a_sentence() {
    for crd in api::crds() {
        let kind = crd.spec.names.kind.clone();
        walk(&kind, schema(&crd), &mut |path, schema| {
            // Items and values are explained by the list or map that they are in; label selectors come from Kubernetes.
            if path.ends_with(']') || path.ends_with('}') || path == format!("{kind}.metadata") || path.contains(".selector.") {
                return;
            }
            let text = schema.description.as_deref().unwrap_or_default();
            assert!(text.ends_with('.') && !text.contains('\n'), "{path} is not explained: {text:?}");
        });
    }
}

#[test]
fn every_rule_says_the_fix() {
    for crd in api::crds() {
        walk(&crd.spec.names.kind, schema(&crd), &mut |path, schema| {
            for rule in schema.x_kubernetes_validations.iter().flatten() {
                let message = rule.message.as_deref().unwrap_or_default();
                assert!(message.split_whitespace().count() > 3, "{path}: the rule {:?} has no message", rule.rule);
            }
        });
    }
}

#[test]
fn lists_are_bounded_and_know_how_to_merge() {
    for crd in api::crds() {
        walk(&crd.spec.names.kind, schema(&crd), &mut |path, schema| {
            if schema.type_.as_deref() != Some("array") || path.contains(".selector.") {
                return;
            }
            assert!(schema.max_items.is_some(), "{path} has no bound");
            assert!(matches!(schema.x_kubernetes_list_type.as_deref(), Some("map" | "set")), "{path} is merged as a whole");
        });
    }
}

#[test]
fn no_item_of_a_list_is_given_a_default() {
    for crd in api::crds() {
        walk(&crd.spec.names.kind, schema(&crd), &mut |path, schema| {
            assert!(!(path.contains("[]") && schema.default.is_some()), "{path} has a default inside a list");
        });
    }
}

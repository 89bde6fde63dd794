//! Every file in `examples/` means what it says: it is read by the operator's own types, and nothing of it is lost.

mod documents;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenant_operator::api::{Bench, RegistrySource, Tenant, TenantPlan};

/// Fails where `given` holds something that `read` does not.
fn assert_kept(path: &str, given: &Value, read: &Value) {
    match (given, read) {
        (Value::Object(given), Value::Object(read)) => {
            for (key, value) in given {
                // What is left out of a false or an empty value means the same.
                let empty = [json!(false), json!([]), json!({})].contains(value);
                match read.get(key) {
                    Some(found) => assert_kept(&format!("{path}.{key}"), value, found),
                    None => assert!(empty || is_default(key, value), "{path}.{key} is unknown"),
                }
            }
        }
        (Value::Array(given), Value::Array(read)) => {
            assert_eq!(given.len(), read.len(), "{path}");
            given.iter().zip(read).for_each(|(given, read)| assert_kept(&format!("{path}[]"), given, read));
        }
        _ => assert_eq!(given, read, "{path}"),
    }
}

fn is_default(key: &str, value: &Value) -> bool {
    key == "apiUser" && value["roles"] == json!(["System Manager"])
}

fn read<T: DeserializeOwned + Serialize>(file: &str, document: &Value) -> T {
    let object: T = serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_kept(file, document, &serde_json::to_value(&object).unwrap());
    object
}

#[test]
fn every_example_is_read_without_loss() {
    let mut kinds = Vec::new();
    for (file, document) in documents::all() {
        let kind = document["kind"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "Tenant" => drop(read::<Tenant>(&file, &document)),
            "TenantPlan" => drop(read::<TenantPlan>(&file, &document)),
            "Bench" => drop(read::<Bench>(&file, &document)),
            "Namespace" | "Secret" => {}
            other => panic!("{file}: what is a {other}?"),
        }
        kinds.push(kind);
    }
    for kind in ["Tenant", "TenantPlan", "Bench"] {
        assert!(kinds.iter().any(|found| found == kind), "no example of a {kind}");
    }
}

#[test]
fn tenants_name_plans_and_benches_that_the_examples_have() {
    let documents = documents::all();
    let names = |kind: &str| -> Vec<&Value> {
        documents.iter().filter(|(_, document)| document["kind"] == kind).map(|(_, document)| &document["metadata"]).collect()
    };
    for (file, tenant) in documents.iter().filter(|(_, document)| document["kind"] == "Tenant") {
        assert!(names("TenantPlan").iter().any(|plan| plan["name"] == tenant["spec"]["plan"]), "{file}");
        if let Some(bench) = tenant["spec"].get("benchRef") {
            assert!(names("Bench").contains(&bench), "{file}");
        }
    }
}

#[test]
fn the_registry_of_a_bench_fits_the_doctype_of_the_examples() {
    let text = std::fs::read_to_string(documents::folder().join("saas-tenant-doctype.json")).unwrap();
    let doctype: Value = serde_json::from_str(&text).unwrap();
    let fields = doctype["fields"].as_array().unwrap();
    let type_of = |name: &str| fields.iter().find(|field| field["fieldname"] == name).map(|field| field["fieldtype"].clone());
    for (file, document) in documents::all().into_iter().filter(|(_, document)| document["kind"] == "Bench") {
        let registry = read::<Bench>(&file, &document).spec.registry.expect("the examples' Benches have a registry");
        assert_eq!(registry.doc_type, doctype["name"], "{file}");
        for name in [&registry.key_field, &registry.id_field] {
            assert!(type_of(name).is_some(), "{file}: {name}");
        }
        for field in &registry.fields {
            let found = type_of(&field.name).unwrap_or_else(|| panic!("{file}: no field {}", field.name));
            assert!(field.from != RegistrySource::APISecret || found == "Password", "{file}: {}", field.name);
        }
    }
}

//! Which rules there are: the CEL rules of every definition, by the path of the field that they judge.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use tenant_operator::api;

/// The path of a field, without the place in a list: `Tenant.spec.apps[].name`.
pub fn path(kind: &str, field: &str) -> String {
    let mut path = kind.to_owned();
    if field != "<nil>" && !field.is_empty() {
        path.push('.');
    }
    let mut inside = false;
    for letter in field.chars().filter(|_| field != "<nil>") {
        inside = match letter {
            '[' => true,
            ']' => false,
            _ => inside,
        };
        if !inside || letter == '[' {
            path.push(letter);
        }
    }
    path
}

/// Path and message of every rule. Those of a status are left out: the operator writes it, and only from what was judged before.
pub fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for crd in api::crds() {
        let schema = crd.spec.versions[0].schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        collect(&crd.spec.names.kind, schema.expect("every definition has a schema"), &mut found);
    }
    found
}

fn collect(path: &str, schema: &JSONSchemaProps, found: &mut Vec<(String, String)>) {
    for rule in schema.x_kubernetes_validations.iter().flatten() {
        found.push((path.to_owned(), rule.message.clone().unwrap_or_default()));
    }
    for (name, property) in schema.properties.iter().flatten().filter(|(name, _)| *name != "status") {
        collect(&format!("{path}.{name}"), property, found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        collect(&format!("{path}[]"), items, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        // As the server names what is in a map.
        collect(&format!("{path}[]"), values, found);
    }
}

//! The CustomResourceDefinitions, as `tenant-operator crds` prints them and `crds/` holds them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

use super::{Bench, Tenant, TenantClaim, TenantPlan};

/// The definitions of all four objects.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![Tenant::crd(), TenantPlan::crd(), Bench::crd(), TenantClaim::crd()];
    let schemas = crds
        .iter_mut()
        .flat_map(|crd| &mut crd.spec.versions)
        .filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    for schema in schemas {
        tidy(schema);
    }
    crds
}

/// The definitions as one stream of YAML documents, ready for `kubectl apply`.
pub fn crds_yaml() -> String {
    crds().iter().map(yaml).collect()
}

/// One definition as a YAML document.
pub fn yaml(crd: &CustomResourceDefinition) -> String {
    let text = serde_yaml::to_string(crd).expect("a definition is plain data");
    text.lines().fold("---\n".to_owned(), |all, line| all + &for_yaml_1_1(line) + "\n")
}

/// kubectl, Helm, Argo CD and Flux read YAML 1.1, where these words are booleans; our writer speaks 1.2, where they are strings.
fn for_yaml_1_1(line: &str) -> String {
    match line.rsplit_once("- ") {
        Some((indent, word @ ("Off" | "On" | "Yes" | "No" | "Y" | "N"))) if indent.trim().is_empty() => {
            format!("{indent}- \"{word}\"")
        }
        _ => line.to_owned(),
    }
}

/// Makes of Rust's schema what Kubernetes knows. A field that is null counts as left out, so that templates may write empty values
/// and rules can ask with `has`. Formats of unsigned numbers exist in Rust only; the server would warn of them. Descriptions are
/// wrapped by whoever shows them.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.title = None;
    schema.description = schema.description.take().map(|text| text.replace('\n', " "));
    match schema.format.as_deref() {
        Some("uint8" | "uint16") => schema.format = Some("int32".to_owned()),
        Some("uint32" | "uint64" | "uint") => schema.format = Some("int64".to_owned()),
        _ => {}
    }
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(tidy);
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => tidy(items),
        Some(JSONSchemaPropsOrArray::Schemas(all)) => all.iter_mut().for_each(tidy),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
}

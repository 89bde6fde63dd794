//! Whether the API server would store an object, as far as a schema says so without CEL: types, bounds, enums, required fields, and
//! lists that are maps or sets.

use std::collections::BTreeSet;

use serde_json::Value;
use tenant_operator::api;

/// The schema of a field of one of our kinds, such as `Tenant` `status`.
pub fn of(kind: &str, field: &str) -> Value {
    let crd = api::crds().into_iter().find(|crd| crd.spec.names.kind == kind).expect("a kind of ours");
    let schema = crd.spec.versions[0].schema.clone().and_then(|schema| schema.open_api_v3_schema).expect("a schema");
    serde_json::to_value(schema).expect("JSON")["properties"][field].clone()
}

/// Every objection with its path; empty where it would be stored.
pub fn objections(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = vec![];
    judge("", schema, value, &mut found);
    found
}

fn judge(path: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let mut object = |broken: bool, why: &str| {
        if broken {
            found.push(format!("{path}: {why}: {}", value.to_string().chars().take(80).collect::<String>()));
        }
    };
    let type_ = schema["type"].as_str().unwrap_or_default();
    let right = match type_ {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        _ => true,
    };
    object(!right, type_);
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        object(schema["maxLength"].as_u64().is_some_and(|max| length > max), "maxLength");
        object(schema["minLength"].as_u64().is_some_and(|min| length < min), "minLength");
        object(schema["format"] == "date-time" && text.parse::<jiff::Timestamp>().is_err(), "date-time");
    }
    if let Some(number) = value.as_f64() {
        object(schema["minimum"].as_f64().is_some_and(|min| number < min), "minimum");
        object(schema["maximum"].as_f64().is_some_and(|max| number > max), "maximum");
    }
    object(schema["enum"].as_array().is_some_and(|all| !all.contains(value)), "enum");
    for name in schema["required"].as_array().into_iter().flatten() {
        object(value.get(name.as_str().unwrap_or_default()).is_none(), &format!("{name} is required"));
    }
    if let Some(items) = value.as_array() {
        object(schema["maxItems"].as_u64().is_some_and(|max| items.len() as u64 > max), "maxItems");
        let keys = schema["x-kubernetes-list-map-keys"].as_array();
        let identity = |item: &Value| match keys {
            Some(keys) => keys.iter().map(|key| item[key.as_str().unwrap_or_default()].to_string()).collect(),
            None => item.to_string(),
        };
        let distinct: BTreeSet<String> = items.iter().map(identity).collect();
        let unlike = keys.is_some() || schema["x-kubernetes-list-type"] == "set";
        object(unlike && distinct.len() < items.len(), "two of the same");
        for (index, item) in items.iter().enumerate() {
            judge(&format!("{path}[{index}]"), &schema["items"], item, found);
        }
    }
    for (name, part) in value.as_object().into_iter().flatten() {
        if let Some(schema) = schema["properties"].get(name) {
            judge(&format!("{path}.{name}"), schema, part, found);
        }
    }
}

#[test]
fn the_judge_sees_what_the_api_server_would_refuse() {
    let schema = of("Tenant", "status");
    let good = serde_json::json!({"id": "x", "apps": [{"name": "a", "version": "1"}], "conditions": []});
    assert_eq!(objections(&schema, &good), [""; 0]);
    for (place, bad) in [
        ("/id", serde_json::json!(5)),
        ("/apps", serde_json::json!([{"name": "a", "version": "1"}, {"name": "a", "version": "2"}])),
        ("/apps", serde_json::json!([{"name": "a"}])),
        (
            "/apps",
            serde_json::json!((0..65).map(|n| serde_json::json!({"name": n.to_string(), "version": "1"})).collect::<Vec<_>>()),
        ),
        (
            "/conditions",
            serde_json::json!([{"type": "T", "status": "Maybe", "reason": "R", "message": "", "lastTransitionTime": "2026-11-21T12:00:00Z"}]),
        ),
        (
            "/conditions",
            serde_json::json!([{"type": "T", "status": "True", "reason": "", "message": "", "lastTransitionTime": "noon"}]),
        ),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(place).expect("a place") = bad.clone();
        assert!(!objections(&schema, &changed).is_empty(), "{place} {bad}");
    }
}

//! Changes to a document: a merge patch (RFC 7396), or one value at a path such as `spec.apps[0].name`.

use serde_json::{Map, Value};

pub fn merged(document: &Value, patch: &Value) -> Value {
    let mut document = document.clone();
    merge(&mut document, patch);
    document
}

fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        if !patch.is_null() {
            *into = patch.clone();
        }
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (name, value) in fields {
        let object = into.as_object_mut().unwrap();
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Sets the value at the path; what is on the way must be there or is made an object.
pub fn with(document: &Value, path: &str, value: &Value) -> Value {
    let mut document = document.clone();
    let mut place = &mut document;
    for part in path.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = place.as_object_mut().unwrap().entry(name).or_insert(Value::Null);
        if let Some(index) = index {
            place = place.get_mut(index).unwrap_or_else(|| panic!("{path}: the base has no such item"));
        }
    }
    *place = value.clone();
    document
}

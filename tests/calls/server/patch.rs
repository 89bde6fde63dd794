//! The three kinds of patches, as far as they are used: lists are replaced, and nobody else manages fields.

use serde_json::Value;

/// A merge patch, and with `null`s left out an apply.
pub fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(serde_json::Map::new());
    }
    for (key, value) in patch {
        match value {
            Value::Null => drop(into.as_object_mut().and_then(|map| map.remove(key))),
            value => merge(&mut into[key], value),
        }
    }
}

/// False where an op does not fit the object.
pub fn json(into: &mut Value, ops: &Value) -> bool {
    ops.as_array().expect("a list of ops").iter().all(|op| one(into, op))
}

fn one(into: &mut Value, op: &Value) -> bool {
    let path = op["path"].as_str().expect("a path");
    let (parent, key) = path.rsplit_once('/').expect("a pointer");
    let Some(Value::Object(parent)) = into.pointer_mut(parent) else { return false };
    match op["op"].as_str().expect("an op") {
        "add" => drop(parent.insert(key.to_owned(), op["value"].clone())),
        "replace" if parent.contains_key(key) => drop(parent.insert(key.to_owned(), op["value"].clone())),
        "test" => return parent.get(key) == Some(&op["value"]),
        _ => return false,
    }
    true
}

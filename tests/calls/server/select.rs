//! Which objects a list or a watch is about.

use serde_json::Value;

use super::call::{Call, Key};

pub fn selects(call: &Call, key: &Key, object: &Value) -> bool {
    let at = key.plural == call.key.plural && [key.namespace.as_str(), ""].contains(&call.key.namespace.as_str());
    at && labels(&call.selector, &object["metadata"]["labels"]) && field(&call.fields, object)
}

/// `name`, `!name`, `name=value` and `name in (value,value)`, with commas between.
fn labels(selector: &str, labels: &Value) -> bool {
    if let Some((name, values)) = selector.split_once(" in ") {
        let mut values = values.trim_matches(['(', ')']).split(',');
        return values.any(|value| labels[name] == value);
    }
    selector.split(',').filter(|part| !part.is_empty()).all(|part| match part.split_once('=') {
        Some((label, value)) => labels[label] == value,
        None => match part.strip_prefix('!') {
            Some(label) => labels.get(label).is_none(),
            None => labels.get(part).is_some(),
        },
    })
}

fn field(selector: &str, object: &Value) -> bool {
    let Some((path, value)) = selector.split_once('=') else { return true };
    object.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Value::as_str).unwrap_or_default() == value
}

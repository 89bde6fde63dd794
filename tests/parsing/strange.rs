//! Strange values: texts, JSON of any shape, and documents that are almost as they should be.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Short ones, long ones, with all that breaks quoting, lines and terminals.
pub fn text() -> impl Strategy<Value = String> + Clone {
    let nasty = prop::sample::select(vec![
        "",
        "\0",
        "\n\r\t",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{feff}",
        "a\u{0301}",
        "$(HOME)",
        "{{ x }}",
        "'; DROP TABLE x; --",
        "<b>x</b>",
        "../../etc/passwd",
        "None",
        "null",
        "-1",
        "1e999",
        "99999999999999999999",
    ]);
    prop_oneof![
        4 => ".{0,40}",
        2 => nasty.prop_map(str::to_owned),
        2 => "[a-zA-Z0-9_.@-]{1,30}",
        1 => (".", 0..3000usize).prop_map(|(one, times)| one.repeat(times)),
        1 => vec(any::<char>(), 0..60).prop_map(String::from_iter),
    ]
}

fn leaf() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ]
}

pub fn json() -> impl Strategy<Value = Value> + Clone {
    leaf().prop_recursive(4, 64, 8, |inner| {
        prop_oneof![vec(inner.clone(), 0..8).prop_map(Value::from), btree_map(text(), inner, 0..8).prop_map(|map| json!(map)),]
            .boxed()
    })
}

/// A document of which up to four parts, at any depth, were replaced by something else.
pub fn almost(document: Value) -> impl Strategy<Value = Value> {
    let places = places(&document);
    let changes = vec((prop::sample::select(places), json()), 0..=4);
    changes.prop_map(move |changes| {
        let mut document = document.clone();
        for (place, value) in changes {
            if let Some(part) = document.pointer_mut(&place) {
                *part = value;
            }
        }
        document
    })
}

fn places(value: &Value) -> Vec<String> {
    let below = |(name, value): (String, &Value)| {
        places(value).into_iter().map(move |place| format!("/{name}{place}")).collect::<Vec<_>>()
    };
    let deeper: Vec<String> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).flat_map(below).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).flat_map(below).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    };
    std::iter::once(String::new()).chain(deeper).collect()
}

//! What was measured, under the names that `target/bench.json` has.

use serde_json::{Map, Value, json};

use crate::load;

pub struct Figures {
    pub all: Map<String, Value>,
}

impl Figures {
    pub fn new() -> Self {
        let profile = std::env::var("BENCH_PROFILE").unwrap_or_default();
        let mut all = Map::new();
        all.insert("load".to_owned(), json!({"before": load::now()}));
        all.insert("profile".to_owned(), json!(profile));
        Self { all }
    }

    pub fn put(&mut self, name: &str, value: Value) {
        eprintln!("bench: {name} {value}");
        self.all.insert(name.to_owned(), value);
    }

    pub fn end(&mut self) {
        if let Some(load) = self.all.get_mut("load") {
            load["after"] = load::now();
        }
    }
}

/// Two digits are all that one run on a shared machine has to say.
pub fn rounded(number: f64) -> Value {
    json!((number * 100.0).round() / 100.0)
}

//! Bad specs: the examples with one thing wrong in them, for every field that a definition has and every way to be wrong.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use tenant_operator::api;

use crate::documents;

pub struct Bad {
    pub kind: String,
    /// The field, as the API server writes it.
    pub path: String,
    pub object: Value,
    /// The field is for people's own words: what looks strange there is right, and must reach the site as it is.
    pub free: bool,
}

/// The same for the same seed.
pub fn all(seed: u64) -> Vec<Bad> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut bad = vec![];
    for (kind, object) in bases() {
        let crd = api::crds().into_iter().find(|crd| crd.spec.names.kind == kind).expect("a kind of ours");
        let schema = crd.spec.versions[0].schema.clone().and_then(|schema| schema.open_api_v3_schema).expect("a schema");
        let schema = serde_json::to_value(schema).expect("JSON")["properties"]["spec"].clone();
        let mut walk = Walk { kind: &kind, base: &object, chance: &mut chance, bad: &mut bad };
        walk.field("/spec", &schema, &object["spec"]);
        walk.names();
    }
    bad
}

/// One of each kind and edge, with as much in it as the examples have.
fn bases() -> Vec<(String, Value)> {
    let of = |file: &str, kind: &str| {
        let mut all = documents::all().into_iter().filter(|(name, document)| name == file && document["kind"] == kind);
        let (_, mut object) = all.next_back().unwrap_or_else(|| panic!("{file} has no {kind}"));
        object["metadata"]["name"] = json!("badspec");
        (kind.to_owned(), object)
    };
    vec![of("full.yaml", "Tenant"), of("plans.yaml", "TenantPlan"), of("bench.yaml", "Bench"), of("bench-gateway.yaml", "Bench")]
}

struct Walk<'a> {
    kind: &'a str,
    base: &'a Value,
    chance: &'a mut StdRng,
    bad: &'a mut Vec<Bad>,
}

impl Walk<'_> {
    fn try_with(&mut self, pointer: &str, value: Value, free: bool) {
        let mut object = self.base.clone();
        *object.pointer_mut(pointer).expect("a place in the base") = value;
        self.bad.push(Bad { kind: self.kind.to_owned(), path: written(pointer), object, free });
    }

    fn names(&mut self) {
        let longest = if self.kind == "Bench" { 40 } else { 63 };
        let long = "a".repeat(longest + 1);
        let names = ["", "A", "-a", "a-", "a b", "a_b", "a/b", "$(HOME)", "ä", "a\nb", long.as_str()];
        for name in names.into_iter().map(Value::from) {
            self.try_with("/metadata/name", name, false);
        }
    }

    fn field(&mut self, pointer: &str, schema: &Value, value: &Value) {
        let free = is_free(schema);
        for wrong in self.wrong(schema, value) {
            self.try_with(pointer, wrong, free);
        }
        if let Some(properties) = schema["properties"].as_object() {
            self.object(pointer, schema, properties, value);
        }
        if let Some(first) = value.get(0) {
            self.field(&format!("{pointer}/0"), &schema["items"], first);
        }
    }

    fn object(&mut self, pointer: &str, schema: &Value, properties: &Map<String, Value>, value: &Value) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut without = value.clone();
            without.as_object_mut().expect("an object").remove(name);
            self.try_with(pointer, without, false);
        }
        for (name, schema) in properties {
            let there = format!("{pointer}/{name}");
            match value.get(name) {
                Some(value) => self.field(&there, schema, value),
                None => self.absent(pointer, name, schema, value),
            }
        }
    }

    /// A field that the example leaves out.
    fn absent(&mut self, pointer: &str, name: &str, schema: &Value, parent: &Value) {
        let free = is_free(schema);
        for wrong in self.wrong(schema, &Value::Null) {
            let mut with = parent.clone();
            with[name] = wrong;
            self.try_with(pointer, with, free);
            let last = self.bad.last_mut().expect("what was just added");
            last.path = written(&format!("{pointer}/{name}"));
        }
    }

    /// Every way in which a value of this schema can be wrong.
    fn wrong(&mut self, schema: &Value, value: &Value) -> Vec<Value> {
        match schema["type"].as_str().unwrap_or_default() {
            "string" => self.texts(schema),
            "integer" => {
                let below = schema["minimum"].as_f64().map(|min| json!(min as i64 - 1));
                let above = schema["maximum"].as_f64().map(|max| json!(max as i64 + 1));
                [json!("5"), json!(1.5), json!(true), json!({})].into_iter().chain(below).chain(above).collect()
            }
            "boolean" => vec![json!("true"), json!(1), json!({})],
            "array" => lists(schema, value),
            "object" if schema["properties"].is_object() => {
                let mut unknown = if value.is_object() { value.clone() } else { json!({}) };
                unknown["noSuchField"] = json!(1);
                vec![json!("text"), json!([]), json!(5), unknown]
            }
            "object" => {
                let mut maps = vec![json!("text"), json!([]), json!({"cpu": {}}), json!({"cpu": true})];
                // In a map of texts every text is right; in one of amounts it is none.
                let amounts = schema["additionalProperties"]["x-kubernetes-int-or-string"] == true;
                maps.extend(amounts.then(|| json!({"cpu": "lots"})));
                maps
            }
            _ => vec![],
        }
    }

    fn texts(&mut self, schema: &Value) -> Vec<Value> {
        let mut texts: Vec<Value> = vec![json!(5), json!(true), json!({}), json!([])];
        if let Some(first) = schema["enum"][0].as_str() {
            texts.extend(["", "Anything", &first.to_lowercase(), &format!("{first} ")].map(Value::from));
            return texts;
        }
        let fixed = [
            "",
            " ",
            " a",
            "a b\u{7}",
            "first\nsecond",
            "\0",
            "$(HOME)",
            "`id`",
            "{{ 7 * 7 }}",
            "'; DROP TABLE x; --",
            "\u{202e}txt",
            "<script>",
            "../../etc",
        ];
        texts.extend(fixed.map(Value::from));
        let random: String =
            (0..self.chance.random_range(1..12)).map(|_| char::from(self.chance.random_range(b' '..b'-'))).collect();
        texts.push(Value::from(random));
        if let Some(longest) = schema["maxLength"].as_u64() {
            texts.push(Value::from("a".repeat(longest as usize + 1)));
        }
        texts
    }
}

/// Too many, two of the same, and what is no list.
fn lists(schema: &Value, value: &Value) -> Vec<Value> {
    let mut lists = vec![json!("text"), json!({}), json!([null])];
    let Some(first) = value.get(0) else { return lists };
    if schema["x-kubernetes-list-type"] != "atomic" && !schema["x-kubernetes-list-type"].is_null() {
        lists.push(json!([first, first]));
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        let key = schema["x-kubernetes-list-map-keys"][0].as_str();
        let item = |number: u64| match key {
            Some(key) => {
                let mut item = first.clone();
                item[key] = json!(format!("{}{number}", first[key].as_str().unwrap_or_default()));
                item
            }
            None => json!(format!("item{number}")),
        };
        lists.push((0..=most).map(item).collect());
    }
    lists
}

/// Of these, every text is right: titles and messages, which the definitions only keep from having several lines or markup.
fn is_free(schema: &Value) -> bool {
    let rules = schema["x-kubernetes-validations"].as_array();
    let title = |rule: &Value| {
        rule["message"]
            .as_str()
            .is_some_and(|message| message.contains("in one line") || message.contains("characters without spaces"))
    };
    schema["type"] == "string" && schema["enum"].is_null() && rules.is_none_or(|rules| rules.iter().any(title))
}

/// `/spec/apps/0/name` as `spec.apps[0].name`.
fn written(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(index) => path.push_str(&format!("[{index}]")),
            Err(_) if path.is_empty() => path.push_str(part),
            Err(_) => path.push_str(&format!(".{part}")),
        }
    }
    path
}

//! The objects, with what an API server does to them by itself: versions, generations, preconditions, finalizers, and namespaces
//! that take nothing new once they are on their way out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, Key, Verb, key};
use super::patch;

/// A status code with the object, or with the reason against it.
pub type Answer = Result<Value, (u16, &'static str)>;

const CONFLICT: (u16, &str) = (409, "Conflict");
const ABSENT: (u16, &str) = (404, "NotFound");

#[derive(Default)]
pub struct Store {
    objects: BTreeMap<Key, Value>,
    version: u64,
}

impl Store {
    /// Puts an object there without any question, as if it had always been so.
    pub fn put(&mut self, plural: &str, mut object: Value) {
        let at = place(plural, &object);
        object["metadata"]["resourceVersion"] = json!(self.next());
        self.objects.insert(at, object);
    }

    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&key(plural, namespace, name))
    }

    pub fn of<'a>(&'a self, plural: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |(at, _)| at.plural == plural).map(|(_, object)| object)
    }

    pub fn all(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter()
    }

    /// Changes an object as somebody else would.
    pub fn edit(&mut self, plural: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let at = key(plural, namespace, name);
        let mut object = self.objects.get(&at).cloned().unwrap_or_else(|| panic!("there is no {at:?}"));
        let before = object.clone();
        change(&mut object);
        if object["spec"] != before["spec"] {
            object["metadata"]["generation"] = json!(before["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
        }
        object["metadata"]["resourceVersion"] = json!(self.next());
        self.objects.insert(at, object);
    }

    /// True where there was one.
    pub fn remove(&mut self, plural: &str, namespace: &str, name: &str) -> bool {
        self.objects.remove(&key(plural, namespace, name)).is_some()
    }

    pub fn answer(&mut self, call: &Call) -> Answer {
        match call.verb {
            Verb::Get => self.objects.get(&call.key).cloned().ok_or(ABSENT),
            Verb::List => Ok(self.list(call)),
            Verb::Create => self.create(call),
            Verb::Delete => self.delete(call),
            Verb::Apply if !call.status && !self.objects.contains_key(&call.key) => self.create(call),
            Verb::Apply | Verb::Merge | Verb::Json => self.patch(call),
        }
    }

    fn next(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn list(&self, call: &Call) -> Value {
        let selected = |object: &Value| {
            let labels = &object["metadata"]["labels"];
            call.selector.split(',').filter(|part| !part.is_empty()).all(|part| match part.split_once('=') {
                Some((label, value)) => labels[label] == value,
                None => labels.get(part).is_some(),
            })
        };
        let field = |object: &Value| {
            let Some((path, value)) = call.fields.split_once('=') else { return true };
            object.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Value::as_str).unwrap_or_default() == value
        };
        let at = |key: &Key| key.plural == call.key.plural && [key.namespace.as_str(), ""].contains(&call.key.namespace.as_str());
        let items =
            self.objects.iter().filter(|(key, object)| at(key) && selected(object) && field(object)).map(|(_, object)| object);
        let items: Vec<&Value> = items.collect();
        json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": self.version.to_string()}, "items": items})
    }

    fn create(&mut self, call: &Call) -> Answer {
        let leaving = |namespace: &Value| namespace["metadata"].get("deletionTimestamp").is_some();
        if self.get("namespaces", "", &call.key.namespace).is_some_and(leaving) {
            return Err((403, "Forbidden"));
        }
        if self.objects.contains_key(&call.key) {
            return Err((409, "AlreadyExists"));
        }
        let mut object = call.body.clone();
        let version = self.next();
        let meta = &mut object["metadata"];
        meta["uid"] = json!(format!("uid-{version}"));
        meta["resourceVersion"] = json!(version);
        meta["creationTimestamp"] = json!("2026-11-21T08:00:00Z");
        if !call.key.namespace.is_empty() {
            meta["namespace"] = json!(call.key.namespace);
        }
        if object.get("spec").is_some() {
            object["metadata"]["generation"] = json!(1);
        }
        defaults(&call.key.plural, &mut object);
        self.objects.insert(call.key.clone(), object.clone());
        Ok(object)
    }

    fn patch(&mut self, call: &Call) -> Answer {
        let old = self.objects.get(&call.key).cloned().ok_or(ABSENT)?;
        let mut new = old.clone();
        match call.verb {
            Verb::Json if !patch::json(&mut new, &call.body) => return Err((422, "Invalid")),
            Verb::Json => {}
            _ => patch::merge(&mut new, &call.body),
        }
        if call.verb == Verb::Apply && call.status {
            // All of it is the operator's own: what it does not name any more goes.
            new["status"] = call.body["status"].clone();
        }
        let (was, is) = (&old["metadata"], &new["metadata"]);
        if was["resourceVersion"] != is["resourceVersion"] || was["uid"] != is["uid"] {
            return Err(CONFLICT);
        }
        let mut changed = if call.status { old.clone() } else { new.clone() };
        match (if call.status { &new } else { &old }).get("status") {
            Some(status) => changed["status"] = status.clone(),
            None => drop(changed.as_object_mut().and_then(|map| map.remove("status"))),
        }
        if changed != old {
            let (plural, namespace, name) = (call.key.plural.clone(), call.key.namespace.clone(), call.key.name.clone());
            self.edit(&plural, &namespace, &name, |object| *object = changed);
        }
        let object = self.objects.get(&call.key).cloned().ok_or(ABSENT)?;
        let meta = &object["metadata"];
        if meta.get("deletionTimestamp").is_some() && meta["finalizers"].as_array().is_none_or(Vec::is_empty) {
            self.objects.remove(&call.key);
        }
        Ok(object)
    }

    fn delete(&mut self, call: &Call) -> Answer {
        let object = self.objects.get(&call.key).cloned().ok_or(ABSENT)?;
        let meta = &object["metadata"];
        let wanted = call.body["preconditions"].as_object();
        if wanted.into_iter().flatten().any(|(field, value)| !value.is_null() && meta[field] != *value) {
            return Err(CONFLICT);
        }
        if meta["finalizers"].as_array().is_some_and(|all| !all.is_empty()) {
            let Key { plural, namespace, name } = &call.key;
            self.edit(plural, namespace, name, |object| {
                object["metadata"]["deletionTimestamp"] = json!("2026-11-21T09:00:00Z");
            });
            return Ok(object);
        }
        self.objects.remove(&call.key);
        if call.key.plural == "jobs" {
            let of_job = |pod: &Value| pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] == meta["uid"];
            self.objects.retain(|key, object| key.plural != "pods" || !of_job(object));
        }
        Ok(json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success"}))
    }
}

fn place(plural: &str, object: &Value) -> Key {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    key(plural, part("namespace"), part("name"))
}

/// Some of what a real server fills in: it must not look like drift.
fn defaults(plural: &str, object: &mut Value) {
    match plural {
        "services" => {
            object["spec"]["clusterIP"] = json!("192.0.2.7");
            object["spec"]["ports"][0]["nodePort"] = json!(31_000);
        }
        "deployments" => {
            object["spec"]["revisionHistoryLimit"] = json!(10);
            object["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"] = json!("/dev/termination-log");
        }
        "ingresses" => object["status"] = json!({"loadBalancer": {}}),
        _ => {}
    }
}

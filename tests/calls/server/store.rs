//! The objects, with what an API server does to them by itself: versions, generations, preconditions, finalizers, and namespaces
//! that take nothing new once they are on their way out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, Key, Verb, key};
use super::patch;
use super::select::selects;

/// A status code with the object, or with the reason against it.
pub type Answer = Result<Value, (u16, &'static str)>;

const CONFLICT: (u16, &str) = (409, "Conflict");
const ABSENT: (u16, &str) = (404, "NotFound");

#[derive(Default)]
pub struct Store {
    objects: BTreeMap<Key, Value>,
    version: u64,
    /// Everything that ever happened, for watches.
    changes: Vec<Change>,
}

/// An object before and after.
struct Change {
    key: Key,
    version: u64,
    before: Option<Value>,
    after: Option<Value>,
}

impl Store {
    /// Puts an object there without any question, as if it had always been so.
    pub fn put(&mut self, plural: &str, mut object: Value) {
        let at = place(plural, &object);
        object["metadata"]["resourceVersion"] = json!(self.next());
        self.set(at, Some(object));
    }

    fn set(&mut self, key: Key, after: Option<Value>) -> Option<Value> {
        let before = match after.clone() {
            Some(object) => self.objects.insert(key.clone(), object),
            None => self.objects.remove(&key),
        };
        self.changes.push(Change { key, version: self.version, before: before.clone(), after });
        before
    }

    /// The events of a watch from the change of this number on, or from its beginning, and the number of the next one.
    pub fn events(&self, call: &Call, from: Option<usize>) -> (Vec<Value>, usize) {
        if call.streams && from.is_none() {
            return (self.stream(call), self.changes.len());
        }
        let since = call.version.unwrap_or_default();
        let new = self.changes[from.unwrap_or_default()..].iter().filter(|change| change.version > since);
        (new.filter_map(|change| change.event(call)).collect(), self.changes.len())
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
        self.set(at, Some(object));
    }

    /// True where there was one.
    pub fn remove(&mut self, plural: &str, namespace: &str, name: &str) -> bool {
        self.take(key(plural, namespace, name))
    }

    fn take(&mut self, key: Key) -> bool {
        self.next();
        self.set(key, None).is_some()
    }

    pub fn answer(&mut self, call: &Call) -> Answer {
        match call.verb {
            Verb::Get => self.objects.get(&call.key).cloned().ok_or(ABSENT),
            Verb::List => Ok(self.list(call)),
            Verb::Watch => Err((400, "BadRequest")),
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

    fn selected(&self, call: &Call) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |(key, object)| selects(call, key, object)).map(|(_, object)| object)
    }

    fn list(&self, call: &Call) -> Value {
        let items: Vec<&Value> = self.selected(call).collect();
        json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": self.version.to_string()}, "items": items})
    }

    /// What there is, and that this is all.
    fn stream(&self, call: &Call) -> Vec<Value> {
        let there = self.selected(call).map(|object| json!({"type": "ADDED", "object": object}));
        let end = json!({"resourceVersion": self.version.to_string(), "annotations": {"k8s.io/initial-events-end": "true"}});
        let end = json!({"type": "BOOKMARK", "object": {"apiVersion": "v1", "kind": "End", "metadata": end, "spec": {}}});
        there.chain([end]).collect()
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
        self.set(call.key.clone(), Some(object.clone()));
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
            self.take(call.key.clone());
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
        self.take(call.key.clone());
        if call.key.plural == "jobs" {
            let of_job = |pod: &Value| pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] == meta["uid"];
            let pods = self.objects.iter().filter(|(key, object)| key.plural == "pods" && of_job(object));
            let pods: Vec<Key> = pods.map(|(key, _)| key.clone()).collect();
            for pod in pods {
                self.take(pod);
            }
        }
        Ok(json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success"}))
    }
}

impl Change {
    /// As a watch tells of it, if it does.
    fn event(&self, call: &Call) -> Option<Value> {
        let told = |object: &Option<Value>| object.clone().filter(|object| selects(call, &self.key, object));
        let (type_, mut object) = match (told(&self.before), told(&self.after)) {
            (None, Some(after)) => ("ADDED", after),
            (Some(_), Some(after)) => ("MODIFIED", after),
            (Some(before), None) => ("DELETED", before),
            (None, None) => return None,
        };
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        Some(json!({"type": type_, "object": object}))
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

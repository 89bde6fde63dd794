//! One request as the server understood it, and how tests write it down.

use std::fmt;

use http::Request;
use kube::client::Body;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub plural: String,
    /// Empty for what has none, and for a list over all of them.
    pub namespace: String,
    /// Empty for a list and a create.
    pub name: String,
}

pub fn key(plural: &str, namespace: &str, name: &str) -> Key {
    Key { plural: plural.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Apply,
    Merge,
    Json,
    Delete,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub verb: Verb,
    pub key: Key,
    pub status: bool,
    pub uri: String,
    pub selector: String,
    pub fields: String,
    /// From which on a watch tells.
    pub version: Option<u64>,
    /// A watch first tells what there is.
    pub streams: bool,
    pub manager: String,
    pub body: Value,
}

impl Call {
    pub async fn read(request: Request<Body>) -> Self {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await.expect("a body");
        let (mut key, status) = target(head.uri.path());
        let query = |name: &str| {
            let pairs = head.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| decoded(value)).next().unwrap_or_default()
        };
        let kind = head.headers.get("content-type").map(|kind| kind.to_str().expect("text").to_owned()).unwrap_or_default();
        let verb = match (head.method.as_str(), kind.as_str()) {
            ("GET", _) if query("watch") == "true" => Verb::Watch,
            ("GET", _) if key.name.is_empty() => Verb::List,
            ("GET", _) => Verb::Get,
            ("POST", _) => Verb::Create,
            ("DELETE", _) => Verb::Delete,
            ("PATCH", "application/apply-patch+yaml") => Verb::Apply,
            ("PATCH", "application/merge-patch+json") => Verb::Merge,
            ("PATCH", "application/json-patch+json") => Verb::Json,
            other => panic!("a request that the operator has no need of: {other:?}"),
        };
        let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        if verb == Verb::Create {
            key.name = body["metadata"]["name"].as_str().expect("a name").to_owned();
        }
        let (selector, fields, manager) = (query("labelSelector"), query("fieldSelector"), query("fieldManager"));
        let version = query("resourceVersion").parse().ok();
        let streams = query("sendInitialEvents") == "true";
        Self { verb, key, status, uri: head.uri.to_string(), selector, fields, version, streams, manager, body }
    }

    pub fn writes(&self) -> bool {
        !matches!(self.verb, Verb::Get | Verb::List | Verb::Watch)
    }

    pub fn is(&self, start: &str) -> bool {
        self.to_string().starts_with(start)
    }
}

/// As `create jobs yard/0123456789abcdef-provision-…`.
impl fmt::Display for Call {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Apply => "apply",
            Verb::Merge | Verb::Json => "patch",
            Verb::Delete => "delete",
        };
        let status = if self.status { "/status" } else { "" };
        write!(to, "{verb} {}{status}", self.key.plural)?;
        match (self.key.namespace.as_str(), self.key.name.as_str()) {
            ("", "") => Ok(()),
            ("", name) => write!(to, " {name}"),
            (namespace, "") => write!(to, " {namespace}"),
            (namespace, name) => write!(to, " {namespace}/{name}"),
        }?;
        for chosen in [&self.selector, &self.fields].into_iter().filter(|chosen| !chosen.is_empty()) {
            write!(to, " {}", chosen.replace("tenancy.nexuserp.io/", ""))?;
        }
        Ok(())
    }
}

fn target(path: &str) -> (Key, bool) {
    let mut parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    if let ["apis", group, version] = parts.as_slice() {
        return (key("groups", "", &format!("{group}.{version}")), false);
    }
    parts.drain(..if parts[0] == "api" { 2 } else { 3 });
    let status = parts.last() == Some(&"status");
    if status {
        parts.pop();
    }
    let found = match parts.as_slice() {
        ["namespaces", namespace, plural] => key(plural, namespace, ""),
        ["namespaces", namespace, plural, name] => key(plural, namespace, name),
        [plural] => key(plural, "", ""),
        [plural, name] => key(plural, "", name),
        other => panic!("a path that the operator has no need of: {other:?}"),
    };
    (found, status)
}

/// Selectors hold no more than these that a query may not.
fn decoded(text: &str) -> String {
    [("+", " "), ("%21", "!"), ("%28", "("), ("%29", ")"), ("%2F", "/"), ("%3D", "="), ("%2C", ",")]
        .iter()
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

//! What the operator asked the API server, as its audit log tells.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

/// A request, without what makes it one of many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    pub verb: String,
    pub group: String,
    /// With its subresource, as roles write it.
    pub resource: String,
    /// None for the whole cluster.
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub refused: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    verb: String,
    #[serde(default, rename = "requestURI")]
    uri: String,
    object_ref: Option<Object>,
    response_status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    #[serde(default)]
    api_group: String,
    #[serde(default)]
    resource: String,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: Option<u16>,
}

pub fn read(dir: &Path) -> BTreeSet<Used> {
    let files = std::fs::read_dir(dir).expect("the lab's folder").flatten().map(|entry| entry.path());
    let named = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("audit") && name.ends_with(".log")
    };
    let mut used = BTreeSet::new();
    for file in files.filter(named) {
        for line in BufReader::new(File::open(file).expect("the audit log")).lines() {
            used.extend(parse(&line.expect("a line")));
        }
    }
    used
}

/// Empty for what is no resource, such as the list of groups, and for a line that is still being written.
fn parse(line: &str) -> Vec<Used> {
    let Ok(line) = serde_json::from_str::<Line>(line) else { return vec![] };
    let Some(object) = line.object_ref.filter(|object| !object.resource.is_empty()) else { return vec![] };
    let resource = object.subresource.iter().fold(object.resource, |resource, sub| format!("{resource}/{sub}"));
    let code = line.response_status.and_then(|status| status.code);
    let (group, namespace, name) = (object.api_group, object.namespace, object.name);
    let used = Used { verb: line.verb, group, resource, namespace, name, refused: code == Some(403) };
    // Whoever applies what is not there yet must be allowed to create it, too.
    let created = (used.verb == "patch" && code == Some(201)).then(|| Used { verb: "create".to_owned(), ..used.clone() });
    // What a stream begins with is listed where there are no streams; from version 0 on it would be what a server remembers.
    let asks = |wanted: &str| line.uri.split(['?', '&']).any(|pair| pair == wanted);
    let streams = asks("sendInitialEvents=true") && !asks("resourceVersion=0");
    let listed = streams.then(|| Used { verb: "list".to_owned(), ..used.clone() });
    [used].into_iter().chain(created).chain(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_its_subresource_and_its_answer() {
        let line = r#"{"verb":"patch","objectRef":{"resource":"tenants","namespace":"customers","name":"acme","apiGroup":"tenancy.nexuserp.io","subresource":"status"},"responseStatus":{"code":403}}"#;
        let used = parse(line).remove(0);
        assert_eq!((used.verb.as_str(), used.resource.as_str(), used.refused), ("patch", "tenants/status", true));
        assert_eq!((used.namespace.as_deref(), used.name.as_deref()), (Some("customers"), Some("acme")));
    }

    #[test]
    fn discovery_and_half_a_line_are_no_requests() {
        assert_eq!(parse(r#"{"verb":"get","requestURI":"/apis","responseStatus":{"code":200}}"#), []);
        assert_eq!(parse(r#"{"verb":"get","objectRef":{"resou"#), []);
    }

    #[test]
    fn an_apply_that_creates_is_a_create_as_well() {
        let line =
            r#"{"verb":"patch","objectRef":{"resource":"services","namespace":"erp","name":"x"},"responseStatus":{"code":201}}"#;
        assert_eq!(parse(line).into_iter().map(|used| used.verb).collect::<Vec<_>>(), ["patch", "create"]);
    }

    #[test]
    fn a_watch_that_begins_with_what_there_is_is_a_list_as_well() {
        let line = |query: &str| {
            let uri = format!("/api/v1/pods?watch=true{query}");
            serde_json::json!({"verb": "watch", "requestURI": uri, "objectRef": {"resource": "pods"}}).to_string()
        };
        let verbs = |line: &str| parse(line).into_iter().map(|used| used.verb).collect::<Vec<_>>();
        assert_eq!(verbs(&line("&sendInitialEvents=true")), ["watch", "list"]);
        assert_eq!(verbs(&line("&resourceVersion=7")), ["watch"]);
        assert_eq!(verbs(&line("&sendInitialEvents=true&resourceVersion=0")), ["watch"], "not what there is");
    }
}

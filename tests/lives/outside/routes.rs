//! Routes read as an edge reads them: the service that a path of a host leads to, and the site's name that is written into the header.

use serde_json::{Value, json};

type Leads = Option<(String, Option<String>)>;

fn matches(kind: &Value, wanted: &Value, path: &str) -> Option<usize> {
    let wanted = wanted.as_str()?;
    let hit = if kind == &json!("Exact") { path == wanted } else { path.starts_with(wanted) };
    hit.then_some(wanted.len())
}

pub fn ingress(child: &Value, host: &str, path: &str) -> Leads {
    let rule = child["spec"]["rules"].as_array()?.iter().find(|rule| rule["host"] == json!(host))?;
    let paths = rule["http"]["paths"].as_array()?.iter();
    let best = paths.filter_map(|rule| Some((matches(&rule["pathType"], &rule["path"], path)?, rule)));
    let service = &best.max_by_key(|(length, _)| *length)?.1["backend"]["service"];
    Some((format!("{}:{}", service["name"].as_str()?, service["port"]["number"]), None))
}

pub fn http_route(child: &Value, host: &str, path: &str) -> Leads {
    child["spec"]["hostnames"].as_array()?.contains(&json!(host)).then_some(())?;
    let rules = child["spec"]["rules"].as_array()?.iter();
    let best = rules.filter_map(|rule| {
        let all = rule["matches"].as_array()?.iter();
        Some((all.filter_map(|one| matches(&one["path"]["type"], &one["path"]["value"], path)).max()?, rule))
    });
    let rule = best.max_by_key(|(length, _)| *length)?.1;
    let backend = &rule["backendRefs"][0];
    let set = rule["filters"][0]["requestHeaderModifier"]["set"][0].clone();
    let site = (set["name"] == json!("X-Frappe-Site-Name")).then(|| set["value"].as_str().map(str::to_owned)).flatten();
    Some((format!("{}:{}", backend["name"].as_str()?, backend["port"]), site))
}

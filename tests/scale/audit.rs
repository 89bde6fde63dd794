//! What the API server was asked, by whom: counted from its audit log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use crate::Failure;

/// Requests by verb and resource, such as `apply tenants/status`.
pub type Requests = BTreeMap<String, u64>;

/// From where on the log is read.
#[derive(Clone, Copy)]
pub struct Mark(u64);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    verb: String,
    #[serde(rename = "requestURI")]
    uri: String,
    user: User,
    object_ref: Option<Target>,
    response_status: Option<Answer>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Target {
    resource: String,
    subresource: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    code: Option<u16>,
}

/// The log's present end.
pub fn mark(dir: &Path) -> Result<Mark, Failure> {
    Ok(Mark(std::fs::metadata(dir.join("audit.log"))?.len()))
}

/// What each user has asked since then.
pub fn since(dir: &Path, from: Mark) -> Result<BTreeMap<String, Requests>, Failure> {
    let mut file = File::open(dir.join("audit.log"))?;
    file.seek(SeekFrom::Start(from.0))?;
    let mut users: BTreeMap<String, Requests> = BTreeMap::new();
    for text in BufReader::with_capacity(1 << 20, file).lines() {
        // The last one may be half written.
        let Ok(line) = serde_json::from_str::<Line>(&text?) else { continue };
        let Some(target) = line.object_ref else { continue };
        // What was refused or lost is no work done, but asked it was.
        let refused = line.response_status.and_then(|answer| answer.code).is_some_and(|code| code >= 400 && code != 404);
        let verb = match line.verb.as_str() {
            "patch" if line.uri.contains("fieldManager=") => "apply",
            verb => verb,
        };
        let sub = target.subresource.map(|sub| format!("/{sub}")).unwrap_or_default();
        let refused = if refused { " (refused)" } else { "" };
        let key = format!("{verb} {}{sub}{refused}", target.resource);
        *users.entry(line.user.username).or_default().entry(key).or_default() += 1;
    }
    Ok(users)
}

pub fn is_write(key: &str) -> bool {
    !["get ", "list ", "watch "].iter().any(|verb| key.starts_with(verb))
}

/// Those for the lease come by the clock, and a watch is none once it is there.
pub fn is_housekeeping(key: &str) -> bool {
    key.starts_with("watch ") || key.ends_with(" leases")
}

pub fn total(requests: &Requests, wanted: impl Fn(&str) -> bool) -> u64 {
    requests.iter().filter(|(key, _)| wanted(key)).map(|(_, count)| count).sum()
}

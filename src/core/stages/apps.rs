//! The site has every app that the plan and the tenant name; proven by what the site itself lists.

use super::site;
use crate::core::seen::WorkSeen;
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

pub fn up(who: &Subject, seen: &WorkSeen) -> Verdict {
    if !steps::fresh(Step::Apps, who, &seen.versions) {
        return site::provision(who, seen, "Installing");
    }
    let has: Vec<String> = steps::installed(who).into_iter().map(|app| app.name).collect();
    let wanted = who.want.iter().flat_map(|want| &want.apps);
    let missing: Vec<&str> = wanted.filter(|app| !has.contains(app)).map(String::as_str).collect();
    if missing.is_empty() {
        Verdict::settled("Verified", has.join(", "))
    } else {
        Verdict::stalled("AppMissing", format!("the site does not list {}: see the bench's log", missing.join(", ")))
    }
}

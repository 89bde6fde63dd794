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
    let wanted: Vec<&String> = who.want.iter().flat_map(|want| &want.apps).collect();
    let missing: Vec<&str> = wanted.iter().filter(|app| !has.contains(app)).map(|app| app.as_str()).collect();
    if missing.is_empty() {
        Verdict::settled("Verified", format!("{}{}", has.join(", "), unnamed(&has, &wanted)))
    } else {
        Verdict::stalled("AppMissing", format!("the site does not list {}: see the bench's log", missing.join(", ")))
    }
}

/// What is no longer wanted, or was put there by hand: uninstalling an app deletes its data, which is for a person to decide.
fn unnamed(has: &[String], wanted: &[&String]) -> String {
    let left: Vec<&str> = has.iter().filter(|app| *app != "frappe" && !wanted.contains(app)).map(String::as_str).collect();
    if left.is_empty() {
        return String::new();
    }
    format!("; named by neither plan nor Tenant, and never uninstalled by itself: {}", left.join(", "))
}

//! What one tenant's site should have, for the inspection of the whole bench; and what a difference that it finds puts in doubt.
//! Holds no secret: what was set is known by the hashes that the steps reported, and only of what is long and random.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::record::STALE;
use super::steps::{self, Step};
use super::subject::Subject;
use crate::api::{BenchStatus, Phase};

/// What the inspection found different in a tenant's site: receipts of these steps are worth nothing if they are no younger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub at: Timestamp,
    pub steps: Vec<Step>,
}

impl Doubt {
    /// Of a receipt of that time. Receipts keep whole seconds, so one of the same second counts as older.
    pub fn concerns(&self, step: Step, receipt: Timestamp) -> bool {
        receipt.as_second() <= self.at.as_second() && self.steps.contains(&step)
    }
}

/// From what the Bench's status says of the tenant.
pub fn doubt(status: Option<&BenchStatus>, id: &str) -> Option<Doubt> {
    let status = status?;
    let entry = status.differing.iter().find(|entry| entry.id == id)?;
    let mut steps: Vec<Step> = entry.what.iter().flat_map(|what| put_in_doubt(what)).copied().collect();
    steps.sort();
    steps.dedup();
    Some(Doubt { at: status.inspected_at.as_ref()?.0, steps })
}

/// The steps that put a difference of this name right. See bench/README.md for the names.
fn put_in_doubt(what: &str) -> &'static [Step] {
    match what.split(':').next().unwrap_or_default() {
        "locked" | "scheduler" | "setup" | "admin" | "config" => &[Step::Settings],
        // Set again, and seen to work again.
        "apiUser" | "key" => &[Step::Keys, Step::Proof],
        // It works on beside the one that is published, which nothing is known against.
        "retired" => &[Step::Keys],
        "app" => &[Step::Apps],
        // It looks at all that a site is made of; what has vanished it says, and makes nothing in its place.
        "site" | "database" | "encryptionKey" | "error" => &[Step::Create],
        // Said by another version of the program: everything is looked at.
        _ => &Step::UP,
    }
}

/// None where the site is not yet, or just now not, as it should be: that is known already, and worked on.
pub fn of(who: &Subject) -> Option<Value> {
    let want = who.want.as_ref()?;
    let active = who.record().is_some_and(|record| record.phase == Phase::Active);
    if !active || !is_settled(who) {
        return None;
    }
    let input = steps::input(who);
    let mut settings = input["settings"].clone();
    settings["admin"] = json!({"email": want.admin.email});
    for name in ["organization", "unsetConfig"] {
        settings.as_object_mut().map(|all| all.remove(name));
    }
    for entry in settings["siteConfig"].as_array_mut().into_iter().flatten() {
        entry.as_object_mut().map(|entry| entry.remove("env"));
    }
    let facts = |step: Step| who.receipt(step).and_then(|receipt| receipt.facts.clone()).unwrap_or_default();
    let (create, keys) = (facts(Step::Create), facts(Step::Keys));
    // Whose pair it is says the step: there are two users, and they take turns.
    let user = keys["user"].as_str().map_or_else(|| input["keys"]["user"].clone(), |user| json!(user));
    let mut expected = json!({"user": user, "roles": input["keys"]["roles"]});
    if let (Some(expected), Some(retired)) = (expected.as_object_mut(), input["keys"].get("retired")) {
        expected.insert("retired".to_owned(), retired.clone());
    }
    let hashes: Map<String, Value> =
        [&create, &keys].iter().filter_map(|facts| facts["sha256"].as_object().cloned()).flatten().collect();
    Some(json!({
        "marker": {"id": who.id, "cluster": who.cluster},
        "site": who.site,
        "database": {"name": who.database},
        "apps": want.apps,
        "settings": settings,
        "keys": expected,
        "sha256": hashes,
    }))
}

/// Every step of the way up was done for what is wanted now; one that is in doubt is looked at again. Whether a Secret that the
/// spec names has changed since is not asked: of its value nothing is expected.
fn is_settled(who: &Subject) -> bool {
    let none = Default::default();
    let secrets = !who.secret_inputs().is_empty();
    Step::UP.into_iter().all(|step| match who.receipt(step) {
        Some(receipt) if step == Step::Settings && secrets => receipt.hash != STALE,
        _ => steps::current(step, who, &none),
    })
}

//! Which templates a Bench should have, by what they are known, and which one a new site is made from.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;

use crate::api::{BenchRef, BenchSpec, BenchStatus, Template, TemplateState, TenantPlan};
use crate::core::carried::Carried;
use crate::core::names;

/// Raised when what a template holds, or must not hold, has changed: all are made anew.
pub const RECIPE: u32 = 1;
/// A bench has room for so many: each costs its volume some megabytes, and the bench a minute or two when its image changes.
const MOST: usize = 8;

/// A template that a Bench should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub name: String,
    /// In the order of installation, beside frappe.
    pub apps: Vec<String>,
    pub image: String,
}

/// Whose templates those of a Bench are, on a volume that it may share. Benches of two clusters may bear one name.
pub fn owner(cluster: &str, bench: &BenchRef) -> String {
    names::digest(&["templates", cluster, &bench.namespace, &bench.name], 16)
}

/// The identity of the throw-away site that they are made from: one for each Bench, so one is made at a time.
pub fn site_id(owner: &str) -> String {
    names::digest(&["template-site", owner], 16)
}

fn name(apps: &[String], image: &str) -> String {
    let recipe = RECIPE.to_string();
    let parts: Vec<&str> = [recipe.as_str(), image].into_iter().chain(apps.iter().map(String::as_str)).collect();
    names::digest(&parts, 16)
}

/// For the plans that the Bench prewarms and those of its tenants, as they are now: new tenants take them so. The second list has
/// the plans that it prewarms and that are not there.
pub fn asked(
    spec: &BenchSpec,
    image: &str,
    plans: &BTreeMap<String, TenantPlan>,
    carried: &[Carried],
) -> (Vec<Asked>, Vec<String>) {
    let Some(wanted) = spec.templates.as_ref().filter(|templates| templates.enabled) else { return (vec![], vec![]) };
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for plan in carried.iter().filter(|one| one.is_active()).filter_map(|one| one.plan.as_deref()) {
        *used.entry(plan).or_default() += 1;
    }
    let mut used: Vec<(&str, usize)> = used.into_iter().collect();
    // Those with the most tenants first, should there be too many.
    used.sort_by_key(|(plan, tenants)| (std::cmp::Reverse(*tenants), *plan));
    let mut asked: Vec<Asked> = vec![];
    for plan in wanted.prewarm.iter().map(String::as_str).chain(used.into_iter().map(|(plan, _)| plan)) {
        let Some(plan) = plans.get(plan) else { continue };
        let apps = apps(plan);
        if asked.len() < MOST && !asked.iter().any(|other| other.apps == apps) {
            asked.push(Asked { name: name(&apps, image), apps, image: image.to_owned() });
        }
    }
    (asked, wanted.prewarm.iter().filter(|plan| !plans.contains_key(*plan)).cloned().collect())
}

fn apps(plan: &TenantPlan) -> Vec<String> {
    let mut seen = BTreeSet::from(["frappe"]);
    plan.spec.apps.iter().map(|app| app.name.as_str()).filter(|app| seen.insert(app)).map(str::to_owned).collect()
}

/// Templates that a new site found unfit, and when.
pub fn distrusted(carried: &[Carried]) -> Vec<(String, Timestamp)> {
    carried.iter().filter_map(|one| one.distrusts.clone()).collect()
}

/// The one that spares a new site the most: its apps are the first of those that the site is to have.
pub fn best<'a>(status: Option<&'a BenchStatus>, apps: &[String]) -> Option<&'a Template> {
    let ready = status?.templates.iter().filter(|template| template.state == TemplateState::Ready && template.content.is_some());
    ready.filter(|template| apps.starts_with(&template.apps)).max_by_key(|template| template.apps.len())
}

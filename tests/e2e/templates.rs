//! Site templates: one is made for a plan before its first tenant comes, sites are restored from it, and none of them waits for it.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;
use tenant_operator::api::{Bench, BenchRef, Template, TemplateState, Templates, Tenant};
use tenant_operator::core::names::annotation;
use tenant_operator::core::{names, templates};

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::case::{self, Case, Company, id};
use crate::history::condition;
use crate::inside::Inside;
use crate::lab::CUSTOMERS;
use crate::tenant::{tenant, whole_plan};
use crate::wait::within;

const WHO: &str = "/api/method/frappe.auth.get_logged_user";
/// A template costs an installation, its dump and the removal of its site, in a Job of its own.
const MADE: Duration = Duration::from_secs(240);

#[test]
fn sites_are_made_from_a_template_as_long_as_it_is_fit_on_frappe_15() {
    case::run("tmpl-a", Company::On(INGRESS_15.namespace), async |case| from_a_template(case, INGRESS_15).await);
}

#[test]
fn sites_are_made_from_a_template_as_long_as_it_is_fit_on_frappe_16() {
    case::run("tmpl-b", Company::On(GATEWAY_16.namespace), async |case| from_a_template(case, GATEWAY_16).await);
}

async fn from_a_template(case: &Case, place: Place) {
    let plan = case.plan(whole_plan).await;
    let wanted = Templates { enabled: true, prewarm: vec![plan.clone()] };
    let bench = case.bench_as(place, |spec| spec.templates = Some(wanted)).await;
    let first = ready_template(case, &bench, |_| true).await;
    assert_eq!(first.apps, ["erpnext"]);
    let holds: Vec<&str> = first.holds.iter().map(|app| app.name.as_str()).collect();
    assert_eq!(holds, ["frappe", "erpnext"]);

    let names = ["v", "x", "y", "z"].map(|end| format!("{}-{end}", case.name));
    let [one, two, broken, again] = &names;
    for name in [one, two] {
        case.apply(&tenant(name, CUSTOMERS, &plan, bench.clone())).await;
    }
    let mut ids = vec![];
    for name in [one, two] {
        ids.push(id(&restored(case, &place, name, &first).await));
    }
    nothing_in_common(case, &place, [(one, &ids[0]), (two, &ids[1])]).await;

    let folder = folder(&case.inside(&place), &place.api_host(one), &bench);
    take_the_dump_away(&case.inside(&place), &folder, &first);
    case.apply(&tenant(broken, CUSTOMERS, &plan, bench.clone())).await;
    installed(case, &place, broken).await;
    let second = made_anew(case, &bench, &first).await;
    case.apply(&tenant(again, CUSTOMERS, &plan, bench.clone())).await;
    restored(case, &place, again, &second).await;

    for name in &names {
        case.delete(name).await;
    }
    leaves_with_its_bench(case, &place, &bench, &folder).await;
}

/// The Bench's only template, once it is Ready and as wanted.
async fn ready_template(case: &Case, bench: &BenchRef, wanted: impl Fn(&Template) -> bool) -> Template {
    let so = |bench: Option<&Bench>| only(bench).is_some_and(|one| one.state == TemplateState::Ready && wanted(one));
    let what = format!("template of Bench {}", bench.name);
    let found = within(MADE, &what, await_condition(benches(case, bench), &bench.name, so)).await;
    only(found.as_ref()).cloned().expect("a template")
}

fn benches(case: &Case, bench: &BenchRef) -> Api<Bench> {
    Api::namespaced(case.lab.client.clone(), &bench.namespace)
}

fn only(bench: Option<&Bench>) -> Option<&Template> {
    match bench?.status.as_ref()?.templates.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// The Tenant, which is Ready with a key that works, and whose site was made from this template.
async fn restored(case: &Case, place: &Place, name: &str, template: &Template) -> Tenant {
    let tenant = served(case, place, name).await;
    let from = format!("made from the template {}", template.content.as_deref().expect("a folder"));
    assert!(said_of_its_site(&tenant).contains(&from), "{}", said_of_its_site(&tenant));
    tenant
}

/// A template that is unfit costs its tenant nothing but time.
async fn installed(case: &Case, place: &Place, name: &str) {
    let tenant = served(case, place, name).await;
    let said = said_of_its_site(&tenant);
    assert!(said.contains("installed, since the template") && said.contains("(broken)"), "{said}");
}

async fn served(case: &Case, place: &Place, name: &str) -> Tenant {
    let (tenant, _) = case.ready(place, name).await;
    let user = case.api(place, name).await.until(WHO, 200).await.json();
    assert_eq!(user["message"], json!(format!("tenant-api-a@{}", place.api_host(name))));
    let apps: Vec<&str> = tenant.status.iter().flat_map(|status| &status.apps).map(|app| app.name.as_str()).collect();
    assert_eq!(apps, ["frappe", "erpnext"]);
    tenant
}

fn said_of_its_site(tenant: &Tenant) -> &str {
    condition(tenant, "SiteReady").map(|condition| condition.message.as_str()).unwrap_or_default()
}

/// What must differ from site to site. The values are secret: a failure says only whose they are.
async fn nothing_in_common(case: &Case, place: &Place, both: [(&String, &String); 2]) {
    let inside = case.inside(place);
    let configs = both.map(|(name, _)| inside.site_config(&place.api_host(name)));
    for key in ["encryption_key", "db_name", "db_password"] {
        let [one, two] = configs.each_ref().map(|config| config[key].as_str().unwrap_or_default());
        assert!(!one.is_empty() && one != two, "{key}");
    }
    let hashes = "SELECT password FROM `{}`.__Auth WHERE doctype = 'User' AND name = 'Administrator' AND fieldname = 'password'";
    let [one, two] = both.map(|(_, id)| rows(&inside, hashes, id));
    assert!(one.len() == 1 && two.len() == 1 && one != two, "the Administrator's password");
    // As Frappe and its apps call them. None may be there yet: they are made when they are first asked for.
    let called = "REGEXP '(^|_)(installation|instance|telemetry|site)_?(uu|unique_?)?id$'";
    for (table, key, value) in [("tabSingles", "field", "value"), ("tabDefaultValue", "defkey", "defvalue")] {
        let ids = format!("SELECT {value} FROM `{{}}`.`{table}` WHERE {key} {called} AND {value} <> ''");
        let [one, two] = both.map(|(_, id)| rows(&inside, &ids, id));
        assert!(one.is_disjoint(&two), "what tells installations from each other, in {table}");
    }
    let mut keys = BTreeSet::new();
    for (name, _) in both {
        let known = case.lab.secret(CUSTOMERS, &format!("{name}-credentials")).await.expect("the tenant's Secret");
        keys.extend(["api-key", "api-secret"].map(|key| known[key].clone()));
    }
    assert_eq!(keys.len(), 4, "API keys and secrets");
}

/// Of the tenant's own database, whose name goes where the braces are.
fn rows(inside: &Inside<'_>, query: &str, id: &str) -> BTreeSet<String> {
    inside.query(&query.replace("{}", &names::database(id)))
}

/// Where this Bench's templates are: other Benches may keep theirs on the same volume. The cluster's name is in every marker.
fn folder(inside: &Inside<'_>, site: &str, bench: &BenchRef) -> String {
    let config = inside.site_config(site);
    let cluster = config["tenant_operator"]["cluster"].as_str().expect("a marker");
    format!("sites/.tenant-templates/{}", templates::owner(cluster, bench))
}

/// As a person does who makes room on the volume.
fn take_the_dump_away(inside: &Inside<'_>, folder: &str, template: &Template) {
    let name = template.content.as_deref().expect("a folder");
    let modes = inside.shell(&format!("stat -c %a {folder} {folder}/{name} {folder}/{name}/*"), "").expect("modes");
    assert_eq!(modes.lines().collect::<Vec<_>>(), ["700", "700", "600", "600"]);
    inside.shell(&format!("rm {folder}/{name}/database.sql.gz"), "").expect("an end");
}

/// It would be by itself, ten minutes after it was made; a person's word makes it so at once.
async fn made_anew(case: &Case, bench: &BenchRef, first: &Template) -> Template {
    let patch = json!({"metadata": {"annotations": {annotation::RETRY_AT: Timestamp::now().to_string()}}});
    let asked = benches(case, bench).patch(&bench.name, &PatchParams::default(), &Patch::Merge(patch)).await;
    asked.expect("an annotated Bench");
    let second = ready_template(case, bench, |one| one.at.0 > first.at.0).await;
    assert_eq!((&second.name, &second.content, &second.holds), (&first.name, &first.content, &first.holds));
    second
}

async fn leaves_with_its_bench(case: &Case, place: &Place, bench: &BenchRef, folder: &str) {
    let api = benches(case, bench);
    let uid = api.get(&bench.name).await.expect("a Bench").uid().expect("an uid");
    api.delete(&bench.name, &DeleteParams::default()).await.expect("a deletion");
    within(MADE, "end of the Bench", await_condition(api, &bench.name, conditions::is_deleted(&uid))).await;
    let left = case.inside(place).shell(&format!("if [ -e {folder} ]; then find {folder}; fi"), "").expect("a list");
    assert_eq!(left, "");
}

//! A site that was there before: reported, taken over, and left in place when its Tenant goes.

use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tenant_operator::api::{Adoption, Bench, BenchRef, Tenant};

use crate::bench::{INGRESS_15, Place};
use crate::case::{self, Case, Company, READY, id};
use crate::edge::Door;
use crate::history::{ready, says};
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};

/// As the scripts of old made it, without any marker. A password on a command line would be found by the search for secrets.
const BY_HAND: &str = "import json, sys\ngiven = json.loads(GIVEN)\nsys.argv = ['bench', 'frappe', 'new-site', given['site'], \
    '--mariadb-user-host-login-scope=%', '--db-root-password', given['root'], '--admin-password', given['admin']]\n\
    from frappe.utils.bench_helper import main\nmain()\n";

#[test]
fn a_site_of_old_is_reported_taken_over_and_kept() {
    case::run("adopt", Company::On(INGRESS_15.namespace), async |case| {
        let place = INGRESS_15;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let site = place.api_host(&case.name);
        made_by_hand(case, &place, &site).await;
        let before = case.inside(&place).site_config(&site);

        let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench.clone());
        wanted.spec.deletion_policy = None;
        wanted.spec.adoption = Adoption::Report;
        case.apply(&wanted).await;
        let unlisted = |tenant: Option<&Tenant>| says(tenant, "Ready", "BenchRefuses");
        case.until(&case.name, "refused, since the Bench does not list the site", READY, unlisted).await;
        assert_eq!(case.inside(&place).site_config(&site), before);

        list(case, &bench, &site).await;
        let reported = |tenant: Option<&Tenant>| changes(tenant).is_some_and(|changes| !changes.is_empty());
        case.until(&case.name, "reported", READY, reported).await;
        assert_eq!(case.inside(&place).site_config(&site), before, "a report changes nothing");

        case.change(&case.name, json!({"spec": {"adoption": "TakeOver"}})).await;
        let (adopted, _) = case.until(&case.name, "Ready", READY, ready).await;
        let adopted = adopted.expect("a Tenant");
        let after = case.inside(&place).site_config(&site);
        assert_eq!(after["tenant_operator"]["id"], json!(id(&adopted)));
        for kept in ["db_name", "db_password", "encryption_key"] {
            assert_eq!(after[kept], before[kept], "{kept} is the site's own");
        }
        case.api(&place, &case.name).await.until("/api/method/frappe.auth.get_logged_user", 200).await;

        case.delete(&case.name).await;
        let ping = Door::inside(&case.lab, place.namespace, &site).await.get("/api/method/ping").await;
        assert_eq!(ping.status, 200, "an adopted site is retained unless its Tenant says otherwise");
    });
}

/// The Bench's word that the site may be taken over.
pub async fn list(case: &Case, bench: &BenchRef, site: &str) {
    let benches = Api::<Bench>::namespaced(case.lab.client.clone(), &bench.namespace);
    let listed = json!({"spec": {"adoption": {"siteNames": [site]}}});
    benches.patch(&bench.name, &PatchParams::default(), &Patch::Merge(listed)).await.expect("a changed Bench");
}

async fn made_by_hand(case: &Case, place: &Place, site: &str) {
    let root = case.lab.secret(place.namespace, "erpnext").await.expect("the bench's Secret");
    let root = root.get("mariadb-root-password").expect("the database's password");
    let given = json!({"site": site, "root": root, "admin": "made-by-hand"}).to_string();
    let program = BY_HAND.replace("GIVEN", &json!(given).to_string());
    case.inside(place).shell("cd sites && exec ../env/bin/python -", &program).expect("a site");
    // Frappe makes one with the first password that it keeps.
    let used = "from frappe.utils.password import get_encryption_key\nreturn bool(get_encryption_key())";
    assert_eq!(case.inside(place).python(site, used, &json!({})), json!(true));
    let (site, place) = (site.to_owned(), *place);
    case.finally(move |case| {
        let inside = case.inside(&place);
        let config = inside.site_config(&site);
        let database = config["db_name"].as_str().expect("a database").to_owned();
        inside.query(&format!("DROP DATABASE IF EXISTS `{database}`; DROP USER IF EXISTS `{database}`@`%`"));
        inside.shell(&format!("rm -rf sites/{site}"), "").expect("an end");
    });
}

fn changes(tenant: Option<&Tenant>) -> Option<&Vec<String>> {
    Some(&tenant?.status.as_ref()?.adoption.as_ref()?.changes)
}

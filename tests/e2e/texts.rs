//! What owners type is data: texts that break shells, SQL, Python, templates and the kubelet's own expansion, in every field that takes
//! words, reach the site and the Master as the same texts.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;
use tenant_operator::api::{Organization, SecretKeyRef, Setup, SiteConfigEntry, TenantPlan, TenantPlanSpec};

use crate::bench::{INGRESS_15, Place};
use crate::case::{self, Case, Company};
use crate::edge::Door;
use crate::history::says;
use crate::lab::CUSTOMERS;
use crate::master;
use crate::tenant::{organization, tenant};
use crate::wait::within;

/// In one line, as names are.
const LINES: [&str; 9] = [
    r#"quotes " ' ` \" \' \\ \n"#,
    "$(HOME) $$(HOME) ${HOME} $HOME `id` ; id | id & id",
    "{{ 7 * 7 }} {% raw %} ${{ x }} #{1} %s %d %(x)s {0}",
    "'; DROP TABLE `tabUser`; -- \" OR 1=1 /* x */",
    r#"'''); import os; os.system("id") # """ + f"{1}" + r'''"#,
    "--set-admin-password=x -p y @file |pipe ~ * ? [a]",
    "Ünïcödé 株式会社 Ö\u{0308} \u{1F680} \u{202e}abc",
    "null",
    "yes: no, - [1, 2]: {a: b} & *x ! # ,",
];
/// Values of config keys may have several.
const MORE: [&str; 3] = ["first\nsecond\r\n\tthird\n", "<script>alert(1)</script>\n]]>&amp;", "\u{7}\u{1b}[31m\u{7f}"];

fn text(at: usize) -> String {
    LINES[at % LINES.len()].to_owned()
}

fn plan(name: &str) -> TenantPlan {
    let spec = TenantPlanSpec {
        display_name: Some(text(0)),
        registry_value: Some(text(3)),
        setup: Setup::Complete,
        apps: vec![tenant_operator::api::App { name: "erpnext".to_owned() }],
        site_config: entries("plan_text_", &LINES),
        ..Default::default()
    };
    TenantPlan::new(name, spec)
}

fn entries(prefix: &str, texts: &[&str]) -> Vec<SiteConfigEntry> {
    let entry = |(at, text): (usize, &&str)| SiteConfigEntry {
        name: format!("{prefix}{at}"),
        value: Some(json!(text)),
        value_from: None,
    };
    texts.iter().enumerate().map(entry).collect()
}

/// Every text as a plain value, and one from a Secret.
fn config(secret: &str) -> Vec<SiteConfigEntry> {
    let texts = [&LINES[..], &MORE].concat();
    let from = json!({"name": "tenant_secret", "valueFrom": {"secretKeyRef": {"name": secret, "key": "text"}}});
    let mut all = entries("tenant_text_", &texts);
    all.push(serde_json::from_value(from).expect("an entry"));
    all
}

fn secret() -> String {
    format!("xk29-{}{}", LINES.concat(), MORE.concat())
}

#[test]
fn what_owners_type_reaches_the_site_and_the_master_as_it_was_typed() {
    case::run("texts", Company::On(INGRESS_15.namespace), async |case| {
        let place = INGRESS_15;
        let keys = || config("any").into_iter().chain(entries("plan_text_", &LINES)).map(|entry| entry.name);
        let bench = case.bench_as(place, |spec| spec.site_config_policy.tenant_keys = keys().collect()).await;
        case.bench_says(&bench, "Serving", "").await;
        let plan = case.plan(plan).await;
        let (words, password) = (format!("{}-words", case.name), format!("{}-admin", case.name));
        case.secret(CUSTOMERS, &words, "text", &secret()).await;
        case.secret(CUSTOMERS, &password, "password", &format!("Aa9-{}", LINES[0..5].concat())).await;
        let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench);
        wanted.spec.admin.first_name = Some(text(1));
        wanted.spec.admin.last_name = Some(text(4));
        wanted.spec.admin.password_secret_ref = Some(SecretKeyRef { name: password, key: "password".to_owned() });
        wanted.spec.organization =
            Some(Organization { name: Some(text(2)), abbreviation: Some(r#"'"$(A)\;"#.to_owned()), ..organization("any") });
        wanted.spec.site_config = config(&words);
        case.apply(&wanted).await;
        case.ready(&place, &case.name).await;

        config_is_as_it_was_typed(case, &place);
        names_are_as_they_were_typed(case, &place, &wanted.spec.admin.email);
        let row = master::row(&case.lab, &place, &case.name).await.expect("a row in the Master");
        assert_eq!((row["organization_name"].clone(), row["plan_type"].clone()), (json!(text(2)), json!(text(3))));
        message_is_shown_as_it_was_typed(case, &place).await;
    });
}

/// The public message of a suspended tenant, as text: to programs, and on a page, where nothing of it is markup.
async fn message_is_shown_as_it_was_typed(case: &Case, place: &Place) {
    let message = format!("{} <b>{}</b> & {}", LINES[0], LINES[3], LINES[6]);
    let suspend = json!({"spec": {"suspend": {"mode": "Maintenance", "reason": text(1), "publicMessage": message}}});
    let tenants = case.tenants(CUSTOMERS);
    tenants.patch(&case.name, &PatchParams::default(), &Patch::Merge(suspend)).await.expect("a suspension");
    case.until(&case.name, "suspended", case::READY, |tenant| says(tenant, "Ready", "Suspended")).await;
    let door = Door::public(&case.lab, &place.frontend_host(&case.name)).await;
    let shown = async {
        // The kubelet brings a changed ConfigMap within about a minute.
        while door.with("Accept", "application/json").until("/", 503).await.json()["message"] != json!(message) {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        Ok::<_, ()>(())
    };
    within(Duration::from_secs(150), "page with the tenant's own message", shown).await;
    let page = door.with("Accept", "text/html").get("/").await.text;
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"), "{page}");
}

fn config_is_as_it_was_typed(case: &Case, place: &Place) {
    let config = case.inside(place).site_config(&place.api_host(&case.name));
    for (at, text) in LINES.iter().enumerate() {
        assert_eq!(config[format!("plan_text_{at}")], json!(text));
    }
    for (at, text) in LINES.iter().chain(&MORE).enumerate() {
        assert_eq!(config[format!("tenant_text_{at}")], json!(text));
    }
    assert!(config["tenant_secret"] == json!(secret()), "the value from the Secret differs");
}

fn names_are_as_they_were_typed(case: &Case, place: &Place, email: &str) {
    let site = place.api_host(&case.name);
    let program = "user = frappe.db.get_value('User', given['email'], ['first_name', 'last_name'])\n\
                   company = frappe.get_all('Company', fields=['company_name', 'abbr'])\n\
                   from frappe.utils.password import check_password\n\
                   return [list(user), [[row['company_name'], row['abbr']] for row in company], check_password(given['email'], given['password'])]";
    let password = format!("Aa9-{}", LINES[0..5].concat());
    let said = case.inside(place).python(&site, program, &json!({"email": email, "password": password}));
    let expected = json!([[text(1), text(4)], [[text(2), r#"'"$(A)\;"#]], email]);
    assert_eq!(said, expected);
}

//! From apply to nothing, on both edges and both versions of Frappe.

use serde_json::{Value, json};
use tenant_operator::api::{EdgeType, Tenant};

use crate::bench::{GATEWAY_15, GATEWAY_16, INGRESS_15, INGRESS_16, Place};
use crate::case::{self, Case, Company, id};
use crate::edge::{Door, encoded};
use crate::history::condition;
use crate::lab::{CUSTOMERS, OPERATOR};
use crate::tenant::{NASTY, NASTY_LINES, NASTY_SECRET, tenant, whole_plan, with_nasty_texts};
use crate::{master, remains, times};

#[test]
fn a_tenant_lives_and_leaves_behind_ingress_on_frappe_15() {
    case::run("life-a", Company::On(INGRESS_15.namespace), async |case| life(case, INGRESS_15).await);
}

#[test]
fn a_tenant_lives_and_leaves_behind_a_gateway_on_frappe_15() {
    case::run("life-b", Company::On(GATEWAY_15.namespace), async |case| life(case, GATEWAY_15).await);
}

#[test]
fn a_tenant_lives_and_leaves_behind_ingress_on_frappe_16() {
    case::run("life-c", Company::On(INGRESS_16.namespace), async |case| life(case, INGRESS_16).await);
}

#[test]
fn a_tenant_lives_and_leaves_behind_a_gateway_on_frappe_16() {
    case::run("life-d", Company::On(GATEWAY_16.namespace), async |case| life(case, GATEWAY_16).await);
}

async fn life(case: &Case, place: Place) {
    let (plan, bench) = (case.plan(whole_plan).await, case.bench(place).await);
    let secret = format!("{}-mail", case.name);
    case.secret(CUSTOMERS, &secret, "password", NASTY_SECRET).await;
    let name = &case.name;
    case.apply(&with_nasty_texts(tenant(name, CUSTOMERS, &plan, bench), &secret)).await;
    let (ready, history) = case.ready(&place, name).await;
    let title = format!("{:?}, Frappe {}, beside other tests", place.edge, place.frappe());
    times::report(&case.lab, &title, place.namespace, &id(&ready), &history, "").await;

    status_is_complete(&ready, &place);
    the_api_host_serves_its_key_and_refuses_logins(case, &place).await;
    the_site_itself_refuses_a_password(case, &place).await;
    the_frontend_answers(case, &place).await;
    texts_reached_the_site_as_they_were(case, &place).await;
    the_master_knows_the_tenant(case, &place, &ready).await;
    no_secret_is_told(case, &place, &id(&ready)).await;

    case.delete(name).await;
    remains::nothing(case, &place, name, &id(&ready)).await;
}

fn status_is_complete(tenant: &Tenant, place: &Place) {
    let name = tenant.metadata.name.as_deref().expect("a name");
    let status = tenant.status.as_ref().expect("a status");
    assert_eq!(status.observed_generation, tenant.metadata.generation);
    assert!(status.id.as_ref().is_some_and(|id| id.len() == 16), "{status:?}");
    assert_eq!(status.bench.as_ref(), tenant.spec.bench_ref.as_ref());
    assert_eq!(status.plan.as_ref().map(|plan| (plan.name.as_str(), plan.observed_generation)), Some((name, Some(1))));
    assert_eq!(status.site_name.as_deref(), Some(place.api_host(name).as_str()));
    assert_eq!(status.url, Some(format!("https://{}", place.frontend_host(name))));
    assert_eq!(status.api_url, Some(format!("https://{}", place.api_host(name))));
    let apps: Vec<&str> = status.apps.iter().map(|app| app.name.as_str()).collect();
    assert_eq!(apps, ["frappe", "erpnext"]);
    assert!(status.apps.iter().all(|app| app.version.starts_with(&place.frappe().to_string())), "{:?}", status.apps);
    let credentials = status.credentials.as_ref().expect("credentials");
    assert_eq!((credentials.secret_name.clone(), credentials.slot.as_str()), (format!("{name}-credentials"), "A"));
    assert!(credentials.issued_at.is_some() && status.first_ready_at.is_some());
    let own_certificate = place.edge == EdgeType::Ingress;
    assert_eq!(status.certificate.as_ref().is_some_and(|certificate| certificate.not_after.is_some()), own_certificate);
    let reasons = [
        ("Ready", "Ready"),
        ("Claimed", "Claimed"),
        ("SiteReady", "Created"),
        ("AppsReady", "Verified"),
        ("Configured", "Applied"),
        ("KeysReady", "ProvenOverHTTP"),
        ("RoutesReady", "Programmed"),
        ("Reachable", "Probed"),
        ("Registered", "InSync"),
        ("CertificateReady", if own_certificate { "Issued" } else { "ListenerCertificate" }),
    ];
    for (type_, reason) in reasons {
        let said = condition(tenant, type_).unwrap_or_else(|| panic!("no condition {type_}"));
        assert_eq!((said.status.as_str(), said.reason.as_str()), ("True", reason), "{type_}: {}", said.message);
        assert_eq!(said.observed_generation, tenant.metadata.generation, "{type_}");
    }
    assert_eq!(condition(tenant, "DNSReady").map(|dns| dns.status.as_str()), Some("True"));
    for passing in ["Reconciling", "Stalled"] {
        assert!(condition(tenant, passing).is_none(), "{passing} is there only while it is true");
    }
}

async fn the_api_host_serves_its_key_and_refuses_logins(case: &Case, place: &Place) {
    let open = Door::public(&case.lab, &place.api_host(&case.name)).await;
    assert_eq!(open.get("/api/method/ping").await.json()["message"], "pong");
    let user = case.api(place, &case.name).await.get("/api/method/frappe.auth.get_logged_user").await;
    assert_eq!(
        (user.status, user.json()["message"].clone()),
        (200, json!(format!("tenant-api-a@{}", place.api_host(&case.name))))
    );
    for refused in ["/login", "/signup", "/api/method/login"] {
        assert_eq!(open.get(refused).await.status, 403, "{refused}");
    }
    let login = open.post("/api/method/login", &json!({"usr": "Administrator", "pwd": "guess"})).await;
    assert_eq!(login.status, 403, "{}", login.text);
}

/// Frappe takes cmd=login on any path: what the edge refuses, the site must refuse as well.
async fn the_site_itself_refuses_a_password(case: &Case, place: &Place) {
    let site = Door::inside(&case.lab, place.namespace, &place.api_host(&case.name)).await;
    let answer =
        site.with("Accept", "application/json").post("/", &json!({"cmd": "login", "usr": "Administrator", "pwd": "guess"})).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert!(answer.text.contains("Login with username and password is not allowed."), "{}", answer.text);
}

async fn the_frontend_answers(case: &Case, place: &Place) {
    let frontend = Door::public(&case.lab, &place.frontend_host(&case.name)).await;
    let answer = frontend.with("X-Tenant", "somebody-else").get("/").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    if place.edge == EdgeType::Gateway {
        let headers = answer.json()["headers"].clone();
        let sent: Vec<(&String, &Value)> =
            headers.as_object().expect("headers").iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-tenant")).collect();
        assert_eq!(sent.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [&json!(case.name)]);
    }
}

async fn texts_reached_the_site_as_they_were(case: &Case, place: &Place) {
    let fields = encoded(r#"["name","company_name"]"#);
    let companies = case.api(place, &case.name).await.get(&format!("/api/resource/Company?fields={fields}")).await;
    assert_eq!(companies.json()["data"], json!([{"name": NASTY, "company_name": NASTY}]));
    let config = case.inside(place).site_config(&place.api_host(&case.name));
    assert_eq!((config["mail_login"].as_str(), config["mail_password"].as_str()), (Some(NASTY_LINES), Some(NASTY_SECRET)));
}

async fn the_master_knows_the_tenant(case: &Case, place: &Place, tenant: &Tenant) {
    let row = master::row(&case.lab, place, &case.name).await.expect("a row in the Master");
    let wanted = [
        ("subdomain", case.name.clone()),
        ("organization_name", NASTY.to_owned()),
        ("admin_email", tenant.spec.admin.email.clone()),
        ("plan_type", "Pro".to_owned()),
        ("site_url", format!("https://{}", place.api_host(&case.name))),
        ("site_name", place.api_host(&case.name)),
        ("status", "Active".to_owned()),
        ("operator_id", id(tenant)),
    ];
    for (field, value) in wanted {
        assert_eq!(row[field], json!(value), "{field}");
    }
    assert!(row["api_secret"].is_null(), "no secret goes to the Master unless it is mapped");
}

/// Neither in an object that is no Secret, nor in a log.
async fn no_secret_is_told(case: &Case, place: &Place, id: &str) {
    let custody = case.lab.secret(place.namespace, &format!("{id}-custody")).await.expect("custody");
    let of_tenant = format!("tenancy.nexuserp.io/id={id}");
    let kinds = "tenants,tenantclaims,jobs,pods,configmaps,events,ingresses,httproutes,certificates";
    let told = [
        case.lab.kubectl(&["get", kinds, "--all-namespaces", "--output", "json"], ""),
        case.lab.kubectl(
            &["logs", "--namespace", place.namespace, "--all-containers", "--prefix", "--tail=-1", "--selector", &of_tenant],
            "",
        ),
        case.lab.kubectl(&["logs", "--namespace", OPERATOR, "deploy/tenant-operator"], ""),
    ];
    for text in told.map(|told| told.expect("objects and logs")) {
        assert!(text.contains(id), "the wrong place was searched");
        for (name, value) in &custody {
            assert!(!text.contains(value.as_str()), "the {name} of {id} can be read");
        }
    }
}

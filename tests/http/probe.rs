//! A tenant looked at over an edge with a throwaway authority.

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use tenant_operator::api::{PathType, RefusedPath};
use tenant_operator::core::manifests::answer::Answer;
use tenant_operator::core::seen::Check;
use tenant_operator::runtime::answer::{Messages, router};
use tenant_operator::world::http::Key;
use tenant_operator::world::http::bench::Trial;
use tenant_operator::world::http::probe::{Expects, Prober, Target};
use tower::ServiceExt;

use super::fake::{Asked, Fake, exception, json, page};
use super::tls::Authority;

const FRONTEND: &str = "acme.example.com";
const API: &str = "api.acme.example.com";
const USER: &str = "tenant-api-a@api.acme.example.com";
const SECRET: &str = "sesame-opens-it";
const ALL: [&str; 7] = ["name", "TLS", "ping", "key", "refusals", "header", "frontend"];

/// What the operator's own backend answers for a refused path.
async fn closed_body() -> String {
    ours(Answer::Refused, StatusCode::FORBIDDEN).await
}

async fn ours(answer: Answer, status: StatusCode) -> String {
    let response = router(answer, &Messages::default()).oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(response.status(), status);
    String::from_utf8(axum::body::to_bytes(response.into_body(), 4096).await.unwrap().to_vec()).unwrap()
}

/// An edge with a tenant behind it that is as it should be.
fn well(asked: &Asked, closed: &str) -> Response {
    match (asked.method.as_str(), asked.header("host"), asked.path.as_str()) {
        (_, FRONTEND, _) => page(404, "no such page"),
        ("POST", API, _) => exception(401, "AuthenticationError", "Login with username and password is not allowed."),
        (_, API, "/api/method/ping") => json(200, json!({"message": "pong"})),
        (_, API, "/login" | "/signup") => json(403, serde_json::from_str(closed).unwrap()),
        (_, API, "/api/method/frappe.auth.get_logged_user") => json(200, json!({"message": USER})),
        _ => page(500, "not one of ours"),
    }
}

fn refused() -> Vec<RefusedPath> {
    ["/login", "/signup"].map(|path| RefusedPath { path: path.to_owned(), type_: PathType::Prefix }).into()
}

/// Looks over an edge that differs from a good one where `odd` answers.
async fn look(odd: impl Fn(&Asked) -> Option<Response> + Send + Sync + 'static) -> (Vec<Check>, Vec<Asked>) {
    let (authority, closed) = (Authority::new("lab"), closed_body().await);
    let edge = authority.serve(&[FRONTEND, API], 4000, move |asked| odd(asked).unwrap_or_else(|| well(asked, &closed))).await;
    let checks = look_at(&edge, Some(&authority.pem)).await;
    (checks, edge.asked())
}

async fn look_at(edge: &Fake, ca_pem: Option<&[u8]>) -> Vec<Check> {
    look_for(Expects::Serving, edge, ca_pem).await
}

async fn look_for(expects: Expects, edge: &Fake, ca_pem: Option<&[u8]>) -> Vec<Check> {
    let address = edge.address.to_string();
    let refused = refused();
    let key =
        Trial { path: "/api/method/frappe.auth.get_logged_user", user: USER, key: Key { key: "k3yk3yk3y", secret: SECRET } };
    let target = Target {
        frontend: FRONTEND,
        api: API,
        connect_to: Some(&address),
        ca_pem,
        key: Some(key),
        refused: &refused,
        locked: true,
        expects,
    };
    let checks = Prober::default().look(&target).await;
    assert!(!format!("{checks:?}").contains(SECRET), "{checks:?}");
    checks
}

/// The only problem, and of which check.
fn problem(checks: &[Check]) -> (&'static str, &str) {
    let problems: Vec<_> = checks.iter().filter_map(|check| Some((check.name, check.problem.as_deref()?))).collect();
    assert_eq!(problems.len(), 1, "{checks:?}");
    problems[0]
}

fn on(path: &'static str, answer: impl Fn() -> Response + Send + Sync) -> impl Fn(&Asked) -> Option<Response> + Send + Sync {
    move |asked| (asked.method == "GET" && asked.path == path && asked.header("host") == API).then(&answer)
}

#[tokio::test]
async fn a_tenant_that_is_well_passes_every_check_in_order() {
    let (checks, asked) = look(|_| None).await;
    assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), ALL);
    assert!(checks.iter().all(|check| check.problem.is_none()), "{checks:?}");
    assert!(asked.iter().filter(|asked| asked.path != "/").all(|asked| asked.header("host") == API));
    let login = asked.iter().find(|asked| asked.method == "POST").unwrap();
    assert!(login.body.starts_with("cmd=login&usr=probe-"), "{}", login.body);
    assert_eq!(login.header("authorization"), "", "the key stays out of it");
}

#[tokio::test]
async fn the_key_is_tried_through_the_edge() {
    let ask = "/api/method/frappe.auth.get_logged_user";
    let (checks, _) = look(on(ask, || exception(401, "AuthenticationError", SECRET))).await;
    assert_eq!(problem(&checks), ("key", "the site does not accept it (401)"));
    let (checks, _) = look(on(ask, || exception(403, "PermissionError", ""))).await;
    assert!(problem(&checks).1.starts_with("answers 403"), "{checks:?}");
    let (checks, _) = look(on(ask, || exception(417, "ValidationError", "Failed to decrypt key User.x.api_secret"))).await;
    assert!(problem(&checks).1.starts_with("417"), "{checks:?}");
}

#[tokio::test]
async fn a_refused_path_must_be_refused_by_us() {
    let (checks, _) = look(on("/login", || page(200, "<form>"))).await;
    assert_eq!(problem(&checks), ("refusals", "/login answers 200 OK instead of 403"));
    let (checks, _) = look(on("/signup", || exception(403, "PermissionError", "not whitelisted"))).await;
    assert_eq!(problem(&checks), ("refusals", "/signup is refused by the site, and reaches it: the edge should refuse it"));
}

#[tokio::test]
async fn a_locked_site_is_told_from_a_wrong_password() {
    let wrong = |asked: &Asked| (asked.method == "POST").then(|| json(401, json!({"message": "Invalid login credentials"})));
    let (checks, _) = look(wrong).await;
    assert_eq!(problem(&checks).0, "refusals");
    assert!(problem(&checks).1.starts_with("the site still takes passwords"), "{checks:?}");
}

#[tokio::test]
async fn a_forged_site_header_must_change_nothing() {
    let naive = |asked: &Asked| {
        let forged = asked.headers.contains_key("x-frappe-site-name");
        forged.then(|| page(404, "<p>nosuch does not exist</p>"))
    };
    let (checks, _) = look(naive).await;
    assert_eq!(problem(&checks).0, "header");
    assert!(problem(&checks).1.contains("another tenant's site"), "{checks:?}");
}

#[tokio::test]
async fn maintenance_and_a_broken_frontend_show() {
    let (checks, _) = look(on("/api/method/ping", || json(503, json!({"exc_type": "SessionStopped"})))).await;
    let ping = checks.iter().find(|check| check.name == "ping").unwrap();
    assert_eq!(ping.problem.as_deref(), Some("answers 503 SessionStopped"));
    let broken = |asked: &Asked| (asked.header("host") == FRONTEND).then(|| page(502, "bad gateway"));
    let (checks, _) = look(broken).await;
    assert_eq!(problem(&checks), ("frontend", "answers 502 Bad Gateway"));
}

async fn tls(authority: &Authority, names: &[&str], until: i32, ca_pem: &[u8]) -> String {
    let edge = authority.serve(names, until, |_| page(200, "")).await;
    let checks = look_at(&edge, Some(ca_pem)).await;
    assert_eq!(checks.len(), 2, "without a connection there is nothing more to ask: {checks:?}");
    let (name, problem) = problem(&checks);
    assert_eq!(name, "TLS");
    problem.to_owned()
}

#[tokio::test]
async fn a_bad_certificate_is_said_in_words() {
    let (lab, other) = (Authority::new("lab"), Authority::new("other"));
    let both = [FRONTEND, API];
    assert!(tls(&lab, &both, 4000, &other.pem).await.contains("unknown issuer"));
    assert!(tls(&lab, &both, 2020, &lab.pem).await.ends_with("expired on 2020-12-31"));
    let one = tls(&lab, &["*.example.com"], 4000, &lab.pem).await;
    assert_eq!(one, format!("the certificate is not for {API} but for *.example.com"));
    assert!(tls(&lab, &both, 4000, b"no PEM").await.contains("no certificate in PEM"));
}

#[tokio::test]
async fn what_is_no_tls_and_what_has_no_name_is_said_in_words() {
    let plain = Fake::start(|_| page(200, "")).await;
    let checks = look_at(&plain, Some(&Authority::new("lab").pem)).await;
    assert_eq!(problem(&checks), ("TLS", "api.acme.example.com does not speak TLS there"));

    let refused = refused();
    let target = Target {
        frontend: FRONTEND,
        api: API,
        connect_to: Some("edge.invalid:443"),
        ca_pem: None,
        key: None,
        refused: &refused,
        locked: false,
        expects: Expects::Serving,
    };
    let checks = Prober::default().look(&target).await;
    assert_eq!(checks.len(), 1, "{checks:?}");
    let (name, problem) = problem(&checks);
    assert_eq!(name, "name");
    assert!(problem.starts_with("edge.invalid") && problem.ends_with("(the Bench's probe.connectTo)"), "{problem}");
}

/// An edge that answers everything alike.
async fn everywhere(status: u16, body: &str) -> (Vec<Check>, Vec<Asked>) {
    let (authority, body) = (Authority::new("lab"), body.to_owned());
    let edge = authority.serve(&[FRONTEND, API], 4000, move |_| json(status, serde_json::from_str(&body).unwrap())).await;
    let checks = look_for(Expects::Suspended, &edge, Some(&authority.pem)).await;
    (checks, edge.asked())
}

#[tokio::test]
async fn a_suspended_tenant_is_well_when_both_hosts_say_so_and_its_key_stays_at_home() {
    let page = ours(Answer::Suspended, StatusCode::SERVICE_UNAVAILABLE).await;
    let (checks, asked) = everywhere(503, &page).await;
    assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), ["name", "TLS", "suspended"]);
    assert!(checks.iter().all(|check| check.problem.is_none()), "{checks:?}");
    assert!(asked.iter().all(|asked| asked.header("authorization") == ""));
    for host in [FRONTEND, API] {
        assert!(asked.iter().any(|asked| asked.header("host") == host), "{host}");
    }
}

#[tokio::test]
async fn a_suspended_tenant_whose_site_can_still_be_reached_is_told() {
    for (status, body) in [(200, r#"{"message": "pong"}"#), (503, r#"{"exc_type": "SessionStopped"}"#)] {
        let (checks, _) = everywhere(status, body).await;
        assert_eq!(problem(&checks).0, "suspended");
        assert!(problem(&checks).1.contains("instead of the page of a suspended tenant"), "{checks:?}");
    }
}

#[tokio::test]
async fn a_site_that_can_only_be_read_may_refuse_the_login_as_a_change() {
    let (authority, closed) = (Authority::new("lab"), closed_body().await);
    let read_only = |asked: &Asked| (asked.method == "POST").then(|| exception(503, "InReadOnlyMode", "Site is read only"));
    let edge =
        authority.serve(&[FRONTEND, API], 4000, move |asked| read_only(asked).unwrap_or_else(|| well(asked, &closed))).await;
    let checks = look_for(Expects::ReadOnly, &edge, Some(&authority.pem)).await;
    assert!(checks.iter().all(|check| check.problem.is_none()), "{checks:?}");
    let checks = look_for(Expects::Serving, &edge, Some(&authority.pem)).await;
    assert_eq!(problem(&checks).0, "refusals");
}

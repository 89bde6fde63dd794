//! A key tried against a bench's web service.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::json;
use tenant_operator::core::seen::KeyAnswer;
use tenant_operator::world::http::bench::{Trial, try_key};
use tenant_operator::world::http::{Key, client};
use tokio::net::TcpListener;

use super::fake::{Fake, exception, install_tls, json, page};

const SITE: &str = "api.acme.example.com";
const USER: &str = "tenant-api-a@api.acme.example.com";
const SECRET: &str = "sesame-opens-it";
const ASK: &str = "/api/method/frappe.auth.get_logged_user";

fn trial(path: &str) -> Trial<'_> {
    Trial { path, user: USER, key: Key { key: "k3yk3yk3y", secret: SECRET } }
}

async fn tried(path: &str, answer: impl Fn() -> Response + Send + Sync + 'static) -> KeyAnswer {
    let bench = Fake::start(move |_| answer()).await;
    let seen = try_key(&client().unwrap(), &bench.url(), SITE, &trial(path)).await;
    assert!(!format!("{seen:?}").contains(SECRET), "{seen:?}");
    seen
}

fn unreachable(words: &str) -> KeyAnswer {
    KeyAnswer::Unreachable(words.to_owned())
}

#[tokio::test]
async fn the_site_is_named_and_the_key_sent() {
    let bench = Fake::start(|_| json(200, json!({"message": USER}))).await;
    let seen = try_key(&client().unwrap(), &format!("{}/", bench.url()), SITE, &trial(ASK)).await;
    assert_eq!(seen, KeyAnswer::Accepted);
    let asked = &bench.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", ASK));
    assert_eq!((asked.header("host"), asked.header("x-frappe-site-name")), (SITE, SITE));
    assert_eq!(asked.header("authorization"), format!("token k3yk3yk3y:{SECRET}"));
    assert!(asked.header("user-agent").starts_with("tenant-operator/"));
}

#[tokio::test]
async fn an_answer_about_the_key_is_told_from_one_about_the_bench() {
    assert_eq!(tried(ASK, || exception(401, "AuthenticationError", SECRET)).await, KeyAnswer::Rejected(401));
    assert_eq!(tried(ASK, || exception(403, "PermissionError", "not whitelisted")).await, KeyAnswer::Rejected(403));
    let key_lost = || exception(417, "ValidationError", "Failed to decrypt key User.x.api_secret");
    assert_eq!(tried(ASK, key_lost).await, KeyAnswer::Undecryptable);
    let other = tried(ASK, || exception(417, "ValidationError", "<b>Not</b> today\nnor tomorrow")).await;
    assert_eq!(other, unreachable("417 ValidationError: Not today"));
    let nobody = tried(ASK, || page(404, "<p>api.acme.example.com does not exist</p>")).await;
    assert_eq!(nobody, unreachable("404, it does not know the site"));
    let stopped = tried(ASK, || json(503, json!({"exc_type": "SessionStopped"}))).await;
    assert_eq!(stopped, unreachable("503 SessionStopped"));
    assert_eq!(tried(ASK, || page(500, "Internal Server Error")).await, unreachable("500 Internal Server Error"));
}

#[tokio::test]
async fn only_the_keys_own_user_will_do_where_the_site_names_one() {
    let other = || json(200, json!({"message": "Administrator"}));
    assert_eq!(tried(ASK, other).await, unreachable("200, but for another user than the key's"));
    assert_eq!(tried("/api/method/shop.ping", other).await, KeyAnswer::Accepted);
    assert_eq!(tried(ASK, || page(200, "<h1>Welcome</h1>")).await, unreachable("200, but what answers is not Frappe"));
}

#[tokio::test]
async fn a_traceback_is_never_repeated() {
    let answer = || {
        json(
            500,
            json!({
                "exc_type": "OperationalError",
                "exception": format!("pymysql.err.OperationalError: {SECRET} db_password='hunter2'\nTraceback"),
                "exc": "[\"Traceback: hunter2\"]",
            }),
        )
    };
    assert_eq!(tried(ASK, answer).await, unreachable("500 OperationalError: *** db_password…"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Fake::start(|_| json(200, json!({"message": USER}))).await;
    let location = format!("{}{ASK}", elsewhere.url());
    let away = move || Response::builder().status(302).header("location", &location).body(Body::empty()).unwrap();
    assert_eq!(tried(ASK, away).await, unreachable("302 Found"));
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_body_without_end_is_read_up_to_a_bound() {
    let endless = || {
        let chunks = stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b' '; 8192])));
        Response::new(Body::from_stream(chunks))
    };
    let begun = Instant::now();
    assert_eq!(tried(ASK, endless).await, unreachable("200, but what answers is not Frappe"));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_server_that_hangs_or_dribbles_is_given_up() {
    let bench = Fake::start(|asked| {
        let gap = Duration::from_secs(if asked.path == "/hangs" { 3600 } else { 1 });
        let chunks = stream::repeat(()).then(move |()| async move {
            tokio::time::sleep(gap).await;
            Ok::<_, Infallible>(Bytes::from_static(b" "))
        });
        Response::new(Body::from_stream(chunks))
    })
    .await;
    let (client, url) = (client().unwrap(), bench.url());
    let begun = Instant::now();
    let (hangs, dribbles) = (trial("/hangs"), trial("/dribbles"));
    let seen = tokio::join!(try_key(&client, &url, SITE, &hangs), try_key(&client, &url, SITE, &dribbles));
    assert!(begun.elapsed() < Duration::from_secs(15));
    let given_up = unreachable("no answer from 127.0.0.1 within 10 s");
    assert_eq!(seen, (given_up.clone(), given_up));
}

#[tokio::test]
async fn a_closed_port_is_said_in_words() {
    install_tls();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let seen = try_key(&client().unwrap(), &format!("http://{closed}"), SITE, &trial(ASK)).await;
    assert_eq!(seen, unreachable("127.0.0.1 refuses the connection"));
}

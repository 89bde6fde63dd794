//! All sites of the bench, and the Master: what the operator asks by HTTP is answered at once, as Frappe and the edge answer it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Failure;
use crate::tls::Authority;

pub const MASTER: &str = "master.bench.test";
const FIELDS: [&str; 5] = ["subdomain", "operator_id", "site_url", "plan_type", "status"];

/// What the steps have made of the sites so far; by name, which is the API host.
#[derive(Clone, Default)]
pub struct Sites(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The token that a site accepts, and whose it is.
    sites: HashMap<String, Option<(String, String)>>,
    /// The Master's rows, by subdomain.
    rows: HashMap<String, Value>,
}

impl Sites {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn create(&self, site: &str) {
        self.lock().sites.entry(site.to_owned()).or_default();
    }

    pub fn set_key(&self, site: &str, user: &str, key: &str, secret: &str) {
        self.lock().sites.insert(site.to_owned(), Some((format!("token {key}:{secret}"), user.to_owned())));
    }

    pub fn drop(&self, site: &str) {
        self.lock().sites.remove(site);
    }

    pub fn count(&self) -> usize {
        self.lock().sites.len()
    }

    /// Rows that are some tenant's.
    pub fn rows(&self) -> usize {
        self.lock().rows.values().filter(|row| row["operator_id"] != "").count()
    }

    /// Serves the edge over TLS and the bench's own web service; their ports.
    pub async fn serve(&self, authority: &Authority) -> Result<(u16, u16), Failure> {
        let edge = authority.listen(&["*.bench.test"]).await?;
        let web = TcpListener::bind("127.0.0.1:0").await?;
        let ports = (edge.address.port(), web.local_addr()?.port());
        let (one, other) = (self.router(true), self.router(false));
        tokio::spawn(async move { axum::serve(edge, one).await });
        tokio::spawn(async move { axum::serve(web, other).await });
        Ok(ports)
    }

    fn router(&self, at_edge: bool) -> Router {
        let sites = self.clone();
        Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            sites.answer(at_edge, &method, &uri, &headers, &body)
        })
    }

    fn answer(&self, at_edge: bool, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        // HTTP/2 has it in the URI.
        let host = || uri.host().map_or_else(|| text("host"), str::to_owned);
        // The edge overwrites what a client says.
        let site = if at_edge { host() } else { text("x-frappe-site-name") };
        if site == MASTER {
            return self.master(method, uri, body);
        }
        let state = self.lock();
        if at_edge && !site.starts_with("api-") {
            return reply(StatusCode::OK, "text/html", "<html>hello</html>".to_owned());
        }
        let Some(token) = state.sites.get(&site) else {
            return reply(StatusCode::NOT_FOUND, "text/html", "<html>there is no such site</html>".to_owned());
        };
        match uri.path() {
            "/login" | "/signup" | "/api/method/login" if at_edge => {
                said(StatusCode::FORBIDDEN, json!({"message": "This path is closed"}))
            }
            "/api/method/ping" if *method == Method::POST => locked(),
            "/api/method/ping" => said(StatusCode::OK, json!({"message": "pong"})),
            _ => match token {
                Some((token, user)) if *token == text("authorization") => said(StatusCode::OK, json!({"message": user})),
                _ => said(StatusCode::UNAUTHORIZED, json!({"exc_type": "AuthenticationError"})),
            },
        }
    }

    fn master(&self, method: &Method, uri: &Uri, body: &Bytes) -> Response {
        let rows = &mut self.lock().rows;
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let path = uri.path();
        if path.starts_with("/api/resource/DocType/") {
            let fields: Vec<Value> = FIELDS.map(|name| json!({"fieldname": name, "fieldtype": "Data"})).into();
            return said(StatusCode::OK, json!({"data": {"fields": fields}}));
        }
        if path.starts_with("/api/resource/Custom") {
            return said(StatusCode::OK, json!({"data": []}));
        }
        match *method {
            Method::GET => {
                // Of all that the query has in quotes, the subdomain is the last.
                let wanted = uri.query().and_then(|query| query.rsplit("%22").nth(1)).unwrap_or_default();
                said(StatusCode::OK, json!({"data": rows.get(wanted).into_iter().collect::<Vec<_>>()}))
            }
            Method::DELETE => {
                rows.remove(path.rsplit('/').next().unwrap_or_default());
                said(StatusCode::ACCEPTED, json!({"data": "ok"}))
            }
            _ => {
                let last = path.rsplit('/').next().unwrap_or_default().to_owned();
                let name = sent["subdomain"].as_str().map_or(last, str::to_owned);
                let row = rows.entry(name.clone()).or_insert_with(|| json!({"name": name}));
                for (key, value) in sent.as_object().into_iter().flatten() {
                    row[key] = value.clone();
                }
                said(StatusCode::OK, json!({"data": row}))
            }
        }
    }
}

fn locked() -> Response {
    let words = json!({"message": "Login with username and password is not allowed"}).to_string();
    let body = json!({"exc_type": "AuthenticationError", "_server_messages": json!([words]).to_string()});
    said(StatusCode::UNAUTHORIZED, body)
}

fn said(status: StatusCode, body: Value) -> Response {
    reply(status, "application/json", body.to_string())
}

fn reply(status: StatusCode, kind: &str, body: String) -> Response {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(Body::from(body));
    response.unwrap_or_default()
}

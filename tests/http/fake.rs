//! A server that answers as a test wants it, and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::serve::Listener;
use reqwest::Url;
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Still encoded.
    pub path: String,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub struct Fake {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub async fn start(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::serve(listener, address, answer)
    }

    pub fn serve<L>(listener: L, address: SocketAddr, answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self
    where
        L: Listener,
        L::Addr: std::fmt::Debug,
    {
        install_tls();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (asked.clone(), Arc::new(answer));
        let handler = move |request: Request| {
            let (kept, answer) = (kept.clone(), answer.clone());
            async move {
                let asked = read(request).await;
                kept.lock().unwrap().push(asked.clone());
                answer(&asked)
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
        Self { address, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read(request: Request) -> Asked {
    let (head, body) = request.into_parts();
    let path_and_query = head.uri.path_and_query().unwrap().as_str();
    Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        url: Url::parse(&format!("http://any{path_and_query}")).unwrap(),
        headers: head.headers,
        body: String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap(),
    }
}

/// As the operator does at its start.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub fn json(status: u16, body: Value) -> Response {
    reply(status, "application/json", body.to_string())
}

pub fn page(status: u16, body: &str) -> Response {
    reply(status, "text/html; charset=utf-8", body.to_owned())
}

/// As Frappe reports an exception.
pub fn exception(status: u16, type_: &str, message: &str) -> Response {
    let for_users = serde_json::json!({"message": message, "title": "Message"}).to_string();
    json(
        status,
        serde_json::json!({
            "exception": format!("frappe.exceptions.{type_}: {message}"),
            "exc_type": type_,
            "exc": format!("[\"Traceback (most recent call last): db_password=hunter2 {message}\"]"),
            "_server_messages": serde_json::json!([for_users]).to_string(),
        }),
    )
}

fn reply(status: u16, kind: &str, body: String) -> Response {
    Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
}

//! The answering backend as a process: what its ports say, to whom, and how it ends.

mod process;

use std::time::Duration;

use process::Process;
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;

const REFUSED: u16 = 8403;
const PREPARING: u16 = 8503;
const SUSPENDED: u16 = 8504;
const HEALTH: u16 = 8081;

/// Each test has an address of its own, as the ports are fixed.
struct Backend {
    address: &'static str,
    process: Process,
    client: reqwest::Client,
}

impl Backend {
    async fn start(address: &'static str) -> Self {
        Self::of(address, Process::start(["answer", "--bind-address", address], [])).await
    }

    async fn with_messages(address: &'static str, folder: &std::path::Path) -> Self {
        let messages = format!("--messages={}", folder.display());
        Self::of(address, Process::start(["answer", "--bind-address", address, &messages], [])).await
    }

    async fn of(address: &'static str, process: Process) -> Self {
        let backend = Self { address, process, client: process::client() };
        process::until_answered(&backend.client, &backend.url(HEALTH, "/livez")).await;
        backend
    }

    fn url(&self, port: u16, path: &str) -> String {
        format!("http://{}:{port}{path}", self.address)
    }

    async fn ask(&self, method: Method, port: u16, path: &str, accept: &str) -> Response {
        let request = self.client.request(method, self.url(port, path));
        request.header(header::ACCEPT, accept).header("X-Probe", "echo-me").body("echo-me").send().await.unwrap()
    }

    /// What the suspended page of a host says.
    async fn said(&self, host: &str, accept: &str) -> String {
        let request = self.client.get(self.url(SUSPENDED, "/app?x=echo-me")).header(header::HOST, host);
        let response = request.header(header::ACCEPT, accept).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-store");
        response.text().await.unwrap()
    }
}

fn header_of(response: &Response, name: header::HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_method_and_path_gets_the_answer_of_its_port() {
    let backend = Backend::start("127.0.83.1").await;
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        for path in ["/", "/login", "/api/method/login?usr=echo-me", "/a/b/../c%20d"] {
            let refused = backend.ask(method.clone(), REFUSED, path, "*/*").await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{method} {path}");
            let preparing = backend.ask(method.clone(), PREPARING, path, "*/*").await;
            assert_eq!(preparing.status(), StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
            assert_eq!(header_of(&preparing, header::RETRY_AFTER), "5");
        }
    }
}

#[tokio::test]
async fn a_program_gets_json_that_says_what_to_do_instead() {
    let backend = Backend::start("127.0.83.2").await;
    let response = backend.ask(Method::POST, REFUSED, "/api/method/login", "application/json").await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/json");
    assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-store");
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["exc_type"], "PermissionError");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("password is switched off") && message.contains("API token"), "{message}");
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let backend = Backend::start("127.0.83.3").await;
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let response = backend.ask(Method::GET, PREPARING, "/", accept).await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/html; charset=utf-8");
    let body = response.text().await.unwrap();
    assert!(body.starts_with("<!doctype html>") && body.contains("being prepared"), "{body}");
}

#[tokio::test]
async fn nothing_of_the_request_comes_back() {
    let backend = Backend::start("127.0.83.4").await;
    for accept in ["*/*", "text/html"] {
        for port in [REFUSED, PREPARING, SUSPENDED] {
            let response = backend.ask(Method::POST, port, "/echo-me?echo-me=echo-me", accept).await;
            assert!(!format!("{:?}", response.headers()).contains("echo-me"));
            assert!(!response.text().await.unwrap().contains("echo-me"));
        }
    }
}

#[tokio::test]
async fn a_head_request_gets_the_headers_alone() {
    let backend = Backend::start("127.0.83.5").await;
    let response = backend.ask(Method::HEAD, PREPARING, "/", "*/*").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_ne!(header_of(&response, header::CONTENT_LENGTH), "0");
    assert_eq!(response.text().await.unwrap(), "");
}

#[tokio::test]
async fn it_ends_soon_after_sigterm_with_success() {
    let mut backend = Backend::start("127.0.83.6").await;
    assert_eq!(backend.process.end(Duration::from_secs(5)).code(), Some(0));
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_plain_error() {
    let _holder = std::net::TcpListener::bind(("127.0.83.7", PREPARING)).unwrap();
    let (status, text) = Process::start(["answer", "--bind-address", "127.0.83.7"], []).outcome(Duration::from_secs(5));
    assert_eq!(status.code(), Some(1));
    assert!(text.contains("cannot listen on 127.0.83.7:8503"), "{text}");
}

/// A folder that is gone with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tenant-messages-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, host: &str, message: &str) {
        std::fs::write(self.0.join(host), message).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const GENERAL: &str = "This site is suspended for the time being.";
const ODD: &str = r#"Pay "now" & don't <script>alert('x')</script> {{7*7}} $(id) `id` %s \n ü 🛑"#;

fn message_of(json: &str) -> String {
    let body: Value = serde_json::from_str(json).unwrap();
    assert_eq!(body["exc_type"], "TenantSuspended");
    body["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_suspended_tenants_own_message_is_found_by_its_host_and_shown_as_text() {
    let folder = Folder::new("own");
    folder.write("acme.example.com", ODD);
    let backend = Backend::with_messages("127.0.83.8", &folder.0).await;
    assert_eq!(message_of(&backend.said("ACME.example.com:443", "application/json").await), ODD);
    let page = backend.said("acme.example.com", "text/html").await;
    let escaped =
        "Pay &quot;now&quot; &amp; don&#39;t &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; {{7*7}} $(id) `id` %s \\n ü 🛑";
    assert!(page.contains(&format!("<p>{escaped}</p>")) && !page.contains("<script>"), "{page}");
    assert_eq!(message_of(&backend.said("other.example.com", "*/*").await), GENERAL);
    folder.write("acme.example.com", "Please contact us.\n");
    assert_eq!(message_of(&backend.said("acme.example.com", "*/*").await), "Please contact us.");
    std::fs::remove_file(folder.0.join("acme.example.com")).unwrap();
    assert_eq!(message_of(&backend.said("acme.example.com", "*/*").await), GENERAL);
}

#[tokio::test]
async fn no_host_reads_any_other_file_and_what_is_no_message_is_not_shown() {
    let folder = Folder::new("other");
    let inner = folder.0.join("inner");
    std::fs::create_dir(&inner).unwrap();
    folder.write("secret", "not for you");
    std::fs::write(inner.join("long.example.com"), "x".repeat(5000)).unwrap();
    std::fs::write(inner.join("binary.example.com"), [0xff, 0xfe]).unwrap();
    std::fs::write(inner.join("empty.example.com"), " \n").unwrap();
    let backend = Backend::with_messages("127.0.83.9", &inner).await;
    for host in ["../secret", "..", ".", "/etc/passwd", "long.example.com", "binary.example.com", "empty.example.com"] {
        assert_eq!(message_of(&backend.said(host, "*/*").await), GENERAL, "{host}");
    }
}

#[tokio::test]
async fn without_a_folder_the_general_text_is_said() {
    let backend = Backend::start("127.0.83.10").await;
    assert_eq!(message_of(&backend.said("acme.example.com", "*/*").await), GENERAL);
    assert!(backend.said("acme.example.com", "text/html").await.contains(&format!("<h1>Suspended</h1><p>{GENERAL}</p>")));
}

//! `tenant-operator run` as a process, against an API server that serves nothing of ours.

mod process;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use process::Process;

const KINDS: [&str; 4] = ["tenants", "tenantplans", "benches", "tenantclaims"];

/// An address that was free a moment ago.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn empty_api_server() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"none"}"#;
    let router = Router::new().fallback(move || async move { (StatusCode::NOT_FOUND, status) });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn kubeconfig(server: SocketAddr) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: test, \
         clusters: [{{name: test, cluster: {{server: 'http://{server}'}}}}], users: [{{name: test, user: {{}}}}], \
         contexts: [{{name: test, context: {{cluster: test, user: test, namespace: operators}}}}]}}"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test]
async fn without_its_crds_it_lives_but_is_not_ready_and_says_why() {
    let config = kubeconfig(empty_api_server().await);
    let health = free_address().to_string();
    let arguments = ["run", "--image", "tenant-operator:test", "--health-address", &health];
    let mut process = Process::start(arguments, [("KUBECONFIG", config.path().to_str().unwrap())]);
    let client = process::client();
    let url = |path: &str| format!("http://{health}{path}");

    process::until_answered(&client, &url("/livez")).await;
    assert_eq!(client.get(url("/livez")).send().await.unwrap().status(), 200);
    let ready = client.get(url("/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let text = ready.text().await.unwrap();
    for kind in KINDS {
        assert!(text.contains(&format!("{kind}.tenancy.nexuserp.io")), "{text}");
    }
    let metrics = client.get(url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("tenant_operator_leader 0") && metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(process.end(Duration::from_secs(5)).code(), Some(0));
}

#[test]
fn a_wrong_setting_is_refused_with_its_name() {
    let process = Process::start(["run", "--image", "x", "--resync", "soon"], []);
    let (status, text) = process.outcome(Duration::from_secs(5));
    assert_eq!(status.code(), Some(2));
    assert!(text.contains("--resync"), "{text}");
}

#[test]
fn without_a_cluster_the_error_says_what_to_set() {
    let process = Process::start(["run", "--image", "x", "--health-address", "127.0.0.1:0"], [("KUBECONFIG", "/none")]);
    let (status, text) = process.outcome(Duration::from_secs(5));
    assert_eq!(status.code(), Some(1));
    assert!(text.contains("set KUBECONFIG"), "{text}");
}

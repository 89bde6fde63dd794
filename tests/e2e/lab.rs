//! The lab as the tests reach it: its API server, its kubectl, addresses of Services. Nothing here knows a Tenant.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::{Secret, Service};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

/// Where Tenants live, and where the operator is.
pub const CUSTOMERS: &str = "customers";
pub const OPERATOR: &str = "tenant-operator";

#[derive(Clone)]
pub struct Lab {
    pub client: Client,
    pub dir: PathBuf,
}

/// The lab's folder; none where there is no lab, which is then said aloud: the test harness would swallow a print.
pub fn dir(test: &str) -> Option<PathBuf> {
    if std::env::var_os("TENANT_OPERATOR_LAB").is_some() {
        return Some(std::env::var_os("LAB_DIR").map_or_else(|| PathBuf::from("/var/lib/tenant-operator-lab"), PathBuf::from));
    }
    let words = format!(
        "skipped: e2e {test}: it needs the lab with the operator in it (TENANT_OPERATOR_LAB is not set; see tests/e2e/run)"
    );
    writeln!(std::io::stderr(), "{words}").expect("somebody who reads");
    None
}

impl Lab {
    pub async fn connect(dir: PathBuf) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = Kubeconfig::read_from(dir.join("kubeconfig")).expect("the lab's kubeconfig: is the lab up?");
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.expect("a usable kubeconfig");
        Self { client: Client::try_from(config).expect("a client"), dir }
    }

    /// kubectl's output, or its complaint. What is secret goes through `input`, never into the arguments.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", self.dir.join("kubeconfig")).args(arguments);
        output(command, input)
    }

    pub async fn service(&self, namespace: &str, name: &str, port: u16) -> SocketAddr {
        let service = Api::<Service>::namespaced(self.client.clone(), namespace).get(name).await.expect("the Service");
        let address = service.spec.and_then(|spec| spec.cluster_ip).expect("an address");
        SocketAddr::new(address.parse::<IpAddr>().expect("an address"), port)
    }

    pub async fn secret(&self, namespace: &str, name: &str) -> Option<BTreeMap<String, String>> {
        let found = Api::<Secret>::namespaced(self.client.clone(), namespace).get_opt(name).await.expect("an answer");
        let texts =
            found?.data.unwrap_or_default().into_iter().map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()));
        Some(texts.collect())
    }
}

/// Runs a program to its end with `input` at its standard input.
pub fn output(mut command: Command, input: &str) -> Result<String, String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program in PATH");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // Beside the reading: a program may answer before it has read everything, or end without reading at all.
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("an end");
    let _ = writer.join();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stdout) + &text(&output.stderr)) }
}

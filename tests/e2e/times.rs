//! Where the time from apply to Ready went: by stage, and inside the bench's own commands.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use serde_json::Value;

use crate::history::History;
use crate::lab::Lab;

const STAGES: [&str; 11] = [
    "Claimed",
    "RoutesReady",
    "DNSReady",
    "CertificateReady",
    "SiteReady",
    "AppsReady",
    "Configured",
    "KeysReady",
    "Reachable",
    "Registered",
    "Ready",
];

/// What the steps of a Job's container said: all of its time, and of it the time inside the bench's own commands.
pub struct Spent {
    pub container: String,
    pub seconds: f64,
    pub bench: f64,
}

/// Prints the table, and adds it to target/e2e-times.txt.
pub async fn report(lab: &Lab, title: &str, namespace: &str, id: &str, history: &History, more: &str) {
    let spent = spent(lab, namespace, id).await;
    let whole = history.true_since("Ready").expect("a Ready tenant");
    let bench: f64 = spent.iter().map(|spent| spent.bench).sum();
    let mut text = format!(
        "{title}: apply to Ready {:.1} s, of it {bench:.1} s inside the bench's own commands, {:.1} s ours and Kubernetes'\n",
        whole.as_secs_f64(),
        whole.as_secs_f64() - bench
    );
    for stage in STAGES {
        let at = history.true_since(stage).map_or("-".to_owned(), |at: Duration| format!("{:.1}", at.as_secs_f64()));
        writeln!(text, "  {stage:<17} True after {at:>5} s").expect("text");
    }
    for Spent { container, seconds, bench } in &spent {
        writeln!(text, "  container {container:<7} {seconds:>5.1} s, of it {bench:.1} s inside the bench's own commands")
            .expect("text");
    }
    write(&format!("{text}{more}\n"));
}

/// What a tenant's Jobs said, as long as their pods are there.
pub async fn spent(lab: &Lab, namespace: &str, id: &str) -> Vec<Spent> {
    let of_tenant = ListParams::default().labels(&format!("tenancy.nexuserp.io/id={id}"));
    let pods = Api::<Pod>::namespaced(lab.client.clone(), namespace).list(&of_tenant).await.expect("pods");
    let statuses = pods.items.into_iter().filter_map(|pod| pod.status).flat_map(|status| {
        status.init_container_statuses.unwrap_or_default().into_iter().chain(status.container_statuses.unwrap_or_default())
    });
    let spent = statuses.filter_map(|status| {
        let message = status.state?.terminated?.message?;
        let said: Value = serde_json::from_str(&message).ok()?;
        Some(Spent { container: status.name, seconds: said["seconds"].as_f64()?, bench: said["bench"].as_f64()? })
    });
    spent.collect()
}

/// A file of its own for each run; past the test harness, which swallows what a good test prints.
pub fn write(text: &str) {
    static BEGUN: Mutex<bool> = Mutex::new(false);
    let mut begun = BEGUN.lock().unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/target/e2e-times.txt");
    std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).expect("a folder");
    let mut file = OpenOptions::new().create(true).write(true).append(*begun).truncate(!*begun).open(path).expect("a file");
    *begun = true;
    file.write_all(text.as_bytes()).expect("space");
    write_out(text);
}

fn write_out(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).expect("somebody who reads");
}

//! Searches for every known secret in everything that was collected, and in what can still be read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::needles::Needles;
use crate::{folder, lab, say};

/// So many a run of the end-to-end tests leaves at least: else something was not collected.
const LEAST_SECRETS: usize = 40;
const LEAST_PLACES: usize = 200;

/// What tests do as a person would, with Frappe's own commands: those put the password of a site's database on the command line of
/// MariaDB's client. Part of the secret's name, part of the place.
const BY_HAND: [(&str, &str); 2] = [("/sites/restored-", "process mariadb "), ("/sites/api.e2e-adopt-", "process mariadb ")];

#[derive(Deserialize)]
struct Secret {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Seen {
    place: String,
    text: Option<String>,
}

pub fn search(dir: &Path) {
    let secrets: Vec<Secret> = lines(&folder(dir).join("secrets.jsonl"));
    let needles = Needles::new(secrets.iter().map(|secret| secret.value.as_str()));
    let (mut places, mut hits) = (BTreeSet::new(), BTreeSet::new());
    let mut search = |place: String, text: &[u8]| {
        for (index, form) in needles.find(text) {
            let name = &secrets[index].name;
            if BY_HAND.iter().any(|(secret, at)| name.contains(secret) && place.starts_with(at)) {
                continue;
            }
            // Never the value: this goes into a log as well.
            hits.insert(format!("{name} is in {place}, {form}"));
        }
        places.insert(place);
    };
    for seen in lines::<Seen>(&folder(dir).join("seen.jsonl")) {
        search(seen.place, seen.text.unwrap_or_default().as_bytes());
    }
    for file in logs(dir) {
        search(format!("file {}", file.display()), &fs::read(&file).unwrap_or_default());
    }
    for arguments in [&["get", "all", "tenant-operator"][..], &["status", "tenant-operator"], &["history", "tenant-operator"]] {
        search(format!("helm {}", arguments.join(" ")), helm(dir, arguments).as_bytes());
    }
    let (count, found) = (secrets.len(), hits.len());
    say(&format!("secrets: {count} searched in {} places, found: {found}", places.len()));
    assert!(hits.is_empty(), "{}", hits.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(count >= LEAST_SECRETS && places.len() >= LEAST_PLACES, "too little was collected");
    for kind in ["Pod ", "Event ", "Tenant ", "Bench ", "TenantClaim ", "ConfigMap ", "Job ", "process ", "metrics", "file "] {
        assert!(places.iter().any(|place| place.starts_with(kind)), "nothing of {kind} was collected");
    }
}

fn lines<T: for<'a> Deserialize<'a>>(file: &Path) -> Vec<T> {
    let text = fs::read_to_string(file).expect("what was collected");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of the collector")).collect()
}

/// Logs of all containers that there were, of the servers, and of the benches themselves on their volumes.
fn logs(dir: &Path) -> Vec<PathBuf> {
    let list = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let servers = list(dir.to_path_buf()).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let sites = list(dir.join("volumes"))
        .into_iter()
        .flat_map(|volume| list(volume.join("sites")))
        .flat_map(|site| list(site.join("logs")));
    let all = list(folder(dir).join("logs")).into_iter().chain(servers).chain(sites);
    all.filter(|path| path.is_file()).collect()
}

fn helm(dir: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("helm");
    command.env("KUBECONFIG", dir.join("kubeconfig")).args(arguments).args(["--namespace", lab::OPERATOR]);
    lab::output(command, "").expect("helm's answer")
}

//! Sees everything that happens in the lab: every version of every object, every log, every process, the metrics. Secrets' values are
//! kept apart: they are what is searched for.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::ByteString;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::discovery::{Discovery, verbs};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::connections::{self, Connection, Who};
use crate::folder;
use crate::lab::{Lab, OPERATOR};

/// Fewer characters cannot be a secret, nor be searched for in earnest.
const SHORTEST: usize = 10;
const LOOK: Duration = Duration::from_millis(20);

/// Everything that was seen, each text once.
pub struct Seen {
    texts: Mutex<(HashSet<u64>, HashSet<u64>, File)>,
    secrets: Mutex<(HashSet<u64>, File)>,
    connections: Mutex<(HashSet<Connection>, File)>,
    dir: PathBuf,
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    fn new(dir: &Path) -> Self {
        let dir = folder(dir);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("logs")).expect("a folder");
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).expect("its mode");
        let file = |name: &str| File::create(dir.join(name)).expect("a file");
        let texts = Mutex::new((HashSet::new(), HashSet::new(), file("seen.jsonl")));
        let secrets = Mutex::new((HashSet::new(), file("secrets.jsonl")));
        let connections = Mutex::new((HashSet::new(), file("connections.jsonl")));
        Self { texts, secrets, connections, dir }
    }

    pub fn text(&self, place: &str, text: &str) {
        let mut texts = self.texts.lock().expect("nobody panics here");
        let new_place = texts.0.insert(digest(place));
        let new_text = text.len() >= SHORTEST && texts.1.insert(digest(text));
        if new_text {
            writeln!(texts.2, "{}", json!({"place": place, "text": text})).expect("room");
        } else if new_place {
            writeln!(texts.2, "{}", json!({"place": place})).expect("room");
        }
    }

    pub fn secret(&self, name: &str, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        if text.trim().len() < SHORTEST {
            return;
        }
        let mut secrets = self.secrets.lock().expect("nobody panics here");
        if secrets.0.insert(digest(&text)) {
            writeln!(secrets.1, "{}", json!({"name": name, "value": text.trim()})).expect("room");
        }
    }

    fn connection(&self, one: Connection) {
        let mut connections = self.connections.lock().expect("nobody panics here");
        if connections.0.insert(one.clone()) {
            writeln!(connections.1, "{}", json!(one)).expect("room");
        }
    }

    /// Every text in it, names as well.
    fn value(&self, place: &str, value: &Value) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                self.text(place, name);
                self.value(place, value);
            }),
            Value::Array(items) => items.iter().for_each(|item| self.value(place, item)),
            Value::String(text) => self.text(place, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

pub fn until_stopped(dir: &Path) {
    let seen = Arc::new(Seen::new(dir));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let stop = seen.dir.join("stop");
    runtime.block_on(async {
        let lab = Lab::connect(dir.to_path_buf()).await;
        watch_all(&lab.client, &seen).await;
        tokio::spawn(metrics(lab, seen.clone()));
        fs::write(seen.dir.join("ready"), "").expect("room");
        let mut processes = Processes::default();
        let mut turn = 0u64;
        while !stop.exists() {
            processes.look(&seen);
            if turn % 10 == 0 {
                keep_logs(dir, &seen.dir.join("logs"));
                processes.talk(&seen);
            }
            if turn % 50 == 0 {
                site_configs(dir, &seen);
            }
            turn += 1;
            tokio::time::sleep(LOOK).await;
        }
    });
    keep_logs(dir, &seen.dir.join("logs"));
    fs::write(seen.dir.join("stopped"), "").expect("room");
}

/// Kinds whose objects are other people's definitions, and nothing of a tenant.
const DULL: [&str; 3] = ["CustomResourceDefinition", "APIService", "Lease"];

async fn watch_all(client: &Client, seen: &Arc<Seen>) {
    let kinds = Discovery::new(client.clone()).run_aggregated().await.expect("the API server's kinds");
    for (kind, capabilities) in kinds.groups().flat_map(|group| group.recommended_resources()) {
        if !capabilities.supports_operation(verbs::WATCH) || DULL.contains(&kind.kind.as_str()) {
            continue;
        }
        tokio::spawn(watch(Api::all_with(client.clone(), &kind), kind.clone(), seen.clone()));
    }
}

async fn watch(api: Api<DynamicObject>, kind: ApiResource, seen: Arc<Seen>) {
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
    while let Some(event) = events.next().await {
        let Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object)) = event else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let place = format!("{} {}/{}", kind.kind, object.namespace().unwrap_or_default(), object.name_any());
        let mut value = serde_json::to_value(&object).expect("JSON");
        if kind.kind == "Secret" {
            secret(&place, value["data"].take(), &value, &seen);
        }
        seen.value(&place, &value);
    }
}

/// Keys of Secrets whose values everybody may know.
const PUBLIC: [&str; 7] = ["ca.crt", "tls.crt", "api-url", "url", "user", "site-name", "release"];

fn secret(place: &str, data: Value, rest: &Value, seen: &Seen) {
    if rest["type"] == "helm.sh/release.v1" {
        return;
    }
    let data: HashMap<String, ByteString> = serde_json::from_value(data).unwrap_or_default();
    for (key, value) in data.iter().filter(|(key, _)| !PUBLIC.contains(&key.as_str())) {
        seen.secret(&format!("{place} {key}"), &value.0);
    }
}

async fn metrics(lab: Lab, seen: Arc<Seen>) {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
    let address = lab.service(OPERATOR, "tenant-operator", 8080).await;
    loop {
        if let Ok(answer) = client.get(format!("http://{address}/metrics")).send().await {
            let text = answer.text().await.unwrap_or_default();
            text.lines().for_each(|line| seen.text("metrics", line));
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}

/// Command lines of processes in the lab's containers. Each is looked at several times: a program replaces its arguments with `exec`.
#[derive(Default)]
struct Processes {
    looks: HashMap<u32, u8>,
    ours: HashMap<u32, Who>,
}

impl Processes {
    fn look(&mut self, seen: &Seen) {
        let now: HashSet<u32> =
            fs::read_dir("/proc").expect("/proc").filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        self.looks.retain(|pid, _| now.contains(pid));
        self.ours.retain(|pid, _| now.contains(pid));
        for pid in now {
            let looks = self.looks.entry(pid).or_default();
            if *looks < 5 {
                *looks += 1;
                self.look_at(pid, seen);
            }
        }
    }

    fn look_at(&mut self, pid: u32, seen: &Seen) {
        let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else { return };
        if !cgroup.contains("/tenantlab") || line.is_empty() {
            return;
        }
        let words = String::from_utf8_lossy(&line).replace('\0', " ");
        // Not by its arguments: they are what is searched.
        let program = words.split(' ').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        seen.text(&format!("process {program} ({pid})"), &words);
        let Some(who) = Who::of(&words) else { return };
        if self.ours.insert(pid, who).is_none() && who == Who::Operator {
            let token = format!("/proc/{pid}/root/var/run/secrets/kubernetes.io/serviceaccount/token");
            seen.secret("the operator's own token", &fs::read(token).unwrap_or_default());
        }
    }
}

impl Processes {
    fn talk(&self, seen: &Seen) {
        for (pid, who) in &self.ours {
            connections::of_process(*pid, *who).into_iter().for_each(|one| seen.connection(one));
        }
    }
}

/// A second name for each log of a container: it outlives the pod, and grows with it.
fn keep_logs(dir: &Path, into: &Path) {
    let list = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for pod in list(dir.join("logs")) {
        for container in list(pod.clone()) {
            for log in list(container.clone()) {
                let kept = into.join(format!("{}_{}_{}", name(&pod), name(&container), name(&log)));
                if !kept.exists() {
                    let _ = fs::hard_link(&log, kept);
                }
            }
        }
    }
}

/// What the sites themselves keep secret.
fn site_configs(dir: &Path, seen: &Seen) {
    let list = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    for site in list(dir.join("volumes")).into_iter().flat_map(|volume| list(volume.join("sites"))) {
        let text = fs::read_to_string(site.join("site_config.json")).unwrap_or_default();
        let config: Value = serde_json::from_str(&text).unwrap_or_default();
        for (key, value) in config.as_object().into_iter().flatten() {
            let secret = ["password", "secret", "token", "_key"].iter().any(|word| key.contains(word));
            if let Some(value) = value.as_str().filter(|_| secret) {
                seen.secret(&format!("config {} {key}", site.display()), value.as_bytes());
            }
        }
    }
}

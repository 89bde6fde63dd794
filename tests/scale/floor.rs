//! The floor: a plain client that makes as many writes of the same kinds as the operator and its bench have made, with objects of the
//! same size and as many requests at once, and does nothing else.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::discovery::Discovery;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::Failure;
use crate::audit::{Requests, is_housekeeping, is_write};
use crate::cluster::{Cluster, connect};
use crate::hands::AT_ONCE;
use crate::operator::CONCURRENCY;

/// Writes for each tenant: how many of each verb and resource.
pub type Writes = BTreeMap<String, u64>;

/// A kind of object, and those that one tenant has of it.
struct Template {
    client: Client,
    kind: ApiResource,
    objects: Vec<Value>,
}

impl Template {
    /// Where the object is, or one that is made after it.
    fn api(&self, of: &Value) -> Api<DynamicObject> {
        match of["metadata"]["namespace"].as_str() {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &self.kind),
            None => Api::all_with(self.client.clone(), &self.kind),
        }
    }
}

/// By resource.
pub type Templates = BTreeMap<String, Vec<Value>>;

pub fn writes(of: &[&Requests], tenants: usize) -> Writes {
    let mut all = Writes::new();
    for (key, count) in of.iter().flat_map(|requests| requests.iter()) {
        if is_write(key) && !is_housekeeping(key) && !key.ends_with("(refused)") {
            *all.entry(key.clone()).or_default() += count;
        }
    }
    let each = |count: u64| (count as f64 / tenants as f64).round() as u64;
    all.into_iter().map(|(key, count)| (key, each(count))).filter(|(_, count)| *count > 0).collect()
}

/// The resources that a tenant has objects of.
const RESOURCES: [&str; 8] = ["tenants", "tenantclaims", "secrets", "jobs", "pods", "ingresses", "certificates", "events"];

/// The objects of one settled tenant, as they are.
pub async fn templates(cluster: &Cluster, name: &str) -> Result<Templates, Failure> {
    let client = connect(&cluster.dir, "floor").await?;
    let id = cluster.tenants().get(name).await?.status.and_then(|status| status.id).ok_or("a tenant without an id")?;
    let mut all = Templates::new();
    for (resource, kind) in kinds(&client).await? {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let selected = match resource.as_str() {
            "tenants" => ListParams::default().fields(&format!("metadata.name={name}")),
            "events" => ListParams::default().limit(2000),
            _ => ListParams::default().labels(&format!("tenancy.nexuserp.io/id={id}")),
        };
        let found = api.list(&selected).await?.items.into_iter();
        let events = resource == "events";
        let about = |object: &DynamicObject| !events || object.data["regarding"]["name"] == json!(name);
        // A list says the kind once for all.
        let typed = |object: DynamicObject| {
            let mut object = serde_json::to_value(object).ok()?;
            (object["apiVersion"], object["kind"]) = (json!(kind.api_version), json!(kind.kind));
            Some(object)
        };
        all.insert(resource, found.filter(about).filter_map(typed).collect());
    }
    Ok(all)
}

async fn kinds(client: &Client) -> Result<BTreeMap<String, ApiResource>, Failure> {
    let groups = ["", "batch", "networking.k8s.io", "cert-manager.io", "events.k8s.io", "tenancy.nexuserp.io"];
    let discovery = Discovery::new(client.clone()).filter(&groups).run().await?;
    let mut kinds = BTreeMap::new();
    for group in discovery.groups() {
        for (resource, _) in group.recommended_resources() {
            let core_events = resource.plural == "events" && resource.group.is_empty();
            if RESOURCES.contains(&resource.plural.as_str()) && !core_events {
                kinds.insert(resource.plural.clone(), resource);
            }
        }
    }
    Ok(kinds)
}

/// Seconds that the writes take; what was made is deleted again.
pub async fn run(cluster: &Cluster, writes: &Writes, templates: Templates, tenants: usize) -> Result<f64, Failure> {
    let client = connect(&cluster.dir, "floor").await?;
    let mut kinds_of = BTreeMap::new();
    for (resource, kind) in kinds(&client).await? {
        let objects = templates.get(&resource).cloned().unwrap_or_default();
        kinds_of.insert(resource, Template { client: client.clone(), kind, objects });
    }
    let kinds = &kinds_of;
    let began = Instant::now();
    let all = stream::iter(0..tenants).map(|number| async move {
        for (resource, kind) in kinds {
            one(kind, resource, writes, number).await.map_err(|failure| format!("the floor, {resource}: {failure}"))?;
        }
        Ok::<_, Failure>(())
    });
    all.buffer_unordered(CONCURRENCY + AT_ONCE).try_collect::<Vec<()>>().await?;
    let seconds = began.elapsed().as_secs_f64();
    clear(kinds).await?;
    Ok(seconds)
}

/// All writes of one tenant to one resource.
async fn one(kind: &Template, resource: &str, writes: &Writes, number: usize) -> Result<(), Failure> {
    let count = |verb: &str, sub: &str| writes.get(&format!("{verb} {resource}{sub}")).copied().unwrap_or_default();
    let (create, apply, patch) = (count("create", ""), count("apply", ""), count("patch", ""));
    let made = if create > 0 { create } else { apply.min(kind.objects.len() as u64) };
    let mut names = vec![];
    for part in 0..made {
        let Some(of) = kind.objects.get(part as usize % kind.objects.len().max(1)) else { break };
        let object = fresh(of, resource, number, part);
        let name = object.name_any();
        if create > 0 {
            kind.api(of).create(&PostParams::default(), &object).await?;
        } else {
            kind.api(of).patch(&name, &PatchParams::apply("floor").force(), &Patch::Apply(&object)).await?;
        }
        names.push((name, of));
    }
    if names.is_empty() {
        return Ok(());
    }
    let rest = if create > 0 { apply } else { apply - made };
    for round in 0..rest + patch {
        let (name, of) = &names[round as usize % names.len()];
        change(kind, name, of, resource, round).await?;
    }
    for round in 0..count("apply", "/status") + count("patch", "/status") {
        let (name, of) = &names[round as usize % names.len()];
        change_status(kind, name, of, round, count("apply", "/status") > 0).await?;
    }
    for (name, of) in names.iter().take(count("delete", "") as usize) {
        kind.api(of).delete(name, &DeleteParams::default()).await?;
    }
    Ok(())
}

/// The same object under another name, and nobody's.
fn fresh(template: &Value, resource: &str, number: usize, part: u64) -> DynamicObject {
    let mut object = template.clone();
    let name = format!("floor-{number:05}-{part}");
    let labels: serde_json::Map<String, Value> = object["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.replace("tenancy.nexuserp.io", "floor.example.test.xy"), value.clone()))
        .chain([("floor".to_owned(), json!("true"))])
        .collect();
    object["metadata"] = json!({"name": name, "namespace": object["metadata"]["namespace"], "labels": labels});
    match resource {
        "tenants" => object["spec"]["subdomain"] = json!(name),
        "tenantclaims" if object["spec"]["host"].is_string() => {
            object["spec"]["host"] = json!(format!("{name}.test"));
            object["metadata"]["name"] = json!(format!("host.{name}.test"));
        }
        "tenantclaims" => object["metadata"]["name"] = json!(format!("site.{name}")),
        "jobs" => {
            object["spec"].as_object_mut().map(|spec| spec.remove("selector"));
            object["spec"]["template"]["metadata"]["labels"] = json!({});
        }
        _ => {}
    }
    object.as_object_mut().map(|fields| fields.remove("status"));
    serde_json::from_value(object).unwrap_or_else(|_| DynamicObject {
        types: None,
        metadata: Default::default(),
        data: json!({}),
    })
}

/// What is changed in a record is most of it.
async fn change(kind: &Template, name: &str, of: &Value, resource: &str, round: u64) -> Result<(), Failure> {
    let mut patch = json!({"metadata": {"annotations": {"floor": round.to_string()}}});
    if resource == "tenantclaims" && of["spec"]["record"].is_object() {
        patch["spec"]["record"]["receipts"] = of["spec"]["record"]["receipts"].clone();
    }
    kind.api(of).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}

async fn change_status(kind: &Template, name: &str, of: &Value, round: u64, apply: bool) -> Result<(), Failure> {
    let mut status = of["status"].clone();
    if let Some(first) = status["conditions"].as_array_mut().and_then(|all| all.first_mut()) {
        first["message"] = json!(format!("round {round}"));
    }
    if apply {
        let patch = json!({"apiVersion": of["apiVersion"], "kind": of["kind"], "metadata": {"name": name}, "status": status});
        kind.api(of).patch_status(name, &PatchParams::apply("floor").force(), &Patch::Apply(patch)).await?;
    } else {
        kind.api(of).patch_status(name, &PatchParams::default(), &Patch::Merge(json!({"status": status}))).await?;
    }
    Ok(())
}

/// Takes away what was made, page by page: at once it would take longer than a request may.
async fn clear(kinds: &BTreeMap<String, Template>) -> Result<(), Failure> {
    let made = ListParams::default().labels("floor=true");
    for kind in kinds.values() {
        let everywhere: Api<DynamicObject> = Api::all_with(kind.client.clone(), &kind.kind);
        let found = everywhere.list_metadata(&made).await?.items;
        let now = &DeleteParams::background().grace_period(0);
        let all = stream::iter(found).map(|object| async move {
            let api = kind.api(&json!({"metadata": {"namespace": object.namespace()}}));
            crate::hands::gone(api.delete(&object.name_any(), now).await.map(drop))
        });
        all.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    }
    Ok(())
}

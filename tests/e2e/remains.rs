//! What is left of a tenant: in the whole cluster (every kind that can be listed, by label and by name), in the bench, in the Master.

use std::time::Duration;

use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::core::PartialObjectMeta;
use kube::discovery::{Discovery, verbs};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, ResourceExt};
use serde_json::json;
use tenant_operator::api::RegistryOnDelete;

use crate::bench::Place;
use crate::case::Case;
use crate::lab::CUSTOMERS;
use crate::master;

/// Long enough for the garbage collector, which takes what belongs to something that was deleted.
const LIMIT: Duration = Duration::from_secs(60);

struct Left {
    kind: ApiResource,
    namespace: Option<String>,
    name: String,
    uid: String,
}

/// Asserts that a tenant that was deleted with the policy Delete is gone without a trace.
pub async fn nothing(case: &Case, place: &Place, name: &str, id: &str) {
    none(&case.lab.client, id).await;
    assert!(case.lab.secret(CUSTOMERS, &format!("{name}-credentials")).await.is_none(), "the Secret with the key is still there");
    let (inside, site) = (case.inside(place), place.api_host(name));
    let of_tenant: Vec<String> =
        inside.databases().into_iter().chain(inside.database_users()).filter(|one| one.contains(id)).collect();
    assert!(of_tenant.is_empty(), "left in MariaDB: {of_tenant:?}");
    let folders: Vec<String> = inside.folders().into_iter().filter(|one| *one == site || one.contains(id)).collect();
    assert!(folders.is_empty(), "left among the sites: {folders:?}");
    let row = master::row(&case.lab, place, name).await;
    match place.on_delete {
        RegistryOnDelete::Delete => assert_eq!(row, None),
        RegistryOnDelete::SetStatus => assert_eq!(row.map(|row| row["status"].clone()), Some(json!("Deleted"))),
    }
}

/// Returns once nothing carries the id; panics with what still does when the time is over.
pub async fn none(client: &Client, id: &str) {
    let gone = async {
        loop {
            let left = find(client, id).await;
            let Some(first) = left.first() else { return };
            let api: Api<DynamicObject> = match &first.namespace {
                Some(namespace) => Api::namespaced_with(client.clone(), namespace, &first.kind),
                None => Api::all_with(client.clone(), &first.kind),
            };
            let _ = await_condition(api, &first.name, conditions::is_deleted(&first.uid)).await;
        }
    };
    if tokio::time::timeout(LIMIT, gone).await.is_err() {
        panic!("left of {id} after {} s: {}", LIMIT.as_secs(), listed(client, id).await.join(", "));
    }
}

/// As kind namespace/name.
pub async fn listed(client: &Client, id: &str) -> Vec<String> {
    let place = |left: &Left| format!("{} {}/{}", left.kind.kind, left.namespace.as_deref().unwrap_or("-"), left.name);
    find(client, id).await.iter().map(place).collect()
}

async fn find(client: &Client, id: &str) -> Vec<Left> {
    let mut left = vec![];
    let kinds = Discovery::new(client.clone()).run_aggregated().await.expect("the API server's kinds");
    for (kind, capabilities) in kinds.groups().flat_map(|group| group.recommended_resources()) {
        // Events are a log of what was, and go by themselves.
        if !capabilities.supports_operation(verbs::LIST) || kind.kind == "Event" {
            continue;
        }
        let all: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let Ok(objects) = all.list_metadata(&ListParams::default()).await else { continue };
        left.extend(objects.into_iter().filter(|object| carries(object, id)).map(|object| Left {
            namespace: object.namespace(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            kind: kind.clone(),
        }));
    }
    left
}

fn carries(object: &PartialObjectMeta<DynamicObject>, id: &str) -> bool {
    object.name_any().contains(id)
        || object.labels().values().chain(object.annotations().values()).any(|value| value.contains(id))
}

//! Our own finalizer helper: kube's removes the finalizer after any success, but a teardown that has begun is not one that has ended.

use kube::api::{Api, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::world::Error;

/// What can carry a finalizer of ours.
pub trait Held: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned {
    const KIND: &'static str;
}

impl Held for crate::api::Tenant {
    const KIND: &'static str = "Tenant";
}

impl Held for crate::api::Bench {
    const KIND: &'static str = "Bench";
}

pub fn held<K: Held>(object: &K, finalizer: &str) -> bool {
    object.finalizers().iter().any(|held| held == finalizer)
}

/// Before anything is done that would have to be undone.
pub async fn hold<K: Held>(client: &Client, object: &K, finalizer: &str) -> Result<(), Error> {
    if held(object, finalizer) {
        return Ok(());
    }
    let mut all = object.finalizers().to_vec();
    all.push(finalizer.to_owned());
    write(client, object, &all).await
}

/// Once nothing is left. A missing object is as good.
pub async fn release<K: Held>(client: &Client, object: &K, finalizer: &str) -> Result<(), Error> {
    if !held(object, finalizer) {
        return Ok(());
    }
    match write(client, object, &without(object, finalizer)).await {
        // Mostly a status that we have written ourselves, and that no watch has told of yet.
        Err(Error::Changed { .. }) => {}
        other => return unless_gone(other),
    }
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let name = object.name_any();
    let now = api.get_opt(&name).await.map_err(|source| Error::cluster("get", K::KIND, name, source))?;
    match now.filter(|now| now.uid() == object.uid() && held(now, finalizer)) {
        Some(now) => unless_gone(write(client, &now, &without(&now, finalizer)).await),
        None => Ok(()),
    }
}

fn without<K: Held>(object: &K, finalizer: &str) -> Vec<String> {
    object.finalizers().iter().filter(|held| *held != finalizer).cloned().collect()
}

fn unless_gone(written: Result<(), Error>) -> Result<(), Error> {
    match written {
        Err(Error::Cluster { source, .. }) if matches!(source.as_ref(), kube::Error::Api(status) if status.is_not_found()) => {
            Ok(())
        }
        other => other,
    }
}

/// Only onto the version that was read: another's finalizer, added meanwhile, must not be lost.
async fn write<K: Held>(client: &Client, object: &K, finalizers: &[String]) -> Result<(), Error> {
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let patch =
        json!({"metadata": {"resourceVersion": object.resource_version(), "uid": object.uid(), "finalizers": finalizers}});
    match api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_conflict() => Err(Error::Changed { kind: K::KIND, name: object.name_any() }),
        Err(source) => Err(Error::cluster("patch", K::KIND, object.name_any(), source)),
    }
}

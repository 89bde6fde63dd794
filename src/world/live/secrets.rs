//! The three Secrets of a tenant: custody and copied inputs beside the bench, and the published key beside the Tenant.
//! Values are made and moved here and leave this file nowhere else but into a request to the bench or the Master.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::inputs::Read;
use super::shelf::Keys;
use super::shelves::bearer_of;
use super::values::{bytes, compare, generate, pairs, published, text};
use super::{Live, absent, carries, is_open};
use crate::core::manifests::job::in_custody;
use crate::core::names::annotation;
use crate::core::seen::SecretState;
use crate::core::steps::SecretVersions;
use crate::core::subject::{SecretInput, Subject};
use crate::core::{names, rotation};
use crate::world::Error;

const KIND: &str = "Secret";

pub(super) type Data = BTreeMap<String, ByteString>;

/// An API user's key and secret.
pub struct Key {
    pub key: String,
    pub secret: String,
}

/// A pair of the tenant's own API key, and the service user that has it.
pub struct Pair {
    pub user: String,
    pub key: Key,
}

/// What the custody Secret holds.
pub struct Custody {
    /// Of what is held besides the pairs of the API key.
    pub state: SecretState,
    /// It bears the name of another Tenant.
    pub moved: bool,
    pub pairs: BTreeMap<u32, Pair>,
}

impl Custody {
    fn empty(state: SecretState) -> Self {
        Self { state, moved: false, pairs: BTreeMap::new() }
    }

    /// The pair that is published.
    pub fn proven(&self, who: &Subject) -> Option<&Pair> {
        self.pairs.get(&rotation::proven(who)?.serial)
    }
}

/// What the Secrets of the tenant's own namespace hold of what its spec names.
pub struct Inputs {
    pub missing: Vec<String>,
    pub versions: SecretVersions,
    /// What the Job's pod is to be given, by variable.
    pub values: Data,
}

impl Live {
    pub(super) fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// One that the operator has made, or whose name it wants for one.
    pub(super) async fn find_secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
        let shelf = self.shelves.secrets(namespace).await;
        if let Some(known) = shelf.as_ref().and_then(|shelf| shelf.get(namespace, name)) {
            return Ok(known);
        }
        let found = self.ask_secret(namespace, name).await?;
        if let (Some(shelf), Some(found)) = (shelf, &found) {
            shelf.wrote(found);
        }
        Ok(found)
    }

    /// One of somebody else.
    pub(super) async fn ask_secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
        let found = self.secrets(namespace).get_opt(name).await;
        found.map_err(|source| Error::cluster("get", KIND, name, source))
    }

    /// One that a Bench names, and that its tenants have in common.
    pub(super) async fn named_secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
        let Some(shelf) = self.shelves.secret(namespace, name).await else { return self.ask_secret(namespace, name).await };
        match shelf.get(namespace, name) {
            Some(known) => Ok(known),
            None => self.secrets.or_ask((namespace.to_owned(), name.to_owned()), self.ask_secret(namespace, name)).await,
        }
    }

    /// The custody Secret's state, and the pairs in it.
    pub(super) async fn see_custody(&self, who: &Subject) -> Result<Custody, Error> {
        let Some(secret) = self.find_secret(&who.bench.namespace, &names::custody(&who.id)).await? else {
            return Ok(Custody::empty(SecretState::Absent));
        };
        if !carries(&secret, &who.id) {
            return Ok(Custody::empty(SecretState::NotOurs));
        }
        let complete = in_custody(who).iter().all(|(_, key)| text(&secret, key).is_some());
        let state = if complete { SecretState::Current } else { SecretState::Stale };
        let moved = who.labels().iter().any(|(name, value)| secret.labels().get(name) != Some(value));
        Ok(Custody { state, moved, pairs: pairs(who, &secret) })
    }

    /// Makes what is missing, and never touches a value that is there: of the pairs, only the newest is ever made. A Secret that
    /// bears an earlier Tenant's name gets this one's.
    pub(super) async fn ensure_custody(&self, who: &Subject) -> Result<(), Error> {
        let name = names::custody(&who.id);
        let found = self.find_secret(&who.bench.namespace, &name).await?;
        let has = |key: &str| found.as_ref().is_some_and(|secret| text(secret, key).is_some());
        let wanted = in_custody(who).into_iter().map(|(_, key)| key.to_owned()).chain(names::pair(rotation::newest(who)));
        let made = wanted.filter(|key| !has(key)).map(|key| {
            let value = bytes(generate(&key));
            (key, value)
        });
        // By these they are found again where the record is lost.
        let mut notes = BTreeMap::from([(annotation::SITE.to_owned(), who.site.clone())]);
        if who.is_adopted() {
            notes.insert(annotation::ADOPTED.to_owned(), "true".to_owned());
        }
        self.write_secret(who, &who.bench.namespace, &name, made.collect(), found.as_ref(), Some(notes)).await
    }

    /// Takes pairs out of custody, and touches nothing else there.
    pub(super) async fn drop_pairs(&self, who: &Subject, serials: &[u32]) -> Result<(), Error> {
        let name = names::custody(&who.id);
        let Some(found) = self.find_secret(&who.bench.namespace, &name).await? else { return Ok(()) };
        let gone: BTreeMap<String, Option<ByteString>> =
            serials.iter().flat_map(|serial| names::pair(*serial)).map(|key| (key, None)).collect();
        self.change_secret(who, &who.bench.namespace, &found, json!(gone)).await
    }

    pub(super) async fn read_inputs(&self, who: &Subject) -> Result<Inputs, Error> {
        let mut inputs = Inputs { missing: vec![], versions: BTreeMap::new(), values: BTreeMap::new() };
        let (wanted, mut all) = (who.secret_inputs(), vec![]);
        self.shelves.inputs().expect(&who.tenant, &wanted);
        for SecretInput { secret: name, key, env } in wanted {
            let read = self.read_input(who, &name, &key).await?;
            all.push(read.clone());
            let Read { version, value: Some(value), .. } = read else {
                inputs.missing.push(format!("the key {key} of Secret {name}"));
                continue;
            };
            // The admin's password counts once, when the user is made: a later change is no reason to run again.
            if env != names::ADMIN_PASSWORD {
                inputs.versions.insert(format!("{name}/{key}"), version);
            }
            inputs.values.insert(env, value);
        }
        self.shelves.inputs().keep(&who.tenant, all);
        Ok(inputs)
    }

    /// As it was read last, while a watch says that the Secret is the same.
    async fn read_input(&self, who: &Subject, name: &str, key: &str) -> Result<Read, Error> {
        let namespace = &who.tenant.namespace;
        let others = self.shelves.other_secrets(namespace).await;
        let version = others.and_then(|others| others.get(namespace, name)?).and_then(|found| found.metadata.resource_version);
        let known = version.and_then(|version| self.shelves.inputs().known(&who.tenant, name, key, &version));
        if let Some(known) = known {
            return Ok(known);
        }
        let found = self.ask_secret(namespace, name).await?;
        let value = found.as_ref().and_then(|secret| secret.data.as_ref()?.get(key)).cloned();
        let version = found.and_then(|secret| secret.metadata.resource_version).unwrap_or_default();
        Ok(Read { secret: name.to_owned(), key: key.to_owned(), version, value })
    }

    pub(super) async fn see_inputs(&self, who: &Subject, wanted: &Inputs) -> Result<SecretState, Error> {
        let found = self.find_secret(&who.bench.namespace, &names::inputs(&who.id)).await?;
        Ok(compare(found.as_ref(), &who.id, &wanted.values))
    }

    pub(super) async fn copy_inputs(&self, who: &Subject) -> Result<(), Error> {
        let inputs = self.read_inputs(who).await?;
        let name = names::inputs(&who.id);
        let found = self.find_secret(&who.bench.namespace, &name).await?;
        self.write_secret(who, &who.bench.namespace, &name, inputs.values, found.as_ref(), None).await
    }

    pub(super) async fn see_published(&self, who: &Subject, pair: Option<&Pair>) -> Result<SecretState, Error> {
        let found = self.find_secret(&who.tenant.namespace, &who.credentials_secret).await?;
        let Some(pair) = pair else {
            let ours = found.as_ref().map(|secret| carries(secret, &who.id));
            return Ok(ours.map_or(SecretState::Absent, |ours| if ours { SecretState::Stale } else { SecretState::NotOurs }));
        };
        Ok(compare(found.as_ref(), &who.id, &published(who, pair)))
    }

    pub(super) async fn publish(&self, who: &Subject) -> Result<(), Error> {
        let custody = self.see_custody(who).await?;
        let problem = "it holds no key that was proven".to_owned();
        let pair = custody.proven(who).ok_or_else(|| Error::Unusable { what: names::custody(&who.id), problem })?;
        let found = self.find_secret(&who.tenant.namespace, &who.credentials_secret).await?;
        let namespace = who.tenant.namespace.clone();
        self.write_secret(who, &namespace, &who.credentials_secret, published(who, pair), found.as_ref(), None).await
    }

    /// Creates, or changes one that carries our id; any other is somebody's, and stays as it is.
    async fn write_secret(
        &self,
        who: &Subject,
        namespace: &str,
        name: &str,
        data: Data,
        found: Option<&Secret>,
        annotations: Option<BTreeMap<String, String>>,
    ) -> Result<(), Error> {
        if let Some(found) = found {
            return self.change_secret(who, namespace, found, json!(data)).await;
        }
        let metadata = ObjectMeta { name: Some(name.to_owned()), labels: Some(who.labels()), annotations, ..Default::default() };
        let secret = Secret { metadata, data: Some(data), ..Default::default() };
        let made = self.secrets(namespace).create(&PostParams::default(), &secret).await;
        let taken = matches!(&made, Err(kube::Error::Api(status)) if status.is_already_exists());
        // One that is not ours is not watched.
        if taken && self.ask_secret(namespace, name).await?.is_some_and(|found| !carries(&found, &who.id)) {
            return Err(Error::SecretNotOurs { name: format!("{namespace}/{name}") });
        }
        self.written(who, namespace, name, made).await
    }

    /// From the version that was read, and only while it is ours; a null takes a key out.
    async fn change_secret(&self, who: &Subject, namespace: &str, found: &Secret, data: Value) -> Result<(), Error> {
        let name = found.metadata.name.as_deref().unwrap_or_default();
        if !carries(found, &who.id) {
            return Err(Error::SecretNotOurs { name: format!("{namespace}/{name}") });
        }
        let patch =
            json!({"metadata": {"resourceVersion": found.metadata.resource_version, "labels": who.labels()}, "data": data});
        let changed = self.secrets(namespace).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        self.written(who, namespace, name, changed).await
    }

    /// Deletes a Secret that carries the tenant's id; a missing one, or one that is not ours, is left.
    pub(super) async fn remove_secret(&self, who: &Subject, namespace: &str, name: &str) -> Result<(), Error> {
        match self.find_secret(namespace, name).await? {
            Some(secret) if carries(&secret, &who.id) => {
                let uid = secret.metadata.uid;
                let params =
                    DeleteParams { preconditions: Some(Preconditions { uid, resource_version: None }), ..Default::default() };
                let deleted = self.secrets(namespace).delete(name, &params).await;
                if let Some(shelf) = self.shelves.secrets(namespace).await {
                    shelf.deleted(namespace, name, deleted.as_ref().is_ok_and(|deleted| deleted.is_right()));
                }
                match deleted {
                    Err(source) if !absent(&source) => Err(Error::cluster("delete", KIND, name, source)),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    async fn written(&self, who: &Subject, namespace: &str, name: &str, result: kube::Result<Secret>) -> Result<(), Error> {
        let shelf = self.shelves.secrets(namespace).await;
        if result.as_ref().is_err_and(is_open) {
            let keys = Keys { whose: Some(bearer_of(&who.tenant)), group: None };
            shelf.iter().for_each(|shelf| shelf.doubt(namespace, name, keys));
        }
        match result {
            Ok(secret) => {
                shelf.iter().for_each(|shelf| shelf.wrote(&secret));
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                Err(Error::Changed { kind: KIND, name: name.to_owned() })
            }
            Err(source) => Err(Error::cluster("write", KIND, name, source)),
        }
    }
}

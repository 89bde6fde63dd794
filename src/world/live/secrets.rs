//! The three Secrets of a tenant: custody and copied inputs beside the bench, and the published key beside the Tenant.
//! Values are made and moved here and leave this file nowhere else but into a request to the bench or the Master.

use std::collections::BTreeMap;

use base64::Engine;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, PartialObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use rand::distr::{Alphanumeric, SampleString};
use serde_json::json;

use super::claims::bearing;
use super::{Live, absent, carries};
use crate::api::BenchRef;
use crate::core::identity::Custody;
use crate::core::manifests::job::in_custody;
use crate::core::names::{self, annotation, label};
use crate::core::seen::SecretState;
use crate::core::steps::SecretVersions;
use crate::core::subject::{ObjectName, SecretInput, Subject};
use crate::world::Error;

const KIND: &str = "Secret";

type Data = BTreeMap<String, ByteString>;

/// The API user's key and secret.
pub struct Key {
    pub key: String,
    pub secret: String,
}

/// What the Secrets of the tenant's own namespace hold of what its spec names.
pub struct Inputs {
    pub missing: Vec<String>,
    pub versions: SecretVersions,
    /// What the Job's pod is to be given, by variable.
    pub values: Data,
}

/// The custody Secret, without its values.
pub struct CustodySeen {
    pub state: SecretState,
    /// It bears the name of another Tenant.
    pub moved: bool,
}

impl Live {
    pub(super) fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub(super) async fn find_secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
        let found = self.secrets(namespace).get_opt(name).await;
        found.map_err(|source| Error::cluster("get", KIND, name, source))
    }

    /// The Secrets in custody that bear a Tenant's name, in the namespace of a Bench. Their values are not read.
    pub async fn custodies(&self, tenant: &ObjectName, namespace: &str) -> Result<Vec<Custody>, Error> {
        let found = self.secrets(namespace).list_metadata(&ListParams::default().labels(&bearing(tenant))).await;
        let found = found.map_err(|source| Error::cluster("list", KIND, namespace, source))?;
        let custody = |secret: PartialObjectMeta<Secret>| {
            let label = |name: &str| secret.metadata.labels.as_ref().and_then(|labels| labels.get(name)).cloned();
            let id = label(label::ID).filter(|id| secret.metadata.name.as_ref() == Some(&names::custody(id)))?;
            let bench = BenchRef { name: label(label::BENCH)?, namespace: namespace.to_owned() };
            Some(Custody { id, bench, adopted: secret.annotations().contains_key(annotation::ADOPTED) })
        };
        Ok(found.items.into_iter().filter_map(custody).collect())
    }

    /// The custody Secret's state, and the key in it.
    pub(super) async fn see_custody(&self, who: &Subject) -> Result<(CustodySeen, Option<Key>), Error> {
        let Some(secret) = self.find_secret(&who.bench.namespace, &names::custody(&who.id)).await? else {
            return Ok((CustodySeen { state: SecretState::Absent, moved: false }, None));
        };
        if !carries(&secret, &who.id) {
            return Ok((CustodySeen { state: SecretState::NotOurs, moved: false }, None));
        }
        let complete = in_custody(who).iter().all(|(_, key)| text(&secret, key).is_some());
        let key = text(&secret, "api-key").zip(text(&secret, "api-secret")).map(|(key, secret)| Key { key, secret });
        let labels = who.labels();
        let moved =
            secret.metadata.labels.as_ref().is_none_or(|has| labels.iter().any(|(name, value)| has.get(name) != Some(value)));
        Ok((CustodySeen { state: if complete { SecretState::Current } else { SecretState::Stale }, moved }, key))
    }

    /// Makes what is missing, and never touches a value that is there; a Secret that bears an earlier Tenant's name gets this one's.
    pub(super) async fn ensure_custody(&self, who: &Subject) -> Result<(), Error> {
        let name = names::custody(&who.id);
        let found = self.find_secret(&who.bench.namespace, &name).await?;
        let has = |key: &str| found.as_ref().is_some_and(|secret| text(secret, key).is_some());
        let made = in_custody(who).into_iter().filter(|(_, key)| !has(key));
        let data: Data = made.map(|(_, key)| (key.to_owned(), bytes(generate(key)))).collect();
        let adopted = who.is_adopted().then(|| BTreeMap::from([(annotation::ADOPTED.to_owned(), "true".to_owned())]));
        self.write_secret(who, &who.bench.namespace, &name, data, found.as_ref(), adopted).await
    }

    pub(super) async fn read_inputs(&self, who: &Subject) -> Result<Inputs, Error> {
        let mut inputs = Inputs { missing: vec![], versions: BTreeMap::new(), values: BTreeMap::new() };
        for SecretInput { secret: name, key, env } in who.secret_inputs() {
            let found = self.find_secret(&who.tenant.namespace, &name).await?;
            let value = found.as_ref().and_then(|secret| secret.data.as_ref()?.get(&key));
            match value {
                None => inputs.missing.push(format!("the key {key} of Secret {name}")),
                Some(value) => {
                    // The admin's password counts once, when the user is made: a later change is no reason to run again.
                    if env != names::ADMIN_PASSWORD {
                        let version = found.as_ref().and_then(|secret| secret.metadata.resource_version.clone());
                        inputs.versions.insert(format!("{name}/{key}"), version.unwrap_or_default());
                    }
                    inputs.values.insert(env, value.clone());
                }
            }
        }
        Ok(inputs)
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

    pub(super) async fn see_published(&self, who: &Subject, key: Option<&Key>) -> Result<SecretState, Error> {
        let found = self.find_secret(&who.tenant.namespace, &who.credentials_secret).await?;
        let Some(key) = key else {
            let ours = found.as_ref().map(|secret| carries(secret, &who.id));
            return Ok(ours.map_or(SecretState::Absent, |ours| if ours { SecretState::Stale } else { SecretState::NotOurs }));
        };
        Ok(compare(found.as_ref(), &who.id, &published(who, key)))
    }

    pub(super) async fn publish(&self, who: &Subject) -> Result<(), Error> {
        let (_, key) = self.see_custody(who).await?;
        let key = key.ok_or_else(|| Error::Unusable { what: names::custody(&who.id), problem: "it holds no key".to_owned() })?;
        let found = self.find_secret(&who.tenant.namespace, &who.credentials_secret).await?;
        let namespace = who.tenant.namespace.clone();
        self.write_secret(who, &namespace, &who.credentials_secret, published(who, &key), found.as_ref(), None).await
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
        let metadata = ObjectMeta { name: Some(name.to_owned()), labels: Some(who.labels()), annotations, ..Default::default() };
        let api = self.secrets(namespace);
        let result = match found {
            Some(found) if !carries(found, &who.id) => return Err(Error::SecretNotOurs { name: format!("{namespace}/{name}") }),
            Some(found) => {
                let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version, "labels": who.labels()}, "data": data});
                api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await
            }
            None => api.create(&PostParams::default(), &Secret { metadata, data: Some(data), ..Default::default() }).await,
        };
        match result {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                Err(Error::Changed { kind: KIND, name: name.to_owned() })
            }
            Err(source) => Err(Error::cluster("write", KIND, name, source)),
        }
    }

    /// Deletes a Secret that carries the tenant's id; a missing one, or one that is not ours, is left.
    pub(super) async fn remove_secret(&self, who: &Subject, namespace: &str, name: &str) -> Result<(), Error> {
        match self.find_secret(namespace, name).await? {
            Some(secret) if carries(&secret, &who.id) => {
                let uid = secret.metadata.uid;
                let params =
                    DeleteParams { preconditions: Some(Preconditions { uid, resource_version: None }), ..Default::default() };
                match self.secrets(namespace).delete(name, &params).await {
                    Err(source) if !absent(&source) => Err(Error::cluster("delete", KIND, name, source)),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn text(secret: &Secret, key: &str) -> Option<String> {
    let value = secret.data.as_ref()?.get(key)?;
    String::from_utf8(value.0.clone()).ok().filter(|text| !text.is_empty())
}

fn bytes(text: String) -> ByteString {
    ByteString(text.into_bytes())
}

fn compare(found: Option<&Secret>, id: &str, wanted: &Data) -> SecretState {
    match found {
        None => SecretState::Absent,
        Some(secret) if !carries(secret, id) => SecretState::NotOurs,
        Some(secret)
            if secret.data.as_ref().is_some_and(|data| wanted.iter().all(|(key, value)| data.get(key) == Some(value))) =>
        {
            SecretState::Current
        }
        Some(_) => SecretState::Stale,
    }
}

/// What the tenant's own Secret holds: all that a client needs to call the API.
fn published(who: &Subject, key: &Key) -> Data {
    [
        ("api-key", key.key.clone()),
        ("api-secret", key.secret.clone()),
        ("api-url", format!("https://{}", who.hosts.api)),
        ("url", format!("https://{}", who.hosts.frontend)),
        ("user", names::api_user(&who.site)),
        ("site-name", who.site.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), bytes(value)))
    .into()
}

/// Random, and without a colon: Frappe splits `key:secret` there. The encryption key is Fernet's: 32 bytes in URL-safe base64.
fn generate(key: &str) -> String {
    match key {
        "encryption-key" => base64::engine::general_purpose::URL_SAFE.encode(rand::random::<[u8; 32]>()),
        "api-key" => Alphanumeric.sample_string(&mut rand::rng(), 16),
        _ => Alphanumeric.sample_string(&mut rand::rng(), 32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::manifests::job::CUSTODY;

    #[test]
    fn an_encryption_key_is_a_fernet_key() {
        let key = base64::engine::general_purpose::URL_SAFE.decode(generate("encryption-key"));
        assert_eq!(key.map(|key| key.len()), Ok(32));
    }

    #[test]
    fn no_generated_secret_holds_a_colon_or_comes_twice() {
        for (_, name) in CUSTODY {
            let (one, two) = (generate(name), generate(name));
            assert!(!one.contains(':') && one != two, "{name}");
        }
    }
}

//! What tenants' specs name of other people's Secrets, as it was read last: while a Secret's version is the same, so is what it holds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::ByteString;
use kube::core::ObjectMeta;

use crate::core::subject::{ObjectName, Subject};

#[derive(Default)]
pub struct Inputs(Mutex<HashMap<String, Of>>);

/// A tenant's, by its id.
struct Of {
    tenant: ObjectName,
    read: Vec<Read>,
}

/// One key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub secret: String,
    pub key: String,
    /// The Secret's resourceVersion.
    pub version: String,
    /// None where it has no such key.
    pub value: Option<ByteString>,
}

impl Inputs {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Of>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn keep(&self, who: &Subject, read: Vec<Read>) {
        match read.is_empty() {
            true => drop(self.all().remove(&who.id)),
            false => drop(self.all().insert(who.id.clone(), Of { tenant: who.tenant.clone(), read })),
        }
    }

    /// As it was read, if the Secret was in this version then.
    pub fn known(&self, id: &str, secret: &str, key: &str, version: &str) -> Option<Read> {
        let all = self.all();
        let mut read = all.get(id)?.read.iter();
        read.find(|read| (read.secret.as_str(), read.key.as_str(), read.version.as_str()) == (secret, key, version)).cloned()
    }

    /// The tenants that a Secret is for.
    pub fn users(&self, secret: &ObjectMeta) -> Vec<ObjectName> {
        let name = secret.name.as_deref().unwrap_or_default();
        let near = |of: &&Of| secret.namespace.as_ref() == Some(&of.tenant.namespace);
        let all = self.all();
        let users = all.values().filter(near).filter(|of| of.read.iter().any(|read| read.secret == name));
        users.map(|of| of.tenant.clone()).collect()
    }

    /// The tenant is gone.
    pub fn forget(&self, id: &str) {
        self.all().remove(id);
    }
}

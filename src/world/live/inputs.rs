//! What tenants' specs name of other people's Secrets, as it was read last: while a Secret's version is the same, so is what it holds.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::ByteString;
use kube::core::ObjectMeta;

use crate::core::subject::{ObjectName, SecretInput};

/// By Tenant.
#[derive(Default)]
pub struct Inputs(Mutex<HashMap<ObjectName, Vec<Read>>>);

/// One key of a Secret. Its value is nobody's to print.
#[derive(Clone)]
pub struct Read {
    pub secret: String,
    pub key: String,
    /// The Secret's resourceVersion.
    pub version: String,
    /// None where it has no such key.
    pub value: Option<ByteString>,
}

impl Inputs {
    fn all(&self) -> MutexGuard<'_, HashMap<ObjectName, Vec<Read>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is about to be read: whoever hears meanwhile of another version knows whom it concerns.
    pub fn expect(&self, tenant: &ObjectName, wanted: &[SecretInput]) {
        let mut all = self.all();
        for SecretInput { secret, key, .. } in wanted {
            let read = all.entry(tenant.clone()).or_default();
            if !read.iter().any(|read| read.is(secret, key)) {
                read.push(Read { secret: secret.clone(), key: key.clone(), version: String::new(), value: None });
            }
        }
    }

    pub fn keep(&self, tenant: &ObjectName, read: Vec<Read>) {
        match read.is_empty() {
            true => drop(self.all().remove(tenant)),
            false => drop(self.all().insert(tenant.clone(), read)),
        }
    }

    /// As it was read, if the Secret was in this version then.
    pub fn known(&self, tenant: &ObjectName, secret: &str, key: &str, version: &str) -> Option<Read> {
        let all = self.all();
        all.get(tenant)?.iter().find(|read| read.is(secret, key) && read.version == version).cloned()
    }

    /// The Tenants that name a Secret.
    pub fn users(&self, secret: &ObjectMeta) -> Vec<ObjectName> {
        let name = secret.name.as_deref().unwrap_or_default();
        let near = |tenant: &ObjectName| secret.namespace.as_ref() == Some(&tenant.namespace);
        let all = self.all();
        let users = all.iter().filter(|(tenant, read)| near(tenant) && read.iter().any(|read| read.secret == name));
        users.map(|(tenant, _)| tenant.clone()).collect()
    }

    pub fn forget(&self, tenant: &ObjectName) {
        self.all().remove(tenant);
    }

    /// All Tenants there are.
    pub fn only(&self, there: &BTreeSet<ObjectName>) {
        self.all().retain(|tenant, _| there.contains(tenant));
    }
}

impl Read {
    fn is(&self, secret: &str, key: &str) -> bool {
        self.secret == secret && self.key == key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> ObjectName {
        ObjectName { namespace: "harbour".to_owned(), name: name.to_owned() }
    }

    fn read(version: &str) -> Read {
        let value = Some(ByteString(version.as_bytes().to_vec()));
        Read { secret: "mail".to_owned(), key: "password".to_owned(), version: version.to_owned(), value }
    }

    fn secret(namespace: &str, name: &str) -> ObjectMeta {
        ObjectMeta { namespace: Some(namespace.to_owned()), name: Some(name.to_owned()), ..Default::default() }
    }

    #[test]
    fn what_was_read_is_known_while_the_secret_is_in_the_same_version() {
        let inputs = Inputs::default();
        inputs.keep(&tenant("wharf"), vec![read("7")]);
        let known = |key: &str, version: &str| inputs.known(&tenant("wharf"), "mail", key, version).and_then(|read| read.value);
        assert_eq!(known("password", "7"), Some(ByteString(b"7".to_vec())));
        assert_eq!((known("password", "8"), known("user", "7")), (None, None));
    }

    #[test]
    fn a_secret_concerns_those_of_its_namespace_that_name_it_also_while_it_is_being_read() {
        let inputs = Inputs::default();
        let input = SecretInput { secret: "mail".to_owned(), key: "password".to_owned(), env: "A".to_owned() };
        inputs.expect(&tenant("wharf"), std::slice::from_ref(&input));
        assert_eq!(inputs.users(&secret("harbour", "mail")), [tenant("wharf")]);
        assert!(inputs.users(&secret("harbour", "other")).is_empty() && inputs.users(&secret("yard", "mail")).is_empty());
        inputs.keep(&tenant("wharf"), vec![read("7")]);
        inputs.expect(&tenant("wharf"), &[input]);
        assert!(inputs.known(&tenant("wharf"), "mail", "password", "7").is_some(), "it is still as it was read");
    }

    #[test]
    fn nothing_is_kept_of_a_tenant_that_names_none_or_is_gone() {
        let inputs = Inputs::default();
        let all = [tenant("a"), tenant("b"), tenant("c")];
        all.iter().for_each(|tenant| inputs.keep(tenant, vec![read("7")]));
        inputs.keep(&all[0], vec![]);
        inputs.forget(&all[1]);
        assert_eq!(inputs.users(&secret("harbour", "mail")), [all[2].clone()]);
        inputs.only(&BTreeSet::new());
        assert!(inputs.users(&secret("harbour", "mail")).is_empty());
    }
}

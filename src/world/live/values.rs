//! What is in a tenant's Secrets: made, read and compared. Values leave this file only for the one beside it.

use base64::Engine;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use rand::distr::{Alphanumeric, SampleString};
use std::collections::BTreeMap;

use super::carries;
use super::secrets::{Data, Key, Pair};
use crate::core::names;
use crate::core::seen::SecretState;
use crate::core::subject::Subject;

/// Those that are whole.
pub(super) fn pairs(who: &Subject, secret: &Secret) -> BTreeMap<u32, Pair> {
    let serials = secret.data.iter().flatten().filter_map(|(name, _)| names::pair_of(name));
    let whole = |serial: u32| {
        let [key, value] = names::pair(serial).map(|name| text(secret, &name));
        Some((serial, Pair { user: names::api_user(&who.site, serial), key: Key { key: key?, secret: value? } }))
    };
    serials.filter_map(whole).collect()
}

pub(super) fn text(secret: &Secret, key: &str) -> Option<String> {
    let value = secret.data.as_ref()?.get(key)?;
    String::from_utf8(value.0.clone()).ok().filter(|text| !text.is_empty())
}

pub(super) fn bytes(text: String) -> ByteString {
    ByteString(text.into_bytes())
}

pub(super) fn compare(found: Option<&Secret>, id: &str, wanted: &Data) -> SecretState {
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
pub(super) fn published(who: &Subject, pair: &Pair) -> Data {
    [
        ("api-key", pair.key.key.clone()),
        ("api-secret", pair.key.secret.clone()),
        ("api-url", format!("https://{}", who.hosts.api)),
        ("url", format!("https://{}", who.hosts.frontend)),
        ("user", pair.user.clone()),
        ("site-name", who.site.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), bytes(value)))
    .into()
}

/// Random, and without a colon: Frappe splits `key:secret` there. The encryption key is Fernet's: 32 bytes in URL-safe base64.
pub(super) fn generate(key: &str) -> String {
    match key {
        "encryption-key" => base64::engine::general_purpose::URL_SAFE.encode(rand::random::<[u8; 32]>()),
        key if key.starts_with("api-key-") => Alphanumeric.sample_string(&mut rand::rng(), 16),
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
        for name in CUSTODY.map(|(_, name)| name.to_owned()).into_iter().chain(names::pair(7)) {
            let (one, two) = (generate(&name), generate(&name));
            assert!(!one.contains(':') && one != two, "{name}");
        }
    }
}

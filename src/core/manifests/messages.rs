//! What visitors of suspended tenants read: a ConfigMap beside the answering backend, one entry for each host.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;

use super::{answer, strings};
use crate::core::names;

/// The API server takes 1 MiB of data, and about half as much again with what it notes of each key.
const MOST: usize = 900_000;

/// Host to message.
pub type Messages = BTreeMap<String, String>;

/// As many as there is room for: the hosts without one say the general text. How many those are comes with it.
pub fn config_map(bench: &str, namespace: &str, messages: &Messages) -> (ConfigMap, usize) {
    let mut room = MOST;
    let mut data = BTreeMap::new();
    for (host, message) in messages {
        // The host is noted once more, among the managed fields.
        let size = 2 * host.len() + message.len() + 16;
        if size <= room {
            room -= size;
            data.insert(host.clone(), message.clone());
        }
    }
    let left_out = messages.len() - data.len();
    let mut metadata = answer::meta(bench, namespace);
    // A message that is no longer wanted is a difference too.
    let all: Vec<&str> = data.iter().flat_map(|(host, message)| [host.as_str(), message.as_str()]).collect();
    metadata.annotations = Some(strings([(names::annotation::DIGEST, &names::digest(&all, 16))]));
    // The API server keeps no empty map.
    (ConfigMap { metadata, data: (!data.is_empty()).then_some(data), ..Default::default() }, left_out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::manifests::covers;

    fn messages(pairs: &[(&str, &str)]) -> Messages {
        pairs.iter().map(|(host, message)| ((*host).to_owned(), (*message).to_owned())).collect()
    }

    #[test]
    fn a_message_that_came_went_or_changed_is_a_difference() {
        let made = |pairs: &[(&str, &str)]| json!(config_map("dock", "yard", &messages(pairs)).0);
        let both = made(&[("a.test", "one"), ("b.test", "two")]);
        assert!(covers(&both, &both));
        for other in [&[("a.test", "one")][..], &[("a.test", "one"), ("b.test", "three")], &[]] {
            assert!(!covers(&both, &made(other)) && !covers(&made(other), &both), "{other:?}");
        }
    }

    #[test]
    fn however_many_they_are_they_fit() {
        let long = "ü".repeat(512);
        let many: Messages = (0..2000).map(|number| (format!("api.{number:0240}.port.test"), long.clone())).collect();
        let (made, left_out) = config_map("dock", "yard", &many);
        let bytes: usize = made.data.iter().flatten().map(|(host, message)| host.len() + message.len()).sum();
        assert!((700_000..MOST).contains(&bytes) && left_out > 0 && left_out < 2000, "{bytes} bytes, {left_out} left out");
    }
}

//! What we put into the cluster, built by plain functions of the subject: no client, no clock, no templates.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::subject::Subject;

pub mod answer;
pub mod certificate;
pub mod foreign;
pub mod inspect;
pub mod job;
pub mod messages;
pub mod pod;
pub mod routes;
pub mod steps;
pub mod template;
pub mod upkeep;

use foreign::{Certificate, HTTPRoute};

/// A child that is applied and, when it drifts, applied again. Jobs and Secrets are none: they are created once.
#[derive(Clone, Debug, PartialEq)]
pub enum Child {
    Ingress(Ingress),
    HttpRoute(HTTPRoute),
    Certificate(Certificate),
}

impl Child {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ingress(_) => "Ingress",
            Self::HttpRoute(_) => "HTTPRoute",
            Self::Certificate(_) => "Certificate",
        }
    }

    pub fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Ingress(child) => &child.metadata,
            Self::HttpRoute(child) => &child.metadata,
            Self::Certificate(child) => &child.metadata,
        }
    }

    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }
}

/// Metadata of everything that is a tenant's: in the Bench's namespace, since routes and Jobs can't leave it.
pub fn owned_meta(who: &Subject, name: impl Into<String>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        namespace: Some(who.bench.namespace.clone()),
        labels: Some(who.labels()),
        ..Default::default()
    }
}

/// Whether the live object has everything that is desired; what it has besides (defaults, status, other managers' fields) does not matter.
/// Lists are compared element by element and must be of one length.
pub fn covers(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => {
            desired.iter().all(|(key, want)| want.is_null() || live.get(key).is_some_and(|have| covers(have, want)))
        }
        (Value::Array(live), Value::Array(desired)) => {
            live.len() == desired.len() && live.iter().zip(desired).all(|(have, want)| covers(have, want))
        }
        (live, desired) => live == desired,
    }
}

fn strings<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::covers;

    #[test]
    fn what_others_added_is_no_difference() {
        assert!(covers(&json!({"a": 1, "b": {"c": 2, "d": 3}}), &json!({"b": {"c": 2}})));
    }

    #[test]
    fn a_changed_removed_or_added_element_is_a_difference() {
        let live = json!({"rules": [{"host": "a"}, {"host": "b"}]});
        assert!(covers(&live, &live));
        assert!(!covers(&live, &json!({"rules": [{"host": "a"}, {"host": "c"}]})));
        assert!(!covers(&live, &json!({"rules": [{"host": "a"}]})));
        assert!(!covers(&live, &json!({"class": "contour"})));
    }
}

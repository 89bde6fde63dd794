//! NetworkPolicies, judged as a network that enforces them would.

use serde_json::{Value, json};

/// A pod, or (with no namespace) what is none: then only rules for any address hold.
#[derive(Debug)]
pub struct End {
    pub namespace: String,
    pub labels: Value,
}

pub struct Network {
    pub policies: Vec<Value>,
}

impl Network {
    pub fn may(&self, pod: &End, way: &str, peer: &End, port: u16) -> bool {
        self.may_by(pod, way, peer, port, "TCP")
    }

    /// A pod that no policy is about is free; any other may do what one of its policies allows.
    pub fn may_by(&self, pod: &End, way: &str, peer: &End, port: u16, protocol: &str) -> bool {
        let about = |policy: &&Value| {
            policy["metadata"]["namespace"] == pod.namespace.as_str()
                && selected(&policy["spec"]["podSelector"], &pod.labels)
                && policy["spec"]["policyTypes"].as_array().unwrap().contains(&json!(way))
        };
        let mut about = self.policies.iter().filter(about).peekable();
        let (rules, peers) = if way == "Ingress" { ("ingress", "from") } else { ("egress", "to") };
        about.peek().is_none()
            || about.flat_map(|policy| policy["spec"][rules].as_array().into_iter().flatten()).any(|rule| {
                let ports = rule["ports"].as_array();
                let to = rule[peers].as_array();
                ports.is_none_or(|ports| ports.iter().any(|one| one["port"] == port && one["protocol"] == protocol))
                    && to.is_none_or(|to| to.iter().any(|one| is_peer(one, pod, peer)))
            })
    }
}

fn is_peer(rule: &Value, pod: &End, peer: &End) -> bool {
    assert!(rule["ipBlock"].is_null(), "not judged here");
    let namespace = json!({"kubernetes.io/metadata.name": peer.namespace});
    let namespaces = &rule["namespaceSelector"];
    let there = if namespaces.is_null() { peer.namespace == pod.namespace } else { selected(namespaces, &namespace) };
    !peer.namespace.is_empty() && there && selected(&rule["podSelector"], &peer.labels)
}

fn selected(selector: &Value, labels: &Value) -> bool {
    let plain = selector["matchLabels"].as_object().into_iter().flatten().all(|(name, value)| labels[name] == *value);
    let listed = selector["matchExpressions"].as_array().into_iter().flatten().all(|one| {
        assert_eq!(one["operator"], "In");
        one["values"].as_array().unwrap().contains(&labels[one["key"].as_str().unwrap()])
    });
    plain && listed
}

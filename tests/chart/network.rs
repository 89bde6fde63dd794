//! Who may talk to whom once the chart's NetworkPolicies are there: judged as a network that enforces them would.

use serde_json::{Value, json};
use tenant_operator::core::manifests::answer::{Answer, HEALTH_PORT};

use super::Chart;

/// A pod, or what has none: then only rules for any address hold.
struct End {
    namespace: &'static str,
    labels: Value,
}

struct Network {
    policies: Vec<Value>,
}

impl Network {
    fn of(chart: &Chart, values: &[&str]) -> Self {
        let objects = chart.rendered(&[&["benchNamespaces={erp,erp16}", "tenantNamespaces={customers}"], values].concat());
        let policies = super::of_kind(&objects, "NetworkPolicy");
        Self { policies: policies.into_iter().map(|policy| serde_json::to_value(policy).unwrap()).collect() }
    }

    fn may(&self, pod: &End, way: &str, peer: &End, port: u16) -> bool {
        self.may_by(pod, way, peer, port, "TCP")
    }

    /// A pod that no policy is about is free; any other may do what one of its policies allows.
    fn may_by(&self, pod: &End, way: &str, peer: &End, port: u16, protocol: &str) -> bool {
        let about = |policy: &&Value| {
            policy["metadata"]["namespace"] == pod.namespace
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

fn operator() -> End {
    let labels = json!({"app.kubernetes.io/name": "tenant-operator", "app.kubernetes.io/instance": "tenant-operator"});
    End { namespace: "operators", labels }
}

fn job() -> End {
    let labels = json!({"app.kubernetes.io/managed-by": "tenant-operator", "tenancy.nexuserp.io/step": "provision"});
    End { namespace: "erp", labels }
}

fn answer() -> End {
    End { namespace: "erp16", labels: json!({"app.kubernetes.io/name": "tenant-answer", "tenancy.nexuserp.io/bench": "main"}) }
}

fn other(namespace: &'static str) -> End {
    End { namespace, labels: json!({"app": "other"}) }
}

/// No pod: an address outside of the cluster, or a node's.
fn outside() -> End {
    End { namespace: "", labels: json!({}) }
}

#[test]
fn the_operator_asks_names_the_api_server_the_edge_and_benches_and_nobody_else() {
    let Some(chart) = Chart::found() else { return };
    let network = Network::of(&chart, &[]);
    let asks = |peer: &End, port| network.may(&operator(), "Egress", peer, port);
    assert!(network.may_by(&operator(), "Egress", &other("kube-system"), 53, "UDP"));
    for port in [443, 6443] {
        assert!(asks(&outside(), port), "the API server, the edge, a Master elsewhere: {port}");
    }
    assert!(asks(&other("projectcontour"), 8443), "an edge's own pods");
    for bench in ["erp", "erp16"] {
        assert!(asks(&other(bench), 8000) && asks(&other(bench), 8080));
        assert!(!asks(&other(bench), 3306) && !asks(&other(bench), 6379), "databases are the Jobs' business");
    }
    assert!(!asks(&other("customers"), 8000));
    assert!(!asks(&outside(), 80) && !asks(&outside(), 8000), "169.254.169.254, for one");
}

#[test]
fn only_metrics_can_be_asked_of_the_operator() {
    let Some(chart) = Chart::found() else { return };
    let network = Network::of(&chart, &[]);
    assert!(network.may(&operator(), "Ingress", &other("monitoring"), 8080));
    assert!(!network.may(&operator(), "Ingress", &other("monitoring"), 22));
    let from = "networkPolicies.operator.metricsFrom[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=monitoring";
    let network = Network::of(&chart, &[from]);
    assert!(network.may(&operator(), "Ingress", &other("monitoring"), 8080));
    assert!(!network.may(&operator(), "Ingress", &other("customers"), 8080));
}

#[test]
fn a_job_asks_names_mariadb_and_redis_and_nobody_asks_it() {
    let Some(chart) = Chart::found() else { return };
    let network = Network::of(&chart, &[]);
    let asks = |peer: &End, port| network.may(&job(), "Egress", peer, port);
    assert!(network.may_by(&job(), "Egress", &other("kube-system"), 53, "UDP"));
    assert!(asks(&other("erp"), 3306) && asks(&other("erp"), 6379) && asks(&outside(), 3306));
    assert!(!asks(&outside(), 443) && !asks(&outside(), 6443), "neither the internet nor the API server");
    assert!(!asks(&other("erp"), 8000));
    for port in [22, 8000, 8403] {
        assert!(!network.may(&job(), "Ingress", &other("erp"), port));
    }
    let bounded = Network::of(&chart, &["networkPolicies.jobs.to[0].podSelector.matchLabels.app=other"]);
    assert!(bounded.may(&job(), "Egress", &other("erp"), 3306));
    assert!(!bounded.may(&job(), "Egress", &outside(), 3306) && !bounded.may(&job(), "Egress", &other("erp16"), 3306));
    let more = Network::of(
        &chart,
        &["networkPolicies.jobs.egress[0].ports[0].port=443,networkPolicies.jobs.egress[0].ports[0].protocol=TCP"],
    );
    assert!(more.may(&job(), "Egress", &outside(), 443));
}

#[test]
fn the_backend_gives_each_of_its_answers_and_asks_nobody() {
    let Some(chart) = Chart::found() else { return };
    let network = Network::of(&chart, &[]);
    for port in Answer::ALL.map(Answer::port).into_iter().chain([HEALTH_PORT]) {
        assert!(network.may(&answer(), "Ingress", &other("projectcontour"), port), "{port}");
    }
    assert!(!network.may(&answer(), "Ingress", &other("projectcontour"), 22));
    for port in [53, 443, 3306] {
        assert!(!network.may(&answer(), "Egress", &outside(), port), "{port}");
    }
    assert!(!network.may_by(&answer(), "Egress", &other("kube-system"), 53, "UDP"));
}

#[test]
fn the_benchs_own_pods_and_other_namespaces_are_left_alone() {
    let Some(chart) = Chart::found() else { return };
    let network = Network::of(&chart, &[]);
    for namespace in ["erp", "operators", "customers"] {
        assert!(
            network.may(&other(namespace), "Egress", &outside(), 25) && network.may(&other(namespace), "Ingress", &outside(), 22)
        );
    }
}

#[test]
fn with_the_whole_cluster_the_operator_asks_benches_anywhere() {
    let Some(chart) = Chart::found() else { return };
    let network = Network::of(&chart, &["clusterWide=true"]);
    assert!(network.may(&operator(), "Egress", &other("anywhere"), 8000));
    assert!(!network.may(&operator(), "Egress", &outside(), 8000));
    assert!(!network.may(&job(), "Egress", &outside(), 443), "benchNamespaces still have their policies");
}

#[test]
fn network_policies_can_be_turned_off() {
    let Some(chart) = Chart::found() else { return };
    assert!(Network::of(&chart, &["networkPolicies.enabled=false"]).policies.is_empty());
}

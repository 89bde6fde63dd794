//! Who may talk to whom once the chart's NetworkPolicies are there.

use serde_json::json;
use tenant_operator::core::manifests::answer::{Answer, HEALTH_PORT};

use super::Chart;
use super::policies::{End, Network};

fn network(chart: &Chart, values: &[&str]) -> Network {
    let objects = chart.rendered(&[&["benchNamespaces={erp,erp16}", "tenantNamespaces={customers}"], values].concat());
    let policies = super::of_kind(&objects, "NetworkPolicy");
    Network { policies: policies.into_iter().map(|policy| serde_json::to_value(policy).unwrap()).collect() }
}

fn operator() -> End {
    let labels = json!({"app.kubernetes.io/name": "tenant-operator", "app.kubernetes.io/instance": "tenant-operator"});
    End { namespace: "operators".to_owned(), labels }
}

fn job() -> End {
    let labels = json!({"app.kubernetes.io/managed-by": "tenant-operator", "tenancy.nexuserp.io/step": "provision"});
    End { namespace: "erp".to_owned(), labels }
}

fn answer() -> End {
    End {
        namespace: "erp16".to_owned(),
        labels: json!({"app.kubernetes.io/name": "tenant-answer", "tenancy.nexuserp.io/bench": "main"}),
    }
}

fn other(namespace: &str) -> End {
    End { namespace: namespace.to_owned(), labels: json!({"app": "other"}) }
}

/// No pod: an address outside of the cluster, or a node's.
fn outside() -> End {
    End { namespace: String::new(), labels: json!({}) }
}

#[test]
fn the_operator_asks_names_the_api_server_the_edge_and_benches_and_nobody_else() {
    let Some(chart) = Chart::found() else { return };
    let net = network(&chart, &[]);
    let asks = |peer: &End, port| net.may(&operator(), "Egress", peer, port);
    assert!(net.may_by(&operator(), "Egress", &other("kube-system"), 53, "UDP"));
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
    let net = network(&chart, &[]);
    assert!(net.may(&operator(), "Ingress", &other("monitoring"), 8080));
    assert!(!net.may(&operator(), "Ingress", &other("monitoring"), 22));
    let from = "networkPolicies.operator.metricsFrom[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=monitoring";
    let net = network(&chart, &[from]);
    assert!(net.may(&operator(), "Ingress", &other("monitoring"), 8080));
    assert!(!net.may(&operator(), "Ingress", &other("customers"), 8080));
}

#[test]
fn a_job_asks_names_mariadb_and_redis_and_nobody_asks_it() {
    let Some(chart) = Chart::found() else { return };
    let net = network(&chart, &[]);
    let asks = |peer: &End, port| net.may(&job(), "Egress", peer, port);
    assert!(net.may_by(&job(), "Egress", &other("kube-system"), 53, "UDP"));
    assert!(asks(&other("erp"), 3306) && asks(&other("erp"), 6379) && asks(&outside(), 3306));
    assert!(!asks(&outside(), 443) && !asks(&outside(), 6443), "neither the internet nor the API server");
    assert!(!asks(&other("erp"), 8000));
    for port in [22, 8000, 8403] {
        assert!(!net.may(&job(), "Ingress", &other("erp"), port));
    }
    let bounded = network(&chart, &["networkPolicies.jobs.to[0].podSelector.matchLabels.app=other"]);
    assert!(bounded.may(&job(), "Egress", &other("erp"), 3306));
    assert!(!bounded.may(&job(), "Egress", &outside(), 3306) && !bounded.may(&job(), "Egress", &other("erp16"), 3306));
    let more = network(
        &chart,
        &["networkPolicies.jobs.egress[0].ports[0].port=443,networkPolicies.jobs.egress[0].ports[0].protocol=TCP"],
    );
    assert!(more.may(&job(), "Egress", &outside(), 443));
}

#[test]
fn the_backend_gives_each_of_its_answers_and_asks_nobody() {
    let Some(chart) = Chart::found() else { return };
    let net = network(&chart, &[]);
    for port in Answer::ALL.map(Answer::port).into_iter().chain([HEALTH_PORT]) {
        assert!(net.may(&answer(), "Ingress", &other("projectcontour"), port), "{port}");
    }
    assert!(!net.may(&answer(), "Ingress", &other("projectcontour"), 22));
    for port in [53, 443, 3306] {
        assert!(!net.may(&answer(), "Egress", &outside(), port), "{port}");
    }
    assert!(!net.may_by(&answer(), "Egress", &other("kube-system"), 53, "UDP"));
}

#[test]
fn the_benchs_own_pods_and_other_namespaces_are_left_alone() {
    let Some(chart) = Chart::found() else { return };
    let net = network(&chart, &[]);
    for namespace in ["erp", "operators", "customers"] {
        assert!(net.may(&other(namespace), "Egress", &outside(), 25) && net.may(&other(namespace), "Ingress", &outside(), 22));
    }
}

#[test]
fn with_the_whole_cluster_the_operator_asks_benches_anywhere() {
    let Some(chart) = Chart::found() else { return };
    let net = network(&chart, &["clusterWide=true"]);
    assert!(net.may(&operator(), "Egress", &other("anywhere"), 8000));
    assert!(!net.may(&operator(), "Egress", &outside(), 8000));
    assert!(!net.may(&job(), "Egress", &outside(), 443), "benchNamespaces still have their policies");
}

#[test]
fn network_policies_can_be_turned_off() {
    let Some(chart) = Chart::found() else { return };
    assert!(network(&chart, &["networkPolicies.enabled=false"]).policies.is_empty());
}

//! The chart's roles beside what was used: nothing that is not granted, nothing granted that is not used, and nothing in the whole
//! cluster that is only needed in namespaces.

use std::collections::BTreeSet;
use std::path::Path;

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use crate::lab::{Lab, OPERATOR};
use crate::say;
use crate::used::{self, Used};

/// Granted without having been used in a run, and why it has to be all the same: role, group/resource, verb, reason.
const NEEDED: [(&str, &str, &str, &str); 2] = [
    (
        "tenant-operator",
        "tenancy.nexuserp.io/benches",
        "get",
        "asked while no watch has told of the Benches yet, and before a Tenant is given up because its Bench is gone",
    ),
    (
        "tenant-operator-bench",
        "/secrets",
        "get",
        "asked where a watch cannot tell: before it has told of all, after a write without an answer, and of a name that somebody has",
    ),
];

/// Used in single namespaces, and granted in the whole cluster all the same: group/resource, verb, reason.
const ANYWHERE: [(&str, &str, &str); 3] = [
    ("tenancy.nexuserp.io/benches", "get", "the Bench that a Tenant or its record names may be anywhere"),
    (
        "events.k8s.io/events",
        "patch",
        "an Event that is told again is counted where its object is, and Tenants and Benches may be anywhere",
    ),
    ("tenancy.nexuserp.io/tenants", "get", "whoever holds a site may be anywhere"),
];

/// One verb for one resource, by one role, in one place or (None) in the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    role: String,
    group: String,
    resource: String,
    verb: String,
    names: Vec<String>,
    namespace: Option<String>,
}

impl Grant {
    fn covers(&self, used: &Used) -> bool {
        (&self.group, &self.resource, &self.verb) == (&used.group, &used.resource, &used.verb)
            && (self.namespace.is_none() || self.namespace == used.namespace)
            && (self.names.is_empty() || used.name.as_ref().is_some_and(|name| self.names.contains(name)))
    }

    fn what(&self) -> String {
        format!("{}/{}", self.group, self.resource)
    }
}

pub fn compare(dir: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let granted = runtime.block_on(async { granted(&Lab::connect(dir.to_path_buf()).await).await });
    let used = used::read(dir);
    assert!(used.len() >= 50 && granted.len() >= 30, "{} requests, {} grants: too little to compare", used.len(), granted.len());
    let findings = findings(&granted, &used);
    say(&format!("roles: {} verbs granted, {} kinds of request used, findings: {}", granted.len(), used.len(), findings.len()));
    for one in &granted {
        let kinds = used.iter().filter(|used| one.covers(used)).count();
        say(&format!(
            "  {} {} {} in {}: {kinds}",
            one.role,
            one.what(),
            one.verb,
            one.namespace.as_deref().unwrap_or("the cluster")
        ));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

fn findings(granted: &BTreeSet<Grant>, used: &BTreeSet<Used>) -> Vec<String> {
    let ours: BTreeSet<&String> = granted.iter().filter_map(|grant| grant.namespace.as_ref()).collect();
    // Tests take permissions away, and make namespaces of their own: what is refused there is what they are about.
    let here = |used: &&Used| used.namespace.as_ref().is_none_or(|namespace| ours.contains(namespace));
    let missing = used.iter().filter(here).filter(|used| used.refused || !granted.iter().any(|grant| grant.covers(used)));
    let missing = missing.map(|used| format!("used and not granted: {used:?}"));

    let same = |one: &Grant, other: &Grant| {
        (&one.role, &one.group, &one.resource, &one.verb) == (&other.role, &other.group, &other.resource, &other.verb)
    };
    // A role that is bound in several namespaces is used if it is in one of them.
    let idle = granted.iter().filter(|grant| {
        !granted.iter().filter(|other| same(grant, other)).any(|other| used.iter().any(|used| other.covers(used)))
    });
    let idle = idle.filter(|grant| {
        !NEEDED.iter().any(|(role, what, verb, _)| (*role, *what, *verb) == (&*grant.role, &*grant.what(), &*grant.verb))
    });
    let idle = idle.map(|grant| format!("granted and not used: {} {} {}", grant.role, grant.what(), grant.verb));

    let wide = granted.iter().filter(|grant| grant.namespace.is_none()).filter(|grant| {
        let places: Vec<_> = used.iter().filter(|used| grant.covers(used)).map(|used| used.namespace.as_ref()).collect();
        // What is cluster-wide by its nature has no namespace in any request.
        !places.is_empty() && places.iter().all(|place| place.is_some_and(|place| ours.contains(place)))
    });
    let wide = wide.filter(|grant| !ANYWHERE.iter().any(|(what, verb, _)| (*what, *verb) == (&*grant.what(), &*grant.verb)));
    let wide = wide.map(|grant| {
        format!("granted in the whole cluster, used only in namespaces: {} {} {}", grant.role, grant.what(), grant.verb)
    });
    missing.chain(idle).chain(wide).collect()
}

/// Everything that is bound to the operator's account by the chart.
async fn granted(lab: &Lab) -> BTreeSet<Grant> {
    let of_chart = ListParams::default().labels("app.kubernetes.io/name=tenant-operator");
    let cluster_roles = Api::<ClusterRole>::all(lab.client.clone()).list(&of_chart).await.expect("roles").items;
    let roles = Api::<Role>::all(lab.client.clone()).list(&of_chart).await.expect("roles").items;
    let rules = |reference: &RoleRef, namespace: Option<&String>| -> Vec<PolicyRule> {
        let cluster = cluster_roles.iter().find(|role| reference.kind == "ClusterRole" && role.name_any() == reference.name);
        let local = roles
            .iter()
            .find(|role| reference.kind == "Role" && role.name_any() == reference.name && role.namespace().as_ref() == namespace);
        cluster.and_then(|role| role.rules.clone()).or_else(|| local.and_then(|role| role.rules.clone())).unwrap_or_default()
    };
    let wide = Api::<ClusterRoleBinding>::all(lab.client.clone()).list(&of_chart).await.expect("bindings").items;
    let narrow = Api::<RoleBinding>::all(lab.client.clone()).list(&of_chart).await.expect("bindings").items;
    let wide = wide.iter().map(|binding| (&binding.role_ref, &binding.subjects, None));
    let narrow = narrow.iter().map(|binding| (&binding.role_ref, &binding.subjects, binding.namespace()));
    let mut granted = BTreeSet::new();
    for (reference, _, namespace) in wide.chain(narrow).filter(|(_, subjects, _)| subjects.iter().flatten().any(is_operator)) {
        for rule in rules(reference, namespace.as_ref()) {
            granted.extend(grants(&reference.name, &rule, namespace.as_ref()));
        }
    }
    granted
}

fn is_operator(subject: &Subject) -> bool {
    subject.kind == "ServiceAccount" && subject.name == "tenant-operator" && subject.namespace.as_deref() == Some(OPERATOR)
}

fn grants(role: &str, rule: &PolicyRule, namespace: Option<&String>) -> Vec<Grant> {
    let mut grants = vec![];
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            for verb in &rule.verbs {
                grants.push(Grant {
                    role: role.to_owned(),
                    group: group.clone(),
                    resource: resource.clone(),
                    verb: verb.clone(),
                    names: rule.resource_names.clone().unwrap_or_default(),
                    namespace: namespace.cloned(),
                });
            }
        }
    }
    grants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(resource: &str, verb: &str, namespace: Option<&str>) -> Grant {
        let text = str::to_owned;
        Grant {
            role: text("r"),
            group: text("apps"),
            resource: text(resource),
            verb: text(verb),
            names: vec![],
            namespace: namespace.map(text),
        }
    }

    fn used(resource: &str, verb: &str, namespace: Option<&str>) -> Used {
        let text = str::to_owned;
        Used {
            verb: text(verb),
            group: text("apps"),
            resource: text(resource),
            namespace: namespace.map(text),
            name: None,
            refused: false,
        }
    }

    fn said(granted: &[Grant], used: &[Used]) -> Vec<String> {
        findings(&granted.iter().cloned().collect(), &used.iter().cloned().collect())
    }

    #[test]
    fn what_is_granted_and_used_where_it_is_granted_is_no_finding() {
        let granted = [
            grant("deployments", "get", Some("erp")),
            grant("deployments", "get", Some("erp16")),
            grant("deployments", "watch", None),
        ];
        assert_eq!(said(&granted, &[used("deployments", "get", Some("erp16")), used("deployments", "watch", None)]), [""; 0]);
    }

    #[test]
    fn what_is_refused_idle_or_too_wide_is_found() {
        let granted =
            [grant("deployments", "get", Some("erp")), grant("deployments", "list", None), grant("replicasets", "get", None)];
        let mut refused = used("deployments", "get", Some("erp"));
        refused.refused = true;
        let said = said(&granted, &[refused, used("deployments", "list", Some("erp")), used("pods", "get", None)]);
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[0].contains("not granted") && said[1].contains("not granted"));
        assert!(said[2].contains("replicasets get") && said[3].contains("deployments list"), "{said:?}");
    }

    #[test]
    fn what_tests_ask_for_in_namespaces_of_their_own_is_no_finding() {
        let granted = [grant("deployments", "get", Some("erp"))];
        let mut elsewhere = used("deployments", "delete", Some("e2e-space-1"));
        elsewhere.refused = true;
        assert_eq!(said(&granted, &[used("deployments", "get", Some("erp")), elsewhere]), [""; 0]);
    }
}

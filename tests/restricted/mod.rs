//! What the restricted Pod Security Standard says about a pod: https://kubernetes.io/docs/concepts/security/pod-security-standards/

use serde_json::{Value, json};

const VOLUMES: [&str; 8] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
const SELINUX_TYPES: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
const SYSCTLS: [&str; 2] = ["net.ipv4.ip_local_port_range", "net.ipv4.ping_group_range"];

fn items<'a>(of: &'a Value, name: &str) -> Vec<&'a Value> {
    of[name].as_array().into_iter().flatten().collect()
}

/// Everything for which a namespace that enforces the standard would refuse the pod; empty for one that it takes.
pub fn objections(pod: &Value) -> Vec<String> {
    let mut found = vec![];
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod[field] == true {
            found.push(field.to_owned());
        }
    }
    for volume in items(pod, "volumes") {
        let kinds = volume.as_object().into_iter().flatten().map(|(kind, _)| kind.as_str()).filter(|kind| *kind != "name");
        found.extend(kinds.filter(|kind| !VOLUMES.contains(kind)).map(|kind| format!("a volume of {kind}")));
    }
    for sysctl in items(&pod["securityContext"], "sysctls") {
        if !SYSCTLS.iter().any(|safe| sysctl["name"] == *safe) {
            found.push(format!("sysctl {}", sysctl["name"]));
        }
    }
    let containers: Vec<&Value> =
        ["initContainers", "containers", "ephemeralContainers"].iter().flat_map(|list| items(pod, list)).collect();
    assert!(!containers.is_empty(), "a pod without containers proves nothing");
    for container in containers {
        found.extend(of_container(pod, container));
    }
    found
}

fn of_container(pod: &Value, container: &Value) -> Vec<String> {
    let (own, whole) = (&container["securityContext"], &pod["securityContext"]);
    let either = |name: &str| if own[name].is_null() { &whole[name] } else { &own[name] };
    let seccomp = &either("seccompProfile")["type"];
    let linux = either("seLinuxOptions");
    let apparmor = &either("appArmorProfile")["type"];
    let capabilities = items(&own["capabilities"], "add");
    let host_ports = items(container, "ports").into_iter().any(|port| port["hostPort"].as_u64().is_some_and(|port| port != 0));
    let rules = [
        ("privileged", own["privileged"] == true),
        ("allowPrivilegeEscalation", own["allowPrivilegeEscalation"] != false),
        ("capabilities not dropped", !items(&own["capabilities"], "drop").contains(&&json!("ALL"))),
        ("capabilities added", capabilities.iter().any(|name| **name != "NET_BIND_SERVICE")),
        ("root allowed", *either("runAsNonRoot") != true),
        ("root", either("runAsUser") == 0),
        ("seccomp", *seccomp != "RuntimeDefault" && *seccomp != "Localhost"),
        ("AppArmor", *apparmor == "Unconfined"),
        ("SELinux", !linux["user"].is_null() || !linux["role"].is_null()),
        ("SELinux type", !SELINUX_TYPES.contains(&linux["type"].as_str().unwrap_or_default())),
        ("hostPort", host_ports),
        ("procMount", !own["procMount"].is_null() && own["procMount"] != "Default"),
        ("windows", either("windowsOptions")["hostProcess"] == true),
    ];
    let name = container["name"].as_str().unwrap_or("a container");
    rules.into_iter().filter(|(_, broken)| *broken).map(|(rule, _)| format!("{name}: {rule}")).collect()
}

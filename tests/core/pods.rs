//! Every pod that the operator makes fits a namespace that enforces the restricted Pod Security Standard, and holds no token.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};
use tenant_operator::core::manifests::job::job;
use tenant_operator::core::manifests::upkeep::cron_job;
use tenant_operator::core::manifests::{answer, template};
use tenant_operator::core::op::{JobKind, JobPlan};
use tenant_operator::core::steps::Step;
use tenant_operator::core::templates::Order;

use crate::manifests::{ID, noon};
use crate::objects;
use crate::restricted::objections;

/// A bench that lives in a namespace where everything goes, with all that the standard refuses.
fn unrestricted() -> Deployment {
    let anything =
        json!({"privileged": true, "allowPrivilegeEscalation": true, "capabilities": {"add": ["SYS_ADMIN"]}, "runAsUser": 0});
    let pod = json!({
        "hostNetwork": true, "hostPID": true, "hostIPC": true,
        "serviceAccountName": "cluster-admin", "automountServiceAccountToken": true,
        "securityContext": {
            "runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": false, "fsGroup": 1234,
            "seccompProfile": {"type": "Unconfined"},
            "appArmorProfile": {"type": "Unconfined"},
            "seLinuxOptions": {"type": "spc_t", "user": "system_u"},
            "sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}],
            "windowsOptions": {"hostProcess": true},
        },
        "containers": [{
            "name": "web", "image": "registry.port.test/frappe:15", "securityContext": anything,
            "ports": [{"containerPort": 8000, "hostPort": 8000}],
            "volumeMounts": [{"name": "sites", "mountPath": "/srv/frappe/dock/sites"}, {"name": "docker", "mountPath": "/run/docker.sock"}],
        }],
        "volumes": [
            {"name": "sites", "persistentVolumeClaim": {"claimName": "hold"}},
            {"name": "docker", "hostPath": {"path": "/run/docker.sock"}},
        ],
    });
    objects::read(json!({"metadata": {"name": "web"}, "spec": {"selector": {}, "template": {"spec": pod}}}))
}

fn pods(source: Option<&Deployment>) -> Vec<(&'static str, Value)> {
    let who = objects::subject(ID, objects::bench(), noon());
    let plan = |kind, steps: &[Step]| JobPlan {
        name: format!("{ID}-any-0a1b2c3d-1"),
        kind,
        attempt: 1,
        hashes: Default::default(),
        containers: vec![("site", steps.to_vec()), ("tenant", steps.to_vec())],
    };
    let value = |object: Result<Value, serde_json::Error>, pointer: &str| {
        object.expect("an object").pointer(pointer).expect("a pod").clone()
    };
    let of_job = |kind, steps: &[Step]| value(serde_json::to_value(job(&who, &plan(kind, steps), source)), "/spec/template/spec");
    let upkeep = cron_job(&objects::read(objects::bench()), Duration::from_secs(3600), source);
    let order = Order { make: None, anew: false, keep: vec![] };
    let template = template::job(&objects::read(objects::bench()), objects::CLUSTER, &order, noon(), source);
    vec![
        ("provision", of_job(JobKind::Provision, &Step::UP)),
        ("remove", of_job(JobKind::Remove, &[Step::Archive, Step::Drop])),
        ("template", value(serde_json::to_value(template), "/spec/template/spec")),
        ("upkeep", value(serde_json::to_value(upkeep), "/spec/jobTemplate/spec/template/spec")),
        ("answer", value(serde_json::to_value(answer::deployment("dock", "yard", "registry.test/x:1")), "/spec/template/spec")),
    ]
}

#[test]
fn the_standard_takes_every_pod_whatever_the_benchs_own_pods_may_do() {
    for source in [None, Some(unrestricted())] {
        for (name, pod) in pods(source.as_ref()) {
            assert_eq!(objections(&pod), [""; 0], "{name}");
        }
    }
}

#[test]
fn the_judge_sees_what_is_wrong_with_the_pod_that_is_copied() {
    let pod = serde_json::to_value(unrestricted().spec.template.spec).expect("a pod");
    let said = objections(&pod);
    for wrong in [
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "hostPath",
        "privileged",
        "allowPrivilegeEscalation",
        "capabilities added",
        "capabilities not dropped",
        "root allowed",
        "web: root",
        "seccomp",
        "AppArmor",
        "SELinux",
        "hostPort",
        "sysctl",
        "windows",
    ] {
        assert!(said.iter().any(|one| one.contains(wrong)), "{wrong} is not in {said:?}");
    }
}

#[test]
fn no_pod_is_given_a_token_of_the_api_server() {
    for source in [None, Some(unrestricted())] {
        for (name, pod) in pods(source.as_ref()) {
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
            assert!(pod["serviceAccountName"].is_null(), "{name}: a bench's own account may do more than a Job needs");
            let projected = pod["volumes"].as_array().into_iter().flatten().any(|volume| !volume["projected"].is_null());
            assert!(!projected, "{name}: a projected volume may hold a token");
        }
    }
}

#[test]
fn the_benchs_own_users_are_kept_but_never_root() {
    let mut source = unrestricted();
    let (_, pod) = pods(Some(&source)).remove(0);
    assert_eq!((&pod["securityContext"]["runAsUser"], &pod["securityContext"]["fsGroup"]), (&json!(1000), &json!(1234)));
    let security = source.spec.template.spec.as_mut().and_then(|pod| pod.security_context.as_mut()).expect("a context");
    security.run_as_user = Some(1234);
    security.se_linux_options = serde_json::from_value(json!({"type": "container_t", "level": "s0:c1"})).ok();
    let (_, pod) = pods(Some(&source)).remove(0);
    assert_eq!(pod["securityContext"]["runAsUser"], 1234);
    assert_eq!(pod["securityContext"]["seLinuxOptions"], json!({"type": "container_t", "level": "s0:c1"}));
}

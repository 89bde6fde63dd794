//! The upkeep of one Bench: every hour, what its archives hold for longer than the Bench wants goes.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use serde_json::json;

use super::pod::BenchPod;
use super::strings;
use crate::api::Bench;
use crate::core::names;

/// A run that could not be started for so long is left to the next hour's.
const LATE_SECONDS: i64 = 1800;

/// `source` is the Deployment that the Bench names in `jobs.podFrom`.
pub fn cron_job(bench: &Bench, keep: Duration, source: Option<&Deployment>) -> CronJob {
    let (name, namespace) = (bench.name_any(), bench.namespace().unwrap_or_default());
    let labels = strings([(names::label::BENCH, &name), (names::label::MANAGED_BY, names::MANAGER)]);
    let input = json!({"benchPath": bench.spec.path, "expire": {"keepSeconds": keep.as_secs()}});
    let pod = BenchPod::new(&bench.spec, source);
    let container = pod.container("expire", ["expire"], &input, vec![]);
    let spec = CronJobSpec {
        schedule: format!("{} * * * *", minute(&name, &namespace)),
        concurrency_policy: Some("Forbid".to_owned()),
        starting_deadline_seconds: Some(LATE_SECONDS),
        successful_jobs_history_limit: Some(1),
        failed_jobs_history_limit: Some(1),
        suspend: Some(false),
        job_template: JobTemplateSpec {
            metadata: Some(ObjectMeta { labels: Some(labels.clone()), ..Default::default() }),
            spec: Some(pod.job(labels.clone(), vec![container])),
        },
        ..Default::default()
    };
    let digest = names::digest(&[&json!(spec).to_string()], 16);
    CronJob {
        metadata: ObjectMeta {
            name: Some(names::upkeep(&name)),
            namespace: Some(namespace),
            labels: Some(labels),
            annotations: Some(strings([(names::annotation::DIGEST, &digest)])),
            ..Default::default()
        },
        spec,
        status: None,
    }
}

/// The Bench's own minute, so that not all of a cluster's begin at once.
fn minute(name: &str, namespace: &str) -> u8 {
    u8::from_str_radix(&names::digest(&[namespace, name], 2), 16).unwrap_or_default() % 60
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::core::manifests::{covers, steps};

    fn bench(jobs: &Value) -> Bench {
        let text = include_str!("../../../examples/bench.yaml");
        let mut bench: Bench = serde_yaml::from_str(text).expect("the example");
        bench.spec.jobs = serde_json::from_value(jobs.clone()).expect("jobs");
        bench
    }

    fn gunicorn() -> Deployment {
        let pod = json!({
            "securityContext": {"runAsUser": 1234, "fsGroup": 1234},
            "imagePullSecrets": [{"name": "registry"}],
            "serviceAccountName": "erpnext",
            "containers": [{
                "name": "gunicorn",
                "image": "registry.test/erpnext:v15",
                "env": [{"name": "TOKEN", "value": "x"}],
                "volumeMounts": [
                    {"name": "sites", "mountPath": "/home/frappe/frappe-bench/sites"},
                    {"name": "token", "mountPath": "/run/token"},
                ],
            }],
            "volumes": [
                {"name": "sites", "persistentVolumeClaim": {"claimName": "erpnext"}},
                {"name": "token", "secret": {"secretName": "token"}},
            ],
        });
        let spec = json!({"selector": {}, "template": {"metadata": {}, "spec": pod}});
        serde_json::from_value(json!({"metadata": {"name": "erpnext-gunicorn"}, "spec": spec})).expect("a Deployment")
    }

    fn made(jobs: &Value) -> Value {
        json!(cron_job(&bench(jobs), Duration::from_secs(720 * 3600), Some(&gunicorn())))
    }

    fn container() -> Value {
        json!({
            "name": "expire",
            "image": "registry.test/erpnext:v15",
            "command": ["/home/frappe/frappe-bench/env/bin/python", "/tenant-operator/steps/main.py"],
            "args": ["expire"],
            "workingDir": "/home/frappe/frappe-bench/sites",
            "env": [
                {"name": "HOME", "value": "/home/frappe"},
                {"name": "LANG", "value": "C.UTF-8"},
                {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
                {"name": "TENANT_STEP_INPUT", "value": r#"{"benchPath":"/home/frappe/frappe-bench","expire":{"keepSeconds":2592000}}"#},
            ],
            "volumeMounts": [
                {"name": "sites", "mountPath": "/home/frappe/frappe-bench/sites"},
                {"name": "tenant-logs", "mountPath": "/home/frappe/frappe-bench/logs"},
                {"name": "tenant-steps", "mountPath": "/tenant-operator/steps", "readOnly": true},
            ],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "terminationMessagePolicy": "File",
        })
    }

    #[test]
    fn the_pod_is_the_benchs_own_with_neither_secret_nor_token() {
        let pod = json!({
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "imagePullSecrets": [{"name": "registry"}],
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 1234,
                "runAsGroup": 1000,
                "fsGroup": 1234,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container()],
            "volumes": [
                {"name": "sites", "persistentVolumeClaim": {"claimName": "erpnext"}},
                {"name": "tenant-logs", "emptyDir": {}},
                {"name": "tenant-steps", "configMap": {"name": steps::name()}},
            ],
        });
        assert_eq!(made(&json!({}))["spec"]["jobTemplate"]["spec"]["template"]["spec"], pod);
    }

    #[test]
    fn it_runs_hourly_one_at_a_time_and_leaves_little_behind() {
        let labels = json!({"tenancy.nexuserp.io/bench": "main", "app.kubernetes.io/managed-by": "tenant-operator"});
        let mut made = made(&json!({"deadline": "20m"}));
        let template = made["spec"]["jobTemplate"]["spec"]["template"].take();
        assert_eq!(template["metadata"]["labels"], labels);
        let job = json!({"backoffLimit": 0, "activeDeadlineSeconds": 1200, "ttlSecondsAfterFinished": 3600, "template": null});
        assert_eq!(
            made["spec"],
            json!({
                "schedule": "49 * * * *",
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 1800,
                "successfulJobsHistoryLimit": 1,
                "failedJobsHistoryLimit": 1,
                "suspend": false,
                "jobTemplate": {"metadata": {"labels": labels}, "spec": job},
            })
        );
        assert_eq!((&made["metadata"]["name"], &made["metadata"]["namespace"]), (&json!("main-upkeep"), &json!("erp")));
        assert_eq!(made["metadata"]["labels"], labels);
    }

    #[test]
    fn what_the_bench_no_longer_says_is_a_difference() {
        let before = made(&json!({"resources": {"limits": {"memory": "1Gi"}}}));
        assert!(covers(&before, &before));
        assert!(!covers(&before, &made(&json!({}))));
    }

    #[test]
    fn the_longest_name_of_a_bench_makes_a_name_that_a_cron_job_may_have() {
        assert!(names::upkeep(&"b".repeat(40)).len() <= 52);
    }
}

//! The inspection of one Bench: what its sites should have, as ConfigMaps, and the Job that compares them with what they have.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, ConfigMapProjection, ProjectedVolumeSource, Volume, VolumeMount, VolumeProjection};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::pod::BenchPod;
use super::strings;
use crate::api::Bench;
use crate::core::inspection::STEP;
use crate::core::names::{self, annotation, label};

/// Where the expectations are mounted.
const FOLDER: &str = "/tenant-operator/sites";
const VOLUME: &str = "tenant-sites-expected";
/// A ConfigMap holds 1 MiB, its metadata included.
const LARGEST: usize = 900_000;

/// At least one, so that there is always something to mount.
pub fn config_maps(bench: &Bench, expectations: &BTreeMap<String, Value>) -> Vec<ConfigMap> {
    let shards = shards(expectations, LARGEST);
    shards.into_iter().enumerate().map(|(number, text)| config_map(bench, number, text)).collect()
}

/// JSON objects of at most so many bytes each; a tenant stays whole.
fn shards(expectations: &BTreeMap<String, Value>, largest: usize) -> Vec<String> {
    let mut shards = vec![];
    let mut current = String::new();
    for (id, expectation) in expectations {
        let entry = format!("{}:{expectation}", json!(id));
        if !current.is_empty() && current.len() + entry.len() + 3 > largest {
            shards.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(',');
        }
        current.push_str(&entry);
    }
    shards.push(current);
    shards.into_iter().map(|entries| format!("{{{entries}}}")).collect()
}

fn config_map(bench: &Bench, number: usize, text: String) -> ConfigMap {
    let name = bench.name_any();
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(names::expectations(&name, number)),
            namespace: bench.namespace(),
            labels: Some(strings([(label::BENCH, &name), (label::MANAGED_BY, names::MANAGER)])),
            ..Default::default()
        },
        data: Some([(format!("sites-{number:03}.json"), text)].into()),
        ..Default::default()
    }
}

/// `maps` is how many ConfigMaps there are, `source` the Deployment that the Bench names in `jobs.podFrom`.
pub fn job(bench: &Bench, at: Timestamp, maps: usize, source: Option<&Deployment>) -> Job {
    let name = bench.name_any();
    let labels = strings([(label::BENCH, &name), (label::STEP, STEP), (label::MANAGED_BY, names::MANAGER)]);
    let input = json!({"benchPath": bench.spec.path, "inspect": {"configMapPath": FOLDER}});
    let pod = BenchPod::new(&bench.spec, source);
    let mut container = pod.container(STEP, [STEP], &input, vec![]);
    container.volume_mounts.get_or_insert_default().push(VolumeMount {
        name: VOLUME.to_owned(),
        mount_path: FOLDER.to_owned(),
        read_only: Some(true),
        ..Default::default()
    });
    let mut spec = pod.job(labels.clone(), vec![container]);
    if let Some(pod) = &mut spec.template.spec {
        pod.volumes.get_or_insert_default().push(volume(&name, maps));
    }
    Job {
        metadata: ObjectMeta {
            name: Some(names::inspection(&name, at)),
            namespace: bench.namespace(),
            labels: Some(labels),
            annotations: Some(strings([(annotation::AT, &at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())])),
            ..Default::default()
        },
        spec: Some(spec),
        status: None,
    }
}

fn volume(bench: &str, maps: usize) -> Volume {
    let source = |number| VolumeProjection {
        config_map: Some(ConfigMapProjection { name: names::expectations(bench, number), ..Default::default() }),
        ..Default::default()
    };
    Volume {
        name: VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource { sources: Some((0..maps).map(source).collect()), ..Default::default() }),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shard_is_too_large_and_none_splits_a_tenant() {
        let all: BTreeMap<String, Value> = (0..100).map(|n| (format!("{n:016x}"), json!({"site": "x".repeat(90)}))).collect();
        let shards = shards(&all, 1000);
        assert!(shards.len() > 10 && shards.iter().all(|shard| shard.len() <= 1000), "{}", shards.len());
        let read = shards.iter().flat_map(|shard| serde_json::from_str::<BTreeMap<String, Value>>(shard).expect("JSON"));
        assert_eq!(read.collect::<BTreeMap<_, _>>(), all);
    }

    #[test]
    fn a_bench_without_settled_tenants_has_an_empty_map() {
        assert_eq!(shards(&BTreeMap::new(), 1000), ["{}"]);
    }
}

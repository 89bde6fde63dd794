//! The Job that makes one template of a Bench, and removes those that nothing needs.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;

use super::job::secret;
use super::pod::BenchPod;
use super::strings;
use crate::api::Bench;
use crate::core::names::{self, annotation, label};
use crate::core::place;
use crate::core::templates::{Order, RECIPE, STEP, owner, site_id};

/// `source` is the Deployment that the Bench names in `jobs.podFrom`.
pub fn job(bench: &Bench, cluster: &str, order: &Order, at: Timestamp, source: Option<&Deployment>) -> Job {
    let (name, at_second) = (bench.name_any(), at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let owner = owner(cluster, &place::reference(bench));
    let id = site_id(&owner);
    // By its id it is known as the Job of one site, as those of tenants are.
    let labels = strings([(label::ID, &id), (label::BENCH, &name), (label::STEP, STEP), (label::MANAGED_BY, names::MANAGER)]);
    let mut annotations = strings([(annotation::AT, &at_second)]);
    annotations.extend(order.make.iter().map(|asked| (annotation::TEMPLATE.to_owned(), asked.name.clone())));
    let root = &bench.spec.database.root_secret_ref;
    let password = secret("TENANT_DB_ROOT_PASSWORD", &root.name, &root.key, false);
    let pod = BenchPod::new(&bench.spec, source);
    let container = pod.container(STEP, [STEP], &input(bench, cluster, order, &owner), vec![password]);
    Job {
        metadata: ObjectMeta {
            name: Some(names::template_job(&name, at)),
            namespace: bench.namespace(),
            labels: Some(labels.clone()),
            annotations: Some(annotations),
            ..Default::default()
        },
        spec: Some(pod.job(labels, vec![container])),
        status: None,
    }
}

/// See bench/README.md for its form.
fn input(bench: &Bench, cluster: &str, order: &Order, owner: &str) -> serde_json::Value {
    let (spec, id) = (&bench.spec, site_id(owner));
    let make = order.make.as_ref();
    json!({
        "id": id,
        "marker": {"id": id, "namespace": bench.namespace(), "name": bench.name_any(), "cluster": cluster},
        "benchPath": spec.path,
        // A name that no host can have.
        "site": format!("{id}.template.invalid"),
        "database": {
            "name": format!("template_{id}"),
            "host": spec.database.host,
            "port": spec.database.port,
            "rootUser": spec.database.root_user,
        },
        "apps": make.map(|asked| asked.apps.clone()).unwrap_or_default(),
        "templates": {
            "owner": owner,
            "recipe": RECIPE,
            "image": make.map(|asked| asked.image.clone()),
            "make": make.is_some(),
            "anew": order.anew,
            "keep": order.keep,
        },
    })
}

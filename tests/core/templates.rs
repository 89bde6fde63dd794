//! The Job of a template, word for word.

use serde_json::json;
use tenant_operator::core::manifests::template;
use tenant_operator::core::templates::{Asked, Order};

use crate::manifests::noon;
use crate::{golden, objects};

#[test]
fn the_job_of_a_template_is_of_the_benchs_own_pod_and_is_given_one_secret() {
    let bench = objects::read(objects::bench());
    let asked = Asked { name: "aaaaaaaaaaaaaaaa".to_owned(), apps: vec!["erpnext".to_owned()], image: "frappe:1".to_owned() };
    let make = Order { make: Some(asked), anew: false, keep: vec!["bbbbbbbbbbbbbbbb".to_owned()] };
    let job = template::job(&bench, objects::CLUSTER, &make, noon(), None);
    let text = serde_json::to_string(&job).expect("a Job");
    assert_eq!(text.matches("secretKeyRef").count(), 1);
    golden::is("template.yaml", &job);
}

#[test]
fn two_benches_and_two_clusters_never_share_a_throw_away_site() {
    let order = Order { make: None, anew: false, keep: vec![] };
    let id = |bench: serde_json::Value, cluster: &str| {
        let job = template::job(&objects::read(bench), cluster, &order, noon(), None);
        job.metadata.labels.expect("labels")["tenancy.nexuserp.io/id"].clone()
    };
    let mut other = objects::bench();
    other["metadata"]["name"] = json!("quay");
    let ids = [id(objects::bench(), "a"), id(objects::bench(), "b"), id(other, "a")];
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{ids:?}");
}

//! What the cluster itself refuses: pods that the restricted Pod Security Standard does not take, where everything of ours runs, and the
//! deletion of a Tenant that is protected.

use k8s_openapi::api::core::v1::Pod;
use kube::Error;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tenant_operator::api::Tenant;

use crate::bench::INGRESS_15;
use crate::case::{self, Case, Company};
use crate::lab::{CUSTOMERS, OPERATOR};
use crate::tenant::tenant;

/// All other tests run in these namespaces: their Jobs, backends and the operator are pods that the standard takes.
#[test]
fn the_lab_enforces_the_restricted_standard_where_operator_and_benches_are() {
    case::run("restricted", Company::On(INGRESS_15.namespace), async |case| {
        let pod = json!({"metadata": {"name": "any"}, "spec": {"containers": [{"name": "any", "image": "any"}]}});
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        for namespace in [OPERATOR, "erp", "erp16", CUSTOMERS] {
            let pods = Api::<Pod>::namespaced(case.lab.client.clone(), namespace);
            let try_out = PostParams { dry_run: true, ..PostParams::default() };
            let said = refusal(pods.create(&try_out, &pod).await);
            assert!(said.contains("violates PodSecurity \"restricted:latest\""), "{namespace}: {said}");
        }
    });
}

#[test]
fn a_protected_tenant_is_deleted_only_after_its_annotation() {
    case::run("protect", Company::On(INGRESS_15.namespace), async |case| {
        let bench = tenant_operator::api::BenchRef { name: "any".to_owned(), namespace: "erp".to_owned() };
        let mut wanted = tenant(&case.name, CUSTOMERS, "any", bench);
        wanted.metadata.annotations = Some([("tenancy.nexuserp.io/paused".to_owned(), "true".to_owned())].into());
        case.apply(&wanted).await;
        let tenants = case.tenants(CUSTOMERS);
        for protect in ["true", "True", "yes"] {
            annotate(case, json!(protect)).await;
            let said = refusal(tenants.delete(&case.name, &DeleteParams::default()).await);
            for words in [
                &format!("Tenant {} is protected", case.name),
                &format!("kubectl annotate tenant {} -n {CUSTOMERS} tenancy.nexuserp.io/protect-", case.name),
            ] {
                assert!(said.contains(words.as_str()), "{said}");
            }
            let only = ListParams::default().fields(&format!("metadata.name={}", case.name));
            refusal(tenants.delete_collection(&DeleteParams::default(), &only).await);
        }
        let rest = json!({"spec": {"admin": {"firstName": "Ada"}}});
        tenants.patch(&case.name, &PatchParams::default(), &Patch::Merge(rest)).await.expect("changes are not refused");
        for open in [json!("false"), Value::Null] {
            annotate(case, open).await;
            let try_out = DeleteParams { dry_run: true, ..DeleteParams::default() };
            tenants.delete(&case.name, &try_out).await.expect("no longer refused");
        }
    });
}

async fn annotate(case: &Case, protect: Value) {
    let patch = json!({"metadata": {"annotations": {"tenancy.nexuserp.io/protect": protect}}});
    let tenants: kube::Api<Tenant> = case.tenants(CUSTOMERS);
    tenants.patch(&case.name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("an annotation");
}

fn refusal<T>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Api(status)) if status.code == 403 || status.code == 422 => status.message.clone(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was deleted"),
    }
}

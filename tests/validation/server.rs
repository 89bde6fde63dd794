//! The API server that judges. All is tried without being stored, but for what an update begins from.

use std::io::Write;
use std::time::Duration;

use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams, ValidationDirective,
};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, Error};
use serde_json::{Value, json};
use tenant_operator::api as types;

use crate::cases::Cause;

const NAMESPACE: &str = "tenant-operator-validation";

pub struct Server(Client);

impl Server {
    /// The lab's, with our definitions and a namespace of our own. None outside of the lab.
    pub async fn of_the_lab() -> Option<Self> {
        if std::env::var_os("TENANT_OPERATOR_LAB").is_none() {
            // Past the test's own capture of its output, which hides what a test that passes has to say.
            let said = b"skipped: needs the lab's API server (TENANT_OPERATOR_LAB=1 and KUBECONFIG; `make test` sets both)\n";
            std::io::stderr().write_all(said).unwrap();
            return None;
        }
        // Two libraries of ours bring a cryptography each; the first one to be named is taken.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = Self(Client::try_default().await.expect("KUBECONFIG leads to a cluster"));
        for crd in types::crds() {
            let name = crd.metadata.name.clone().unwrap();
            server.apply(&serde_json::to_value(&crd).unwrap()).await;
            let established = await_condition(Api::all(server.0.clone()), &name, conditions::is_crd_established());
            tokio::time::timeout(Duration::from_secs(30), established).await.expect("the definition is established").unwrap();
        }
        server.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } })).await;
        Some(server)
    }

    fn api(&self, object: &Value) -> Api<DynamicObject> {
        let (group, version) = match object["apiVersion"].as_str().unwrap().split_once('/') {
            Some((group, version)) => (group, version),
            None => ("", object["apiVersion"].as_str().unwrap()),
        };
        let kind = object["kind"].as_str().unwrap();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        match kind {
            "Namespace" | "TenantPlan" | "TenantClaim" | "CustomResourceDefinition" => Api::all_with(self.0.clone(), &resource),
            _ => Api::namespaced_with(self.0.clone(), NAMESPACE, &resource),
        }
    }

    async fn apply(&self, object: &Value) {
        let (name, params) = (object["metadata"]["name"].as_str().unwrap(), PatchParams::apply("tenant-operator-tests").force());
        self.api(object).patch(name, &params, &Patch::Apply(object)).await.unwrap();
    }

    pub async fn try_apply(&self, object: &Value) -> Result<(), Vec<Cause>> {
        let object = ours(object);
        let mut params = PatchParams::apply("tenant-operator-tests").force().dry_run();
        params.field_validation = Some(ValidationDirective::Strict);
        let name = object["metadata"]["name"].as_str().unwrap();
        judged(self.api(&object).patch(name, &params, &Patch::Apply(&object)).await)
    }

    pub async fn try_create(&self, object: &Value) -> Result<(), Vec<Cause>> {
        let params = PostParams { dry_run: true, ..PostParams::default() };
        judged(self.api(object).create(&params, &dynamic(object)).await)
    }

    pub async fn try_update(&self, stored: &Value, patch: &Value) -> Result<(), Vec<Cause>> {
        let (name, params) =
            (stored["metadata"]["name"].as_str().unwrap(), PatchParams { dry_run: true, ..PatchParams::default() });
        judged(self.api(stored).patch(name, &params, &Patch::Merge(patch)).await)
    }

    /// Stores an object, paused so that an operator leaves it alone, and returns it as it was stored.
    pub async fn store(&self, object: &Value, status: Option<&Value>) -> Value {
        let mut object = ours(object);
        object["metadata"]["annotations"] = json!({ "tenancy.nexuserp.io/paused": "true" });
        let name = object["metadata"]["name"].as_str().unwrap();
        let api = self.api(&object);
        let mut stored = api.create(&PostParams::default(), &dynamic(&object)).await.unwrap();
        if let Some(status) = status {
            let patch = Patch::Merge(json!({ "status": status }));
            stored = api.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
        }
        serde_json::to_value(stored).unwrap()
    }

    pub async fn remove(&self, stored: &Value) {
        let name = stored["metadata"]["name"].as_str().unwrap();
        let api = self.api(stored);
        let unheld = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
        api.patch(name, &PatchParams::default(), &unheld).await.unwrap();
        let uid = stored["metadata"]["uid"].as_str().unwrap();
        api.delete(name, &DeleteParams::default()).await.unwrap();
        let gone = await_condition(api, name, conditions::is_deleted(uid));
        tokio::time::timeout(Duration::from_secs(30), gone).await.expect("it goes").unwrap();
    }
}

/// The same in the namespace of the test, so that nobody's objects are touched.
fn ours(object: &Value) -> Value {
    let mut object = object.clone();
    if object["metadata"].get("namespace").is_some() {
        object["metadata"]["namespace"] = json!(NAMESPACE);
    }
    object
}

fn dynamic(object: &Value) -> DynamicObject {
    serde_json::from_value(ours(object)).unwrap()
}

fn judged<T>(answer: Result<T, Error>) -> Result<(), Vec<Cause>> {
    let status = match answer {
        Ok(_) => return Ok(()),
        Err(Error::Api(status)) => status,
        Err(other) => panic!("the server was not asked: {other}"),
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut causes: Vec<Cause> =
        causes.map(|cause| Cause { field: cause.field.clone(), message: cause.message.clone() }).collect();
    if causes.is_empty() {
        causes.push(Cause { field: String::new(), message: status.message.clone() });
    }
    Err(causes)
}

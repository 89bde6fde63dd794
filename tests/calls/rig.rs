//! One process of the operator on a [`Server`], and what the rest of a cluster does meanwhile: Jobs end, certificates are issued.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use serde_json::{Value, json};
use tenant_operator::api::{Bench, Tenant, TenantPlan};
use tenant_operator::controller::tenant::Reconciler;
use tenant_operator::controller::{Settings, bench, plan, tenant};
use tenant_operator::runtime::Metrics;
use tenant_operator::world::Error;
use tenant_operator::world::gate::Gate;
use tenant_operator::world::live::Live;
use tenant_operator::world::turns::Turns;

use crate::objects::{self, CLUSTER, HOME, YARD};
use crate::pods;
use crate::server::{Call, Server, Store};

pub const INSPECT_INTERVAL: Duration = Duration::from_secs(5400);

pub struct Rig {
    pub server: Server,
    pub here: Arc<Reconciler>,
}

/// What one reconcile came to.
pub struct Pass {
    pub result: Result<Action, Error>,
    pub calls: Vec<Call>,
}

/// A cluster with a Bench, a plan, and one Tenant that nobody has looked at yet.
pub fn rig() -> Rig {
    let server = Server::default();
    server.with(|store| {
        for name in [HOME, YARD] {
            store.put("namespaces", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        }
        store.put("benches", objects::bench());
        store.put("tenantplans", objects::plan());
        store.put("tenants", objects::tenant("wharf", "pelican"));
        store.put("secrets", secret(HOME, "mail", &[("password", objects::MAIL_PASSWORD)]));
        store.put("deployments", pod_source());
    });
    Rig::started_on(&server)
}

pub fn secret(namespace: &str, name: &str, data: &[(&str, &str)]) -> Value {
    use base64::Engine;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let data: serde_json::Map<String, Value> = data.iter().map(|(key, text)| ((*key).to_owned(), json!(encode(text)))).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace, "uid": format!("{name}-uid")}, "data": data})
}

fn world(server: &Server) -> Live {
    // The program does this when it starts; here many tests do, and the first one wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (gate, _woken) = Gate::new();
    Live::new(server.client(), Arc::new(gate)).expect("a world")
}

pub fn settings() -> Settings {
    Settings {
        cluster_name: CLUSTER.to_owned(),
        image: "operator:test".to_owned(),
        namespace: "bridge-house".to_owned(),
        resync: Duration::from_secs(7200),
        inspect_interval: INSPECT_INTERVAL,
        cluster_wide: false,
        concurrency: 4,
    }
}

/// Who holds the first claim there is.
pub fn holder(store: &Store) -> Option<String> {
    store.of("tenantclaims").next().and_then(|claim| claim["spec"]["holder"]["id"].as_str().map(str::to_owned))
}

/// A claim of another tenant.
pub fn claim(name: &str, namespace: &str, tenant: &str) -> Value {
    json!({
        "apiVersion": "tenancy.nexuserp.io/v1alpha1",
        "kind": "TenantClaim",
        "metadata": {"name": name, "uid": format!("{tenant}-claim-uid")},
        "spec": {"holder": {"id": "feedfacefeedface", "namespace": namespace, "name": tenant}, "host": name.trim_start_matches("host.")},
    })
}

fn pod_source() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "crane-web", "namespace": YARD},
        "spec": {
            "selector": {"matchLabels": {"app": "crane"}},
            "template": {"metadata": {"labels": {"app": "crane"}}, "spec": {"containers": [{"name": "web", "image": "frappe:test"}]}},
        },
    })
}

impl Rig {
    /// A process that remembers nothing, and has not looked for Jobs that run.
    pub fn started_on(server: &Server) -> Self {
        Self::with(server, world(server))
    }

    /// A process that begins where another one ended.
    pub async fn resumed_on(server: &Server) -> Self {
        let live = world(server);
        live.resume_gate().await.expect("a list of Jobs");
        Self::with(server, live)
    }

    fn with(server: &Server, live: Live) -> Self {
        let here = Reconciler::new(server.client(), live, Turns::new().0, Arc::new(Metrics::new()), settings());
        Self { server: server.clone(), here: Arc::new(here) }
    }

    /// To execute single ops.
    pub fn world(&self) -> Live {
        world(&self.server)
    }

    /// The tenant as it is now.
    pub fn tenant(&self, name: &str) -> Option<Tenant> {
        self.server.with(|store| store.get("tenants", HOME, name).cloned()).map(objects::read)
    }

    pub async fn pass_over(&self, name: &str) -> Pass {
        let tenant = self.tenant(name).expect("the Tenant is there");
        self.server.take_calls();
        let result = tenant::reconcile(Arc::new(tenant), self.here.clone()).await;
        Pass { result, calls: self.server.take_calls() }
    }

    pub async fn pass(&self) -> Pass {
        self.pass_over("wharf").await
    }

    pub async fn bench_pass(&self) -> Pass {
        let bench = self.server.with(|store| store.get("benches", YARD, "dock").cloned()).expect("the Bench is there");
        let bench: Bench = objects::read(bench);
        self.server.take_calls();
        let result = bench::reconcile(Arc::new(bench), self.here.clone()).await;
        Pass { result, calls: self.server.take_calls() }
    }

    pub async fn plan_pass(&self) -> Pass {
        let found = self.server.with(|store| store.get("tenantplans", "", "ferry").cloned()).expect("the plan is there");
        let found: TenantPlan = objects::read(found);
        self.server.take_calls();
        let result = plan::reconcile(Arc::new(found), self.here.clone()).await;
        Pass { result, calls: self.server.take_calls() }
    }

    /// As the watch tells of them before the first pass.
    pub fn hear_of_tenants(&self) {
        let all: Vec<Value> = self.server.with(|store| store.of("tenants").cloned().collect());
        all.into_iter().for_each(|tenant| self.here.hear_of(&objects::read(tenant)));
    }

    /// Until the tenant is Ready and a pass writes nothing; every request on the way.
    pub async fn settle(&self) -> Vec<Call> {
        self.until("settled", |rig, pass| rig.condition("Ready").0 == "True" && !pass.iter().any(Call::writes)).await
    }

    /// Deletes the Tenant and goes on until it is gone; every request on the way.
    pub async fn teardown(&self) -> Vec<Call> {
        self.delete("wharf");
        self.until("gone", |rig, _| rig.tenant("wharf").is_none()).await
    }

    /// As kubectl would, for an object that has a finalizer.
    pub fn delete(&self, name: &str) {
        self.mark_deleted("tenants", HOME, name);
    }

    pub fn mark_deleted(&self, plural: &str, namespace: &str, name: &str) {
        let at = json!("2026-11-21T09:00:00Z");
        self.server.with(|store| store.edit(plural, namespace, name, |object| object["metadata"]["deletionTimestamp"] = at));
    }

    async fn until(&self, what: &str, reached: impl Fn(&Self, &[Call]) -> bool) -> Vec<Call> {
        let mut calls = vec![];
        let mut last = None;
        for _ in 0..12 {
            let pass = self.pass().await;
            last = pass.result.err();
            let end = reached(self, &pass.calls);
            calls.extend(pass.calls);
            if end {
                return calls;
            }
            self.finish_jobs();
            self.issue_certificates();
        }
        panic!("not {what}: {last:?}; {:#?}", self.tenant("wharf").and_then(|tenant| tenant.status));
    }

    /// Status and reason of a condition of the tenant; empty where it has none.
    pub fn condition(&self, type_: &str) -> (String, String) {
        let status = self.tenant("wharf").and_then(|tenant| tenant.status).unwrap_or_default();
        let found = status.conditions.into_iter().find(|condition| condition.type_ == type_);
        found.map(|condition| (condition.status, condition.reason)).unwrap_or_default()
    }

    pub fn message(&self, type_: &str) -> String {
        let status = self.tenant("wharf").and_then(|tenant| tenant.status).unwrap_or_default();
        status.conditions.into_iter().find(|condition| condition.type_ == type_).expect("the condition").message
    }

    /// The tenant's identity, as its claims have it.
    pub fn id(&self) -> String {
        self.server.with(|store| holder(store)).expect("a claim")
    }

    /// Every Job that runs ends well.
    pub fn finish_jobs(&self) {
        self.end_jobs("Complete", |_| {});
    }

    /// Every Job that runs fails at this step, the first of its container.
    pub fn fail_jobs(&self, step: &str, reason: &str, class: &str) {
        let failure =
            json!({"ok": false, "step": step, "reason": reason, "class": class, "message": "m", "bench": 0.5}).to_string();
        self.end_jobs("Failed", |pod| {
            let failed = json!({"terminated": {"exitCode": 1, "message": failure}});
            let first =
                if pod["status"]["initContainerStatuses"][0].is_null() { "containerStatuses" } else { "initContainerStatuses" };
            pod["status"][first][0]["state"] = failed;
            if first == "initContainerStatuses" {
                pod["status"]["containerStatuses"] = json!([]);
            }
        });
    }

    fn end_jobs(&self, how: &str, change: impl Fn(&mut Value)) {
        self.server.with(|store| {
            let jobs: Vec<Value> = store.of("jobs").filter(|job| job["status"].is_null()).cloned().collect();
            for job in jobs {
                let name = job["metadata"]["name"].as_str().expect("a name").to_owned();
                let mut pod = pods::ended(&name, &job);
                change(&mut pod);
                store.put("pods", pod);
                let ended =
                    json!({"conditions": [{"type": how, "status": "True", "lastTransitionTime": "2026-11-21T08:01:00Z"}]});
                store.edit("jobs", YARD, &name, |job| job["status"] = ended);
            }
        });
    }

    /// cert-manager does its work, and leaves its Secret.
    pub fn issue_certificates(&self) {
        self.server.with(|store| {
            let asked = |found: &&Value| found["status"].is_null() && found["spec"].get("secretName").is_some();
            let all: Vec<Value> = store.of("certificates").filter(asked).cloned().collect();
            for certificate in all {
                let name = certificate["spec"]["secretName"].as_str().expect("a name");
                let mut made = secret(YARD, name, &[("tls.key", "edge-key-90d2")]);
                made["metadata"]["labels"] = certificate["spec"]["secretTemplate"]["labels"].clone();
                store.put("secrets", made);
                let generation = &certificate["metadata"]["generation"];
                let ready = json!({"type": "Ready", "status": "True", "observedGeneration": generation});
                let status = json!({"conditions": [ready], "notAfter": "2027-02-19T08:00:00Z"});
                let name = certificate["metadata"]["name"].as_str().expect("a name").to_owned();
                store.edit("certificates", YARD, &name, |certificate| certificate["status"] = status);
            }
        });
    }
}

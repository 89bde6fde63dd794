//! The whole controller with its watches: what they have told is not asked for, and what they tell is acted upon.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenant_operator::controller::{Context, Error, run};
use tenant_operator::runtime::{Metrics, Readiness};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::objects::{HOME, YARD};
use crate::rig::{Rig, rig, secret, settings};
use crate::server::{Call, Server, Verb};
use crate::{lines, listed, writes};

/// Longer than a Tenant's pass waits for more to be told; only a Bench that counts its tenants may wait for longer.
const QUIET: Duration = Duration::from_secs(2);
const BREATH: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

struct Running {
    server: Server,
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    work: JoinHandle<Result<(), Error>>,
}

impl Running {
    fn on(server: &Server) -> Self {
        let served = json!({
            "kind": "APIResourceList", "groupVersion": "cert-manager.io/v1", "metadata": {"name": "cert-manager.io.v1"},
            "resources": [{"name": "certificates", "singularName": "", "namespaced": true, "kind": "Certificate", "verbs": []}],
        });
        server.with(|store| store.put("groups", served));
        let (stop, stopped) = oneshot::channel();
        let readiness = Readiness::new(["caches"]);
        let metrics = Arc::new(Metrics::new());
        let context = Context { client: server.client(), settings: settings(), metrics: metrics.clone(), readiness };
        let work = tokio::spawn(run(context, async move { drop(stopped.await) }));
        Self { server: server.clone(), metrics, stop, work }
    }

    /// Until it has asked and done nothing for a while; all that it did.
    async fn calm(&self) -> Vec<Call> {
        self.pause(QUIET).await;
        self.server.take_calls()
    }

    async fn pause(&self, quiet: Duration) {
        let mut news = self.server.news();
        let calm = async { while timeout(quiet, news.changed()).await.is_ok() {} };
        timeout(PATIENCE, calm).await.expect("it comes to rest");
    }

    /// Until this is so, while the cluster does its part; all that was done.
    async fn until(&self, rig: &Rig, reached: impl Fn() -> bool) -> Vec<Call> {
        let work = async {
            while !reached() {
                self.pause(BREATH).await;
                rig.finish_jobs();
                rig.issue_certificates();
            }
        };
        timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{:#?}", rig.tenant("wharf")));
        self.server.take_calls()
    }

    /// Passes over Tenants that have ended.
    fn passes(&self) -> u32 {
        let text = self.metrics.text().expect("text");
        let lines = text.lines().filter(|line| line.contains("reconciles_total{controller=\"tenant\""));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u32>().ok()).sum()
    }

    async fn end(self) {
        drop(self.stop);
        timeout(PATIENCE, self.work).await.expect("it ends").expect("no panic").expect("no error");
    }
}

/// A tenant that is Ready, looked at for some time, and what an operator that begins then asks and does.
async fn found_settled() -> (Rig, Running, Vec<Call>) {
    let rig = rig();
    rig.settle().await;
    let running = Running::on(&rig.server);
    running.calm().await;
    running.end().await;
    let running = Running::on(&rig.server);
    let calls = running.calm().await;
    (rig, running, calls)
}

/// What was asked about tenants; of a Bench's own there is little, and no more of it with more tenants.
fn asked(calls: &[Call]) -> Vec<String> {
    let bench = ["groups", "services", "deployments", "configmaps", "cronjobs", "tenantplans"];
    let about = |call: &&Call| call.verb == Verb::Get && !bench.contains(&call.key.plural.as_str());
    lines(calls.iter().filter(about))
}

#[tokio::test]
async fn a_settled_tenant_is_found_without_a_write_and_looked_at_again_without_a_question() {
    let (rig, running, calls) = found_settled().await;
    assert!(writes(&calls).is_empty(), "{:?}", writes(&calls));
    assert_eq!(asked(&calls), ["get secrets harbour/mail"], "somebody else's, which its spec names: it is not kept by a watch");
    let before = running.passes();
    rig.server.with(|store| {
        store.edit("tenants", HOME, "wharf", |tenant| tenant["metadata"]["annotations"]["seen.by"] = json!("somebody"));
    });
    let calls = running.calm().await;
    assert_eq!((running.passes(), asked(&calls).len(), writes(&calls).len()), (before + 1, 0, 0), "{:?}", lines(&calls));
    running.end().await;
}

#[tokio::test]
async fn what_a_spec_names_of_a_secret_is_applied_as_soon_as_that_changes() {
    let (rig, running, _) = found_settled().await;
    rig.server.with(|store| store.edit("secrets", HOME, "mail", |secret| secret["data"]["password"] = json!("b3RoZXI=")));
    let calls = running.calm().await;
    let of_work = |call: &&Call| call.writes() && ["secrets", "jobs"].contains(&call.key.plural.as_str());
    assert_eq!(lines(calls.iter().filter(of_work)), ["create secrets yard/ID-inputs", "create jobs yard/ID-provision-*-1"]);
    running.end().await;
}

#[tokio::test]
async fn what_somebody_changes_is_put_right_as_soon_as_a_watch_tells_of_it() {
    let (rig, running, _) = found_settled().await;
    let id = rig.id();
    let edit = |plural: &str, namespace: &str, name: &str, change: fn(&mut serde_json::Value)| {
        rig.server.with(|store| store.edit(plural, namespace, name, change));
    };
    edit("ingresses", YARD, &id, |ingress| ingress["spec"]["ingressClassName"] = json!("other"));
    assert_eq!(writes(&running.calm().await), ["apply ingresses yard/ID"]);
    edit("secrets", HOME, "passport", |secret| secret["data"]["api-key"] = json!("b3RoZXI="));
    assert_eq!(writes(&running.calm().await), ["patch secrets harbour/passport"]);
    rig.server.with(|store| store.remove("certificates", YARD, &format!("{id}-tls")));
    let calls = running.calm().await;
    assert!(writes(&calls).starts_with(&["apply certificates yard/ID-tls".to_owned()]), "{:?}", writes(&calls));
    running.end().await;
}

/// Of what was never heard of, whether somebody else has it; and what is to be deleted, in which version.
const ASKED: &str = "
    get namespaces harbour
    get secrets harbour/mail
    get ingresses yard/ID
    get certificates yard/ID-tls
    get tenantclaims host.data.pelican.port.test
    get tenantclaims host.pelican.port.test
    get tenantclaims site.*";

#[tokio::test]
async fn a_tenant_comes_and_goes_and_only_that_is_asked_which_no_watch_can_tell() {
    let rig = rig();
    let running = Running::on(&rig.server);
    let mut calls = running.until(&rig, || rig.condition("Ready").0 == "True").await;
    rig.delete("wharf");
    calls.extend(running.until(&rig, || rig.tenant("wharf").is_none()).await);
    let questions: BTreeSet<String> = asked(&calls).into_iter().collect();
    assert_eq!(questions, listed(ASKED).into_iter().collect());
    running.end().await;
}

#[tokio::test]
async fn a_secret_that_a_bench_names_is_watched_and_not_read_for_each_of_its_tenants() {
    let rig = rig();
    rig.server.with(|store| {
        store.put("secrets", secret(YARD, "lanyard", &[("api-key", "k"), ("api-secret", "s")]));
        store.edit("benches", YARD, "dock", |bench| {
            // Nobody answers there.
            bench["spec"]["registry"] = json!({
                "url": "http://127.0.0.1:1", "site": "master.test", "tokenSecretRef": {"name": "lanyard"},
                "docType": "Berth", "keyField": "buoy", "idField": "hull", "onDelete": "Delete",
            });
        });
    });
    let running = Running::on(&rig.server);
    let calls = running.until(&rig, || rig.condition("Registered").0 == "False").await;
    let of_token = |call: &&Call| call.to_string().contains("lanyard");
    assert_eq!(lines(calls.iter().filter(of_token)), ["watch secrets yard metadata.name=lanyard"]);
    running.end().await;
}

#[tokio::test]
async fn where_secrets_may_not_be_watched_each_is_read_whenever_it_is_needed() {
    let rig = rig();
    for watch in ["watch secrets yard id", "watch secrets harbour id", "watch secrets harbour !id"] {
        rig.server.refuse(watch, 403, "Forbidden");
    }
    let running = Running::on(&rig.server);
    let calls = running.until(&rig, || rig.condition("Ready").0 == "True").await;
    let asked = asked(&calls);
    for secret in ["get secrets yard/ID-custody", "get secrets harbour/passport", "get secrets harbour/mail"] {
        assert!(asked.iter().filter(|call| *call == secret).count() > 1, "{secret}: {asked:?}");
    }
    running.end().await;
}

#[tokio::test]
async fn a_tenant_that_cannot_be_read_is_left_alone_until_it_can_be() {
    let (rig, running, _) = found_settled().await;
    let plan = |plan: serde_json::Value| {
        rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["spec"]["plan"] = plan));
    };
    plan(json!({"name": "ferry"}));
    let id = rig.id();
    rig.server.with(|store| store.edit("ingresses", YARD, &id, |ingress| ingress["spec"]["ingressClassName"] = json!("other")));
    let calls = running.calm().await;
    assert_eq!(asked(&calls), listed("get tenants harbour/wharf"));
    assert_eq!(writes(&calls), ["apply tenantplans/status ferry"], "its plan waits for one less");
    plan(json!("ferry"));
    assert!(writes(&running.calm().await).contains(&"apply ingresses yard/ID".to_owned()));
    running.end().await;
}

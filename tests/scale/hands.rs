//! What a cluster does with the operator's objects, done at once: Jobs run, certificates are issued, an edge takes up its routes,
//! Deployments come up. What the steps of a Job say is what the real ones say (bench/README.md).

use std::collections::HashSet;
use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, Pod, Secret};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenant_operator::core::manifests::foreign::Certificate;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Failure;
use crate::cluster::BENCH;
use crate::site::Sites;

/// So many writes are under way at once.
pub const AT_ONCE: usize = 8;

/// Work until they are dropped.
pub struct Hands(Vec<JoinHandle<()>>);

impl Drop for Hands {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

#[derive(Clone)]
struct Hand {
    client: Client,
    sites: Sites,
    slots: Arc<Semaphore>,
    /// Objects that are being worked on, and Jobs that are done.
    busy: Arc<Mutex<HashSet<String>>>,
}

impl Hands {
    pub fn new(client: Client, sites: Sites) -> Self {
        let hand = Hand { client, sites, slots: Arc::new(Semaphore::new(AT_ONCE)), busy: Arc::default() };
        Self(vec![
            hand.clone().take_up(|hand: Hand, job: Job| async move { hand.job(job).await }),
            hand.clone().take_up(|hand: Hand, certificate: Certificate| async move { hand.certificate(certificate).await }),
            hand.clone().take_up(|hand: Hand, ingress: Ingress| async move { hand.ingress(ingress).await }),
            hand.take_up(|hand: Hand, deployment: Deployment| async move { hand.deployment(deployment).await }),
        ])
    }
}

impl Hand {
    fn take_up<K, F, W>(self, work: F) -> JoinHandle<()>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + 'static,
        F: Fn(Hand, K) -> W + Copy + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send,
    {
        tokio::spawn(async move {
            let api: Api<K> = Api::namespaced(self.client.clone(), BENCH);
            let mut seen = watcher(api, watcher::Config::default()).default_backoff().touched_objects().boxed();
            while let Some(object) = seen.next().await {
                let Ok(object) = object else { continue };
                let hand = self.clone();
                tokio::spawn(async move {
                    let _slot = hand.slots.acquire().await;
                    let name = object.name_any();
                    if let Err(failure) = work(hand.clone(), object).await {
                        eprintln!("bench: {} {name}: {failure}", K::kind(&()));
                    }
                });
            }
        })
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), BENCH)
    }

    /// False where somebody else has it in hand.
    fn take(&self, what: &str) -> bool {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned())
    }

    async fn job(&self, job: Job) -> Result<(), Failure> {
        let (name, uid) = (job.name_any(), job.uid().unwrap_or_default());
        if job.metadata.deletion_timestamp.is_some() {
            return self.collect(&job).await;
        }
        let ended = job.status.as_ref().and_then(|status| status.conditions.as_ref()).is_some_and(|all| !all.is_empty());
        if ended || !self.take(&uid) {
            return Ok(());
        }
        self.pod(&job).await?;
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let condition = |type_: &str| json!({"type": type_, "status": "True", "lastProbeTime": now, "lastTransitionTime": now});
        let conditions = [condition("SuccessCriteriaMet"), condition("Complete")];
        let status = json!({"status": {
            "startTime": now, "completionTime": now, "succeeded": 1, "ready": 0, "terminating": 0,
            "uncountedTerminatedPods": {}, "conditions": conditions,
        }});
        let api: Api<Job> = self.api();
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await?;
        Ok(())
    }

    /// The Job's pod, which has ended as soon as it is there.
    async fn pod(&self, job: &Job) -> Result<(), Failure> {
        let name = job.name_any();
        let template = job.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
        let (labels, spec) = (template.metadata.and_then(|meta| meta.labels), template.spec.unwrap_or_default());
        let mut pod: Pod = serde_json::from_value(json!({"metadata": {"name": pod_of(&name)}, "spec": spec, "status": {}}))?;
        let labels = pod.metadata.labels.insert(labels.unwrap_or_default());
        labels.insert("batch.kubernetes.io/controller-uid".to_owned(), job.uid().unwrap_or_default());
        let pods: Api<Pod> = self.api();
        pods.create(&PostParams::default(), &pod).await?;
        let mut said = vec![];
        for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
            said.push(ended_container(container, &self.run(container).await?));
        }
        let last = said.split_off(spec.init_containers.iter().flatten().count());
        let status = json!({"status": {"phase": "Succeeded", "initContainerStatuses": said, "containerStatuses": last}});
        pods.patch_status(&pod_of(&name), &PatchParams::default(), &Patch::Merge(status)).await?;
        Ok(())
    }

    /// A deleted Job goes when its pods are gone.
    async fn collect(&self, job: &Job) -> Result<(), Failure> {
        if job.finalizers().is_empty() || !self.take(&format!("gone {}", job.uid().unwrap_or_default())) {
            return Ok(());
        }
        let pods: Api<Pod> = self.api();
        gone(pods.delete(&pod_of(&job.name_any()), &DeleteParams::default().grace_period(0)).await.map(drop))?;
        let jobs: Api<Job> = self.api();
        let free = json!({"metadata": {"finalizers": null}});
        gone(jobs.patch(&job.name_any(), &PatchParams::default(), &Patch::Merge(free)).await.map(drop))
    }

    /// Runs the steps of a container; its last words.
    async fn run(&self, container: &Container) -> Result<String, Failure> {
        let variables = container.env.iter().flatten();
        let input = variables.filter(|env| env.name == "TENANT_STEP_INPUT").find_map(|env| env.value.as_deref());
        let input: Value = serde_json::from_str(input.unwrap_or("{}"))?;
        let mut done = serde_json::Map::new();
        for step in container.args.iter().flatten() {
            done.insert(step.clone(), self.step(step, &input, container).await?);
        }
        Ok(json!({"ok": true, "id": input["id"], "done": done, "seconds": 0.2, "bench": 0.1}).to_string())
    }

    async fn step(&self, step: &str, input: &Value, container: &Container) -> Result<Value, Failure> {
        let site = input["site"].as_str().unwrap_or_default();
        let mut facts = match step {
            "create" => {
                self.sites.create(site);
                json!({"created": true, "repaired": [], "sha256": {"encryptionKey": "5".repeat(64)}})
            }
            "apps" => {
                let wanted: Vec<String> = serde_json::from_value(input["apps"].clone()).unwrap_or_default();
                let apps = std::iter::once("frappe".to_owned()).chain(wanted.clone());
                let apps: Vec<Value> = apps.map(|name| json!({"name": name, "version": "15.78.1"})).collect();
                json!({"apps": apps, "installed": wanted, "backup": null})
            }
            "settings" => json!({
                "setup": input["settings"]["setup"], "scheduler": true, "admin": input["settings"]["admin"]["email"],
                "earlierAdmins": [], "locked": true, "suspend": input["settings"]["suspend"], "resumed": null, "changed": [],
            }),
            "keys" => {
                let user = input["keys"]["user"].as_str().unwrap_or_default();
                let [key, secret] =
                    [self.secret(container, "TENANT_API_KEY").await?, self.secret(container, "TENANT_API_SECRET").await?];
                self.sites.set_key(site, user, &key, &secret);
                json!({"user": user, "changed": true, "proven": null, "sha256": {"key": "6".repeat(64)}})
            }
            "archive" => json!({"directory": input["archive"]["directory"], "files": 4, "bytes": 48_000_000}),
            "drop" => {
                self.sites.drop(site);
                json!({"dropped": true, "foreign": false})
            }
            "inspect" => json!({"seen": self.sites.count(), "differ": {}, "more": false, "archives": 0}),
            other => return Err(format!("the step {other} is not known here").into()),
        };
        facts["seconds"] = json!(0.1);
        facts["bench"] = json!(0.1);
        Ok(facts)
    }

    /// The value of a variable that comes from a Secret, as the kubelet reads it.
    async fn secret(&self, container: &Container, name: &str) -> Result<String, Failure> {
        let variable = container.env.iter().flatten().find(|env| env.name == name);
        let from = variable.and_then(|env| env.value_from.as_ref()?.secret_key_ref.as_ref()).ok_or("no such variable")?;
        let found = Api::<Secret>::namespaced(self.client.clone(), BENCH).get(&from.name).await?;
        let value = found.data.and_then(|mut data| data.remove(&from.key)).ok_or("no such key")?;
        Ok(String::from_utf8(value.0)?)
    }

    async fn certificate(&self, certificate: Certificate) -> Result<(), Failure> {
        let meta = &certificate.metadata;
        if meta.deletion_timestamp.is_some()
            || certificate.status.is_some()
            || !self.take(meta.uid.as_deref().unwrap_or_default())
        {
            return Ok(());
        }
        let secret = json!({
            "metadata": {"name": certificate.spec.secret_name, "labels": certificate.spec.secret_template.labels},
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": "-".repeat(1500), "tls.key": "-".repeat(230)},
        });
        let secrets: Api<Secret> = self.api();
        secrets.create(&PostParams::default(), &serde_json::from_value(secret)?).await?;
        let status = json!({"status": {
            "notAfter": "2035-01-01T00:00:00Z", "revision": 1,
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "Ready", "message": "Certificate is up to date and has not expired",
                "observedGeneration": meta.generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
        }});
        let api: Api<Certificate> = self.api();
        gone(api.patch_status(&certificate.name_any(), &PatchParams::default(), &Patch::Merge(status)).await.map(drop))
    }

    async fn ingress(&self, ingress: Ingress) -> Result<(), Failure> {
        let taken_up = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref()).is_some();
        if taken_up || ingress.metadata.deletion_timestamp.is_some() || !self.take(&ingress.uid().unwrap_or_default()) {
            return Ok(());
        }
        let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}});
        let api: Api<Ingress> = self.api();
        gone(api.patch_status(&ingress.name_any(), &PatchParams::default(), &Patch::Merge(status)).await.map(drop))
    }

    async fn deployment(&self, deployment: Deployment) -> Result<(), Failure> {
        let available = deployment.status.as_ref().and_then(|status| status.available_replicas).unwrap_or_default();
        if available > 0 || deployment.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        let status = json!({"status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1}});
        let api: Api<Deployment> = self.api();
        gone(api.patch_status(&deployment.name_any(), &PatchParams::default(), &Patch::Merge(status)).await.map(drop))
    }
}

fn pod_of(job: &str) -> String {
    format!("{job}-0")
}

fn ended_container(container: &Container, message: &str) -> Value {
    json!({
        "name": container.name, "image": container.image, "imageID": "sha256:0", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "reason": "Completed", "message": message}},
    })
}

/// Taken away meanwhile is as good.
pub fn gone(result: kube::Result<()>) -> Result<(), Failure> {
    match result {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => Ok(other?),
    }
}

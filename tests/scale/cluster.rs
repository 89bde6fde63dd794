//! The cluster before anything is measured: the kinds it serves, a Bench that answers at once, a plan; and how much of what is in it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::NamespaceResourceScope;
use kube::{Client, Config, Resource, ResourceExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenant_operator::api::{Bench, Tenant, TenantClaim, TenantPlan};
use tenant_operator::core::manifests::foreign::Certificate;
use tenant_operator::world::live::pages::each;

use crate::crowd::patience;
use crate::hands::{Hands, gone};
use crate::objects::{bench, gunicorn, tenant};
use crate::operator::Operator;
use crate::site::Sites;
use crate::tls::Authority;
use crate::{Failure, number};

pub const BENCH: &str = "bench";
pub const CUSTOMERS: &str = "customers";
/// As many clients of our own as create or delete at once.
const CLIENTS: usize = 8;
const PAGE: u32 = 500;
const SOON: Duration = Duration::from_secs(60);

pub struct Cluster {
    pub dir: PathBuf,
    pub client: Client,
    pub sites: Sites,
}

impl Cluster {
    pub async fn start(dir: PathBuf) -> Result<Self, Failure> {
        let client = connect(&dir, "bench").await?;
        let cluster = Self { dir, client, sites: Sites::default() };
        for name in [BENCH, CUSTOMERS, "tenant-operator"] {
            cluster.make(&Api::all(cluster.client.clone()), json!({"metadata": {"name": name}}), None::<&Namespace>).await?;
        }
        cluster.kinds().await?;
        let authority = Authority::new()?;
        let (edge, web) = cluster.sites.serve(&authority).await?;
        cluster.furnish(&authority.pem, edge, web).await?;
        Ok(cluster)
    }

    pub fn hands(&self) -> Hands {
        Hands::new(self.client.clone(), self.sites.clone())
    }

    /// Our own, and what of cert-manager is written and read here.
    async fn kinds(&self) -> Result<(), Failure> {
        let text = format!("{}\n---\n{}", tenant_operator::api::crds_yaml(), include_str!("certificate.yaml"));
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let mut names = vec![];
        for document in serde_yaml::Deserializer::from_str(&text) {
            let crd = Value::deserialize(document)?;
            names.push(crd["metadata"]["name"].as_str().ok_or("a definition without a name")?.to_owned());
            self.make(&api, crd, None::<&CustomResourceDefinition>).await?;
        }
        let end = Instant::now() + SOON;
        for name in names {
            let served = |crd: &CustomResourceDefinition| {
                let conditions = crd.status.as_ref().and_then(|status| status.conditions.as_ref());
                conditions.into_iter().flatten().any(|condition| condition.type_ == "Established" && condition.status == "True")
            };
            while !served(&api.get(&name).await?) {
                pause(end, "served definitions").await?;
            }
        }
        Ok(())
    }

    async fn furnish(&self, authority: &str, edge: u16, web: u16) -> Result<(), Failure> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), BENCH);
        let secret = |name: &str, data: Value| json!({"metadata": {"name": name}, "stringData": data});
        self.make(&secrets, secret("database", json!({"password": "hunter2"})), None::<&Secret>).await?;
        self.make(&secrets, secret("master-token", json!({"api-key": "k", "api-secret": "s"})), None::<&Secret>).await?;
        self.make(&secrets, secret("authority", json!({"ca.crt": authority})), None::<&Secret>).await?;
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), BENCH);
        self.make(&deployments, gunicorn(), None::<&Deployment>).await?;
        let plans: Api<TenantPlan> = Api::all(self.client.clone());
        let plan = json!({"metadata": {"name": "starter"}, "spec": {"setup": "Skip", "apps": [{"name": "erpnext"}]}});
        self.make(&plans, plan, None::<&TenantPlan>).await?;
        let benches: Api<Bench> = Api::namespaced(self.client.clone(), BENCH);
        for name in bench_names() {
            self.make(&benches, bench(&name, edge, web), None::<&Bench>).await?;
        }
        Ok(())
    }

    async fn make<K>(&self, api: &Api<K>, mut object: Value, _: Option<&K>) -> Result<(), Failure>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + serde::Serialize,
    {
        object["apiVersion"] = json!(K::api_version(&()));
        object["kind"] = json!(K::kind(&()));
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        api.patch(&name, &PatchParams::apply("bench").force(), &Patch::Apply(object)).await?;
        Ok(())
    }

    pub async fn benches_are_ready(&self) -> Result<(), Failure> {
        let _hands = self.hands();
        let benches: Api<Bench> = Api::namespaced(self.client.clone(), BENCH);
        let end = Instant::now() + patience(bench_names().len());
        let ready = |bench: &Bench| {
            let conditions = bench.status.as_ref().map(|status| &status.conditions);
            conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
        };
        while !benches.list(&ListParams::default()).await?.items.iter().all(ready) {
            pause(end, "Benches that are Ready").await?;
        }
        Ok(())
    }

    pub fn tenants(&self) -> Api<Tenant> {
        Api::namespaced(self.client.clone(), CUSTOMERS)
    }

    /// Applies them as fast as the API server takes them.
    pub async fn apply(&self, names: &[String]) -> Result<(), Failure> {
        let api = &self.tenants();
        let all = stream::iter(names).map(|name| async move {
            let tenant: Tenant = serde_json::from_value(tenant(name))?;
            api.create(&PostParams::default(), &tenant).await?;
            Ok::<_, Failure>(())
        });
        all.buffer_unordered(CLIENTS).try_collect::<Vec<()>>().await.map(drop)
    }

    pub async fn delete(&self, names: &[String]) -> Result<(), Failure> {
        let api = &self.tenants();
        let all = stream::iter(names).map(|name| async move { gone(api.delete(name, &DeleteParams::default()).await.map(drop)) });
        all.buffer_unordered(CLIENTS).try_collect::<Vec<()>>().await.map(drop)
    }

    /// How many Tenants are there, and how many of them are Ready; asked of the API server, page by page.
    pub async fn census(&self) -> Result<(usize, usize), Failure> {
        let (mut all, mut ready) = (0, 0);
        let count = |tenant: Tenant| {
            all += 1;
            ready += usize::from(is_ready(&tenant));
        };
        each(&self.tenants(), ListParams::default(), count).await?;
        Ok((all, ready))
    }

    /// What there is of each kind that a tenant may leave behind. A Job that has ended goes by its own time to live.
    pub async fn left(&self) -> Result<Value, Failure> {
        let claims: Api<TenantClaim> = Api::all(self.client.clone());
        let ours = "tenancy.nexuserp.io/id";
        Ok(json!({
            "tenants": self.census().await?.0,
            "claims": count(&claims, "").await?,
            "secrets": count(&self.api::<Secret>(BENCH), ours).await? + count(&self.api::<Secret>(CUSTOMERS), ours).await?,
            "ingresses": count(&self.api::<Ingress>(BENCH), ours).await?,
            "certificates": count(&self.api::<Certificate>(BENCH), ours).await?,
            "jobs": count(&self.api::<Job>(BENCH), ours).await?,
            "pods": count(&self.api::<Pod>(BENCH), ours).await?,
            "sites": self.sites.count(),
            "rows": self.sites.rows(),
        }))
    }

    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// As time does with Jobs that have ended.
    pub async fn remove_ended_jobs(&self) -> Result<(), Failure> {
        let (jobs, pods) = (self.api::<Job>(BENCH), self.api::<Pod>(BENCH));
        let names: Vec<String> =
            jobs.list_metadata(&ListParams::default()).await?.items.iter().map(ResourceExt::name_any).collect();
        let (jobs, pods) = (&jobs, &pods);
        let all = stream::iter(names).map(|name| async move {
            gone(jobs.delete(&name, &DeleteParams::background()).await.map(drop))?;
            gone(pods.delete(&format!("{name}-0"), &DeleteParams::default().grace_period(0)).await.map(drop))
        });
        all.buffer_unordered(CLIENTS).try_collect::<Vec<()>>().await.map(drop)
    }

    /// Waits until all of them are Ready in the operator's own count, and asks the API server whether that is true.
    pub async fn await_ready(&self, operator: &Operator, wanted: usize, within: Duration) -> Result<Duration, Failure> {
        let began = Instant::now();
        let end = began + within;
        loop {
            if operator.ready().await.unwrap_or_default() >= wanted {
                break;
            }
            if Instant::now() > end {
                return Err(format!("{:?} of {wanted} tenants Ready after {within:?}", self.census().await?).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let took = began.elapsed();
        // Events, and statuses that a last condition changes, may still be on their way.
        tokio::time::sleep(Duration::from_millis(500)).await;
        match self.census().await? {
            (_, ready) if ready >= wanted => Ok(took),
            census => Err(format!("the operator says {wanted} are Ready, the API server {census:?}").into()),
        }
    }
}

async fn count<K>(api: &Api<K>, selector: &str) -> Result<usize, Failure>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let (mut all, mut page) = (0, ListParams::default().labels(selector).limit(PAGE));
    loop {
        let list = api.list_metadata(&page).await?;
        all += list.items.len();
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(all),
        }
    }
}

pub fn is_ready(tenant: &Tenant) -> bool {
    let current = tenant.status.as_ref().filter(|status| status.observed_generation == tenant.metadata.generation);
    let conditions = current.map(|status| &status.conditions);
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// A short one, or an error once the time is over.
pub async fn pause(end: Instant, what: &str) -> Result<(), Failure> {
    if Instant::now() > end {
        return Err(format!("no {what} in time").into());
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(())
}

/// As a user of the kubeconfig of that name.
pub async fn connect(dir: &std::path::Path, user: &str) -> Result<Client, Failure> {
    let file = Kubeconfig::read_from(dir.join(user))?;
    Ok(Client::try_from(Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?)?)
}

/// The tenants are placed on them by the operator.
fn bench_names() -> Vec<String> {
    names("bench", number("BENCHES", 1))
}

pub fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number:05}")).collect()
}

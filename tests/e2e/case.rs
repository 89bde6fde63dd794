//! The frame around every test: who else may run meanwhile, what it made, and that all of it goes again, whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tenant_operator::api::{Bench, BenchRef, BenchSpec, Tenant, TenantPlan};
use tenant_operator::core::names::annotation;
use tokio::sync::RwLock;

use crate::bench::{Place, token};
use crate::edge::Door;
use crate::history::{self, History};
use crate::inside::Inside;
use crate::lab::{self, CUSTOMERS, Lab};
use crate::wait::within;

/// A tenant with ERPNext takes 10 to 20 s alone; here several share two cores.
pub const READY: Duration = Duration::from_secs(180);
/// The way down of an archived tenant waits 60 s until no worker believes its cached config.
pub const GONE: Duration = Duration::from_secs(180);

/// Whom a test bears beside itself.
#[derive(Clone, Copy, Debug)]
pub enum Company {
    /// Tests of any kind: it only uses the benches of this namespace.
    On(&'static str),
    /// It takes the bench of this namespace down.
    AloneOn(&'static str),
    /// It kills the operator, or counts what it does.
    Alone,
}

static OPERATOR: RwLock<()> = RwLock::const_new(());
static ERP: RwLock<()> = RwLock::const_new(());
static ERP16: RwLock<()> = RwLock::const_new(());

fn lock(namespace: &str) -> &'static RwLock<()> {
    if namespace == "erp" { &ERP } else { &ERP16 }
}

pub struct Case {
    pub lab: Lab,
    /// Begins the name of everything the test makes.
    pub name: String,
    pub(super) tenants: Mutex<Vec<(String, String)>>,
    /// Tenants' ids, with the place and the subdomain.
    pub(super) ids: Mutex<BTreeSet<(String, &'static str, String)>>,
    pub(super) benches: Mutex<Vec<(String, Place)>>,
    pub(super) plans: Mutex<Vec<String>>,
    pub(super) secrets: Mutex<Vec<(String, String)>>,
    pub(super) last: Mutex<Vec<Last>>,
}

/// What a test puts right itself, first of all.
type Last = Box<dyn FnOnce(&Case) + Send>;

/// Runs a test in the lab; elsewhere it says that it does not. `stem` is short: it begins names.
pub fn run(stem: &str, company: Company, body: impl AsyncFnOnce(&Case)) {
    let Some(dir) = lab::dir(stem) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let _bench;
        let _benches;
        let _alone;
        let _operator;
        match company {
            Company::Alone => _alone = OPERATOR.write().await,
            Company::On(namespace) => {
                _operator = OPERATOR.read().await;
                _bench = lock(namespace).read().await;
            }
            Company::AloneOn(namespace) => {
                _operator = OPERATOR.read().await;
                _benches = lock(namespace).write().await;
            }
        }
        whole(dir, stem, body).await;
    });
}

async fn whole(dir: PathBuf, stem: &str, body: impl AsyncFnOnce(&Case)) {
    let case = Case::new(dir, &format!("e2e-{stem}")).await;
    let outcome = AssertUnwindSafe(body(&case)).catch_unwind().await;
    if outcome.is_err() {
        case.explain(&all(&case.tenants)).await;
    }
    let cleaned = AssertUnwindSafe(case.clean()).catch_unwind().await;
    if let Err(panic) = outcome.and(cleaned) {
        resume_unwind(panic);
    }
}

fn add<T>(list: &Mutex<Vec<T>>, one: T) {
    list.lock().unwrap().push(one);
}

pub fn all<T: Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
    list.lock().unwrap().clone()
}

impl Case {
    pub async fn new(dir: PathBuf, stem: &str) -> Self {
        Self {
            lab: Lab::connect(dir).await,
            name: format!("{stem}-{:04x}", rand::random::<u16>()),
            tenants: Mutex::default(),
            ids: Mutex::default(),
            benches: Mutex::default(),
            plans: Mutex::default(),
            secrets: Mutex::default(),
            last: Mutex::default(),
        }
    }

    pub fn tenants(&self, namespace: &str) -> Api<Tenant> {
        Api::namespaced(self.lab.client.clone(), namespace)
    }

    pub fn inside(&self, place: &Place) -> Inside<'_> {
        Inside { lab: &self.lab, namespace: place.namespace }
    }

    /// A Bench of the test's own, once tenants can be placed on it.
    pub async fn bench(&self, place: Place) -> BenchRef {
        let bench = self.bench_as(place, |_| ()).await;
        self.bench_says(&bench, "Serving", "").await;
        bench
    }

    /// One that is other than the examples, whatever comes of it.
    pub async fn bench_as(&self, place: Place, change: impl FnOnce(&mut BenchSpec)) -> BenchRef {
        let name = format!("{}-{}", self.name, all(&self.benches).len());
        if place.master_in != place.namespace {
            let known = self.lab.secret(place.master_in, "master-token").await.expect("the Master's token");
            self.secret_of(place.namespace, &token(&name), &known).await;
        }
        let api = Api::<Bench>::namespaced(self.lab.client.clone(), place.namespace);
        let mut bench = place.bench(&name);
        change(&mut bench.spec);
        create(&api, &bench).await;
        add(&self.benches, (name.clone(), place));
        BenchRef { name, namespace: place.namespace.to_owned() }
    }

    /// Once the Bench's Ready has this reason, and these words in its message.
    pub async fn bench_says(&self, bench: &BenchRef, reason: &str, words: &str) {
        let api = Api::<Bench>::namespaced(self.lab.client.clone(), &bench.namespace);
        let so = |bench: Option<&Bench>| {
            let said =
                bench.and_then(|bench| bench.status.as_ref()).map(|status| status.conditions.as_slice()).unwrap_or_default();
            said.iter().any(|one| one.type_ == "Ready" && one.reason == reason && one.message.contains(words))
        };
        within(Duration::from_secs(60), &format!("{reason} of Bench {}", bench.name), await_condition(api, &bench.name, so))
            .await;
    }

    /// Asks for an inspection of the Bench's sites now.
    pub async fn inspect(&self, bench: &BenchRef) {
        let api = Api::<Bench>::namespaced(self.lab.client.clone(), &bench.namespace);
        let patch = json!({"metadata": {"annotations": {annotation::INSPECT_AT: Timestamp::now().to_string()}}});
        let asked = api.patch(&bench.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        asked.unwrap_or_else(|error| panic!("an inspection of {}: {error}", bench.name));
    }

    /// Under the test's own name.
    pub async fn plan(&self, plan: fn(&str) -> TenantPlan) -> String {
        create(&Api::all(self.lab.client.clone()), &plan(&self.name)).await;
        add(&self.plans, self.name.clone());
        self.name.clone()
    }

    pub async fn secret(&self, namespace: &str, name: &str, key: &str, value: &str) {
        self.secret_of(namespace, name, &[(key.to_owned(), value.to_owned())].into()).await;
    }

    async fn secret_of(&self, namespace: &str, name: &str, values: &BTreeMap<String, String>) {
        let secret = json!({"metadata": {"name": name}, "stringData": values});
        let api = Api::<Secret>::namespaced(self.lab.client.clone(), namespace);
        create(&api, &serde_json::from_value(secret).expect("a Secret")).await;
        add(&self.secrets, (namespace.to_owned(), name.to_owned()));
    }

    pub async fn apply(&self, tenant: &Tenant) {
        let namespace = tenant.namespace().expect("a namespace");
        add(&self.tenants, (namespace.clone(), tenant.name_any()));
        create(&self.tenants(&namespace), tenant).await;
    }

    /// Of a Tenant among the customers.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        limit: Duration,
        done: impl Fn(Option<&Tenant>) -> bool,
    ) -> (Option<Tenant>, History) {
        history::follow(&self.tenants(CUSTOMERS), name, what, limit, done).await
    }

    /// The Tenant once it is Ready, and its way there.
    pub async fn ready(&self, place: &Place, name: &str) -> (Tenant, History) {
        let (tenant, history) = self.until(name, "Ready", READY, history::ready).await;
        let tenant = tenant.expect("a Tenant");
        self.remember(place, name, &id(&tenant));
        (tenant, history)
    }

    pub fn remember(&self, place: &Place, subdomain: &str, id: &str) {
        let mut ids = self.ids.lock().unwrap();
        ids.insert((id.to_owned(), place.namespace, place.api_host(subdomain)));
    }

    /// Merges a change into a Tenant among the customers.
    pub async fn change(&self, name: &str, patch: serde_json::Value) {
        let changed = self.tenants(CUSTOMERS).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        changed.unwrap_or_else(|error| panic!("a change of {name}: {error}"));
    }

    /// Deletes a Tenant among the customers, and returns once its object is gone.
    pub async fn delete(&self, name: &str) -> History {
        self.tenants(CUSTOMERS).delete(name, &DeleteParams::default()).await.expect("a deletion");
        self.until(name, "gone", GONE, |tenant| tenant.is_none()).await.1
    }

    /// The API host with the key from the tenant's Secret.
    pub async fn api(&self, place: &Place, name: &str) -> Door {
        self.api_of(CUSTOMERS, place, name).await
    }

    /// The same of a Tenant in any namespace.
    pub async fn api_of(&self, namespace: &str, place: &Place, name: &str) -> Door {
        let key = self.lab.secret(namespace, &format!("{name}-credentials")).await.expect("the tenant's Secret");
        Door::public(&self.lab, &place.api_host(name)).await.with_key(&key["api-key"], &key["api-secret"])
    }

    /// Puts something right when the test ends, however it ends.
    pub fn finally(&self, undo: impl FnOnce(&Case) + Send + 'static) {
        add(&self.last, Box::new(undo));
    }

    /// What a person needs who reads that a test failed.
    pub async fn explain(&self, tenants: &[(String, String)]) {
        for (namespace, name) in tenants {
            let tenant = self.tenants(namespace).get_opt(name).await.ok().flatten();
            eprintln!("Tenant {namespace}/{name}: {}", history::words(tenant.as_ref()));
        }
        for (_, place) in all(&self.benches) {
            let names: Vec<&str> = tenants.iter().map(|(_, name)| name.as_str()).collect();
            let of_tenant = format!("tenancy.nexuserp.io/tenant in ({})", names.join(","));
            let namespace = place.namespace;
            for what in [&["get", "jobs,pods", "-o", "wide"][..], &["logs", "--all-containers", "--prefix", "--tail=20"]] {
                let output = self.lab.kubectl(&[what, &["-n", namespace, "-l", &of_tenant]].concat(), "");
                eprintln!("{}", output.unwrap_or_else(|complaint| complaint));
            }
        }
        let log = self
            .lab
            .kubectl(&["logs", "-n", lab::OPERATOR, "deploy/tenant-operator", "--tail=300"], "")
            .unwrap_or_else(|complaint| complaint);
        eprintln!("the operator's log of tenants of this test:");
        for line in log.lines().filter(|line| line.contains(&self.name)).rev().take(15) {
            eprintln!("{}", line.chars().take(400).collect::<String>());
        }
    }
}

pub fn id(tenant: &Tenant) -> String {
    tenant.status.as_ref().and_then(|status| status.id.clone()).expect("an id")
}

async fn create<K>(api: &Api<K>, object: &K)
where
    K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned,
{
    api.create(&PostParams::default(), object)
        .await
        .unwrap_or_else(|error| panic!("{} {}: {error}", K::kind(&()), object.name_any()));
}

//! One fault and those whom it strikes: who comes, who leaves, and what becomes of them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use kube::ResourceExt;
use tenant_operator::api::Tenant;

use crate::blow;
use crate::case::id;
use crate::history;
use crate::lab::{CUSTOMERS, Lab};
use crate::scene::{Guest, Scene};
use crate::{patience, remains};

/// The longest that a fault may take to be survived.
pub const LIMIT: Duration = Duration::from_secs(240);

pub struct Fault<'a> {
    pub scene: &'a Scene,
    name: Mutex<String>,
    /// Names of its tenants.
    tenants: Mutex<Vec<String>>,
    begun: Instant,
    /// The namespaces of benches whose settled tenants may say that something is away.
    hurt: Mutex<Vec<&'static str>>,
}

impl<'a> Fault<'a> {
    pub fn new(scene: &'a Scene, name: &str) -> Self {
        let (tenants, hurt) = Default::default();
        Self { scene, name: Mutex::new(name.to_owned()), tenants, begun: Instant::now(), hurt }
    }

    pub async fn whole(&self, body: impl AsyncFnOnce(&Self) -> Option<Duration>) -> Option<Duration> {
        let took = body(self).await?;
        let hurt = self.hurt.lock().unwrap().clone();
        let lost = self.scene.settled.lost_since(self.begun, |at| !hurt.contains(&self.scene.grounds[at].place.namespace));
        assert!(lost.is_empty(), "a settled tenant was not Ready: {}", lost.join("; "));
        self.scene.settled.are_ready(&self.scene.case).await;
        Some(took)
    }

    pub fn lab(&self) -> &Lab {
        &self.scene.case.lab
    }

    pub fn name(&self) -> String {
        self.name.lock().unwrap().clone()
    }

    /// What exactly was struck is often known only then.
    pub fn add_to_name(&self, words: &str) {
        self.name.lock().unwrap().push_str(words);
    }

    pub fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// A tenant that is served by what is taken away may say so.
    pub fn may_hurt_those_on(&self, namespace: &'static str) {
        self.hurt.lock().unwrap().push(namespace);
    }

    /// Applies a new Tenant.
    pub async fn come(&self, at: usize) -> String {
        let case = &self.scene.case;
        let name = self.scene.new_name();
        self.note(&name);
        let tenant: Tenant = self.scene.tenant(at, &name);
        case.tenants.lock().unwrap().push((CUSTOMERS.to_owned(), tenant.name_any()));
        patience::create(&case.tenants(CUSTOMERS), &tenant).await;
        name
    }

    pub async fn ready(&self, at: usize, name: &str) -> Guest {
        let case = &self.scene.case;
        let (tenant, _) = case.until(name, "Ready", LIMIT, history::ready).await;
        let id = id(&tenant.expect("a Tenant"));
        case.remember(&self.scene.grounds[at].place, name, &id);
        Guest { name: name.to_owned(), id, at }
    }

    /// One that was Ready before.
    pub async fn spare(&self, at: usize) -> Guest {
        if let Some(guest) = self.scene.spare(at) {
            self.note(&guest.name);
            return guest;
        }
        let name = self.come(at).await;
        self.ready(at, &name).await
    }

    fn note(&self, name: &str) {
        self.tenants.lock().unwrap().push(name.to_owned());
    }

    pub async fn leave(&self, name: &str) {
        patience::delete(&self.scene.case.tenants(CUSTOMERS), name).await;
    }

    pub async fn gone(&self, name: &str) {
        self.scene.case.until(name, "gone", LIMIT, |tenant| tenant.is_none()).await;
    }

    /// Panics with what is left of one that is gone.
    pub async fn nothing_left(&self, guest: &Guest) {
        let case = &self.scene.case;
        remains::nothing(case, &self.scene.grounds[guest.at].place, &guest.name, &guest.id).await;
        case.forget(&guest.name, &guest.id);
    }

    /// What a person needs who reads that a fault was not survived, and the way free for the next one. Says what was left.
    pub async fn explain_and_remove(&self) -> String {
        let case = &self.scene.case;
        blow::mend(&case.lab);
        let names = self.tenants.lock().unwrap().clone();
        let tenants: Vec<(String, String)> = names.iter().map(|name| (CUSTOMERS.to_owned(), name.clone())).collect();
        if tenants.is_empty() {
            return "nothing".to_owned();
        }
        case.explain(&tenants).await;
        let theirs = |site: &str| names.iter().any(|name| site.contains(name.as_str()));
        let mut left = vec![];
        let ids = case.ids.lock().unwrap().clone();
        for (id, ..) in ids.iter().filter(|(_, _, site)| theirs(site)) {
            left.extend(remains::listed(&case.lab.client, id).await);
        }
        left.extend(case.clean_tenants(&tenants, theirs).await);
        for (id, ..) in ids.iter().filter(|(_, _, site)| theirs(site)) {
            case.ids.lock().unwrap().retain(|(other, ..)| other != id);
        }
        case.tenants.lock().unwrap().retain(|(_, name)| !names.contains(name));
        if left.is_empty() { "nothing".to_owned() } else { left.join(", ") }
    }
}

/// One comes and one leaves; while they do, the blow falls. It returns when it has passed, from where the recovery counts.
pub async fn in_flight(
    fault: &Fault<'_>,
    at: usize,
    after: Duration,
    blow: impl AsyncFnOnce(&Fault<'_>) -> Instant,
) -> Option<Duration> {
    let leaving = fault.spare(at).await;
    let name = fault.come(at).await;
    fault.leave(&leaving.name).await;
    tokio::time::sleep(after).await;
    let passed = blow(fault).await;
    let (came, ()) = tokio::join!(fault.ready(at, &name), fault.gone(&leaving.name));
    let took = passed.elapsed();
    fault.nothing_left(&leaving).await;
    fault.scene.keep(came);
    Some(took)
}

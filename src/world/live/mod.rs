//! The real world: the cluster by its API, the bench and the Master by HTTP, the edge from outside.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::{Client, Resource};

use self::recent::Recent;
use self::shelf::Extracts;
use self::shelves::Shelves;
use super::gate::Gate;
use super::http::registry::Fields;
use super::{Effect, Error, World};
use crate::api::BenchRef;
use crate::core::carried::Carried;
use crate::core::names::label;
use crate::core::op::{Change, Op};
use crate::core::seen::{Seen, WorkSeen};
use crate::core::stages::{Stage, Way};
use crate::core::steps::Step;
use crate::core::subject::Subject;

mod children;
mod claims;
mod custody;
mod inputs;
mod inspection;
mod jobs;
mod outside;
pub mod pages;
mod recent;
mod secrets;
pub mod shelf;
pub mod shelves;
pub mod streamed;
mod templates;
pub mod trust;
mod values;
mod watched;
mod words;
mod work;

/// So long, what belongs to a whole Bench is not asked for again.
const BRIEFLY: Duration = Duration::from_secs(10);

pub struct Live {
    client: Client,
    pub gate: Arc<Gate>,
    /// What watches have told of.
    pub shelves: Shelves,
    /// What each Bench has to know of its tenants.
    carried: Mutex<HashMap<BenchRef, Extracts<Option<Carried>>>>,
    /// The Bench's own Secrets where they can't be watched, by namespace and name.
    secrets: Recent<(String, String), Secret>,
    /// What Jobs' pods are made after.
    sources: Recent<(String, String), Deployment>,
    /// Where the program of the steps is.
    programs: Recent<String, ()>,
    /// What the Masters' DocTypes have.
    fields: Recent<(String, String), Fields>,
    outside: outside::Outside,
    /// What was seen of a tenant's work in this pass: four stages look at the same things.
    work: Mutex<HashMap<String, WorkSeen>>,
}

impl Live {
    pub fn new(client: Client, gate: Arc<Gate>) -> Result<Self, Error> {
        Ok(Self {
            client,
            gate,
            shelves: Shelves::default(),
            carried: Mutex::default(),
            secrets: Recent::new(BRIEFLY),
            sources: Recent::new(BRIEFLY),
            programs: Recent::new(BRIEFLY),
            fields: Recent::new(BRIEFLY),
            outside: outside::Outside::new()?,
            work: Mutex::default(),
        })
    }

    /// Drops what is remembered of a tenant in memory: at the start of a pass, and after everything that was done.
    fn forget(&self, id: &str) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Before a pass on the way up: what the status says that an earlier process has left counts once.
    pub fn trust(&self, id: &str, said: impl FnOnce() -> trust::Said) {
        if self.shelves.listen() {
            self.outside.trust(id, said);
        }
    }

    /// A pass over the tenant is over.
    pub fn seen(&self, id: &str) {
        self.forget(id);
        self.outside.seen(id);
    }

    /// How long the tenant's last probe is good for yet.
    pub fn probe_due(&self, id: &str, interval: Duration) -> Option<Duration> {
        self.outside.good_for(id, interval)
    }

    /// A tenant that is gone leaves nothing in memory.
    pub fn dismiss(&self, id: &str) {
        self.gate.leave(id);
        self.forget(id);
        self.outside.dismiss(id);
    }

    /// What was seen of it before says nothing when it comes again.
    pub fn forget_looks(&self, id: &str) {
        self.forget(id);
        self.outside.forget(id);
    }
}

impl World for Live {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn observe(&self, stage: Stage, way: Way, who: &Subject) -> Result<Seen, Error> {
        if way.stages().first() == Some(&stage) {
            self.forget(&who.id);
        }
        Ok(match stage {
            Stage::Claim => Seen::Claims(self.see_claims(who).await?),
            Stage::Routes => Seen::Routes(self.see_routes(who).await?),
            Stage::Dns => Seen::Dns(self.see_dns(way, who).await?),
            Stage::Certificate => Seen::Certificate(self.see_certificate(way, who).await?),
            Stage::Site | Stage::Apps | Stage::Settings | Stage::Keys => Seen::Work(self.see_work(stage, way, who).await?),
            Stage::Probe => Seen::Probe(self.see_probe(way, who).await?),
            Stage::Registry => Seen::Registry(self.see_registry(way, who).await?),
        })
    }

    async fn execute(&self, op: &Op, who: &Subject) -> Result<Effect, Error> {
        if changes_work(op) {
            self.forget(&who.id);
        }
        match op {
            Op::TakeClaims(claims) => return self.take_claims(who, claims).await,
            Op::TakeOver(handover) => return self.take_over(who, handover).await,
            Op::ReleaseClaims(names) => self.release_claims(&who.id, names).await?,
            Op::Remember(change) => return self.remember(who, change).await,
            Op::EnsureCustody => self.ensure_custody(who).await?,
            Op::DropPairs(serials) => self.drop_pairs(who, serials).await?,
            Op::RemoveCustody => self.remove_secret(who, &who.bench.namespace, &crate::core::names::custody(&who.id)).await?,
            Op::CopyInputs => self.copy_inputs(who).await?,
            Op::RemoveInputs => self.remove_secret(who, &who.bench.namespace, &crate::core::names::inputs(&who.id)).await?,
            Op::StartJob(plan) => self.start_job(who, plan).await?,
            Op::RemoveJob(name) => self.remove_job(who, name).await?,
            Op::Apply(child) => self.apply_child(who, child).await?,
            Op::Remove(child) => self.remove_child(who, child).await?,
            Op::PublishKeys => self.publish(who).await?,
            Op::RemovePublished => self.remove_secret(who, &who.tenant.namespace, &who.credentials_secret).await?,
            Op::WriteRow(row) => self.write_row(who, row).await?,
            Op::RemoveRow => self.remove_row(who).await?,
        }
        Ok(Effect::None)
    }
}

/// Whether what site, apps, settings and keys look at may be another after the op. A receipt changes none of it, but that of a proof
/// says what should be published; one that is forgotten or stale makes them look at Jobs again, another pair at custody.
fn changes_work(op: &Op) -> bool {
    match op {
        Op::Remember(Change::Receipts(receipts)) => receipts.contains_key(&Step::Proof),
        Op::Remember(change) => {
            matches!(change, Change::Forget(_) | Change::Stale(_) | Change::Rotation(_) | Change::Database(_))
        }
        Op::TakeClaims(_)
        | Op::TakeOver(_)
        | Op::ReleaseClaims(_)
        | Op::Apply(_)
        | Op::Remove(_)
        | Op::WriteRow(_)
        | Op::RemoveRow => false,
        Op::EnsureCustody
        | Op::DropPairs(_)
        | Op::RemoveCustody
        | Op::CopyInputs
        | Op::RemoveInputs
        | Op::StartJob(_)
        | Op::RemoveJob(_)
        | Op::PublishKeys
        | Op::RemovePublished => true,
    }
}

/// Whether an object is this tenant's.
fn carries<K: Resource>(object: &K, id: &str) -> bool {
    object.meta().labels.as_ref().and_then(|labels| labels.get(label::ID)).is_some_and(|label| label == id)
}

/// Whether a write that was answered so may have been done all the same, or stands against something that was not known.
fn is_open(error: &kube::Error) -> bool {
    !matches!(error, kube::Error::Api(status) if (400..500).contains(&status.code) && ![404, 409].contains(&status.code))
}

/// Deleted already, or deleted and made anew by somebody else: in both cases ours is gone.
fn absent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_not_found() || status.is_conflict())
}

//! The real world: the cluster by its API, the bench and the Master by HTTP, the edge from outside.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kube::{Client, Resource};

use super::gate::Gate;
use super::{Effect, Error, World};
use crate::core::names::label;
use crate::core::op::{Change, Op};
use crate::core::seen::{Seen, WorkSeen};
use crate::core::stages::{Stage, Way};
use crate::core::steps::Step;
use crate::core::subject::Subject;

mod children;
mod claims;
mod custody;
mod inspection;
mod jobs;
mod outside;
mod secrets;
mod templates;
mod work;

pub struct Live {
    client: Client,
    pub gate: Arc<Gate>,
    outside: outside::Outside,
    /// What was seen of a tenant's work in this pass: four stages look at the same things.
    work: Mutex<HashMap<String, WorkSeen>>,
}

impl Live {
    pub fn new(client: Client, gate: Arc<Gate>) -> Result<Self, Error> {
        Ok(Self { client, gate, outside: outside::Outside::new()?, work: Mutex::default() })
    }

    /// Drops what is remembered of a tenant in memory: at the start of a pass, and after everything that was done.
    fn forget(&self, id: &str) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// A tenant that is gone leaves nothing in memory.
    pub fn dismiss(&self, id: &str) {
        self.forget(id);
        self.gate.leave(id);
        self.outside.forget(id);
    }
}

impl World for Live {
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
            Stage::Registry => Seen::Registry(self.see_registry(who).await?),
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

/// Deleted already, or deleted and made anew by somebody else: in both cases ours is gone.
fn absent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_not_found() || status.is_conflict())
}

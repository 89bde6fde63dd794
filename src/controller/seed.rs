//! What the controller's own cache keeps of a Tenant: by whom it is woken. All else of it stands on a shelf, where it takes little room.

use std::borrow::Cow;
use std::sync::Arc;

use kube::Resource;
use kube::core::{NamespaceResourceScope, ObjectMeta};
use kube::runtime::controller::Action;
use kube::runtime::watcher::Event;
use serde::{Deserialize, Serialize};

use super::tenant::{self, Reconciler};
use crate::api::{BenchRef, Tenant};
use crate::core::subject::ObjectName;
use crate::world::Error;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seed {
    /// Its name, and which of those that bore it.
    metadata: ObjectMeta,
    /// The Bench that it is on, and by what its site is known there.
    pub bench: Option<BenchRef>,
    pub id: Option<String>,
}

impl Seed {
    pub fn of(tenant: &Tenant) -> Self {
        let Tenant { metadata, status, .. } = tenant;
        let metadata = ObjectMeta {
            name: metadata.name.clone(),
            namespace: metadata.namespace.clone(),
            uid: metadata.uid.clone(),
            ..Default::default()
        };
        let (bench, id) = status.as_ref().map(|status| (status.bench.clone(), status.id.clone())).unwrap_or_default();
        Self { metadata, bench, id }
    }

    /// The same event of seeds.
    pub fn event(of: &Event<Tenant>) -> Event<Self> {
        match of {
            Event::Apply(tenant) => Event::Apply(Self::of(tenant)),
            Event::InitApply(tenant) => Event::InitApply(Self::of(tenant)),
            Event::Delete(tenant) => Event::Delete(Self::of(tenant)),
            Event::Init => Event::Init,
            Event::InitDone => Event::InitDone,
        }
    }
}

impl Resource for Seed {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind(_: &()) -> Cow<'_, str> {
        Tenant::kind(&())
    }

    fn group(_: &()) -> Cow<'_, str> {
        Tenant::group(&())
    }

    fn version(_: &()) -> Cow<'_, str> {
        Tenant::version(&())
    }

    fn plural(_: &()) -> Cow<'_, str> {
        Tenant::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// Of the Tenant as it is now.
pub async fn reconcile(seed: Arc<Seed>, here: Arc<Reconciler>) -> Result<Action, Error> {
    match here.tenant(&ObjectName::of(seed.as_ref())).await? {
        Some(tenant) => tenant::reconcile(Arc::new(tenant), here).await,
        None => Ok(Action::await_change()),
    }
}

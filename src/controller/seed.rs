//! What the controller's own cache keeps of a Tenant: by whom it is woken. All else of it stands on a shelf, where it takes little room.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::Resource;
use kube::core::{NamespaceResourceScope, ObjectMeta};
use kube::runtime::controller::Action;
use kube::runtime::watcher::Event;
use serde::{Deserialize, Serialize};

use super::tenant::{self, RUNNING, Reconciler};
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
    let name = ObjectName::of(seed.as_ref());
    match here.tenant(&name).await {
        Ok(Some(tenant)) => tenant::reconcile(Arc::new(tenant), here).await,
        Ok(None) => Ok(Action::await_change()),
        // A watch tells when it can be read again. Until then it keeps nobody from a plan, and no place at the gate.
        Err(error) if error.is_illegible() => {
            tracing::error!(namespace = name.namespace, name = name.name, %error, "a Tenant can't be read and is left alone");
            here.turns.gone(&name, Timestamp::now());
            let runs = here.live.set_aside(&name).await;
            Ok(Action::requeue(if runs { RUNNING } else { here.settings.resync }))
        }
        Err(error) => Err(error),
    }
}

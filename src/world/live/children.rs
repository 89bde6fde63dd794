//! Routes and certificates: read one by one, compared with what they should be, applied server-side, and deleted only while they are ours.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::jiff::Timestamp;
use kube::Resource;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use serde::Deserialize;
use serde_json::Value;

use super::shelf::Keys;
use super::{Live, absent, carries, is_open};
use crate::core::manifests::foreign::{Certificate, CertificateStatus, HTTPRoute, HttpRouteStatus};
use crate::core::manifests::{Child, certificate, covers, routes};
use crate::core::names;
use crate::core::seen::{CertificateSeen, ChildSeen, ChildState, RoutesSeen};
use crate::core::stages::Way;
use crate::core::subject::Subject;
use crate::world::Error;

impl Live {
    fn of(&self, who: &Subject, child: &Child) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &who.bench.namespace, &resource(child))
    }

    pub(super) async fn find(&self, who: &Subject, child: &Child) -> Result<Option<DynamicObject>, Error> {
        let shelf = self.shelves.of(child);
        // One that is not ours is not watched, and must be seen before anything is applied.
        if let Some(known) = shelf.sure(&who.bench.namespace, child.name()) {
            return Ok(known);
        }
        let found = self.of(who, child).get_opt(child.name()).await;
        let found = found.map_err(|source| Error::cluster("get", child.kind(), child.name(), source))?;
        found.iter().for_each(|found| shelf.wrote(found));
        Ok(found)
    }

    pub(super) async fn see_routes(&self, who: &Subject) -> Result<RoutesSeen, Error> {
        let mut seen = RoutesSeen { children: vec![], refused: None };
        for child in routes::routes(who) {
            let live = self.find(who, &child).await?;
            if let (Child::HttpRoute(_), Some(live)) = (&child, &live) {
                seen.refused = seen.refused.or_else(|| not_accepted(live));
            }
            seen.children.push(ChildSeen { state: state(&who.id, live.as_ref(), &child), child });
        }
        Ok(seen)
    }

    pub(super) async fn see_certificate(&self, way: Way, who: &Subject) -> Result<CertificateSeen, Error> {
        let mut seen =
            CertificateSeen { certificate: None, issued: false, message: String::new(), not_after: None, secret_left: false };
        let Some(child) = certificate::certificate(who) else { return Ok(seen) };
        let live = self.find(who, &child).await?;
        if let Some(live) = &live {
            let status: CertificateStatus = part(live, "status");
            let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
            let current = |observed: Option<i64>| observed.is_none() || observed == live.metadata.generation;
            seen.issued = ready.is_some_and(|ready| ready.status == "True" && current(ready.observed_generation));
            seen.message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
            seen.not_after = status.not_after.and_then(|until| until.parse::<Timestamp>().ok());
        }
        if way == Way::Down && live.is_none() {
            seen.secret_left = self.certificate_secret(who).await?.is_some();
        }
        seen.certificate = Some(ChildSeen { state: state(&who.id, live.as_ref(), &child), child });
        Ok(seen)
    }

    /// The Secret with the certificate's key, while it is ours.
    async fn certificate_secret(&self, who: &Subject) -> Result<Option<Secret>, Error> {
        let name = names::certificate(&who.id);
        let found = self.find_secret(&who.bench.namespace, &name).await?;
        Ok(found.filter(|secret| carries(secret, &who.id)))
    }

    pub(super) async fn apply_child(&self, who: &Subject, child: &Child) -> Result<(), Error> {
        let params = PatchParams::apply(names::MANAGER).force();
        let applied = self.of(who, child).patch(child.name(), &params, &Patch::Apply(value(child))).await;
        if applied.as_ref().is_err_and(is_open) {
            self.shelves.of(child).doubt(&who.bench.namespace, child.name(), Keys::default());
        }
        let applied = applied.map_err(|source| Error::cluster("apply", child.kind(), child.name(), source))?;
        self.shelves.of(child).wrote(&applied);
        Ok(())
    }

    /// A Certificate's Secret goes after the Certificate itself: before, it would be issued anew.
    pub(super) async fn remove_child(&self, who: &Subject, child: &Child) -> Result<(), Error> {
        let live = self.find(who, child).await?;
        match (live, child) {
            (Some(live), _) if carries(&live, &who.id) => {
                let preconditions = Preconditions { uid: live.metadata.uid, resource_version: None };
                let params = DeleteParams { preconditions: Some(preconditions), ..Default::default() };
                let deleted = self.of(who, child).delete(child.name(), &params).await;
                let at_once = deleted.as_ref().is_ok_and(|deleted| deleted.is_right());
                self.shelves.of(child).deleted(&who.bench.namespace, child.name(), at_once);
                match deleted {
                    Err(source) if !absent(&source) => Err(Error::cluster("delete", child.kind(), child.name(), source)),
                    _ => Ok(()),
                }
            }
            (None, Child::Certificate(_)) => match self.certificate_secret(who).await? {
                Some(_) => self.remove_secret(who, &who.bench.namespace, &names::certificate(&who.id)).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn resource(child: &Child) -> ApiResource {
    match child {
        Child::Ingress(_) => ApiResource::erase::<Ingress>(&()),
        Child::HttpRoute(_) => ApiResource::erase::<HTTPRoute>(&()),
        Child::Certificate(_) => ApiResource::erase::<Certificate>(&()),
    }
}

fn value(child: &Child) -> Value {
    let value = match child {
        Child::Ingress(child) => serde_json::to_value(child),
        Child::HttpRoute(child) => serde_json::to_value(child),
        Child::Certificate(child) => serde_json::to_value(child),
    };
    value.unwrap_or_default()
}

fn state(id: &str, live: Option<&DynamicObject>, child: &Child) -> ChildState {
    let Some(live) = live else { return ChildState::Absent };
    if !carries(live, id) {
        return ChildState::NotOurs;
    }
    if live.meta().deletion_timestamp.is_some() {
        return ChildState::Leaving;
    }
    match serde_json::to_value(live) {
        Ok(have) if covers(&have, &value(child)) => ChildState::Current,
        _ => ChildState::Differs,
    }
}

/// What a parent says against the route; a route that no parent has spoken of yet is not taken either.
fn not_accepted(live: &DynamicObject) -> Option<String> {
    let status: HttpRouteStatus = part(live, "status");
    let conditions: Vec<_> = status.parents.iter().flat_map(|parent| &parent.conditions).collect();
    let current: Vec<_> =
        conditions.into_iter().filter(|condition| condition.observed_generation == live.metadata.generation).collect();
    if current.is_empty() {
        return Some(format!("no Gateway has taken up {} yet", live.metadata.name.as_deref().unwrap_or_default()));
    }
    let against = current
        .iter()
        .find(|condition| condition.status != "True" && ["Accepted", "ResolvedRefs"].contains(&condition.type_.as_str()))?;
    Some(format!("{}: {}", against.reason, against.message))
}

fn part<T: for<'a> Deserialize<'a> + Default>(live: &DynamicObject, name: &str) -> T {
    live.data.get(name).cloned().and_then(|part| serde_json::from_value(part).ok()).unwrap_or_default()
}

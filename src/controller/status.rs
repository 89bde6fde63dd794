//! Writes a Tenant's status when it differs, and an Event for each condition that changed its truth or its reason.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Client, Resource, ResourceExt};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::events::{SERIES, Teller};
use crate::api::{Condition, Tenant, TenantStatus};
use crate::core::names;
use crate::world::Error;

pub struct Scribe {
    client: Client,
    teller: Arc<Teller>,
    /// Events on their way, in lanes; none where each is waited for.
    telling: Vec<mpsc::Sender<(Event, ObjectReference)>>,
}

/// So many Events are told at the same time, those of one tenant one after the other.
const LANES: usize = 4;
/// So many may wait in a lane; then passes wait for them.
const WAITING: usize = 250;

impl Scribe {
    pub fn new(client: Client) -> Self {
        Self { teller: Arc::new(Teller::new(client.clone())), client, telling: vec![] }
    }

    /// From now on a pass does not wait for each Event to be told.
    pub fn tell_in_background(&mut self) {
        self.telling = (0..LANES).map(|_| self.lane()).collect();
    }

    fn lane(&self) -> mpsc::Sender<(Event, ObjectReference)> {
        let (telling, mut told) = mpsc::channel::<(Event, ObjectReference)>(WAITING);
        let teller = self.teller.clone();
        tokio::spawn(async move {
            loop {
                match timeout(SERIES, told.recv()).await {
                    Ok(Some((event, about))) => teller.tell(&event, &about).await,
                    Ok(None) => return,
                    Err(_) => teller.sweep(),
                }
            }
        });
        telling
    }

    /// The Tenant as it is then, where something was written.
    pub async fn write(
        &self,
        tenant: &Tenant,
        old: Option<&TenantStatus>,
        status: &TenantStatus,
    ) -> Result<Option<Tenant>, Error> {
        if old == Some(status) {
            return Ok(None);
        }
        let api: Api<Tenant> = Api::namespaced(self.client.clone(), &tenant.namespace().unwrap_or_default());
        let patch = json!({
            "apiVersion": Tenant::api_version(&()),
            "kind": Tenant::kind(&()),
            "metadata": {"name": tenant.name_any(), "uid": tenant.uid()},
            "status": status,
        });
        let params = PatchParams::apply(names::STATUS_MANAGER).force();
        match api.patch_status(&tenant.name_any(), &params, &Patch::Apply(patch)).await {
            Ok(written) => {
                self.tell(tenant, old, status).await;
                Ok(Some(written))
            }
            // Gone, or another of the same name already: nobody left to tell.
            Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(None),
            Err(source) => Err(Error::cluster("patch the status of", "Tenant", tenant.name_any(), source)),
        }
    }

    /// What is left of a tenant that is gone: the last that is said of it.
    pub async fn gave_up(&self, tenant: &Tenant, left: &[String]) {
        for (number, line) in left.iter().enumerate() {
            let event = Event {
                type_: EventType::Warning,
                reason: "Abandoned".to_owned(),
                note: Some(note("Left behind", line)),
                // Events that differ only in their words are counted as one.
                action: format!("GiveUp{}", number + 1),
                secondary: None,
            };
            self.teller.tell(&event, &tenant.object_ref(&())).await;
        }
    }

    /// Events are told best-effort: the status is what counts.
    async fn tell(&self, tenant: &Tenant, old: Option<&TenantStatus>, new: &TenantStatus) {
        for event in transitions(old, new) {
            let about = tenant.object_ref(&());
            match self.telling.get(lane_of(tenant)) {
                // Nobody listens any more while the process ends.
                Some(telling) => drop(telling.send((event, about)).await),
                None => self.teller.tell(&event, &about).await,
            }
        }
    }
}

/// Always the same for one tenant.
fn lane_of(tenant: &Tenant) -> usize {
    tenant.metadata.uid.iter().flat_map(|uid| uid.bytes()).map(usize::from).sum::<usize>() % LANES
}

/// One event for each condition whose truth or reason changed; a first "not yet" is no news.
pub fn transitions(old: Option<&TenantStatus>, new: &TenantStatus) -> Vec<Event> {
    let skipped = [Condition::Reconciling.type_(), Condition::Stalled.type_()];
    let changed = new.conditions.iter().filter(|condition| !skipped.contains(&condition.type_.as_str())).filter(|condition| {
        let before = old.and_then(|old| old.conditions.iter().find(|other| other.type_ == condition.type_));
        match before {
            None => condition.status == "True",
            // What keeps it from being Ready is told by the condition of the stage.
            Some(before) if condition.type_ == Condition::Ready.type_() => before.status != condition.status,
            Some(before) => {
                (before.status != condition.status || before.reason != condition.reason) && condition.status != "Unknown"
            }
        }
    });
    let stalled = new.conditions.iter().any(|condition| condition.type_ == Condition::Stalled.type_());
    let event = |condition: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| Event {
        type_: if condition.status == "False" && (stalled || lost(old, &condition.type_)) {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: condition.reason.clone(),
        note: Some(note(&condition.type_, &condition.message)),
        action: condition.type_.clone(),
        secondary: None,
    };
    changed.map(event).collect()
}

/// The API server takes 1 KiB, and no event at all rather than a longer one.
fn note(type_: &str, message: &str) -> String {
    let note = format!("{type_}: {message}");
    let end = note.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= 1024).last();
    note[..end.unwrap_or_default()].to_owned()
}

/// It was True before.
fn lost(old: Option<&TenantStatus>, type_: &str) -> bool {
    old.is_some_and(|old| old.conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True"))
}

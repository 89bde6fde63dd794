//! Tells Events. One that was told a short while ago is counted in the one that is there, as kubectl shows it. Of what was told only a
//! few words are remembered: thousands of tenants may come Ready within minutes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as ClusterEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::events::{Event, EventType};
use serde_json::json;

use crate::core::names;

/// For so long the same is counted, and then it is another Event.
pub const SERIES: Duration = Duration::from_secs(360);
const SWEEP: Duration = Duration::from_secs(60);

pub struct Teller {
    client: Client,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    series: HashMap<u64, Series>,
    swept: Option<Instant>,
}

/// By its key.
#[derive(Clone, Copy)]
struct Series {
    /// Of the first, which gives the Event its name.
    began: Timestamp,
    count: i32,
    at: Instant,
}

impl Teller {
    pub fn new(client: Client) -> Self {
        Self { client, told: Mutex::default() }
    }

    /// Best-effort.
    pub async fn tell(&self, event: &Event, about: &ObjectReference) {
        let now = Timestamp::now();
        let series = self.count(key(event, about), now);
        let name = format!("{}.{:x}", about.name.as_deref().unwrap_or(names::MANAGER), series.began.as_nanosecond());
        let api: Api<ClusterEvent> = Api::namespaced(self.client.clone(), about.namespace.as_deref().unwrap_or("default"));
        let told = if series.count == 1 {
            api.create(&PostParams::default(), &made(event, about, name, now)).await
        } else {
            let again = json!({"series": {"count": series.count, "lastObservedTime": MicroTime(now)}});
            api.patch(&name, &PatchParams::default(), &Patch::Merge(again)).await
        };
        if let Err(error) = told {
            // Another time it is told anew: the one that is counted may have gone by itself.
            self.told().series.remove(&key(event, about));
            tracing::warn!(%error, reason = event.reason, note = event.note, "an event could not be told");
        }
    }

    /// Forgets what is counted no more.
    pub fn sweep(&self) {
        let mut told = self.told();
        told.series.retain(|_, series| series.at.elapsed() < SERIES);
        told.series.shrink_to_fit();
        told.swept = Some(Instant::now());
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, key: u64, now: Timestamp) -> Series {
        if self.told().swept.is_none_or(|at| at.elapsed() > SWEEP) {
            self.sweep();
        }
        let mut told = self.told();
        let known = told.series.get(&key).filter(|series| series.at.elapsed() < SERIES).copied();
        let mut series = known.unwrap_or(Series { began: now, count: 0, at: Instant::now() });
        series.count = series.count.saturating_add(1);
        series.at = Instant::now();
        told.series.insert(key, series);
        series
    }
}

/// Those that differ only in their words are the same.
fn key(event: &Event, about: &ObjectReference) -> u64 {
    let mut hash = DefaultHasher::new();
    (&about.uid, &about.namespace, &about.name, type_of(event), &event.action, &event.reason).hash(&mut hash);
    hash.finish()
}

fn type_of(event: &Event) -> &'static str {
    match event.type_ {
        EventType::Normal => "Normal",
        EventType::Warning => "Warning",
    }
}

fn made(event: &Event, about: &ObjectReference, name: String, now: Timestamp) -> ClusterEvent {
    ClusterEvent {
        action: Some(event.action.clone()),
        reason: Some(event.reason.clone()),
        event_time: Some(MicroTime(now)),
        regarding: Some(about.clone()),
        related: event.secondary.clone(),
        note: event.note.clone(),
        type_: Some(type_of(event).to_owned()),
        reporting_controller: Some(names::MANAGER.to_owned()),
        reporting_instance: Some(names::MANAGER.to_owned()),
        metadata: ObjectMeta { name: Some(name), namespace: about.namespace.clone(), ..Default::default() },
        ..Default::default()
    }
}

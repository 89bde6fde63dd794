//! How many Jobs may work on one bench at once. Lives in the leader's memory, and is filled again from unfinished Jobs when a leader starts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::jiff::Timestamp;
use tokio::sync::mpsc;

use crate::api::BenchRef;
use crate::core::seen::GateSeen;
use crate::core::stages::Way;
use crate::core::subject::{ObjectName, Subject};

/// Where the Bench says nothing.
const CONCURRENCY: u32 = 3;

type Key = (BenchRef, bool);

#[derive(Default)]
struct Lane {
    /// By tenant id.
    running: HashMap<String, ObjectName>,
    /// The oldest tenant first.
    waiting: BTreeMap<(Timestamp, String), ObjectName>,
    /// Since when each of those was created, by tenant id.
    queued: HashMap<String, Timestamp>,
    limit: usize,
}

impl Lane {
    /// Who could go in now: as many of the waiting as there are free slots.
    fn next(&self) -> impl Iterator<Item = &(Timestamp, String)> {
        self.waiting.keys().take(self.limit.saturating_sub(self.running.len()))
    }

    fn wait(&mut self, who: &Subject) {
        self.queued.insert(who.id.clone(), who.created);
        self.waiting.insert((who.created, who.id.clone()), who.tenant.clone());
    }

    /// True where it has waited.
    fn wait_no_more(&mut self, id: &str) -> bool {
        let Some(created) = self.queued.remove(id) else { return false };
        self.waiting.remove(&(created, id.to_owned())).is_some()
    }
}

/// One lane up and one down for each Bench: a removal never waits behind new tenants.
pub struct Gate {
    lanes: Mutex<HashMap<Key, Lane>>,
    /// Tenants whose turn it is.
    wake: mpsc::UnboundedSender<ObjectName>,
}

impl Gate {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<ObjectName>) {
        let (wake, woken) = mpsc::unbounded_channel();
        (Self { lanes: Mutex::default(), wake }, woken)
    }

    /// Whether the tenant may start a Job; one that may not is put in the queue. One that may leaves it, also if it does not start
    /// after all (a failed step that has to wait): it must not keep others from the slot.
    pub fn look(&self, way: Way, who: &Subject) -> GateSeen {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (who.created, who.id.clone());
        // One that was deleted while it waited for its turn up does not come for it any more.
        if let Some(other) = lanes.get_mut(&(who.bench_ref(), way == Way::Up)) {
            other.wait_no_more(&who.id);
        }
        let lane = lanes.entry(key(way, who)).or_default();
        lane.limit = limit(who);
        // More than there are slots need not be counted.
        let ahead = lane.waiting.range(..&place).take(lane.limit).count();
        if lane.running.contains_key(&who.id) || lane.running.len() + ahead < lane.limit {
            lane.wait_no_more(&who.id);
            return GateSeen::Open;
        }
        lane.wait(who);
        GateSeen::Full { in_use: lane.running.len(), limit: lane.limit, waiting: lane.waiting.len() }
    }

    /// Takes a slot; false where none is free any more.
    pub fn enter(&self, way: Way, who: &Subject) -> bool {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(key(way, who)).or_default();
        lane.limit = limit(who);
        if !lane.running.contains_key(&who.id) && lane.running.len() >= lane.limit {
            return false;
        }
        lane.wait_no_more(&who.id);
        lane.running.insert(who.id.clone(), who.tenant.clone());
        true
    }

    /// Takes a slot for work that can wait: only one that no tenant needs now.
    pub fn enter_spare(&self, bench: &BenchRef, limit: u32, id: &str) -> bool {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry((bench.clone(), false)).or_default();
        lane.limit = limit.max(1) as usize;
        let free = lane.waiting.is_empty() && lane.running.len() < lane.limit;
        if free {
            // Nobody is to be woken for it.
            lane.running.insert(id.to_owned(), ObjectName { namespace: String::new(), name: String::new() });
        }
        free || lane.running.contains_key(id)
    }

    /// A Job that was running before this process started.
    pub fn resume(&self, bench: BenchRef, way: Way, id: String, tenant: ObjectName) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry((bench, way == Way::Down)).or_default();
        lane.limit = lane.limit.max(1);
        lane.running.insert(id, tenant);
    }

    /// The tenant has no Job running any more; if it waits for another, it goes on waiting.
    pub fn give_back(&self, id: &str) {
        self.free(id, false);
    }

    /// The tenant neither runs nor waits any more.
    pub fn leave(&self, id: &str) {
        self.free(id, true);
    }

    /// The Tenant's object is gone, however that came: nobody looks for it any more, and its place must not stay taken.
    pub fn gone(&self, tenant: &ObjectName) {
        let ids: Vec<String> = {
            let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            let running = lanes.values().flat_map(|lane| lane.running.iter().map(|(id, other)| (id, other)));
            let waiting = lanes.values().flat_map(|lane| lane.waiting.iter().map(|((_, id), other)| (id, other)));
            running.chain(waiting).filter(|(_, other)| *other == tenant).map(|(id, _)| id.clone()).collect()
        };
        ids.iter().for_each(|id| self.leave(id));
    }

    /// All Tenants there are, after a watch began anew: it does not tell of those that went meanwhile.
    pub fn only(&self, there: &BTreeSet<ObjectName>) {
        let held: BTreeSet<ObjectName> = {
            let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            let held = lanes.values().flat_map(|lane| lane.running.values().chain(lane.waiting.values()));
            // Who has a spare slot is no Tenant.
            held.filter(|tenant| !tenant.name.is_empty()).cloned().collect()
        };
        held.difference(there).for_each(|tenant| self.gone(tenant));
    }

    /// The Tenant can't go on: it waits for nothing meanwhile. Says whose slots it has: its Job may be running.
    pub fn stop_waiting(&self, tenant: &ObjectName) -> Vec<(BenchRef, String)> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = vec![];
        for ((bench, _), lane) in lanes.iter_mut() {
            let ids: Vec<String> =
                lane.waiting.iter().filter(|(_, other)| *other == tenant).map(|((_, id), _)| id.clone()).collect();
            let waited = ids.iter().filter(|id| lane.wait_no_more(id)).count();
            if waited > 0 {
                self.call(lane);
            }
            held.extend(lane.running.iter().filter(|(_, other)| *other == tenant).map(|(id, _)| (bench.clone(), id.clone())));
        }
        held
    }

    /// The Bench is gone, and no tenant is on it.
    pub fn close(&self, bench: &BenchRef) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|(at, _), lane| at != bench || !lane.running.is_empty() || !lane.waiting.is_empty());
    }

    /// Wakes those whose turn it is now.
    fn free(&self, id: &str, waiting_too: bool) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        for lane in lanes.values_mut() {
            let waited = waiting_too && lane.wait_no_more(id);
            if lane.running.remove(id).is_none() && !waited {
                continue;
            }
            self.call(lane);
        }
    }

    fn call(&self, lane: &Lane) {
        for place in lane.next() {
            // Nobody listens any more while the process ends.
            let _ = lane.waiting.get(place).map(|tenant| self.wake.send(tenant.clone()));
        }
    }

    /// Slots in use and tenants waiting, for the metrics.
    pub fn load(&self, bench: &BenchRef) -> (usize, usize) {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let both = [false, true].into_iter().filter_map(|down| lanes.get(&(bench.clone(), down)));
        both.fold((0, 0), |(used, waiting), lane| (used + lane.running.len(), waiting + lane.waiting.len()))
    }
}

fn key(way: Way, who: &Subject) -> Key {
    (who.bench_ref(), way == Way::Down)
}

fn limit(who: &Subject) -> usize {
    who.bench.spec.jobs.concurrency.unwrap_or(CONCURRENCY).max(1) as usize
}

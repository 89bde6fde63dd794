//! What the controller does for the inspection of the Bench: looks when it is due, puts expectations together, writes the status.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenant_operator::core::expectation;
use tenant_operator::core::identity::{self, Begin, Identity, Named};
use tenant_operator::core::inspection::{self, Given, Next};
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::world::Error;

use crate::outside::Outside;
use crate::sim::Sim;

/// Seconds between two inspections.
pub const INTERVAL: i64 = 1800;
const FAILED: i64 = 10;

/// When to look again, and whom a watch tells of what was found.
pub struct Looked {
    pub again: i64,
    pub wakes: Vec<ObjectName>,
}

pub fn look(sim: &Sim) -> Looked {
    let mut outside = sim.outside();
    outside.inspections.news = false;
    let now = outside.now;
    inspect(&mut outside).unwrap_or(Looked { again: now + FAILED, wakes: vec![] })
}

fn inspect(outside: &mut Outside) -> Result<Looked, Error> {
    outside.reachable()?;
    let old = outside.bench.status.clone().unwrap_or_default();
    let records: Vec<_> =
        outside.claims.values().filter_map(|claim| Some((claim.holder.id.clone(), claim.record.clone()?))).collect();
    let next = inspection::next(&Given {
        now: outside.time(),
        interval: Duration::from_secs(INTERVAL.unsigned_abs()),
        status: &old,
        first: records.iter().map(|(_, record)| record.created_at.0).min(),
        asked: None,
        rounds: &outside.see_inspections(),
    });
    if next == Next::Start {
        let expected = expectations(outside);
        outside.start_inspection(&expected)?;
    }
    let ids: BTreeSet<String> = records.into_iter().map(|(id, _)| id).collect();
    let mut status = old.clone();
    inspection::tell(&mut status, &next, &ids, outside.time(), None);
    if status != old {
        outside.write_bench_status(status.clone())?;
    }
    let pause = i64::try_from(inspection::pause(&next, "dock").as_secs()).unwrap_or(FAILED).max(1);
    let named = |name: &&ObjectName| {
        let id = outside.id_of(name);
        status != old && status.differing.iter().any(|entry| Some(&entry.id) == id.as_ref())
    };
    let wakes = outside.objects.tenants.keys().filter(named).cloned().collect();
    Ok(Looked { again: outside.now + pause, wakes })
}

fn expectations(outside: &Outside) -> BTreeMap<String, serde_json::Value> {
    let mut all = BTreeMap::new();
    for (name, tenant) in outside.objects.tenants.iter().filter(|(_, tenant)| tenant.metadata.deletion_timestamp.is_none()) {
        let Named::Active(id, record) = identity::named(&outside.recall(name), &tenant.spec.subdomain) else { continue };
        let gift = outside.give(tenant, Identity { id: Some(id.clone()), record: Some(record), begin: Begin::New });
        let expected = Subject::parse(gift.as_given()).ok().as_ref().and_then(expectation::of);
        all.extend(expected.map(|expected| (id, expected)));
    }
    all
}

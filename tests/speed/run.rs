//! One tenant after the other, from apply to Ready.

use std::collections::BTreeMap;
use std::path::Path;

use kube::ResourceExt;
use tenant_operator::api::{BenchRef, Condition, Tenant};

use crate::bench::Place;
use crate::case::{Case, id};
use crate::ground::{self, LIMIT, PAUSE};
use crate::history::{self, History, condition};
use crate::lab::CUSTOMERS;
use crate::results::Results;
use crate::tenant::tenant;
use crate::times::{self, Spent};
use crate::variant::Pair;

/// One way from apply to Ready.
pub struct Run {
    pub tenant: String,
    /// Seconds since apply.
    pub true_after: BTreeMap<Condition, f64>,
    /// What the Jobs' containers said of their own time.
    pub containers: Vec<Spent>,
}

impl Run {
    pub fn ready(&self) -> f64 {
        self.true_after.get(&Condition::Ready).copied().unwrap_or_default()
    }

    /// Inside the bench's own commands.
    pub fn in_commands(&self) -> f64 {
        self.containers.iter().map(|spent| spent.bench).sum()
    }
}

/// With and without take turns: what else the machine does then strikes both.
pub async fn pair(dir: &Path, pair: &Pair, runs: usize, results: &mut Results) {
    let done = ground::part(dir, &pair.stem(), async |case| {
        let plan = case.plan(pair.plan()).await;
        let mut benches = vec![];
        for variant in pair.both() {
            benches.push((variant, ground::bench(case, pair.place, &plan, variant.template).await));
        }
        for at in 0..runs {
            for (variant, bench) in &benches {
                tokio::time::sleep(PAUSE).await;
                let name = format!("{}-{}{at}", case.name, if variant.template { "t" } else { "i" });
                let run = one(case, &pair.place, &name, &plan, bench, variant.template).await;
                println!("{}: {:.1} s", variant.name(), run.ready());
                results.add(*variant, run);
            }
        }
    })
    .await;
    if !done {
        results.broken.push(pair.name());
    }
}

async fn one(case: &Case, place: &Place, name: &str, plan: &str, bench: &BenchRef, template: bool) -> Run {
    let (ready, history) = way(case, place, name, plan, bench).await;
    was_made(&ready, template);
    let containers = times::spent(&case.lab, place.namespace, &id(&ready)).await;
    assert!(!containers.is_empty(), "no container of {name} says what time it took");
    Run { tenant: name.to_owned(), true_after: true_after(&history), containers }
}

/// Applies a Tenant and follows it until it is Ready. Time counts from before the request is sent.
pub async fn way(case: &Case, place: &Place, name: &str, plan: &str, bench: &BenchRef) -> (Tenant, History) {
    let wanted = tenant(name, CUSTOMERS, plan, bench.clone());
    let ((ready, history), ()) = tokio::join!(case.until(name, "Ready", LIMIT, history::ready), case.apply(&wanted));
    let ready = ready.expect("a Tenant");
    case.remember(place, name, &id(&ready));
    (ready, history)
}

/// A tenant falls back to installing where a template is unfit: that would be the figure of something else.
pub fn was_made(tenant: &Tenant, template: bool) {
    let said = condition(tenant, "SiteReady").map(|condition| condition.message.as_str()).unwrap_or_default();
    let from = said.contains("made from the template");
    assert_eq!(from, template, "{}: whether it was made from a template: {said}", tenant.name_any());
}

fn true_after(history: &History) -> BTreeMap<Condition, f64> {
    let seen = Condition::ALL.into_iter().filter_map(|one| Some((one, history.true_since(one.type_())?.as_secs_f64())));
    seen.collect()
}

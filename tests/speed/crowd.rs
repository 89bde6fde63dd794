//! Many tenants at once on one bench, from a template.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use kube::api::Api;
use tenant_operator::api::Bench;

use crate::bench::INGRESS_15;
use crate::ground;
use crate::results::Results;
use crate::run::{was_made, way};
use crate::variant::Pair;

pub const NAME: &str = "crowd";
/// Behind Ingress every one of them needs a certificate of its own as well.
pub const PAIR: Pair = Pair { place: INGRESS_15, wizard: true };

pub struct Crowd {
    /// How many of the bench's Jobs run at once.
    pub jobs: u32,
    /// Seconds from apply of all to Ready of each, in order.
    pub ready: Vec<f64>,
}

impl Crowd {
    pub fn new(jobs: u32, mut ready: Vec<f64>) -> Self {
        ready.sort_by(f64::total_cmp);
        Self { jobs, ready }
    }

    pub fn first(&self) -> f64 {
        self.ready.first().copied().unwrap_or_default()
    }

    pub fn last(&self) -> f64 {
        self.ready.last().copied().unwrap_or_default()
    }

    pub fn per_minute(&self) -> f64 {
        if self.last() > 0.0 { self.ready.len() as f64 * 60.0 / self.last() } else { 0.0 }
    }

    pub fn words(&self) -> String {
        let (count, name, jobs) = (self.ready.len(), PAIR.name(), self.jobs);
        let (first, last, per_minute) = (self.first(), self.last(), self.per_minute());
        format!(
            "{count} at once on one bench ({name}, template, {jobs} Jobs at once): the first Ready after {first:.1} s, \
             the last after {last:.1} s, {per_minute:.1} tenants a minute"
        )
    }
}

pub async fn run(dir: &Path, count: usize, results: &mut Results) {
    let done = ground::part(dir, "speed-crowd", async |case| {
        let place = PAIR.place;
        let plan = case.plan(PAIR.plan()).await;
        let bench = ground::bench(case, place, &plan, true).await;
        let spec =
            Api::<Bench>::namespaced(case.lab.client.clone(), &bench.namespace).get(&bench.name).await.expect("a Bench").spec;
        tokio::time::sleep(ground::PAUSE).await;
        let names: Vec<String> = (0..count).map(|at| format!("{}-{at:02}", case.name)).collect();
        let ways = join_all(names.iter().map(|name| way(case, &place, name, &plan, &bench))).await;
        ways.iter().for_each(|(tenant, _)| was_made(tenant, true));
        let ready = ways.iter().filter_map(|(_, history)| history.true_since("Ready")).map(|at: Duration| at.as_secs_f64());
        let crowd = Crowd::new(spec.jobs.concurrency(), ready.collect());
        assert_eq!(crowd.ready.len(), count, "some were never seen to be Ready");
        println!("{}", crowd.words());
        results.crowd = Some(crowd);
    })
    .await;
    if !done {
        results.broken.push(NAME.to_owned());
    }
}

#[test]
fn a_crowd_is_as_quick_as_its_last() {
    let crowd = Crowd::new(3, vec![30.0, 10.0, 20.0]);
    assert_eq!((crowd.first(), crowd.last(), crowd.per_minute()), (10.0, 30.0, 6.0));
    assert_eq!(Crowd::new(3, vec![]).per_minute(), 0.0);
}

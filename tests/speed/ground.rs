//! What a part of the measuring stands on: a Case of its own, of which nothing stays, and benches with a template that is Ready.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use kube::api::{Api, DeleteParams};
use kube::runtime::wait::await_condition;
use tenant_operator::api::{Bench, BenchRef, TemplateState, Templates};

use crate::bench::Place;
use crate::case::{Case, all};
use crate::lab::CUSTOMERS;
use crate::wait::within;

/// Until something is broken rather than slow: twenty wait for each other here, on a machine that may be busy.
pub const LIMIT: Duration = Duration::from_secs(900);

/// As long as the last of many may take to go.
const GONE: Duration = Duration::from_secs(300);

/// What the one before left to be done, by cert-manager, the edge and the bench, is no part of the next one's time.
pub const PAUSE: Duration = Duration::from_secs(3);

/// Whether a part was done and all that it made is gone again.
pub async fn part(dir: &Path, stem: &str, body: impl AsyncFnOnce(&Case)) -> bool {
    let case = Case::new(dir.to_owned(), stem).await;
    let done = AssertUnwindSafe(body(&case)).catch_unwind().await.is_ok();
    if !done {
        case.explain(&all(&case.tenants)).await;
    }
    let left = AssertUnwindSafe(let_go(&case)).catch_unwind().await.is_ok();
    let cleaned = AssertUnwindSafe(case.clean()).catch_unwind().await.is_ok();
    done && left && cleaned
}

/// All at once: one after the other, as the cleaning does it, a crowd takes minutes.
async fn let_go(case: &Case) {
    let api = case.tenants(CUSTOMERS);
    let tenants = all(&case.tenants);
    join_all(tenants.iter().map(|(_, name)| async {
        // The cleaning asks again, and complains.
        let _ = api.delete(name, &DeleteParams::default()).await;
    }))
    .await;
    join_all(tenants.iter().map(|(_, name)| case.until(name, "gone", GONE, |tenant| tenant.is_none()))).await;
}

/// Ready to be measured, with a template for the plan or without any.
pub async fn bench(case: &Case, place: Place, plan: &str, template: bool) -> BenchRef {
    if !template {
        return case.bench(place).await;
    }
    let wanted = Templates { enabled: true, prewarm: vec![plan.to_owned()] };
    let bench = case.bench_as(place, |spec| spec.templates = Some(wanted)).await;
    case.bench_says(&bench, "Serving", "").await;
    let api = Api::<Bench>::namespaced(case.lab.client.clone(), &bench.namespace);
    let what = format!("template of Bench {}", bench.name);
    within(LIMIT, &what, await_condition(api, &bench.name, has_its_template)).await;
    bench
}

fn has_its_template(bench: Option<&Bench>) -> bool {
    let templates = bench.and_then(|bench| bench.status.as_ref()).map(|status| status.templates.as_slice());
    templates.is_some_and(|templates| matches!(templates, [one] if one.state == TemplateState::Ready))
}

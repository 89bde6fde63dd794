//! What is measured, in an order in which nothing stands in another's way.

use std::time::{Duration, Instant};

use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};

use crate::cluster::{Cluster, is_ready, names};
use crate::cores::Cores;
use crate::figures::{Figures, rounded};
use crate::operator::Operator;
use crate::{Failure, audit, crowd, floor, number};

const SECTIONS: [&str; 5] = ["overhead", "settle", "teardown", "growth", "rest"];

fn wanted(section: &str) -> bool {
    let chosen = std::env::var("BENCH").unwrap_or_default();
    chosen.is_empty() || chosen.split(',').any(|name| name.trim() == section)
}

pub async fn all(cluster: &Cluster, operator: &mut Operator, figures: &mut Figures) -> Result<(), Failure> {
    if let Some(odd) =
        std::env::var("BENCH").unwrap_or_default().split(',').find(|name| !name.is_empty() && !SECTIONS.contains(&name.trim()))
    {
        return Err(format!("there is no section {odd:?}; there are {}", SECTIONS.join(", ")).into());
    }
    if wanted("overhead") {
        overhead(cluster, operator, figures).await?;
    }
    if wanted("settle") || wanted("teardown") {
        settle(cluster, operator, figures).await?;
    }
    if wanted("growth") || wanted("rest") {
        grow(cluster, operator, figures).await?;
    }
    if wanted("rest") {
        rest(cluster, operator, figures).await?;
    }
    Ok(())
}

/// Tenants before the first that counts: the API server is busy for a while with the kinds that it has just learnt.
const WARMING: usize = 10;

/// One tenant after the other, with an operator and an API server that have nothing else to do.
async fn overhead(cluster: &Cluster, operator: &Operator, figures: &mut Figures) -> Result<(), Failure> {
    let hands = cluster.hands();
    let names = names("one", WARMING + number("OVERHEAD", 20));
    let mut took = vec![];
    for name in &names {
        took.push(one(cluster, name).await?);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut took = took.split_off(WARMING);
    took.sort_by(f64::total_cmp);
    figures.put("overhead_ms", rounded(took[took.len() / 2]));
    figures.put(
        "overhead",
        json!({"runs": took.len(), "fastest_ms": rounded(took[0]), "slowest_ms": rounded(took[took.len() - 1])}),
    );
    drop(hands);
    crowd::teardown(cluster, operator, &names).await.map(drop)
}

/// Milliseconds from the request that applies it to the event that says Ready.
async fn one(cluster: &Cluster, name: &str) -> Result<f64, Failure> {
    let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut seen = watcher(cluster.tenants(), only).default_backoff().touched_objects().boxed();
    // The watch stands before anything is there to be seen.
    let _ = tokio::time::timeout(Duration::from_millis(200), seen.next()).await;
    let began = Instant::now();
    cluster.apply(&[name.to_owned()]).await?;
    let ready = async {
        while let Some(tenant) = seen.next().await {
            if tenant.is_ok_and(|tenant| is_ready(&tenant)) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ready).await.map_err(|_| format!("{name} is not Ready within a minute"))?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// Many at once, and a plain client beside it that makes the same writes.
async fn settle(cluster: &Cluster, operator: &mut Operator, figures: &mut Figures) -> Result<(), Failure> {
    let names = names("many", number("SETTLE", 1000));
    let settled = crowd::settle(cluster, operator, &names).await?;
    figures.put("bytes_per_tenant", crowd::bytes(cluster).await?);
    let mut figure = settled.figures.clone();
    figures.put("settle_1000", figure.clone());
    if wanted("settle") {
        let writes = floor::writes(&[&settled.operator, &settled.bench], names.len());
        let templates = floor::templates(cluster, &names[0]).await?;
        operator.kill();
        let seconds = floor::run(cluster, &writes, templates, names.len()).await?;
        operator.begin().await?;
        figure["floor_seconds"] = rounded(seconds);
        figure["ratio"] = rounded(settled.seconds / seconds);
        figure["floor_writes_per_tenant"] = json!(writes);
        figures.put("settle_1000", figure);
        cluster.await_ready(operator, names.len(), crowd::patience(names.len())).await?;
    }
    let gone = crowd::teardown(cluster, operator, &names).await?;
    figures.put("teardown_1000", gone);
    Ok(())
}

/// A run with fewer tenants lasts seconds, which the host may take away: small sizes are repeated until so many were made.
const ENOUGH: usize = 500;
const MOST_RUNS: usize = 5;

/// More and more at once. The last size stays, for what is measured at rest.
async fn grow(cluster: &Cluster, operator: &Operator, figures: &mut Figures) -> Result<(), Failure> {
    let largest = number("REST", 10_000);
    let text = std::env::var("GROWTH").unwrap_or_else(|_| "100,1000".to_owned());
    let mut sizes: Vec<usize> = if wanted("growth") {
        text.split(',').filter_map(|size| size.trim().parse().ok()).filter(|size| *size > 0).collect()
    } else {
        vec![]
    };
    sizes.retain(|size| *size != largest);
    sizes.sort_unstable();
    let mut growth = json!({});
    for size in &sizes {
        let mut runs = vec![];
        // An odd number has a median.
        for run in 0..ENOUGH.div_ceil(*size).min(MOST_RUNS) | 1 {
            let names = names(&format!("grow{size}-{run}-"), *size);
            runs.push(crowd::settle(cluster, operator, &names).await?);
            crowd::teardown(cluster, operator, &names).await?;
        }
        growth[size.to_string()] = median(runs, *size);
        figures.put("growth", growth.clone());
    }
    let stays = crowd::settle(cluster, operator, &names(&format!("grow{largest}-"), largest)).await?;
    growth[largest.to_string()] = median(vec![stays], largest);
    let each = |size: &usize| growth[size.to_string()]["ms_per_tenant"].as_f64();
    if let Some((first, last)) = sizes.first().and_then(each).zip(each(&largest)) {
        growth["factor"] = rounded(last / first);
    }
    figures.put("growth", growth);
    Ok(())
}

/// What the run in the middle came to, by the time for each tenant.
fn median(mut runs: Vec<crowd::Settled>, size: usize) -> Value {
    runs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let each = |seconds: f64| rounded(seconds * 1000.0 / size as f64);
    let (middle, all) = (&runs[runs.len() / 2], runs.len());
    let of = &middle.figures;
    json!({
        "runs": all,
        "ms_per_tenant": each(middle.seconds),
        "fastest_ms": each(runs[0].seconds),
        "slowest_ms": each(runs[all - 1].seconds),
        "reconciles_per_tenant": of["reconciles_per_tenant"],
        "api_calls_per_tenant": of["api_calls_per_tenant"],
        "operator_cpu_ms_per_tenant": each(of["operator_cpu_seconds"].as_f64().unwrap_or_default()),
        "stolen_percent": of["stolen_percent"],
    })
}

/// Nothing happens, and then the operator begins anew.
async fn rest(cluster: &Cluster, operator: &mut Operator, figures: &mut Figures) -> Result<(), Failure> {
    let hands = cluster.hands();
    let tenants = cluster.census().await?.0;
    cluster.remove_ended_jobs().await?;
    calm(cluster).await?;
    let seconds = number("REST_SECONDS", 120);
    let (mark, before, cores) = (audit::mark(&cluster.dir)?, operator.used()?, Cores::now());
    tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
    let after = operator.used()?;
    let mine = audit::since(&cluster.dir, mark)?.remove("operator").unwrap_or_default();
    let per_minute = |sum: u64| rounded(sum as f64 * 60.0 / seconds as f64);
    let mut figure = json!({
        "tenants": tenants,
        "measured_seconds": seconds,
        "requests_per_minute": per_minute(audit::total(&mine, |key| !audit::is_housekeeping(key))),
        "lease_and_watch_requests_per_minute": per_minute(audit::total(&mine, audit::is_housekeeping)),
        "requests": mine,
        "memory_mib": rounded(after.resident_mib),
        "cpu_percent": rounded((after.cpu_seconds - before.cpu_seconds) * 100.0 / seconds as f64),
        "stolen_percent": cores.stolen_since(),
    });
    figures.put("rest_10000", figure.clone());
    restart(cluster, operator, tenants, &mut figure).await?;
    figures.put("rest_10000", figure);
    drop(hands);
    Ok(())
}

async fn restart(cluster: &Cluster, operator: &mut Operator, tenants: usize, figure: &mut Value) -> Result<(), Failure> {
    operator.kill();
    let (mark, began) = (audit::mark(&cluster.dir)?, Instant::now());
    operator.begin().await?;
    let caches = began.elapsed();
    figure["restart_caches_seconds"] = rounded(caches.as_secs_f64());
    // Without the time in which the benchmark counts them itself.
    let settled = caches + cluster.await_ready(operator, tenants, crowd::patience(tenants)).await?;
    figure["restart_seconds"] = rounded(settled.as_secs_f64());
    calm(cluster).await?;
    let mine = audit::since(&cluster.dir, mark)?.remove("operator").unwrap_or_default();
    figure["restart_writes"] = json!(audit::total(&mine, |key| audit::is_write(key) && !audit::is_housekeeping(key)));
    figure["restart_memory_mib"] = rounded(operator.used()?.resident_mib);
    figure["restart_requests"] = json!(mine);
    Ok(())
}

/// Until the operator has asked nothing to speak of for some seconds.
async fn calm(cluster: &Cluster) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_secs(300);
    while Instant::now() < end {
        let mark = audit::mark(&cluster.dir)?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mine = audit::since(&cluster.dir, mark)?.remove("operator").unwrap_or_default();
        if audit::total(&mine, |key| audit::is_write(key) && !audit::is_housekeeping(key)) == 0 {
            return Ok(());
        }
    }
    Err("the operator still writes after five minutes".into())
}

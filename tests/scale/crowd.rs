//! Many tenants at once: up, and away again, with what it took.

use std::time::{Duration, Instant};

use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tenant_operator::api::{Tenant, TenantClaim};

use crate::Failure;
use crate::audit::{self, Requests};
use crate::cluster::{Cluster, pause};
use crate::cores::Cores;
use crate::figures::rounded;
use crate::operator::Operator;

/// What it took to make a crowd Ready.
pub struct Settled {
    pub seconds: f64,
    pub operator: Requests,
    /// What the hands have asked.
    pub bench: Requests,
    pub figures: Value,
}

/// Claims of sites, which hold the records.
const SITES: &str = "tenancy.nexuserp.io/bench-namespace";

/// However slow: then something hangs.
pub fn patience(count: usize) -> Duration {
    Duration::from_secs(120) + Duration::from_millis(500) * u32::try_from(count).unwrap_or(u32::MAX)
}

/// Applies them all at once, and waits until all are Ready. There may be others.
pub async fn settle(cluster: &Cluster, operator: &Operator, names: &[String]) -> Result<Settled, Failure> {
    let _hands = cluster.hands();
    let before = cluster.census().await?.0;
    let (mark, passes, used) = (audit::mark(&cluster.dir)?, operator.passes().await?, operator.used()?);
    let (began, cores) = (Instant::now(), Cores::now());
    let (applied, ready) =
        tokio::join!(cluster.apply(names), cluster.await_ready(operator, before + names.len(), patience(names.len())));
    applied?;
    let seconds = ready?.as_secs_f64();
    let (all, stolen) = (began.elapsed().as_secs_f64(), cores.stolen_since());
    let (passes, used_now) = (operator.passes().await? - passes, operator.used()?);
    let mut users = audit::since(&cluster.dir, mark)?;
    let mine = users.remove("operator").unwrap_or_default();
    let bench = users.remove("bench").unwrap_or_default();
    let each = |sum: u64| rounded(sum as f64 / names.len() as f64);
    let figures = json!({
        "tenants": names.len(),
        "seconds": rounded(seconds),
        "reconciles_per_second": rounded(passes / all),
        "reconciles_per_tenant": rounded(passes / names.len() as f64),
        "api_calls_per_tenant": each(audit::total(&mine, |key| !audit::is_housekeeping(key))),
        "api_writes_per_tenant": each(audit::total(&mine, |key| audit::is_write(key) && !audit::is_housekeeping(key))),
        "operator_cpu_seconds": rounded(used_now.cpu_seconds - used.cpu_seconds),
        "operator_requests": mine,
        "stolen_percent": stolen,
    });
    Ok(Settled { seconds, operator: mine, bench, figures })
}

/// Deletes them all at once, and waits until they are gone and have left nothing.
pub async fn teardown(cluster: &Cluster, operator: &Operator, names: &[String]) -> Result<Value, Failure> {
    let _hands = cluster.hands();
    let others = cluster.census().await?.0 - names.len();
    let (mark, began) = (audit::mark(&cluster.dir)?, Instant::now());
    cluster.delete(names).await?;
    let end = began + patience(names.len());
    loop {
        let metrics = operator.metrics().await?;
        let known: f64 =
            metrics.iter().filter(|(name, _)| name.starts_with("tenant_operator_tenants{")).map(|(_, count)| count).sum();
        if known as usize <= others && cluster.census().await?.0 <= others {
            break;
        }
        pause(end, "end of the tenants").await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let mine = audit::since(&cluster.dir, mark)?.remove("operator").unwrap_or_default();
    cluster.remove_ended_jobs().await?;
    let left = cluster.left().await?;
    let calls = audit::total(&mine, |key| !audit::is_housekeeping(key)) as f64 / names.len() as f64;
    Ok(json!({
        "tenants": names.len(), "seconds": rounded(seconds), "left": left,
        "api_calls_per_tenant": rounded(calls), "operator_requests": mine,
    }))
}

/// How much a tenant's status and record weigh, in bytes of JSON; the mean of a page of them.
pub async fn bytes(cluster: &Cluster) -> Result<Value, Failure> {
    let some = ListParams::default().limit(50);
    let tenants: Vec<Tenant> = cluster.tenants().list(&some).await?.items;
    let claims: Vec<TenantClaim> = Api::all(cluster.client.clone()).list(&some.labels(SITES)).await?.items;
    let statuses: Vec<usize> =
        tenants.iter().filter_map(|tenant| Some(serde_json::to_string(tenant.status.as_ref()?).ok()?.len())).collect();
    let records: Vec<usize> =
        claims.iter().filter_map(|claim| Some(serde_json::to_string(claim.spec.record.as_ref()?).ok()?.len())).collect();
    let mean = |all: Vec<usize>| all.iter().sum::<usize>() / all.len().max(1);
    Ok(json!({"status": mean(statuses), "record": mean(records)}))
}

//! What a tenant needs is away for a while: one comes, one leaves, one is settled.

use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::time::sleep;

use crate::Form;
use crate::blow::{CERT_MANAGER, MARIADB, MARIADB_16, Part, REDIS, REDIS_16, WEB, WEB_16};
use crate::fault::{Fault, in_flight};
use crate::lab::CUSTOMERS;
use crate::scene::{ERP, ERP16, Scene};
use crate::table::Table;

struct Outage {
    name: &'static str,
    part: Part,
    at: usize,
    seconds: u64,
    short: bool,
}

const fn outage(name: &'static str, part: Part, at: usize) -> Outage {
    Outage { name, part, at, seconds: 15, short: true }
}

const OUTAGES: [Outage; 11] = [
    outage("MariaDB of Frappe 15 away", MARIADB, ERP),
    Outage { short: false, ..outage("MariaDB of Frappe 16 away", MARIADB_16, ERP16) },
    outage("Redis of Frappe 16 away", REDIS_16, ERP16),
    Outage { short: false, ..outage("Redis of Frappe 15 away", REDIS, ERP) },
    outage("web of Frappe 16 away", WEB_16, ERP16),
    Outage { short: false, ..outage("web of Frappe 15 away", WEB, ERP) },
    outage("Master away", WEB_16, ERP),
    outage("cert-manager away", CERT_MANAGER, ERP),
    outage("API server away", Part::ApiServer, ERP16),
    Outage { short: false, ..outage("API server away", Part::ApiServer, ERP) },
    // Longer than a lease lives: the operator must end and come back.
    Outage { seconds: 25, short: false, ..outage("API server hangs", Part::ApiServerHangs, ERP) },
];

pub async fn run(scene: &Scene, table: &Table, form: Form) {
    let moments: &[u64] = if form == Form::Short { &[2] } else { &[1, 5] };
    for outage in OUTAGES.iter().filter(|outage| form == Form::Full || outage.short) {
        for moment in moments {
            let name = format!("{} for {} s from {moment} s after apply and delete", outage.name, outage.seconds);
            let after = Duration::from_secs(*moment);
            let body =
                async |fault: &Fault<'_>| in_flight(fault, outage.at, after, async |fault| pass(fault, outage).await).await;
            table.strike(scene, &name, body).await;
        }
    }
}

async fn pass(fault: &Fault<'_>, outage: &Outage) -> Instant {
    // Only those who are served by it may say that it is away: not those of the other bench, which has its Master there.
    if let Part::Deployment { namespace, .. } = outage.part {
        fault.may_hurt_those_on(namespace);
    }
    outage.part.stop(fault.lab()).await;
    if matches!(outage.part, Part::Deployment { .. }) {
        have_the_settled_looked_at(fault).await;
    }
    sleep(Duration::from_secs(outage.seconds)).await;
    outage.part.start(fault.lab()).await;
    Instant::now()
}

/// Or the operator would not notice the outage before the next probe.
async fn have_the_settled_looked_at(fault: &Fault<'_>) {
    let looked = json!({"metadata": {"annotations": {"chaos": Timestamp::now().to_string()}}});
    for guest in &fault.scene.settled.guests {
        let tenants = fault.scene.case.tenants(CUSTOMERS);
        tenants.patch(&guest.name, &PatchParams::default(), &Patch::Merge(&looked)).await.expect("an annotation");
    }
}

//! Bad specs that no schema can see: what they name is not there, is another's, or is not allowed here. Each is stored, and ends in a
//! condition that says what to change; what was refused before anything was taken has left nothing.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use kube::api::{Api, ListParams};
use serde_json::json;
use tenant_operator::api::{App, BenchRef, BenchSpec, SecretKeyRef, SiteConfigEntry, Tenant, TenantClaim};

use crate::bench::{GATEWAY_16, INGRESS_16};
use crate::case::Case;

use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};

const LIMIT: Duration = Duration::from_secs(240);

/// A Tenant, and what it must come to say.
struct Late {
    tenant: Tenant,
    reason: &'static str,
    says: String,
    /// It is refused before anything is taken.
    untouched: bool,
}

/// How many there were; panics where one of them was not handled.
pub async fn all(case: &Case) -> usize {
    let benches = bad_benches(case).await;
    let mut late = named(case).await;
    late.extend(in_the_bench(case).await);
    for one in &late {
        case.apply(&one.tenant).await;
    }
    for one in &late {
        handled(case, one).await;
    }
    late.len() + benches
}

async fn handled(case: &Case, late: &Late) {
    let name = late.tenant.metadata.name.as_deref().expect("a name");
    let says = |tenant: Option<&Tenant>| {
        let all = tenant.and_then(|tenant| tenant.status.as_ref()).map(|status| status.conditions.as_slice()).unwrap_or_default();
        all.iter().any(|one| one.reason == late.reason && one.status != "True" && one.message.contains(&late.says))
    };
    case.until(name, &format!("told {} with {:?}", late.reason, late.says), LIMIT, says).await;
    if late.untouched {
        let of_tenant = ListParams::default().labels(&format!("tenancy.nexuserp.io/tenant={name}"));
        let claims = Api::<TenantClaim>::all(case.lab.client.clone()).list(&of_tenant).await.expect("claims");
        let jobs = Api::<Job>::all(case.lab.client.clone()).list(&of_tenant).await.expect("Jobs");
        assert!(claims.items.is_empty() && jobs.items.is_empty(), "{name} was refused, and has claims or Jobs");
    }
}

/// Names of what is not there, or not allowed: nothing is begun.
async fn named(case: &Case) -> Vec<Late> {
    let plan = case.plan(light_plan).await;
    let (bench, flat) = (case.bench(INGRESS_16).await, case.bench(GATEWAY_16).await);
    let drained = case.bench_as(INGRESS_16, |spec| spec.drain = true).await;
    let closed =
        case.bench_as(INGRESS_16, |spec| spec.allowed_tenants = serde_json::from_value(json!({})).expect("a default")).await;
    let new =
        |tag: &str, at: usize, bench: &BenchRef| tenant(&format!("{}-{tag}{at}", case.name), CUSTOMERS, &plan, bench.clone());
    let mut all = vec![];
    let mut late = |tenant, reason, says: &str| all.push(Late { tenant, reason, says: says.to_owned(), untouched: true });
    for (at, name) in ["none", "professional.", "a.b", "0", "true", "null", "starter-2", "x"].iter().enumerate() {
        let mut wanted = new("plan", at, &bench);
        wanted.spec.plan = format!("{}-{}", case.name, name.trim_end_matches('.'));
        let says = wanted.spec.plan.clone();
        late(wanted, "PlanNotFound", &says);
    }
    for (at, (name, namespace)) in
        [("none", "erp16"), ("main", "nowhere"), ("b", "customers"), ("true", "kube-system")].iter().enumerate()
    {
        let wanted = new("bench", at, &BenchRef { name: (*name).to_owned(), namespace: (*namespace).to_owned() });
        late(wanted, "BenchNotFound", "spec.benchRef");
    }
    late(new("drain", 0, &drained), "BenchRefuses", "drain");
    late(new("closed", 0, &closed), "BenchRefuses", "allowedTenants");
    for (at, subdomain) in ["master", "status"].iter().enumerate() {
        let mut wanted = new("kept", at, &bench);
        wanted.spec.subdomain = (*subdomain).to_owned();
        late(wanted, "SubdomainReserved", "choose another");
    }
    for (at, subdomain) in ["api-shop", "api-1"].iter().enumerate() {
        let mut wanted = new("flat", at, &flat);
        wanted.spec.subdomain = (*subdomain).to_owned();
        late(wanted, "SubdomainReserved", "choose another");
    }
    let mut wanted = new("long", 0, &flat);
    wanted.spec.subdomain = format!("{:a<63}", case.name);
    late(wanted, "HostInvalid", "choose a shorter subdomain");
    for (at, zone) in
        ["Mars/Olympus", "Europe", "Europe/Bielefeld", "Berlin", "CESTX", "Etc/GMT+99", "America/New_york_", "Asia/X-1"]
            .iter()
            .enumerate()
    {
        let mut wanted = new("zone", at, &bench);
        wanted.spec.organization.get_or_insert_default().time_zone = Some((*zone).to_owned());
        late(wanted, "TimeZoneUnknown", "spec.organization.timeZone");
    }
    for (at, country) in ["ZZ", "XX", "UK", "EU", "AA", "QQ"].iter().enumerate() {
        let mut wanted = new("land", at, &bench);
        wanted.spec.organization.get_or_insert_default().country = Some((*country).to_owned());
        late(wanted, "CountryUnknown", "spec.organization.country");
    }
    for (at, key) in
        ["developer_mode", "allow_cors", "custom_key", "server_script_enabled", "x", "max_file_sizes"].iter().enumerate()
    {
        let mut wanted = new("key", at, &bench);
        wanted.spec.site_config = vec![SiteConfigEntry { name: (*key).to_owned(), value: Some(json!(1)), value_from: None }];
        late(wanted, "ConfigKeyNotAllowed", "spec.siteConfig");
    }
    all
}

/// What only the bench, the edge or the cluster can tell: the tenant is begun, its users see the preparing page, and it says why.
async fn in_the_bench(case: &Case) -> Vec<Late> {
    let plan = case.name.clone();
    let place = INGRESS_16;
    let bench = case.bench(place).await;
    let weak = format!("{}-weak", case.name);
    case.secret(CUSTOMERS, &weak, "password", "iloveyou").await;
    let new = |tag: &str, bench: &BenchRef| tenant(&format!("{}-{tag}", case.name), CUSTOMERS, &plan, bench.clone());
    let mut all = vec![];
    let mut late = |tenant, reason, says: &str| all.push(Late { tenant, reason, says: says.to_owned(), untouched: false });
    for (at, (name, key)) in [("no-such-secret", "password"), (weak.as_str(), "no-such-key")].iter().enumerate() {
        let mut wanted = new(&format!("secret{at}"), &bench);
        wanted.spec.admin.password_secret_ref = Some(SecretKeyRef { name: (*name).to_owned(), key: (*key).to_owned() });
        late(wanted, "SecretMissing", name);
    }
    let mut wanted = new("weak", &bench);
    wanted.spec.admin.password_secret_ref = Some(SecretKeyRef { name: weak.clone(), key: "password".to_owned() });
    late(wanted, "WeakPassword", "put a stronger one into the Secret");
    let mut wanted = new("app", &bench);
    wanted.spec.apps = vec![App { name: "no_such_app".to_owned() }];
    late(wanted, "AppMissing", "no_such_app");
    let mut wanted = new("foreign", &bench);
    wanted.spec.credentials.secret_name = Some(weak.clone());
    late(wanted, "SecretNotOurs", &weak);

    type Change = fn(&mut BenchSpec);
    let unfit: [(&str, Change, &'static str, &str); 6] = [
        ("root", |spec| spec.database.root_secret_ref.name = "no-such-secret".to_owned(), "PodBlocked", "no-such-secret"),
        (
            "issuer",
            |spec| spec.tls.issuer_ref.as_mut().expect("an issuer").name = "no-such-issuer".to_owned(),
            "Issuing",
            "no-such-issuer",
        ),
        ("web", |spec| spec.services.web.name = "no-such-service".to_owned(), "BenchUnreachable", "no-such-service"),
        (
            "token",
            |spec| spec.registry.as_mut().expect("a registry").token_secret_ref.name = "no-such-secret".to_owned(),
            "RegistryTokenMissing",
            "no-such-secret",
        ),
        (
            "type",
            |spec| spec.registry.as_mut().expect("a registry").doc_type = "No Such Type".to_owned(),
            "RegistryDocTypeMissing",
            "No Such Type",
        ),
        (
            "field",
            |spec| spec.registry.as_mut().expect("a registry").id_field = "no_such_field".to_owned(),
            "RegistryFieldMissing",
            "no_such_field",
        ),
    ];
    for (tag, change, reason, says) in unfit {
        let unfit = case.bench_as(place, change).await;
        let right = json!({"spec": {"database": {"rootSecretRef": place.bench("right").spec.database.root_secret_ref}}});
        let (name, namespace) = (unfit.name.clone(), unfit.namespace.clone());
        // What was begun is not taken away without the database's administrator: it would wait for what the Bench lacks.
        case.finally(move |case| {
            let patch = ["patch", "bench", &name, "-n", &namespace, "--type=merge", "-p", &right.to_string()];
            case.lab.kubectl(&patch, "").expect("a Bench that is right");
        });
        late(new(tag, &unfit), reason, says);
    }
    all
}

/// Benches that no tenant can be placed on say so themselves.
async fn bad_benches(case: &Case) -> usize {
    let names = ["no-such-deployment", "erpnext", "x"];
    for name in names {
        let bench = case
            .bench_as(INGRESS_16, |spec| spec.jobs.pod_from.as_mut().expect("a Deployment").deployment = name.to_owned())
            .await;
        case.bench_says(&bench, "PodSourceMissing", name).await;
    }
    names.len()
}

//! Objects that tests begin with. No name is a default of the product or equal to another, so that swapped ones are noticed.
#![allow(dead_code, reason = "each test program uses a part of them")]

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tenant_operator::api::{Bench, Tenant, TenantPlan};
use tenant_operator::core::subject::{Given, Subject};

/// Where the Tenants are.
pub const HOME: &str = "harbour";
/// Where the Bench is.
pub const YARD: &str = "yard";
pub const CLUSTER: &str = "lighthouse";
pub const FRONTEND: &str = "pelican.port.test";
pub const API: &str = "data.pelican.port.test";
/// What the tenant's spec names for its site's config.
pub const MAIL_PASSWORD: &str = "mail-pass-6b1f";

const VERSION: &str = "tenancy.nexuserp.io/v1alpha1";

/// An Ingress edge with an issuer; the key is proven in the site, and nothing is probed: all that happens is API calls.
pub fn bench() -> Value {
    json!({
        "apiVersion": VERSION,
        "kind": "Bench",
        "metadata": {"name": "dock", "namespace": YARD, "uid": "bench-uid", "generation": 1},
        "spec": {
            "path": "/srv/frappe/dock",
            "sitesVolume": {"claimName": "hold"},
            "database": {"type": "MariaDB", "rootSecretRef": {"name": "ledger", "key": "passphrase"}},
            "services": {
                "web": {"name": "crane", "port": 8111},
                "nginx": {"name": "pilot", "port": 8222},
                "frontend": {"name": "bridge", "port": 3333},
            },
            "domain": "port.test",
            "hosts": {"frontend": "{subdomain}.{domain}", "api": "data.{subdomain}.{domain}"},
            "siteNameTemplate": "data.{subdomain}.{domain}",
            "edge": {"type": "Ingress", "ingress": {"className": "breakwater"}},
            "tls": {"mode": "Issuer", "issuerRef": {"kind": "ClusterIssuer", "name": "sealmaker"}},
            "probe": {"mode": "None"},
            "apiUser": {"roles": ["Harbour Master"], "verify": {"mode": "InSite"}},
            "siteConfigPolicy": {"tenantKeys": ["mail_password"]},
            "jobs": {"podFrom": {"deployment": "crane-web"}},
            "allowedTenants": {"namespaces": {"from": "All"}},
        },
    })
}

pub fn plan() -> Value {
    json!({
        "apiVersion": VERSION,
        "kind": "TenantPlan",
        "metadata": {"name": "ferry", "generation": 4},
        "spec": {"setup": "Skip", "apps": [{"name": "erpnext"}]},
    })
}

pub fn tenant(name: &str, subdomain: &str) -> Value {
    json!({
        "apiVersion": VERSION,
        "kind": "Tenant",
        "metadata": {
            "name": name,
            "namespace": HOME,
            "uid": format!("{name}-uid"),
            "generation": 1,
            "creationTimestamp": "2026-11-21T07:30:00Z",
        },
        "spec": {
            "subdomain": subdomain,
            "plan": "ferry",
            "admin": {"email": "owner@pelican.test"},
            "siteConfig": [{"name": "mail_password", "valueFrom": {"secretKeyRef": {"name": "mail", "key": "password"}}}],
            "credentials": {"secretName": "passport"},
        },
    })
}

pub fn read<T: serde::de::DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).expect("an object of this kind")
}

/// A tenant on its way up that has no record yet.
pub fn subject(id: &str, bench: Value, created: Timestamp) -> Subject {
    let (bench, plan): (Bench, TenantPlan) = (read(bench), read(plan()));
    let mut tenant: Tenant = read(tenant(&format!("ship-{id}"), "pelican"));
    tenant.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(created));
    let given = Given {
        tenant: &tenant,
        plan: Some(&plan),
        turn: true,
        bench: &bench,
        id: id.to_owned(),
        record: None,
        begin: Default::default(),
        now: Timestamp::now(),
        cluster: CLUSTER.to_owned(),
    };
    Subject::parse(given).expect("a subject")
}

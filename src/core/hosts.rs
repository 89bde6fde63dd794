//! What a Tenant's site and hosts are called on a Bench.

use crate::api::{BenchSpec, Hosts, TenantSpec};

/// The name of the site that the Tenant has, or would have, on a Bench.
pub fn site_of(spec: &TenantSpec, bench: &BenchSpec) -> String {
    spec.site_name.clone().unwrap_or_else(|| render(&bench.site_name_template, &spec.subdomain, &bench.domain))
}

/// The hosts that a Tenant would have on a Bench.
pub fn hosts_of(spec: &TenantSpec, bench: &BenchSpec) -> Hosts {
    Hosts {
        frontend: render(&bench.hosts.frontend, &spec.subdomain, &bench.domain),
        api: render(&bench.hosts.api, &spec.subdomain, &bench.domain),
    }
}

fn render(template: &str, subdomain: &str, domain: &str) -> String {
    template.replace("{subdomain}", subdomain).replace("{domain}", domain)
}

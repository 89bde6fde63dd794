//! What no schema can see: rules that need spec and Bench together, or a table of names.

use super::subject::{Problem, site_of};
use crate::api::{Bench, BenchSpec, EdgeType, Hosts, Organization, Tenant, TenantSpec};

pub(super) fn subdomain(subdomain: &str, bench: &BenchSpec) -> Result<(), Problem> {
    if bench.reserved_subdomains.iter().any(|reserved| reserved == subdomain) {
        return Err(Problem::lasting(
            "SubdomainReserved",
            format!("the Bench reserves the subdomain {subdomain:?}: choose another"),
        ));
    }
    for template in [&bench.hosts.frontend, &bench.hosts.api] {
        let literal = template.split('{').next().unwrap_or_default();
        if !literal.is_empty() && !literal.contains('.') && subdomain.starts_with(literal) {
            return Err(Problem::lasting(
                "SubdomainReserved",
                format!("subdomains that begin with {literal:?} could take another tenant's host on this Bench: choose another"),
            ));
        }
    }
    Ok(())
}

pub(super) fn hosts(hosts: &Hosts) -> Result<(), Problem> {
    for host in [&hosts.frontend, &hosts.api] {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if host.len() > 253 - "host.".len() || !host.split('.').all(label) {
            return Err(Problem::lasting(
                "HostInvalid",
                format!("{host} is no DNS name (labels of at most 63 characters): choose a shorter subdomain"),
            ));
        }
    }
    if hosts.frontend == hosts.api {
        return Err(Problem::lasting("HostInvalid", "the Bench's two host templates give the same name: make them differ"));
    }
    Ok(())
}

/// A name off the Bench's template, as `siteName` gives it. Once the tenant has its record, the Bench's list says nothing about it any more.
pub(super) fn site_name(site: &str, hosts: &Hosts, new: bool, tenant: &Tenant, bench: &Bench) -> Result<(), Problem> {
    if tenant.spec.site_name.is_none() {
        return Ok(());
    }
    if bench.spec.edge.type_ == EdgeType::Ingress && *site != hosts.api {
        return Err(Problem::lasting(
            "SiteNameInvalid",
            format!(
                "behind edge.type Ingress a site is found by the API host: spec.siteName must be {}, or create another Tenant without it",
                hosts.api
            ),
        ));
    }
    let template = site_of(&TenantSpec { site_name: None, ..tenant.spec.clone() }, &bench.spec);
    if new && *site != template && !bench.spec.adoption.site_names.iter().any(|listed| listed == site) {
        return Err(Problem::passing(
            "SiteNotListed",
            format!(
                "spec.siteName: the Bench does not list {site}; add it to its adoption.siteNames, or create another Tenant without it"
            ),
        ));
    }
    Ok(())
}

pub(super) fn organization(organization: Option<&Organization>) -> Result<(), Problem> {
    let Some(zone) = organization.and_then(|organization| organization.time_zone.as_deref()) else { return Ok(()) };
    match jiff::tz::TimeZone::get(zone) {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::lasting(
            "TimeZoneUnknown",
            format!("spec.organization.timeZone: {zone:?} is not in the IANA time zone database; write it like Europe/Berlin"),
        )),
    }
}

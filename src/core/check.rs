//! What no schema can see: rules that need spec and Bench together, or a table of names.

use super::subject::Problem;
use crate::api::{BenchSpec, Hosts, Organization};

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

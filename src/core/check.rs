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

/// A name off the Bench's template, as `siteName` gives it. Once the tenant has its record, the Bench's list has no say in it.
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

/// ISO 3166-1 alpha-2. A country that the wizard does not know would only be noticed when the site is there already.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG \
    GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ \
    LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR \
    NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ \
    TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

pub(super) fn organization(organization: Option<&Organization>) -> Result<(), Problem> {
    if let Some(country) = organization.and_then(|organization| organization.country.as_deref())
        && !COUNTRIES.split(' ').any(|known| known == country)
    {
        return Err(Problem::lasting(
            "CountryUnknown",
            format!("spec.organization.country: {country:?} is no country (ISO 3166-1 alpha-2); write it like DE"),
        ));
    }
    let Some(zone) = organization.and_then(|organization| organization.time_zone.as_deref()) else { return Ok(()) };
    match jiff::tz::TimeZone::get(zone) {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::lasting(
            "TimeZoneUnknown",
            format!("spec.organization.timeZone: {zone:?} is not in the IANA time zone database; write it like Europe/Berlin"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_those_of_iso_3166() {
        let all: std::collections::BTreeSet<&str> = COUNTRIES.split(' ').collect();
        assert_eq!((all.len(), COUNTRIES.split(' ').count()), (249, 249));
        assert!(all.iter().all(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
        let said = |country: &str| {
            let organization = Organization { country: Some(country.to_owned()), ..Default::default() };
            super::organization(Some(&organization)).err().map(|problem| problem.reason)
        };
        assert_eq!((said("DE"), said("UK"), said("ZZ")), (None, Some("CountryUnknown".into()), Some("CountryUnknown".into())));
    }
}

//! On which Bench a new tenant goes: one that accepts it, with most room.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::carried::Carried;
use super::subject::{Problem, site_of};
use super::verdict::Note;
use crate::api::{Adoption, Bench, BenchRef, NamespaceChoice, Phase, Tenant};

/// So many claims a message names at most.
const NAMED: usize = 3;

/// A Bench, and how many tenants it carries.
pub struct Candidate<'a> {
    pub bench: &'a Bench,
    pub tenants: u32,
}

/// `namespace_labels` are those of the Tenant's namespace.
///
/// # Errors
/// A [`Problem`] that says which Bench refuses the tenant, and why.
pub fn choose(
    tenant: &Tenant,
    namespace_labels: &BTreeMap<String, String>,
    benches: &[Candidate<'_>],
) -> Result<BenchRef, Problem> {
    if let Some(wanted) = &tenant.spec.bench_ref {
        let found = benches.iter().find(|candidate| reference(candidate.bench) == *wanted);
        let candidate = found.ok_or_else(|| {
            Problem::passing(
                "BenchNotFound",
                format!("there is no Bench {}/{}: create it, or correct spec.benchRef", wanted.namespace, wanted.name),
            )
        })?;
        return match refusal(candidate, tenant, namespace_labels) {
            None => Ok(wanted.clone()),
            Some(why) => Err(Problem::passing("BenchRefuses", format!("Bench {}/{} {why}", wanted.namespace, wanted.name))),
        };
    }
    let open = benches.iter().filter(|candidate| refusal(candidate, tenant, namespace_labels).is_none());
    // Most room first; the name decides between equals, so that two passes never differ.
    let best = open.max_by(|one, other| room(one).cmp(&room(other)).then_with(|| name(other).cmp(&name(one))));
    best.map(|candidate| reference(candidate.bench)).ok_or_else(|| {
        let why = benches.iter().filter_map(|candidate| {
            let bench = reference(candidate.bench);
            refusal(candidate, tenant, namespace_labels).map(|why| format!("{}/{} {why}", bench.namespace, bench.name))
        });
        let why: Vec<String> = why.take(3).collect();
        let why = if why.is_empty() { "there is none".to_owned() } else { why.join("; ") };
        Problem::passing("NoBench", format!("no Bench takes this tenant: {why}"))
    })
}

pub fn reference(bench: &Bench) -> BenchRef {
    BenchRef {
        name: bench.metadata.name.clone().unwrap_or_default(),
        namespace: bench.metadata.namespace.clone().unwrap_or_default(),
    }
}

fn name<'a>(candidate: &Candidate<'a>) -> [Option<&'a String>; 2] {
    let meta = &candidate.bench.metadata;
    [meta.name.as_ref(), meta.namespace.as_ref()]
}

fn room(candidate: &Candidate<'_>) -> u32 {
    let capacity = candidate.bench.spec.capacity.as_ref().map_or(u32::MAX, |capacity| capacity.tenants);
    capacity.saturating_sub(candidate.tenants)
}

fn refusal(candidate: &Candidate<'_>, tenant: &Tenant, labels: &BTreeMap<String, String>) -> Option<String> {
    let bench = candidate.bench;
    let home = tenant.metadata.namespace.as_deref().unwrap_or_default();
    if bench.metadata.deletion_timestamp.is_some() {
        return Some("is being deleted".to_owned());
    }
    let from = &bench.spec.allowed_tenants.namespaces;
    let allowed = match from.from {
        NamespaceChoice::All => true,
        NamespaceChoice::Same => bench.metadata.namespace.as_deref() == Some(home),
        NamespaceChoice::Selector => from.selector.as_ref().is_some_and(|selector| selects(selector, labels)),
    };
    if !allowed {
        return Some(format!("takes no tenants from namespace {home} (allowedTenants)"));
    }
    if bench.spec.drain {
        return Some("takes no new tenants (drain)".to_owned());
    }
    if tenant.spec.adoption != Adoption::Never {
        let site = site_of(&tenant.spec, &bench.spec);
        if !bench.spec.adoption.site_names.contains(&site) {
            return Some(format!("does not list {site} (adoption.siteNames)"));
        }
    }
    (room(candidate) == 0).then(|| format!("is full ({} tenants)", candidate.tenants))
}

/// Label selectors as the API server reads them: everything said must hold.
fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector.match_labels.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let expressions = selector.match_expressions.iter().flatten().all(|expression| {
        let value = labels.get(&expression.key);
        let listed = || value.is_some_and(|value| expression.values.iter().flatten().any(|other| other == value));
        match expression.operator.as_str() {
            "In" => listed(),
            "NotIn" => !listed(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    });
    equal && expressions
}

/// Why a Bench that is deleted does not go: the claims of the sites that are on it.
pub fn in_use(carried: &[Carried]) -> Note {
    let of =
        |phase: Phase| -> Vec<&str> { carried.iter().filter(|one| one.phase == phase).map(|one| one.claim.as_str()).collect() };
    let named = |claims: &[&str]| {
        let more = if claims.len() > NAMED { ", ..." } else { "" };
        format!("{}{more}", claims.iter().take(NAMED).copied().collect::<Vec<_>>().join(", "))
    };
    let (living, kept, given_up) = (of(Phase::Active), of(Phase::Retained), of(Phase::Abandoned));
    let mut parts = vec![];
    if !living.is_empty() {
        parts.push(format!("tenants on it: {} (delete them first)", living.len()));
    }
    if !kept.is_empty() {
        parts.push(format!(
            "sites that stayed when their Tenants were deleted: {} (move them to where they are to live, then delete the TenantClaims: {})",
            kept.len(),
            named(&kept)
        ));
    }
    if !given_up.is_empty() {
        parts.push(format!(
            "ends that were given up: {} (take away what spec.record.left of the TenantClaims names, then delete those: {})",
            given_up.len(),
            named(&given_up)
        ));
    }
    Note::new("InUse", format!("{}; then it goes by itself", parts.join("; ")))
}

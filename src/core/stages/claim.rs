//! Hosts and site are this tenant's alone, in the whole cluster. The site's claim comes last and holds the record.

use crate::api::Phase;
use crate::core::identity::Begin;
use crate::core::op::{Change, Claim, Op};
use crate::core::seen::{ClaimSeen, ClaimState};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

pub fn up(who: &Subject, seen: &[ClaimSeen]) -> Verdict {
    let taken = seen.iter().find(|claim| matches!(claim.state, ClaimState::Theirs(..) | ClaimState::Kept));
    if let Some(claim) = taken {
        // Without a record nothing was built on what this attempt took: the other may have it.
        let ours = names(seen, &ClaimState::Ours);
        return if who.record.is_none() && !ours.is_empty() && !who.reports() {
            Verdict::Do(vec![Op::ReleaseClaims(ours)])
        } else {
            held(who, claim)
        };
    }
    if who.reports() {
        return Verdict::settled("NothingTaken", "hosts and site are no other tenant's; a report takes nothing");
    }
    if let Begin::TakeOver(handover) = &who.begin {
        return Verdict::Do(vec![Op::TakeOver(handover.clone())]);
    }
    let free: Vec<Claim> = seen
        .iter()
        .filter(|claim| claim.state == ClaimState::Free)
        .map(|claim| Claim { name: claim.name.clone(), host: claim.host.clone() })
        .collect();
    if free.is_empty() && who.record.is_none() {
        // The answer to the write that made it was lost, and the client tried again by itself.
        return Verdict::wait("RecordUnread", "the tenant's record is there and is read with the next look", 1);
    }
    if free.is_empty() {
        if let Some(verdict) = plan(who) {
            return verdict;
        }
        let bench = format!("{}/{}", who.bench.namespace, who.bench.name);
        return Verdict::settled("Claimed", format!("{} hosts and 1 site, on bench {bench}", seen.len().saturating_sub(1)));
    }
    if who.record.is_some() && free.iter().any(|claim| claim.host.is_none()) {
        return Verdict::stalled("RecordLost", "the claim that held this tenant's record is gone: restore it from a backup");
    }
    Verdict::Do(vec![Op::TakeClaims(free)])
}

/// The record has the plan before anything of it is applied: whoever goes on after a crash goes on with that.
fn plan(who: &Subject) -> Option<Verdict> {
    let copy = who.want.as_ref().map(|want| &want.copy)?;
    let known = who.record()?.plan.as_ref() == Some(copy);
    (!known).then(|| Verdict::Do(vec![Op::Remember(Change::Plan(Box::new((**copy).clone())))]))
}

/// A retained site keeps its claim: the record says whose it was, and no other tenant gets the name.
pub fn down(who: &Subject, seen: &[ClaimSeen]) -> Verdict {
    let abandoned = !who.given_up.is_empty();
    let retained = abandoned || who.is_kept();
    let ours = |claim: &&ClaimSeen| claim.state == ClaimState::Ours && !(retained && claim.host.is_none());
    let release: Vec<String> = seen.iter().filter(ours).map(|claim| claim.name.clone()).collect();
    let phase = if abandoned { Phase::Abandoned } else { Phase::Retained };
    let mut ops = vec![];
    if abandoned && who.record().is_some_and(|record| record.left != who.given_up) {
        ops.push(Op::Remember(Change::Left(who.given_up.clone())));
    }
    if retained && who.record().is_some_and(|record| record.phase == Phase::Active) {
        ops.push(Op::Remember(Change::Phase(phase)));
    }
    if !release.is_empty() {
        ops.push(Op::ReleaseClaims(release));
    }
    match (ops.is_empty(), retained) {
        (false, _) => Verdict::Do(ops),
        (true, true) if abandoned => Verdict::settled("Abandoned", "the hosts are free; the site's claim says what may be left"),
        (true, true) => Verdict::settled("Retained", "the hosts are free; the site keeps its claim and its record"),
        (true, false) => Verdict::settled("Removed", "hosts and site are free again"),
    }
}

fn names(seen: &[ClaimSeen], state: &ClaimState) -> Vec<String> {
    seen.iter().filter(|claim| claim.state == *state).map(|claim| claim.name.clone()).collect()
}

/// Names the holder only to those who may see it.
fn held(who: &Subject, claim: &ClaimSeen) -> Verdict {
    let what = claim.host.as_deref().unwrap_or(&who.site);
    let holder = match &claim.state {
        ClaimState::Kept => {
            let message = format!(
                "{what} is there from a tenant that was deleted (TenantClaim {}): set spec.adoption to TakeOver and list the site in \
                 the Bench's adoption.siteNames, or choose another subdomain",
                claim.name
            );
            return Verdict::stalled("AdoptionNeeded", message);
        }
        ClaimState::Theirs(namespace, name) if *namespace == who.tenant.namespace => format!("Tenant {name}"),
        ClaimState::Theirs(..) | ClaimState::Free | ClaimState::Ours => "a Tenant of another namespace".to_owned(),
    };
    Verdict::wait("Conflict", format!("{what} is held by {holder}: choose another subdomain, or wait until it is free"), 30)
}

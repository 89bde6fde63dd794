//! The site exists, with its own database and our marker; going down, it is archived, dropped or kept.

use std::collections::BTreeMap;

use serde_json::json;

use super::adoption;
use super::work::{self, Order};
use crate::api::{DeletionPolicy, Receipt};
use crate::core::op::{Change, JobKind, Op};
use crate::core::report::plain;
use crate::core::seen::{SecretState, WorkSeen};
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;
use crate::core::{names, rotation};

/// What the step that makes the site puts back into one that is there.
const REPAIRABLE: [&str; 3] = ["marker", steps::ENCRYPTION_KEY, "database user"];

pub fn up(who: &Subject, seen: &WorkSeen) -> Verdict {
    if who.reports() {
        return adoption::report(who, seen);
    }
    if let Some(verdict) = secrets(who, seen) {
        return verdict;
    }
    if steps::fresh(Step::Create, who, &seen.versions) {
        return created(who);
    }
    if let Some(verdict) = adoption::learn(who) {
        return verdict;
    }
    provision(who, seen, if who.adopts() { "Adopting" } else { "Creating" })
}

/// What an inspection of the site put right is named until the next one: somebody should know how it came to be wrong.
fn created(who: &Subject) -> Verdict {
    let receipt = who.receipt(Step::Create);
    let marked = format!("{} carries our marker{}", who.site, receipt.map(made_from).unwrap_or_default());
    let repaired = receipt.and_then(|receipt| receipt.facts.as_ref()?.get("repaired")?.as_array());
    let named = |part: &&str| repaired.is_some_and(|repaired| repaired.contains(&json!(part)));
    let repaired: Vec<&str> = REPAIRABLE.iter().copied().filter(|part| named(part)).collect();
    match receipt {
        Some(receipt) if !repaired.is_empty() => {
            let at = receipt.at.0.strftime("%Y-%m-%d %H:%M:%SZ");
            let message = format!("{marked}; put back at {at}, since it was changed or lost: {}", repaired.join(", "));
            Verdict::settled("Repaired", message)
        }
        _ if who.is_adopted() => Verdict::settled("Adopted", marked),
        _ => Verdict::settled("Created", marked),
    }
}

/// What became of the template that its site was to be made from.
fn made_from(receipt: &Receipt) -> String {
    let Some(said) = receipt.facts.as_ref().and_then(|facts| facts.get("template")) else { return String::new() };
    let name = plain(said["name"].as_str().unwrap_or_default(), 16);
    match said["used"] == true {
        true => format!("; made from the template {name}"),
        false => {
            let why = plain(said["why"].as_str().unwrap_or_default(), 16).to_lowercase();
            format!("; installed, since the template {name} was unfit ({why})")
        }
    }
}

/// Runs everything that is left on the way up, in one Job.
pub fn provision(who: &Subject, seen: &WorkSeen, doing: &'static str) -> Verdict {
    let others = [JobKind::Remove, JobKind::Report].into_iter().find_map(|other| work::clear(seen, other));
    if let Some(verdict) = others.or_else(|| secrets(who, seen)).or_else(|| inputs(who, seen)) {
        return verdict;
    }
    work::run(who, seen, &Order { kind: JobKind::Provision, steps: steps::left(who, &seen.versions), doing })
}

/// The tenant's secrets are in custody before anything is made with them. A pair of the API key is made as long as it was never in
/// use; one that was proven is what programs have, and no other takes its number.
fn secrets(who: &Subject, seen: &WorkSeen) -> Option<Verdict> {
    let made = who.expects_site();
    let proven_lost = rotation::proven(who).is_some_and(|proven| !seen.pairs.contains(&proven.serial));
    match seen.custody {
        SecretState::NotOurs => Some(not_ours(&names::custody(&who.id), &who.bench.namespace)),
        SecretState::Absent | SecretState::Stale if made => Some(lost(who)),
        SecretState::Current if seen.custody_moved => Some(Verdict::Do(vec![Op::EnsureCustody])),
        SecretState::Current if proven_lost => Some(lost(who)),
        SecretState::Current if seen.pairs.contains(&rotation::newest(who)) => None,
        SecretState::Absent | SecretState::Stale | SecretState::Current => Some(Verdict::Do(vec![Op::EnsureCustody])),
    }
}

fn lost(who: &Subject) -> Verdict {
    let name = names::custody(&who.id);
    let message =
        format!("the Secret {name} with the site's encryption key and API key is gone or incomplete: restore it from a backup");
    Verdict::stalled("CustodyLost", message)
}

/// What the spec names is there, and copied to where the Job's pod can read it.
fn inputs(who: &Subject, seen: &WorkSeen) -> Option<Verdict> {
    if !seen.missing.is_empty() {
        let message =
            format!("{} is not in namespace {}: create it, or change the spec", seen.missing.join(", "), who.tenant.namespace);
        return Some(Verdict::wait("SecretMissing", message, 30));
    }
    // Only one step is given them.
    let needed = !who.secret_inputs().is_empty() && steps::left(who, &seen.versions).contains(&Step::Settings);
    match seen.inputs {
        SecretState::NotOurs => Some(not_ours(&names::inputs(&who.id), &who.bench.namespace)),
        SecretState::Absent | SecretState::Stale if needed => Some(Verdict::Do(vec![Op::CopyInputs])),
        SecretState::Absent | SecretState::Stale | SecretState::Current => None,
    }
}

pub fn not_ours(secret: &str, namespace: &str) -> Verdict {
    Verdict::stalled(
        "SecretNotOurs",
        format!("the Secret {namespace}/{secret} does not carry this tenant's id: delete or rename it"),
    )
}

pub fn down(who: &Subject, seen: &WorkSeen) -> Verdict {
    if let Some(verdict) = work::clear(seen, JobKind::Provision) {
        return verdict;
    }
    if who.is_untouched() {
        return forget(who, seen);
    }
    if who.parting() == DeletionPolicy::Retain {
        let kept = format!("{} stays, with its database and its secrets in custody", who.site);
        return tidy(seen, None).unwrap_or_else(|| Verdict::settled("Retained", kept));
    }
    // Whether or not its secrets are in custody: somebody may have deleted them, and a Job may have done more than was seen.
    if steps::fresh(Step::Drop, who, &seen.versions) {
        return forget(who, seen);
    }
    // Without the name of its database nothing could be taken away.
    if let Some(verdict) = adoption::learn(who) {
        return verdict;
    }
    let archive = who.parting() == DeletionPolicy::Archive;
    let ops = prepare(who, archive);
    if !ops.is_empty() {
        return Verdict::Do(ops);
    }
    let steps = if archive { vec![Step::Archive, Step::Drop] } else { vec![Step::Drop] };
    work::run(who, seen, &Order { kind: JobKind::Remove, steps, doing: if archive { "Archiving" } else { "Dropping" } })
}

/// What the record says before the removal begins: where the archive will lie, and that from now on the site can't be kept.
fn prepare(who: &Subject, archive: bool) -> Vec<Op> {
    let mut ops = vec![];
    if archive && who.record().is_some_and(|record| record.archive.is_none()) {
        let folder = format!("archived_sites/{}/{}", who.id, who.now.strftime("%Y%m%dT%H%M%SZ"));
        ops.push(Op::Remember(Change::Archive(folder)));
    }
    if who.receipt(Step::Drop).is_none() {
        let begun = work::receipt(who, "begun", &json!({}));
        ops.push(Op::Remember(Change::Receipts(BTreeMap::from([(Step::Drop, begun)]))));
    }
    ops
}

/// Copied inputs and Jobs that have done their work, whatever becomes of the site.
fn tidy(seen: &WorkSeen, more: Option<Op>) -> Option<Verdict> {
    let inputs = matches!(seen.inputs, SecretState::Current | SecretState::Stale).then_some(Op::RemoveInputs);
    let jobs = seen.jobs.iter().filter(|job| !job.leaving).map(|job| Op::RemoveJob(job.name.clone()));
    let ops: Vec<Op> = inputs.into_iter().chain(more).chain(jobs).collect();
    if !ops.is_empty() {
        return Some(Verdict::Do(ops));
    }
    let leaving = seen.jobs.first()?;
    Some(Verdict::wait("JobLeaving", format!("Job {} is being deleted", leaving.name), 2))
}

/// The site is gone: what was kept for it goes too.
fn forget(who: &Subject, seen: &WorkSeen) -> Verdict {
    let custody = matches!(seen.custody, SecretState::Current | SecretState::Stale).then_some(Op::RemoveCustody);
    if let Some(verdict) = tidy(seen, custody) {
        return verdict;
    }
    match who.record().and_then(|record| record.archive.as_ref()).filter(|_| who.archived()) {
        _ if who.is_untouched() => Verdict::settled("Removed", format!("{} was never taken over, and is as it was", who.site)),
        Some(folder) => Verdict::settled("Archived", format!("{} was archived to {folder} and dropped", who.site)),
        None => Verdict::settled("Removed", format!("{} is gone, with its database", who.site)),
    }
}

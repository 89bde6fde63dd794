//! The API user's key and secret: set in the site, proven, then published in the tenant's Secret; and the pair before them stopped.

use std::collections::BTreeMap;

use serde_json::json;

use super::{site, work};
use crate::api::{DeletionPolicy, VerifyMode};
use crate::core::op::{Change, JobKind, Op};
use crate::core::seen::{KeyAnswer, SecretState, WorkSeen};
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;
use crate::core::{names, rotation};

/// Frappe 16 caches a site's config for 60 s: a refusal says something only after that.
const REFUSAL_COUNTS_AFTER: i64 = 75;

pub fn up(who: &Subject, seen: &WorkSeen) -> Verdict {
    // First, whatever else there is to do: programs go by what is published, also while another pair is on its way.
    if let Some(verdict) = publish(who, seen) {
        return verdict;
    }
    if !steps::fresh(Step::Keys, who, &seen.versions) {
        return site::provision(who, seen, "SettingKeys");
    }
    let proven = steps::fresh(Step::Proof, who, &seen.versions);
    let over_http = who.bench.spec.api_user.verify.mode == VerifyMode::HTTP;
    // A site in maintenance answers nobody: what was set there meanwhile is proven once the tenant is resumed.
    if !proven && !(over_http && who.is_closed()) {
        return prove(who, seen);
    }
    if let Some(rotation) = rotation::published(who) {
        return Verdict::Do(vec![Op::Remember(Change::Rotation(rotation))]);
    }
    if seen.inputs != SecretState::Absent && steps::left(who, &seen.versions).is_empty() {
        return Verdict::Do(vec![Op::RemoveInputs]);
    }
    if !steps::fresh(Step::Settings, who, &seen.versions) {
        // The key works now, so the suspension takes effect: settings were looked at before that.
        return Verdict::wait("Suspending", "the site is suspended next", 1);
    }
    let rest = match stop_old(who, seen) {
        Ok(rest) => rest,
        Err(verdict) => return verdict,
    };
    if rotation::is_due(who) {
        return Verdict::Do(vec![Op::Remember(Change::Rotation(rotation::begun(who)))]);
    }
    let slot = names::slot(rotation::newest(who));
    if !proven {
        let message = format!("slot {slot} is set, and tried over HTTP once the tenant is resumed");
        return Verdict::settled("SetWhileSuspended", message);
    }
    match who.bench.spec.api_user.verify.mode {
        VerifyMode::HTTP => Verdict::settled("ProvenOverHTTP", format!("slot {slot} accepted by the site{rest}")),
        VerifyMode::InSite => Verdict::settled("ProvenInSite", format!("slot {slot} accepted by Frappe's own validator{rest}")),
    }
}

/// The tenant's Secret has the pair that was proven last; before that there is nothing to publish.
fn publish(who: &Subject, seen: &WorkSeen) -> Option<Verdict> {
    rotation::proven(who)?;
    match seen.published {
        SecretState::NotOurs => Some(site::not_ours(&who.credentials_secret, &who.tenant.namespace)),
        SecretState::Absent | SecretState::Stale => Some(Verdict::Do(vec![Op::PublishKeys])),
        SecretState::Current => None,
    }
}

/// Stops the pair before the one in use once its time is over; then it leaves custody. The words are what a condition says of that:
/// what holds it up takes nothing from the pair in use, unless a person is needed.
fn stop_old(who: &Subject, seen: &WorkSeen) -> Result<String, Verdict> {
    let spent: Vec<u32> = seen.pairs.iter().copied().filter(|serial| !rotation::is_held(who, *serial)).collect();
    if !spent.is_empty() {
        return Err(Verdict::Do(vec![Op::DropPairs(spent)]));
    }
    let next = match () {
        () if !rotation::is_wanted(who) => "",
        () if rotation::is_on_hold(who) => "; another takes its place once the tenant is resumed",
        () => "; another takes its place after that",
    };
    let Some(old) = rotation::old(who) else { return Ok(next.to_owned()) };
    if rotation::is_stopping(who) {
        return stopping(who, seen, old).map(|words| format!("{words}{next}"));
    }
    let until = rotation::stops_at(who).map(|at| format!(" until {}", at.strftime("%Y-%m-%d %H:%M:%SZ"))).unwrap_or_default();
    Ok(format!("; slot {} works on{until}{next}", names::slot(old)))
}

fn stopping(who: &Subject, seen: &WorkSeen, old: u32) -> Result<String, Verdict> {
    if steps::fresh(Step::Retire, who, &seen.versions) {
        return Err(Verdict::Do(vec![Op::Remember(Change::Rotation(rotation::retired(who)))]));
    }
    match work::run(who, seen, &work::Order { kind: JobKind::Provision, steps: vec![Step::Retire], doing: "Stopping" }) {
        Verdict::Wait(note, _) => Ok(format!("; slot {} is being stopped: {}", names::slot(old), note.message)),
        verdict @ (Verdict::Do(_) | Verdict::Stalled(_) | Verdict::Settled(_)) => Err(verdict),
    }
}

fn prove(who: &Subject, seen: &WorkSeen) -> Verdict {
    let receipt = who.receipt(Step::Keys);
    let since = age(who, Step::Keys);
    let answer = match who.bench.spec.api_user.verify.mode {
        VerifyMode::HTTP => seen.key.clone(),
        VerifyMode::InSite => {
            let proven = receipt.and_then(|receipt| receipt.facts.as_ref()).is_some_and(|facts| facts["proven"] == json!(true));
            Some(if proven { KeyAnswer::Accepted } else { KeyAnswer::Rejected(401) })
        }
    };
    // 2 s growing to 5 s.
    let again = if since < 10 { 2 } else { 5 };
    match answer {
        Some(KeyAnswer::Accepted) => {
            let hash = steps::hash(Step::Proof, who, &seen.versions);
            let proof = work::receipt(who, &hash, &rotation::facts(who));
            Verdict::Do(vec![Op::Remember(Change::Receipts(BTreeMap::from([(Step::Proof, proof)])))])
        }
        // Create puts the site's encryption key back. Right after that a worker may still believe in the other one.
        Some(KeyAnswer::Undecryptable) if age(who, Step::Create) > REFUSAL_COUNTS_AFTER => {
            Verdict::Do(vec![Op::Remember(Change::Stale(vec![Step::Create, Step::Keys]))])
        }
        Some(KeyAnswer::Rejected(_)) if since > REFUSAL_COUNTS_AFTER => {
            Verdict::Do(vec![Op::Remember(Change::Stale(vec![Step::Keys]))])
        }
        Some(KeyAnswer::Undecryptable) => not_accepted(417, again),
        Some(KeyAnswer::Rejected(status)) => not_accepted(status, again),
        Some(KeyAnswer::Unreachable(words)) => {
            Verdict::wait("BenchUnreachable", format!("the bench's web service: {words}"), again)
        }
        None => Verdict::wait("Proving", "the key was not tried yet", again),
    }
}

fn not_accepted(status: u16, again: u64) -> Verdict {
    let message = format!("the site answers {status} to the key; it is asked again, and the key set anew if that lasts");
    Verdict::wait("KeyNotAccepted", message, again)
}

/// Seconds since a step ended.
fn age(who: &Subject, step: Step) -> i64 {
    who.receipt(step).map_or(0, |receipt| who.now.duration_since(receipt.at.0).as_secs())
}

pub fn down(who: &Subject, seen: &WorkSeen) -> Verdict {
    if matches!(seen.published, SecretState::Current | SecretState::Stale) {
        return Verdict::Do(vec![Op::RemovePublished]);
    }
    // Also where no receipt says that a key was set: a Job may have done so unseen.
    let stays = who.parting() == DeletionPolicy::Retain;
    if !stays || steps::fresh(Step::Revoke, who, &seen.versions) {
        return Verdict::settled("Removed", "the tenant's Secret is gone");
    }
    if let Some(verdict) = work::clear(seen, JobKind::Provision) {
        return verdict;
    }
    if who.receipt(Step::Revoke).is_none() {
        // Whoever bears its name later must know that the key may be dead by then.
        let begun = work::receipt(who, "begun", &json!({}));
        return Verdict::Do(vec![Op::Remember(Change::Receipts(BTreeMap::from([(Step::Revoke, begun)])))]);
    }
    work::run(who, seen, &work::Order { kind: JobKind::Remove, steps: vec![Step::Revoke], doing: "Revoking" })
}

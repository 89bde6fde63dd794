//! The API user's key and secret: set in the site, proven, then published in the tenant's Secret.

use std::collections::BTreeMap;

use serde_json::json;

use super::{site, work};
use crate::api::{DeletionPolicy, VerifyMode};
use crate::core::op::{Change, JobKind, Op};
use crate::core::seen::{KeyAnswer, SecretState, WorkSeen};
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

/// Frappe 16 caches a site's config for 60 s: a refusal says something only after that.
const REFUSAL_COUNTS_AFTER: i64 = 75;

pub fn up(who: &Subject, seen: &WorkSeen) -> Verdict {
    if !steps::fresh(Step::Keys, who, &seen.versions) {
        return site::provision(who, seen, "SettingKeys");
    }
    let proven = steps::fresh(Step::Proof, who, &seen.versions);
    let over_http = who.bench.spec.api_user.verify.mode == VerifyMode::HTTP;
    // A site in maintenance answers nobody: what was set there meanwhile is proven once the tenant is resumed.
    if !proven && !(over_http && who.is_closed()) {
        return prove(who, seen);
    }
    match seen.published {
        SecretState::NotOurs => return site::not_ours(&who.credentials_secret, &who.tenant.namespace),
        SecretState::Absent | SecretState::Stale => return Verdict::Do(vec![Op::PublishKeys]),
        SecretState::Current => {}
    }
    if seen.inputs != SecretState::Absent && steps::left(who, &seen.versions).is_empty() {
        return Verdict::Do(vec![Op::RemoveInputs]);
    }
    if !steps::fresh(Step::Settings, who, &seen.versions) {
        // The key works now, so the suspension takes effect: settings were looked at before that.
        return Verdict::wait("Suspending", "the site is suspended next", 1);
    }
    if !proven {
        return Verdict::settled("SetWhileSuspended", "slot A is set, and tried over HTTP once the tenant is resumed");
    }
    match who.bench.spec.api_user.verify.mode {
        VerifyMode::HTTP => Verdict::settled("ProvenOverHTTP", "slot A accepted by the site"),
        VerifyMode::InSite => Verdict::settled("ProvenInSite", "slot A accepted by Frappe's own validator"),
    }
}

fn prove(who: &Subject, seen: &WorkSeen) -> Verdict {
    let receipt = who.receipt(Step::Keys);
    let since = receipt.map_or(0, |receipt| who.now.duration_since(receipt.at.0).as_secs());
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
            Verdict::Do(vec![Op::Remember(Change::Receipts(BTreeMap::from([(
                Step::Proof,
                work::receipt(who, &hash, &json!({})),
            )])))])
        }
        Some(KeyAnswer::Undecryptable) => Verdict::Do(vec![Op::Remember(Change::Forget(Step::Keys))]),
        Some(KeyAnswer::Rejected(_)) if since > REFUSAL_COUNTS_AFTER => {
            Verdict::Do(vec![Op::Remember(Change::Forget(Step::Keys))])
        }
        Some(KeyAnswer::Rejected(status)) => Verdict::wait(
            "KeyNotAccepted",
            format!("the site answers {status} to the key; it is asked again, and the key set anew if that lasts"),
            again,
        ),
        Some(KeyAnswer::Unreachable(words)) => {
            Verdict::wait("BenchUnreachable", format!("the bench's web service: {words}"), again)
        }
        None => Verdict::wait("Proving", "the key was not tried yet", again),
    }
}

pub fn down(who: &Subject, seen: &WorkSeen) -> Verdict {
    if matches!(seen.published, SecretState::Current | SecretState::Stale) {
        return Verdict::Do(vec![Op::RemovePublished]);
    }
    // Also where no receipt says that a key was set: a Job may have done so unseen.
    let stays = who.parting() == DeletionPolicy::Retain;
    if !stays || who.receipt(Step::Revoke).is_some() {
        return Verdict::settled("Removed", "the tenant's Secret is gone");
    }
    if let Some(verdict) = work::clear(seen, JobKind::Provision) {
        return verdict;
    }
    work::run(who, seen, &work::Order { kind: JobKind::Remove, steps: vec![Step::Revoke], doing: "Revoking" })
}

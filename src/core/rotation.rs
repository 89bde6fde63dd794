//! The pairs of a tenant's API key: numbered, held by two service users in turns. A pair is made once, set in the site, proven,
//! published, and stopped after the one that follows it has been published for a while.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::steps::Step;
use super::subject::Subject;
use crate::api::Rotation;

/// The last pair that the site accepted: the one that is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub serial: u32,
    pub issued: Timestamp,
    /// The spec's rotateToken that it was made for.
    pub token: Option<String>,
}

fn rotation(who: &Subject) -> Rotation {
    who.record().map(|record| record.rotation.clone()).unwrap_or_default()
}

/// The newest pair, whether or not it was made already.
pub fn newest(who: &Subject) -> u32 {
    who.record().map_or(0, |record| record.rotation.serial)
}

/// None before the first key works. Stays what it is while that pair, or another, is set again.
pub fn proven(who: &Subject) -> Option<Proven> {
    let receipt = who.receipt(Step::Proof)?;
    let fact = |name: &str| receipt.facts.as_ref().and_then(|facts| facts.get(name));
    Some(Proven {
        serial: fact("serial").and_then(Value::as_u64).and_then(|serial| u32::try_from(serial).ok()).unwrap_or(0),
        issued: fact("issuedAt").and_then(Value::as_str).and_then(|at| at.parse().ok()).unwrap_or(receipt.at.0),
        token: fact("token").and_then(Value::as_str).map(str::to_owned),
    })
}

/// What a receipt says of the newest pair once it is proven. One that is proven again, after a repair, is as old as it was.
pub fn facts(who: &Subject) -> Value {
    let serial = newest(who);
    let issued = proven(who).filter(|proven| proven.serial == serial).map_or(who.now, |proven| proven.issued);
    // To the second, as the status has it.
    json!({"serial": serial, "issuedAt": issued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "token": rotation(who).token})
}

/// Whether the newest pair is the one that the site accepted, and not one on its way.
pub fn is_proven(who: &Subject) -> bool {
    proven(who).is_some_and(|proven| proven.serial == newest(who))
}

/// The pair before the newest, until it is known to be stopped.
pub fn old(who: &Subject) -> Option<u32> {
    let Rotation { serial, retired, .. } = rotation(who);
    serial.checked_sub(1).filter(|_| !retired)
}

/// The pair before the newest, once it is known to be stopped: its user has no key until the next pair is set.
pub fn stopped(who: &Subject) -> Option<u32> {
    let Rotation { serial, retired, .. } = rotation(who);
    serial.checked_sub(1).filter(|_| retired)
}

/// The pairs that have to be in custody: no other works in the site, or ever will.
pub fn is_held(who: &Subject, serial: u32) -> bool {
    serial == newest(who) || Some(serial) == old(who) || proven(who).is_some_and(|proven| proven.serial == serial)
}

/// When the pair before is stopped; none where there is none, or where the newest is not published yet.
pub fn stops_at(who: &Subject) -> Option<Timestamp> {
    old(who)?;
    let published = rotation(who).published_at?.0;
    let overlap = who.want.as_ref()?.credentials.overlap();
    Some(after(published, overlap))
}

/// The pair before has had its time. It is never stopped before the one that follows it was proven.
pub fn is_stopping(who: &Subject) -> bool {
    is_proven(who) && stops_at(who).is_some_and(|at| at <= who.now)
}

/// Whether another pair is asked for: by another token than the newest pair was made for, or by its age.
pub fn is_wanted(who: &Subject) -> bool {
    let asked = who.want.as_ref().and_then(|want| want.credentials.rotate_token.clone());
    asked.is_some() && asked != rotation(who).token || expires_at(who).is_some_and(|at| at <= who.now)
}

/// Another pair is made now: never while the one before the newest may still be in use, since the two share a user.
pub fn is_due(who: &Subject) -> bool {
    is_wanted(who) && is_proven(who) && old(who).is_none() && !is_on_hold(who)
}

/// A suspended tenant's programs do not come for another key.
pub fn is_on_hold(who: &Subject) -> bool {
    who.want.as_ref().is_some_and(|want| want.suspend.is_some())
}

fn expires_at(who: &Subject) -> Option<Timestamp> {
    let every = who.want.as_ref()?.credentials.rotate_every()?;
    Some(after(proven(who)?.issued, every))
}

/// One pair more. A token that is left out asks for nothing, and is no other one when it comes back.
pub fn begun(who: &Subject) -> Rotation {
    let before = rotation(who);
    let asked = who.want.as_ref().and_then(|want| want.credentials.rotate_token.clone());
    Rotation { serial: before.serial.saturating_add(1), token: asked.or(before.token), published_at: None, retired: false }
}

/// The newest pair is in the tenant's Secret since now; none where that is known, or nothing was there before it.
pub fn published(who: &Subject) -> Option<Rotation> {
    let rotation = rotation(who);
    let unknown = rotation.serial > 0 && rotation.published_at.is_none() && is_proven(who);
    unknown.then(|| Rotation { published_at: Some(Time(who.now)), ..rotation })
}

/// The pair before is stopped.
pub fn retired(who: &Subject) -> Rotation {
    Rotation { retired: true, ..rotation(who) }
}

/// How long until something of this has to be looked at, whatever else is at rest.
pub fn next(who: &Subject) -> Option<Duration> {
    /// A Job tells when it ends; this is for the case that nobody hears it.
    const STOPPING: Duration = Duration::from_secs(30);
    let until = |at: Timestamp| Duration::try_from(at.duration_since(who.now)).ok().filter(|left| !left.is_zero());
    match stops_at(who) {
        Some(at) => Some(until(at).unwrap_or(STOPPING)),
        None if is_on_hold(who) => None,
        // One that is over already is being replaced, or waits for what is told otherwise.
        None => expires_at(who).and_then(until),
    }
}

fn after(at: Timestamp, pause: Duration) -> Timestamp {
    SignedDuration::try_from(pause).ok().and_then(|pause| at.checked_add(pause).ok()).unwrap_or(Timestamp::MAX)
}

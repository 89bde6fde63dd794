//! An end that is held up by what cannot be reached: after the time that its owner set, that part is given up, and it is written down
//! what may be left of it, where, and how a person takes it away. What is merely at work is never given up.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::identity::Custody;
use super::names::{annotation, certificate, custody, label};
use super::report::Outcome;
use super::stages::Stage;
use super::subject::{Problem, Subject};
use super::verdict::{Note, Verdict};
use crate::api::duration;
use crate::api::{Bench, BenchRef, Record, Tenant};

/// What ends by itself in a working cluster is given this much longer: a pod that is being killed, an object that is being deleted.
const AT_WORK: SignedDuration = SignedDuration::from_mins(10);
const LONGEST: usize = 300;
/// As the CRD has it.
const LONGEST_LINE: usize = 1024;

/// How long the end of a tenant may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patience {
    Forever,
    Until(Timestamp),
    /// The annotation says something that is no duration.
    Unreadable(String),
}

/// From the annotation, counted from the moment that the Tenant was deleted.
pub fn patience(tenant: &Tenant) -> Patience {
    let meta = &tenant.metadata;
    let text = meta.annotations.as_ref().and_then(|all| all.get(annotation::ABANDON_AFTER));
    let (Some(text), Some(deleted)) = (text, &meta.deletion_timestamp) else { return Patience::Forever };
    let Ok(after) = duration::parse(text) else { return Patience::Unreadable(text.chars().take(40).collect()) };
    let until = SignedDuration::try_from(after).ok().and_then(|after| deleted.0.checked_add(after).ok());
    until.map_or(Patience::Forever, Patience::Until)
}

impl Patience {
    pub fn is_over(&self, now: Timestamp) -> bool {
        matches!(self, Self::Until(end) if *end <= now)
    }

    /// What is added to the message of an end that is held up.
    pub fn words(&self) -> String {
        match self {
            Self::Forever => String::new(),
            Self::Until(end) => format!("; given up at {}", end.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Self::Unreadable(text) => format!(
                "; the annotation {} says {text:?}, which is no duration: write it as 90m or 72h",
                annotation::ABANDON_AFTER
            ),
        }
    }
}

/// On the way down: a part that cannot be reached, and for which nobody waits any longer, counts as settled and is written down.
pub fn judge(who: &mut Subject, stage: Stage, outcome: Outcome) -> Outcome {
    let Some(note) = given_up(who, &outcome) else { return outcome };
    let Some(line) = line(who, stage, &note.message) else { return outcome };
    let message = format!("given up: {}", note.message);
    who.given_up.push(line);
    Outcome::Verdict(Verdict::settled("Abandoned", message))
}

fn given_up(who: &Subject, outcome: &Outcome) -> Option<Note> {
    if !who.patience.is_over(who.now) {
        return None;
    }
    let much_later = || matches!(who.patience, Patience::Until(end) if end.checked_add(AT_WORK).is_ok_and(|end| end <= who.now));
    match outcome {
        Outcome::Verdict(Verdict::Stalled(note)) => Some(note.clone()),
        Outcome::Verdict(Verdict::Wait(note, _)) => match note.reason.as_ref() {
            // A Job has a deadline of its own, and the gate is nobody's fault.
            "Archiving" | "Dropping" | "Revoking" | "Queued" => None,
            "JobLeaving" | "Removing" => much_later().then(|| note.clone()),
            _ => Some(note.clone()),
        },
        // An API server that does not answer now could not be told of anything else either.
        Outcome::Failed(note) if ["ClusterUnavailable", "Changed"].contains(&note.reason.as_ref()) => None,
        Outcome::Failed(note) => Some(note.clone()),
        Outcome::Verdict(Verdict::Settled(_) | Verdict::Do(_)) | Outcome::Blocked(_) => None,
    }
}

/// What may be left, where, and how it is removed; none for what leaves nothing behind.
fn line(who: &Subject, stage: Stage, why: &str) -> Option<String> {
    let (yard, id) = (&who.bench.namespace, &who.id);
    let what = match stage {
        Stage::Routes | Stage::Certificate => format!(
            "routes and certificates of {} and {}: kubectl delete ingress,httproute,certificate -n {yard} -l {}={id}, and Secret {}",
            who.hosts.frontend,
            who.hosts.api,
            label::ID,
            certificate(id)
        ),
        Stage::Keys => format!(
            "the API key of {}: disable its users tenant-api-a@ and tenant-api-b@ in the site, and kubectl delete secret -n {} {}",
            who.site, who.tenant.namespace, who.credentials_secret
        ),
        Stage::Site => site_line(who),
        Stage::Registry => {
            let registry = who.bench.spec.registry.as_ref()?;
            format!(
                "the row {} {} at {}: delete it, or empty its {}",
                registry.doc_type, who.subdomain, registry.url, registry.id_field
            )
        }
        Stage::Claim | Stage::Apps | Stage::Settings | Stage::Dns | Stage::Probe => return None,
    };
    let why: String = why.chars().take(LONGEST).collect();
    Some(format!("{what} [{why}]").chars().take(LONGEST_LINE).collect())
}

fn site_line(who: &Subject) -> String {
    let spec = &who.bench.spec;
    // The record names the folder before there is anything in it.
    let perhaps = if who.archived() { "" } else { ", if it came about," };
    let archive =
        who.record().and_then(|record| record.archive.as_ref()).map_or_else(String::new, |at| format!(", archive{perhaps} {at}"));
    let database = if who.database.is_empty() { String::new() } else { format!(" with database {}", who.database) };
    format!(
        "site {}{database}{archive} on volume {}/{} ({}/sites): bench drop-site {} in a pod of the bench, then kubectl delete secret -n \
         {} {}",
        who.site,
        who.bench.namespace,
        spec.sites_volume.claim_name,
        spec.path,
        who.site,
        who.bench.namespace,
        custody(&who.id)
    )
}

/// Where the Bench itself is gone, nothing of what it had can be reached.
pub fn all(who: &mut Subject) {
    let why = format!("Bench {}/{} is gone", who.bench.namespace, who.bench.name);
    let lines = [Stage::Routes, Stage::Site].into_iter().filter_map(|stage| line(who, stage, &why)).collect();
    who.given_up = lines;
}

/// What is said before the time is over.
pub fn bench_gone(at: &BenchRef, patience: &Patience) -> Problem {
    let message =
        format!("Bench {}/{} is gone, and the site with it cannot be reached: create the Bench again", at.namespace, at.name);
    held_up(Problem::passing("BenchGone", message), patience)
}

/// An end that cannot begin, and how a person goes on without it.
pub fn held_up(problem: Problem, patience: &Patience) -> Problem {
    let more = match patience {
        Patience::Forever => {
            format!("; to let the Tenant go all the same, set its annotation {} to 0s", annotation::ABANDON_AFTER)
        }
        Patience::Until(_) | Patience::Unreadable(_) => patience.words(),
    };
    Problem { message: problem.message + &more, ..problem }
}

/// Its secrets are in custody, but its site is not its own any more.
pub fn anothers(left: &[Custody]) -> Problem {
    let secrets: Vec<String> = left.iter().map(|one| format!("{}/{}", one.bench.namespace, custody(&one.id))).collect();
    let message = format!(
        "the record of this tenant is lost, and another has its site by now: delete what it left in custody ({})",
        secrets.join(", ")
    );
    Problem::lasting("AdoptionNeeded", message)
}

/// A record that was there just now.
pub fn record_unread() -> Problem {
    Problem::passing("RecordUnread", "the tenant's record changes: it is read with the next look")
}

/// What is left of a tenant whose record was lost, where, and how it is removed.
pub fn unrecorded(left: &Custody) -> String {
    let (yard, name) = (&left.bench.namespace, &left.bench.name);
    format!(
        "site {} on Bench {yard}/{name}, its record is lost: bench drop-site in a pod of the bench, then kubectl delete \
         ingress,httproute,certificate,secret -n {yard} -l {}={}",
        left.site,
        label::ID,
        left.id
    )
}

/// A Bench that is gone, as far as the record knows it.
pub fn stand_in(record: &Record) -> Bench {
    let mut bench = Bench::new(&record.bench.name, Default::default());
    bench.metadata.namespace = Some(record.bench.namespace.clone());
    bench.spec.path.clone_from(&record.bench_path);
    bench.spec.sites_volume.claim_name.clone_from(&record.sites_claim);
    bench
}

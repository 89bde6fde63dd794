//! A site that somebody else made: what would change is reported, or it becomes the tenant's and tells which database it has.

use super::work::{self, Order};
use crate::core::op::{Change, JobKind, Op};
use crate::core::seen::{JobSeen, WorkSeen};
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

/// The condition's reason once it is known what would change.
pub const REPORTED: &str = "AdoptionReport";

pub fn report(who: &Subject, seen: &WorkSeen) -> Verdict {
    if let Some(changes) = found(who, seen).or_else(|| who.reported.clone()) {
        let message = format!(
            "taking over {} would make {} changes, see status.adoption: set spec.adoption to TakeOver to go on",
            who.site,
            changes.len()
        );
        return Verdict::stalled(REPORTED, message);
    }
    work::run(who, seen, &Order { kind: JobKind::Report, steps: vec![Step::Report], doing: "Reporting" })
}

/// What the newest Job reported of the spec as it is now.
pub fn found(who: &Subject, seen: &WorkSeen) -> Option<Vec<String>> {
    let current = |job: &&JobSeen| {
        job.kind == JobKind::Report && job.hashes.get(&Step::Report) == Some(&steps::hash(Step::Report, who, &seen.versions))
    };
    let reports = seen.jobs.iter().rev().filter(current).flat_map(|job| &job.reports);
    let changes = reports.filter_map(|report| report.done.get(&Step::Report)?["changes"].as_array()).next()?;
    Some(changes.iter().filter_map(|line| Some(line.as_str()?.chars().take(256).collect())).collect())
}

/// The database is put into the record before any other step is given its name.
pub fn learn(who: &Subject) -> Option<Verdict> {
    let record = who.record().filter(|record| who.is_adopted() && record.database.is_empty())?;
    let facts = record.receipts.get(Step::Adopt.as_str())?.facts.as_ref();
    let name = facts.and_then(|facts| facts["database"].as_str()).unwrap_or_default();
    let plain = (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Some(if plain {
        Verdict::Do(vec![Op::Remember(Change::Database(name.to_owned()))])
    } else {
        Verdict::stalled("AdoptionNeeded", format!("{} did not tell the name of its database: see the Job's log", who.site))
    })
}

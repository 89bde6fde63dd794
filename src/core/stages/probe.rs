//! From outside in: the names, TLS, ping, the key, and what must be refused.

use crate::core::op::{Change, Op};
use crate::core::record::STALE;
use crate::core::seen::{Check, ProbeSeen};
use crate::core::steps::Step;
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

/// Where the bench knows no such site, the create step looks what became of it: at most so often, in seconds.
const LOOKED: i64 = 600;

pub fn up(who: &Subject, seen: &ProbeSeen) -> Verdict {
    if seen.checks.is_empty() {
        return Verdict::settled("Off", "the Bench turns the probe off");
    }
    match seen.checks.iter().find_map(|check| check.problem.as_ref().map(|problem| (check.name, problem))) {
        None => Verdict::settled("Probed", seen.checks.iter().map(|check| check.name).collect::<Vec<_>>().join(", ")),
        Some(_) if vanished(who, seen) => Verdict::Do(vec![Op::Remember(Change::Stale(vec![Step::Create]))]),
        Some((name, problem)) => {
            // Counted up to the threshold only: each further count would be another write of the status.
            let (count, most) = (seen.failures, who.bench.spec.probe.failure_threshold());
            let row = if count < most { format!("{count} in a row") } else { format!("{most} or more in a row") };
            let message = format!("{name}: {problem} (https://{}, {row})", who.hosts.api);
            // Known, and soon over: nothing has failed.
            let reason = if who.is_reopening() { "Resuming" } else { "ProbeFailed" };
            Verdict::wait(reason, message, u64::from(1 + seen.failures).min(30))
        }
    }
}

/// Every receipt says that the site is there (else this would not be looked at), and the bench says, again and again, that it is not.
fn vanished(who: &Subject, seen: &ProbeSeen) -> bool {
    let old = |at| who.now.duration_since(at).as_secs() > LOOKED;
    let believed = who.receipt(Step::Create).is_some_and(|receipt| receipt.hash != STALE && old(receipt.at.0));
    let lasting = seen.failures >= who.bench.spec.probe.failure_threshold();
    believed && lasting && seen.checks.iter().any(Check::finds_no_site)
}

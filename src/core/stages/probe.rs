//! From outside in: the names, TLS, ping, the key, and what must be refused.

use crate::core::seen::ProbeSeen;
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

pub fn up(who: &Subject, seen: &ProbeSeen) -> Verdict {
    if seen.checks.is_empty() {
        return Verdict::settled("Off", "the Bench turns the probe off");
    }
    match seen.checks.iter().find_map(|check| check.problem.as_ref().map(|problem| (check.name, problem))) {
        None => Verdict::settled("Probed", seen.checks.iter().map(|check| check.name).collect::<Vec<_>>().join(", ")),
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

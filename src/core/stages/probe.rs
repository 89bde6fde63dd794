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
            let message = format!("{name}: {problem} (https://{}, {} in a row)", who.hosts.api, seen.failures);
            Verdict::wait("ProbeFailed", message, u64::from(1 + seen.failures).min(30))
        }
    }
}

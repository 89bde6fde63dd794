//! Both hosts resolve to the edge, where the Bench names servers to ask.

use crate::core::seen::DnsSeen;
use crate::core::verdict::Verdict;

pub fn up(seen: &DnsSeen) -> Verdict {
    if seen.lookups.is_empty() {
        return Verdict::settled("NotVerified", "the Bench names no server to ask (dns.verifyWith)");
    }
    for lookup in &seen.lookups {
        let problem = match &lookup.answer {
            Err(problem) => problem.clone(),
            Ok(addresses) if addresses.is_empty() => "no address".to_owned(),
            Ok(addresses) if !seen.edge.is_empty() && !addresses.iter().any(|address| seen.edge.contains(address)) => {
                format!("{addresses:?} is not the edge ({:?})", seen.edge)
            }
            Ok(_) => continue,
        };
        let message = format!("{} at {}: {problem}; add the record, or a wildcard, to the zone", lookup.host, lookup.server);
        return Verdict::wait("NotResolving", message, 15);
    }
    Verdict::settled("Resolves", "both hosts resolve to the edge")
}

pub fn down() -> Verdict {
    Verdict::settled("Removed", "no record is ours")
}

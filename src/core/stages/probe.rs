//! From outside in: the names, TLS, ping, the key, and what must be refused.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition as MetaCondition;

use crate::core::op::{Change, Op};
use crate::core::record::STALE;
use crate::core::seen::{Check, KEY, ProbeSeen};
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

/// Where the bench knows no such site, the create step looks what became of it: at most so often, in seconds.
const LOOKED: i64 = 600;
/// A key that was set just now may take its time to work; one that worked for so long was changed.
const SETTLED_AFTER: i64 = 600;

const PROBED: &str = "Probed";
const BETWEEN: &str = ", ";

/// What the last probe was, by the condition that it left; none where it did not pass, or is not known.
pub fn passed(condition: &MetaCondition) -> Option<Vec<Check>> {
    let check = |word: &str| Check::NAMES.into_iter().find(|name| *name == word).map(|name| Check { name, problem: None });
    let good = condition.status == "True" && condition.reason == PROBED;
    good.then(|| condition.message.split(BETWEEN).map(check).collect())?
}

pub fn up(who: &Subject, seen: &ProbeSeen) -> Verdict {
    if seen.checks.is_empty() {
        return Verdict::settled("Off", "the Bench turns the probe off");
    }
    match seen.checks.iter().find_map(|check| check.problem.as_ref().map(|problem| (check.name, problem))) {
        None => Verdict::settled(PROBED, seen.checks.iter().map(|check| check.name).collect::<Vec<_>>().join(BETWEEN)),
        Some(_) if vanished(who, seen) => Verdict::Do(vec![Op::Remember(Change::Stale(vec![Step::Create]))]),
        Some((name, problem)) => {
            // Counted up to the threshold only: each further count would be another write of the status.
            let (count, most) = (seen.failures, who.bench.spec.probe.failure_threshold());
            if name == KEY && count >= most && was_set_long_ago(who) {
                // With the first step: it puts the site's encryption key back, which may be what is wrong.
                return Verdict::Do(vec![Op::Remember(Change::Stale(vec![Step::Create, Step::Keys, Step::Proof]))]);
            }
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

fn was_set_long_ago(who: &Subject) -> bool {
    // What goes into a site's config is no part of what this step is given.
    let set = who.receipt(Step::Keys).filter(|_| steps::fresh(Step::Keys, who, &Default::default()));
    set.is_some_and(|set| who.now.duration_since(set.at.0).as_secs() > SETTLED_AFTER)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn left(status: &str, reason: &str, message: &str) -> Option<Vec<Check>> {
        passed(&MetaCondition {
            type_: "Reachable".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            observed_generation: Some(1),
            last_transition_time: Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH),
        })
    }

    #[test]
    fn a_condition_tells_which_checks_the_last_probe_passed_and_nothing_of_one_that_did_not() {
        let names = |checks: Vec<Check>| checks.iter().map(|check| check.name).collect::<Vec<_>>();
        assert_eq!(left("True", "Probed", "name, TLS, ping, key").map(names), Some(vec!["name", "TLS", "ping", "key"]));
        assert_eq!(left("True", "Probed", "name, something new"), None);
        assert_eq!(left("False", "ProbeFailed", "name"), None);
        assert_eq!(left("True", "Off", "the Bench turns the probe off"), None);
    }
}

//! Follows a Tenant by a watch, and keeps what its conditions said on the way.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Api;
use kube::runtime::watcher::watch_object;
use tenant_operator::api::Tenant;

/// A condition as it became, and how long after the beginning.
pub struct Seen {
    pub at: Duration,
    pub condition: Condition,
}

#[derive(Default)]
pub struct History {
    pub seen: Vec<Seen>,
}

impl History {
    /// Whether a condition ever had this reason; what its message said then.
    pub fn message(&self, type_: &str, reason: &str) -> Option<&str> {
        let is = |seen: &&Seen| seen.condition.type_ == type_ && seen.condition.reason == reason;
        self.seen.iter().find(is).map(|seen| seen.condition.message.as_str())
    }

    /// When a condition became True and stayed so.
    pub fn true_since(&self, type_: &str) -> Option<Duration> {
        let mut since = None;
        for seen in self.seen.iter().filter(|seen| seen.condition.type_ == type_) {
            since = if seen.condition.status == "True" { since.or(Some(seen.at)) } else { None };
        }
        since
    }

    fn note(&mut self, at: Duration, tenant: &Tenant) {
        for condition in tenant.status.iter().flat_map(|status| &status.conditions) {
            let last = self.seen.iter().rfind(|seen| seen.condition.type_ == condition.type_);
            let same = |last: &Seen| (&last.condition.status, &last.condition.reason) == (&condition.status, &condition.reason);
            if !last.is_some_and(same) {
                self.seen.push(Seen { at, condition: condition.clone() });
            }
        }
    }
}

/// Until `done` holds; panics with what the Tenant said last where it does not within the limit.
pub async fn follow(
    api: &Api<Tenant>,
    name: &str,
    what: &str,
    limit: Duration,
    done: impl Fn(Option<&Tenant>) -> bool,
) -> (Option<Tenant>, History) {
    let begun = Instant::now();
    let mut history = History::default();
    let mut last = None;
    let found = tokio::time::timeout(limit, async {
        let mut stream = pin!(watch_object(api.clone(), name));
        // An error of a watch is not an end: the stream begins anew.
        loop {
            let Ok(next) = stream.try_next().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let tenant = next.expect("a watch never ends");
            if let Some(tenant) = &tenant {
                history.note(begun.elapsed(), tenant);
            }
            last.clone_from(&tenant);
            if done(tenant.as_ref()) {
                return tenant;
            }
        }
    });
    let found =
        found.await.unwrap_or_else(|_| panic!("{name} was not {what} within {} s; {}", limit.as_secs(), words(last.as_ref())));
    (found, history)
}

pub fn condition<'a>(tenant: &'a Tenant, type_: &str) -> Option<&'a Condition> {
    tenant.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether a condition of the present generation has this reason.
pub fn says(tenant: Option<&Tenant>, type_: &str, reason: &str) -> bool {
    let Some(tenant) = tenant else { return false };
    condition(tenant, type_)
        .is_some_and(|condition| condition.reason == reason && condition.observed_generation == tenant.metadata.generation)
}

pub fn ready(tenant: Option<&Tenant>) -> bool {
    let Some(tenant) = tenant else { return false };
    condition(tenant, "Ready")
        .is_some_and(|ready| ready.status == "True" && ready.observed_generation == tenant.metadata.generation)
}

/// Everything that the Tenant says of itself, for a person who reads why a test failed.
pub fn words(tenant: Option<&Tenant>) -> String {
    let Some(tenant) = tenant else { return "there was no such Tenant".to_owned() };
    let conditions = tenant.status.iter().flat_map(|status| &status.conditions);
    let line = |one: &Condition| format!("\n  {} {} {}: {}", one.type_, one.status, one.reason, one.message);
    format!("it said:{}", conditions.map(line).collect::<String>())
}

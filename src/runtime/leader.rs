//! Only one operator works at a time: the one that holds the lease.
//!
//! The lease is written with the version that was read, so that two can never both take it. Someone else's lease has run out
//! when it did not change for its whole duration on this machine's own clock: clocks of two nodes are never compared. The
//! holder gives up well before that, and does not need the API server to notice that it must.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

/// How long a lease is good without renewal: as long as the cluster is without an operator after a node is lost.
const DURATION: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// Counted from the last good renewal; what is left of the duration is the time to end in.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);
/// A lease runs out by time, which no watch reports; so it is looked at again and again.
const RETRY_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error("{holder} holds the lease now")]
    Taken { holder: String },
    #[error("the lease could not be renewed for {} s", GIVE_UP_AFTER.as_secs())]
    NotRenewed,
}

/// A wish to lead, not yet granted.
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
}

/// The lease in our hands, as it was last written.
pub struct Leadership {
    candidate: Candidate,
    lease: Lease,
    renewed: Instant,
}

/// Someone else's lease, and since when it has not changed.
struct Sighting {
    version: Option<String>,
    since: Instant,
}

impl Candidate {
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), identity: identity.to_owned() }
    }

    /// Waits, however long it takes, until the lease is ours.
    pub async fn acquire(self) -> Leadership {
        let mut sighting = None;
        let mut told = None;
        loop {
            let asked = Instant::now();
            match timeout(GIVE_UP_AFTER, self.take(&mut sighting)).await {
                Ok(Ok(Attempt::Taken(lease))) => return Leadership { lease: *lease, renewed: asked, candidate: self },
                Ok(Ok(Attempt::HeldBy(holder))) => {
                    if told.as_ref() != Some(&holder) {
                        tracing::info!(%holder, "waiting for the lease");
                        told = Some(holder);
                    }
                }
                Ok(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot take the lease"),
                Err(_) => tracing::warn!("cannot take the lease: the API server does not answer"),
            }
            sleep(RETRY_EVERY).await;
        }
    }

    async fn take(&self, sighting: &mut Option<Sighting>) -> Result<Attempt, kube::Error> {
        let Some(found) = self.api.get_opt(&self.name).await? else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(self.spec(None)) };
            return Attempt::from(self.api.create(&PostParams::default(), &lease).await);
        };
        if !self.may_take(&found, sighting) {
            return Ok(Attempt::HeldBy(holder(&found).to_owned()));
        }
        let spec = self.spec(found.spec.as_ref());
        let lease = Lease { metadata: found.metadata, spec: Some(spec) };
        Attempt::from(self.api.replace(&self.name, &PostParams::default(), &lease).await)
    }

    /// Our own name in the lease is left from a process that is gone: names are never shared by two that live.
    fn may_take(&self, found: &Lease, sighting: &mut Option<Sighting>) -> bool {
        let holder = holder(found);
        if holder.is_empty() || holder == self.identity {
            return true;
        }
        let now = Instant::now();
        let version = found.metadata.resource_version.clone();
        match sighting {
            Some(sighting) if sighting.version == version => now - sighting.since >= duration(found),
            _ => {
                *sighting = Some(Sighting { version, since: now });
                false
            }
        }
    }

    fn spec(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = Some(MicroTime(Timestamp::now()));
        let same = before.is_some_and(|spec| spec.holder_identity.as_deref() == Some(&self.identity));
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            lease_transitions: Some(if same { transitions } else { transitions.saturating_add(1) }),
            acquire_time: now.clone(),
            renew_time: now,
            ..LeaseSpec::default()
        }
    }
}

impl Leadership {
    /// Renews the lease until it is lost, or until it is asked to give it back.
    pub async fn keep(mut self, give_back: oneshot::Receiver<()>) -> Result<(), Lost> {
        tokio::select! {
            lost = self.renew_on_time() => return Err(lost),
            _ = give_back => {}
        }
        self.release().await;
        Ok(())
    }

    async fn renew_on_time(&mut self) -> Lost {
        loop {
            sleep_until(self.renewed + RENEW_EVERY).await;
            match timeout_at(self.renewed + GIVE_UP_AFTER, self.renew()).await {
                Ok(Ok(())) => {}
                Ok(Err(lost)) => return lost,
                Err(_) => return Lost::NotRenewed,
            }
        }
    }

    /// Tries until it is done, or until the lease is seen in other hands.
    async fn renew(&mut self) -> Result<(), Lost> {
        loop {
            let asked = Instant::now();
            let error = match self.write(|spec| spec.renew_time = Some(MicroTime(Timestamp::now()))).await {
                Ok(()) => {
                    self.renewed = asked;
                    return Ok(());
                }
                Err(error) => error,
            };
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot renew the lease");
            if is_conflict(&error) {
                self.read_again().await?;
            } else {
                sleep(RETRY_EVERY).await;
            }
        }
    }

    async fn write(&mut self, change: impl FnOnce(&mut LeaseSpec)) -> Result<(), kube::Error> {
        let mut lease = self.lease.clone();
        change(lease.spec.get_or_insert_default());
        let candidate = &self.candidate;
        self.lease = candidate.api.replace(&candidate.name, &PostParams::default(), &lease).await?;
        Ok(())
    }

    async fn read_again(&mut self) -> Result<(), Lost> {
        match self.candidate.api.get(&self.candidate.name).await {
            Ok(found) if holder(&found) == self.candidate.identity => self.lease = found,
            Ok(found) => return Err(Lost::Taken { holder: holder(&found).to_owned() }),
            Err(_) => sleep(RETRY_EVERY).await,
        }
        Ok(())
    }

    /// Best effort: a lease that is not given back runs out by itself.
    async fn release(&mut self) {
        let give_back = self.write(|spec| {
            spec.holder_identity = None;
            spec.acquire_time = None;
            spec.renew_time = None;
        });
        match timeout(RETRY_EVERY, give_back).await {
            Ok(Ok(())) => tracing::info!("gave the lease back"),
            Ok(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot give the lease back"),
            Err(_) => tracing::warn!("cannot give the lease back: the API server does not answer"),
        }
    }
}

enum Attempt {
    Taken(Box<Lease>),
    HeldBy(String),
}

impl Attempt {
    /// A conflict says that someone else was faster.
    fn from(written: Result<Lease, kube::Error>) -> Result<Self, kube::Error> {
        match written {
            Ok(lease) => Ok(Self::Taken(Box::new(lease))),
            Err(error) if is_conflict(&error) => Ok(Self::HeldBy("someone who was faster".to_owned())),
            Err(error) => Err(error),
        }
    }
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

fn duration(lease: &Lease) -> Duration {
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(DURATION, Duration::from_secs)
}

#[cfg(test)]
#[path = "leader_tests.rs"]
mod tests;

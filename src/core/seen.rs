//! What was seen of the outside, per stage: facts without interpretation, and without secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use k8s_openapi::jiff::Timestamp;

use super::manifests::Child;
use super::op::JobKind;
use super::steps::{SecretVersions, Step};

#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Claims(Vec<ClaimSeen>),
    Routes(RoutesSeen),
    Dns(DnsSeen),
    Certificate(CertificateSeen),
    /// For site, apps, settings and keys, which share their Jobs.
    Work(WorkSeen),
    Probe(ProbeSeen),
    Registry(RegistrySeen),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSeen {
    /// The claim object's name.
    pub name: String,
    pub host: Option<String>,
    pub state: ClaimState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimState {
    Free,
    Ours,
    /// Another tenant's: namespace and name.
    Theirs(String, String),
    /// The site of a tenant that is gone: it stayed, or could not be taken away.
    Kept,
}

/// Whether a child object is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    Absent,
    Current,
    /// Ours, but not as it should be.
    Differs,
    /// Ours, and on its way out.
    Leaving,
    /// There is one of this name without our id.
    NotOurs,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChildSeen {
    pub child: Child,
    pub state: ChildState,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RoutesSeen {
    /// What should be there (going down: what may still be there).
    pub children: Vec<ChildSeen>,
    /// Why the edge does not take a route yet, in the edge's own words; none where it takes all.
    pub refused: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DnsSeen {
    pub lookups: Vec<Lookup>,
    /// Where the edge says it can be reached; empty where it does not say.
    pub edge: Vec<IpAddr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    pub host: String,
    pub server: String,
    /// The addresses, or why there are none.
    pub answer: Result<Vec<IpAddr>, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CertificateSeen {
    /// None where the edge brings its own certificate.
    pub certificate: Option<ChildSeen>,
    pub issued: bool,
    /// The issuer's own words while it is not.
    pub message: String,
    pub not_after: Option<Timestamp>,
    /// Its Secret is still there (only looked for on the way down).
    pub secret_left: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WorkSeen {
    /// Database password and encryption key.
    pub custody: SecretState,
    /// It bears the name of another Tenant, which had the site before.
    pub custody_moved: bool,
    /// Which pairs of the API key are in custody, by their numbers.
    pub pairs: BTreeSet<u32>,
    /// Secrets that the spec names and that are not there: "name/key".
    pub missing: Vec<String>,
    pub versions: SecretVersions,
    /// The copies for the Job's pod are complete and current.
    pub inputs: SecretState,
    /// The tenant's Jobs, oldest attempt first. Only listed while there is work left.
    pub jobs: Vec<JobSeen>,
    pub gate: GateSeen,
    /// Whether a Deployment to copy the pod from is there; the name of a missing one.
    pub pod_source_missing: Option<String>,
    /// The tenant's own Secret, which should hold the last pair that was proven.
    pub published: SecretState,
    /// What the site answered to the newest pair. Only asked while it is not proven yet.
    pub key: Option<KeyAnswer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    Absent,
    /// Ours, but not with what it should hold.
    Stale,
    Current,
    NotOurs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateSeen {
    Open,
    Full { in_use: usize, limit: usize, waiting: usize },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    Accepted,
    /// Refused with this status.
    Rejected(u16),
    /// The site can't decrypt the secret: its encryption key was changed under it.
    Undecryptable,
    /// No answer, or one that says nothing about the key; in a few words.
    Unreachable(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct JobSeen {
    pub name: String,
    /// No other Job ever has it, whatever its name.
    pub uid: String,
    pub kind: JobKind,
    pub attempt: u32,
    pub hashes: BTreeMap<Step, String>,
    pub state: JobState,
    /// It is being deleted; it goes once its pods are gone.
    pub leaving: bool,
    /// When it ended; none while it runs.
    pub ended: Option<Timestamp>,
    /// The containers' reports, in order, as far as they have ended.
    pub reports: Vec<StepReport>,
    /// Why its pod does not start, in the kubelet's words (image, volume, quota).
    pub blocked: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Running,
    Succeeded,
    Failed,
}

/// One container's termination message, read back. See bench/README.md.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    pub done: BTreeMap<Step, serde_json::Value>,
    pub failure: Option<StepFailure>,
    /// Seconds inside the bench's own commands.
    pub bench_seconds: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepFailure {
    pub step: String,
    pub reason: String,
    pub class: FailureClass,
    pub message: String,
    pub tail: Vec<String>,
}

impl StepFailure {
    /// A pod that ended without a word: out of memory, past its deadline, or its node was lost. `step` is empty where it is not known.
    pub fn lost(step: &str, job: &str) -> Self {
        Self {
            step: step.to_owned(),
            reason: "StepLost".to_owned(),
            class: FailureClass::Retryable,
            message: format!("the pod of Job {job} ended without a report; see its events (memory, deadline, node)"),
            tail: vec![],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    Retryable,
    Denied,
    Fatal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProbeSeen {
    /// In the order they were made; empty where the Bench turns the probe off.
    pub checks: Vec<Check>,
    /// Probes that failed in a row, this one included.
    pub failures: u32,
}

/// The name of the check that tries the published key.
pub const KEY: &str = "key";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    /// None where it passed; else what was seen instead.
    pub problem: Option<String>,
}

impl Check {
    /// The site's own answer, or the bench's in its place, to the one question that every site knows.
    pub const PING: &str = "ping";

    /// All there are.
    pub const NAMES: [&str; 8] = ["name", "TLS", Self::PING, KEY, "refusals", "header", "frontend", "suspended"];

    /// The bench has no such site: it answers 404.
    pub fn finds_no_site(&self) -> bool {
        let answers = |problem: &String| problem.starts_with("answers 404");
        self.name == Self::PING && self.problem.as_ref().is_some_and(answers)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct RegistrySeen {
    pub answer: RegistryAnswer,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RegistryAnswer {
    /// Not asked: the row was in sync when it was looked at last, and nothing else is wanted of it since.
    OnTrust,
    /// The Bench has no registry.
    None,
    /// Neither reached nor refused, in a few words.
    Unreachable(String),
    /// The Master refuses the operator's token.
    Denied(String),
    /// The Secret with the token is not there or not complete.
    TokenMissing(String),
    DocTypeMissing,
    Known {
        /// Field name to field type, as the DocType has them.
        fields: BTreeMap<String, String>,
        /// The row as it is; Password fields masked.
        row: Option<BTreeMap<String, serde_json::Value>>,
    },
}

//! What can be done to the outside, as data. Ops hold no secret: where one is needed, the world makes or reads it.

use std::collections::BTreeMap;

use super::identity::Handover;
use super::manifests::Child;
pub use super::record::Change;
use super::steps::Step;

#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Creates the claims that are named, in this order, the record with the site's; stops without error at one that exists already.
    TakeClaims(Vec<Claim>),
    /// The record, as the subject has it, goes over from a Tenant that is gone; what that one may have left behind is taken back.
    TakeOver(Handover),
    /// Deletes the claims of this tenant that are named, each only while it is still ours.
    ReleaseClaims(Vec<String>),
    /// Changes the record, only from the version that was read.
    Remember(Change),
    /// Makes the tenant's secrets where there are none yet: database password, encryption key, the newest pair of the API key.
    EnsureCustody,
    /// Takes pairs of the API key out of custody, by their numbers.
    DropPairs(Vec<u32>),
    RemoveCustody,
    /// Copies the Secrets that the spec names to where the Job's pod can read them.
    CopyInputs,
    RemoveInputs,
    /// Starts a Job; one of the same name that exists already is as good.
    StartJob(JobPlan),
    /// Deletes a Job and its pods, waiting for neither.
    RemoveJob(String),
    /// Server-side apply of a child that is absent or carries our id.
    Apply(Box<Child>),
    /// Deletes a child that carries our id; a missing one is as good.
    Remove(Box<Child>),
    /// Writes the proven pair into the tenant's Secret.
    PublishKeys,
    RemovePublished,
    WriteRow(Row),
    RemoveRow,
}

impl Op {
    /// For metrics and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TakeClaims(_) => "TakeClaims",
            Self::TakeOver(_) => "TakeOver",
            Self::ReleaseClaims(_) => "ReleaseClaims",
            Self::Remember(_) => "Remember",
            Self::EnsureCustody => "EnsureCustody",
            Self::DropPairs(_) => "DropPairs",
            Self::RemoveCustody => "RemoveCustody",
            Self::CopyInputs => "CopyInputs",
            Self::RemoveInputs => "RemoveInputs",
            Self::StartJob(_) => "StartJob",
            Self::RemoveJob(_) => "RemoveJob",
            Self::Apply(_) => "Apply",
            Self::Remove(_) => "Remove",
            Self::PublishKeys => "PublishKeys",
            Self::RemovePublished => "RemovePublished",
            Self::WriteRow(_) => "WriteRow",
            Self::RemoveRow => "RemoveRow",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The claim object's name.
    pub name: String,
    /// The host it stands for; none for the site's claim, which holds the record.
    pub host: Option<String>,
}

/// A Job to start: which steps run in which container.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPlan {
    pub name: String,
    pub kind: JobKind,
    pub attempt: u32,
    /// In order; all but the last are init containers.
    pub containers: Vec<(&'static str, Vec<Step>)>,
    /// The hash of the inputs of each step, kept with the Job so that its receipts say what they are receipts of.
    pub hashes: BTreeMap<Step, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobKind {
    Provision,
    Remove,
    /// Only looks.
    Report,
}

impl JobKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Remove => "remove",
            Self::Report => "report",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Provision, Self::Remove, Self::Report].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A write of the Master's row: only the fields that differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub create: bool,
    pub fields: BTreeMap<String, Cell>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    /// The published key, filled in by the world.
    ApiKey,
    ApiSecret,
}

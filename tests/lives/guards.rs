//! Guards that can be switched off one at a time, to prove that the lives would notice: what no life misses guards nothing.

use crate::life::Script;
use crate::random;
use crate::scenarios;

/// What keeps tenants whole: a rule of the operator, of the steps inside a bench, or of the API server that the operator relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Steps touch only a site that carries the tenant's marker.
    Marker,
    /// A claim is created, never written over one that is there.
    Claim,
    /// A claim counts as the tenant's, and is released, only where it names the tenant as its holder.
    Holder,
    /// Secrets are in custody, in the cluster, before anything is made with them.
    Custody,
    /// Two runners never work on one site at once.
    Lock,
    /// A key is published only after the site has accepted it.
    Proof,
    /// The record is changed only from the version that was read.
    Preconditions,
    /// A step counts as done only by what it reported.
    Receipts,
    /// A receipt counts for nothing from the moment that its step runs again.
    Begun,
    /// A site is dropped only against an archive that is there.
    Manifest,
    /// The finalizer is held before anything is made.
    Finalizer,
    /// No more Jobs at once than the Bench allows.
    Gate,
    /// A Job of one direction ends before one of the other begins.
    Order,
    /// A row of the Master with another's id is never written.
    Row,
    /// A Secret without the tenant's id is never written.
    Secret,
    /// A plan that was changed reaches its tenants only when it is their turn.
    Turns,
    /// An app is added to a site in use only after a backup.
    Backup,
    /// The pair before is stopped only after the newest has been published for as long as the spec says.
    Overlap,
    /// A pair of a number is made once, and never written over in custody.
    Serial,
    /// A site that was there before is never made anew.
    Vanished,
    /// A site of somebody else is taken over only where the Bench lists it.
    Listing,
    /// After a suspension the hosts lead to the site only once it is known to be open.
    Opening,
}

impl Guard {
    pub const ALL: [Self; 22] = [
        Self::Marker,
        Self::Claim,
        Self::Holder,
        Self::Custody,
        Self::Lock,
        Self::Proof,
        Self::Preconditions,
        Self::Receipts,
        Self::Begun,
        Self::Manifest,
        Self::Finalizer,
        Self::Gate,
        Self::Order,
        Self::Row,
        Self::Secret,
        Self::Turns,
        Self::Backup,
        Self::Overlap,
        Self::Serial,
        Self::Vanished,
        Self::Listing,
        Self::Opening,
    ];

    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guard| guard.name() == name)
    }
}

/// The lives in which a missing guard is looked for: those that are told by hand, then random ones.
pub fn lives(off: Guard, random: u64) -> impl Iterator<Item = (String, Script)> {
    let told = scenarios::all().into_iter().map(|(name, script)| (name.to_owned(), script));
    let chance = (0..random).map(|seed| (format!("random (seed {seed})"), random::script(seed)));
    told.chain(chance).map(move |(name, script)| (name, Script { off: Some(off), ..script }))
}

//! The tenants of one plan, and whose turn it is: as many at once as the plan says, the oldest first, and none any more once too many
//! have failed. Lives in the leader's memory; after a restart nobody's turn comes before every tenant was looked at once.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::Version;
use crate::api::{Rollout, TenantPlan};
use crate::core::subject::ObjectName;

/// A change that takes longer than this counts as failed until it has ended; waiting at the gate is not counted.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// What a pass over a tenant came to, as far as its plan is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Settled,
    /// It is stalled, its Job failed, or it does not answer any more.
    Failed,
    /// It waits for a slot of the bench.
    Queued,
    UnderWay,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// Not looked at since this process began.
    Unseen,
    /// It was never Ready: no change of the plan is a change for it.
    New,
    /// Its turn has come; until it is settled.
    Changing(Timestamp),
    Failing,
    Settled,
}

#[derive(Clone, Debug, PartialEq)]
struct Member {
    created: Timestamp,
    /// The copy in its record; none while that was not read.
    has: Option<Version>,
    /// The version that it was to take up and could not.
    refused: Option<Version>,
    /// The generation that it was settled with, as its status has it.
    shown: Option<i64>,
    stage: Stage,
    /// Paused, or in trouble of its own: it does not come when it is called.
    aside: bool,
}

/// A plan as a tenant has it.
pub struct Copies {
    /// In its record, after the pass.
    pub has: Version,
    /// What the pass was about: where it is another, the record could not take it.
    pub given: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unseen,
    Aside,
    Waiting,
    Changing,
    Failing,
    Following,
}

/// How many tenants of a plan are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub unseen: u32,
    pub aside: u32,
    pub waiting: u32,
    pub changing: u32,
    pub failing: u32,
    pub following: u32,
}

impl Tally {
    pub fn tenants(&self) -> u32 {
        self.unseen + self.aside + self.waiting + self.changing + self.failing + self.following
    }

    pub fn stopped(&self, rollout: Rollout) -> bool {
        self.failing >= rollout.stop_after.max(1)
    }

    /// How many more may be changed now.
    pub fn open(&self, rollout: Rollout) -> u32 {
        // One that was not looked at yet may be under way, or may have failed.
        if self.unseen > 0 || self.stopped(rollout) { 0 } else { rollout.at_once.max(1).saturating_sub(self.changing) }
    }

    fn of(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Unseen => &mut self.unseen,
            Kind::Aside => &mut self.aside,
            Kind::Waiting => &mut self.waiting,
            Kind::Changing => &mut self.changing,
            Kind::Failing => &mut self.failing,
            Kind::Following => &mut self.following,
        }
    }
}

/// The plan as it is now.
#[derive(Clone, Debug, PartialEq)]
struct Now {
    /// Of two that were read at about the same time the later one counts.
    order: (Option<Timestamp>, i64),
    version: Version,
    rollout: Rollout,
}

#[derive(Debug, Default)]
pub struct Course {
    now: Option<Now>,
    members: BTreeMap<ObjectName, Member>,
    tally: Tally,
    /// Who waits: those that failed on an earlier version first, then the oldest.
    queue: BTreeSet<(bool, Timestamp, ObjectName)>,
}

impl Course {
    pub fn tally(&self) -> Tally {
        self.tally
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The plan as it was seen last.
    pub fn version(&self) -> Option<&Version> {
        self.now.as_ref().map(|now| &now.version)
    }

    /// The plan as it was read.
    pub fn see(&mut self, name: &str, plan: &TenantPlan) {
        let meta = &plan.metadata;
        let order = (meta.creation_timestamp.as_ref().map(|time| time.0), meta.generation.unwrap_or_default());
        if self.now.as_ref().is_some_and(|now| now.order >= order) {
            return;
        }
        let version = Version::of(&super::copy(name, plan));
        self.turn_to(Some(Now { order, version, rollout: plan.spec.rollout }));
    }

    /// There is no such plan any more.
    pub fn plan_is_gone(&mut self) {
        if self.now.is_some() {
            self.turn_to(None);
        }
    }

    fn turn_to(&mut self, now: Option<Now>) {
        self.now = now;
        let members = std::mem::take(&mut self.members);
        (self.tally, self.queue) = Default::default();
        for (name, member) in members {
            self.put(name, member);
        }
    }

    /// A tenant that names the plan, as a watch tells of it: `shown` is the generation in its status.
    pub fn named(&mut self, name: &ObjectName, created: Timestamp, shown: Option<i64>) {
        let member = match self.members.get(name) {
            Some(member) => Member { shown, ..member.clone() },
            None => Member { created, has: None, refused: None, shown, stage: Stage::Unseen, aside: false },
        };
        self.put(name.clone(), member);
    }

    pub fn gone(&mut self, name: &ObjectName) {
        self.take(name);
    }

    /// A tenant that can't be changed now. It keeps nobody from their turn.
    pub fn aside(&mut self, name: &ObjectName) {
        if let Some(member) = self.members.get(name) {
            let member = Member { aside: true, ..member.clone() };
            self.put(name.clone(), member);
        }
    }

    /// Whether the tenant, which is behind, is changed in the pass that begins. More may be under way than may be changed at once:
    /// after a restart, one that had failed on an earlier version and is tried again. It goes on with that, and then waits for its turn.
    pub fn may_change(&self, name: &ObjectName) -> bool {
        let Some(rollout) = self.now.as_ref().map(|now| now.rollout) else { return false };
        let Some(member) = self.members.get(name) else { return false };
        // One that could not take it up tries again with every pass: that it failed is known, and it is nobody else's turn.
        let again = self.refuses(member);
        again && self.tally.unseen == 0
            || matches!(member.stage, Stage::Changing(_))
                && self.tally.unseen == 0
                && !self.tally.stopped(rollout)
                && self.tally.changing <= rollout.at_once.max(1)
    }

    fn refuses(&self, member: &Member) -> bool {
        let now = self.now.as_ref().map(|now| &now.version);
        member.stage == Stage::Failing && member.refused.is_some() && member.refused.as_ref() == now
    }

    /// After a pass: what the tenant has now, which version it was given, and what came of it. `new`: it was never Ready.
    pub fn report(&mut self, name: &ObjectName, Copies { has, given }: Copies, new: bool, came: Came, now: Timestamp) {
        let Some(before) = self.members.get(name).cloned() else { return };
        let same = before.has.as_ref() == Some(&has);
        let done_before = match before.stage {
            Stage::Unseen => before.shown == Some(has.generation),
            Stage::Settled => same,
            Stage::New | Stage::Changing(_) | Stage::Failing => false,
        };
        let stage = match came {
            _ if new => Stage::New,
            Came::Settled => Stage::Settled,
            // It was changed before: what ails it now is not the change.
            _ if done_before => Stage::Settled,
            Came::Failed => Stage::Failing,
            Came::Queued | Came::UnderWay => match before.stage {
                Stage::Failing if same => Stage::Failing,
                Stage::Changing(since) if came == Came::UnderWay && now.duration_since(since) > PATIENCE => Stage::Failing,
                Stage::Changing(since) if came == Came::UnderWay => Stage::Changing(since),
                _ => Stage::Changing(now),
            },
        };
        let refused = (stage == Stage::Failing && given != has).then_some(given);
        self.put(name.clone(), Member { has: Some(has), refused, stage, aside: false, ..before });
    }

    /// Gives their turn to as many as may be changed now; they are to be looked at.
    pub fn advance(&mut self, now: Timestamp) -> Vec<ObjectName> {
        let mut called = vec![];
        let Some(rollout) = self.now.as_ref().map(|now| now.rollout) else { return called };
        while self.tally.open(rollout) > 0 {
            let Some((_, _, name)) = self.queue.first().cloned() else { break };
            let Some(member) = self.members.get(&name) else { break };
            let member = Member { stage: Stage::Changing(now), ..member.clone() };
            self.put(name.clone(), member);
            called.push(name);
        }
        called
    }

    /// Those that a plan which appears is news for.
    pub fn troubled(&self) -> impl Iterator<Item = &ObjectName> {
        self.members.iter().filter(|(_, member)| member.aside).map(|(name, _)| name)
    }

    fn put(&mut self, name: ObjectName, member: Member) {
        self.take(&name);
        let kind = self.kind(&member);
        *self.tally.of(kind) += 1;
        if kind == Kind::Waiting {
            self.queue.insert((member.stage != Stage::Failing, member.created, name.clone()));
        }
        self.members.insert(name, member);
    }

    fn take(&mut self, name: &ObjectName) {
        let Some(member) = self.members.remove(name) else { return };
        let kind = self.kind(&member);
        *self.tally.of(kind) -= 1;
        self.queue.remove(&(member.stage != Stage::Failing, member.created, name.clone()));
    }

    fn kind(&self, member: &Member) -> Kind {
        let now = self.now.as_ref().map(|now| &now.version);
        let current = member.has.is_some() && member.has.as_ref() == now;
        let settled = matches!(member.stage, Stage::Settled | Stage::New);
        if member.aside {
            let shown = member.has.is_none() && member.shown.is_some() && member.shown == now.map(|now| now.generation);
            return if current && settled || shown { Kind::Following } else { Kind::Aside };
        }
        match member.stage {
            Stage::Unseen => Kind::Unseen,
            Stage::Changing(_) => Kind::Changing,
            // It takes every version at once.
            Stage::New => Kind::Following,
            Stage::Failing if current || self.refuses(member) => Kind::Failing,
            Stage::Settled if current => Kind::Following,
            Stage::Failing | Stage::Settled => Kind::Waiting,
        }
    }
}

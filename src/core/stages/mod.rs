//! The stages, in one table: what each needs, which condition it decides, and its two directions side by side.

use super::seen::{Seen, WorkSeen};
use super::subject::Subject;
use super::verdict::Verdict;
use crate::api::Condition;

mod adoption;
mod apps;
mod certificate;
mod claim;
mod dns;
mod keys;
mod leave;
pub mod probe;
pub mod registry;
mod routes;
mod settings;
mod site;
mod work;

/// The reason of a tenant that waits for a slot of its bench.
pub const QUEUED: &str = "Queued";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Claim,
    Routes,
    Dns,
    Certificate,
    Site,
    Apps,
    Settings,
    Keys,
    Probe,
    Registry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

pub use adoption::{found as adoption_report, reported};
pub use work::is_unread;

/// Up: a stage starts as soon as what it needs is settled. Routes are decided again after keys, to lead to the real services.
const UP: [Stage; 11] = [
    Stage::Claim,
    Stage::Routes,
    Stage::Dns,
    Stage::Certificate,
    Stage::Site,
    Stage::Apps,
    Stage::Settings,
    Stage::Keys,
    Stage::Routes,
    Stage::Probe,
    Stage::Registry,
];

/// Down: first nothing leads to the site any more, last its names are free again.
const DOWN: [Stage; 10] = [
    Stage::Routes,
    Stage::Keys,
    Stage::Site,
    Stage::Certificate,
    Stage::Dns,
    Stage::Registry,
    Stage::Apps,
    Stage::Settings,
    Stage::Probe,
    Stage::Claim,
];

impl Way {
    pub fn stages(self) -> &'static [Stage] {
        match self {
            Self::Up => &UP,
            Self::Down => &DOWN,
        }
    }
}

impl Stage {
    pub const ALL: [Self; 10] = [
        Self::Claim,
        Self::Site,
        Self::Apps,
        Self::Settings,
        Self::Keys,
        Self::Routes,
        Self::Dns,
        Self::Certificate,
        Self::Probe,
        Self::Registry,
    ];

    pub const fn condition(self) -> Condition {
        match self {
            Self::Claim => Condition::Claimed,
            Self::Routes => Condition::RoutesReady,
            Self::Dns => Condition::DNSReady,
            Self::Certificate => Condition::CertificateReady,
            Self::Site => Condition::SiteReady,
            Self::Apps => Condition::AppsReady,
            Self::Settings => Condition::Configured,
            Self::Keys => Condition::KeysReady,
            Self::Probe => Condition::Reachable,
            Self::Registry => Condition::Registered,
        }
    }

    /// What has to be settled before this one is looked at.
    pub const fn needs(self, way: Way) -> &'static [Self] {
        match (way, self) {
            (Way::Up, Self::Claim) => &[],
            // DNS and certificate stand beside the routes: an issuer's challenge waits for its own route, and when the edge takes
            // its time over a change of ours nothing is wrong with either.
            (Way::Up, Self::Routes | Self::Site | Self::Dns | Self::Certificate) => &[Self::Claim],
            (Way::Up, Self::Apps) => &[Self::Site],
            (Way::Up, Self::Settings) => &[Self::Apps],
            (Way::Up, Self::Keys) => &[Self::Settings],
            (Way::Up, Self::Probe) => &[Self::Keys, Self::Routes, Self::Dns, Self::Certificate],
            (Way::Up, Self::Registry) => &[Self::Probe],
            (Way::Down, Self::Routes | Self::Dns | Self::Apps | Self::Settings | Self::Probe) => &[],
            (Way::Down, Self::Keys | Self::Certificate) => &[Self::Routes],
            (Way::Down, Self::Site) => &[Self::Routes, Self::Keys],
            // The row says "gone" only once it is true.
            (Way::Down, Self::Registry) => &[Self::Site],
            (Way::Down, Self::Claim) => &[Self::Routes, Self::Keys, Self::Site, Self::Certificate, Self::Dns, Self::Registry],
        }
    }

    /// Decides what this stage needs. Pure: same inputs, same verdict.
    pub fn decide(self, way: Way, who: &Subject, seen: &Seen) -> Verdict {
        match (self, way, seen) {
            (Self::Claim, Way::Up, Seen::Claims(seen)) => claim::up(who, seen),
            (Self::Claim, Way::Down, Seen::Claims(seen)) => claim::down(who, seen),
            (Self::Routes, Way::Up, Seen::Routes(seen)) => routes::up(who, seen),
            (Self::Routes, Way::Down, Seen::Routes(seen)) => routes::down(seen),
            (Self::Dns, Way::Up, Seen::Dns(seen)) => dns::up(seen),
            (Self::Dns, Way::Down, Seen::Dns(_)) => dns::down(),
            (Self::Certificate, Way::Up, Seen::Certificate(seen)) => certificate::up(seen),
            (Self::Certificate, Way::Down, Seen::Certificate(seen)) => certificate::down(seen),
            (Self::Site, Way::Up, Seen::Work(seen)) => site::up(who, seen),
            (Self::Site, Way::Down, Seen::Work(seen)) => site::down(who, seen),
            (Self::Apps, Way::Up, Seen::Work(seen)) => apps::up(who, seen),
            (Self::Settings, Way::Up, Seen::Work(seen)) => settings::up(who, seen),
            (Self::Keys, Way::Up, Seen::Work(seen)) => keys::up(who, seen),
            (Self::Keys, Way::Down, Seen::Work(seen)) => keys::down(who, seen),
            (Self::Probe, Way::Up, Seen::Probe(seen)) => probe::up(who, seen),
            (Self::Registry, Way::Up, Seen::Registry(seen)) => registry::up(who, seen),
            (Self::Registry, Way::Down, Seen::Registry(seen)) => registry::down(who, seen),
            // They live in the site, or nowhere: nothing of their own to undo.
            (Self::Apps | Self::Settings | Self::Probe, Way::Down, _) => {
                Verdict::settled("Removed", "nothing of its own is left")
            }
            (stage, _, _) => Verdict::stalled("Unexpected", format!("{stage:?} was shown another stage's facts: report this")),
        }
    }
}

/// Whether the tenant's steps on the way up failed, and nothing newer is under way.
pub fn job_failed(who: &Subject, seen: &WorkSeen) -> bool {
    work::failed(who, seen)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn both_ways_hold_every_stage() {
        for way in [Way::Up, Way::Down] {
            let stages: BTreeSet<Stage> = way.stages().iter().copied().collect();
            assert_eq!(stages, Stage::ALL.into_iter().collect::<BTreeSet<_>>(), "{way:?}");
        }
    }

    #[test]
    fn what_a_stage_needs_stands_before_it() {
        for way in [Way::Up, Way::Down] {
            for (index, stage) in way.stages().iter().enumerate() {
                for need in stage.needs(way) {
                    assert!(way.stages()[..index].contains(need), "{way:?}: {stage:?} needs {need:?}");
                }
            }
        }
    }

    #[test]
    fn only_registry_and_claim_wait_for_the_master_on_the_way_down() {
        for stage in Stage::ALL.into_iter().filter(|stage| !matches!(stage, Stage::Claim | Stage::Registry)) {
            assert!(!stage.needs(Way::Down).contains(&Stage::Registry), "{stage:?}");
        }
    }

    #[test]
    fn every_stage_decides_a_condition_of_its_own() {
        let conditions: BTreeSet<Condition> = Stage::ALL.into_iter().map(Stage::condition).collect();
        assert_eq!(conditions.len(), Stage::ALL.len());
    }
}

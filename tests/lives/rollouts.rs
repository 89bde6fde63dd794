//! Lives of several tenants of one plan, which is changed under them: well, badly, again, and with all that else goes wrong.

use tenant_operator::api::{DeletionPolicy, ProbeMode};

use crate::acts::{Act, Edit, Script};
use crate::chance::Chance;
use crate::faults::{Faults, Party};
use crate::given::{INGRESS, Kind, plain};
use crate::plans::{PLAN, PlanAct};

use Act::{Delete, Gone, NewApp, Outage, Ready, Sleep};
use DeletionPolicy::Delete as Erase;
use PlanAct::{At, Change, Has, Keeps, Made, Says, Took};

const SMALL: Kind = Kind { registry: None, probe: ProbeMode::Off, concurrency: 3, ..INGRESS };
const PEOPLE: [(&str, &str, &str); 5] = [
    ("north", "anchor", "mole"),
    ("south", "buoy", "pier"),
    ("north", "cleat", "ramp"),
    ("south", "davit", "slip"),
    ("north", "eyelet", "weir"),
];

fn small(who: usize) -> Act {
    Act::Apply { who, plan: PLAN, policy: Erase }
}

fn plan(act: PlanAct) -> Act {
    Act::Plan(act)
}

/// So many tenants that are Ready, then this, then all are deleted.
fn with(tenants: usize, at_once: u32, stop_after: u32, acts: Vec<Act>) -> Vec<Act> {
    let mut all = vec![plan(At(at_once, stop_after))];
    all.extend((0..tenants).map(small));
    all.extend((0..tenants).map(Ready));
    all.extend(acts);
    all.extend((0..tenants).map(Delete));
    all.extend((0..tenants).map(Gone));
    all
}

pub fn told() -> Vec<(&'static str, Script)> {
    let lives: Vec<(&'static str, Vec<Act>)> = vec![
        (
            "a plan reaches its tenants one at a time",
            with(2, 1, 1, vec![plan(Change(&["crm"], 1)), plan(Has(0, 1)), plan(Has(1, 1)), plan(Says("Followed"))]),
        ),
        (
            "a plan that fails stops, and goes on when it is corrected",
            with(
                2,
                1,
                1,
                vec![
                    plan(Change(&["sails"], 1)),
                    plan(Says("Stopped")),
                    plan(Keeps(1, 0)),
                    plan(Change(&["crm"], 2)),
                    plan(Says("Followed")),
                    plan(Has(0, 2)),
                ],
            ),
        ),
        (
            "a plan that failed goes on when its tenants are mended",
            with(
                2,
                1,
                1,
                vec![
                    plan(Change(&["sails"], 1)),
                    plan(Says("Stopped")),
                    NewApp("sails"),
                    Sleep(5),
                    Act::Edit { who: 0, edit: Edit::Retry },
                    plan(Has(1, 1)),
                    plan(Says("Followed")),
                ],
            ),
        ),
        (
            "a plan is changed again while it is on its way",
            with(
                3,
                2,
                2,
                vec![plan(Change(&["crm"], 1)), Sleep(6), plan(Change(&["hrms"], 2)), plan(Says("Followed")), plan(Has(1, 2))],
            ),
        ),
        (
            "a plan is changed again while one that failed is tried again",
            with(
                3,
                1,
                2,
                vec![
                    plan(Change(&["crm"], 1)),
                    Sleep(3),
                    Outage(Party::Database, 8),
                    Sleep(14),
                    plan(Change(&["hrms"], 2)),
                    plan(Says("Followed")),
                ],
            ),
        ),
        (
            "a plan stops at one that is tried again and again",
            with(
                2,
                1,
                1,
                vec![
                    plan(Change(&["crm"], 1)),
                    Sleep(3),
                    Outage(Party::Database, 60),
                    plan(Says("Stopped")),
                    plan(Keeps(1, 0)),
                    plan(Says("Followed")),
                ],
            ),
        ),
        (
            "one leaves and one comes while a plan is on its way",
            with(
                2,
                1,
                1,
                vec![
                    plan(Change(&["crm"], 1)),
                    Sleep(4),
                    Delete(0),
                    small(2),
                    plan(Has(1, 1)),
                    Ready(2),
                    plan(Says("Followed")),
                    Delete(2),
                    Gone(2),
                ],
            ),
        ),
        (
            "a plan is gone, and comes again",
            with(
                2,
                1,
                1,
                vec![
                    plan(Took),
                    Act::Edit { who: 0, edit: Edit::Config(vec![plain("berths", 5)]) },
                    Ready(0),
                    plan(Keeps(0, 0)),
                    small(2),
                    Act::Says { who: 2, reason: "PlanNotFound" },
                    plan(Made),
                    plan(Says("Followed")),
                    Ready(2),
                    Delete(2),
                    Gone(2),
                ],
            ),
        ),
        (
            "another admin, and an app that is named no more",
            with(
                1,
                1,
                1,
                vec![
                    plan(Change(&["crm"], 1)),
                    plan(Has(0, 1)),
                    plan(Change(&[], 1)),
                    Act::Edit { who: 0, edit: Edit::Email("second@anchor.test") },
                    plan(Has(0, 2)),
                ],
            ),
        ),
    ];
    let script = |seed, acts| Script { seed, kind: SMALL, people: PEOPLE.into(), faults: Faults::default(), off: None, acts };
    lives.into_iter().enumerate().map(|(seed, (name, acts))| (name, script(7000 + seed as u64, acts))).collect()
}

/// Changes of a plan and of its tenants in any order, with faults; at the end the plan is a good one, and all follow it.
pub fn random(seed: u64, chance: &mut Chance, kind: Kind, mut faults: Faults) -> Script {
    let tenants = 2 + chance.below(4) as usize;
    // What never comes would hold the rollout up for good.
    faults.hang = 0;
    let mut acts = vec![];
    for _ in 0..1 + chance.below(6) {
        let who = chance.below(tenants as u64) as usize;
        acts.push(match chance.below(8) {
            0..3 => plan(Change(chance.pick(&[&["crm"], &["hrms"], &["payments"]]), chance.between(1, 99))),
            3 => plan(Change(&["sails"], chance.between(1, 99))),
            4 => Act::Edit { who, edit: Edit::Plan("ferry") },
            5 => Act::Edit { who, edit: Edit::Plan(PLAN) },
            6 => Outage(chance.pick(&Party::ALL), chance.between(1, 200)),
            _ => Act::Edit { who, edit: Edit::Config(vec![plain("berths", chance.between(1, 9))]) },
        });
        acts.push(Sleep(chance.between(0, 90)));
    }
    acts.push(plan(Change(&["crm"], 100)));
    acts.push(plan(Says("Followed")));
    let acts = with(tenants, 1 + chance.below(3) as u32, 1 + chance.below(2) as u32, acts);
    Script { seed, kind, people: PEOPLE.into(), faults, off: None, acts }
}

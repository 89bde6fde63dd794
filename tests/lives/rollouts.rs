//! Lives of several tenants of one plan, which is changed under them: well, badly, again, and with all that else goes wrong.

use tenant_operator::api::{DeletionPolicy, ProbeMode, Rollout, TenantPlan};

use crate::chance::Chance;
use crate::faults::{Faults, Party};
use crate::given::{self, INGRESS, Kind, app, plain};
use crate::life::{Act, Edit, Life, Script};
use crate::truth;

use Act::{Delete, Gone, NewApp, Outage, Ready, Sleep};
use DeletionPolicy::Delete as Erase;
use PlanAct::{At, Change, Has, Keeps, Made, Says, Took};

const PLAN: &str = "dinghy";
/// The generation that plans begin with.
const FIRST: i64 = 4;
const SMALL: Kind = Kind { registry: None, probe: ProbeMode::Off, concurrency: 3, ..INGRESS };
const PEOPLE: [(&str, &str, &str); 5] = [
    ("north", "anchor", "mole"),
    ("south", "buoy", "pier"),
    ("north", "cleat", "ramp"),
    ("south", "davit", "slip"),
    ("north", "eyelet", "weir"),
];

#[derive(Clone, Debug)]
pub enum PlanAct {
    /// The plan is changed so many tenants at a time, until so many have failed. Before there are tenants: no new generation.
    At(u32, u32),
    /// The plan names these apps, and says so of the tide.
    Change(&'static [&'static str], i64),
    /// The plan is gone.
    Took,
    /// The plan is there again, and counts its generations anew.
    Made,
    /// Waited for: the reason of its condition. Where all follow, it is at rest.
    Says(&'static str),
    /// Waited for: the tenant has so many changes of the plan, and is Ready and at rest.
    Has(usize, i64),
    /// The tenant is Ready, and has so many changes of the plan and no more.
    Keeps(usize, i64),
}

impl Life<'_> {
    pub fn plan_act(&mut self, act: &Act, plan: &PlanAct) -> Result<(), String> {
        match plan {
            At(at_once, stop_after) => {
                let rollout = Rollout { at_once: *at_once, stop_after: *stop_after };
                self.edit_plan(false, |plan| plan.spec.rollout = rollout);
            }
            Change(apps, tide) => self.edit_plan(true, |plan| {
                plan.spec.apps = apps.iter().map(|name| app(name)).collect();
                plan.spec.site_config = vec![plain("ballast", 1), plain("tide", *tide)];
            }),
            Took => {
                let mut outside = self.sim.outside();
                outside.plans.remove(PLAN);
                outside.stir();
            }
            Made => {
                let mut again = given::plans().remove(0);
                again.metadata.generation = Some(1);
                let mut outside = self.sim.outside();
                outside.plans.insert(PLAN.to_owned(), again);
                outside.stir();
            }
            Says(reason) => {
                self.until(act, |life| life.plan_says(reason))?;
                if *reason == "Followed" {
                    return self.plan_rests();
                }
            }
            Has(who, changes) => {
                self.until(act, |life| life.is_ready(*who) && life.has(*who) == Some(FIRST + changes))?;
                return self.rests(*who);
            }
            Keeps(who, changes) => return self.keeps(*who, FIRST + changes),
        }
        self.operator.settled.clear();
        self.sound()
    }

    fn edit_plan(&mut self, counts: bool, edit: impl FnOnce(&mut TenantPlan)) {
        let mut outside = self.sim.outside();
        if let Some(plan) = outside.plans.get_mut(PLAN) {
            edit(plan);
            plan.metadata.generation = plan.metadata.generation.map(|generation| generation + i64::from(counts));
        }
        outside.stir();
    }

    fn plan_says(&self, reason: &str) -> bool {
        let outside = self.sim.outside();
        let Some(plan) = outside.plans.get(PLAN) else { return false };
        let Some(status) = &plan.status else { return false };
        let current = status.observed_generation == plan.metadata.generation;
        current && status.conditions.iter().any(|condition| condition.reason == reason) && !outside.dead
    }

    /// The generation of the plan in the tenant's record.
    fn has(&self, who: usize) -> Option<i64> {
        let claims = self.sim.outside().recall(&self.name(who));
        claims.iter().find_map(|claim| claim.record()?.plan.as_ref()).map(|plan| plan.generation)
    }

    fn keeps(&self, who: usize, generation: i64) -> Result<(), String> {
        let name = self.name(who);
        let outside = self.sim.outside();
        let status = outside.objects.tenants.get(&name).and_then(|tenant| tenant.status.clone()).ok_or("no status")?;
        if !truth::is_true(Some(&status), tenant_operator::api::Condition::Ready) {
            return Err(format!("{name:?} waits for its turn, and is not Ready: {}", truth::line(&status)));
        }
        let shown = status.plan.and_then(|plan| plan.observed_generation);
        drop(outside);
        let has = self.has(who);
        if (has, shown) == (Some(generation), Some(generation)) {
            Ok(())
        } else {
            Err(format!("{name:?} has generation {has:?} and says {shown:?}, not {generation}"))
        }
    }

    /// All follow: neither the plan nor any of its tenants costs a write.
    fn plan_rests(&mut self) -> Result<(), String> {
        let names: Vec<_> = self.sim.outside().objects.tenants.keys().cloned().collect();
        let faults = std::mem::take(&mut self.sim.outside().faults);
        for name in &names {
            self.operator.look(&self.sim, name);
        }
        // Those of other plans, and new ones, may be under way.
        let names: Vec<_> = names.into_iter().filter(|name| self.operator.settled.contains(name)).collect();
        let before = self.sim.outside().writes;
        for name in names.iter().chain(&names) {
            self.sim.outside().now += 1;
            self.operator.look(&self.sim, name);
        }
        let told = self.sim.tell_plan(PLAN);
        let after = self.sim.outside().writes;
        self.sim.outside().faults = faults;
        told.map_err(|error| error.to_string())?;
        if after == before { Ok(()) } else { Err(format!("a plan that all follow cost {} writes", after - before)) }
    }
}

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

//! What happens to a plan, and what is waited for of it and of its tenants.

use tenant_operator::api::{Rollout, Tenant, TenantPlan};
use tenant_operator::core::subject::ObjectName;

use crate::acts::Act;
use crate::given::{self, app, plain};
use crate::life::Life;
use crate::outside::Outside;
use crate::truth;

use PlanAct::{At, Change, Has, Keeps, Made, Says, Took};

pub const PLAN: &str = "dinghy";
/// The generation that plans begin with.
const FIRST: i64 = 4;

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
        // The operator may not have learnt yet of one that names it since.
        let stays = |tenant: &Tenant| tenant.metadata.deletion_timestamp.is_none();
        let names_it = |(_, tenant): &(&ObjectName, &Tenant)| tenant.spec.plan == PLAN && stays(tenant);
        let mut naming = outside.objects.tenants.iter().filter(names_it).map(|(name, _)| generation(&outside, name));
        if reason == "Followed" && naming.any(|has| has != plan.metadata.generation) {
            return false;
        }
        current && status.conditions.iter().any(|condition| condition.reason == reason) && !outside.dead
    }

    /// The generation of the plan in the tenant's record.
    fn has(&self, who: usize) -> Option<i64> {
        generation(&self.sim.outside(), &self.name(who))
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
        // A late look may have found that one names another plan by now.
        let told = self.sim.tell_plan(PLAN);
        let before = self.sim.outside().writes;
        for name in names.iter().chain(&names) {
            self.sim.outside().now += 1;
            self.operator.look(&self.sim, name);
        }
        let told = told.and_then(|()| self.sim.tell_plan(PLAN));
        let after = self.sim.outside().writes;
        self.sim.outside().faults = faults;
        told.map_err(|error| error.to_string())?;
        if after == before { Ok(()) } else { Err(format!("a plan that all follow cost {} writes", after - before)) }
    }
}

/// Of the plan, in a tenant's record.
fn generation(outside: &Outside, name: &ObjectName) -> Option<i64> {
    let claims = outside.recall(name);
    let plan = claims.iter().find_map(|claim| claim.record()?.plan.as_ref());
    plan.filter(|plan| plan.name == PLAN).map(|plan| plan.generation)
}

//! One life: what people do, one thing after the other, while the operator works and faults strike.

use tenant_operator::api::Condition;
use tenant_operator::core::identity::{self, Begin, Identity, Named};
use tenant_operator::core::subject::{ObjectName, Subject};

use crate::acts::{Act, Script};
use crate::operator::Operator;
use crate::outside::Outside;
use crate::sim::Sim;
use crate::truth;

/// After the last fault a tenant has so long to get where it should be.
const PATIENCE: i64 = 3 * 3600;
/// More passes than any life needs: the operator chases its own tail.
const MOST_PASSES: u64 = 2000;

pub struct Ended {
    pub problem: Option<String>,
    pub writes: u64,
    pub turns: u64,
    pub trace: Vec<String>,
}

pub struct Life<'a> {
    pub script: &'a Script,
    pub sim: Sim,
    pub operator: Operator,
}

pub fn live(script: &Script, trace: bool) -> Ended {
    let mut outside = Outside::new(script.seed, script.kind, trace);
    outside.faults = script.faults.clone();
    outside.off = script.off;
    // Given from the beginning of the life.
    outside.faults.until += outside.now;
    for (_, from, end) in &mut outside.faults.outages {
        *from += outside.now;
        *end += outside.now;
    }
    let mut life = Life { script, sim: Sim::new(outside), operator: Operator::default() };
    let problem = script.acts.iter().try_for_each(|act| life.act(act)).err();
    let mut outside = life.sim.outside();
    Ended { problem, writes: outside.writes, turns: outside.jobs.turns, trace: outside.trace.take().unwrap_or_default() }
}

impl Life<'_> {
    pub fn name(&self, who: usize) -> ObjectName {
        let (namespace, name, _) = self.script.people[who];
        ObjectName { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn act(&mut self, act: &Act) -> Result<(), String> {
        self.sim.outside().say(|| format!("--- {act:?}"));
        match act {
            Act::Ready(who) => {
                self.until(act, |life| life.is_ready(*who) || life.is_kept(*who))?;
                if self.is_kept(*who) { Ok(()) } else { self.rests(*who) }
            }
            Act::Gone(who) => {
                let name = self.name(*who);
                self.until(act, |life| !life.sim.outside().objects.tenants.contains_key(&name))?;
                truth::is_gone(&self.sim.outside(), &name)
            }
            Act::Mended(who) => self.mended(act, *who),
            Act::Rests(seconds) => self.writes_nothing(act, *seconds),
            Act::Healed(who) => {
                let name = self.name(*who);
                self.until(act, |life| life.sim.outside().is_healed(&name))?;
                self.sim.outside().forget_spoiled();
                Ok(())
            }
            Act::Rotated(who, serial) => {
                self.until(act, |life| life.is_ready(*who) && life.has_only(*who, *serial))?;
                self.rests(*who)
            }
            Act::Repaired(who) => self.until(act, |life| life.shows(*who, Condition::SiteReady, "Repaired")),
            Act::Says { who, reason } => self.until(act, |life| life.says(*who, reason)),
            Act::Plan(plan) => self.plan_act(act, plan),
            Act::Sleep(seconds) => {
                let end = self.sim.outside().now + seconds;
                self.until(act, |life| life.sim.outside().now >= end)
            }
            _ => {
                self.happens(act);
                // What was seen of a settled tenant may be out of date now.
                self.operator.settled.clear();
                self.sound()
            }
        }
    }

    /// Found by the next inspection, and put right.
    fn mended(&mut self, act: &Act, who: usize) -> Result<(), String> {
        let name = self.name(who);
        let Ok(site) = self.subject(&name).map(|subject| subject.site) else { return Ok(()) };
        if !self.sim.outside().harmed.contains_key(&site) {
            return Ok(());
        }
        self.until(act, |life| {
            let well = || life.subject(&name).is_ok_and(|who| truth::is_mended(&life.sim.outside(), &who));
            life.is_kept(who) || life.is_ready(who) && well()
        })?;
        let mut outside = self.sim.outside();
        let by = outside.harmed.remove(&site);
        if by.is_some_and(|by| by < outside.now) { Err(format!("{site} was put right only now")) } else { Ok(()) }
    }

    fn writes_nothing(&mut self, act: &Act, seconds: i64) -> Result<(), String> {
        let count = |life: &Self| {
            let outside = life.sim.outside();
            (outside.now, outside.writes, outside.inspections.started)
        };
        let (begun, writes, inspections) = count(self);
        self.until(act, |life| life.sim.outside().now >= begun + seconds)?;
        let (_, more, started) = count(self);
        let (written, allowed) = (more - writes, 2 * (started - inspections + 1));
        if written > allowed {
            Err(format!("{written} writes at rest, with {} inspections", started - inspections))
        } else {
            Ok(())
        }
    }

    /// Lets time pass until it is so; it has to be, some time after the faults have ended.
    pub fn until(&mut self, act: &Act, mut holds: impl FnMut(&Self) -> bool) -> Result<(), String> {
        let end = {
            let outside = self.sim.outside();
            let outages = outside.faults.outages.iter().map(|(_, _, end)| *end);
            outages.chain([outside.now, outside.faults.until]).max().unwrap_or_default() + PATIENCE
        };
        loop {
            self.sim.outside().progress();
            self.operator.turn(&self.sim);
            self.sound()?;
            if holds(self) {
                return Ok(());
            }
            let mut outside = self.sim.outside();
            if outside.now > end {
                return Err(format!("never came: {act:?}"));
            }
            if self.operator.passes > MOST_PASSES * self.script.people.len() as u64 {
                return Err(format!("{MOST_PASSES} passes, and still not: {act:?}"));
            }
            let told = self.operator.is_told(&outside);
            let next = [self.operator.next_wake(), outside.next_due(), told.then_some(outside.now), sleep(act, outside.now)];
            let next = next.into_iter().flatten().min().unwrap_or(end);
            outside.now = next.max(outside.now + 1);
        }
    }

    /// A tenant at rest is what was asked for, and costs no write, however often it is looked at.
    pub fn rests(&mut self, who: usize) -> Result<(), String> {
        let name = self.name(who);
        let subject = self.subject(&name)?;
        // What was applied last is served after a moment.
        self.sim.outside().now += 3;
        truth::serves(&self.sim.outside(), &subject)?;
        let faults = std::mem::take(&mut self.sim.outside().faults);
        let mut result = Ok(());
        for _ in 0..2 {
            self.sim.outside().now += 1;
            let before = self.sim.outside().writes;
            self.operator.look(&self.sim, &name);
            let after = self.sim.outside().writes;
            if after != before {
                result = Err(format!("a settled tenant was written to {} times", after - before));
            }
        }
        let mut outside = self.sim.outside();
        outside.faults = faults;
        if !outside.promised.contains_key(&subject.id) {
            let fresh = outside.fresh();
            let database = outside.dock.databases.get_mut(&subject.database);
            let data = database.map_or(fresh, |database| *database.data.get_or_insert(fresh));
            outside.promised.insert(subject.id.clone(), data);
        }
        result
    }

    pub fn subject(&self, name: &ObjectName) -> Result<Subject, String> {
        let outside = self.sim.outside();
        let tenant = outside.objects.tenants.get(name).ok_or("no Tenant")?;
        let Named::Active(id, record) = identity::named(&outside.recall(name), &tenant.spec.subdomain) else {
            return Err("no record".to_owned());
        };
        let gift = outside.give(tenant, Identity { id: Some(id), record: Some(record), begin: Begin::New });
        Subject::parse(gift.given()).map_err(|problem| problem.message)
    }
}

fn sleep(act: &Act, now: i64) -> Option<i64> {
    match act {
        // What is slept through for long need not end to the second.
        Act::Sleep(seconds) | Act::Rests(seconds) => Some(now + if *seconds < 1000 { (*seconds).min(5) } else { 300 }),
        _ => None,
    }
}

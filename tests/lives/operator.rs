//! What the controller does around a pass: recall who it is, hold the finalizer, fold the status, come again, let go at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::executor::block_on;
use tenant_operator::api::{Holder, Phase, Tenant, TenantStatus};
use tenant_operator::controller::pass;
use tenant_operator::core::abandon;
use tenant_operator::core::identity::{self, Begin, Held, Identity, Named};
use tenant_operator::core::pace;
use tenant_operator::core::report;
use tenant_operator::core::stages::Way;
use tenant_operator::core::subject::{ObjectName, Problem, Subject};
use tenant_operator::world::Error;

use crate::finding::{Who, who};
use crate::guards::Guard;
use crate::inspector;
use crate::outside::objects::is_held;
use crate::outside::{Outside, at};
use crate::sim::Sim;
use crate::truth;

/// A tenant at rest is looked at again after so long.
const RESYNC: Duration = Duration::from_secs(600);
/// After a pass that could not even be made.
const FAILED: i64 = 10;
/// From its death until it is started again.
const RESTART: i64 = 7;

/// The operator's memory: all of it is lost with a crash.
#[derive(Default)]
pub struct Operator {
    wakes: BTreeMap<ObjectName, i64>,
    told: BTreeMap<ObjectName, u64>,
    /// The Tenants as they were seen last.
    cache: BTreeMap<ObjectName, Tenant>,
    /// Whose last pass found nothing to do.
    pub settled: BTreeSet<ObjectName>,
    /// Plans that are to be looked at, and when.
    plans: BTreeMap<String, i64>,
    plans_told: Option<u64>,
    pub passes: u64,
    /// When the inspection of the Bench is looked at next.
    inspects: i64,
}

/// How a pass went on.
enum Next {
    Again(Duration),
    Gone,
}

impl Operator {
    pub fn next_wake(&self) -> Option<i64> {
        self.wakes.values().chain(self.plans.values()).copied().chain([self.inspects]).min()
    }

    /// A watch has something to tell of a tenant, or the operator has not seen it yet since it began.
    pub fn is_told(&self, outside: &Outside) -> bool {
        let news = |name: &ObjectName| !outside.faults.deaf && self.told.get(name) != Some(&outside.news_of(name));
        outside.objects.tenants.keys().any(|name| !self.wakes.contains_key(name) || news(name))
    }

    /// Looks at every tenant whose time has come, or of whom a watch told something.
    pub fn turn(&mut self, sim: &Sim) {
        let (names, now, deaf) = {
            let outside = sim.outside();
            let with_news = |name: &ObjectName| (name.clone(), outside.news_of(name));
            let names: Vec<(ObjectName, u64)> = outside.objects.tenants.keys().map(with_news).collect();
            (names, outside.now, outside.faults.deaf)
        };
        self.woken(sim);
        if self.inspects(sim, now, deaf) {
            return self.restart(sim);
        }
        for (name, news) in names {
            let timer = self.wakes.get(&name).is_none_or(|at| *at <= now);
            let watch = !deaf && self.told.get(&name) != Some(&news);
            if timer || watch {
                self.look(sim, &name);
            }
            if sim.outside().dead {
                return self.restart(sim);
            }
        }
        self.woken(sim);
        self.tell_plans(sim);
        if sim.outside().dead {
            self.restart(sim);
        }
    }

    /// What the plans' own controller does.
    fn tell_plans(&mut self, sim: &Sim) {
        let (now, epoch, deaf) = {
            let outside = sim.outside();
            (outside.now, outside.epoch, outside.faults.deaf)
        };
        self.plans.extend(sim.turns.news().into_iter().map(|name| (name, now)));
        if !deaf && self.plans_told != Some(epoch) {
            self.plans_told = Some(epoch);
            self.plans.extend(sim.outside().plans.keys().map(|name| (name.clone(), now)));
        }
        for name in self.plans.keys().cloned().collect::<Vec<_>>() {
            if self.plans.get(&name).is_some_and(|at| *at <= now) {
                match sim.tell_plan(&name) {
                    Ok(()) => self.plans.remove(&name),
                    Err(_) => self.plans.insert(name, now + FAILED),
                };
            }
        }
        self.woken(sim);
    }

    /// Those whose turn has come: what was seen of them before is out of date.
    fn woken(&mut self, sim: &Sim) {
        let now = sim.outside().now;
        while let Ok(name) = sim.gate().1.try_recv() {
            self.wakes.insert(name, now);
        }
        for name in sim.turns.called() {
            self.settled.remove(&name);
            self.wakes.insert(name, now);
        }
    }

    /// Looks whether the Bench is to be inspected, when its time has come or a watch told of a Job; true where the operator died of it.
    fn inspects(&mut self, sim: &Sim, now: i64, deaf: bool) -> bool {
        let told = !deaf && sim.outside().inspections.news;
        if self.inspects <= now || told {
            let looked = inspector::look(sim);
            self.inspects = looked.again;
            self.wakes.extend(looked.wakes.into_iter().filter(|_| !deaf).map(|name| (name, now)));
        }
        sim.outside().dead
    }

    /// One pass over one tenant, and when to come again.
    pub fn look(&mut self, sim: &Sim, name: &ObjectName) {
        let (now, news) = {
            let mut outside = sim.outside();
            outside.began = outside.now;
            (outside.now, outside.news_of(name))
        };
        self.passes += 1;
        self.told.insert(name.clone(), news);
        self.settled.remove(name);
        match self.pass(sim, name) {
            Ok(Next::Again(pause)) => {
                self.wakes.insert(name.clone(), now + i64::try_from(pause.as_secs()).unwrap_or_default().max(1));
            }
            Ok(Next::Gone) => {
                sim.gate().0.gone(name);
                sim.turns.gone(name, at(now));
                self.wakes.remove(name);
                self.told.remove(name);
            }
            // The watch tells of it, whatever became of the answer.
            Err(_) if !sim.outside().objects.tenants.contains_key(name) => {
                sim.gate().0.gone(name);
                self.wakes.remove(name);
                self.told.remove(name);
            }
            Err(_) => {
                self.wakes.insert(name.clone(), now + FAILED);
            }
        }
    }

    fn restart(&mut self, sim: &Sim) {
        let passes = self.passes;
        *self = Self { passes, ..Self::default() };
        sim.forget();
        let mut outside = sim.outside();
        outside.dead = false;
        if !outside.guards(Guard::Custody) {
            outside.secrets.custody.clear();
        }
        outside.now += RESTART;
        outside.say(|| "the operator is started again".to_owned());
    }

    fn pass(&mut self, sim: &Sim, name: &ObjectName) -> Result<Next, Error> {
        let seen = sim.outside().tenant(name, self.cache.get(name));
        let Some(tenant) = seen else { return Ok(Next::Gone) };
        self.cache.insert(name.clone(), tenant.clone());
        sim.outside().reachable()?;
        if tenant.metadata.deletion_timestamp.is_some() {
            sim.turns.gone(name, sim.outside().time());
            return self.down(sim, name, &tenant);
        }
        let who = match who(sim, name, &tenant)? {
            Ok(Who::Up(who)) => *who,
            Ok(Who::Leaving(who)) => return self.leave(sim, name, &tenant, *who),
            Err(problem) => return self.tell_problem(sim, name, &tenant, &problem),
        };
        if !is_held(&tenant) {
            sim.outside().hold(name, &tenant)?;
        }
        let done = block_on(pass::run(sim, who, Way::Up));
        sim.report(&done);
        let status = report::status(tenant.status.as_ref(), &done.report());
        let next = next(&done, &status);
        self.tell(sim, name, &tenant, status)?;
        if done.settled() {
            self.settled.insert(name.clone());
        }
        Ok(next)
    }

    fn down(&mut self, sim: &Sim, name: &ObjectName, tenant: &Tenant) -> Result<Next, Error> {
        let claims = sim.outside().recall(name);
        let hosts: Vec<String> = claims.iter().filter(|claim| claim.record.is_none()).map(|claim| claim.name.clone()).collect();
        let (id, held) = match identity::named(&claims, &tenant.spec.subdomain) {
            Named::Nobody => return self.let_go(sim, name),
            Named::Active(id, held) => (id, held),
            Named::Kept(Held { holder, record: Some(held), .. }) if held.record.phase == Phase::Retained => (holder.id, held),
            Named::Hosts(id) | Named::Kept(Held { holder: Holder { id, .. }, .. }) => {
                // Nothing is made before the record is: only hosts can have been taken.
                sim.outside().release_claims(&id, &hosts)?;
                return self.let_go(sim, name);
            }
        };
        if held.record.subdomain != tenant.spec.subdomain {
            return self.let_go(sim, name);
        }
        let (at, stand_in) = (held.record.bench.clone(), abandon::stand_in(&held.record));
        let identity = Identity { id: Some(id), record: Some(held), begin: Begin::New };
        let mut gift = sim.outside().give(tenant, identity);
        if sim.outside().bench_there {
            return self.leave(sim, name, tenant, Subject::remembered(gift.as_given()));
        }
        let patience = abandon::patience(tenant);
        if !patience.is_over(gift.now) {
            return self.tell_problem(sim, name, tenant, &abandon::bench_gone(&at, &patience));
        }
        gift.bench = stand_in;
        let done = block_on(pass::without_bench(sim, Subject::remembered(gift.as_given())));
        self.left(sim, name, tenant, &done)
    }

    fn leave(&mut self, sim: &Sim, name: &ObjectName, tenant: &Tenant, who: Subject) -> Result<Next, Error> {
        let done = block_on(pass::run(sim, who, Way::Down));
        self.left(sim, name, tenant, &done)
    }

    fn left(&mut self, sim: &Sim, name: &ObjectName, tenant: &Tenant, done: &pass::Done) -> Result<Next, Error> {
        if !done.settled() {
            let status = report::status(tenant.status.as_ref(), &done.report());
            let next = next(done, &status);
            self.tell(sim, name, tenant, status)?;
            return Ok(next);
        }
        if tenant.metadata.deletion_timestamp.is_none() {
            return Ok(Next::Again(Duration::from_secs(1)));
        }
        self.let_go(sim, name)
    }

    fn let_go(&mut self, sim: &Sim, name: &ObjectName) -> Result<Next, Error> {
        sim.outside().release(name)?;
        Ok(Next::Gone)
    }

    fn tell_problem(&mut self, sim: &Sim, name: &ObjectName, tenant: &Tenant, problem: &Problem) -> Result<Next, Error> {
        // It keeps no place at the gate meanwhile.
        sim.gate().0.gone(name);
        let now = sim.outside().time();
        sim.turns.aside(tenant, now);
        sim.outside().step_aside(name);
        let (generation, now) = (tenant.metadata.generation.unwrap_or_default(), sim.outside().time());
        let status = report::problem(tenant.status.as_ref(), generation, now, problem);
        self.tell(sim, name, tenant, status)?;
        Ok(Next::Again(if problem.passing { Duration::from_secs(60) } else { RESYNC }))
    }

    /// Writes the status where it differs.
    fn tell(&self, sim: &Sim, name: &ObjectName, tenant: &Tenant, status: TenantStatus) -> Result<(), Error> {
        let mut outside = sim.outside();
        if outside.dead {
            return outside.reachable();
        }
        truth::status_is_sound(&mut outside, tenant, &status);
        if tenant.status.as_ref() == Some(&status) {
            return Ok(());
        }
        outside.say(|| truth::line(&status));
        outside.write_status(name, status)
    }
}

fn next(done: &pass::Done, status: &TenantStatus) -> Next {
    let failing = status.conditions.iter().filter(|condition| condition.status == "False");
    let since = failing.map(|condition| condition.last_transition_time.0).max();
    let pause = match done.again {
        _ if done.failed => pace::after_error(done.who.now, since.unwrap_or(done.who.now)),
        Some(again) => again,
        None if done.settled() => pace::at_rest(&done.who.bench.spec.probe, RESYNC),
        None => RESYNC,
    };
    Next::Again(pace::with_keys(pause, &done.who))
}

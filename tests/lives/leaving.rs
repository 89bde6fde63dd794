//! What the controller does for a Tenant that leaves: who it is says its record, and its finalizer goes when nothing is left.

use std::time::Duration;

use futures::executor::block_on;
use tenant_operator::api::{Holder, Phase, Tenant};
use tenant_operator::controller::pass;
use tenant_operator::core::identity::{self, Begin, Custody, Held, Identity, Named};
use tenant_operator::core::stages::Way;
use tenant_operator::core::subject::{ObjectName, Problem, Subject, site_of};
use tenant_operator::core::{abandon, report};
use tenant_operator::world::Error;

use crate::finding::{Who, who};
use crate::operator::{Next, Operator, next};
use crate::sim::Sim;

impl Operator {
    pub fn down(&mut self, sim: &Sim, name: &ObjectName, tenant: &Tenant) -> Result<Next, Error> {
        let mut claims = sim.outside().recall(name);
        let mut named = identity::named(&claims, &tenant.spec.subdomain);
        if matches!(named, Named::Nobody | Named::Hosts(_)) {
            match look_for_record(sim, name, tenant)? {
                Some(Ok(())) => claims = sim.outside().recall(name),
                Some(Err(problem)) => return self.tell_problem(sim, name, tenant, &problem),
                None => {}
            }
            named = identity::named(&claims, &tenant.spec.subdomain);
        }
        let hosts: Vec<String> = claims.iter().filter(|claim| claim.record.is_none()).map(|claim| claim.name.clone()).collect();
        let (id, held) = match named {
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
        let outside = sim.outside();
        let mut gift = outside.give(tenant, identity);
        if outside.bench_there {
            let who = Subject::remembered(gift.given());
            drop(outside);
            return self.leave(sim, name, tenant, who);
        }
        let patience = abandon::patience(tenant);
        if !patience.is_over(gift.now) {
            drop(outside);
            return self.tell_problem(sim, name, tenant, &abandon::bench_gone(&at, &patience));
        }
        gift.bench = &stand_in;
        let who = Subject::remembered(gift.given());
        drop(outside);
        let done = block_on(pass::without_bench(sim, who));
        self.left(sim, name, tenant, &done)
    }

    pub fn leave(&mut self, sim: &Sim, name: &ObjectName, tenant: &Tenant, who: Subject) -> Result<Next, Error> {
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
}

/// None where nothing tells that there ever was a record, or nobody waits for it any longer; else whether it was made again.
fn look_for_record(sim: &Sim, name: &ObjectName, tenant: &Tenant) -> Result<Option<Result<(), Problem>>, Error> {
    let (left, patience) = (left_in_custody(sim, name, tenant), abandon::patience(tenant));
    if left.is_empty() || patience.is_over(sim.outside().time()) {
        return Ok(None);
    }
    let taken = match who(sim, name, tenant)? {
        Err(problem) => Err(problem),
        Ok(Who::Up(who))
            if matches!(who.begin, Begin::Recover(_) | Begin::Adopt(_)) && left.iter().any(|one| one.id == who.id) =>
        {
            block_on(pass::take_claims(sim, *who))
        }
        Ok(Who::Up(_) | Who::Leaving(_)) => Err(abandon::anothers(&left)),
    };
    Ok(Some(taken.map_err(|problem| abandon::held_up(problem, &patience))))
}

fn left_in_custody(sim: &Sim, name: &ObjectName, tenant: &Tenant) -> Vec<Custody> {
    let outside = sim.outside();
    let site = site_of(&tenant.spec, &outside.bench.spec);
    let mut left = if outside.bench_there { outside.custodies(name) } else { vec![] };
    left.retain(|one| one.site == site);
    left
}

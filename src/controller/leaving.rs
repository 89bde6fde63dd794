//! The end of one Tenant: what its claims say is there goes, in the order of the stages. Where its record is lost, what it left in
//! custody tells that there is something; nobody lets it go then without a word.

use k8s_openapi::jiff::Timestamp;

use super::metered::Metered;
use super::pass;
use super::tenant::{Pass, Reconciler};
use crate::api::{Phase, Tenant};
use crate::core::abandon;
use crate::core::identity::{self, Begin, Custody, Held, Identity, Named};
use crate::core::stages::Way;
use crate::core::subject::{Given, ObjectName, Problem, Subject};
use crate::world::Error;
use crate::world::error::Class;

/// The Tenant begins with what it left in custody.
fn is_recovery(identity: &Identity, left: &[Custody]) -> bool {
    let begins = matches!(identity.begin, Begin::Recover(_) | Begin::Adopt(_));
    begins && left.iter().any(|one| identity.id.as_ref() == Some(&one.id))
}

/// What became of a record that was lost.
enum Lost {
    /// There is nothing that it could have told of, or nobody waits for it any longer.
    Gone,
    /// It was made again from what is in custody.
    Found,
    Problem(Problem),
}

impl Reconciler {
    pub(super) async fn down(&self, tenant: &Tenant, claims: Vec<Held>) -> Result<Pass, Error> {
        self.turns.gone(&ObjectName::of(tenant), Timestamp::now());
        let claims = match identity::named(&claims, &tenant.spec.subdomain) {
            // It must not go because a watch is behind.
            Named::Nobody | Named::Hosts(_) => self.live.ask_claims(&ObjectName::of(tenant)).await?,
            Named::Active(..) | Named::Kept(_) => claims,
        };
        let claims = match identity::named(&claims, &tenant.spec.subdomain) {
            named @ (Named::Nobody | Named::Hosts(_)) => match Box::pin(self.look_for_record(tenant, named, &claims)).await? {
                Lost::Gone => return Ok(Pass::Gone),
                Lost::Problem(problem) => return Ok(Pass::Problem(problem)),
                Lost::Found => self.live.ask_claims(&ObjectName::of(tenant)).await?,
            },
            Named::Active(..) | Named::Kept(_) => claims,
        };
        let (id, held) = match identity::named(&claims, &tenant.spec.subdomain) {
            // Taken away meanwhile; with the next look it is the same question again.
            Named::Nobody | Named::Hosts(_) => return Ok(Pass::Problem(abandon::record_unread())),
            Named::Active(id, held) => (id, held),
            Named::Kept(claim) => match claim.record {
                Some(held) if held.record.phase == Phase::Retained => (claim.holder.id, held),
                // What could not be taken away is a person's to take away; what it held besides is free.
                _ => {
                    self.release_hosts(&claim.holder.id, &claims).await?;
                    return Ok(Pass::Gone);
                }
            },
        };
        if held.record.subdomain != tenant.spec.subdomain {
            // The subdomain is immutable: the record is an earlier Tenant's of this name, and its site is not this one's to take away.
            return Ok(Pass::Gone);
        }
        let at = held.record.bench.clone();
        let stand_in = abandon::stand_in(&held.record);
        let identity = Identity { id: Some(id), record: Some(held), begin: Begin::New };
        if let Some(bench) = self.find_bench(&at).await? {
            return Ok(self.pass(Subject::remembered(self.given(tenant, &bench, identity)), Way::Down).await);
        }
        let patience = abandon::patience(tenant);
        if patience.is_over(Timestamp::now()) {
            if self.ask_bench(&at).await?.is_some() {
                // It is there again, and the watch has not told of it yet.
                return Ok(Pass::Problem(abandon::record_unread()));
            }
            let who = Subject::remembered(self.given(tenant, &stand_in, identity));
            let world = Metered { world: &self.live, metrics: &self.metrics };
            return Ok(Pass::Done(Box::new(Box::pin(pass::without_bench(&world, who)).await)));
        }
        Ok(Pass::Problem(abandon::bench_gone(&at, &patience)))
    }

    /// Without a record nothing was built, for it comes before everything else; unless it was lost, and then the tenant's secrets are
    /// still in custody.
    async fn look_for_record(&self, tenant: &Tenant, named: Named, claims: &[Held]) -> Result<Lost, Error> {
        let patience = abandon::patience(tenant);
        let left = match self.left_in_custody(tenant).await {
            Err(error) if error.class() == Class::Denied && !patience.is_over(Timestamp::now()) => {
                return Ok(Lost::Problem(abandon::held_up(Problem::passing(error.reason(), error.to_string()), &patience)));
            }
            Err(error) if error.class() == Class::Denied => vec![],
            left => left?,
        };
        if left.is_empty() || patience.is_over(Timestamp::now()) {
            if let Named::Hosts(id) = named {
                self.release_hosts(&id, claims).await?;
            }
            self.scribe.gave_up(tenant, &left.iter().map(abandon::unrecorded).collect::<Vec<_>>()).await;
            return Ok(Lost::Gone);
        }
        let taken = match self.find(tenant, named).await? {
            Err(problem) => Err(problem),
            Ok(found) if is_recovery(&found.identity, &left) => self.take_up(tenant, &found).await?,
            // Its site is another Tenant's by now, or was kept by one that went.
            Ok(_) => Err(abandon::anothers(&left)),
        };
        Ok(taken.map_or_else(|problem| Lost::Problem(abandon::held_up(problem, &patience)), |()| Lost::Found))
    }

    /// The record is made again, and nothing else: what there is to take away is taken away by it.
    async fn take_up(&self, tenant: &Tenant, found: &super::finding::Found) -> Result<Result<(), Problem>, Error> {
        let plan = self.find_plan(&tenant.spec.plan).await?;
        let given = self.given(tenant, &found.bench, found.identity.clone());
        let who = match Subject::parse(Given { plan: plan.as_ref(), turn: true, ..given }) {
            Ok(who) => who,
            Err(problem) => return Ok(Err(problem)),
        };
        let world = Metered { world: &self.live, metrics: &self.metrics };
        Ok(pass::take_claims(&world, who).await)
    }

    async fn release_hosts(&self, id: &str, claims: &[Held]) -> Result<(), Error> {
        let hosts = claims.iter().filter(|claim| claim.record.is_none()).map(|claim| claim.name.clone());
        self.live.release_claims(id, &hosts.collect::<Vec<_>>()).await
    }
}

//! What has to be read before a pass can begin, as the controller does it: claims, custody, the Bench, and who the Tenant is.

use std::borrow::Cow;

use tenant_operator::api::Tenant;
use tenant_operator::core::identity::{self, Facts, Identity};
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{Given, ObjectName, Problem, Subject, site_of};
use tenant_operator::world::Error;

use crate::given::CLUSTER;
use crate::guards::Guard;
use crate::outside::Outside;
use crate::outside::objects::is_held;
use crate::sim::Sim;

/// What a Tenant that is not being deleted comes to.
pub enum Who {
    Up(Box<Subject>),
    /// An earlier one of its name, whose end had begun.
    Leaving(Box<Subject>),
}

pub fn who(sim: &Sim, name: &ObjectName, tenant: &Tenant) -> Result<Result<Who, Problem>, Error> {
    let claims = sim.outside().recall(name);
    let named = identity::named(&claims, &tenant.spec.subdomain);
    if named.holds() && !is_held(tenant) {
        sim.outside().hold(name, tenant)?;
    }
    let mut outside = sim.outside();
    if !outside.bench_there {
        return Ok(Err(Problem::passing("BenchNotFound", "the Bench is not there: create it again")));
    }
    let custody = if named.bench().is_some() { vec![] } else { outside.custodies(name) };
    let asks = identity::asks_for_site(tenant, &named);
    let site = asks.then(|| outside.claim(&identity::site_claim(tenant, &outside.bench))).flatten();
    let holder = site.as_ref().map(|held| identity::object_name(&held.holder)).filter(|holder| holder != name);
    let holder_lives = holder.is_some_and(|holder| outside.objects.tenants.contains_key(&holder));
    let mut bench = Cow::Borrowed(&outside.bench);
    if !outside.guards(Guard::Listing) {
        let site = site_of(&tenant.spec, &bench.spec);
        bench.to_mut().spec.adoption.site_names.push(site);
    }
    let facts = Facts { tenant, bench: &bench, named, custody: &custody, site: site.as_ref(), holder_lives };
    let mut identity = match identity::decide(facts) {
        Ok(identity) => identity,
        Err(problem) => return Ok(Err(problem)),
    };
    if identity.id.is_none() {
        identity.id = Some(mint(&mut outside));
    }
    let gift = outside.give(tenant, identity);
    let given = gift.as_given();
    if given.record.as_ref().is_some_and(|held| identity::is_leaving(&held.record)) {
        return Ok(Ok(Who::Leaving(Box::new(Subject::left_behind(given)))));
    }
    drop(given);
    Ok(sim.turns.subject(&outside, tenant, gift).map(|who| Who::Up(Box::new(who))))
}

/// What a [`Given`] borrows from.
pub struct Gift {
    tenant: Tenant,
    plan: Option<tenant_operator::api::TenantPlan>,
    pub bench: tenant_operator::api::Bench,
    pub identity: Identity,
    pub now: k8s_openapi::jiff::Timestamp,
    pub turn: bool,
}

impl Gift {
    /// As if nobody had said that the site was closed.
    pub fn forget_closing(&mut self) {
        let record = self.identity.record.as_mut().map(|held| &mut held.record);
        let facts = record.and_then(|record| record.receipts.get_mut(Step::Settings.as_str())?.facts.as_mut()?.as_object_mut());
        facts.into_iter().for_each(|facts| facts.retain(|name, _| name != "suspend" && name != "closing"));
    }

    pub fn as_given(&self) -> Given<'_> {
        Given {
            tenant: &self.tenant,
            plan: self.plan.as_ref(),
            turn: self.turn,
            bench: &self.bench,
            id: self.identity.id.clone().unwrap_or_default(),
            record: self.identity.record.clone(),
            begin: self.identity.begin.clone(),
            now: self.now,
            cluster: CLUSTER.to_owned(),
        }
    }
}

impl Outside {
    pub fn give(&self, tenant: &Tenant, identity: Identity) -> Gift {
        Gift {
            tenant: tenant.clone(),
            plan: self.plans.get(&tenant.spec.plan).cloned(),
            bench: self.bench.clone(),
            identity,
            now: self.time(),
            turn: false,
        }
    }
}

fn mint(outside: &mut Outside) -> String {
    format!("{:016x}", outside.chance.next())
}

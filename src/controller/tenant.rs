//! The reconcile of one Tenant: find it again, make its subject, go through the stages, write the status.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::api::Api;
use kube::runtime::controller::Action;
use kube::{Client, ResourceExt};

use super::after::{outcome, said};
use super::finding::Found;
use super::metered::Metered;
use super::pass::{self, Done};
use super::placing::Placements;
use super::status::Scribe;
use super::{Settings, finalizer};
use crate::api::{Adoption, Bench, Tenant, TenantPlan, TenantStatus};
use crate::core::identity::{self, Begin, Held, Identity};
use crate::core::names::{self, annotation};
use crate::core::pace;
use crate::core::place;
use crate::core::report;
use crate::core::stages::Way;
use crate::core::subject::{Given, ObjectName, Problem, Subject};
use crate::runtime::Metrics;
use crate::runtime::metrics::Outcome;
use crate::world::error::{Class, Error};
use crate::world::gate::Gate;
use crate::world::live::Live;
use crate::world::turns::Turns;

/// What every reconcile has in common, of Tenants and of Benches.
pub struct Reconciler {
    pub(super) client: Client,
    pub(super) live: Live,
    pub(super) scribe: Scribe,
    pub(super) placements: Placements,
    pub(super) turns: Turns,
    pub(super) metrics: Arc<Metrics>,
    pub(super) settings: Settings,
}

/// A stalled tenant is looked at again this soon, whether or not anything was seen to change.
pub(super) const STALLED: Duration = Duration::from_secs(300);

/// One that steps aside while its Job is running: a watch tells when that ends; this is for the case that it is dropped.
pub(super) const RUNNING: Duration = Duration::from_secs(60);

/// What became of a Tenant in one reconcile.
pub(super) enum Pass {
    Done(Box<Done>),
    Problem(Problem),
    /// Going down, and nothing is left.
    Gone,
}

pub async fn reconcile(tenant: Arc<Tenant>, here: Arc<Reconciler>) -> Result<Action, Error> {
    if tenant.annotations().contains_key(annotation::PAUSED) {
        let runs = here.step_aside(&tenant).await;
        return Ok(if runs { Action::requeue(RUNNING) } else { Action::await_change() });
    }
    // Right after a start, what watches tell first is everything.
    here.live.shelves.warm().await;
    let timer = here.metrics.reconcile("tenant");
    let down = tenant.metadata.deletion_timestamp.is_some();
    if down && !finalizer::held(tenant.as_ref(), names::FINALIZER) {
        here.forget(&tenant);
        timer.finish(Outcome::Settled);
        return Ok(Action::await_change());
    }
    let pass = match here.look_and_act(&tenant, down).await {
        Ok(pass) => pass,
        // What only a person can put right has to be seen where a person looks.
        Err(error) if error.class() == Class::Denied => Pass::Problem(Problem::passing(error.reason(), error.to_string())),
        Err(error) => {
            if error.class() == Class::Fatal {
                // Nobody's turn comes while one was not looked at, and this one never will be.
                here.turns.aside(&tenant, Timestamp::now());
            }
            return Err(error);
        }
    };
    let (action, outcome) = here.conclude(&tenant, pass).await?;
    timer.finish(outcome);
    Ok(action)
}

impl Reconciler {
    pub fn new(client: Client, live: Live, turns: Turns, metrics: Arc<Metrics>, settings: Settings) -> Self {
        let (scribe, placements) = (Scribe::new(client.clone()), Placements::default());
        Self { scribe, placements, client, live, turns, metrics, settings }
    }

    /// As a process that goes on for long, and not for one pass.
    pub fn settle_in(&mut self) {
        self.scribe.tell_in_background();
    }

    async fn look_and_act(&self, tenant: &Tenant, down: bool) -> Result<Pass, Error> {
        let claims = self.live.recall(&ObjectName::of(tenant)).await?;
        // On the heap: together they are more than a thread's stack should bear.
        if down { Box::pin(self.down(tenant, claims)).await } else { Box::pin(self.up(tenant, claims)).await }
    }

    /// A Tenant as a watch tells of it.
    pub fn hear_of(&self, tenant: &Tenant) {
        self.turns.named(tenant, Timestamp::now());
    }

    pub fn gate(&self) -> Arc<Gate> {
        self.live.gate.clone()
    }

    /// Nothing is left to say of a Bench that is gone.
    pub(super) fn close_gate(&self, bench: &Bench) {
        let at = place::reference(bench);
        // Of a Job whose pod never started.
        self.live.gate.leave(&self.template_site(bench));
        self.live.gate.close(&at);
        self.live.close_bench(&at);
        self.metrics.gate_gone(&format!("{}/{}", at.namespace, at.name));
    }

    async fn up(&self, tenant: &Tenant, claims: Vec<Held>) -> Result<Pass, Error> {
        let named = identity::named(&claims, &tenant.spec.subdomain);
        if named.holds() {
            // Whatever its spec says now: there is something that its end has to take away.
            finalizer::hold(&self.client, tenant, names::FINALIZER).await?;
        }
        let Found { bench, identity } = match self.find(tenant, named).await? {
            Ok(found) => found,
            Err(problem) => return Ok(Pass::Problem(problem)),
        };
        if tenant.spec.adoption != Adoption::Never && identity.begin != Begin::Report {
            // What was reported on it before was under a name of its own, which nobody asks for any more.
            self.live.gate.leave(&identity::reporter(tenant));
        }
        let given = self.given(tenant, &bench, identity);
        if given.record.as_ref().is_some_and(|held| identity::is_leaving(&held.record)) {
            self.turns.aside(tenant, Timestamp::now());
            return Ok(self.pass(Subject::left_behind(given), Way::Down).await);
        }
        let plan = self.find_plan(&tenant.spec.plan).await?;
        let record = given.record.as_ref().map(|held| &held.record);
        let turn = self.turns.look(tenant, plan.as_ref(), record, Timestamp::now());
        match Subject::parse(Given { plan: plan.as_ref(), turn, ..given }) {
            Err(problem) => Ok(Pass::Problem(problem)),
            Ok(who) => {
                finalizer::hold(&self.client, tenant, names::FINALIZER).await?;
                self.live.trust(&who.id, || said(tenant));
                Ok(self.pass(who, Way::Up).await)
            }
        }
    }

    pub(super) async fn find_plan(&self, name: &str) -> Result<Option<TenantPlan>, Error> {
        if let Some(known) = self.live.shelves.plans.get("", name) {
            return Ok(known);
        }
        let plans: Api<TenantPlan> = Api::all(self.client.clone());
        plans.get_opt(name).await.map_err(|source| Error::cluster("get", "TenantPlan", name, source))
    }

    pub(super) async fn pass(&self, who: Subject, way: Way) -> Pass {
        let world = Metered { world: &self.live, metrics: &self.metrics };
        let done = Box::pin(pass::run(&world, who, way)).await;
        self.live.seen(&done.who.id);
        if way == Way::Up {
            self.turns.report(&done.who, done.came());
        }
        let bench = done.who.bench_ref();
        let (used, waiting) = self.live.gate.load(&bench);
        self.metrics.gate(&format!("{}/{}", bench.namespace, bench.name), used, waiting);
        Pass::Done(Box::new(done))
    }

    pub(super) fn given<'a>(&self, tenant: &'a Tenant, bench: &'a Bench, identity: Identity) -> Given<'a> {
        let Identity { id, record, begin } = identity;
        let id = id.unwrap_or_else(|| format!("{:016x}", rand::random::<u64>()));
        let cluster = self.settings.cluster_name.clone();
        Given { tenant, plan: None, turn: false, bench, id, record, begin, now: Timestamp::now(), cluster }
    }

    async fn conclude(&self, tenant: &Tenant, pass: Pass) -> Result<(Action, Outcome), Error> {
        let old = self.status(tenant);
        match pass {
            Pass::Gone => self.let_go(tenant).await,
            Pass::Done(done) if done.way == Way::Down && done.settled() => {
                self.live.dismiss(&done.who.id);
                if tenant.metadata.deletion_timestamp.is_none() {
                    // An earlier tenant of its name is gone: now it begins.
                    return Ok((Action::requeue(Duration::from_secs(1)), Outcome::Waiting));
                }
                self.scribe.gave_up(tenant, &done.who.given_up).await;
                self.let_go(tenant).await
            }
            Pass::Done(done) => {
                match &done.who.record {
                    Some(_) => self.placements.claimed(&done.who.tenant),
                    None => self.placements.release(&done.who.tenant),
                }
                let status = report::status(old.as_ref(), &done.report());
                self.publish(tenant, old.as_ref(), status).await?;
                Ok((self.next(tenant, &done), outcome(&done)))
            }
            Pass::Problem(problem) => {
                let runs = self.step_aside(tenant).await;
                self.placements.release(&ObjectName::of(tenant));
                let generation = tenant.metadata.generation.unwrap_or_default();
                let status = report::problem(old.as_ref(), generation, Timestamp::now(), &problem);
                self.publish(tenant, old.as_ref(), status).await?;
                // What a person puts right is mostly nothing that a watch tells of.
                let again = if problem.passing || runs { RUNNING } else { self.settings.resync.min(STALLED) };
                let outcome = if problem.passing { Outcome::Waiting } else { Outcome::Stalled };
                Ok((Action::requeue(pace::spread(again, &tenant.name_any())), outcome))
            }
        }
    }

    /// One that cannot go on (paused, or without a plan) keeps nobody from its plan, and no place at the gate; but while its Job is
    /// running, that has its slot. True for as long.
    async fn step_aside(&self, tenant: &Tenant) -> bool {
        self.turns.aside(tenant, Timestamp::now());
        let status = self.status(tenant);
        status.and_then(|status| status.id).iter().for_each(|id| self.live.forget_looks(id));
        self.live.set_aside(&ObjectName::of(tenant)).await
    }

    async fn let_go(&self, tenant: &Tenant) -> Result<(Action, Outcome), Error> {
        finalizer::release(&self.client, tenant, names::FINALIZER).await?;
        self.forget(tenant);
        Ok((Action::await_change(), Outcome::Settled))
    }

    /// The status as it is now, as far as is known: the watch may be behind what we have written.
    pub(super) fn status(&self, tenant: &Tenant) -> Option<TenantStatus> {
        let newer = self.live.shelves.tenants.newer(tenant);
        newer.map_or_else(|| tenant.status.clone(), |newer| newer.status)
    }

    async fn publish(&self, tenant: &Tenant, old: Option<&TenantStatus>, status: TenantStatus) -> Result<(), Error> {
        if let Some(ready) = status.conditions.first() {
            self.metrics.tenant(&tenant.namespace().unwrap_or_default(), &tenant.name_any(), &ready.status, &ready.reason);
        }
        let written = self.scribe.write(tenant, old, &status).await?;
        written.iter().for_each(|written| self.live.shelves.tenants.wrote(written));
        Ok(())
    }

    fn forget(&self, tenant: &Tenant) {
        self.live.shelves.inputs().forget(&ObjectName::of(tenant));
        self.turns.gone(&ObjectName::of(tenant), Timestamp::now());
        self.metrics.tenant_gone(&tenant.namespace().unwrap_or_default(), &tenant.name_any());
    }
}

//! One life: what people do, one thing after the other, while the operator works and faults strike.

use tenant_operator::api::{
    Adoption, App, Condition, DeletionPolicy, Phase, ProbeMode, SiteConfigEntry, Suspend, SuspendMode, VerifyMode,
};
use tenant_operator::core::identity::{self, Begin, Held, Identity, Named};
use tenant_operator::core::names::annotation;
use tenant_operator::core::rotation;
use tenant_operator::core::subject::{ObjectName, Subject};

use crate::faults::{Faults, Party};
use crate::given::{self, Kind};
use crate::guards::Guard;
use crate::harm::Harm;
use crate::operator::Operator;
use crate::outside::Outside;
use crate::outside::rotation::Spoil;
use crate::outside::secrets::Published;
use crate::restore::Claims;
use crate::rollouts::PlanAct;
use crate::sim::Sim;
use crate::truth;

/// After the last fault a tenant has so long to get where it should be.
const PATIENCE: i64 = 3 * 3600;
/// More passes than any life needs: the operator chases its own tail.
const MOST_PASSES: u64 = 2000;

#[derive(Clone, Debug)]
pub enum Act {
    Apply {
        who: usize,
        plan: &'static str,
        policy: DeletionPolicy,
    },
    Edit {
        who: usize,
        edit: Edit,
    },
    Delete(usize),
    /// The object is gone at once, with nothing torn down.
    Lose(usize),
    Sleep(i64),
    /// Waited for until it is so.
    Ready(usize),
    Gone(usize),
    Says {
        who: usize,
        reason: &'static str,
    },
    Outage(Party, i64),
    /// Somebody has a site of the tenant's name already.
    Stranger(usize),
    /// Somebody has a Secret of the name that the key is published under.
    Passport(usize),
    /// A secret of the tenant's namespace is made, or changed.
    Secret(usize),
    /// The Master has a row of the tenant's key: of nobody, or of somebody else.
    Row {
        who: usize,
        holder: &'static str,
    },
    /// The bench gets another app.
    NewApp(&'static str),
    EditPlan(&'static str),
    /// Somebody changes or deletes what the operator applied.
    Drift(u64),
    /// Somebody changes something inside the tenant's site.
    Harm(usize, Harm),
    /// Waited for: all of it is put right, in time.
    Mended(usize),
    /// Somebody edits, or deletes, the tenant's row in the Master.
    RowEdited(usize),
    RowDeleted(usize),
    /// So long nothing is written but what inspections cost.
    Rests(i64),
    /// The claims of one tenant are lost: all, or those of its hosts.
    LoseClaims {
        who: usize,
        hosts_only: bool,
    },
    /// The whole cluster comes back from a backup.
    Restore(Claims),
    /// The Bench lists the site that the tenant has by its template.
    List(usize),
    /// The Bench lets tenants find their sites by what is in custody.
    Recover,
    /// Where an earlier Tenant of its name left its site, it is to be taken over.
    TakeKept(usize),
    /// The Bench goes, or comes back.
    Bench(bool),
    /// Secrets in custody are deleted by hand.
    LoseCustody(usize),
    Plan(PlanAct),
    /// Somebody changes the key in the site; seen only from outside.
    Spoil(usize, Spoil),
    /// Somebody deletes the tenant's Secret.
    Unpublish(usize),
    /// Waited for: what is published works again.
    Healed(usize),
    /// Waited for: the pair of this number is the only one.
    Rotated(usize, u32),
    /// Waited for: the condition of the site names what was put back.
    Repaired(usize),
}

#[derive(Clone, Debug)]
pub enum Edit {
    Plan(&'static str),
    Apps(Vec<App>),
    Config(Vec<SiteConfigEntry>),
    Policy(DeletionPolicy),
    Adoption(Adoption),
    /// The annotation that says how long an end may take.
    AbandonAfter(&'static str),
    Email(&'static str),
    Suspend(SuspendMode),
    Resume,
    Token(&'static str),
    Every(Option<&'static str>),
    Overlap(&'static str),
    /// The annotation that lets a failed step be tried again.
    Retry,
}

pub fn edit(who: usize, edit: Edit) -> Act {
    Act::Edit { who, edit }
}

#[derive(Clone, Debug)]
pub struct Script {
    pub seed: u64,
    pub kind: Kind,
    /// Namespace, name and subdomain.
    pub people: Vec<(&'static str, &'static str, &'static str)>,
    pub faults: Faults,
    /// A guard that is switched off, to see whether anybody notices.
    pub off: Option<Guard>,
    pub acts: Vec<Act>,
}

pub struct Ended {
    pub problem: Option<String>,
    pub writes: u64,
    pub turns: u64,
    pub trace: Vec<String>,
}

pub struct Life<'a> {
    script: &'a Script,
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

    fn happens(&mut self, act: &Act) {
        let site = |who: usize| {
            let (_, _, subdomain) = self.script.people[who];
            self.sim.outside().bench.spec.site_name_template.replace("{subdomain}", subdomain).replace("{domain}", "port.test")
        };
        match act {
            Act::Apply { who, plan, policy } => {
                let (namespace, name, subdomain) = self.script.people[*who];
                let mut outside = self.sim.outside();
                let tenant = given::tenant(namespace, name, subdomain, plan, *policy, outside.time());
                outside.apply_tenant(tenant);
            }
            Act::Edit { who, edit } => self.edit(*who, edit),
            Act::Delete(who) => self.sim.outside().delete_tenant(&self.name(*who)),
            Act::Lose(who) => {
                let name = self.name(*who);
                self.sim.outside().lose_tenant(&name);
                // The watch tells of it.
                self.sim.gate().0.gone(&name);
                let now = self.sim.outside().time();
                self.sim.turns.gone(&name, now);
            }
            Act::Outage(party, seconds) => {
                let mut outside = self.sim.outside();
                let now = outside.now;
                outside.faults.outages.push((*party, now, now + seconds));
            }
            Act::Stranger(who) => {
                let site = site(*who);
                self.sim.outside().settle(&site);
            }
            Act::Passport(who) => {
                let (namespace, name, _) = self.script.people[*who];
                let mut outside = self.sim.outside();
                let theirs = Published { owner: None, api: 0, url: String::new() };
                let name = ObjectName { namespace: namespace.to_owned(), name: format!("{name}-passport") };
                outside.secrets.published.insert(name, theirs);
            }
            Act::Secret(who) => {
                let (namespace, name, _) = self.script.people[*who];
                let mut outside = self.sim.outside();
                let value = outside.fresh();
                outside.secrets.theirs.insert((namespace.to_owned(), format!("{name}-chart"), "depth".to_owned()), value);
                outside.stir();
            }
            Act::Row { who, holder } => {
                let (_, _, subdomain) = self.script.people[*who];
                let row = [("berth", subdomain), ("holder", holder), ("state", "Planned"), ("was_there", "1")];
                let row = row.map(|(name, value)| (name.to_owned(), serde_json::json!(value)));
                self.sim.outside().master.rows.insert(subdomain.to_owned(), row.into());
            }
            Act::NewApp(app) => self.sim.outside().dock.apps.push((*app).to_owned()),
            Act::EditPlan(name) => {
                let mut outside = self.sim.outside();
                if let Some(plan) = outside.plans.get_mut(*name) {
                    plan.metadata.generation = plan.metadata.generation.map(|generation| generation + 1);
                    plan.spec.site_config.push(given::plain("tide", 12));
                    plan.spec.apps.push(given::app("payments"));
                }
                outside.stir();
            }
            Act::Drift(which) => self.sim.outside().drift(*which),
            Act::Harm(who, harm) => {
                let site = site(*who);
                self.sim.outside().harm(&self.name(*who), &site, *harm);
            }
            Act::RowEdited(who) => {
                let mut outside = self.sim.outside();
                let row = outside.master.rows.get_mut(self.script.people[*who].2);
                row.into_iter().for_each(|row| drop(row.insert("tier".to_owned(), "by hand".into())));
            }
            Act::RowDeleted(who) => drop(self.sim.outside().master.rows.remove(self.script.people[*who].2)),
            Act::LoseClaims { who, hosts_only } => self.sim.outside().lose_claims(&self.name(*who), *hosts_only),
            Act::Restore(claims) => self.sim.outside().restore(*claims),
            Act::List(who) => {
                let site = site(*who);
                self.sim.outside().bench.spec.adoption.site_names.push(site);
                self.sim.outside().stir();
            }
            Act::TakeKept(who) => {
                let name = self.name(*who);
                let claims = self.sim.outside().recall(&name);
                if claims.iter().any(|claim| claim.record().is_some_and(|record| record.phase == Phase::Retained)) {
                    self.edit(*who, &Edit::Adoption(Adoption::TakeOver));
                }
            }
            Act::Recover => {
                self.sim.outside().bench.spec.adoption.recover = true;
                self.sim.outside().stir();
            }
            Act::Bench(there) => {
                self.sim.outside().bench_there = *there;
                self.sim.outside().stir();
            }
            Act::LoseCustody(who) => {
                let name = self.name(*who);
                let mut outside = self.sim.outside();
                outside.secrets.custody.retain(|_, custody| custody.holder != name);
                outside.stir();
            }
            Act::Spoil(who, what) => {
                let probed = self.script.kind.probe != ProbeMode::Off && self.script.kind.verify == VerifyMode::HTTP;
                if probed {
                    self.sim.outside().spoil(&self.name(*who), *what);
                }
            }
            Act::Unpublish(who) => self.sim.outside().unpublish(&self.name(*who)),
            Act::Ready(_) | Act::Gone(_) | Act::Says { .. } | Act::Sleep(_) | Act::Plan(_) => {}
            Act::Healed(_) | Act::Rotated(..) | Act::Repaired(_) | Act::Mended(_) | Act::Rests(_) => {}
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

    fn edit(&mut self, who: usize, edit: &Edit) {
        let name = self.name(who);
        let mut outside = self.sim.outside();
        let now = outside.time();
        outside.edit_tenant(&name, |tenant| match edit.clone() {
            Edit::Plan(plan) => plan.clone_into(&mut tenant.spec.plan),
            Edit::Apps(apps) => tenant.spec.apps = apps,
            Edit::Config(config) => tenant.spec.site_config = config,
            Edit::Email(email) => email.clone_into(&mut tenant.spec.admin.email),
            Edit::Policy(policy) => tenant.spec.deletion_policy = Some(policy),
            Edit::Adoption(adoption) => tenant.spec.adoption = adoption,
            Edit::AbandonAfter(text) => {
                let all = tenant.metadata.annotations.get_or_insert_default();
                all.insert(annotation::ABANDON_AFTER.to_owned(), text.to_owned());
            }
            Edit::Suspend(mode) => tenant.spec.suspend = Some(Suspend { mode, ..Default::default() }),
            Edit::Resume => tenant.spec.suspend = None,
            Edit::Token(token) => tenant.spec.credentials.rotate_token = Some(token.to_owned()),
            Edit::Every(every) => tenant.spec.credentials.rotate_every = every.map(str::to_owned),
            Edit::Overlap(overlap) => tenant.spec.credentials.overlap = Some(overlap.to_owned()),
            Edit::Retry => {
                let all = tenant.metadata.annotations.get_or_insert_default();
                all.insert(annotation::RETRY_AT.to_owned(), now.to_string());
            }
        });
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

    pub fn sound(&self) -> Result<(), String> {
        self.sim.outside().wrong.first().map_or(Ok(()), |wrong| Err(wrong.clone()))
    }

    pub fn is_ready(&self, who: usize) -> bool {
        let name = self.name(who);
        let outside = self.sim.outside();
        let Some(tenant) = outside.objects.tenants.get(&name) else { return false };
        let status = tenant.status.as_ref();
        let current = status.and_then(|status| status.observed_generation) == tenant.metadata.generation;
        let ready = current && truth::is_true(status, Condition::Ready);
        let rests = self.operator.settled.contains(&name) && !outside.dead;
        drop(outside);
        ready && rests && !self.turns_soon(&name)
    }

    /// A tenant whose keys are about to change is not at rest.
    fn turns_soon(&self, name: &ObjectName) -> bool {
        let next = self.subject(name).ok().and_then(|who| rotation::next(&who));
        next.is_some_and(|next| next.as_secs() <= 60)
    }

    fn has_only(&self, who: usize, serial: u32) -> bool {
        let outside = self.sim.outside();
        let id = outside.id_of(&self.name(who));
        let custody = id.and_then(|id| outside.secrets.custody.get(&id));
        custody.is_some_and(|custody| custody.pairs.keys().eq([&serial]))
    }

    fn shows(&self, who: usize, condition: Condition, reason: &str) -> bool {
        let outside = self.sim.outside();
        let status = outside.objects.tenants.get(&self.name(who)).and_then(|tenant| tenant.status.as_ref());
        status
            .and_then(|status| truth::find(status, condition))
            .is_some_and(|found| found.status == "True" && found.reason == reason)
    }

    /// What an earlier Tenant of this name left in custody is not taken up by itself.
    fn is_kept(&self, who: usize) -> bool {
        let kept = |claim: &Held| claim.record().is_some_and(|record| record.phase != Phase::Active);
        self.says(who, "AdoptionNeeded") && self.sim.outside().recall(&self.name(who)).iter().any(kept)
    }

    fn says(&self, who: usize, reason: &str) -> bool {
        let outside = self.sim.outside();
        let Some(tenant) = outside.objects.tenants.get(&self.name(who)) else { return false };
        let current = tenant.status.as_ref().is_some_and(|status| status.observed_generation == tenant.metadata.generation);
        let ready = tenant.status.as_ref().and_then(|status| truth::find(status, Condition::Ready));
        current && ready.is_some_and(|ready| ready.status == "False" && ready.reason == reason)
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

    fn subject(&self, name: &ObjectName) -> Result<Subject, String> {
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

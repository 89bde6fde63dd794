//! Whose turn it is to follow a plan that was changed. Lives in the leader's memory, and is filled again by what the first pass over
//! each tenant sees.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::jiff::Timestamp;
use tokio::sync::mpsc;

use crate::api::{Record, Tenant, TenantPlan};
use crate::core::rollout::{self, Came, Copies, Course, Standing, Tally, Version};
use crate::core::subject::{ObjectName, Subject};

pub struct Turns {
    plans: Mutex<Plans>,
    /// Tenants whose turn it is.
    wake: mpsc::UnboundedSender<ObjectName>,
    /// Plans whose status may have to be written.
    news: mpsc::UnboundedSender<String>,
}

/// Whom the turns wake.
pub struct Woken {
    pub tenants: mpsc::UnboundedReceiver<ObjectName>,
    pub plans: mpsc::UnboundedReceiver<String>,
}

#[derive(Default)]
struct Plans {
    courses: HashMap<String, Course>,
    /// Which plan each tenant names.
    named: HashMap<ObjectName, String>,
}

impl Turns {
    pub fn new() -> (Self, Woken) {
        let (wake, tenants) = mpsc::unbounded_channel();
        let (news, plans) = mpsc::unbounded_channel();
        (Self { plans: Mutex::default(), wake, news }, Woken { tenants, plans })
    }

    fn plans(&self) -> MutexGuard<'_, Plans> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A Tenant as a watch tells of it, or as a pass begins with it.
    pub fn named(&self, tenant: &Tenant, now: Timestamp) {
        let name = ObjectName::of(tenant);
        if tenant.metadata.deletion_timestamp.is_some() {
            return self.gone(&name, now);
        }
        let plan = &tenant.spec.plan;
        let left = self.plans().named.insert(name.clone(), plan.clone()).filter(|before| before != plan);
        if let Some(before) = left {
            self.change(&before, now, |course| course.gone(&name));
        }
        let created = tenant.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        let seen = tenant.status.as_ref().and_then(|status| status.plan.as_ref()).filter(|seen| seen.name == *plan);
        let shown = seen.and_then(|seen| seen.observed_generation);
        self.change(plan, now, |course| course.named(&name, created, shown));
    }

    /// Before a pass up: whether the tenant takes up its plan as it is now although it has an earlier one.
    pub fn look(&self, tenant: &Tenant, plan: Option<&TenantPlan>, record: Option<&Record>, now: Timestamp) -> bool {
        self.named(tenant, now);
        let name = &tenant.spec.plan;
        self.change(name, now, |course| match plan {
            Some(plan) => course.see(name, plan),
            None => course.plan_is_gone(),
        });
        match rollout::standing(name, plan, record) {
            Standing::Behind => {
                let plans = self.plans();
                let course = plans.courses.get(name);
                course.is_some_and(|course| course.may_change(&ObjectName::of(tenant)))
            }
            Standing::AtOnce | Standing::Current | Standing::Gone | Standing::Without => false,
        }
    }

    /// After a pass up.
    pub fn report(&self, who: &Subject, came: Came) {
        let Some(want) = &who.want else { return };
        // While nothing can be written, the record has what it had.
        let held = who.record().and_then(|record| record.plan.as_ref()).filter(|held| held.name == want.plan);
        let copies = Copies { has: Version::of(held.unwrap_or(&want.copy)), given: Version::of(&want.copy) };
        let new = who.record().is_none_or(|record| record.first_ready_at.is_none());
        self.change(&want.plan, who.now, |course| course.report(&who.tenant, copies, new, came, who.now));
    }

    /// A tenant that can't be changed now: paused, or in trouble of its own.
    pub fn aside(&self, tenant: &Tenant, now: Timestamp) {
        self.named(tenant, now);
        self.change(&tenant.spec.plan, now, |course| course.aside(&ObjectName::of(tenant)));
    }

    /// The Tenant leaves, or its object is gone.
    pub fn gone(&self, tenant: &ObjectName, now: Timestamp) {
        let plan = self.plans().named.remove(tenant);
        if let Some(plan) = plan {
            self.change(&plan, now, |course| course.gone(tenant));
        }
    }

    /// All Tenants there are, after a watch began anew: it does not tell of those that went meanwhile.
    pub fn only(&self, there: &BTreeSet<ObjectName>, now: Timestamp) {
        let gone: Vec<ObjectName> = self.plans().named.keys().filter(|name| !there.contains(*name)).cloned().collect();
        gone.iter().for_each(|name| self.gone(name, now));
    }

    /// A plan as it was read: how far its tenants are. Those that waited for it to appear are woken.
    pub fn plan(&self, plan: &TenantPlan, now: Timestamp) -> Tally {
        let name = plan.metadata.name.clone().unwrap_or_default();
        let troubled = self.change(&name, now, |course| {
            let before = course.version().cloned();
            course.see(&name, plan);
            if before.as_ref() == course.version() { vec![] } else { course.troubled().cloned().collect() }
        });
        self.call(troubled);
        self.plans().courses.get(&name).map(Course::tally).unwrap_or_default()
    }

    /// Changes what is known of a plan's tenants, and calls those whose turn it is then.
    fn change<T>(&self, plan: &str, now: Timestamp, change: impl FnOnce(&mut Course) -> T) -> T {
        let mut plans = self.plans();
        let course = plans.courses.entry(plan.to_owned()).or_default();
        let before = course.tally();
        let result = change(course);
        let called = course.advance(now);
        let news = course.tally() != before;
        if course.is_empty() {
            plans.courses.remove(plan);
        }
        drop(plans);
        if news {
            // Nobody listens any more while the process ends.
            let _ = self.news.send(plan.to_owned());
        }
        self.call(called);
        result
    }

    fn call(&self, tenants: Vec<ObjectName>) {
        for tenant in tenants {
            let _ = self.wake.send(tenant);
        }
    }
}

//! What a life waits for: how a tenant stands just now, as people would see it.

use tenant_operator::api::{Condition, Phase};
use tenant_operator::core::identity::Held;
use tenant_operator::core::rotation;
use tenant_operator::core::subject::ObjectName;

use crate::life::Life;
use crate::truth;

impl Life<'_> {
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

    pub fn has_only(&self, who: usize, serial: u32) -> bool {
        let outside = self.sim.outside();
        let id = outside.id_of(&self.name(who));
        let custody = id.and_then(|id| outside.secrets.custody.get(&id));
        custody.is_some_and(|custody| custody.pairs.keys().eq([&serial]))
    }

    pub fn shows(&self, who: usize, condition: Condition, reason: &str) -> bool {
        let outside = self.sim.outside();
        let status = outside.objects.tenants.get(&self.name(who)).and_then(|tenant| tenant.status.as_ref());
        status
            .and_then(|status| truth::find(status, condition))
            .is_some_and(|found| found.status == "True" && found.reason == reason)
    }

    /// What an earlier Tenant of this name left in custody is not taken up by itself.
    pub fn is_kept(&self, who: usize) -> bool {
        let kept = |claim: &Held| claim.record().is_some_and(|record| record.phase != Phase::Active);
        self.says(who, "AdoptionNeeded") && self.sim.outside().recall(&self.name(who)).iter().any(kept)
    }

    pub fn says(&self, who: usize, reason: &str) -> bool {
        let outside = self.sim.outside();
        let Some(tenant) = outside.objects.tenants.get(&self.name(who)) else { return false };
        let current = tenant.status.as_ref().is_some_and(|status| status.observed_generation == tenant.metadata.generation);
        let ready = tenant.status.as_ref().and_then(|status| truth::find(status, Condition::Ready));
        current && ready.is_some_and(|ready| ready.status == "False" && ready.reason == reason)
    }
}

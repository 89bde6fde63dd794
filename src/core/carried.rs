//! What a Bench has to know of each tenant that it carries: little, as there may be thousands.

use k8s_openapi::jiff::Timestamp;

use super::identity;
use super::steps::Step;
use super::subject::ObjectName;
use crate::api::{BenchRef, Hosts, Phase, Receipt, TenantClaim};

#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// Name of the claim of its site.
    pub claim: String,
    /// The tenant's lasting identity.
    pub id: String,
    pub tenant: ObjectName,
    pub phase: Phase,
    pub created_at: Timestamp,
    pub subdomain: String,
    pub hosts: Hosts,
    /// Name of the TenantPlan that it has.
    pub plan: Option<String>,
    /// A template that its site could not be made from, and when that was.
    pub distrusts: Option<(String, Timestamp)>,
}

impl Carried {
    /// By the claim of a site; none where that is not on the Bench.
    pub fn of(claim: TenantClaim, bench: &BenchRef) -> Option<Self> {
        let record = claim.spec.record.filter(|record| record.bench == *bench)?;
        Some(Self {
            claim: claim.metadata.name.unwrap_or_default(),
            tenant: identity::object_name(&claim.spec.holder),
            id: claim.spec.holder.id,
            phase: record.phase,
            created_at: record.created_at.0,
            subdomain: record.subdomain,
            hosts: record.hosts,
            plan: record.plan.map(|plan| plan.name),
            distrusts: record.receipts.get(Step::Create.as_str()).and_then(unfit),
        })
    }

    pub fn is_active(&self) -> bool {
        self.phase == Phase::Active
    }
}

fn unfit(receipt: &Receipt) -> Option<(String, Timestamp)> {
    let said = receipt.facts.as_ref()?.get("template").filter(|said| said["used"] == false)?;
    Some((said["name"].as_str()?.to_owned(), receipt.at.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_is_distrusted_where_a_site_could_not_be_made_from_it() {
        let told = |used: bool| {
            let facts = json!({"template": {"name": "3f9a", "used": used}});
            let receipt = json!({"hash": "1", "version": "1", "at": "2026-11-21T08:00:00Z", "facts": facts});
            unfit(&serde_json::from_value(receipt).expect("a receipt")).map(|(name, _)| name)
        };
        assert_eq!((told(false).as_deref(), told(true)), (Some("3f9a"), None));
    }
}

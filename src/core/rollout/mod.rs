//! How a change of a plan reaches its tenants. Each tenant's record holds a copy of the plan as it is applied there; the plan as it
//! is now replaces the copy when it is the tenant's turn.

mod course;
mod told;

pub use course::{Came, Copies, Course, Tally};
pub use told::status;

use super::names;
use crate::api::{PlanCopy, Record, TenantPlan};

/// What a tenant has of the plan that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes the plan as it is: it is new, or was never Ready, or had another plan until now.
    AtOnce,
    Current,
    /// It has an earlier one, and is changed when it is its turn.
    Behind,
    /// There is no such plan any more: the tenant goes on with what it has of it.
    Gone,
    /// There is no such plan, and the tenant has nothing of it.
    Without,
}

pub fn standing(name: &str, plan: Option<&TenantPlan>, record: Option<&Record>) -> Standing {
    let copy = record.and_then(|record| record.plan.as_ref()).filter(|copy| copy.name == name);
    // One that nobody uses yet has nothing to lose, and may need the correction to be made at all.
    let in_use = record.is_some_and(|record| record.first_ready_at.is_some());
    match (plan, copy) {
        (None, None) => Standing::Without,
        (None, Some(_)) => Standing::Gone,
        (Some(_), None) => Standing::AtOnce,
        (Some(plan), Some(copy)) if is_copy(copy, plan) => Standing::Current,
        (Some(_), Some(_)) if in_use => Standing::Behind,
        (Some(_), Some(_)) => Standing::AtOnce,
    }
}

fn is_copy(copy: &PlanCopy, plan: &TenantPlan) -> bool {
    copy.generation == plan.metadata.generation.unwrap_or_default() && copy.spec == plan.spec
}

/// What is applied in a pass; `turn` says whether one that is behind may be changed now.
pub fn applied(name: &str, plan: Option<&TenantPlan>, record: Option<&Record>, turn: bool) -> Option<PlanCopy> {
    let held = || record.and_then(|record| record.plan.clone());
    match standing(name, plan, record) {
        Standing::AtOnce => plan.map(|plan| copy(name, plan)),
        Standing::Behind if turn => plan.map(|plan| copy(name, plan)),
        Standing::Current | Standing::Behind | Standing::Gone => held(),
        Standing::Without => None,
    }
}

pub fn copy(name: &str, plan: &TenantPlan) -> PlanCopy {
    PlanCopy { name: name.to_owned(), generation: plan.metadata.generation.unwrap_or_default(), spec: plan.spec.clone() }
}

/// Which of its versions a plan, or the copy of one, is: a plan that is deleted and made again counts its generations anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub generation: i64,
    mark: String,
}

impl Version {
    pub fn of(copy: &PlanCopy) -> Self {
        let text = serde_json::to_string(&copy.spec).unwrap_or_default();
        Self { generation: copy.generation, mark: names::digest(&[&text], 16) }
    }
}

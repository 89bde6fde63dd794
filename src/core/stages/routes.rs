//! Both hosts are published: first to the backend that says "preparing", and to the real services once the key works; while the
//! tenant is suspended, to the backend that says so.

use super::leave;
use crate::core::lead::Leads;
use crate::core::manifests::routes::summary;
use crate::core::op::Op;
use crate::core::seen::{ChildState, RoutesSeen};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

pub fn up(who: &Subject, seen: &RoutesSeen) -> Verdict {
    if let Some(verdict) = foreign(&seen.children) {
        return verdict;
    }
    let ops: Vec<Op> = seen
        .children
        .iter()
        .filter(|child| matches!(child.state, ChildState::Absent | ChildState::Differs))
        .map(|child| Op::Apply(Box::new(child.child.clone())))
        .collect();
    if !ops.is_empty() {
        return Verdict::Do(ops);
    }
    if seen.children.iter().any(|child| child.state == ChildState::Leaving) {
        return Verdict::wait("RouteLeaving", "a route of this name is still being deleted", 2);
    }
    match &seen.refused {
        Some(words) => Verdict::wait("NotAccepted", format!("the edge does not take a route: {words}"), 15),
        None => match who.leads() {
            Leads::Preparing => Verdict::settled("Preparing", "both hosts answer 503 until the tenant is ready"),
            Leads::Suspended => Verdict::settled("Suspended", "both hosts answer 503 with the page of a suspended tenant"),
            Leads::Serving => Verdict::settled("Programmed", summary(who)),
        },
    }
}

pub fn down(seen: &RoutesSeen) -> Verdict {
    leave::children(&seen.children, "both hosts are unpublished")
}

/// A child of the name we need that does not carry our id.
pub fn foreign(children: &[crate::core::seen::ChildSeen]) -> Option<Verdict> {
    let child = children.iter().find(|child| child.state == ChildState::NotOurs)?;
    let (kind, name) = (child.child.kind(), child.child.name());
    Some(Verdict::stalled("NotOurs", format!("{kind} {name} does not carry this tenant's id: delete or rename it")))
}

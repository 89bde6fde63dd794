//! What several stages do on the way down: their children are deleted, and gone before the stage is settled.

use crate::core::op::Op;
use crate::core::seen::{ChildSeen, ChildState};
use crate::core::verdict::Verdict;

pub fn children(children: &[ChildSeen], gone: &str) -> Verdict {
    let ops: Vec<Op> = children
        .iter()
        .filter(|child| matches!(child.state, ChildState::Current | ChildState::Differs))
        .map(|child| Op::Remove(Box::new(child.child.clone())))
        .collect();
    if !ops.is_empty() {
        return Verdict::Do(ops);
    }
    match children.iter().find(|child| child.state == ChildState::Leaving) {
        Some(child) => Verdict::wait("Removing", format!("{} {} is being deleted", child.child.kind(), child.child.name()), 2),
        None => Verdict::settled("Removed", gone),
    }
}

//! Setup wizard, scheduler, site config, admin user, lockdown.

use super::site;
use crate::api::{LockdownMode, Setup, SuspendMode};
use crate::core::seen::WorkSeen;
use crate::core::steps::{self, Step};
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;

pub fn up(who: &Subject, seen: &WorkSeen) -> Verdict {
    if !steps::fresh(Step::Settings, who, &seen.versions) {
        return site::provision(who, seen, "Configuring");
    }
    let setup = match who.want.as_ref().map(|want| want.setup) {
        Some(Setup::Complete) => "setup complete",
        Some(Setup::Skip) | None => "setup left to the customer",
    };
    let lock = match who.bench.spec.lockdown.mode {
        LockdownMode::APIOnly => "locked to API",
        LockdownMode::None => "password login open",
    };
    let scheduler = match who.suspension() {
        None => "scheduler on",
        Some(SuspendMode::Maintenance) => "in maintenance, scheduler paused",
        Some(SuspendMode::ReadOnly) => "read only, scheduler paused",
    };
    let earlier = steps::earlier_admins(who).join(", ");
    let earlier = if earlier.is_empty() { earlier } else { format!("; earlier admins can still sign in: {earlier}") };
    Verdict::settled("Applied", format!("{setup}, {scheduler}, {lock}{earlier}"))
}

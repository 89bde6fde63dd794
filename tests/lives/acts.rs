//! What people do, and what is waited for, as data: a life is a list of it.

use tenant_operator::api::{Adoption, App, DeletionPolicy, SiteConfigEntry, SuspendMode};

use crate::faults::{Faults, Party};
use crate::given::Kind;
use crate::guards::Guard;
use crate::harm::Harm;
use crate::outside::rotation::Spoil;
use crate::plans::PlanAct;
use crate::restore::Claims;

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

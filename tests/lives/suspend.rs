//! Lives of tenants that are suspended and resumed, and what must be true of a suspended one.

use tenant_operator::api::{Condition, DeletionPolicy, SuspendMode, Tenant, TenantStatus};

use crate::acts::{Act, Edit};
use crate::faults::Party;
use crate::given::{GATEWAY, INGRESS, app, plain};
use crate::outside::Outside;
use crate::scenarios::{Told, apply, edit, small};
use crate::truth::{find, is_true};

use Act::{Delete, EditPlan, Gone, Lose, Outage, Ready, Rotated, Sleep};
use DeletionPolicy::{Archive, Delete as Erase, Retain};
use SuspendMode::{Maintenance, ReadOnly};

/// A tenant that is Ready has its site in the very state that its spec asks for.
pub fn is_as_it_says(outside: &Outside, tenant: &Tenant, status: &TenantStatus) -> Result<(), String> {
    let mode = tenant.spec.suspend.as_ref().map(|suspend| suspend.mode);
    let reason = find(status, Condition::Ready).map(|ready| ready.reason.as_str());
    if (reason == Some("Suspended")) != mode.is_some() || is_true(Some(status), Condition::Suspended) != mode.is_some() {
        return Err(format!("Ready for the reason {reason:?}, and suspended is {mode:?}"));
    }
    let name = status.site_name.as_deref().unwrap_or_default();
    let Some(site) = outside.dock.sites.get(name) else {
        // What somebody took away is only seen by the next probes, or the next inspection.
        return if outside.is_harmed(name) { Ok(()) } else { Err("Ready without a site".to_owned()) };
    };
    let wanted = (mode.is_some(), mode.is_some(), mode == Some(ReadOnly));
    let is = (site.maintenance, site.paused, site.reads);
    if is == wanted {
        Ok(())
    } else {
        Err(format!("suspended is {mode:?}, and the site's maintenance, pause and reads are {is:?}"))
    }
}

/// Whether or not it is Ready: it is not called suspended without being told to, nor in another way.
pub fn is_said_when_true(tenant: &Tenant, status: &TenantStatus) -> Result<(), String> {
    let Some(said) = find(status, Condition::Suspended) else { return Ok(()) };
    let mode = tenant.spec.suspend.as_ref().map(|suspend| format!("{:?}", suspend.mode));
    if mode.as_deref() == Some(said.reason.as_str()) { Ok(()) } else { Err(format!("said to be suspended: {}", said.reason)) }
}

fn suspend(mode: SuspendMode) -> Act {
    edit(0, Edit::Suspend(mode))
}

fn resume() -> Act {
    edit(0, Edit::Resume)
}

pub fn lives() -> Vec<Told> {
    let mut lives = there_and_back();
    lives.extend(changed_meanwhile());
    lives.extend(with_another_key());
    lives.extend(left_while_suspended());
    lives
}

fn there_and_back() -> Vec<Told> {
    let whole = |mode| vec![small(0, Archive), Ready(0), suspend(mode), Ready(0), resume(), Ready(0), Delete(0), Gone(0)];
    vec![
        ("suspended and resumed", INGRESS, whole(Maintenance)),
        ("suspended and resumed behind a gateway", GATEWAY, whole(Maintenance)),
        ("made read only and resumed", INGRESS, whole(ReadOnly)),
        (
            "suspended from its beginning",
            INGRESS,
            vec![small(0, Archive), suspend(Maintenance), Ready(0), resume(), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "suspended while the site is made, and resumed before it was ready",
            INGRESS,
            vec![apply(0, Erase), Sleep(9), suspend(Maintenance), Sleep(30), resume(), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "resumed while it is being suspended",
            INGRESS,
            vec![small(0, Erase), Ready(0), suspend(Maintenance), Sleep(3), resume(), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "suspended again while it is being resumed",
            GATEWAY,
            vec![
                small(0, Erase),
                Ready(0),
                suspend(Maintenance),
                Ready(0),
                resume(),
                Sleep(4),
                suspend(Maintenance),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "from one mode to the other and back",
            INGRESS,
            vec![
                small(0, Erase),
                Ready(0),
                suspend(Maintenance),
                Ready(0),
                suspend(ReadOnly),
                Ready(0),
                suspend(Maintenance),
                Ready(0),
                resume(),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
    ]
}

fn changed_meanwhile() -> Vec<Told> {
    vec![
        (
            "changed while it is suspended",
            INGRESS,
            vec![
                small(0, Archive),
                Ready(0),
                suspend(Maintenance),
                Ready(0),
                edit(0, Edit::Apps(vec![app("crm")])),
                Ready(0),
                edit(0, Edit::Config(vec![plain("berths", 8)])),
                EditPlan("dinghy"),
                Ready(0),
                resume(),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "suspended while everything is away",
            INGRESS,
            vec![
                small(0, Archive),
                Ready(0),
                Outage(Party::Database, 200),
                Outage(Party::Web, 300),
                Outage(Party::Master, 250),
                suspend(Maintenance),
                Sleep(40),
                Ready(0),
                Outage(Party::Database, 120),
                resume(),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "by hand, while it is suspended",
            GATEWAY,
            vec![
                small(0, Erase),
                Ready(0),
                suspend(Maintenance),
                Ready(0),
                Act::Drift(0),
                Ready(0),
                Act::Drift(3),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "lost while it is suspended, and applied again without",
            INGRESS,
            vec![
                small(0, Archive),
                Ready(0),
                suspend(Maintenance),
                Ready(0),
                Lose(0),
                Sleep(9),
                small(0, Archive),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
    ]
}

/// What was begun before is proven over HTTP only afterwards, and nothing new is begun meanwhile.
fn with_another_key() -> Vec<Told> {
    let token = || edit(0, Edit::Token("1"));
    let whole = |acts: Vec<Act>| [small(0, Erase), Ready(0)].into_iter().chain(acts).chain([Delete(0), Gone(0)]).collect();
    vec![
        (
            "suspended while its key is rotated",
            INGRESS,
            whole(vec![token(), Sleep(3), suspend(Maintenance), Ready(0), Sleep(700), resume(), Ready(0), Rotated(0, 1)]),
        ),
        (
            "asked for another key while it is suspended",
            INGRESS,
            whole(vec![suspend(Maintenance), Ready(0), token(), Ready(0), Sleep(700), resume(), Rotated(0, 1)]),
        ),
    ]
}

fn left_while_suspended() -> Vec<Told> {
    let whole = |mode, policy| vec![small(0, policy), Ready(0), suspend(mode), Ready(0), Delete(0), Gone(0)];
    vec![
        ("archived while it is suspended", INGRESS, whole(Maintenance, Archive)),
        ("archived while it is read only", INGRESS, whole(ReadOnly, Archive)),
        ("erased while it is suspended", GATEWAY, whole(Maintenance, Erase)),
        ("retained while it is suspended", INGRESS, whole(Maintenance, Retain)),
        (
            "deleted while it is being suspended",
            INGRESS,
            vec![small(0, Archive), Ready(0), suspend(Maintenance), Sleep(2), Delete(0), Gone(0)],
        ),
    ]
}

//! Lives that are told by hand: each is lived as it is, and then with every blow at every write, and with a pod killed at every turn.

use tenant_operator::api::{DeletionPolicy, ProbeMode, RegistryOnDelete};

pub use crate::acts::edit;
use crate::acts::{Act, Edit, Script};
use crate::faults::Party;
use crate::given::{GATEWAY, INGRESS, Kind, app, plain, secret};
use crate::{contested, suspend};

use Act::{Apply, Delete, Drift, EditPlan, Gone, Lose, NewApp, Outage, Ready, Says, Secret, Sleep};
use DeletionPolicy::{Archive, Delete as Erase, Retain};

/// Two Tenants with names of their own, and two that want one subdomain, in one namespace and in two.
const PEOPLE: [(&str, &str, &str); 4] =
    [("north", "anchor", "mole"), ("south", "buoy", "pier"), ("south", "rival", "mole"), ("north", "twin", "mole")];

pub const BARE: Kind = Kind { registry: None, probe: ProbeMode::Off, ..INGRESS };
pub const CLEAN: Kind = Kind { registry: Some(RegistryOnDelete::Delete), ..INGRESS };
const TEMPLATES: Kind = Kind { templates: true, ..INGRESS };

pub fn apply(who: usize, policy: DeletionPolicy) -> Act {
    Apply { who, plan: "ferry", policy }
}

pub fn small(who: usize, policy: DeletionPolicy) -> Act {
    Apply { who, plan: "dinghy", policy }
}

fn script(seed: u64, kind: Kind, acts: Vec<Act>) -> Script {
    Script { seed, kind, people: PEOPLE.into(), faults: Default::default(), off: None, acts }
}

pub fn all() -> Vec<(&'static str, Script)> {
    let mut all = plain_lives();
    all.extend(interrupted_lives());
    all.extend(changing_lives());
    all.extend(contested::lives());
    all.extend(contested::harmed());
    all.extend(suspend::lives());
    all.extend(crate::keys::lives());
    all.extend(crate::identities::told());
    let told = all.into_iter().enumerate().map(|(seed, (name, kind, acts))| (name, script(seed as u64, kind, acts)));
    told.chain(crate::rollouts::told()).collect()
}

pub type Told = (&'static str, Kind, Vec<Act>);

fn plain_lives() -> Vec<Told> {
    let whole = |policy| vec![apply(0, policy), Ready(0), Delete(0), Gone(0)];
    vec![
        ("archived", INGRESS, whole(Archive)),
        ("erased", CLEAN, whole(Erase)),
        ("retained", GATEWAY, whole(Retain)),
        ("archived behind a gateway", GATEWAY, whole(Archive)),
        ("made from a template, which may be unfit", TEMPLATES, whole(Archive)),
        ("without registry and probe", BARE, vec![small(0, Erase), Ready(0), Delete(0), Gone(0)]),
        (
            "again after it was erased",
            INGRESS,
            vec![small(0, Erase), Ready(0), Delete(0), Gone(0), apply(0, Archive), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "again after it was archived",
            GATEWAY,
            vec![small(0, Archive), Ready(0), Delete(0), Gone(0), apply(0, Archive), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "again after it was retained",
            INGRESS,
            vec![
                small(0, Retain),
                Ready(0),
                Delete(0),
                Gone(0),
                small(0, Erase),
                Says { who: 0, reason: "AdoptionNeeded" },
                Delete(0),
                Gone(0),
            ],
        ),
    ]
}

fn interrupted_lives() -> Vec<Told> {
    let cut = |seconds, policy| vec![apply(0, policy), Sleep(seconds), Delete(0), Gone(0)];
    vec![
        ("deleted at once", INGRESS, cut(1, Archive)),
        ("deleted while the site is made", INGRESS, cut(9, Archive)),
        ("deleted while apps are installed", GATEWAY, cut(25, Erase)),
        ("deleted while keys are proven", INGRESS, cut(60, Retain)),
        ("deleted with the Master away", CLEAN, vec![small(0, Erase), Ready(0), Outage(Party::Master, 900), Delete(0), Gone(0)]),
        (
            "deleted with the database away",
            INGRESS,
            vec![small(0, Archive), Ready(0), Outage(Party::Database, 700), Delete(0), Sleep(200), Gone(0)],
        ),
        (
            "another policy while it leaves",
            INGRESS,
            vec![
                small(0, Archive),
                Ready(0),
                Outage(Party::Database, 300),
                Delete(0),
                Sleep(100),
                edit(0, Edit::Policy(Erase)),
                Gone(0),
            ],
        ),
        (
            "another policy while it leaves, too late to keep it",
            INGRESS,
            vec![small(0, Erase), Ready(0), Delete(0), Sleep(5), edit(0, Edit::Policy(Retain)), Gone(0)],
        ),
        (
            "lost, and applied again",
            INGRESS,
            vec![apply(0, Archive), Ready(0), Lose(0), Sleep(9), apply(0, Archive), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "lost half-way, and applied again",
            INGRESS,
            vec![apply(0, Archive), Sleep(12), Lose(0), Sleep(40), apply(0, Archive), Ready(0), Delete(0), Gone(0)],
        ),
    ]
}

fn changing_lives() -> Vec<Told> {
    let chart = || Edit::Config(vec![plain("berths", 4), secret("mail_pilot", "anchor-chart", "depth")]);
    vec![
        (
            "apps are added",
            INGRESS,
            vec![
                small(0, Archive),
                Ready(0),
                edit(0, Edit::Apps(vec![app("crm")])),
                Ready(0),
                edit(0, Edit::Plan("ferry")),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "config comes and goes",
            INGRESS,
            vec![
                small(0, Erase),
                Ready(0),
                edit(0, chart()),
                Sleep(30),
                Secret(0),
                Ready(0),
                Secret(0),
                Ready(0),
                edit(0, Edit::Config(vec![])),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "changed while a Job runs",
            INGRESS,
            vec![
                apply(0, Erase),
                Sleep(15),
                edit(0, Edit::Apps(vec![app("crm")])),
                Sleep(7),
                edit(0, Edit::Config(vec![])),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "changed and put back while a Job runs",
            INGRESS,
            vec![
                small(0, Erase),
                Ready(0),
                edit(0, Edit::Config(vec![plain("berths", 9)])),
                Sleep(1),
                edit(0, Edit::Config(vec![plain("berths", 3)])),
                Ready(0),
                Sleep(30),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "the plan is edited",
            GATEWAY,
            vec![small(0, Erase), Ready(0), EditPlan("dinghy"), Sleep(5), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "an app that the bench has not",
            INGRESS,
            vec![
                small(0, Erase),
                edit(0, Edit::Apps(vec![app("sails")])),
                Says { who: 0, reason: "AppMissing" },
                edit(0, Edit::Apps(vec![app("crm")])),
                Ready(0),
                edit(0, Edit::Apps(vec![app("sails")])),
                Says { who: 0, reason: "AppMissing" },
                NewApp("sails"),
                Sleep(5),
                edit(0, Edit::Retry),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
        ("by hand", GATEWAY, vec![small(0, Erase), Ready(0), Drift(0), Ready(0), Drift(3), Ready(0), Delete(0), Gone(0)]),
        (
            "by hand, with a certificate",
            INGRESS,
            vec![small(0, Erase), Ready(0), Drift(0), Sleep(9), Ready(0), Drift(3), Sleep(9), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "everything is away for a while",
            INGRESS,
            vec![
                apply(0, Archive),
                Outage(Party::Issuer, 300),
                Outage(Party::Dns, 200),
                Outage(Party::Master, 500),
                Outage(Party::Web, 250),
                Outage(Party::PodSource, 60),
                Sleep(70),
                Outage(Party::Database, 100),
                Ready(0),
                Outage(Party::Web, 400),
                Sleep(100),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
    ]
}

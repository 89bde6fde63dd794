//! Lives in which objects, claims, Secrets or the Bench are lost, moved or found again, and sites that were somebody else's.

use tenant_operator::api::{Adoption, DeletionPolicy};

use crate::chance::Chance;
use crate::faults::Party;
use crate::given::{GATEWAY, INGRESS, Kind};
use crate::life::{Act, Edit, edit};
use crate::restore::Claims;

use Act::{
    Apply, Bench, Delete, Gone, List, Lose, LoseClaims, LoseCustody, Outage, Ready, Recover, Restore, Says, Sleep, Stranger,
};
use Adoption::{Never, Report, TakeOver};
use DeletionPolicy::{Archive, Delete as Erase, Retain};

/// A tenant, one of the same subdomain in another namespace, and one in the same.
const OWN: usize = 0;
const ABROAD: usize = 2;
const TWIN: usize = 3;

fn apply(who: usize, policy: DeletionPolicy) -> Act {
    Apply { who, plan: "dinghy", policy }
}

fn adopt(who: usize, adoption: Adoption) -> Act {
    edit(who, Edit::Adoption(adoption))
}

fn says(who: usize, reason: &'static str) -> Act {
    Says { who, reason }
}

fn grown(first: Vec<Act>, then: Vec<Act>) -> Vec<Act> {
    [vec![apply(OWN, Archive), Ready(OWN)], first, then].concat()
}

fn over() -> Vec<Act> {
    vec![Ready(OWN), Delete(OWN), Gone(OWN)]
}

type Told = (&'static str, Kind, Vec<Act>);

pub fn told() -> Vec<Told> {
    [lost(), restored(), kept(), strangers(), abandoned()].concat()
}

/// What may befall one that lives, besides all else.
pub fn befalls(chance: &mut Chance, who: usize) -> Vec<Act> {
    match chance.below(5) {
        0 => vec![LoseClaims { who, hosts_only: true }],
        // Without a site, nobody can tell one that vanished from one that was never made.
        1 => vec![Ready(who), LoseClaims { who, hosts_only: false }, Ready(who)],
        2 => vec![Restore(Claims::All)],
        3 => vec![Restore(Claims::Sites)],
        _ => vec![Bench(false), Sleep(chance.between(1, 90)), Bench(true)],
    }
}

fn lost() -> Vec<Told> {
    vec![
        ("the claims of its hosts are lost", INGRESS, grown(vec![LoseClaims { who: OWN, hosts_only: true }, Sleep(700)], over())),
        (
            "the claims of its hosts are lost, and another takes them",
            INGRESS,
            grown(
                vec![Lose(OWN), LoseClaims { who: OWN, hosts_only: true }, apply(ABROAD, Archive), says(ABROAD, "Conflict")],
                vec![Delete(ABROAD), Gone(ABROAD), apply(OWN, Archive), Ready(OWN), Delete(OWN), Gone(OWN)],
            ),
        ),
        (
            "all claims are lost, and its secrets say who it is",
            INGRESS,
            grown(
                vec![Lose(OWN), LoseClaims { who: OWN, hosts_only: false }, apply(OWN, Archive), says(OWN, "AdoptionNeeded")],
                [vec![Recover], over()].concat(),
            ),
        ),
        (
            "its claims and its secrets are lost",
            INGRESS,
            grown(
                vec![Lose(OWN), LoseClaims { who: OWN, hosts_only: false }, LoseCustody(OWN)],
                vec![apply(OWN, Archive), says(OWN, "ForeignSite"), Delete(OWN), Sleep(200)],
            ),
        ),
        (
            "lost while it is archived, and applied again to be erased",
            INGRESS,
            grown(vec![Delete(OWN), Sleep(80), Lose(OWN), Sleep(1), apply(OWN, Erase)], over()),
        ),
        (
            "lost while it is kept, and applied again",
            GATEWAY,
            vec![apply(OWN, Retain), Ready(OWN), Delete(OWN), Sleep(2), Lose(OWN), apply(OWN, Archive), Sleep(300)],
        ),
        (
            "its secrets are deleted before anything is known of its site",
            INGRESS,
            vec![apply(OWN, Erase), Sleep(4), LoseCustody(OWN), Delete(OWN), Gone(OWN)],
        ),
        ("its secrets are deleted before it is archived", INGRESS, grown(vec![LoseCustody(OWN), Delete(OWN), Gone(OWN)], vec![])),
    ]
}

fn restored() -> Vec<Told> {
    let restore = |claims| grown(vec![Restore(claims), Sleep(30)], over());
    vec![
        ("restored with all of its claims", INGRESS, restore(Claims::All)),
        ("restored without the claims of hosts", GATEWAY, restore(Claims::Sites)),
        (
            "restored without the claim of the site",
            INGRESS,
            grown(vec![Restore(Claims::Hosts), says(OWN, "AdoptionNeeded"), Recover], over()),
        ),
        ("restored without claims", INGRESS, grown(vec![Restore(Claims::None), says(OWN, "AdoptionNeeded"), Recover], over())),
        (
            "restored in the middle, where its secrets may be found",
            INGRESS,
            vec![Recover, apply(OWN, Archive), Sleep(9), Restore(Claims::All), Ready(OWN), Delete(OWN), Gone(OWN)],
        ),
    ]
}

fn kept() -> Vec<Told> {
    let kept = |then: Vec<Act>| [vec![apply(OWN, Retain), Ready(OWN), Delete(OWN), Gone(OWN)], then].concat();
    vec![
        (
            "kept, and taken over by one of its name",
            INGRESS,
            kept(vec![
                apply(OWN, Archive),
                says(OWN, "AdoptionNeeded"),
                adopt(OWN, TakeOver),
                says(OWN, "AdoptionNeeded"),
                List(OWN),
                Ready(OWN),
                Delete(OWN),
                Gone(OWN),
            ]),
        ),
        (
            "kept, and moved to another namespace",
            GATEWAY,
            kept(vec![
                List(OWN),
                apply(ABROAD, Archive),
                says(ABROAD, "AdoptionNeeded"),
                adopt(ABROAD, TakeOver),
                Ready(ABROAD),
                apply(OWN, Archive),
                says(OWN, "Conflict"),
                Delete(OWN),
                Gone(OWN),
                Delete(ABROAD),
                Gone(ABROAD),
            ]),
        ),
        (
            "moved to another namespace without its end",
            INGRESS,
            vec![
                List(OWN),
                apply(OWN, Archive),
                Ready(OWN),
                apply(ABROAD, Archive),
                adopt(ABROAD, TakeOver),
                says(ABROAD, "Conflict"),
                Lose(OWN),
                Ready(ABROAD),
                Delete(ABROAD),
                Gone(ABROAD),
            ],
        ),
        (
            "two want to take over what was kept",
            INGRESS,
            kept(vec![
                List(OWN),
                apply(ABROAD, Archive),
                apply(TWIN, Archive),
                adopt(ABROAD, TakeOver),
                adopt(TWIN, TakeOver),
                Sleep(300),
                Delete(ABROAD),
                Gone(ABROAD),
                Delete(TWIN),
                Gone(TWIN),
            ]),
        ),
        (
            "kept, and reported before it is taken over",
            INGRESS,
            kept(vec![
                List(OWN),
                apply(OWN, Archive),
                adopt(OWN, Report),
                says(OWN, "AdoptionReport"),
                adopt(OWN, TakeOver),
                Ready(OWN),
                Delete(OWN),
                Gone(OWN),
            ]),
        ),
    ]
}

fn strangers() -> Vec<Told> {
    vec![
        (
            "a listed site of somebody else is reported, taken over and archived",
            INGRESS,
            vec![
                Stranger(OWN),
                apply(OWN, Archive),
                says(OWN, "ForeignSite"),
                Delete(OWN),
                Gone(OWN),
                apply(OWN, Archive),
                adopt(OWN, Report),
                says(OWN, "AdoptionNeeded"),
                List(OWN),
                says(OWN, "AdoptionReport"),
                Sleep(4000),
                says(OWN, "AdoptionReport"),
                adopt(OWN, TakeOver),
                Ready(OWN),
                adopt(OWN, Never),
                Ready(OWN),
                Delete(OWN),
                Gone(OWN),
            ],
        ),
        (
            "a site of somebody else that the Bench does not list is left alone",
            GATEWAY,
            vec![
                Stranger(OWN),
                apply(OWN, Archive),
                adopt(OWN, TakeOver),
                says(OWN, "AdoptionNeeded"),
                Sleep(700),
                says(OWN, "AdoptionNeeded"),
                Delete(OWN),
                Gone(OWN),
            ],
        ),
        (
            "a report is all that is made of it",
            GATEWAY,
            vec![
                Stranger(OWN),
                List(OWN),
                apply(OWN, Erase),
                adopt(OWN, Report),
                says(OWN, "AdoptionReport"),
                Delete(OWN),
                Gone(OWN),
            ],
        ),
        (
            "a listed site is taken over, and restored without claims",
            INGRESS,
            vec![
                Stranger(OWN),
                List(OWN),
                apply(OWN, Retain),
                adopt(OWN, TakeOver),
                Ready(OWN),
                Recover,
                Restore(Claims::None),
                Ready(OWN),
                Delete(OWN),
                Gone(OWN),
            ],
        ),
        (
            "deleted while it is taken over, to be erased",
            INGRESS,
            vec![
                Stranger(OWN),
                List(OWN),
                Apply { who: OWN, plan: "dinghy", policy: Retain },
                adopt(OWN, TakeOver),
                Sleep(5),
                Delete(OWN),
                Gone(OWN),
            ],
        ),
        (
            "nothing is there to be taken over",
            INGRESS,
            vec![List(OWN), apply(OWN, Erase), adopt(OWN, TakeOver), says(OWN, "NoSuchSite"), Delete(OWN), Gone(OWN)],
        ),
    ]
}

fn abandoned() -> Vec<Told> {
    let after = |text| edit(OWN, Edit::AbandonAfter(text));
    let again = || vec![apply(OWN, Archive), says(OWN, "AdoptionNeeded"), Delete(OWN), Gone(OWN)];
    vec![
        (
            "the Bench is gone for good",
            INGRESS,
            [
                grown(vec![Bench(false), Delete(OWN), says(OWN, "BenchGone"), after("soon"), says(OWN, "BenchGone")], vec![]),
                vec![after("20m"), Gone(OWN), Bench(true)],
                again(),
            ]
            .concat(),
        ),
        (
            "the Bench is gone for a while",
            INGRESS,
            grown(vec![after("10h"), Bench(false), Delete(OWN), Sleep(2000), Bench(true), Gone(OWN)], vec![]),
        ),
        (
            "the database is away for longer than anybody waits",
            INGRESS,
            [grown(vec![after("30m"), Outage(Party::Database, 6000), Delete(OWN), Gone(OWN), Sleep(6000)], vec![]), again()]
                .concat(),
        ),
        (
            "the Master is away for longer than anybody waits",
            INGRESS,
            grown(vec![after("5m"), Outage(Party::Master, 3000), Delete(OWN), Gone(OWN), Sleep(3000)], again()),
        ),
        (
            "nothing is given up that can be reached",
            INGRESS,
            grown(vec![after("0s"), Delete(OWN), Gone(OWN), apply(OWN, Archive)], over()),
        ),
    ]
}

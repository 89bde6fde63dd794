//! Lives in which objects, claims, Secrets or the Bench are lost, moved or found again, and sites that were somebody else's.

use tenant_operator::api::{Adoption, DeletionPolicy};

use crate::acts::{Act, Edit, edit};
use crate::chance::Chance;
use crate::faults::Party;
use crate::given::{GATEWAY, INGRESS, Kind};
use crate::restore::Claims;
use crate::takeovers;

use Act::{Apply, Bench, Delete, Gone, Lose, LoseClaims, LoseCustody, Outage, Ready, Recover, Restore, Says, Sleep};
use DeletionPolicy::{Archive, Delete as Erase, Retain};

/// A tenant, one of the same subdomain in another namespace, and one in the same.
pub const OWN: usize = 0;
pub const ABROAD: usize = 2;
pub const TWIN: usize = 3;

pub fn apply(who: usize, policy: DeletionPolicy) -> Act {
    Apply { who, plan: "dinghy", policy }
}

pub fn adopt(who: usize, adoption: Adoption) -> Act {
    edit(who, Edit::Adoption(adoption))
}

pub fn says(who: usize, reason: &'static str) -> Act {
    Says { who, reason }
}

fn grown(first: Vec<Act>, then: Vec<Act>) -> Vec<Act> {
    [vec![apply(OWN, Archive), Ready(OWN)], first, then].concat()
}

fn over() -> Vec<Act> {
    vec![Ready(OWN), Delete(OWN), Gone(OWN)]
}

pub type Told = (&'static str, Kind, Vec<Act>);

pub fn told() -> Vec<Told> {
    [lost(), restored(), takeovers::kept(), takeovers::strangers(), abandoned()].concat()
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

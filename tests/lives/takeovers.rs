//! Lives in which a site goes over to a Tenant: one that an earlier Tenant left, or that was somebody else's.

use tenant_operator::api::{Adoption, DeletionPolicy};

use crate::acts::Act;
use crate::given::{GATEWAY, INGRESS};
use crate::identities::{ABROAD, OWN, TWIN, Told, adopt, apply, says};
use crate::restore::Claims;

use Act::{Apply, Delete, Gone, List, Lose, Ready, Recover, Restore, Sleep, Stranger};
use Adoption::{Never, Report, TakeOver};
use DeletionPolicy::{Archive, Delete as Erase, Retain};

pub fn kept() -> Vec<Told> {
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

pub fn strangers() -> Vec<Told> {
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

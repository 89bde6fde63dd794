//! Lives that others disturb: tenants that want the same, strangers who have it already, and people who work inside the bench.

use tenant_operator::api::DeletionPolicy;

use crate::acts::{Act, Edit};
use crate::faults::Party;
use crate::given::{GATEWAY, INGRESS};
use crate::harm::Harm as Of;
use crate::scenarios::{BARE, CLEAN, Told, apply, edit, small};

use Act::{Delete, Gone, Harm, Lose, Mended, Outage, Passport, Ready, Rests, Row, RowDeleted, RowEdited, Says, Sleep, Stranger};
use DeletionPolicy::{Archive, Delete as Erase, Retain};

/// Somebody works inside the bench, or in the Master.
pub fn harmed() -> Vec<Told> {
    let harmed = |harm| vec![small(0, Erase), Ready(0), Harm(0, harm), Mended(0), Ready(0), Delete(0), Gone(0)];
    // Long enough for its failed Job to be gone and the step to be tried again: it says the same, and makes nothing.
    let vanished = |harm| {
        let says = || Says { who: 0, reason: "SiteVanished" };
        let mut acts = vec![small(0, Archive), Ready(0), Harm(0, harm), says(), Sleep(4000), says()];
        acts.extend([edit(0, Edit::Policy(Erase)), Delete(0), Gone(0)]);
        acts
    };
    vec![
        ("unlocked by hand", INGRESS, harmed(Of::Unlock)),
        ("its scheduler turned off", GATEWAY, harmed(Of::SchedulerOff)),
        ("the API user's roles taken away", INGRESS, harmed(Of::RolesTaken)),
        ("its config changed by hand", GATEWAY, harmed(Of::ConfigChanged)),
        ("its key changed by hand", INGRESS, harmed(Of::KeyChanged)),
        ("its encryption key changed by hand", INGRESS, harmed(Of::EncryptionChanged)),
        ("its folder is gone", INGRESS, vanished(Of::FolderGone)),
        ("its folder is gone, and nobody probes", BARE, vanished(Of::FolderGone)),
        ("its database is gone", GATEWAY, vanished(Of::DatabaseGone)),
        ("its folder and its database are gone", INGRESS, vanished(Of::AllGone)),
        (
            "its row changed and deleted",
            INGRESS,
            vec![small(0, Erase), Ready(0), RowEdited(0), Ready(0), RowDeleted(0), Ready(0), Delete(0), Gone(0)],
        ),
        (
            "at rest for long, with a database that is away at times",
            INGRESS,
            vec![
                small(0, Archive),
                Ready(0),
                Rests(9000),
                Outage(Party::Database, 1500),
                Sleep(3000),
                Ready(0),
                Delete(0),
                Gone(0),
            ],
        ),
    ]
}

pub fn lives() -> Vec<Told> {
    vec![
        (
            "two want one host",
            INGRESS,
            vec![
                small(0, Erase),
                Ready(0),
                small(2, Erase),
                Says { who: 2, reason: "Conflict" },
                Delete(0),
                Gone(0),
                Ready(2),
                Delete(2),
                Gone(2),
            ],
        ),
        (
            "two want one host at the same moment",
            INGRESS,
            vec![small(0, Erase), small(2, Archive), Sleep(90), Delete(0), Gone(0), Ready(2), Delete(2), Gone(2)],
        ),
        (
            "two of one namespace want one host",
            GATEWAY,
            vec![
                small(0, Archive),
                Ready(0),
                small(3, Archive),
                Says { who: 3, reason: "Conflict" },
                Delete(3),
                Gone(3),
                Delete(0),
                Gone(0),
            ],
        ),
        (
            "two at once through a narrow gate",
            GATEWAY,
            vec![apply(0, Archive), small(1, Retain), Ready(1), Ready(0), Delete(0), Delete(1), Gone(0), Gone(1)],
        ),
        (
            "one is lost while it is in the other's way at the gate",
            GATEWAY,
            vec![small(0, Archive), Sleep(5), small(1, Archive), Sleep(4), Lose(0), Ready(1), Delete(1), Gone(1)],
        ),
        (
            "the Bench is away for a moment while one is at work and another waits at the gate",
            GATEWAY,
            vec![
                small(0, Archive),
                Sleep(4),
                small(1, Erase),
                Sleep(2),
                Act::Bench(false),
                Sleep(2),
                Act::Bench(true),
                Ready(0),
                Ready(1),
                Delete(0),
                Gone(0),
                Delete(1),
                Gone(1),
            ],
        ),
        (
            "somebody has the site",
            INGRESS,
            vec![Stranger(0), small(0, Archive), Says { who: 0, reason: "ForeignSite" }, Delete(0), Gone(0)],
        ),
        (
            "somebody has the Secret",
            INGRESS,
            vec![Passport(0), small(0, Erase), Says { who: 0, reason: "SecretNotOurs" }, Delete(0), Gone(0)],
        ),
        ("the row is nobody's", CLEAN, vec![Row { who: 0, holder: "" }, small(0, Erase), Ready(0), Delete(0), Gone(0)]),
        (
            "the row is another's",
            CLEAN,
            vec![
                Row { who: 0, holder: "someone" },
                small(0, Erase),
                Says { who: 0, reason: "RegistryConflict" },
                Delete(0),
                Gone(0),
            ],
        ),
    ]
}

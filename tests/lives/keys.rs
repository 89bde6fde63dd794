//! Lives in which the API key is rotated, by token and by age, and in which somebody changes it in the site.

use tenant_operator::api::{DeletionPolicy, VerifyMode};

use crate::acts::{Act, Edit};
use crate::faults::Party;
use crate::given::{GATEWAY, INGRESS, Kind};
use crate::outside::rotation::Spoil;

use Act::{Delete, Gone, Healed, Outage, Ready, Repaired, Rotated, Sleep, Unpublish};

const IN_SITE: Kind = Kind { verify: VerifyMode::InSite, ..INGRESS };

type Told = (&'static str, Kind, Vec<Act>);

fn edit(edit: Edit) -> Act {
    Act::Edit { who: 0, edit }
}

fn token(token: &'static str) -> Act {
    edit(Edit::Token(token))
}

/// A small tenant that is Ready, what happens to it, and its end.
fn told(policy: DeletionPolicy, acts: impl IntoIterator<Item = Act>) -> Vec<Act> {
    let begin = [Act::Apply { who: 0, plan: "dinghy", policy }, edit(Edit::Overlap("90s")), Ready(0)];
    begin.into_iter().chain(acts).chain([Delete(0), Gone(0)]).collect()
}

pub fn lives() -> Vec<Told> {
    use DeletionPolicy::{Archive, Delete as Erase, Retain};
    vec![
        ("rotated by token", INGRESS, told(Erase, [token("1"), Ready(0), Rotated(0, 1)])),
        (
            "rotated there and back",
            IN_SITE,
            told(Archive, [token("1"), Rotated(0, 1), token("2"), Rotated(0, 2), Sleep(700), Rotated(0, 2)]),
        ),
        (
            "asked for another key while two are in use",
            GATEWAY,
            told(Erase, [token("1"), Ready(0), token("2"), Ready(0), Rotated(0, 2)]),
        ),
        ("rotated by age", INGRESS, told(Erase, [edit(Edit::Every(Some("1h"))), Sleep(3700), Rotated(0, 1)])),
        ("kept in the middle of a rotation", INGRESS, told(Retain, [token("1"), Ready(0)])),
        ("deleted while the other key is set", IN_SITE, told(Archive, [token("1"), Sleep(4)])),
        (
            "rotated with the database and the web service away",
            INGRESS,
            told(Erase, [Outage(Party::Web, 200), token("1"), Ready(0), Outage(Party::Database, 300), Rotated(0, 1)]),
        ),
        (
            "the Secret is deleted during a rotation",
            INGRESS,
            told(Erase, [token("1"), Sleep(6), Unpublish(0), Rotated(0, 1), Unpublish(0), Ready(0)]),
        ),
        ("lost during a rotation", GATEWAY, {
            let again = Act::Apply { who: 0, plan: "dinghy", policy: Erase };
            told(Erase, [token("1"), Sleep(5), Act::Lose(0), Sleep(9), again, Rotated(0, 1)])
        }),
        ("the key is changed in the site", INGRESS, told(Erase, [Sleep(700), Act::Spoil(0, Spoil::Key), Healed(0), Ready(0)])),
        ("the API user is disabled in the site", INGRESS, told(Erase, [Act::Spoil(0, Spoil::User), Healed(0), Ready(0)])),
        (
            "the encryption key is changed",
            INGRESS,
            told(Erase, [Sleep(700), Act::Spoil(0, Spoil::Encryption), Healed(0), Repaired(0), Ready(0)]),
        ),
        (
            "the key is changed while two are in use",
            INGRESS,
            told(Erase, [edit(Edit::Overlap("20m")), token("1"), Ready(0), Act::Spoil(0, Spoil::Key), Healed(0), Rotated(0, 1)]),
        ),
    ]
}

//! Lives that nobody thought of: what people do, which Bench they have, and what goes wrong, all from one seed.

use tenant_operator::api::{DeletionPolicy, EdgeType, ProbeMode, RegistryOnDelete, SuspendMode, VerifyMode};

use crate::acts::{Act, Edit, Script};
use crate::chance::Chance;
use crate::faults::{Faults, Party};
use crate::given::{Kind, app, plain, secret};
use crate::harm::Harm;
use crate::identities;
use crate::outside::rotation::Spoil;

const PEOPLE: [(&str, &str, &str); 2] = [("north", "anchor", "mole"), ("south", "buoy", "pier")];

pub fn script(seed: u64) -> Script {
    let mut chance = Chance::new(seed ^ 0x5eed);
    let kind = Kind { templates: seed % 3 == 1, ..kind(&mut chance) };
    let faults = faults(&mut chance);
    if chance.below(6) == 0 {
        return crate::rollouts::random(seed, &mut chance, kind, faults);
    }
    let acts = acts(&mut chance);
    Script { seed, kind, people: PEOPLE.into(), faults, off: None, acts }
}

fn kind(chance: &mut Chance) -> Kind {
    Kind {
        edge: chance.pick(&[EdgeType::Ingress, EdgeType::Gateway]),
        verify: chance.pick(&[VerifyMode::HTTP, VerifyMode::InSite]),
        probe: chance.pick(&[ProbeMode::Edge, ProbeMode::Edge, ProbeMode::Off]),
        registry: chance.pick(&[Some(RegistryOnDelete::SetStatus), Some(RegistryOnDelete::Delete), None]),
        concurrency: chance.pick(&[1, 2, 3]),
        templates: false,
    }
}

/// Each life has a few kinds of trouble, of a weight of its own: all at once would hide what one alone does.
fn faults(chance: &mut Chance) -> Faults {
    let mut share = |most: u64| if chance.below(3) == 0 { chance.below(most) } else { 0 };
    let mut faults = Faults {
        crash: share(60),
        lose_reply: share(80),
        refuse: share(120),
        repeat: share(300),
        conflict: share(200),
        kill: share(80),
        ghost: share(30),
        hang: share(15),
        vanish: share(300),
        spoil: share(120),
        late: share(60),
        stale: share(150),
        ..Default::default()
    };
    faults.until = chance.between(0, 1800);
    faults.deaf = chance.below(6) == 0;
    for _ in 0..chance.below(4) {
        let from = chance.between(0, 600);
        faults.outages.push((chance.pick(&Party::ALL), from, from + chance.between(1, 400)));
    }
    faults
}

fn policy(chance: &mut Chance) -> DeletionPolicy {
    chance.pick(&[DeletionPolicy::Archive, DeletionPolicy::Delete, DeletionPolicy::Retain])
}

fn acts(chance: &mut Chance) -> Vec<Act> {
    let people = 1 + usize::from(chance.below(4) == 0);
    let mut acts = vec![Act::Secret(0), Act::Secret(1), Act::List(0), Act::List(1), Act::Recover];
    for _ in 0..1 + chance.below(2) {
        for who in 0..people {
            acts.push(Act::Apply { who, plan: chance.pick(&["dinghy", "ferry"]), policy: policy(chance) });
        }
        for who in 0..people {
            if chance.below(2) == 0 {
                acts.push(Act::TakeKept(who));
            }
            acts.extend(middle(chance, who));
        }
        for who in 0..people {
            if chance.below(4) == 0 {
                acts.push(Act::Edit { who, edit: Edit::Policy(policy(chance)) });
            }
            acts.push(Act::Delete(who));
            if chance.below(6) == 0 {
                acts.push(Act::Sleep(chance.between(1, 60)));
                acts.push(Act::Edit { who, edit: Edit::Policy(policy(chance)) });
            }
            if chance.below(8) == 0 {
                acts.push(Act::Edit { who, edit: Edit::AbandonAfter(chance.pick(&["0s", "90s", "never"])) });
            }
        }
        acts.extend((0..people).map(Act::Gone));
    }
    acts
}

/// What a tenant lives through until it is deleted, which may be at any moment.
fn middle(chance: &mut Chance, who: usize) -> Vec<Act> {
    let mut acts = vec![];
    for _ in 0..chance.below(5) {
        if chance.below(8) == 0 {
            acts.extend(identities::befalls(chance, who));
        }
        let act = match chance.below(14) {
            0 => Act::Edit { who, edit: Edit::Plan(chance.pick(&["dinghy", "ferry"])) },
            1 => Act::Edit { who, edit: Edit::Apps(vec![app(chance.pick(&["crm", "hrms", "payments"]))]) },
            2 => Act::Edit { who, edit: Edit::Config(config(chance, who)) },
            3 => Act::Outage(chance.pick(&Party::ALL), chance.between(1, 300)),
            4 => Act::Drift(chance.below(8)),
            5 => Act::Secret(who),
            6 => Act::Sleep(chance.between(1, 120)),
            7 => Act::Edit { who, edit: Edit::Token(chance.pick(&["1", "2", "3"])) },
            8 => Act::Edit { who, edit: Edit::Every(chance.pick(&[Some("1h"), None])) },
            9 => {
                acts.push(Act::Spoil(who, chance.pick(&[Spoil::Key, Spoil::User, Spoil::Encryption])));
                Act::Healed(who)
            }
            10 if chance.below(2) == 0 => Act::Sleep(4000),
            10 => Act::Unpublish(who),
            11 => Act::Edit { who, edit: Edit::Suspend(chance.pick(&[SuspendMode::Maintenance, SuspendMode::ReadOnly])) },
            12 => Act::Edit { who, edit: Edit::Resume },
            _ => Act::Ready(who),
        };
        acts.push(act);
    }
    if chance.below(4) == 0 {
        acts.extend([Act::Harm(who, chance.pick(&Harm::CURABLE)), Act::Mended(who)]);
    }
    acts
}

fn config(chance: &mut Chance, who: usize) -> Vec<tenant_operator::api::SiteConfigEntry> {
    let mut config = vec![];
    if chance.below(2) == 0 {
        config.push(plain("berths", chance.between(1, 9)));
    }
    if chance.below(3) == 0 {
        config.push(secret("mail_pilot", &format!("{}-chart", PEOPLE[who].1), "depth"));
    }
    config
}

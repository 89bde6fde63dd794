//! The gate of a Bench: how many Jobs may work on it at once, and who comes next.

mod objects;

use k8s_openapi::jiff::Timestamp;
use serde_json::json;
use tenant_operator::core::seen::GateSeen;
use tenant_operator::core::stages::Way;
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::world::gate::Gate;
use tokio::sync::mpsc::UnboundedReceiver;

/// A tenant of a Bench with two slots; the number says how old it is, 0 being the oldest.
fn ship(age: u32) -> Subject {
    let mut bench = objects::bench();
    bench["spec"]["jobs"]["concurrency"] = json!(2);
    let created: Timestamp = "2026-11-21T08:00:00Z".parse().expect("a time");
    let created = created + std::time::Duration::from_secs(u64::from(age));
    objects::subject(&format!("{age:016x}"), bench, created)
}

/// As a pass does it: looks, and starts a Job where it may.
fn comes(gate: &Gate, way: Way, who: &Subject) -> bool {
    gate.look(way, who) == GateSeen::Open && gate.enter(way, who)
}

fn woken(receiver: &mut UnboundedReceiver<ObjectName>) -> Vec<String> {
    let mut names = vec![];
    while let Ok(name) = receiver.try_recv() {
        names.push(name.name);
    }
    names
}

fn names(ships: &[&Subject]) -> Vec<String> {
    ships.iter().map(|ship| ship.tenant.name.clone()).collect()
}

#[test]
fn as_many_go_in_as_there_are_slots() {
    let (gate, _woken) = Gate::new();
    let ships: Vec<Subject> = (0..4).map(ship).collect();
    let in_now: Vec<bool> = ships.iter().map(|ship| comes(&gate, Way::Up, ship)).collect();
    assert_eq!(in_now, [true, true, false, false]);
    assert_eq!(gate.look(Way::Up, &ships[3]), GateSeen::Full { in_use: 2, limit: 2, waiting: 2 });
    assert!(!gate.enter(Way::Up, &ships[3]), "nobody goes past the gate");
    assert!(comes(&gate, Way::Up, &ships[0]), "who is in stays in");
}

#[test]
fn the_oldest_goes_first_whoever_asked_first() {
    let (gate, mut receiver) = Gate::new();
    let ships: Vec<Subject> = (0..5).map(ship).collect();
    assert!(comes(&gate, Way::Up, &ships[3]) && comes(&gate, Way::Up, &ships[4]));
    for ship in [&ships[2], &ships[0], &ships[1]] {
        assert!(!comes(&gate, Way::Up, ship));
    }
    gate.give_back(&ships[3].id);
    assert_eq!(woken(&mut receiver), names(&[&ships[0]]));
    assert!(!comes(&gate, Way::Up, &ships[2]), "an older one waits for this slot");
    assert!(comes(&gate, Way::Up, &ships[0]));
}

#[test]
fn two_that_are_of_one_age_are_told_apart() {
    let (gate, _woken) = Gate::new();
    let mut ships: Vec<Subject> = (0..4).map(ship).collect();
    for ship in &mut ships {
        ship.created = Timestamp::UNIX_EPOCH;
    }
    assert_eq!(ships.iter().filter(|ship| comes(&gate, Way::Up, ship)).count(), 2);
    assert_eq!(gate.look(Way::Up, &ships[3]), GateSeen::Full { in_use: 2, limit: 2, waiting: 2 });
}

#[test]
fn removals_have_a_lane_of_their_own() {
    let (gate, _woken) = Gate::new();
    let ships: Vec<Subject> = (0..3).map(ship).collect();
    assert!(comes(&gate, Way::Up, &ships[0]) && comes(&gate, Way::Up, &ships[1]));
    assert!(comes(&gate, Way::Down, &ships[2]));
}

#[test]
fn another_bench_has_slots_of_its_own() {
    let (gate, _woken) = Gate::new();
    let mut ships: Vec<Subject> = (0..3).map(ship).collect();
    ships[2].bench.name = "slip".to_owned();
    assert!(ships.iter().all(|ship| comes(&gate, Way::Up, ship)));
}

#[test]
fn whoever_leaves_wakes_as_many_as_there_is_room_for() {
    let (gate, mut receiver) = Gate::new();
    let ships: Vec<Subject> = (0..5).map(ship).collect();
    for ship in &ships {
        comes(&gate, Way::Up, ship);
    }
    gate.leave(&ships[0].id);
    gate.leave(&ships[1].id);
    let all = woken(&mut receiver);
    assert_eq!(all.iter().filter(|name| names(&[&ships[2], &ships[3]]).contains(name)).count(), all.len());
    assert!(all.contains(&ships[3].tenant.name), "{all:?}");
    assert!(comes(&gate, Way::Up, &ships[2]) && comes(&gate, Way::Up, &ships[3]) && !comes(&gate, Way::Up, &ships[4]));
}

#[test]
fn whoever_may_go_in_and_does_not_keeps_nobody_out() {
    let (gate, _woken) = Gate::new();
    let ships: Vec<Subject> = (0..3).map(ship).collect();
    assert_eq!(gate.look(Way::Up, &ships[0]), GateSeen::Open);
    assert!(comes(&gate, Way::Up, &ships[1]) && comes(&gate, Way::Up, &ships[2]));
}

#[test]
fn one_that_was_deleted_while_it_waited_keeps_nobody_out() {
    let (gate, _woken) = Gate::new();
    let ships: Vec<Subject> = (0..5).map(ship).collect();
    assert!(comes(&gate, Way::Up, &ships[3]) && comes(&gate, Way::Up, &ships[4]));
    assert!(!comes(&gate, Way::Up, &ships[0]) && !comes(&gate, Way::Up, &ships[1]) && !comes(&gate, Way::Up, &ships[2]));
    assert!(comes(&gate, Way::Down, &ships[0]) && comes(&gate, Way::Down, &ships[1]), "they go down instead");
    gate.give_back(&ships[3].id);
    assert!(comes(&gate, Way::Up, &ships[2]));
}

#[test]
fn one_that_cannot_go_on_waits_for_nothing_and_keeps_the_slot_of_its_running_job() {
    let (gate, mut receiver) = Gate::new();
    let ships: Vec<Subject> = (0..4).map(ship).collect();
    assert!(comes(&gate, Way::Up, &ships[2]) && comes(&gate, Way::Up, &ships[3]));
    assert!(!comes(&gate, Way::Up, &ships[0]) && !comes(&gate, Way::Up, &ships[1]));
    assert_eq!(gate.stop_waiting(&ships[0].tenant), []);
    let held = gate.stop_waiting(&ships[3].tenant);
    assert_eq!(held.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), [ships[3].id.as_str()]);
    assert_eq!(gate.look(Way::Up, &ships[1]), GateSeen::Full { in_use: 2, limit: 2, waiting: 1 });
    assert_eq!(woken(&mut receiver), names(&[]));
    gate.leave(&ships[3].id);
    assert_eq!(woken(&mut receiver), names(&[&ships[1]]));
}

#[test]
fn a_restart_counts_the_jobs_that_are_still_running() {
    let (gate, mut receiver) = Gate::new();
    let ships: Vec<Subject> = (0..3).map(ship).collect();
    for ship in &ships[..2] {
        gate.resume(ship.bench_ref(), Way::Up, ship.id.clone(), ship.tenant.clone());
    }
    assert!(!comes(&gate, Way::Up, &ships[2]));
    assert!(comes(&gate, Way::Up, &ships[0]), "its own Job is no reason to wait");
    gate.give_back(&ships[1].id);
    assert_eq!(woken(&mut receiver), names(&[&ships[2]]));
    assert!(comes(&gate, Way::Up, &ships[2]));
}

#[test]
fn a_lowered_limit_lets_nobody_in_until_enough_have_left() {
    let (gate, _woken) = Gate::new();
    let ships: Vec<Subject> = (0..3).map(ship).collect();
    assert!(comes(&gate, Way::Up, &ships[0]) && comes(&gate, Way::Up, &ships[1]));
    let mut last = ships[2].clone();
    let mut spec = (*last.bench.spec).clone();
    spec.jobs.concurrency = Some(1);
    last.bench.spec = spec.into();
    assert!(!comes(&gate, Way::Up, &last));
    gate.leave(&ships[0].id);
    assert!(!comes(&gate, Way::Up, &last));
    gate.leave(&ships[1].id);
    assert!(comes(&gate, Way::Up, &last));
}

#[test]
fn many_at_once_never_exceed_the_limit() {
    let (gate, _woken) = Gate::new();
    let ships: Vec<Subject> = (0..16).map(ship).collect();
    let in_now = std::thread::scope(|scope| {
        let tries: Vec<_> = ships.iter().map(|ship| scope.spawn(|| comes(&gate, Way::Up, ship))).collect();
        tries.into_iter().map(|tried| tried.join().expect("no panic")).filter(|entered| *entered).count()
    });
    assert!(in_now <= 2, "{in_now} went in");
    assert_eq!(gate.load(&ships[0].bench_ref()).0, in_now);
}

/// A tenant of one of many Benches.
fn ship_at(bench: u32, number: u32) -> Subject {
    let mut at = objects::bench();
    at["metadata"]["name"] = json!(format!("dock-{bench}"));
    at["spec"]["jobs"]["concurrency"] = json!(3);
    let created: Timestamp = "2026-11-21T08:00:00Z".parse().expect("a time");
    objects::subject(&format!("{:016x}", bench * 1000 + number), at, created + std::time::Duration::from_secs(u64::from(number)))
}

#[test]
fn of_a_hundred_benches_one_that_never_answers_holds_up_no_other_and_no_removal() {
    const BENCHES: u32 = 100;
    const EACH: u32 = 100;
    let (gate, mut receiver) = Gate::new();
    let ships: Vec<Subject> = (0..BENCHES).flat_map(|bench| (0..EACH).map(move |number| ship_at(bench, number))).collect();
    let by_name: std::collections::HashMap<&str, &Subject> = ships.iter().map(|ship| (ship.tenant.name.as_str(), ship)).collect();
    let slow = ships[0].bench_ref();
    let mut working: Vec<&Subject> = ships.iter().filter(|ship| comes(&gate, Way::Up, ship)).collect();
    assert_eq!(working.len(), 300, "three on each");
    let mut done = 0;
    while let Some(ship) = working.pop() {
        if ship.bench_ref() == slow {
            continue;
        }
        assert!(gate.load(&ship.bench_ref()).0 <= 3);
        gate.leave(&ship.id);
        done += 1;
        let next: Vec<&Subject> = woken(&mut receiver).iter().map(|name| by_name[name.as_str()]).collect();
        working.extend(next.into_iter().filter(|next| comes(&gate, Way::Up, next)));
    }
    assert_eq!(done, (BENCHES - 1) * EACH);
    assert_eq!(gate.load(&slow), (3, 97));
    assert!(comes(&gate, Way::Down, &ships[50]), "a removal has a lane of its own");
}

#[test]
fn what_can_wait_takes_only_a_slot_that_no_tenant_needs() {
    let (gate, mut receiver) = Gate::new();
    let ships: Vec<Subject> = (0..4).map(ship).collect();
    let bench = ships[0].bench_ref();
    assert!(gate.enter_spare(&bench, 2, "spare"));
    assert!(gate.enter_spare(&bench, 2, "spare"), "it stays in");
    assert!(comes(&gate, Way::Up, &ships[0]));
    assert!(!comes(&gate, Way::Up, &ships[1]), "it counts");
    gate.only(&ships.iter().map(|ship| ship.tenant.clone()).collect());
    assert!(!comes(&gate, Way::Up, &ships[1]), "it stays although it is no Tenant's");
    gate.give_back("spare");
    assert_eq!(woken(&mut receiver), names(&[&ships[1]]));
    assert!(!gate.enter_spare(&bench, 2, "spare"), "somebody waits");
    assert!(comes(&gate, Way::Up, &ships[1]));
    assert!(!gate.enter_spare(&bench, 2, "spare"), "no slot is free");
    gate.leave(&ships[0].id);
    assert!(gate.enter_spare(&bench, 2, "spare"));
    assert!(comes(&gate, Way::Down, &ships[2]), "a removal has a lane of its own");
}

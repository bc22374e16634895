//! All faults that leave a protocol correct, at random and together: nothing is broken, and afterwards all is as before.

use super::common::{Dice, Replay, seeds};
use super::pause::is_linearizable;
use super::{THREE, scenario, world};
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::lab::{Fault, Scenario, Value};
use quorumscope::sim::action::{ALL, Blow, DiskFault, Grip, Nuisance, Which};
use quorumscope::sim::{Action, DomainId};
use quorumscope::universe;

/// Eight seconds of faults, then five without.
fn stormy(variant: &str, lease: bool, seed: u64) -> Scenario {
    let replicas = r#"replicas = ["a/r1", "a/r2", "b", "b", "c"]"#;
    let text = THREE.replace(r#"replicas = ["a", "b", "c"]"#, replicas).replace("raft", variant);
    let mut storm = Scenario { seed: Some(seed), ..scenario(&text) };
    storm.network.jitter = Some("20%".into());
    if lease {
        storm.settings.insert("reads".into(), Value::Text("lease".into()));
    }
    let mut dice = Dice::new(seed);
    if dice.roll(2) == 0 {
        storm.disk = Some("3ms".into());
    }
    if dice.roll(3) == 0 {
        storm.cost.receive = Some("30us".into());
        storm.cost.send = Some("30us".into());
    }
    let kinds = universe::variant(variant).expect("there is such a variant").kinds.len() as u64;
    let checked = storm.check().expect("a good scenario");
    let sites = checked.sites();
    let mut then = |at, action| storm.script.push(Fault::new(at, action, checked.names(&sites)));
    let mut at = 200_000;
    while at < 8_000_000 {
        let node = NodeId(dice.roll(5) as u8);
        let (from, to) = dice.two(5);
        let domain = DomainId(dice.roll(6) as u16);
        let kind = quorumscope::core::KindId(dice.roll(kinds) as u8);
        let some: NodeSet = (0..5).map(NodeId).filter(|_| dice.roll(2) == 0).collect();
        let rest = NodeSet::first(5).minus(some);
        let one_way = dice.roll(2) == 0;
        let disturb = |how| Action::Disturb { from: NodeSet::just(from), to: NodeSet::just(to), both: !one_way, how };
        let action = match dice.roll(22) {
            0 => Action::Crash(node),
            1 | 2 => Action::Restart(node),
            3 => Action::Pause { node, clock_stops: false },
            4 | 5 => Action::Continue(node),
            6 => Action::Domain {
                domain,
                blow: dice.pick(&[
                    Blow::Crash,
                    Blow::Restart,
                    Blow::Pause,
                    Blow::Continue,
                    Blow::CutOff,
                    Blow::Reconnect,
                ]),
            },
            7 if !some.is_empty() && !rest.is_empty() => Action::Split { from: some, to: rest, both: !one_way },
            8 => Action::HealAll,
            9 => disturb(Nuisance::Slow { extra: dice.roll(80_000) as u32, jitter: dice.roll(20_000) as u32 }),
            10 => disturb(Nuisance::Lose(dice.roll(500) as u16)),
            11 => Action::Disturb { from: ALL, to: ALL, both: true, how: Nuisance::Duplicate(dice.roll(300) as u16) },
            12 => disturb(Nuisance::Reorder { permille: dice.roll(500) as u16, by: 60_000 }),
            13 => Action::Uplink { node, bytes_per_s: 20_000 + dice.roll(200_000) as u32 },
            14 => Action::Calm,
            15 => Action::Catch {
                which: Which { from, to, kind },
                nth: 1 + dice.roll(3) as u16,
                grip: dice.pick(&[Grip::Hold, Grip::Deliver, Grip::Drop, Grip::Duplicate]),
            },
            16 => Action::Release(None),
            17 => Action::Disk { node, fault: dice.pick(&[DiskFault::Slow(20_000), DiskFault::Fill, DiskFault::Mend]) },
            18 => Action::Disk { node, fault: DiskFault::Mend },
            19 => Action::Drift { node, ppm: dice.roll(80_000) as i32 - 40_000 },
            // A clock that jumps back makes a lease last longer than anybody allows for.
            20 if !lease => Action::Jump { node, by: dice.roll(2_000_000) as i32 - 1_000_000 },
            _ => Action::HandOver(node),
        };
        then(at, action);
        at += 20_000 + dice.roll(200_000);
    }
    then(8_000_000, Action::Stabilise);
    for node in (0..5).map(NodeId) {
        then(8_000_000, Action::Disk { node, fault: DiskFault::Mend });
        then(8_000_001, Action::Restart(node));
    }
    storm
}

fn weather(variant: &str, lease: bool) {
    for seed in seeds(0..15) {
        let storm = stormy(variant, lease, seed);
        let _replay = Replay(&storm);
        let mut world = world(&storm);
        world.run_until(10_000_000);
        let chosen = world.chosen();
        world.run_until(13_000_000);
        assert_eq!(world.violations(), [], "seed {seed}");
        assert!(world.chosen() > chosen + 5, "seed {seed}: {chosen} and {}", world.chosen());
        assert!(is_linearizable(&*world), "seed {seed}");
        let committed = |id: u8| world.node(NodeId(id)).glance.expect("it runs").log.committed;
        let most = (0..5).map(committed).max().unwrap_or(0);
        assert!((0..5).all(|id| committed(id) + 50 > most), "seed {seed}: all have caught up");
    }
}

#[test]
fn raft_weathers_it() {
    weather("raft", false);
}

#[test]
fn raft_weathers_it_and_its_leases_are_safe() {
    weather("raft", true);
}

#[test]
fn multi_paxos_weathers_it() {
    weather("multi-paxos", false);
}

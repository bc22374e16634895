//! Multi-Paxos from outside: what it costs, how long it takes, and that nothing breaks it.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::*;
use quorumscope::core::*;
use quorumscope::protocols::multi_paxos::{self, MultiPaxos};
use quorumscope::sim::{Action, ClientGroup, Pace};
use quorumscope::universe::{Cluster, Universe};

type Paxos = Cluster<MultiPaxos>;

/// Commands until all is quiet, after a leader was found and has heard everybody: their cost, and their number.
fn cost_of_commands(n: u8, settings: &[(SettingId, u64)], sessions: u16) -> (u64, u64) {
    let mut blueprint = with(blueprint::<MultiPaxos>(even_terrain(n, 10_000, 100), 1), settings);
    blueprint.clients =
        (0..n).map(|site| ClientGroup { start: 200_000, limit: 50, ..closed(site, sessions) }).collect();
    let mut cluster = Paxos::new(&blueprint).expect("settings fit");
    cluster.run_until(199_999);
    assert!(cluster.leader().is_some());
    cluster.world_mut().clear_counts();
    while cluster.counts().answered < 50 * u64::from(n) || !cluster.is_quiet() {
        assert!(cluster.step_until(20_000_000), "clients still wait");
    }
    assert_safe(&cluster, "failure-free");
    (cost(&cluster), cluster.counts().answered)
}

#[test]
fn messages_per_command_are_the_formulas() {
    let modes: [&[(SettingId, u64)]; 4] = [
        &[],
        &[(multi_paxos::COMMIT, 1)],
        &[(multi_paxos::SEND_THRIFTY, 1)],
        &[(multi_paxos::COMMIT, 1), (multi_paxos::SEND_THRIFTY, 1)],
    ];
    for n in [1, 3, 5, 7, 9] {
        let (n1, q1) = (u64::from(n) - 1, u64::from(majority(n)) - 1);
        for (mode, expected) in modes.iter().zip([2 * n1, 3 * n1, 2 * q1, 2 * q1 + n1]) {
            let mut settings = Settings::defaults(MultiPaxos::SETTINGS);
            mode.iter().for_each(|(id, value)| settings.set(*id, *value));
            let formula = MultiPaxos::CARD.formulas.iter().find_map(|f| (f.count)(u32::from(n), &settings));
            assert_eq!(formula.map(u64::from), Some(expected));
            for sessions in [1, 20] {
                let (messages, commands) = cost_of_commands(n, mode, sessions);
                assert_eq!(messages, expected * commands, "n = {n}, {mode:?}, {sessions} sessions a site");
            }
        }
    }
}

/// One seeded run: everything is drawn from the seed, faults come for a while, then all is healed and must make progress.
fn swarm(seed: u64) -> RuleSet {
    let mut dice = Dice::new(seed);
    let n = [3, 4, 5, 5, 7][dice.roll(5) as usize];
    let mut terrain = even_terrain(n, 2_000 + 1_000 * dice.roll(40) as u32, 200);
    terrain.jitter_permille = [0, 0, 100, 1_000][dice.roll(4) as usize];
    terrain.loss_permille = [0, 0, 20, 100][dice.roll(4) as usize];
    terrain.disk = [0, 0, 500, 20_000][dice.roll(4) as usize];
    terrain.processing = [0, 0, 0, 50][dice.roll(4) as usize];
    let mut blueprint = with(
        blueprint::<MultiPaxos>(terrain, seed),
        &[
            (multi_paxos::COMMIT, dice.roll(2)),
            (multi_paxos::SEND_THRIFTY, dice.roll(2)),
            (multi_paxos::ALPHA, [1, 2, 8, 1024][dice.roll(4) as usize]),
            (multi_paxos::SNAPSHOT_EVERY, [0, 1, 7, 50][dice.roll(4) as usize]),
        ],
    );
    blueprint.clients = (0..n)
        .map(|site| ClientGroup {
            retry: 300_000,
            pace: Pace::Closed { sessions: 1 + dice.roll(3) as u16, think: 20_000 },
            ..closed(site, 0)
        })
        .collect();
    let replay = replay("multi-paxos", "swarm", seed);
    let mut cluster = Paxos::new(&blueprint).expect("settings fit");
    let mut time = 0;
    for _ in 0..25 {
        time += dice.roll(300_000);
        cluster.run_until(time);
        let mut node = || NodeId(dice.roll(u64::from(n)) as u8);
        let (a, b) = (node(), node());
        let action = match dice.roll(9) {
            0 | 1 => Action::Crash(a),
            2 | 3 => Action::Restart(a),
            4 => Action::Cut { from: a, to: b, both: false },
            5 => Action::Cut { from: a, to: b, both: true },
            6 => Action::HealAll,
            _ => Action::HandOver(a),
        };
        // Some make no sense at that moment and are refused.
        let _ = cluster.act(action);
        assert_safe(&cluster, &replay);
    }
    let _ = cluster.act(Action::HealAll);
    let _ = cluster.act(Action::Loss { permille: 0 });
    (0..n).for_each(|id| _ = cluster.act(Action::Restart(NodeId(id))));
    let before = cluster.counts().answered;
    cluster.run_until(time + 3_000_000);
    assert!(cluster.counts().answered > before + 20, "no progress once healed: {replay}");
    let _ = cluster.act(Action::Quiesce);
    cluster.run_until(time + 5_000_000);
    assert_safe(&cluster, &replay);
    assert_eq!(cluster.waiting(), 0, "clients still wait: {replay}");
    let logs: Vec<LogGlance> =
        (0..n).filter_map(|id| cluster.node(NodeId(id)).glance).map(|glance| glance.log).collect();
    assert!(logs.iter().all(|log| log.applied == logs[0].applied), "{logs:?} {replay}");
    let machines: Vec<_> = cluster.world().nodes().iter().flatten().map(node::Node::machine_digest).collect();
    assert!(machines.iter().all(|machine| *machine == machines[0]), "{replay}");
    cluster.rules_used()
}

#[test]
fn nothing_breaks_it_and_healed_it_goes_on() {
    let mut used = RuleSet::EMPTY;
    for seed in seeds(0..200) {
        used = used.or(swarm(seed));
    }
    assert_all_used(multi_paxos::RULES, used);
}

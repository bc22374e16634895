//! Multi-Paxos in the simulator: message counts, latency, catch-up, leadership transfer and refused settings.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::core::*;
use quorumscope::lab::{Clients, Scenario, Value};
use quorumscope::protocols::multi_paxos::{self, MultiPaxos};
use quorumscope::sim::{Action, ClientGroup};
use quorumscope::universe::{Cluster, Universe};

type Paxos = Cluster;

const PIGGYBACK: &[(SettingId, u64)] = &[];
const EXPLICIT: &[(SettingId, u64)] = &[(multi_paxos::COMMIT, 1)];
const THRIFTY: &[(SettingId, u64)] = &[(multi_paxos::SEND_THRIFTY, 1)];
const BOTH: &[(SettingId, u64)] = &[(multi_paxos::COMMIT, 1), (multi_paxos::SEND_THRIFTY, 1)];

/// Evenly placed servers, 10 ms apart, with `sessions` clients at each.
fn servers(n: u8, settings: &[(SettingId, u64)], sessions: u16) -> Paxos {
    let mut blueprint = with(blueprint::<MultiPaxos>(even_topology(n, 10_000, 100), 1), settings);
    blueprint.clients = (0..n).map(|site| ClientGroup { start: 200_000, ..closed(site, sessions) }).collect();
    Paxos::of::<MultiPaxos>(&blueprint).expect("settings fit")
}

fn log(cluster: &Paxos, id: u8) -> LogStatus {
    cluster.node(NodeId(id)).status.expect("it runs").log
}

fn leader(cluster: &Paxos) -> NodeId {
    cluster.leader().expect("somebody leads")
}

/// Some node that does not lead.
fn other(cluster: &Paxos) -> NodeId {
    NodeId((leader(cluster).0 + 1) % cluster.nodes())
}

/// Stops the clients, lets everything settle, and asserts that all servers executed the same log to the same state.
fn assert_same_state(cluster: &mut Paxos) {
    let _ = cluster.act(Action::Quiesce);
    cluster.run_until(cluster.time() + 3_000_000);
    assert_safe(cluster);
    assert_eq!(cluster.waiting(), 0, "clients still wait");
    let applied: Vec<Slot> = (0..cluster.nodes()).map(|id| log(cluster, id).applied).collect();
    assert!(applied.iter().all(|slot| *slot == applied[0]), "{applied:?}");
    let states: Vec<_> =
        cluster.world().nodes_of::<MultiPaxos>().iter().flatten().map(node::Node::machine_digest).collect();
    assert!(states.iter().all(|state| *state == states[0]));
}

#[test]
fn messages_per_command_equal_the_formulas() {
    for n in [1, 3, 5, 7, 9] {
        let (n1, q1) = (u64::from(n) - 1, u64::from(majority(n)) - 1);
        let expected = [(PIGGYBACK, 2 * n1), (EXPLICIT, 3 * n1), (THRIFTY, 2 * q1), (BOTH, 2 * q1 + n1)];
        for (mode, expected) in expected {
            let mut settings = Settings::defaults(MultiPaxos::SETTINGS);
            mode.iter().for_each(|(id, value)| settings.set(*id, *value));
            let formula = MultiPaxos::CARD.formulas.iter().find_map(|f| (f.count)(u32::from(n), &settings));
            assert_eq!(formula.map(u64::from), Some(expected));
            for sessions in [1, 20] {
                let mut cluster = servers(n, mode, sessions);
                cluster.run_until(199_999);
                cluster.world_mut().clear_counts();
                cluster.run_until(300_000);
                cluster.act(Action::Quiesce).expect("clients can be held back");
                cluster.run_until(400_000);
                let commands = cluster.counts().answered;
                assert_safe(&cluster);
                assert!(cluster.is_quiet() && commands >= u64::from(n) * u64::from(sessions) * 2);
                // The formulas leave out how servers outside of a thrifty quorum catch up.
                let formula = cost(&cluster) - count(&cluster, "CatchUp");
                assert_eq!(formula, expected * commands, "n = {n}, {mode:?}, {sessions} sessions a site");
            }
        }
    }
}

/// The nearest quorum answers first, so it is the one a thrifty leader comes to ask.
#[test]
fn thrifty_latency_equals_broadcast_latency() {
    let sites = ["JP", "CA", "OR", "VA", "IRL"];
    let client = |site: &&str| Clients { site: (*site).to_owned(), think: micros(50_000), ..Clients::default() };
    let mut scenario = Scenario {
        variant: "multi-paxos".into(),
        matrix: Some("pql".into()),
        sites: sites.map(quorumscope::lab::Site::named).to_vec(),
        replicas: sites.map(str::to_owned).to_vec(),
        clients: sites.iter().map(client).collect(),
        ..Scenario::default()
    };
    for leader in 0..5u8 {
        let latencies = |scenario: &Scenario| {
            let mut cluster: Paxos = cluster(scenario);
            cluster.run_until(10_000_000);
            let _ = cluster.act(Action::HandOver(NodeId(leader)));
            cluster.run_until(30_000_000);
            assert_eq!(cluster.leader(), Some(NodeId(leader)));
            let late = |site: &Log<quorumscope::sim::Sample>| {
                let late = site.iter().filter(|(_, sample)| sample.at > 15_000_000);
                late.map(|(_, sample)| sample.latency).collect::<std::collections::BTreeSet<_>>()
            };
            cluster.samples().iter().map(late).collect::<Vec<_>>()
        };
        scenario.settings.clear();
        let broadcast = latencies(&scenario);
        assert!(broadcast.iter().all(|site| site.len() == 1), "{broadcast:?}");
        scenario.settings.insert("thrifty".into(), Value::Flag(true));
        assert_eq!(latencies(&scenario), broadcast, "leader {}", sites[usize::from(leader)]);
    }
}

#[test]
fn thrifty_leader_replaces_a_crashed_member_of_its_quorum() {
    let mut cluster = servers(5, THRIFTY, 2);
    cluster.run_until(500_000);
    let led = leader(&cluster);
    for dead in (0..5).map(NodeId).filter(|id| *id != led) {
        cluster.act(Action::Crash(dead)).expect("it runs");
        cluster.run_until(cluster.time() + 300_000);
        // The living are known again: a command costs as little as before.
        cluster.world_mut().clear_counts();
        cluster.run_until(cluster.time() + 300_000);
        let (messages, commands) = (cost(&cluster), cluster.counts().answered);
        assert!(commands > 50, "{commands} commands without {dead:?}");
        assert!(messages.abs_diff(4 * commands) <= 4 * 10, "{messages} messages for {commands} commands");
        cluster.act(Action::Restart(dead)).expect("it is down");
        cluster.run_until(cluster.time() + 300_000);
    }
    assert_eq!(cluster.leader(), Some(led));
    assert_same_state(&mut cluster);
}

/// Crashes a server for a while. Tells how many messages of these kinds brought it back.
fn catch_up(snapshot_every: u64, jitter: u16) -> (u64, u64) {
    let mut blueprint = blueprint::<MultiPaxos>(even_topology(3, 10_000, 100), 1);
    blueprint.settings.set(multi_paxos::SNAPSHOT_EVERY, snapshot_every);
    blueprint.topology.jitter_permille = jitter;
    blueprint.clients = (0..3).map(|site| closed(site, 4)).collect();
    let mut cluster = Paxos::of::<MultiPaxos>(&blueprint).expect("settings fit");
    cluster.run_until(500_000);
    let away = other(&cluster);
    cluster.act(Action::Crash(away)).expect("it runs");
    cluster.run_until(2_000_000);
    cluster.act(Action::Restart(away)).expect("it is down");
    let behind = log(&cluster, leader(&cluster).0).applied - log(&cluster, away.0).applied;
    assert!(behind > 100, "only {behind} slots to learn");
    cluster.run_until(cluster.time() + 500_000);
    let distance = log(&cluster, leader(&cluster).0).applied - log(&cluster, away.0).applied;
    assert!(distance < 50, "still {distance} slots behind");
    assert_same_state(&mut cluster);
    (count(&cluster, "CatchUp"), count(&cluster, "Snapshot"))
}

#[test]
fn restarted_server_catches_up_by_commands_or_by_a_snapshot() {
    let (learns, snapshots) = catch_up(0, 0);
    assert!(learns > 0 && snapshots == 0, "{learns} {snapshots}");
    let (learns, snapshots) = catch_up(20, 0);
    assert!(learns > 0 && snapshots > 0, "{learns} {snapshots}");
    catch_up(7, 1_000);
}

#[test]
fn log_is_no_longer_than_two_snapshot_intervals() {
    let mut cluster = servers(3, &[(multi_paxos::SNAPSHOT_EVERY, 10), (multi_paxos::ALPHA, 4)], 3);
    while cluster.time() < 2_000_000 {
        cluster.run_until(cluster.time() + 10_000);
        for id in 0..3 {
            let log = log(&cluster, id);
            assert!(log.last + 1 - log.first <= 2 * 10 + 2 * 4, "{log:?}");
        }
    }
    assert_same_state(&mut cluster);
}

#[test]
fn hand_over_loses_no_command() {
    for mode in [PIGGYBACK, EXPLICIT, THRIFTY, BOTH] {
        let mut cluster = servers(5, mode, 3);
        cluster.run_until(500_000);
        for to in (0..5).map(NodeId) {
            if cluster.leader() == Some(to) {
                continue;
            }
            let (leadership_intervals, asked) = (cluster.leadership_intervals().len(), cluster.time());
            cluster.act(Action::HandOver(to)).expect("it can lead");
            while cluster.leader() != Some(to) {
                assert!(cluster.step_until(asked + 100_000), "{to:?} does not lead after ten round trips, {mode:?}");
            }
            assert_eq!(cluster.leadership_intervals().len(), leadership_intervals + 1);
            // Drained, told, promised: three one-way trips at best. A lagging successor hears what it lacks first.
            assert!(cluster.time() - asked <= 40_000, "{} µs, {mode:?}", cluster.time() - asked);
            cluster.run_until(cluster.time() + 200_000);
        }
        assert_eq!(cluster.counts().retried, 0, "a client lost patience");
        assert_same_state(&mut cluster);
    }
}

#[test]
fn hand_over_to_a_crashed_server_is_aborted() {
    let mut cluster = servers(5, PIGGYBACK, 3);
    cluster.run_until(500_000);
    let (led, to) = (leader(&cluster), other(&cluster));
    cluster.act(Action::HandOver(to)).expect("it can lead");
    cluster.act(Action::Crash(to)).expect("it runs");
    let before = cluster.counts().answered;
    cluster.run_until(540_000);
    let taken = cluster.counts().answered;
    assert!(taken - before <= 15, "only what was under way, not {}", taken - before);
    cluster.run_until(700_000);
    assert_eq!(cluster.leader(), Some(led));
    assert!(cluster.counts().answered - taken > 100, "it takes commands again");
    cluster.act(Action::Restart(to)).expect("it is down");
    assert_same_state(&mut cluster);
}

#[test]
fn leader_that_hears_no_quorum_resigns() {
    let mut cluster = servers(3, PIGGYBACK, 3);
    cluster.run_until(500_000);
    let led = leader(&cluster);
    for from in (0..3).map(NodeId).filter(|id| *id != led) {
        cluster.act(Action::Cut { from, to: led, both: false, replicas_only: false }).expect("two nodes");
    }
    // It can still be heard, so nobody else would try to lead while it does.
    cluster.run_until(1_000_000);
    assert_ne!(cluster.leader(), Some(led));
    let before = cluster.counts().answered;
    cluster.run_until(4_000_000);
    assert!(cluster.counts().answered > before + 100);
    cluster.act(Action::HealAll).expect("always");
    assert_same_state(&mut cluster);
}

#[test]
fn commands_beyond_the_pipeline_limit_wait() {
    let mut cluster = servers(5, &[(multi_paxos::ALPHA, 1)], 10);
    while cluster.time() < 1_000_000 && cluster.step_until(1_000_000) {
        let open: Vec<Slot> = (0..5).map(|id| log(&cluster, id)).map(|log| log.last - log.committed).collect();
        assert!(open[usize::from(cluster.leader().unwrap_or_default().0)] <= 1, "{open:?}");
    }
    // One command a round trip, whoever asks.
    let per_second = cluster.samples().iter().map(|site| site.iter().filter(|(_, s)| s.at > 900_000).count());
    assert!((9..=10).contains(&per_second.sum::<usize>()));
    assert_same_state(&mut cluster);
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let refused = |n: u8, settings: &[(SettingId, u64)]| {
        let blueprint = with(blueprint::<MultiPaxos>(even_topology(n, 10_000, 100), 1), settings);
        Paxos::of::<MultiPaxos>(&blueprint).err().map(|(key, _)| key)
    };
    let (q1, q2) = (multi_paxos::PHASE_1_QUORUM, multi_paxos::PHASE_2_QUORUM);
    assert_eq!(refused(3, &[(q1, 3), (q2, 1)]), None);
    assert_eq!(refused(3, &[(q1, 1), (q2, 2)]), Some("q1"));
    assert_eq!(refused(3, &[(q1, 4)]), Some("q1"));
    assert_eq!(refused(3, &[(q2, 4)]), Some("q2"));
    let (min, max) = (multi_paxos::ELECTION_TIMEOUT_MIN, multi_paxos::ELECTION_TIMEOUT_MAX);
    assert_eq!(refused(3, &[(min, 100)]), Some("election_timeout_min"));
    assert_eq!(refused(3, &[(min, 90_000), (max, 80_000)]), Some("election_timeout_max"));
}

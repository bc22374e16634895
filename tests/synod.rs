//! The Synod in the simulator: message counts, delays, duelling proposers, value adoption and quorum settings.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::core::*;
use quorumscope::protocols::synod::{self, Synod};
use quorumscope::sim::{Action, ClientGroup};
use quorumscope::universe::{Cluster, Universe};

type Nodes = Cluster;

/// A cluster in which one client at each of these sites wants its own value chosen, all at the same time.
fn asked_at(sites: &[u8], n: u8, settings: &[(SettingId, u64)], seed: u64) -> Nodes {
    let mut blueprint = with(blueprint::<Synod>(even_topology(n, 10_000, 100), seed), settings);
    let once = |&site: &u8| ClientGroup { limit: 1, retry: 60_000_000, read_percent: 0, ..closed(site, 1) };
    blueprint.clients = sites.iter().map(once).collect();
    Nodes::of::<Synod>(&blueprint).expect("settings fit")
}

fn knows(cluster: &Nodes) -> usize {
    (0..cluster.nodes()).filter(|id| cluster.entry(NodeId(*id), 1).is_some_and(|entry| entry.chosen)).count()
}

#[test]
fn messages_equal_the_formulas() {
    for n in [1, 3, 5, 7, 9] {
        for thrifty in [0, 1] {
            let mut cluster = asked_at(&[n / 2], n, &[(synod::ASK_THRIFTILY, thrifty)], 1);
            cluster.run_until(1_000_000);
            assert_safe(&cluster);
            assert_eq!(knows(&cluster), usize::from(n));
            let (n1, q1) = (u64::from(n) - 1, u64::from(majority(n)) - 1);
            let expected = if thrifty == 1 { 4 * q1 + n1 } else { 5 * n1 };
            let mut settings = Settings::defaults(Synod::SETTINGS);
            settings.set(synod::ASK_THRIFTILY, thrifty);
            let formula = Synod::CARD.formulas.iter().find_map(|f| (f.count)(u32::from(n), &settings));
            assert_eq!((cost(&cluster), formula.map(u64::from)), (expected, Some(expected)), "n = {n}");
        }
    }
}

#[test]
fn decision_takes_four_message_delays() {
    let mut cluster = asked_at(&[1], 5, &[], 1);
    cluster.run_until(1_000_000);
    // Two round trips between sites, and one between the client and the node beside it.
    assert_eq!(cluster.samples()[1].iter().map(|(_, sample)| sample.latency).collect::<Vec<_>>(), [20_100]);
}

#[test]
fn later_client_gets_the_chosen_value_without_messages() {
    let mut cluster = asked_at(&[0], 3, &[], 1);
    cluster.run_until(1_000_000);
    let before = cost(&cluster);
    cluster.act(Action::Request { site: 2 }).expect("there is such a site");
    cluster.run_until(2_000_000);
    assert_eq!((cost(&cluster), cluster.waiting()), (before, 0));
}

#[test]
fn duelling_proposers_decide_with_random_backoff_and_not_with_fixed() {
    for n in [3, 5] {
        for seed in 0..30 {
            let mut fixed = asked_at(&[0, 1], n, &[(synod::BACKOFF, 1)], seed);
            fixed.run_until(60_000_000);
            assert_safe(&fixed);
            assert_eq!(knows(&fixed), 0, "n = {n}, seed {seed}: a duel of even proposers ended");
            assert!(count(&fixed, "Prepare") > 1000);
            let mut random = asked_at(&[0, 1], n, &[], seed);
            random.run_until(2_000_000);
            assert_safe(&random);
            assert_eq!(knows(&random), usize::from(n), "n = {n}, seed {seed}: still no decision");
            assert_eq!(random.waiting(), 0);
        }
    }
}

#[test]
fn value_chosen_by_a_crashed_proposer_is_adopted() {
    // Node 1 gets its value chosen and dies before it can tell anybody; node 3 must find it.
    let mut cluster = asked_at(&[0], 3, &[], 1);
    cluster.run_until(15_049);
    cluster.act(Action::Crash(NodeId(0))).expect("it runs");
    cluster.run_until(1_000_000);
    assert_eq!(knows(&cluster), 0);
    let accepted = cluster.entry(NodeId(1), 1).and_then(|entry| entry.command);
    assert!(accepted.is_some());
    cluster.act(Action::Request { site: 2 }).expect("there is such a site");
    cluster.run_until(2_000_000);
    assert_safe(&cluster);
    let chosen = cluster.entry(NodeId(2), 1).filter(|entry| entry.chosen);
    assert_eq!(chosen.and_then(|entry| entry.command), accepted);
}

#[test]
fn thrifty_proposer_replaces_a_crashed_member_of_its_quorum() {
    // Dead before the first phase, and between the two.
    for crash_at in [0, 12_000] {
        let mut cluster = asked_at(&[0], 3, &[(synod::ASK_THRIFTILY, 1)], 1);
        cluster.run_until(crash_at);
        cluster.act(Action::Crash(NodeId(1))).expect("it runs");
        cluster.run_until(1_000_000);
        assert_eq!((cluster.waiting(), knows(&cluster)), (0, 2), "crashed at {crash_at} µs");
    }
}

#[test]
fn quorums_that_do_not_intersect_are_refused() {
    for (n, q1, q2, fits) in [(3, 1, 2, false), (3, 2, 1, false), (4, 2, 2, false), (3, 3, 1, true), (4, 3, 2, true)] {
        let settings = [(synod::PHASE_1_QUORUM, q1), (synod::PHASE_2_QUORUM, q2)];
        let blueprint = with(blueprint::<Synod>(even_topology(n, 10_000, 100), 1), &settings);
        assert_eq!(
            Nodes::of::<Synod>(&blueprint).map(|_| ()).map_err(|(key, _)| key).is_ok(),
            fits,
            "{q1}+{q2} of {n}"
        );
        assert!(Nodes::of::<Synod>(&without(blueprint, synod::QUORUMS_INTERSECT)).is_ok());
    }
    let blueprint = with(blueprint::<Synod>(even_topology(3, 10_000, 100), 1), &[(synod::PHASE_2_QUORUM, 4)]);
    assert_eq!(Nodes::of::<Synod>(&blueprint).map(|_| ()), Err(("q2", "at most as many as there are replicas")));
}

#[test]
fn properties_of_logs_do_not_apply_where_one_value_is_chosen() {
    use quorumscope::judge::safety::is_applicable;
    let card = |key| &quorumscope::universe::variant(key).expect("a variant").card;
    for property in ["Same prefix, same state", "One holder at a time"] {
        assert!(!is_applicable(card("synod"), property), "{property}");
        assert!(is_applicable(card("raft"), property), "{property}");
    }
}

//! Frequencies of outcomes under random delays or draws against published formulas: two winners of the notes' algorithm, split votes of Raft,
//! survivors of two servers that shoot each other.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::core::{Micros, NodeId};
use quorumscope::protocols::notes::{self, Notes};
use quorumscope::protocols::raft::{self, Raft};
use quorumscope::protocols::stonith_pair::{self, StonithPair};
use quorumscope::sim::Action;
use quorumscope::universe::{Cluster, Universe};

/// Whether `share` lies in the exact (Clopper–Pearson) confidence interval of 99.9 % around `hits` of `runs`: whether neither so many
/// hits nor so few would be rarer than one in 2,000.
fn is_share(share: f64, hits: u32, runs: u32) -> bool {
    // Logarithms of the binomial probabilities, one from the other.
    let odds = (share / (1.0 - share)).ln();
    let mut log = f64::from(runs) * (1.0 - share).ln();
    let (mut below, mut above) = (0.0, 0.0);
    for k in 0..=runs {
        let probability = log.exp();
        below += if k <= hits { probability } else { 0.0 };
        above += if k >= hits { probability } else { 0.0 };
        log += (f64::from(runs - k) / f64::from(k + 1)).ln() + odds;
    }
    below > 0.0005 && above > 0.0005
}

#[test]
fn confidence_interval_agrees_with_published_table() {
    // For 10 of 100, tables give 2.7 % to 23.0 % at 99.9 %.
    let fits = |share| is_share(share, 10, 100);
    assert_eq!([0.02, 0.03, 0.10, 0.22, 0.24].map(fits), [false, true, true, true, false]);
}

/// All `n` workers propose at once, and delays are random and equal for all: how many of the runs have two winners.
fn two_winners(n: u8, runs: u32) -> u32 {
    let mut topology = even_topology(n, 2_000, 0);
    topology.jitter_permille = 60_000;
    let hour: Micros = 3_600_000_000;
    let settings = [(notes::SETTING_SPREAD, 0), (notes::SETTING_REPEAT, hour)];
    let split = |seed| {
        let blueprint = with(blueprint::<Notes>(topology.clone(), seed), &settings);
        let mut cluster = Cluster::of::<Notes>(&blueprint).expect("settings fit");
        cluster.run_until(hour / 2);
        !cluster.violations().is_empty()
    };
    (1..=u64::from(runs)).filter(|&seed| split(seed)).count() as u32
}

/// Each worker promises one of those above it, each of them equally likely: a random recursive tree. Of the (n−1)! trees so many have two
/// nodes with a majority below them, themselves included.
#[test]
fn notes_have_two_winners_as_often_as_random_recursive_trees() {
    const RUNS: u32 = 3_000;
    for (n, trees, of) in [(3, 1, 2), (4, 2, 6), (5, 14, 24)] {
        let hits = two_winners(n, RUNS);
        let share = f64::from(trees) / f64::from(of);
        assert!(is_share(share, hits, RUNS), "n = {n}: {hits} of {RUNS}, and {trees}/{of} expected");
    }
}

/// The share of first elections in which nobody wins: `running` of `n` servers, `latency` one way, in hundredths of the spread of timeouts.
fn split_votes(n: u8, running: u8, latency: u32, runs: u32) -> u32 {
    const SPREAD: Micros = 1_000_000;
    let one_way = SPREAD as u32 / 100 * latency;
    let settings =
        [(raft::SETTING_PRE_VOTE, 0), (raft::SETTING_ELECTION_MIN, SPREAD), (raft::SETTING_ELECTION_MAX, 2 * SPREAD)];
    let split = |seed| {
        let blueprint = with(blueprint::<Raft>(even_topology(n, 2 * one_way, 0), seed), &settings);
        let mut cluster = Cluster::of::<Raft>(&blueprint).expect("settings fit");
        (running..n).for_each(|node| cluster.act(Action::Crash(NodeId(node))).expect("it runs"));
        // All have timed out once by now, and the votes are in.
        cluster.run_until(2 * SPREAD + 2 * Micros::from(one_way));
        !cluster.leadership_intervals().iter().any(|leadership| leadership.epoch.number == 1)
    };
    (1..=u64::from(runs)).filter(|&seed| split(seed)).count() as u32
}

/// Ongaro's dissertation, §9.3: with a fixed latency the first candidate wins unless so many others time out before its request
/// reaches them that too few are left to vote.
#[test]
fn raft_split_vote_share_equals_the_dissertations_formula() {
    const RUNS: u32 = 1_500;
    for (n, running, latency, percent) in
        [(5, 4, 10, 5.23), (5, 4, 20, 18.08), (5, 3, 20, 48.8), (9, 7, 20, 14.8), (9, 5, 10, 41.0)]
    {
        let l = f64::from(latency) / 100.0;
        let candidates = running - n / 2 + 1;
        let choose = |k: u8| (0..k).fold(1.0, |c, i| c * f64::from(running - i) / f64::from(i + 1));
        let term = |k: u8| choose(k) * l.powi(i32::from(k)) * (1.0 - l).powi(i32::from(running - k));
        let share: f64 = (candidates - 1..=running).map(term).sum();
        assert!((share * 100.0 - percent).abs() < 0.05, "the formula gives {share}, and {percent} % was published");
        let hits = split_votes(n, running, latency, RUNS);
        assert!(is_share(share, hits, RUNS), "({n}, {running}, {l}): {hits} of {RUNS}, and {share} expected");
    }
}

/// Two servers are cut off from each other and both time out, at the same moment: in how many runs none, one and both run in the end. An
/// order to turn the other off arrives in `kill_arrives` of 1,000 cases.
fn survivors(kill_arrives: u64, runs: u32) -> [u32; 3] {
    const BEAT: Micros = 100_000;
    let settings = [
        (stonith_pair::SETTING_HEARTBEAT, BEAT),
        (stonith_pair::SETTING_TIMEOUT, 4 * BEAT),
        (stonith_pair::SETTING_KILL_ARRIVES, kill_arrives),
    ];
    let mut ends = [0; 3];
    for seed in 1..=u64::from(runs) {
        let blueprint = with(blueprint::<StonithPair>(even_topology(2, 20_000, 0), seed), &settings);
        let mut cluster = Cluster::of::<StonithPair>(&blueprint).expect("settings fit");
        cluster.run_until(10 * BEAT + BEAT / 2);
        cluster
            .act(Action::Cut { from: NodeId(0), to: NodeId(1), both: true, replicas_only: false })
            .expect("it is whole");
        cluster.run_until(20 * BEAT);
        let primaries = (0..2).filter(|node| cluster.node(NodeId(*node)).status.is_some_and(|status| status.leads));
        ends[primaries.count()] += 1;
        let led = cluster.leadership_intervals().iter().filter(|interval| interval.epoch.number == 2).count();
        assert_eq!(led, 2, "seed {seed}: both took over");
    }
    ends
}

/// Both orders are given before either arrives, so what becomes of one does not depend on the other.
#[test]
fn servers_that_shoot_each_other_survive_as_often_as_two_independent_shots_miss() {
    const RUNS: u32 = 3_000;
    for kill_arrives in [900_u32, 500] {
        let p = f64::from(kill_arrives) / 1_000.0;
        let ends = survivors(u64::from(kill_arrives), RUNS);
        for (hits, share) in ends.into_iter().zip([p * p, 2.0 * p * (1.0 - p), (1.0 - p) * (1.0 - p)]) {
            assert!(is_share(share, hits, RUNS), "p = {p}: {ends:?} of {RUNS}, and {share} expected");
        }
    }
}

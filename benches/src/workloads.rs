//! Benchmark workloads of the simulator: bare event loop, clusters with and without trace and safety checker, and page sessions. Nothing in
//! them reads a clock.

use crate::travel;
use quorumscope::core::hash::Digest;
use quorumscope::core::{NodeId, RuleSet, Settings};
use quorumscope::lab::Session;
use quorumscope::sim::rng::Rng;
use quorumscope::sim::trace::{Record, Trace, What};
use quorumscope::sim::queue::wheel::Wheel;
use quorumscope::sim::{Blueprint, ClientGroup, Pace, Topology};
use quorumscope::universe;
use std::hash::Hasher;

/// Names of the workloads, by number.
pub const NAMES: &[&str] = &[
    "bare event loop on the time wheel",
    "the same with trace and rolling digest",
    "Multi-Paxos n=5, window 64, trace on",
    "Multi-Paxos n=5, window 64, trace off",
    "Multi-Paxos n=5, window 64, trace and judges",
    "Raft n=5, window 64, trace on",
    "Raft n=5, window 64, trace off",
    "Raft n=5, window 64, trace and judges",
    "Multi-Paxos, page session with checkpoints",
    "Raft, page session with checkpoints",
];

/// Default size of each workload, by number; see [`run`].
pub const SIZES: &[u32] =
    &[20_000_000, 20_000_000, 400_000, 400_000, 100_000, 400_000, 400_000, 100_000, 1_000_000, 1_000_000];

/// Trace records kept where the trace is on.
const TRACE: usize = 1 << 14;

/// Runs workload number `workload` and returns the events it took. `size` is in events for bare loops and sessions, and in answered
/// commands for clusters.
pub fn run(workload: u32, size: u32) -> u64 {
    match workload {
        0 => bare(size, false),
        1 => bare(size, true),
        2 => cluster("multi-paxos", size, TRACE, true),
        3 => cluster("multi-paxos", size, 0, true),
        4 => cluster("multi-paxos", size, TRACE, false),
        5 => cluster("raft", size, TRACE, true),
        6 => cluster("raft", size, 0, true),
        7 => cluster("raft", size, TRACE, false),
        8 => session("multi-paxos", size),
        _ => session("raft", size),
    }
}

/// Page session: safety checker, trace, and checkpoints for seeking.
fn session(key: &str, events: u32) -> u64 {
    let mut session = Session::new(travel::closed_loop(key)).expect("the scenario is valid");
    session.run_until(u64::MAX, u64::from(events));
    session.moment().event
}

/// Bare event loop on the timing wheel: 320 pending items, as in a cluster with 64 outstanding commands, each reinserted at a random later time.
fn bare(events: u32, traced: bool) -> u64 {
    let mut wheel: Wheel<[u64; 4]> = Wheel::default();
    let mut rng = Rng::stream(1, "bare", 0);
    let mut trace = Trace::keeping(TRACE);
    let mut sum = 0u64;
    (0..320).for_each(|i| wheel.push(rng.between(200, 300), [i; 4]));
    for _ in 0..events {
        let Some((at, mut item)) = wheel.pop_until(u64::MAX) else { break };
        item[0] = item[0].wrapping_add(at);
        sum ^= item[0];
        if traced {
            let rules = RuleSet::EMPTY;
            let (node, peer) = (NodeId(item[1] as u8 & 3), NodeId(item[2] as u8 & 3));
            trace.push(Record { at, rules, slot: 0, detail: 250, what: What::Delivered, node, peer, kind: 1 });
        }
        wheel.push(at + rng.between(200, 300), item);
    }
    std::hint::black_box((sum, trace.digest().finish()));
    u64::from(events)
}

/// Five replicas in one data centre, 0.5 ms apart, and 64 closed-loop client sessions without think time, advanced by `Universe::run_until`.
/// `unjudged`: without the safety checker.
fn cluster(key: &str, commands: u32, keep_trace: usize, unjudged: bool) -> u64 {
    let variant = universe::variant(key).expect("the variant is in the registry");
    let blueprint = Blueprint {
        topology: Topology::from_round_trips(1, &[500]),
        placement: vec![0; 5],
        clients: vec![ClientGroup {
            pace: Pace::Closed { sessions: 64, think: 0 },
            keys: 100,
            start: 20_000,
            ..ClientGroup::default()
        }],
        settings: Settings::defaults(variant.settings),
        seed: 1,
        keep_trace,
        unjudged,
        ..Blueprint::default()
    };
    let mut cluster = variant.boot(&blueprint).expect("the default settings fit");
    let mut limit = 0;
    while cluster.counts().answered < u64::from(commands) {
        limit += 10_000;
        cluster.run_until(limit);
    }
    assert!(cluster.violations().is_empty());
    let mut digest = Digest::default();
    digest.word(cluster.fingerprint());
    std::hint::black_box(digest.finish());
    cluster.events()
}

//! Building clusters for tests, and telling how to see a failing run again.

#![allow(dead_code)] // Each test file uses its own part.

use quorumscope::core::node::{Message, Node};
use quorumscope::core::{Micros, NodeId, Phase, Protocol, Rule, RuleId, RuleSet, SettingId, Settings};
use quorumscope::sim::{Blueprint, ClientGroup, Pace, Terrain};
use quorumscope::universe::{Cluster, Universe};
use std::ops::Range;

/// How to see a run again that failed. Put it into the message of every assertion about a seeded run.
pub fn replay(variant: &str, test: &str, seed: u64) -> String {
    format!("seed {seed}; again: quorumscope run {test} --set variant={variant} --seed {seed}")
}

/// Replicas at one site each, `rtt` µs apart from each other, and `local` µs from themselves.
pub fn even_terrain(sites: u8, rtt: u32, local: u32) -> Terrain {
    let n = usize::from(sites);
    let matrix: Vec<u32> = (0..n * n).map(|at| if at / n == at % n { local } else { rtt }).collect();
    Terrain { value_bytes: 8, ..Terrain::from_round_trips(sites, &matrix) }
}

/// A closed loop of `sessions` at `site`, for ever.
pub fn closed(site: u8, sessions: u16) -> ClientGroup {
    ClientGroup {
        site,
        pace: Pace::Closed { sessions, think: 0 },
        read_percent: 30,
        keys: 8,
        start: 0,
        stop: Micros::MAX,
        limit: u32::MAX,
        retry: 2_000_000,
    }
}

/// One replica at each site.
pub fn blueprint<P: Protocol>(terrain: Terrain, seed: u64) -> Blueprint {
    Blueprint {
        placement: (0..terrain.sites).collect(),
        terrain,
        settings: Settings::defaults(P::SETTINGS),
        seed,
        keep_trace: 0,
        ..Blueprint::default()
    }
}

/// With these settings.
pub fn with(mut blueprint: Blueprint, settings: &[(SettingId, u64)]) -> Blueprint {
    settings.iter().for_each(|(id, value)| blueprint.settings.set(*id, *value));
    blueprint
}

/// Without this rule.
pub fn without(mut blueprint: Blueprint, rule: RuleId) -> Blueprint {
    blueprint.ablated.add(rule);
    blueprint
}

/// Runs until somebody leads; tells who.
pub fn elect<P: Protocol>(cluster: &mut Cluster<P>) -> NodeId {
    for _ in 0..100_000 {
        if let Some(leader) = cluster.leader() {
            return leader;
        }
        cluster.step_until(Micros::MAX);
    }
    panic!("nobody leads after {} µs", cluster.time());
}

/// Messages between replicas, heartbeats and their answers left out.
pub fn cost<P: Protocol>(cluster: &Cluster<P>) -> u64 {
    let kinds = <<P::Node as Node>::Msg as Message>::KINDS;
    let counts = cluster.counts().by_kind.iter();
    counts.zip(kinds).filter(|(_, kind)| kind.phase != Phase::Heartbeat).map(|(count, _)| count).sum()
}

/// Messages of one kind.
pub fn count<P: Protocol>(cluster: &Cluster<P>, kind: &str) -> u64 {
    let kinds = <<P::Node as Node>::Msg as Message>::KINDS;
    let index = kinds.iter().position(|k| k.name == kind).expect("the kind exists");
    cluster.counts().by_kind[index]
}

/// Asserts that nothing was violated.
pub fn assert_safe<P: Protocol>(cluster: &Cluster<P>, replay: &str) {
    assert!(cluster.violations().is_empty(), "{:#?}\n{replay}", cluster.violations());
}

/// A stream of numbers for choosing faults.
pub struct Dice(u64);

impl Dice {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// 0 to `sides` − 1.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The seeds to run: these, or the one in the environment variable `SEED`.
pub fn seeds(all: Range<u64>) -> Range<u64> {
    match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => all,
    }
}

/// Asserts that every rule was applied at least once.
pub fn assert_all_used(rules: &[Rule], used: RuleSet) {
    if std::env::var_os("SEED").is_none() {
        let unused = rules.iter().zip(0..).filter(|(_, id)| !used.has(RuleId(*id)));
        assert_eq!(unused.map(|(rule, _)| rule.key).collect::<Vec<_>>(), [""; 0], "no run applied these rules");
    }
}

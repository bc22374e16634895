//! Building clusters for tests.

#![allow(dead_code)] // Each test file uses its own part.

use quorumscope::core::{Phase, Protocol, RuleId, SettingId, Settings};
use quorumscope::lab::{Quantity, Scenario};
use quorumscope::sim::{Blueprint, ClientGroup, Pace, Sizes, Topology};
use quorumscope::universe::{Cluster, Universe};

/// Sites at even distances: `rtt` µs from each other, `local` µs within.
pub fn even_topology(sites: u8, rtt: u32, local: u32) -> Topology {
    let n = usize::from(sites);
    let matrix: Vec<u32> = (0..n * n).map(|at| if at / n == at % n { local } else { rtt }).collect();
    Topology { value_bytes: Sizes::all(8), ..Topology::from_round_trips(sites, &matrix) }
}

/// A closed loop of `sessions` at `site`, for ever.
pub fn closed(site: u8, sessions: u16) -> ClientGroup {
    ClientGroup {
        site,
        pace: Pace::Closed { sessions, think: 0 },
        read_percent: 30,
        keys: 8,
        retry: 2_000_000,
        ..ClientGroup::default()
    }
}

/// One replica at each site.
pub fn blueprint<P: Protocol>(topology: Topology, seed: u64) -> Blueprint {
    Blueprint {
        placement: (0..topology.sites).collect(),
        topology,
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

/// A time.
pub fn micros(time: u64) -> Option<Quantity> {
    Some(Quantity::from_micros(time))
}

/// The cluster of a scenario.
pub fn cluster(scenario: &Scenario) -> Cluster {
    let checked = scenario.check().unwrap_or_else(|wrong| panic!("{wrong}"));
    Cluster::new(checked.variant, &checked.blueprint).expect("the settings fit")
}

/// Messages between replicas, heartbeats and their answers left out.
pub fn cost(cluster: &Cluster) -> u64 {
    let kinds = cluster.variant().kinds;
    let counts = cluster.counts().by_kind().into_iter();
    counts.zip(kinds).filter(|(_, kind)| kind.phase != Phase::Heartbeat).map(|(count, _)| count).sum()
}

/// Messages of one kind.
pub fn count(cluster: &Cluster, kind: &str) -> u64 {
    let kinds = cluster.variant().kinds;
    let index = kinds.iter().position(|k| k.name == kind).expect("the kind exists");
    cluster.counts().by_kind()[index]
}

/// Asserts that nothing was violated.
pub fn assert_safe(cluster: &Cluster) {
    assert!(cluster.violations().is_empty(), "{:#?}", cluster.violations());
}

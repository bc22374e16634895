//! Building clusters for tests, and telling how to see a failing run again.

#![allow(dead_code)] // Each test file uses its own part.

use quorumscope::core::node::{Message, Node};
use quorumscope::core::{Micros, NodeId, Phase, Protocol, Rule, RuleId, RuleSet, SettingId, Settings};
use quorumscope::lab::{Fault, Quantity, Scenario, Site, text};
use quorumscope::sim::{Action, Blueprint, ClientGroup, Pace, Terrain};
use quorumscope::universe::{Cluster, Universe};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// While this lives, a failing test writes the scenario down and says how to see it again: the only place that knows how.
pub struct Replay<'a>(pub &'a Scenario);

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (variant, seed) = (&self.0.variant, self.0.seed.unwrap_or(1));
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{variant}-{seed}.toml"));
            if let Err(error) = fs::write(&file, text::to_toml(self.0)) {
                eprintln!("{}: {error}", file.display());
            }
            eprintln!("seed {seed} failed; again: quorumscope run {} --seed {seed}", file.display());
            eprintln!("(or told event by event: quorumscope transcript …; or in its test: SEED={seed} cargo test)");
        }
    }
}

/// Sites at even distances: `rtt` µs from each other, `local` µs within.
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
        retry: 2_000_000,
        ..ClientGroup::default()
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

/// A scenario with one replica at each of `n` sites, `rtt` µs apart, which the other draws of a seed then fill in.
pub fn scenario(variant: &str, n: u8, rtt: u32, seed: u64) -> Scenario {
    let sites: Vec<String> = (1..=n).map(|site| format!("s{site}")).collect();
    let ms = |a, b| f64::from(if a == b { 200 } else { rtt }) / 1000.0;
    Scenario {
        variant: variant.to_owned(),
        sites: sites.iter().map(|site| Site::named(site)).collect(),
        rtt_ms: (0..n).map(|a| (0..n).map(|b| ms(a, b)).collect()).collect(),
        replicas: sites,
        seed: Some(seed),
        ..Scenario::default()
    }
}

/// Adds a deed to a scenario's script.
pub fn then(scenario: &mut Scenario, at: Micros, action: Action) {
    let sites: Vec<&str> = scenario.sites.iter().map(|site| site.id.as_str()).collect();
    let fault = Fault::new(at, action, &sites);
    scenario.script.push(fault);
}

/// Undoes all faults at `at`.
pub fn heal(scenario: &mut Scenario, at: Micros) {
    then(scenario, at, Action::HealAll);
    then(scenario, at, Action::Loss { permille: 0 });
    (0..scenario.replicas.len() as u8).for_each(|id| then(scenario, at, Action::Restart(NodeId(id))));
}

/// A time.
pub fn micros(time: u64) -> Option<Quantity> {
    Some(Quantity::from_micros(time))
}

/// A share, in thousandths.
pub fn permille(share: u64) -> Option<Quantity> {
    Some(Quantity::from_permille(share))
}

/// The cluster of a scenario.
pub fn cluster<P: Protocol>(scenario: &Scenario) -> Cluster<P> {
    let checked = scenario.check().unwrap_or_else(|wrong| panic!("{wrong}"));
    Cluster::new(&checked.blueprint).expect("the settings fit")
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
pub fn assert_safe<P: Protocol>(cluster: &Cluster<P>) {
    assert!(cluster.violations().is_empty(), "{:#?}", cluster.violations());
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

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    /// Two different nodes of `n`.
    pub fn two(&mut self, n: u8) -> (NodeId, NodeId) {
        let a = self.roll(u64::from(n)) as u8;
        let b = (a + 1 + self.roll(u64::from(n) - 1) as u8) % n;
        (NodeId(a), NodeId(b))
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

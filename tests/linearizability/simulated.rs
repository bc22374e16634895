//! Histories of the simulator's clients under faults: intact variants are linearizable, ablated ones are not.

use super::common::{blueprint, closed, even_topology, with, without};
use super::promises_one_log;
use quorumscope::core::{Micros, NodeId, RuleId};
use quorumscope::judge::linearizability::{Call, History, Limits, Model, Recorder, Value, Verdict, judge};
use quorumscope::protocols::raft::{self, Raft};
use quorumscope::sim::rng::Rng;
use quorumscope::sim::{Action, Blueprint, ClientGroup};
use quorumscope::universe::{Universe, variants};

const SECOND: Micros = 1_000_000;

/// Runs of each kind.
const SEEDS: u64 = 8;

/// Clients at every site, on two keys: some read and write, some only read, so that an isolated leader keeps getting reads.
fn with_clients(mut blueprint: Blueprint) -> Blueprint {
    let at = |(site, read_percent)| ClientGroup { keys: 2, read_percent, retry: SECOND / 4, ..closed(site, 1) };
    blueprint.clients = (0..blueprint.topology.sites).flat_map(|site| [(site, 50), (site, 100)]).map(at).collect();
    blueprint.topology.jitter_permille = 300;
    blueprint
}

/// Runs about ten seconds with leader isolation and crashes drawn from the seed; returns the clients' history.
pub fn fault_phase(universe: &mut dyn Universe, seed: u64) -> Option<History> {
    universe.record_history();
    let mut rng = Rng::stream(seed, "storm", 0);
    let nodes = u64::from(universe.nodes());
    for _ in 0..20 {
        universe.run_until(universe.time() + rng.between(1, SECOND));
        let any = NodeId(rng.between(0, nodes - 1) as u8);
        let node = universe.leader().filter(|_| rng.chance(700)).unwrap_or(any);
        // An inapplicable action is refused, which does not matter here.
        let _ = match rng.between(0, 5) {
            0 => universe.act(Action::Crash(node)),
            1..=2 => universe.act(Action::Restart(any)),
            3 => universe.act(Action::HealAll),
            _ => {
                for other in (0..nodes as u8).map(NodeId).filter(|other| *other != node) {
                    let _ = universe.act(Action::Cut { from: node, to: other, both: true, replicas_only: true });
                }
                Ok(())
            }
        };
    }
    universe.history()
}

pub fn verdict(history: &History, model: Model) -> Verdict {
    judge(history, model, Limits::default()).verdict
}

/// The same history with values merged to three, so that zones do not apply. It is linearizable if the original is.
fn with_few_values(history: &History) -> History {
    let mut recorder = Recorder::default();
    let mut few = |Value(number)| match number {
        0 => Value::NOTHING,
        _ => recorder.value(&(number % 3).to_string()),
    };
    let mut few_values = history.clone();
    for operation in &mut few_values.operations {
        operation.call = match operation.call {
            Call::Read(value) => Call::Read(value.map(&mut few)),
            Call::Write(value) => Call::Write(few(value)),
            other => other,
        };
    }
    few_values.values = recorder.finish().values;
    few_values
}

#[test]
fn every_log_variant_under_faults_is_linearizable() {
    let (mut operations, mut without_search) = (0, 0);
    for variant in variants().iter().filter(|variant| promises_one_log(variant)) {
        for seed in 0..SEEDS {
            let blueprint = with_clients(Blueprint {
                settings: quorumscope::core::Settings::defaults(variant.settings),
                ..blueprint::<Raft>(even_topology(5, 20_000, 200), seed)
            });
            let name = format!("{} seed {seed}", variant.card.key);
            let history =
                fault_phase(&mut *variant.boot(&blueprint).expect("it boots"), seed).expect("clients read and write");
            operations += history.operations.len();
            assert_eq!(verdict(&history, Model::Register), Verdict::Linearizable, "{name}");
            let few = with_few_values(&history);
            let judgement = judge(&few, Model::CasRegister, Limits::default());
            assert_eq!(judgement.verdict, Verdict::Linearizable, "{name}");
            // Now and then a key has few operations, and none of its values twice.
            without_search += judgement.without_search;
        }
    }
    assert!(operations > 10_000, "{operations} operations only");
    assert!(without_search <= 2, "{without_search} keys were judged without a search");
}

/// Number of seeds with a violation, of how many: Raft with this `reads` setting and without the `ablated` rules.
fn violations(reads: u64, ablated: &[&str]) -> (u64, u64) {
    let (mut wrong, mut all) = (0, 0);
    for seed in 0..SEEDS {
        let settings = [(raft::SETTING_READS, reads), (raft::SETTING_CHECK_QUORUM, 0)];
        let plain = with_clients(with(blueprint::<Raft>(even_topology(5, 20_000, 200), seed), &settings));
        let raft = quorumscope::universe::variant("raft").expect("it is there");
        let rule = |key: &str| raft.rules().iter().position(|rule| rule.key == key).expect("a rule of Raft");
        let blueprint = ablated.iter().fold(plain, |blueprint, key| without(blueprint, RuleId(rule(key) as u8)));
        let history =
            fault_phase(&mut *raft.boot(&blueprint).expect("settings fit"), seed).expect("clients read and write");
        all += 1;
        let found = verdict(&history, Model::Register);
        if let Verdict::Violated(counterexample) = &found {
            wrong += 1;
            assert!(counterexample.minimal && counterexample.operations.len() <= 6, "seed {seed}: {counterexample:?}");
            assert!(counterexample.operations.iter().any(|shown| matches!(shown.operation.call, Call::Read(_))));
        }
    }
    (wrong, all)
}

#[test]
fn raft_without_read_index_stale_reads_are_detected() {
    for reads in [1, 2] {
        assert_eq!(violations(reads, &[]), (0, SEEDS), "reads {reads}");
    }
    let (wrong, all) = violations(1, &["read-index"]);
    assert!(wrong >= 3, "only {wrong} of {all} runs without ReadIndex show it");
}

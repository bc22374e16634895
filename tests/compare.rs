//! Messages per command, measured, are those of the papers, to the message.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::lab::compare::{COMMANDS, Cell, CompareJob};
use quorumscope::lab::{Scenario, presets, text};
use quorumscope::universe;

fn three_regions() -> Scenario {
    let preset = presets::preset("three-regions").expect("built in");
    text::from_json(preset.json).expect("built in").scenario
}

/// `changes` are made as by `--set`.
fn changed(changes: &[&str]) -> Scenario {
    let mut tree = serde_json::to_value(three_regions()).expect("a tree");
    for change in changes {
        text::set(&mut tree, change).expect("a good change");
    }
    text::document(tree).expect("a good scenario").scenario
}

fn measured(scenario: &Scenario, variants: &[&str], replicas: &[u32]) -> Vec<Cell> {
    let mut job = CompareJob::new(scenario, variants, replicas).unwrap_or_else(|wrong| panic!("{wrong}"));
    while !job.advance(100_000) {}
    job.cells().to_vec()
}

/// Measures one variant, and expects exactly these counts for n = 3, 5, 7, 9.
fn counts(variant: &str, changes: &[&str], expected: [u64; 4]) {
    let own = format!("variant={variant}");
    let scenario = changed(&[&[own.as_str()], changes].concat());
    let cells = measured(&scenario, &[variant], &[3, 5, 7, 9]);
    let found = cells.iter().map(|cell| {
        let measured = cell.measured.as_ref().unwrap_or_else(|| panic!("{variant} {changes:?}: {:?}", cell.says));
        let formula = measured.formula.as_ref().unwrap_or_else(|| panic!("{variant} {changes:?}: no formula"));
        assert!(formula.exact, "{variant} {changes:?}, n = {}: {measured:#?}", cell.replicas);
        assert_eq!(measured.messages % u64::from(measured.commands), 0);
        measured.messages / u64::from(measured.commands)
    });
    assert_eq!(found.collect::<Vec<_>>(), expected, "{variant} {changes:?}");
}

#[test]
fn raft_sends_2n_minus_2() {
    counts("raft", &[], [4, 8, 12, 16]);
}

#[test]
fn multi_paxos_sends_2n_minus_2_or_a_third_message_to_tell_or_fewer_to_ask() {
    counts("multi-paxos", &[], [4, 8, 12, 16]);
    counts("multi-paxos", &["settings.commit=explicit"], [6, 12, 18, 24]);
    counts("multi-paxos", &["settings.thrifty=true"], [2, 4, 6, 8]);
    counts("multi-paxos", &["settings.thrifty=true", "settings.commit=explicit"], [4, 8, 12, 16]);
}

#[test]
fn clients_faults_and_jitter_do_not_change_the_measurement() {
    counts("raft", &["clients[0].rate=500/s", "network.loss=20%", "network.jitter=50%", "clients=[]"], [4, 8, 12, 16]);
    counts("raft", &["disk=5ms", "network.processing=100us"], [4, 8, 12, 16]);
    counts("raft", &["script=[{\"at\":\"0s\",\"do\":\"crash\",\"node\":1}]"], [4, 8, 12, 16]);
}

#[test]
fn every_variant_meets_its_published_formula() {
    for cell in measured(&three_regions(), &[], &[3, 4, 5, 6, 7, 8, 9]) {
        let Some(measured) = cell.measured else { continue };
        if let Some(formula) = &measured.formula {
            assert!(formula.exact, "{} with {} replicas: {measured:#?}", cell.title, cell.replicas);
        }
        let sum: u64 = measured.by_kind.iter().map(|kind| kind.messages).sum();
        assert_eq!(sum, measured.messages);
    }
}

#[test]
fn measurement_does_not_depend_on_slices() {
    let all = measured(&three_regions(), &[], &[3, 5]);
    assert_eq!(all.len(), 2 * universe::variants().len());
    let mut job = CompareJob::new(&three_regions(), &[], &[3, 5]).expect("good");
    let mut slices = 0;
    while !job.advance(7) {
        slices += 1;
    }
    assert_eq!(job.cells(), all);
    assert!(slices > 100);
}

#[test]
fn heartbeats_are_not_counted_per_command() {
    let cells = measured(&three_regions(), &["raft"], &[5]);
    let measured = cells[0].measured.as_ref().expect("it can be");
    assert_eq!(measured.commands, COMMANDS);
    assert!(measured.by_kind.iter().all(|kind| !kind.kind.starts_with("Heartbeat")), "{measured:?}");
    assert!(measured.heartbeats_per_second > 1.0);
}

#[test]
fn unmeasurable_cell_says_why() {
    let hasty = ["settings.heartbeat=2ms", "settings.election_timeout_min=10ms", "settings.election_timeout_max=12ms"];
    let broken = changed(&hasty);
    // Two of five are near enough to hear the leader in time, and two are no majority.
    let cells = measured(&broken, &["raft"], &[5]);
    assert!(cells[0].measured.is_none() && cells[0].says.is_some(), "{cells:?}");
}

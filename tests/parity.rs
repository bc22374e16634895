//! Determinism across targets: the built-in scenarios have the same fingerprints natively and in WebAssembly, in debug and release builds.
//!
//! `./dev test` runs this file on all four. The expected values are in `fingerprints.txt`. After an intended change of behaviour:
//! `UPDATE=1 cargo test --test parity`, and review the difference.

use quorumscope::core::hash::Digest;
use quorumscope::lab::presets::{PRESETS, Preset};
use quorumscope::lab::run::Run;
use quorumscope::lab::{Document, Scenario, read};
use quorumscope::sim::jitter;
use quorumscope::sim::rng::Rng;
use std::hash::Hasher;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Name and fingerprint of each run.
fn runs() -> Vec<(String, u64)> {
    let chance = ("chance: 10,000 draws of jitter".to_owned(), jitter_draws());
    let preset = |preset: &Preset| (format!("scenario: {}", preset.key), run_fingerprint(preset));
    std::iter::once(chance).chain(PRESETS.iter().map(preset)).collect()
}

/// The fingerprint of a built-in scenario's run.
fn run_fingerprint(preset: &Preset) -> u64 {
    let mut source = serde_json::Deserializer::from_str(preset.json);
    let scenario: Scenario = read(&mut source).unwrap_or_else(|wrong| panic!("{}: {wrong}", preset.key));
    let mut run = Run::new(&Document::from(scenario)).unwrap_or_else(|wrong| panic!("{}: {wrong}", preset.key));
    while !run.advance(u64::MAX).unwrap_or_else(|wrong| panic!("{}: {wrong}", preset.key)) {}
    run.session().universe().fingerprint()
}

fn jitter_draws() -> u64 {
    let mut rng = Rng::stream(2026, "parity", 0);
    let mut digest = Digest::default();
    (0..10_000).for_each(|_| digest.word(jitter::exponential(40_000, &mut rng)));
    digest.finish()
}

#[test]
fn fingerprints_of_built_in_scenarios_match_on_every_target() {
    let found: String = runs().into_iter().map(|(name, fingerprint)| format!("{fingerprint:016x}  {name}\n")).collect();
    // In WebAssembly there is no environment, so nothing is updated there.
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write("tests/fingerprints.txt", found).expect("tests/fingerprints.txt can be written");
    } else {
        assert_eq!(found, include_str!("fingerprints.txt"), "left: found on this target; right: expected");
    }
}

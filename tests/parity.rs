//! The same run gives the same fingerprint everywhere: natively and in WebAssembly, debug and release.
//!
//! `./dev test` runs this file four times. What to expect is written in `fingerprints.txt`, so all four agree or one fails.
//! After a change that is meant to change behaviour: `UPDATE=1 cargo test --test parity`, and look at the difference.

use quorumscope::core::hash::Digest;
use quorumscope::sim::jitter;
use quorumscope::sim::rng::Rng;
use std::hash::Hasher;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Run = fn() -> u64;

/// What is compared: a name for the file, and the run.
const RUNS: &[(&str, Run)] = &[("chance: 10,000 draws of jitter", jitter_draws)];

fn jitter_draws() -> u64 {
    let mut rng = Rng::stream(2026, "parity", 0);
    let mut digest = Digest::default();
    (0..10_000).for_each(|_| digest.word(jitter::exponential(40_000, &mut rng)));
    digest.finish()
}

#[test]
fn every_run_has_its_fingerprint() {
    let found: String = RUNS.iter().map(|(name, run)| format!("{:016x}  {name}\n", run())).collect();
    // In WebAssembly there is no environment, so nothing is updated there.
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write("tests/fingerprints.txt", found).expect("tests/fingerprints.txt can be written");
    } else {
        assert_eq!(found, include_str!("fingerprints.txt"), "left: found on this target; right: expected");
    }
}

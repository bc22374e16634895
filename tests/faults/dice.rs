//! Chance for the tests of faults at random, and how a failing one is run again.

use quorumscope::core::NodeId;
use quorumscope::lab::{Scenario, text};
use std::fs;
use std::ops::Range;
use std::path::Path;

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

/// While this lives, a failing test writes the scenario down and says how to see it again.
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
        }
    }
}

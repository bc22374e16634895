//! Clocks that run too fast or too slow, or jump.
//!
//! A node has no clock to read; it sets timers, and its clock is what those run by. Rates are in whole millionths, and times are rounded up to
//! the next microsecond.

use crate::core::{Micros, NodeId};

/// How much faster than true time clocks run, in millionths, by node.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Clocks {
    pub(in crate::sim) drift_ppm: Vec<i32>,
    /// What each clock showed beyond true time when its rate last changed, µs, and when that was.
    offsets: Vec<(i64, Micros)>,
}

const MILLION: i64 = 1_000_000;

impl Clocks {
    pub fn rate(&self, node: NodeId) -> u64 {
        (MILLION + i64::from(self.drift(node))) as u64
    }

    pub fn drift(&self, node: NodeId) -> i32 {
        self.drift_ppm.get(usize::from(node.0)).copied().unwrap_or(0)
    }

    /// What the node's clock shows at `now`, µs.
    pub fn shown(&self, node: NodeId, now: Micros) -> Micros {
        let (offset, since) = self.offsets.get(usize::from(node.0)).copied().unwrap_or_default();
        let gained = i128::from(now - since) * i128::from(self.drift(node)) / i128::from(MILLION);
        now.saturating_add_signed(offset + gained as i64)
    }

    /// The node's clock shows `by` µs more from now on, and runs at the rate that is set next.
    pub fn shift(&mut self, node: NodeId, by: i64, now: Micros) {
        let beyond = self.shown(node, now) as i64 - now as i64 + by;
        let index = usize::from(node.0);
        self.offsets.resize(self.offsets.len().max(index + 1), (0, 0));
        self.offsets[index] = (beyond, now);
    }

    /// How long it really takes until the node's clock has gone so far.
    pub fn real(&self, node: NodeId, by_its_clock: Micros) -> Micros {
        match self.drift(node) {
            0 => by_its_clock,
            _ => scaled(by_its_clock, MILLION as u64, self.rate(node)),
        }
    }
}

/// `time * numerator / denominator`, rounded up.
pub(in crate::sim) fn scaled(time: Micros, numerator: u64, denominator: u64) -> Micros {
    (u128::from(time) * u128::from(numerator)).div_ceil(u128::from(denominator)) as Micros
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_gets_there_sooner() {
        let clocks = Clocks { drift_ppm: vec![0, 250_000, -200_000, 100], ..Clocks::default() };
        let real = |node: u8, micros| clocks.real(NodeId(node), micros);
        assert_eq!([real(0, 1_000), real(1, 1_000), real(2, 1_000), real(9, 1_000)], [1_000, 800, 1_250, 1_000]);
        assert_eq!(real(3, 1_000_000), 999_901, "rounded up");
        assert_eq!(real(1, 24 * 3_600_000_000), 69_120_000_000);
    }

    #[test]
    fn clock_shows_what_drift_and_jumps_made_of_it() {
        let (mut clocks, node) = (Clocks::default(), NodeId(1));
        assert_eq!(clocks.shown(node, 1_000), 1_000);
        clocks.shift(node, 500, 1_000);
        assert_eq!(clocks.shown(node, 2_000), 2_500);
        clocks.shift(node, 0, 2_000);
        clocks.drift_ppm = vec![0, 250_000];
        assert_eq!(clocks.shown(node, 4_000), 5_000);
        clocks.shift(node, 0, 4_000);
        clocks.drift_ppm = vec![0, -500_000];
        assert_eq!(clocks.shown(node, 6_000), 6_000);
    }
}

//! Clock model: drift and jumps of node-local clocks.
//!
//! A node's timers run by its local clock, and it can read that clock ([`Out::local_clock`](crate::core::Out::local_clock)). Drift is in parts
//! per million, and durations are rounded up to the next microsecond.

use crate::core::{Micros, NodeId};

/// Drift and offset of the nodes' clocks.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Clocks {
    pub(in crate::sim) drift_ppm: Vec<i32>,
    /// By node: offset from true time when the rate last changed, µs, and when that was.
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

    /// The node's local clock at true time `now`, µs.
    pub fn reading(&self, node: NodeId, now: Micros) -> Micros {
        let (offset, since) = self.offsets.get(usize::from(node.0)).copied().unwrap_or_default();
        let gained = i128::from(now - since) * i128::from(self.drift(node)) / i128::from(MILLION);
        now.saturating_add_signed(offset + gained as i64)
    }

    /// Advances the node's clock by `by` µs and restarts its drift from `now`; to be called before the rate changes.
    pub fn adjust(&mut self, node: NodeId, by: i64, now: Micros) {
        let beyond = self.reading(node, now) as i64 - now as i64 + by;
        let index = usize::from(node.0);
        self.offsets.resize(self.offsets.len().max(index + 1), (0, 0));
        self.offsets[index] = (beyond, now);
    }

    /// True duration of an interval of the node's clock, µs.
    pub fn true_duration(&self, node: NodeId, by_its_clock: Micros) -> Micros {
        match self.drift(node) {
            0 => by_its_clock,
            _ => scaled(by_its_clock, MILLION as u64, self.rate(node)),
        }
    }
}

/// `time * numerator / denominator`, rounded up.
pub(in crate::sim) fn scaled(time: Micros, numerator: u64, denominator: u64) -> Micros {
    // In two parts, so that no product exceeds 64 bits.
    time / denominator * numerator + (time % denominator * numerator).div_ceil(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_drift_scales_timer_durations() {
        let clocks = Clocks { drift_ppm: vec![0, 250_000, -200_000, 100], ..Clocks::default() };
        let real = |node: u8, micros| clocks.true_duration(NodeId(node), micros);
        assert_eq!([real(0, 1_000), real(1, 1_000), real(2, 1_000), real(9, 1_000)], [1_000, 800, 1_250, 1_000]);
        assert_eq!(real(3, 1_000_000), 999_901, "rounded up");
        assert_eq!(real(1, 24 * 3_600_000_000), 69_120_000_000);
    }

    #[test]
    fn clock_reading_follows_drift_and_jumps() {
        let (mut clocks, node) = (Clocks::default(), NodeId(1));
        assert_eq!(clocks.reading(node, 1_000), 1_000);
        clocks.adjust(node, 500, 1_000);
        assert_eq!(clocks.reading(node, 2_000), 2_500);
        clocks.adjust(node, 0, 2_000);
        clocks.drift_ppm = vec![0, 250_000];
        assert_eq!(clocks.reading(node, 4_000), 5_000);
        clocks.adjust(node, 0, 4_000);
        clocks.drift_ppm = vec![0, -500_000];
        assert_eq!(clocks.reading(node, 6_000), 6_000);
    }
}

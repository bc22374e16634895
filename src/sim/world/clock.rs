//! Clocks that run too fast or too slow, or jump.
//!
//! A node has no clock to read; it sets timers, and its clock is what those run by. Rates are in whole millionths, and times are rounded up to
//! the next microsecond.

use super::event::Event;
use super::{NEVER, World};
use crate::core::{Micros, NodeId};

/// How much faster than true time clocks run, in millionths, by node.
#[derive(Clone, Debug, Default)]
pub(super) struct Clocks {
    drift_ppm: Vec<i32>,
}

const MILLION: i64 = 1_000_000;

impl Clocks {
    fn rate(&self, node: NodeId) -> u64 {
        (MILLION + i64::from(self.drift(node))) as u64
    }

    fn drift(&self, node: NodeId) -> i32 {
        self.drift_ppm.get(usize::from(node.0)).copied().unwrap_or(0)
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
fn scaled(time: Micros, numerator: u64, denominator: u64) -> Micros {
    (u128::from(time) * u128::from(numerator)).div_ceil(u128::from(denominator)) as Micros
}

impl World {
    /// How much faster than true time a node's clock runs, in millionths.
    pub fn drift_ppm(&self, node: NodeId) -> i32 {
        self.faults.as_ref().map_or(0, |faults| faults.clocks.drift(node))
    }

    pub(super) fn set_drift(&mut self, node: NodeId, ppm: i32) {
        let nodes = self.hosts.len();
        let clocks = &mut self.faults().clocks;
        let before = clocks.rate(node);
        clocks.drift_ppm.resize(nodes.max(clocks.drift_ppm.len()), 0);
        clocks.drift_ppm[usize::from(node.0)] = ppm;
        let after = clocks.rate(node);
        let now = self.time;
        self.set_deadlines(node, |deadline| now + scaled(deadline.saturating_sub(now), before, after));
    }

    /// The clock jumps, so that timers have less (or, for a jump backwards, more) to go.
    pub(super) fn jump(&mut self, node: NodeId, by: i32) {
        let Some(faults) = &self.faults else { return };
        let real = faults.clocks.real(node, by.unsigned_abs().into());
        self.set_deadlines(node, |deadline| match by >= 0 {
            true => deadline.saturating_sub(real),
            false => deadline + real,
        });
    }

    /// Gives the pending timers of a node new deadlines; those in the past are due now, in their order.
    pub(super) fn set_deadlines(&mut self, node: NodeId, new: impl Fn(Micros) -> Micros) {
        let now = self.time;
        let host = &mut self.hosts[usize::from(node.0)];
        let mut sooner = Vec::new();
        for (index, timer) in (0..).zip(&mut host.timers).filter(|(_, timer)| timer.deadline != NEVER) {
            timer.deadline = new(timer.deadline);
            if timer.deadline < timer.queued {
                sooner.push((timer.deadline, index));
            }
        }
        sooner.sort_unstable();
        let incarnation = host.incarnation;
        for (deadline, index) in sooner {
            let due = deadline.max(now);
            self.hosts[usize::from(node.0)].timers[index as usize].queued = due;
            self.schedule(due, Event::Timer { node, incarnation, index });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_gets_there_sooner() {
        let clocks = Clocks { drift_ppm: vec![0, 250_000, -200_000, 100] };
        let real = |node: u8, micros| clocks.real(NodeId(node), micros);
        assert_eq!([real(0, 1_000), real(1, 1_000), real(2, 1_000), real(9, 1_000)], [1_000, 800, 1_250, 1_000]);
        assert_eq!(real(3, 1_000_000), 999_901, "rounded up");
        assert_eq!(real(1, 24 * 3_600_000_000), 69_120_000_000);
    }
}

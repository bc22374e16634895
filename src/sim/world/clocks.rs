//! Clock faults: drift and jumps, and the new deadlines of a node's timers.

use super::World;
use crate::core::{Micros, NodeId};
use crate::sim::hosts::clock::scaled;
use crate::sim::hosts::timers::NEVER;
use crate::sim::queue::event::Event;

impl World {
    /// Drift of a node's clock, parts per million; positive is fast.
    pub fn drift_ppm(&self, node: NodeId) -> i32 {
        self.faults.as_ref().map_or(0, |faults| faults.clocks.drift(node))
    }

    pub(super) fn set_drift(&mut self, node: NodeId, ppm: i32) {
        let (nodes, now) = (self.hosts.len(), self.time);
        let clocks = &mut self.faults().clocks;
        clocks.adjust(node, 0, now);
        let before = clocks.rate(node);
        clocks.drift_ppm.resize(nodes.max(clocks.drift_ppm.len()), 0);
        clocks.drift_ppm[usize::from(node.0)] = ppm;
        let after = clocks.rate(node);
        self.set_deadlines(node, |deadline| now + scaled(deadline.saturating_sub(now), before, after));
    }

    /// Clock jump by `by` µs: pending timers have that much less (or, for a jump backwards, more) to go.
    pub(super) fn jump(&mut self, node: NodeId, by: i32) {
        let now = self.time;
        let clocks = &mut self.faults().clocks;
        clocks.adjust(node, by.into(), now);
        let real = clocks.true_duration(node, by.unsigned_abs().into());
        self.set_deadlines(node, |deadline| match by >= 0 {
            true => deadline.saturating_sub(real),
            false => deadline + real,
        });
    }

    /// Maps the deadlines of a node's pending timers; those in the past become due now, in order of deadline.
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

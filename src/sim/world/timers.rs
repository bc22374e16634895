//! Timers: setting them, forgetting them, and what happens when they run out.

use super::{StepOutcome, World};
use crate::core::{Micros, NodeId, TimerId};
use crate::sim::hosts::timers::{NEVER, TimerState};
use crate::sim::queue::event::Event;
use crate::sim::trace::What;

impl World {
    /// A timer may have run out. `None`: it had been set again, or forgotten, or its node has ended.
    pub(super) fn timer_due(&mut self, node: NodeId, incarnation: u16, index: u32) -> Option<StepOutcome> {
        let host = &mut self.hosts[usize::from(node.0)];
        if host.incarnation != incarnation {
            return None;
        }
        let state = &mut host.timers[index as usize];
        if state.queued != self.time {
            return None;
        }
        state.queued = NEVER;
        if state.deadline > self.time {
            if state.deadline != NEVER {
                let deadline = state.deadline;
                state.queued = deadline;
                self.schedule(deadline, Event::Timer { node, incarnation, index });
            }
            return None;
        }
        state.deadline = NEVER;
        let timer = state.timer;
        if !self.hosts[usize::from(node.0)].up {
            return None;
        }
        self.replicas.timer(node, timer, &mut self.outbox);
        let (rules, log_from) = self.outbox.settle();
        self.record(What::Timer, node, node, 0, 0, index, rules);
        self.apply_effects(node);
        Some(StepOutcome::handled(What::Timer, node, log_from))
    }

    /// Lets a timer run out somewhere between `lo` and `hi` µs from now, and not at any other time it was set to.
    #[inline]
    pub(super) fn set_timer(&mut self, node: NodeId, timer: TimerId, lo: Micros, hi: Micros) {
        let host = &mut self.hosts[usize::from(node.0)];
        let mut wait = host.rng.between(lo, hi);
        if let Some(faults) = &self.faults {
            wait = faults.clocks.real(node, wait);
        }
        let deadline = self.time + wait;
        let index = match host.timers.iter().position(|state| state.timer == timer) {
            Some(index) => index,
            // Timers that carry a number would pile up: take over one that has run out.
            None => match host.timers.iter().position(|state| state.deadline == NEVER && state.queued == NEVER) {
                Some(index) => {
                    host.timers[index].timer = timer;
                    index
                }
                None => {
                    host.timers.push(TimerState { timer, deadline, queued: NEVER });
                    host.timers.len() - 1
                }
            },
        };
        let state = &mut host.timers[index];
        state.deadline = deadline;
        if deadline < state.queued {
            state.queued = deadline;
            let incarnation = host.incarnation;
            self.schedule(deadline, Event::Timer { node, incarnation, index: index as u32 });
        }
    }

    /// Forgets a timer.
    pub(super) fn cancel(&mut self, node: NodeId, timer: TimerId) {
        let timers = &mut self.hosts[usize::from(node.0)].timers;
        if let Some(state) = timers.iter_mut().find(|state| state.timer == timer) {
            state.deadline = NEVER;
        }
    }
}

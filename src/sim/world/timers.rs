//! Timers: setting, cancellation and expiry.

use super::{StepOutcome, World};
use crate::core::{Micros, NodeId, TimerId, TimerKind};
use crate::sim::hosts::timers::{NEVER, TimerState};
use crate::sim::queue::event::Event;
use crate::sim::trace::What;

/// A timer that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingTimer {
    /// Its kind.
    pub kind: &'static TimerKind,
    /// When it was set last, µs.
    pub set: Micros,
    /// When it runs out, µs.
    pub due: Micros,
}

impl World {
    /// The timer that will make a node act next, if nothing sets it anew before; where there is none, the one that runs out first, which leads to
    /// one. `None`: none is set, or the node is down or paused.
    pub fn next_timer(&self, node: NodeId) -> Option<PendingTimer> {
        let host = &self.hosts[usize::from(node.0)];
        if !host.up || self.is_paused(node) {
            return None;
        }
        let kinds = self.replicas.timers();
        let kind = |timer: TimerId| kinds.get((timer & 0xff) as usize);
        let pending = host.timers.iter().filter(|state| state.deadline != NEVER);
        let known = pending
            .filter_map(|state| Some(PendingTimer { kind: kind(state.timer)?, set: state.set, due: state.deadline }));
        known.min_by_key(|timer| (!timer.kind.acts, timer.due))
    }

    /// All timers that are set at a node, by their numbers, in the order in which they run out. None while the node is down or paused.
    pub fn pending_timers(&self, node: NodeId) -> Vec<(TimerId, PendingTimer)> {
        let host = &self.hosts[usize::from(node.0)];
        if !host.up || self.is_paused(node) {
            return Vec::new();
        }
        let kinds = self.replicas.timers();
        let pending = host.timers.iter().filter(|state| state.deadline != NEVER);
        let mut pending: Vec<_> = pending
            .filter_map(|state| {
                let kind = kinds.get((state.timer & 0xff) as usize)?;
                Some((state.timer, PendingTimer { kind, set: state.set, due: state.deadline }))
            })
            .collect();
        pending.sort_by_key(|(timer, pending)| (pending.due, *timer));
        pending
    }

    /// Handles a timer event. `None`: the event is stale; the timer was set again or cancelled, or its node has crashed.
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

    /// Sets a timer to a deadline drawn uniformly between `lo` and `hi` µs from now by the node's clock, in place of an earlier deadline.
    #[inline]
    pub(super) fn set_timer(&mut self, node: NodeId, timer: TimerId, lo: Micros, hi: Micros) {
        let host = &mut self.hosts[usize::from(node.0)];
        let mut wait = host.rng.between(lo, hi);
        if let Some(faults) = &self.faults {
            wait = faults.clocks.true_duration(node, wait);
        }
        let deadline = self.time + wait;
        let index = match host.timers.iter().position(|state| state.timer == timer) {
            Some(index) => index,
            // Reuse an expired entry: timers that carry a number would accumulate.
            None => match host.timers.iter().position(|state| state.deadline == NEVER && state.queued == NEVER) {
                Some(index) => {
                    host.timers[index].timer = timer;
                    index
                }
                None => {
                    host.timers.push(TimerState { timer, set: 0, deadline, queued: NEVER });
                    host.timers.len() - 1
                }
            },
        };
        let state = &mut host.timers[index];
        (state.set, state.deadline) = (self.time, deadline);
        if deadline < state.queued {
            state.queued = deadline;
            let incarnation = host.incarnation;
            self.schedule(deadline, Event::Timer { node, incarnation, index: index as u32 });
        }
    }

    /// Cancels a timer; its event in the queue becomes stale.
    pub(super) fn cancel(&mut self, node: NodeId, timer: TimerId) {
        let timers = &mut self.hosts[usize::from(node.0)].timers;
        if let Some(state) = timers.iter_mut().find(|state| state.timer == timer) {
            state.deadline = NEVER;
        }
    }
}

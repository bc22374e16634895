//! Event loop: takes the next event from the queue, dispatches it to a handler, and applies the handler's effects.
//!
//! Delivery of a message: [`World::dispatch`] → `deliver` → `handle` → [`Replicas::deliver`](crate::sim::replicas::Replicas::deliver); sending
//! the next: `apply_effects` → `send` or `broadcast` in `routes.rs`.

use super::{Mark, StepOutcome, World};
use crate::core::{Effect, Header, Micros, NodeId, RuleSet, Slot};
use crate::sim::hosts::timers::NEVER;
use crate::sim::queue::event::{Arriving, Event, Packed};
use crate::sim::trace::{Record, Way, What};

/// `detail` of [`What::Stopped`]: a save did not fit the disk.
const STOPPED_SAVING: u32 = 0;
/// `detail` of [`What::Stopped`]: a scheduled crash between two sends.
const STOPPED_SENDING: u32 = 1;

impl World {
    /// Processes the next event if its time is not after `limit`, µs; otherwise advances time to `limit` and returns `None`.
    pub fn step_until(&mut self, limit: Micros) -> Option<StepOutcome> {
        self.next(limit)
    }

    /// Processes all events until `limit`, µs since the start; returns their number.
    pub fn run_until(&mut self, limit: Micros) -> u64 {
        self.run(limit, u64::MAX)
    }

    /// Processes events until `limit`, µs since the start, but at most `most`; returns their number. Time advances to `limit` only if it is
    /// less than `most`.
    pub fn run(&mut self, limit: Micros, most: u64) -> u64 {
        let before = self.events;
        let end = before.saturating_add(most);
        while self.events < end && self.next(limit).is_some() {}
        self.events - before
    }

    #[inline(always)]
    pub(super) fn next(&mut self, limit: Micros) -> Option<StepOutcome> {
        self.marks.clear();
        if self.records_effects {
            self.replicas.full_mut().clear_recorded();
        }
        let (way, message_id) = loop {
            if self.time <= limit
                && let Some(to) = self.arriving.to.lowest()
            {
                let Arriving { from, flight, message_id, .. } = self.arriving;
                if self.fault_free {
                    self.arriving.to.remove(to);
                    break (Way::new(from, to, flight), message_id);
                }
                if let Some(outcome) = self.arrive() {
                    self.events += 1;
                    return Some(outcome);
                }
            }
            let Some((time, event)) = self.wheel.pop_until(limit) else {
                self.time = self.time.max(if limit == NEVER { self.time } else { limit });
                return None;
            };
            self.time = time;
            self.outbox.clock = time;
            // Fast path: an arrival is handled in place, without dispatch.
            if self.fault_free {
                if let Some(arrival) = event.arrival() {
                    break arrival;
                }
                if let Some(arriving) = event.arrivals() {
                    self.arriving = arriving;
                    continue;
                }
            }
            if let Some(outcome) = self.handle_event(event) {
                self.events += 1;
                return Some(outcome);
            }
        };
        self.events += 1;
        Some(self.handle_inline(way, message_id))
    }

    /// Processes one event. `None`: the event was stale (a timer set again, a session already answered) or deferred.
    #[inline(always)]
    pub(super) fn handle_event(&mut self, event: Packed) -> Option<StepOutcome> {
        // Unpacked on each branch, so that the compiler merges unpacking and dispatch.
        match self.faults {
            Some(_) => (self.fault_code().handle_event)(self, event.unpack()),
            None => self.dispatch(event.unpack()),
        }
    }

    #[inline(always)]
    pub(super) fn dispatch(&mut self, event: Event) -> Option<StepOutcome> {
        match event {
            Event::Deliver { from, to, will_drop, flight, message_id } => {
                Some(self.deliver(from, to, will_drop, flight, message_id))
            }
            Event::DeliverEach { from, to, flight, message_id } => {
                self.arriving = Arriving { from, to, flight, message_id };
                self.arrive()
            }
            Event::Handle { from, to, incarnation, flight, message_id } => {
                if self.hosts[usize::from(to.0)].incarnation != incarnation {
                    self.outbox.messages.release(message_id);
                    return None;
                }
                Some(self.handle(from, to, flight, message_id))
            }
            Event::Timer { node, incarnation, index } => self.timer_due(node, incarnation, index),
            Event::Request { to, will_drop, flight, client_message } => {
                self.deliver_request(to, will_drop, flight, client_message)
            }
            Event::Reply { from, client_message, .. } => self.deliver_reply(from, client_message),
            Event::Wake(client) => self.wake(client),
            Event::RetryTimeout(client) => self.retry_timeout(client),
            Event::Resend { client, seq, attempt } => self.resend(client, seq, attempt),
            Event::Arrival(group) => self.open_loop_arrival(group),
            Event::Script(index) => Some((self.fault_code().scripted)(self, index)),
            Event::Fence { by, target } => Some((self.fault_code().fence)(self, by, target)),
            Event::ProcessorDone { .. } | Event::Cancelled => None,
        }
    }

    /// Delivers an arriving broadcast to the next of its receivers.
    #[inline(never)]
    pub(super) fn arrive(&mut self) -> Option<StepOutcome> {
        let Arriving { from, to, flight, message_id } = self.arriving;
        let next = to.lowest()?;
        self.arriving.to = to.without(next);
        match self.faults {
            Some(_) => (self.fault_code().arrive)(self, from, next, flight, message_id),
            None => Some(self.deliver(from, next, false, flight, message_id)),
        }
    }

    #[inline(never)]
    pub(super) fn deliver(
        &mut self,
        from: NodeId,
        to: NodeId,
        will_drop: bool,
        flight: u32,
        message_id: u32,
    ) -> StepOutcome {
        if will_drop || self.hosts[usize::from(from.0)].cut.has(to) || !self.hosts[usize::from(to.0)].up {
            return self.lose_on_arrival(from, to, flight, message_id);
        }
        if self.topology.processing > 0 && from != to {
            let host = &mut self.hosts[usize::from(to.0)];
            host.busy_until = host.busy_until.max(self.time) + self.topology.processing;
            let (incarnation, turn) = (host.incarnation, host.busy_until);
            self.schedule(turn, Event::Handle { from, to, incarnation, flight, message_id });
            return StepOutcome::passed(What::Delivered, to);
        }
        self.handle(from, to, flight, message_id)
    }

    /// Records the loss of a message at its arrival.
    #[cold]
    pub(super) fn lose_on_arrival(&mut self, from: NodeId, to: NodeId, flight: u32, message_id: u32) -> StepOutcome {
        self.counts.lost += u64::from(from != to);
        let Header { kind, slot, .. } = self.outbox.messages.header(message_id);
        self.outbox.messages.release(message_id);
        self.record(What::Lost, to, from, kind.0, slot, flight, RuleSet::EMPTY);
        StepOutcome::passed(What::Lost, to)
    }

    #[inline(never)]
    pub(super) fn handle(&mut self, from: NodeId, to: NodeId, flight: u32, message_id: u32) -> StepOutcome {
        self.handle_inline(Way::new(from, to, flight), message_id)
    }

    /// Delivers a message to a node's handler and applies the effects; the message is lost if the node is down.
    #[inline(always)]
    pub(super) fn handle_inline(&mut self, way: Way, message_id: u32) -> StepOutcome {
        let (from, to) = (way.from(), way.to());
        let Header { kind, slot, .. } = self.outbox.messages.header(message_id);
        let shared = self.outbox.messages.is_shared(message_id);
        if !self.replicas.deliver(from, to, message_id, shared, &mut self.outbox) {
            return self.lose_on_arrival(from, to, way.flight(), message_id);
        }
        self.outbox.messages.release(message_id);
        let (rules, log_from) = self.outbox.settle();
        self.used = self.used.or(rules);
        self.trace.delivered(self.time, way, kind.0, slot, rules);
        self.apply_effects_inline(to);
        StepOutcome::handled(What::Delivered, to, log_from)
    }

    /// Applies the outbox after a handler call that is no event of its own (boot, operator's order).
    pub(super) fn apply_outbox(&mut self, me: NodeId) {
        let (rules, _) = self.outbox.settle();
        self.used = self.used.or(rules);
        self.apply_effects(me);
    }

    /// Applies the effects in the outbox, in order.
    #[inline(never)]
    pub(super) fn apply_effects(&mut self, me: NodeId) {
        self.apply_effects_inline(me);
    }

    /// [`World::apply_effects`], inlined for message deliveries.
    #[inline(always)]
    pub(super) fn apply_effects_inline(&mut self, me: NodeId) {
        if self.records_effects {
            self.replicas.full_mut().record(me, &self.outbox);
        }
        let mut saved = false;
        let mut next = 0;
        while let Some(effect) = self.outbox.effects().get(next) {
            next += 1;
            match *effect {
                Effect::Send(to, message_id) => {
                    if !self.send(me, to, message_id) {
                        (self.fault_code().stop_mid_effects)(self, me, next, STOPPED_SENDING);
                        break;
                    }
                }
                Effect::Broadcast(to, message_id) => {
                    if !self.broadcast(me, to, message_id) {
                        (self.fault_code().stop_mid_effects)(self, me, next, STOPPED_SENDING);
                        break;
                    }
                }
                Effect::SetTimer(timer, lo, hi) => self.set_timer(me, timer, lo, hi),
                Effect::Cancel(timer) => self.cancel(me, timer),
                Effect::Save => {
                    saved = true;
                    if !self.save(me) {
                        (self.fault_code().stop_mid_effects)(self, me, next, STOPPED_SAVING);
                        break;
                    }
                }
                Effect::Reply(reply) => self.send_reply(me, reply),
                // Marked here and not by `mark`, so that the command is copied only if marks are recorded.
                Effect::Chosen(at, ref command) => {
                    if self.judged {
                        self.marks.push(Mark::Chosen(me, at, *command));
                    }
                    self.record(What::Chosen, me, me, 0, at.slot, u32::from(at.lane), RuleSet::EMPTY);
                }
                Effect::Applied(at, ref command) => {
                    if self.judged {
                        self.marks.push(Mark::Applied(me, at, *command));
                    }
                    self.record(What::Applied, me, me, 0, at.slot, u32::from(at.lane), RuleSet::EMPTY);
                }
                Effect::Restored(slot) => self.mark(Mark::Restored(me, slot)),
                Effect::Fence(target) => self.send_fence(me, target),
            }
        }
        self.outbox.clear();
        if cfg!(debug_assertions) && !saved {
            self.assert_saved(me);
        }
    }

    /// Stops a node while its effects are applied: those from `next` on are discarded, and their messages released.
    #[cold]
    pub(super) fn stop_mid_effects(&mut self, me: NodeId, next: usize, why: u32) {
        let undone: Vec<_> = self.outbox.effects()[next..].to_vec();
        for effect in &undone {
            match effect {
                Effect::Send(_, message_id) => self.outbox.messages.release(*message_id),
                Effect::Broadcast(to, message_id) => to.iter().for_each(|_| self.outbox.messages.release(*message_id)),
                _ => {}
            }
        }
        // All effects were recorded beforehand; the one at which the node stopped was not applied either.
        self.replicas.full_mut().unrecord(undone.len() + 1);
        self.crash(me);
        self.record(What::Stopped, me, me, 0, 0, why, RuleSet::EMPTY);
    }

    /// Records an observation for the checkers, if there are any.
    #[inline(always)]
    pub(super) fn mark(&mut self, mark: Mark) {
        if self.judged {
            self.marks.push(mark);
        }
    }

    /// Puts an event into the queue at `time`, µs; a time in the past counts as now.
    #[inline(always)]
    pub(super) fn schedule(&mut self, time: Micros, event: Event) {
        self.wheel.push(time, event.pack());
    }

    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub(super) fn record(
        &mut self,
        what: What,
        node: NodeId,
        peer: NodeId,
        kind: u8,
        slot: Slot,
        detail: u32,
        rules: RuleSet,
    ) {
        self.used = self.used.or(rules);
        self.trace.push(Record { at: self.time, rules, slot, detail, what, node, peer, kind });
    }
}

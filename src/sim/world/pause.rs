//! Pauses of nodes: long garbage collection, stopped process, suspended virtual machine.
//!
//! Arriving messages wait in the host's buffers, and disk writes in progress complete. When the pause ends, overdue timers fire first, as in a
//! program that checks its clock before it relies on a lease; then the deferred messages are handled, in order of arrival. If the clock
//! stopped as well, timers keep their remaining time.

use super::World;
use crate::core::{Micros, NodeId, NodeSet};
use crate::sim::hosts::timers::NEVER;
use crate::sim::queue::event::Event;

/// A pause in progress.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    since: Micros,
    clock_stops: bool,
    /// Deferred events, oldest first.
    waiting: Vec<Event>,
    /// Messages waiting for a disk write, with the times at which they were to leave, µs.
    to_leave: Vec<(Micros, Event)>,
}

impl Pause {
    /// Events and messages that wait for its end.
    pub(super) fn held(&self) -> usize {
        self.waiting.len() + self.to_leave.len()
    }
}

impl World {
    /// Whether the node is paused.
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.paused(node).is_some()
    }

    /// Nodes that are paused, or have overdue timers that they have not handled yet.
    pub fn unaware(&self) -> NodeSet {
        if self.faults.is_none() {
            return NodeSet::EMPTY;
        }
        let overdue =
            |node: &NodeId| self.hosts[usize::from(node.0)].timers.iter().any(|timer| timer.deadline <= self.time);
        let nodes = (0..self.hosts.len() as u8).map(NodeId);
        nodes.filter(|node| self.is_paused(*node) || overdue(node)).collect()
    }

    /// Number of messages deferred at a paused node.
    pub fn waiting_at(&self, node: NodeId) -> usize {
        self.paused(node).map_or(0, |pause| pause.waiting.len())
    }

    fn paused(&self, node: NodeId) -> Option<&Pause> {
        self.faults.as_ref()?.pauses.get(usize::from(node.0))?.as_ref()
    }

    fn paused_mut(&mut self, node: NodeId) -> Option<&mut Pause> {
        self.faults.as_mut()?.pauses.get_mut(usize::from(node.0))?.as_mut()
    }

    pub(super) fn pause(&mut self, node: NodeId, clock_stops: bool) {
        let now = self.time;
        let mut to_leave = self.take_matching(|arrives, event| match event {
            Event::Deliver { from, to, flight, .. } => {
                from == node && to != node && arrives - Micros::from(flight) > now
            }
            Event::Reply { from, flight, .. } => from == node && arrives - Micros::from(flight) > now,
            _ => false,
        });
        for (time, event) in &mut to_leave {
            if let Event::Deliver { flight, .. } | Event::Reply { flight, .. } = *event {
                *time -= Micros::from(flight);
            }
        }
        to_leave.sort_by_key(|(leaves, _)| *leaves);
        let nodes = self.hosts.len();
        let pauses = &mut self.faults().pauses;
        pauses.resize_with(nodes.max(pauses.len()), || None);
        pauses[usize::from(node.0)] = Some(Pause { since: now, clock_stops, waiting: Vec::new(), to_leave });
    }

    /// Defers an event if its node is paused; otherwise returns it.
    pub(super) fn defer_if_paused(&mut self, event: Event) -> Option<Event> {
        let node = match event {
            // A message that will be lost is not deferred.
            Event::Deliver { from, to, will_drop, .. } if will_drop || self.hosts[usize::from(from.0)].cut.has(to) => {
                return Some(event);
            }
            Event::Request { will_drop: true, .. } => return Some(event),
            Event::Deliver { to, .. } | Event::Request { to, .. } => to,
            Event::ProcessorDone { node, incarnation }
                if self.hosts[usize::from(node.0)].incarnation == incarnation =>
            {
                node
            }
            Event::Handle { to, incarnation, .. } if self.hosts[usize::from(to.0)].incarnation == incarnation => to,
            Event::Timer { node, incarnation, .. } if self.hosts[usize::from(node.0)].incarnation == incarnation => {
                node
            }
            _ => return Some(event),
        };
        let now = self.time;
        let Some(pause) = self.paused_mut(node) else { return Some(event) };
        match event {
            Event::Timer { index, .. } => {
                let timer = &mut self.hosts[usize::from(node.0)].timers[index as usize];
                if timer.queued == now {
                    timer.queued = NEVER;
                }
            }
            _ => pause.waiting.push(event),
        }
        None
    }

    /// Ends the pause of a node, if it is paused.
    pub(super) fn end_pause(&mut self, node: NodeId) {
        let Some(pause) = self.take_pause(node) else { return };
        let now = self.time;
        let stopped_for = if pause.clock_stops { now - pause.since } else { 0 };
        self.set_deadlines(node, |deadline| deadline + stopped_for);
        for event in pause.waiting {
            self.schedule(now, event);
        }
        for (leaves, event) in pause.to_leave {
            if let Event::Deliver { flight, .. } | Event::Reply { flight, .. } = event {
                self.schedule(leaves.max(now) + Micros::from(flight), event);
            }
        }
    }

    /// Crash of a paused node: deferred messages are lost, and unsent ones released.
    pub(super) fn discard_pause(&mut self, node: NodeId) {
        let Some(pause) = self.take_pause(node) else { return };
        for event in pause.waiting {
            self.lose(event);
        }
        for (_, event) in pause.to_leave {
            match event {
                Event::Deliver { message_id, .. } => self.outbox.messages.release(message_id),
                Event::Reply { client_message, .. } => drop(self.client_messages.take(client_message)),
                _ => {}
            }
        }
    }

    fn take_pause(&mut self, node: NodeId) -> Option<Pause> {
        self.faults.as_mut()?.pauses.get_mut(usize::from(node.0))?.take()
    }
}

//! Nodes that do nothing for a while: a long garbage collection, a stopped process, a suspended virtual machine.
//!
//! What arrives meanwhile waits in the machine's buffers, and what is written goes on being written. When the node goes on, its clock has
//! jumped: first it handles the timers that ran out meanwhile, as a program does that looks at its clock before it believes a lease, then
//! what has arrived, in order. If its clock stood still as well, its timers have as long to go as when it fell asleep.

use super::World;
use crate::core::{Micros, NodeId, NodeSet};
use crate::sim::hosts::timers::NEVER;
use crate::sim::queue::event::Event;

/// A pause that is not over.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    since: Micros,
    clock_stops: bool,
    /// What has arrived, oldest first.
    waiting: Vec<Event>,
    /// What was to leave when a write is done, with the times.
    to_leave: Vec<(Micros, Event)>,
}

impl World {
    /// Whether the node is paused.
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.paused(node).is_some()
    }

    /// The nodes that are paused, or have just gone on and not looked yet at the timers that ran out meanwhile.
    pub fn unaware(&self) -> NodeSet {
        if self.faults.is_none() {
            return NodeSet::EMPTY;
        }
        let overdue =
            |node: &NodeId| self.hosts[usize::from(node.0)].timers.iter().any(|timer| timer.deadline <= self.time);
        let nodes = (0..self.hosts.len() as u8).map(NodeId);
        nodes.filter(|node| self.is_paused(*node) || overdue(node)).collect()
    }

    /// How many messages wait for a paused node to go on.
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
        let mut to_leave = self.take_out(|arrives, event| match event {
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

    /// Keeps an event for later if its node is paused.
    pub(super) fn let_wait(&mut self, event: Event) -> Option<Event> {
        let node = match event {
            // What will not arrive does not wait, either.
            Event::Deliver { from, to, will_drop, .. } if will_drop || self.hosts[usize::from(from.0)].cut.has(to) => {
                return Some(event);
            }
            Event::Request { will_drop: true, .. } => return Some(event),
            Event::Deliver { to, .. } | Event::Request { to, .. } => to,
            Event::Turn { node, incarnation } if self.hosts[usize::from(node.0)].incarnation == incarnation => node,
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

    /// The node goes on.
    pub(super) fn wake_up(&mut self, node: NodeId) {
        let Some(pause) = self.take_pause(node) else { return };
        let now = self.time;
        let slept = if pause.clock_stops { now - pause.since } else { 0 };
        self.set_deadlines(node, |deadline| deadline + slept);
        for event in pause.waiting {
            self.schedule(now, event);
        }
        for (leaves, event) in pause.to_leave {
            if let Event::Deliver { flight, .. } | Event::Reply { flight, .. } = event {
                self.schedule(leaves.max(now) + Micros::from(flight), event);
            }
        }
    }

    /// The node ends while it is paused: what waited is lost with it, and what had not left never will.
    pub(super) fn forget_pause(&mut self, node: NodeId) {
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

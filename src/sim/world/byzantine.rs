//! Nodes that lie.
//!
//! Lies need no knowledge of the protocol. *Twins* (Bano et al., OPODIS 2021) are two honest copies under one name that do not know of each
//! other: some nodes talk with one, the others with the other, and so they are told different things. A twin that begins with an empty disk
//! denies all that the node ever promised. The other lies are told on the way out: nothing is said to some, or to all what was meant
//! for one, or with another command in it. What others have signed a Byzantine node can pass on, but not change.
//!
//! The judges look at honest nodes only; who has ever lied is not one of them.

use super::{ClientMessage, Host, StepOutcome, World};
use crate::core::node::Reply;
use crate::core::{Answer, Command, Micros, NodeId, NodeSet};
use crate::sim::action::{ALL, Behaviour};
use crate::sim::hosts::timers::NEVER;
use crate::sim::queue::event::Event;
use crate::sim::replicas::TwinOp;
use crate::sim::rng::Rng;

/// The second copy of a node.
#[derive(Clone, Debug)]
pub(super) struct Twin {
    of: NodeId,
    host: Host,
    /// Who talks with this copy.
    hears: NodeSet,
}

/// The Byzantine nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct ByzantineNodes {
    /// All who ever lied.
    byzantine: NodeSet,
    twins: Vec<Twin>,
    /// Which twin stands in its node's place now.
    present: Option<usize>,
    /// To whom each node says nothing, by node.
    silent: Vec<NodeSet>,
    /// Whom each node sends tampered commands, by node.
    tampers: Vec<NodeSet>,
    /// Who says to all what is meant for one.
    to_all: NodeSet,
}

/// Tells the two copies of a node apart: no node boots so often.
const TWIN_INCARNATION: u16 = 1 << 15;

impl World {
    /// Whether this node has ever lied.
    pub fn is_byzantine(&self, node: NodeId) -> bool {
        self.faults.as_ref().is_some_and(|faults| faults.byzantine.byzantine.has(node))
    }

    /// Whether there are two of this node.
    pub fn has_twin(&self, node: NodeId) -> bool {
        self.faults.as_ref().is_some_and(|faults| faults.byzantine.twins.iter().any(|twin| twin.of == node))
    }

    pub(super) fn behave(&mut self, node: NodeId, behave: Behaviour) {
        let nodes = self.hosts.len();
        let index = usize::from(node.0);
        let byzantine = &mut self.faults().byzantine;
        byzantine.silent.resize(nodes.max(byzantine.silent.len()), NodeSet::EMPTY);
        byzantine.tampers.resize(nodes.max(byzantine.tampers.len()), NodeSet::EMPTY);
        if behave != Behaviour::Honest {
            byzantine.byzantine.add(node);
        }
        match behave {
            Behaviour::Silent(to) => byzantine.silent[index] = to,
            Behaviour::Tamper(to) => byzantine.tampers[index] = to,
            Behaviour::ToAll => drop(byzantine.to_all.add(node)),
            Behaviour::Twin(hears) => self.split(node, hears),
            Behaviour::Deny(hears) => self.deny(node, hears),
            Behaviour::Honest => {
                byzantine.silent[index] = NodeSet::EMPTY;
                byzantine.tampers[index] = NodeSet::EMPTY;
                byzantine.to_all.remove(node);
                self.end_twin(node);
            }
        }
    }

    /// The node becomes two: `hears` talk with the second from now on.
    fn split(&mut self, node: NodeId, hears: NodeSet) {
        let mut host = self.hosts[usize::from(node.0)].clone();
        host.incarnation = host.incarnation.wrapping_add(TWIN_INCARNATION);
        host.rng = Rng::stream(self.seed, "twin", node.0.into());
        let incarnation = host.incarnation;
        let queued = (0..).zip(&host.timers).filter(|(_, timer)| timer.queued != NEVER);
        let queued: Vec<(u32, Micros)> = queued.map(|(index, timer)| (index, timer.queued)).collect();
        for (index, queued) in queued {
            self.schedule(queued, Event::Timer { node, incarnation, index });
        }
        self.replicas.twin(TwinOp::Copy(node));
        self.faults().byzantine.twins.push(Twin { of: node, host, hears });
    }

    /// The same, but the second starts with an empty disk.
    fn deny(&mut self, node: NodeId, hears: NodeSet) {
        let mut host = self.hosts[usize::from(node.0)].clone();
        host.timers.clear();
        host.storage = Default::default();
        host.incarnation = host.incarnation.wrapping_add(TWIN_INCARNATION);
        host.rng = Rng::stream(self.seed, "twin", node.0.into());
        host.up = false;
        self.replicas.twin(TwinOp::Empty(node));
        self.faults().byzantine.twins.push(Twin { of: node, host, hears });
        let index = self.faults().byzantine.twins.len() - 1;
        self.stand_in(index);
        self.boot(node);
        self.stand_in(index);
    }

    /// Only the first copy is left.
    pub(super) fn end_twin(&mut self, node: NodeId) {
        let Some(faults) = &mut self.faults else { return };
        let ByzantineNodes { twins, present, .. } = &mut faults.byzantine;
        if present.is_some_and(|index| twins[index].of == node) {
            *present = None;
        }
        while let Some(place) = twins.iter().position(|twin| twin.of == node) {
            twins.remove(place);
            self.replicas.twin(TwinOp::Remove(place));
        }
    }

    /// A twin and its node change places.
    fn stand_in(&mut self, index: usize) {
        let Some(faults) = &mut self.faults else { return };
        let byzantine = &mut faults.byzantine;
        let twin = &mut byzantine.twins[index];
        let of = usize::from(twin.of.0);
        // Both live in one place, behind the same links.
        let here = &self.hosts[of];
        (twin.host.site, twin.host.domain) = (here.site, here.domain);
        (twin.host.cut, twin.host.cut_links) = (here.cut, here.cut_links);
        self.replicas.twin(TwinOp::Swap(index, twin.of));
        std::mem::swap(&mut twin.host, &mut self.hosts[of]);
        byzantine.present = if byzantine.present.is_some() { None } else { Some(index) };
    }

    /// Carries out an event, at the second copy of its node if it is that one's.
    pub(super) fn at_whichever_copy(&mut self, event: Event) -> Option<StepOutcome> {
        match self.whose(event) {
            Some(index) => {
                self.stand_in(index);
                let outcome = self.dispatch(event);
                // A copy that has stopped, at a full disk, took the other one with it.
                if self.faults.as_ref().is_some_and(|faults| faults.byzantine.present.is_some()) {
                    self.stand_in(index);
                }
                outcome
            }
            None => self.dispatch(event),
        }
    }

    /// The twin that an event is for, if it is for one.
    fn whose(&self, event: Event) -> Option<usize> {
        let twins = &self.faults.as_ref()?.byzantine.twins;
        if twins.is_empty() {
            return None;
        }
        let heard_by = |twin: &Twin| match event {
            Event::Deliver { from, to, .. } => to == twin.of && from != to && twin.hears.has(from),
            Event::Timer { node, incarnation, .. } => node == twin.of && incarnation == twin.host.incarnation,
            Event::Handle { to, incarnation, .. } => to == twin.of && incarnation == twin.host.incarnation,
            // Every other client happens on the second one.
            Event::Request { to, client_message, .. } => {
                let client = match self.client_messages.look(client_message) {
                    Some(
                        ClientMessage::Request(Command { client, .. }) | ClientMessage::Reply(Reply { client, .. }),
                    ) => client.0,
                    None => 0,
                };
                to == twin.of && client % 2 == 1
            }
            _ => false,
        };
        twins.iter().position(heard_by)
    }

    /// Which life of a node hears a message: that of its second copy, or of the first.
    pub(super) fn receiving_incarnation(&self, from: NodeId, to: NodeId) -> u16 {
        let twins = self.faults.as_ref().map_or(&[][..], |faults| &faults.byzantine.twins);
        let twin = twins.iter().find(|twin| twin.of == to && twin.hears.has(from));
        twin.map_or(self.hosts[usize::from(to.0)].incarnation, |twin| twin.host.incarnation)
    }

    /// Whom a message of a node goes to, lies considered; those left out never hear of it. The message is meant for as many.
    pub(super) fn audience(&mut self, from: NodeId, to: NodeSet, message_id: u32) -> NodeSet {
        let Some(faults) = &self.faults else { return to };
        let byzantine = &faults.byzantine;
        if !byzantine.byzantine.has(from) {
            return to;
        }
        let mut hears = to;
        if byzantine.to_all.has(from) && to != NodeSet::just(from) {
            hears = hears.or(NodeSet::first(self.hosts.len() as u8).without(from));
        }
        hears = hears.minus(byzantine.silent[usize::from(from.0)].without(from));
        if let Some(twin) = byzantine.twins.iter().find(|twin| twin.of == from) {
            hears = match byzantine.present {
                Some(_) => hears.and(twin.hears.with(from)),
                None => hears.minus(twin.hears),
            };
        }
        self.outbox.messages.readdress(message_id, hears.len().into());
        hears
    }

    /// Whether a node answers clients.
    pub(super) fn answers(&self, node: NodeId) -> bool {
        let Some(faults) = &self.faults else { return true };
        let others = NodeSet::first(self.hosts.len() as u8).without(node);
        let silent = faults.byzantine.silent.get(usize::from(node.0));
        silent.is_none_or(|silent| !others.minus(*silent).is_empty() || others.is_empty())
    }

    /// What a node answers a client: something else than it should, if it tampers with what it sends to everybody.
    pub(super) fn tamper_reply(&self, from: NodeId, reply: Reply) -> Reply {
        let tampers = self.faults.as_ref().and_then(|faults| faults.byzantine.tampers.get(usize::from(from.0)));
        match reply.answer {
            Answer::Done(outcome) if tampers == Some(&ALL) => {
                Reply { answer: Answer::Done(outcome.tampered()), ..reply }
            }
            _ => reply,
        }
    }

    /// The message with another command in it, if the sender tampers what it sends there and there is one in it.
    pub(super) fn tamper(&mut self, from: NodeId, to: NodeId, event: Event) -> Event {
        let tampers = self.faults.as_ref().is_some_and(|faults| {
            faults.byzantine.tampers.get(usize::from(from.0)).is_some_and(|tampers| tampers.has(to))
        });
        let Event::Deliver { will_drop, flight, message_id, .. } = event else { return event };
        let tampered = if tampers { self.replicas.tamper_message(message_id, &mut self.outbox) } else { None };
        match tampered {
            Some(message_id) => Event::Deliver { from, to, will_drop, flight, message_id },
            None => event,
        }
    }
}

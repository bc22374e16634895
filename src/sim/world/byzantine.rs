//! Byzantine nodes: twins, selective silence, tampered commands, unicast messages sent to all.
//!
//! None of it depends on the protocol. *Twins* (Bano et al., OPODIS 2021) are two honest copies of a node under one id that do not know of
//! each other: some nodes exchange messages with one, the others with the other, which amounts to equivocation. A twin that starts with an
//! empty disk denies what the node promised before. The other behaviours are applied when messages are sent: omitted for some receivers, sent
//! to all, or with another command. A Byzantine node can forward signed content, but not alter it.
//!
//! The checkers judge honest nodes only; a node that was ever Byzantine is not one of them.

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
    /// Nodes that exchange messages with this copy.
    peers: NodeSet,
}

/// State of all Byzantine nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct ByzantineNodes {
    /// Nodes that were ever Byzantine.
    byzantine: NodeSet,
    twins: Vec<Twin>,
    /// The twin that is swapped into its node's host now.
    swapped_in: Option<usize>,
    /// By node: receivers to which it sends nothing.
    silent: Vec<NodeSet>,
    /// By node: receivers to which it sends tampered commands.
    tampers: Vec<NodeSet>,
    /// Nodes that send unicast messages to all.
    to_all: NodeSet,
}

/// Offset of a twin's incarnation from its node's; above any number of boots.
const TWIN_INCARNATION: u16 = 1 << 15;

impl World {
    /// Whether this node was ever Byzantine.
    pub fn is_byzantine(&self, node: NodeId) -> bool {
        self.byzantine().has(node)
    }

    /// All nodes that were ever Byzantine.
    pub fn byzantine(&self) -> NodeSet {
        self.faults.as_ref().map_or(NodeSet::EMPTY, |faults| faults.byzantine.byzantine)
    }

    /// Whether this node has a twin.
    pub fn has_twin(&self, node: NodeId) -> bool {
        self.faults.as_ref().is_some_and(|faults| faults.byzantine.twins.iter().any(|twin| twin.of == node))
    }

    pub(super) fn set_behaviour(&mut self, node: NodeId, behaviour: Behaviour) {
        let nodes = self.hosts.len();
        let index = usize::from(node.0);
        let byzantine = &mut self.faults().byzantine;
        byzantine.silent.resize(nodes.max(byzantine.silent.len()), NodeSet::EMPTY);
        byzantine.tampers.resize(nodes.max(byzantine.tampers.len()), NodeSet::EMPTY);
        if behaviour != Behaviour::Honest {
            byzantine.byzantine.add(node);
        }
        match behaviour {
            Behaviour::Silent(to) => byzantine.silent[index] = to,
            Behaviour::Tamper(to) => byzantine.tampers[index] = to,
            Behaviour::ToAll => drop(byzantine.to_all.add(node)),
            Behaviour::Twin(peers) => self.create_twin(node, peers),
            Behaviour::Deny(peers) => self.create_empty_twin(node, peers),
            Behaviour::Honest => {
                byzantine.silent[index] = NodeSet::EMPTY;
                byzantine.tampers[index] = NodeSet::EMPTY;
                byzantine.to_all.remove(node);
                self.end_twin(node);
            }
        }
    }

    /// Creates a twin as a copy of the node; `peers` exchange messages with the twin from now on.
    fn create_twin(&mut self, node: NodeId, peers: NodeSet) {
        let mut host = self.hosts[usize::from(node.0)].clone();
        host.incarnation = host.incarnation.wrapping_add(TWIN_INCARNATION);
        host.rng = Rng::stream(self.seed, "twin", node.0.into());
        let incarnation = host.incarnation;
        let queued = (0..).zip(&host.timers).filter(|(_, timer)| timer.queued != NEVER);
        let queued: Vec<(u32, Micros)> = queued.map(|(index, timer)| (index, timer.queued)).collect();
        for (index, queued) in queued {
            self.schedule(queued, Event::Timer { node, incarnation, index });
        }
        self.replicas.full_mut().twin(TwinOp::Copy(node));
        self.faults().byzantine.twins.push(Twin { of: node, host, peers });
    }

    /// Creates a twin that boots with an empty disk.
    fn create_empty_twin(&mut self, node: NodeId, peers: NodeSet) {
        let mut host = self.hosts[usize::from(node.0)].clone();
        host.timers.clear();
        host.storage = Default::default();
        host.incarnation = host.incarnation.wrapping_add(TWIN_INCARNATION);
        host.rng = Rng::stream(self.seed, "twin", node.0.into());
        host.up = false;
        self.replicas.full_mut().twin(TwinOp::Empty(node));
        self.faults().byzantine.twins.push(Twin { of: node, host, peers });
        let index = self.faults().byzantine.twins.len() - 1;
        self.swap_twin(index);
        self.boot(node);
        self.swap_twin(index);
    }

    /// Removes the twin of a node.
    pub(super) fn end_twin(&mut self, node: NodeId) {
        let Some(faults) = &mut self.faults else { return };
        let ByzantineNodes { twins, swapped_in, .. } = &mut faults.byzantine;
        if swapped_in.is_some_and(|index| twins[index].of == node) {
            *swapped_in = None;
        }
        while let Some(place) = twins.iter().position(|twin| twin.of == node) {
            twins.remove(place);
            self.replicas.full_mut().twin(TwinOp::Remove(place));
        }
    }

    /// Swaps a twin with its node, host and state.
    fn swap_twin(&mut self, index: usize) {
        let Some(faults) = &mut self.faults else { return };
        let byzantine = &mut faults.byzantine;
        let twin = &mut byzantine.twins[index];
        let of = usize::from(twin.of.0);
        // Both copies share site, failure domain and link cuts.
        let here = &self.hosts[of];
        (twin.host.site, twin.host.domain) = (here.site, here.domain);
        (twin.host.cut, twin.host.cut_links) = (here.cut, here.cut_links);
        twin.host.cut_replicas_only = here.cut_replicas_only;
        self.replicas.full_mut().twin(TwinOp::Swap(index, twin.of));
        std::mem::swap(&mut twin.host, &mut self.hosts[of]);
        byzantine.swapped_in = if byzantine.swapped_in.is_some() { None } else { Some(index) };
    }

    /// Dispatches an event to the twin if it is addressed to one, otherwise to the node.
    pub(super) fn dispatch_to_copy(&mut self, event: Event) -> Option<StepOutcome> {
        match self.addressed_twin(event) {
            Some(index) => {
                self.swap_twin(index);
                let outcome = self.dispatch(event);
                // A twin that has stopped, at a full disk, was removed together with its node.
                if self.faults.as_ref().is_some_and(|faults| faults.byzantine.swapped_in.is_some()) {
                    self.swap_twin(index);
                }
                outcome
            }
            None => self.dispatch(event),
        }
    }

    /// Index of the twin to which an event is addressed, if any.
    fn addressed_twin(&self, event: Event) -> Option<usize> {
        let twins = &self.faults.as_ref()?.byzantine.twins;
        if twins.is_empty() {
            return None;
        }
        let is_addressed = |twin: &Twin| match event {
            Event::Deliver { from, to, .. } => to == twin.of && from != to && twin.peers.has(from),
            Event::Timer { node, incarnation, .. } => node == twin.of && incarnation == twin.host.incarnation,
            Event::Handle { to, incarnation, .. } => to == twin.of && incarnation == twin.host.incarnation,
            // Clients with odd ids reach the twin.
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
        twins.iter().position(is_addressed)
    }

    /// Incarnation of the copy of `to` that receives messages of `from`.
    pub(super) fn addressed_incarnation(&self, from: NodeId, to: NodeId) -> u16 {
        let twins = self.faults.as_ref().map_or(&[][..], |faults| &faults.byzantine.twins);
        let twin = twins.iter().find(|twin| twin.of == to && twin.peers.has(from));
        twin.map_or(self.hosts[usize::from(to.0)].incarnation, |twin| twin.host.incarnation)
    }

    /// Receivers of a message of `from`, as changed by its Byzantine behaviour; adjusts the message's receiver count.
    pub(super) fn byzantine_receivers(&mut self, from: NodeId, to: NodeSet, message_id: u32) -> NodeSet {
        let Some(faults) = &self.faults else { return to };
        let byzantine = &faults.byzantine;
        if !byzantine.byzantine.has(from) {
            return to;
        }
        let mut receivers = to;
        if byzantine.to_all.has(from) && to != NodeSet::just(from) {
            receivers = receivers.or(NodeSet::first(self.hosts.len() as u8).without(from));
        }
        receivers = receivers.minus(byzantine.silent[usize::from(from.0)].without(from));
        if let Some(twin) = byzantine.twins.iter().find(|twin| twin.of == from) {
            receivers = match byzantine.swapped_in {
                Some(_) => receivers.and(twin.peers.with(from)),
                None => receivers.minus(twin.peers),
            };
        }
        self.outbox.messages.readdress(message_id, receivers.len().into());
        receivers
    }

    /// Whether a node replies to clients: not if it is silent towards all others.
    pub(super) fn replies_to_clients(&self, node: NodeId) -> bool {
        let Some(faults) = &self.faults else { return true };
        let others = NodeSet::first(self.hosts.len() as u8).without(node);
        let silent = faults.byzantine.silent.get(usize::from(node.0));
        silent.is_none_or(|silent| !others.minus(*silent).is_empty() || others.is_empty())
    }

    /// The reply, with a tampered outcome if the node tampers with messages to all.
    pub(super) fn tamper_reply(&self, from: NodeId, reply: Reply) -> Reply {
        let tampers = self.faults.as_ref().and_then(|faults| faults.byzantine.tampers.get(usize::from(from.0)));
        match reply.answer {
            Answer::Done(outcome) if tampers == Some(&ALL) => {
                Reply { answer: Answer::Done(outcome.tampered()), ..reply }
            }
            _ => reply,
        }
    }

    /// The message, with another command if the sender tampers with messages to this receiver and there is a command to replace.
    pub(super) fn tamper(&mut self, from: NodeId, to: NodeId, event: Event) -> Event {
        let tampers = self.faults.as_ref().is_some_and(|faults| {
            faults.byzantine.tampers.get(usize::from(from.0)).is_some_and(|tampers| tampers.has(to))
        });
        let Event::Deliver { will_drop, flight, message_id, .. } = event else { return event };
        let tampered =
            if tampers { self.replicas.full_mut().tamper_message(message_id, &mut self.outbox) } else { None };
        match tampered {
            Some(message_id) => Event::Deliver { from, to, will_drop, flight, message_id },
            None => event,
        }
    }
}

//! History variables: what a state must remember of its past so that safety can be judged (Abadi and Lamport, *The Existence of Refinement
//! Mappings*, 1991, §5). The usual one, [`SafetyHistory`], keeps decisions, leaders and, if clients read, their operations.

use super::bounds::Request;
use super::client_history::ClientHistory;
use crate::core::node::{Node, Protocol, Reply};
use crate::core::{Command, Epoch, Names, NodeId, NodeSet, Shots, Slot};
use crate::judge::safety::{AGREEMENT, LINEARIZABLE, ONE_LEADER, ORDER};
use std::fmt::Debug;
use std::hash::Hash;

/// The message type of a protocol.
pub(super) type Msg<P> = <<P as Protocol>::Node as Node>::Msg;

/// What is in flight: from, to, and a message, or `None`: the order that turns the receiver off ([`Out::fence`](crate::core::Out::fence)).
pub(super) type Envelope<P> = (NodeId, NodeId, Option<Msg<P>>);

/// A history variable, as part of a state: two states that differ in it alone can have different futures.
pub trait HistoryVariable<P: Protocol>: Clone + Debug + Eq + Hash + 'static {
    /// The history in which nothing has happened yet, when clients may make these requests.
    fn new(requests: &[Request]) -> Self;

    /// Whether an event can matter to it, whatever it holds.
    fn is_relevant(event: &Observation<'_, P>) -> bool;

    /// Takes in an event and tells what it violates. Where two things contradict each other, the first one stays.
    fn observe(&mut self, event: &Observation<'_, P>) -> Vec<Violation>;

    /// The command known to be chosen in a slot.
    fn chosen(&self, _slot: Slot) -> Option<Command> {
        None
    }

    /// Exchanges names in it. Names are exchanged only where [`Protocol::exchange`] says how.
    fn exchange(&mut self, _names: &Names) {}
}

/// One event, as a history variable sees it.
#[derive(Debug)]
pub struct Observation<'a, P: Protocol> {
    /// The node that handled it.
    pub node: NodeId,
    /// Whether the node (its disk and its timers included) is not what it was.
    pub changed: bool,
    /// The message that arrived, and from whom.
    pub arrived: Option<(NodeId, &'a Msg<P>)>,
    /// Messages sent to others: from, to, what.
    pub sent: Vec<(NodeId, NodeId, &'a Msg<P>)>,
    /// What it meant whatever the protocol.
    pub facts: EventFacts<'a>,
}

/// What one event meant, in terms that every protocol shares.
#[derive(Clone, Copy, Debug)]
pub struct EventFacts<'a> {
    /// The request that a client made, by its place in the list.
    pub request: Option<usize>,
    /// What the node now knows to be chosen.
    pub decided: &'a [(Slot, Command)],
    /// A slot it executed out of order.
    pub out_of_order: Option<Slot>,
    /// What it told clients.
    pub replies: &'a [Reply],
    /// The epoch it led before.
    pub led: Option<Epoch>,
    /// The epoch it leads now.
    pub leads: Option<Epoch>,
}

/// A violated property, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub property: &'static str,
    /// What it says.
    pub says: &'static str,
    /// The nodes it takes to see it.
    pub nodes: NodeSet,
    /// The slot, if it is about one.
    pub slot: Option<Slot>,
}

impl Violation {
    /// A violation of the property of this name, which says this.
    pub fn new((property, says): (&'static str, &'static str), nodes: NodeSet, slot: Option<Slot>) -> Violation {
        Violation { property, says, nodes, slot }
    }
}

/// Decisions and leaders so far and, if clients read, what clients asked and were told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SafetyHistory {
    /// Command by slot, sorted.
    decided: Vec<(Slot, Command)>,
    /// Leader by epoch, sorted.
    leaders: Vec<(Epoch, NodeId)>,
    /// Kept only if clients read: of writes alone, everything is told by the log.
    clients: Option<ClientHistory>,
}

impl SafetyHistory {
    /// `once`: what is decided is executed, and so must not be decided a second time.
    fn decide(&mut self, node: NodeId, slot: Slot, command: Command, once: bool) -> Option<Violation> {
        match self.decided.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Err(place) => {
                let twice = once && self.decided.iter().any(|(_, earlier)| *earlier == command);
                self.decided.insert(place, (slot, command));
                if twice {
                    return Some(Violation::new(ORDER, NodeSet::just(node), Some(slot)));
                }
            }
            Ok(place) if self.decided[place].1 != command => {
                return Some(Violation::new(AGREEMENT, NodeSet::just(node), Some(slot)));
            }
            Ok(_) => {}
        }
        None
    }

    fn lead(&mut self, node: NodeId, epoch: Epoch) -> Option<Violation> {
        match self.leaders.binary_search_by_key(&epoch, |(epoch, _)| *epoch) {
            Err(place) => self.leaders.insert(place, (epoch, node)),
            Ok(place) if self.leaders[place].1 != node => {
                let nodes = NodeSet::just(self.leaders[place].1).with(node);
                return Some(Violation::new(ONE_LEADER, nodes, None));
            }
            Ok(_) => {}
        }
        None
    }

    fn take_in(&mut self, node: NodeId, event: EventFacts<'_>, once: bool) -> Vec<Violation> {
        let mut violations = Vec::new();
        for &(slot, command) in event.decided {
            violations.extend(self.decide(node, slot, command, once));
        }
        if let Some(slot) = event.out_of_order {
            violations.push(Violation::new(ORDER, NodeSet::just(node), Some(slot)));
        }
        if let Some(epoch) = event.leads {
            violations.extend(self.lead(node, epoch));
        }
        if let Some(clients) = &mut self.clients {
            if let Some(index) = event.request {
                clients.invoke(index);
            }
            if !clients.respond(event.replies) {
                violations.push(Violation::new(LINEARIZABLE, NodeSet::just(node), None));
            }
        }
        violations
    }
}

impl<P: Protocol> HistoryVariable<P> for SafetyHistory {
    fn new(requests: &[Request]) -> SafetyHistory {
        let reads = requests.iter().any(|request| request.command.op.is_read());
        let clients = reads.then(|| ClientHistory::new(requests));
        SafetyHistory { decided: Vec::new(), leaders: Vec::new(), clients }
    }

    fn is_relevant(Observation { facts, .. }: &Observation<'_, P>) -> bool {
        let told = !facts.decided.is_empty() || facts.out_of_order.is_some() || !facts.replies.is_empty();
        told || facts.request.is_some() || facts.leads != facts.led
    }

    fn observe(&mut self, event: &Observation<'_, P>) -> Vec<Violation> {
        self.take_in(event.node, event.facts, P::CARD.agrees_on == Shots::Registers)
    }

    fn chosen(&self, slot: Slot) -> Option<Command> {
        let place = self.decided.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        Some(self.decided[place].1)
    }

    fn exchange(&mut self, names: &Names) {
        for (epoch, node) in &mut self.leaders {
            names.node(node);
            names.epoch(epoch);
        }
        self.leaders.sort_unstable();
    }
}

/// For an exploration in which the protocol's own invariants are all there is to check.
impl<P: Protocol> HistoryVariable<P> for () {
    fn new(_: &[Request]) {}

    fn is_relevant(_: &Observation<'_, P>) -> bool {
        false
    }

    fn observe(&mut self, _: &Observation<'_, P>) -> Vec<Violation> {
        Vec::new()
    }
}

//! What a state must remember of the past for the judges' sake: what was decided, who led, and what clients were told.

use super::bounds::Request;
use super::history::History;
use super::steps::{Envelope, Msg};
use crate::core::node::{Protocol, Reply};
use crate::core::{Command, Epoch, NodeId, NodeSet, Shots, Slot};
use crate::judge::safety::{AGREEMENT, ONE_LEADER, ORDER};
use std::fmt::Debug;
use std::hash::Hash;

/// Memory of the past, as part of a state: two states that differ in it alone can have different futures.
pub trait Memory<P: Protocol>: Clone + Debug + Eq + Hash {
    /// The memory of nothing, when clients will ask for these.
    fn new(requests: &[Request]) -> Self;

    /// Whether an event can matter to it, whatever it remembers.
    fn cares(seen: &Seen<'_, P>) -> bool;

    /// Takes in what an event brought; tells what that breaks, and goes on with what was known first.
    fn take_in(&mut self, seen: &Seen<'_, P>) -> Vec<Broken>;

    /// The command known to be chosen in a slot.
    fn chosen(&self, _slot: Slot) -> Option<Command> {
        None
    }

    /// The same under other names. Names are exchanged only where [`Protocol::exchange`] says how.
    fn exchange(&mut self, _names: &crate::core::Names) {}
}

/// One event, as the judges see it.
#[derive(Debug)]
pub struct Seen<'a, P: Protocol> {
    /// Whom it happened to.
    pub node: NodeId,
    /// Whether the node (its disk and its timers included) is not what it was.
    pub changed: bool,
    /// The message that arrived, and from whom.
    pub arrived: Option<(NodeId, &'a Msg<P>)>,
    /// The request that a client made, by its place in the list.
    pub asked: Option<usize>,
    /// What was sent to others: from, to, what.
    pub sent: Vec<&'a Envelope<P>>,
    /// What the node now knows to be chosen.
    pub learned: &'a [(Slot, Command)],
    /// A slot it executed out of order.
    pub disorder: Option<Slot>,
    /// What it told clients.
    pub replies: &'a [Reply],
    /// The epoch it led before.
    pub led: Option<Epoch>,
    /// The epoch it leads now.
    pub leads: Option<Epoch>,
}

/// A broken property, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub property: &'static str,
    /// What it says.
    pub says: &'static str,
    /// The nodes it takes to see it.
    pub nodes: NodeSet,
    /// The slot, if it is about one.
    pub slot: Option<Slot>,
}

impl Broken {
    /// A property of this name, which says this, is broken.
    pub fn new((property, says): (&'static str, &'static str), nodes: NodeSet, slot: Option<Slot>) -> Broken {
        Broken { property, says, nodes, slot }
    }
}

/// Decisions and leaders so far and, if clients read, what they were told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Past {
    /// Command by slot, sorted.
    decided: Vec<(Slot, Command)>,
    /// Leader by epoch, sorted.
    leaders: Vec<(Epoch, NodeId)>,
    /// Kept only if clients read: of writes alone, everything is told by the log.
    history: Option<History>,
}

impl Past {
    fn learn(&mut self, node: NodeId, slot: Slot, command: Command, once: bool) -> Option<Broken> {
        match self.decided.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Err(place) => {
                // What a register executed, it must not execute again.
                let twice = once && self.decided.iter().any(|(_, earlier)| *earlier == command);
                self.decided.insert(place, (slot, command));
                if twice {
                    return Some(Broken::new(ORDER, NodeSet::just(node), Some(slot)));
                }
            }
            Ok(place) if self.decided[place].1 != command => {
                return Some(Broken::new(AGREEMENT, NodeSet::just(node), Some(slot)));
            }
            Ok(_) => {}
        }
        None
    }

    fn lead(&mut self, node: NodeId, epoch: Epoch) -> Option<Broken> {
        match self.leaders.binary_search_by_key(&epoch, |(epoch, _)| *epoch) {
            Err(place) => self.leaders.insert(place, (epoch, node)),
            Ok(place) if self.leaders[place].1 != node => {
                let nodes = NodeSet::just(self.leaders[place].1).with(node);
                return Some(Broken::new(ONE_LEADER, nodes, None));
            }
            Ok(_) => {}
        }
        None
    }
}

impl<P: Protocol> Memory<P> for Past {
    fn new(requests: &[Request]) -> Past {
        let reads = requests.iter().any(|request| request.command.op.is_read());
        Past { decided: Vec::new(), leaders: Vec::new(), history: reads.then(|| History::new(requests)) }
    }

    fn cares(seen: &Seen<'_, P>) -> bool {
        let said = !seen.learned.is_empty() || seen.disorder.is_some() || !seen.replies.is_empty();
        said || seen.asked.is_some() || seen.leads != seen.led
    }

    fn take_in(&mut self, seen: &Seen<'_, P>) -> Vec<Broken> {
        let mut broken = Vec::new();
        for &(slot, command) in seen.learned {
            broken.extend(self.learn(seen.node, slot, command, P::CARD.shots == Shots::Registers));
        }
        if let Some(slot) = seen.disorder {
            broken.push(Broken::new(ORDER, NodeSet::just(seen.node), Some(slot)));
        }
        if let Some(epoch) = seen.leads {
            broken.extend(self.lead(seen.node, epoch));
        }
        if let Some(history) = &mut self.history {
            if let Some(index) = seen.asked {
                history.ask(index);
            }
            broken.extend(history.answer(seen.node, seen.replies));
        }
        broken
    }

    fn chosen(&self, slot: Slot) -> Option<Command> {
        let place = self.decided.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        Some(self.decided[place].1)
    }

    fn exchange(&mut self, names: &crate::core::Names) {
        for (epoch, node) in &mut self.leaders {
            names.node(node);
            names.epoch(epoch);
        }
        self.leaders.sort_unstable();
    }
}

/// For an exploration in which the nodes' own invariants are all there is to look at.
impl<P: Protocol> Memory<P> for () {
    fn new(_: &[Request]) {}

    fn cares(_: &Seen<'_, P>) -> bool {
        false
    }

    fn take_in(&mut self, _: &Seen<'_, P>) -> Vec<Broken> {
        Vec::new()
    }
}

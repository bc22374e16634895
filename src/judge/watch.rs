//! Safety at every event: agreement, order of execution, one leader an epoch, and the protocol's own invariants.

use crate::core::node::{Breach, Node, Protocol, Step};
use crate::core::{Command, Epoch, Log, Micros, NodeId, NodeSet, Slot};
use crate::sim::world::Mark;
use crate::sim::{Happening, World};
use std::collections::BTreeMap;

/// Something that must never happen, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the property: `Agreement`, `Log Matching`.
    pub property: &'static str,
    /// What the property says.
    pub says: &'static str,
    /// The nodes it takes to see it.
    pub nodes: NodeSet,
    /// The slot, if it is about one.
    pub slot: Option<Slot>,
    /// Number of the event after which it was seen.
    pub event: u64,
    /// When, µs since the start.
    pub at: Micros,
}

/// A leader and the time from which it led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reign {
    /// Since when, µs.
    pub since: Micros,
    /// Who.
    pub node: NodeId,
    /// In which term or ballot.
    pub epoch: Epoch,
}

/// A value decided in a slot, and who was first to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decision {
    command: Command,
    by: NodeId,
}

/// Violations kept; a broken run goes on breaking, and the first ones tell the story.
const KEEP: usize = 16;

/// Watches one world. Give it every step.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    decided: Log<Option<Decision>>,
    applied: Vec<Slot>,
    leads: Vec<Option<Epoch>>,
    leaders: BTreeMap<Epoch, NodeId>,
    reigns: Log<Reign>,
    violations: Vec<Violation>,
    /// Number of client commands known to be chosen.
    chosen: u64,
}

impl Default for Reign {
    fn default() -> Reign {
        Reign { since: 0, node: NodeId(0), epoch: Epoch::default() }
    }
}

pub(super) const AGREEMENT: (&str, &str) = ("Agreement", "No two nodes decide differently on one slot.");
pub(super) const ORDER: (&str, &str) =
    ("Applied prefix", "Every node executes the chosen commands in order, without gaps and each once.");
pub(super) const ONE_LEADER: (&str, &str) =
    ("One leader an epoch", "At most one node leads in any one term or ballot.");

/// What an exploration looks for when clients read; of whole runs, `judge::linearizability` judges the histories.
pub const LINEARIZABLE: (&str, &str) = (
    "Linearizable",
    "What clients were told fits one order of their operations, each between its request and its answer.",
);

/// The properties of every protocol: name, and what it says.
pub const PROPERTIES: [(&str, &str); 3] = [AGREEMENT, ORDER, ONE_LEADER];

impl Watch {
    /// Looks at what the last step or action did. `happening` is `None` after an action: then every node may have changed.
    pub fn observe<P: Protocol>(&mut self, world: &World<P>, happening: Option<Happening>) {
        for mark in world.marks() {
            self.mark(world, *mark);
        }
        match happening {
            Some(happening) if happening.what == crate::sim::What::Acted => self.look_at_all(world),
            Some(Happening { handled: true, node, log_from, .. }) => {
                self.look_at(world, Step { changed: node, log_from });
            }
            Some(_) => {}
            None => self.look_at_all(world),
        }
    }

    fn look_at_all<P: Protocol>(&mut self, world: &World<P>) {
        for node in 0..world.nodes().len() as u8 {
            self.look_at(world, Step { changed: NodeId(node), log_from: Some(1) });
        }
    }

    fn mark<P: Protocol>(&mut self, world: &World<P>, mark: Mark) {
        match mark {
            Mark::Chosen(node, slot, command) => self.decide(world, node, slot, command),
            Mark::Applied(node, slot, command) => {
                self.decide(world, node, slot, command);
                let applied = self.applied_by(node);
                let expected = *applied + 1;
                *applied = slot;
                if slot != expected {
                    self.violated(world, ORDER, NodeSet::just(node), Some(slot));
                }
            }
            Mark::Restored(node, slot) => *self.applied_by(node) = slot,
            Mark::Booted(node) => *self.applied_by(node) = 0,
        }
    }

    fn applied_by(&mut self, node: NodeId) -> &mut Slot {
        let index = usize::from(node.0);
        if self.applied.len() <= index {
            self.applied.resize(index + 1, 0);
        }
        &mut self.applied[index]
    }

    fn decide<P: Protocol>(&mut self, world: &World<P>, by: NodeId, slot: Slot, command: Command) {
        while self.decided.last() < slot {
            self.decided.push(None);
        }
        let Some(decision) = self.decided.get(slot) else { return };
        match *decision {
            Some(earlier) if earlier.command != command => {
                self.violated(world, AGREEMENT, NodeSet::just(earlier.by).with(by), Some(slot));
            }
            Some(_) => {}
            None => {
                self.chosen += u64::from(command.client != crate::core::ClientId::NOBODY);
                if let Some(place) = self.decided.get_mut(slot) {
                    *place = Some(Decision { command, by });
                }
            }
        }
    }

    fn look_at<P: Protocol>(&mut self, world: &World<P>, step: Step) {
        let node = step.changed;
        let index = usize::from(node.0);
        if self.leads.len() < world.nodes().len() {
            self.leads.resize(world.nodes().len(), None);
        }
        let leads = world.nodes()[index].as_ref().and_then(|node| node.leads());
        if leads != self.leads[index] {
            self.leads[index] = leads;
            if let Some(epoch) = leads {
                let first = *self.leaders.entry(epoch).or_insert(node);
                if first != node {
                    self.violated(world, ONE_LEADER, NodeSet::just(first).with(node), None);
                }
                self.reigns.push(Reign { since: world.time(), node, epoch });
            }
        }
        for invariant in P::invariants() {
            if let Err(Breach { other, slot }) = (invariant.holds)(world.nodes(), step) {
                let nodes = other.into_iter().fold(NodeSet::just(node), NodeSet::with);
                self.violated(world, (invariant.name, invariant.says), nodes, slot);
            }
        }
    }

    fn violated<P: Protocol>(
        &mut self,
        world: &World<P>,
        (property, says): (&'static str, &'static str),
        nodes: NodeSet,
        slot: Option<Slot>,
    ) {
        let same = |earlier: &Violation| earlier.property == property && earlier.nodes == nodes && earlier.slot == slot;
        if self.violations.len() < KEEP && !self.violations.iter().any(same) {
            let (event, at) = (world.events(), world.time());
            self.violations.push(Violation { property, says, nodes, slot, event, at });
        }
    }

    /// What went wrong, first things first; at most 16.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Every time somebody began to lead.
    pub fn reigns(&self) -> impl DoubleEndedIterator<Item = &Reign> {
        self.reigns.iter().map(|(_, reign)| reign)
    }

    /// Client commands known to be chosen by at least one node.
    pub fn chosen(&self) -> u64 {
        self.chosen
    }

    /// What some node knows to be chosen in `slot`.
    pub fn decision(&self, slot: Slot) -> Option<Command> {
        self.decided.get(slot).and_then(|decision| decision.map(|decision| decision.command))
    }

    /// The last slot in which something is known to be chosen.
    pub fn last_slot(&self) -> Slot {
        self.decided.last()
    }
}

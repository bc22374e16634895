//! Safety at every event: agreement, order of execution, one leader an epoch, the protocol's own invariants; and that what is executed gives
//! the same state everywhere, and one holder of a lock at a time.

use crate::core::node::{Breach, Step};
use crate::core::{Command, Epoch, Log, Micros, NodeId, NodeSet, Op, Slot};
use crate::sim::world::Mark;
use crate::sim::{StepOutcome, World};
use std::collections::BTreeMap;

/// Something that must never happen, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the property: `Agreement`, `Log Matching`.
    pub property: &'static str,
    /// What the property says.
    pub says: &'static str,
    /// The nodes it takes to see it; none if it is about clients.
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
pub struct LeadershipInterval {
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
    /// Who was first seen to have executed everything up to here and no more, and the digest of its state then.
    state: Option<(NodeId, u64)>,
}

/// Violations kept; a broken run goes on breaking, and the first ones tell the story.
const KEEP: usize = 16;

/// Watches one world. Give it every step.
#[derive(Clone, Debug, Default)]
pub struct SafetyChecker {
    decided: Log<Option<Decision>>,
    applied: Vec<Slot>,
    leads: Vec<Option<Epoch>>,
    leaders: BTreeMap<Epoch, NodeId>,
    leadership_intervals: Log<LeadershipInterval>,
    violations: Vec<Violation>,
    /// Number of client commands known to be chosen.
    chosen: u64,
    /// Nodes seen in another state than the others. Once apart they stay apart.
    diverged: NodeSet,
    /// The last slot that any node has executed.
    executed: Slot,
    /// For each lock, the largest token with which something was written.
    tokens: BTreeMap<u16, u32>,
}

impl Default for LeadershipInterval {
    fn default() -> LeadershipInterval {
        LeadershipInterval { since: 0, node: NodeId(0), epoch: Epoch::default() }
    }
}

pub(super) const AGREEMENT: (&str, &str) = ("Agreement", "No two nodes decide differently on one slot.");
pub(super) const ORDER: (&str, &str) =
    ("Applied prefix", "Every node executes the chosen commands in order, without gaps and each once.");
pub(super) const ONE_LEADER: (&str, &str) =
    ("One leader an epoch", "At most one node leads in any one term or ballot.");

const SAME_STATE: (&str, &str) =
    ("Same prefix, same state", "Nodes that have executed the same commands are in the same state.");
const ONE_HOLDER: (&str, &str) =
    ("One holder at a time", "Nobody writes to what a lock guards after a later holder of the lock has.");
/// What an exploration looks for when clients read; of whole runs, `judge::linearizability` judges the histories.
pub const LINEARIZABLE: (&str, &str) = (
    "Linearizable",
    "What clients were told fits one order of their operations, each between its request and its answer.",
);

/// The properties of every protocol: name, and what it says.
pub const PROPERTIES: [(&str, &str); 3] = [AGREEMENT, ORDER, ONE_LEADER];

impl SafetyChecker {
    /// Looks at what the last step or action did. `outcome` is `None` after an action: then every node may have changed.
    pub fn observe(&mut self, world: &World, outcome: Option<StepOutcome>) {
        let mut executed = None;
        for mark in world.marks() {
            self.mark(world, *mark);
            if let Mark::Applied(node, slot, _) | Mark::Restored(node, slot) = *mark {
                executed = Some((node, slot));
            }
        }
        if let Some((node, slot)) = executed.filter(|(node, _)| !world.is_byzantine(*node)) {
            self.compare_states(world, node, slot);
        }
        match outcome {
            Some(outcome) if outcome.what() == crate::sim::What::Acted => self.look_at_all(world),
            Some(outcome) if outcome.is_handled() => {
                self.look_at(
                    world,
                    Step { changed: outcome.node(), log_from: outcome.log_from(), unaware: world.unaware() },
                );
            }
            Some(_) => {}
            None => self.look_at_all(world),
        }
    }

    fn look_at_all(&mut self, world: &World) {
        let unaware = world.unaware();
        for node in 0..world.nodes() {
            self.look_at(world, Step { changed: NodeId(node), log_from: Some(1), unaware });
        }
    }

    fn mark(&mut self, world: &World, mark: Mark) {
        match mark {
            // What a Byzantine node says of itself means nothing.
            Mark::Chosen(node, ..) | Mark::Applied(node, ..) | Mark::Restored(node, _) | Mark::Booted(node)
                if world.is_byzantine(node) => {}
            Mark::Chosen(node, slot, command) => self.decide(world, node, slot, command),
            Mark::Applied(node, slot, command) => {
                self.decide(world, node, slot, command);
                let applied = self.applied_by(node);
                let expected = *applied + 1;
                *applied = slot;
                if slot != expected {
                    self.violated(world, ORDER, NodeSet::just(node), Some(slot));
                }
                if slot > self.executed {
                    self.executed = slot;
                    if let Op::Guarded { lock, token, fenced: false, .. } = command.op {
                        self.one_holder(world, node, slot, lock, token);
                    }
                }
            }
            Mark::Restored(node, slot) => *self.applied_by(node) = slot,
            Mark::Booted(node) => *self.applied_by(node) = 0,
        }
    }

    /// A lock's guarded store does not look at tokens, so the judge does.
    fn one_holder(&mut self, world: &World, node: NodeId, slot: Slot, lock: u16, token: u32) {
        let largest = self.tokens.entry(lock).or_default();
        if token < *largest {
            self.violated(world, ONE_HOLDER, NodeSet::just(node), Some(slot));
        } else {
            *largest = token;
        }
    }

    /// `node` has executed everything up to `slot`: it must be in the state in which others were then. Its digest covers all that it executed
    /// before, so a difference is seen even if it arose in a slot in which nobody looked.
    fn compare_states(&mut self, world: &World, node: NodeId, slot: Slot) {
        if self.diverged.has(node) {
            return;
        }
        let Some(digest) = world.replicas().machine_digest(node) else { return };
        let known = self.decided.get(slot).copied().flatten();
        match known.and_then(|decision| decision.state) {
            Some((other, state)) if state != digest && self.same_commands() => {
                self.diverged.add(node);
                self.violated(world, SAME_STATE, NodeSet::just(other).with(node), Some(slot));
            }
            Some(_) => {}
            None => {
                if let Some(Some(decision)) = self.decided.get_mut(slot) {
                    decision.state = Some((node, digest));
                }
            }
        }
    }

    /// Whether all nodes have executed the same commands. When they have not, it is no wonder that their states differ.
    fn same_commands(&self) -> bool {
        let other = |violation: &Violation| [AGREEMENT, ORDER].iter().any(|(name, _)| violation.property == *name);
        !self.violations.iter().any(other)
    }

    fn applied_by(&mut self, node: NodeId) -> &mut Slot {
        let index = usize::from(node.0);
        if self.applied.len() <= index {
            self.applied.resize(index + 1, 0);
        }
        &mut self.applied[index]
    }

    fn decide(&mut self, world: &World, by: NodeId, slot: Slot, command: Command) {
        while self.decided.last() < slot {
            self.decided.push(None);
        }
        let Some(decision) = self.decided.get(slot) else { return };
        match *decision {
            Some(earlier) if earlier.command != command && world.is_byzantine(earlier.by) => {
                if let Some(place) = self.decided.get_mut(slot) {
                    *place = Some(Decision { command, by, state: None });
                }
            }
            Some(earlier) if earlier.command != command => {
                self.violated(world, AGREEMENT, NodeSet::just(earlier.by).with(by), Some(slot));
            }
            Some(_) => {}
            None => {
                self.chosen += u64::from(command.client != crate::core::ClientId::NOBODY);
                if let Some(place) = self.decided.get_mut(slot) {
                    *place = Some(Decision { command, by, state: None });
                }
            }
        }
    }

    fn look_at(&mut self, world: &World, step: Step) {
        let node = step.changed;
        let index = usize::from(node.0);
        if self.leads.len() < usize::from(world.nodes()) {
            self.leads.resize(usize::from(world.nodes()), None);
        }
        let leads = world.replicas().leads(node);
        if leads != self.leads[index] {
            self.leads[index] = leads;
            if let Some(epoch) = leads {
                if !world.is_byzantine(node) {
                    let first = *self.leaders.entry(epoch).or_insert(node);
                    if first != node {
                        self.violated(world, ONE_LEADER, NodeSet::just(first).with(node), None);
                    }
                }
                self.leadership_intervals.push(LeadershipInterval { since: world.time(), node, epoch });
            }
        }
        world.replicas().check(step, &mut |name, says, Breach { other, slot }| {
            let nodes = other.into_iter().fold(NodeSet::just(node), NodeSet::with);
            self.violated(world, (name, says), nodes, slot);
        });
    }

    /// Keeps a violation, unless the same one is kept already.
    pub(super) fn violated(
        &mut self,
        world: &World,
        (property, says): (&'static str, &'static str),
        nodes: NodeSet,
        slot: Option<Slot>,
    ) {
        // Nothing is promised of nodes that lie, only of the others among them.
        if nodes.iter().any(|node| world.is_byzantine(node)) {
            return;
        }
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
    pub fn leadership_intervals(&self) -> impl DoubleEndedIterator<Item = &LeadershipInterval> {
        self.leadership_intervals.iter().map(|(_, leadership)| leadership)
    }

    /// How often somebody began to lead.
    pub fn led(&self) -> u32 {
        self.leadership_intervals.last()
    }

    /// The last slot that a node has executed.
    pub fn executed(&self, node: NodeId) -> Slot {
        self.applied.get(usize::from(node.0)).copied().unwrap_or(0)
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

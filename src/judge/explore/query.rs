//! Queries and verdicts: what to explore, by way of which goals, and how it ended.
//!
//! Goals make a goal-directed search in stages: reach a goal, then search on from there. A violation that lies too deep for one breadth-first search can
//! often be reached so, each stage being shallow: a leader, then a leader of a later term, then the violation. (DSLabs: Michael and others, *Teaching
//! Rigorous Distributed Systems With Efficient Model Checking*, EuroSys 2019, §4.)

use super::bounds::Bounds;
use super::history::Violation;
use super::outcomes::Outcomes;
use crate::core::node::Setup;
use crate::core::{EntryStatus, Epoch, NodeId, Slot};
use std::fmt;

/// What to explore.
#[derive(Clone, Debug)]
pub struct Query {
    /// The cluster.
    pub setup: Setup,
    /// How far to go.
    pub bounds: Bounds,
    /// Look for violations of this property only; `None`: of any.
    pub property: Option<String>,
    /// Goals to reach one after the other. The bounds hold for each stage of the search anew.
    pub via: Vec<Goal>,
}

/// How an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every state within the bounds was visited, and no property is violated.
    Safe,
    /// A property can be violated.
    Violated(Violation),
    /// There are more states than the bounds allow for.
    Undecided,
    /// Within the bounds, no state reaches the goal with this place in [`Query::via`].
    Unreached(usize),
}

/// What a stage is to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A node leads: this one, or any, in this epoch or a later one.
    Leader(Option<NodeId>, u32),
    /// A node is in this epoch, or a later one.
    Epoch(u32),
    /// Some node knows what is chosen in this slot.
    Chosen(Slot),
    /// Running nodes hold the same in this slot of their logs, chosen or not.
    Held {
        /// The slot.
        slot: Slot,
        /// So many nodes, or more.
        nodes: u8,
        /// Written in this epoch or a later one.
        epoch: u32,
        /// Written in just this epoch, of this owner.
        owner: Option<NodeId>,
    },
    /// A node is down: this one, or any.
    Crashed(Option<NodeId>),
    /// This property is violated. From then on it is not looked at any more.
    Violated(String),
}

impl fmt::Display for Goal {
    /// As one would write it: `leader=2@3`, `chosen=1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Goal::Leader(None, 0) => write!(f, "leader"),
            Goal::Leader(None, epoch) => write!(f, "leader@{epoch}"),
            Goal::Leader(Some(node), 0) => write!(f, "leader={}", node.0 + 1),
            Goal::Leader(Some(node), epoch) => write!(f, "leader={}@{epoch}", node.0 + 1),
            Goal::Epoch(epoch) => write!(f, "epoch={epoch}"),
            Goal::Chosen(slot) => write!(f, "chosen={slot}"),
            Goal::Held { slot, nodes, epoch, owner } => {
                write!(f, "held={slot}")?;
                if nodes > 1 {
                    write!(f, "x{nodes}")?;
                }
                match owner {
                    Some(owner) => write!(f, "@{epoch}.{}", owner.0 + 1),
                    None if epoch > 0 => write!(f, "@{epoch}"),
                    None => Ok(()),
                }
            }
            Goal::Crashed(None) => write!(f, "crashed"),
            Goal::Crashed(Some(node)) => write!(f, "crashed={}", node.0 + 1),
            Goal::Violated(ref property) => write!(f, "violated={property}"),
        }
    }
}

impl Goal {
    /// Whether it is to violate this property.
    pub(super) fn names(&self, property: &str) -> bool {
        matches!(self, Goal::Violated(name) if name == property)
    }

    /// Whether a state with these hosts and this history is there. A [violation](Goal::Violated) is no property of a state.
    pub(super) fn is_reached(&self, hosts: &[u32], history: u32, outcomes: &Outcomes) -> bool {
        let mut facts = hosts.iter().map(|&host| outcomes.facts(host)).zip((0..).map(NodeId));
        match *self {
            Goal::Leader(who, epoch) => facts.any(|(facts, node)| {
                facts.leads.is_some_and(|leads| leads.number >= epoch) && who.is_none_or(|who| who == node)
            }),
            Goal::Epoch(epoch) => facts.any(|(facts, _)| facts.up && facts.epoch >= epoch),
            Goal::Chosen(slot) => outcomes.model.chosen(history, slot).is_some(),
            Goal::Held { slot, nodes, epoch, owner } => {
                let fits = |entry: &EntryStatus| match owner {
                    Some(_) => entry.epoch == Epoch { number: epoch, owner },
                    None => entry.epoch.number >= epoch,
                };
                let entry = |&host: &u32| outcomes.model.entry(host, slot);
                let held: Vec<EntryStatus> = hosts.iter().filter_map(entry).filter(fits).collect();
                let alike = |a: &EntryStatus, b: &EntryStatus| (a.epoch, a.command) == (b.epoch, b.command);
                held.iter().any(|one| held.iter().filter(|other| alike(one, other)).count() >= usize::from(nodes))
            }
            Goal::Crashed(who) => facts.any(|(facts, node)| !facts.up && who.is_none_or(|who| who == node)),
            Goal::Violated(_) => false,
        }
    }
}

/// Whether violations of a property count in a stage, if `wanted` is looked for. One that was a goal has been reached, and will be again and again.
pub(super) fn counts(wanted: Option<&str>, via: &[Goal], stage: usize, property: &str) -> bool {
    let was_goal = |goal: &Goal| goal.names(property);
    match via.get(stage) {
        Some(goal) if was_goal(goal) => true,
        _ => wanted.is_none_or(|wanted| wanted == property) && !via[..stage].iter().any(was_goal),
    }
}

//! Staged search: reach a goal, then search on from there.
//!
//! A violation that lies too deep for one breadth-first search can often be reached in stages, each of them shallow: a leader, then
//! a leader of a later term, then the violation. (DSLabs: Michael and others, Teaching Rigorous Distributed Systems With Efficient Model
//! Checking, EuroSys 2019, §4.)

use super::past::Memory;
use super::{Explorer, Protocol, Reached};
use crate::core::{EntryStatus, Epoch, Node, NodeId, Slot};
use std::fmt;

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

impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    /// Takes note if the state found last reaches the goal of this stage.
    #[inline]
    pub(super) fn reach(&mut self) {
        if self.stage < self.via.len() {
            self.take_back();
            self.reach_goal();
        }
    }

    fn reach_goal(&mut self) {
        let state = self.states.len() - 1;
        if self.is_at(&self.via[self.stage], state as u32) {
            let row = self.states.row(state as u32).to_vec();
            self.reached.push(Reached { row, parent: self.parents[state] });
        }
    }

    fn is_at(&self, goal: &Goal, state: u32) -> bool {
        let row = self.states.row(state);
        let hosts = || row[..self.hosts].iter().map(|&local| self.locals.host(local)).zip((0..).map(NodeId));
        let mut facts = hosts().map(|(host, node)| (self.steps.facts[host as usize], node));
        match *goal {
            Goal::Leader(who, epoch) => facts.any(|(fact, node)| {
                fact.leads.is_some_and(|leads| leads.number >= epoch) && who.is_none_or(|who| who == node)
            }),
            Goal::Epoch(epoch) => facts.any(|(fact, _)| fact.up && fact.epoch >= epoch),
            Goal::Chosen(slot) => self.pasts.get(row[self.hosts]).chosen(slot).is_some(),
            Goal::Held { slot, nodes, epoch, owner } => {
                let fits = |at: Epoch| match owner {
                    Some(_) => at == Epoch { number: epoch, owner },
                    None => at.number >= epoch,
                };
                let entry = |host| self.steps.hosts.get(host).node.as_ref().and_then(|node| node.entry(slot));
                let held = || hosts().filter_map(|(host, _)| entry(host)).filter(|entry| fits(entry.epoch));
                let alike = |a: &EntryStatus, b: &EntryStatus| (a.epoch, a.command) == (b.epoch, b.command);
                held().any(|one| held().filter(|other| alike(&one, other)).count() >= usize::from(nodes))
            }
            Goal::Crashed(who) => facts.any(|(fact, node)| !fact.up && who.is_none_or(|who| who == node)),
            Goal::Violated(_) => false,
        }
    }
}

//! Staged search: reach a goal, then search on from there.
//!
//! A violation that lies too deep for one breadth-first search can often be reached in stages, each of them shallow: a leader, then
//! a leader of a later term, then the violation. (DSLabs: Michael and others, Teaching Rigorous Distributed Systems With Efficient Model
//! Checking, EuroSys 2019, §4.)

use crate::core::{NodeId, Slot};
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
    /// A node is down: this one, or any.
    Crashed(Option<NodeId>),
    /// This property is violated. From then on it is not looked at any more.
    Violated(String),
}

impl fmt::Display for Goal {
    /// As one would write it: `leader=2@3`, `chosen=1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::Leader(None, 0) => write!(f, "leader"),
            Goal::Leader(None, epoch) => write!(f, "leader@{epoch}"),
            Goal::Leader(Some(node), 0) => write!(f, "leader={}", node.0 + 1),
            Goal::Leader(Some(node), epoch) => write!(f, "leader={}@{epoch}", node.0 + 1),
            Goal::Epoch(epoch) => write!(f, "epoch={epoch}"),
            Goal::Chosen(slot) => write!(f, "chosen={slot}"),
            Goal::Crashed(None) => write!(f, "crashed"),
            Goal::Crashed(Some(node)) => write!(f, "crashed={}", node.0 + 1),
            Goal::Violated(property) => write!(f, "violated={property}"),
        }
    }
}

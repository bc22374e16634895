//! Staged search: reach a goal, then search on from there.
//!
//! A violation that lies too deep for one breadth-first search can often be reached in stages, each of them shallow: a leader, then
//! a leader of a later term, then the violation. (DSLabs: Michael and others, Teaching Rigorous Distributed Systems With Efficient Model
//! Checking, EuroSys 2019, §4.)

use crate::core::{NodeId, Slot};

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

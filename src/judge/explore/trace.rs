//! How a violation comes about, event by event.

use super::steps::{Msg, Said, Timer};
use crate::core::node::Protocol;
use crate::core::{Command, NodeId, NodeStatus, Order, RuleSet};

/// One event of a trace, and what the node did.
#[derive(Debug)]
pub struct Moment<P: Protocol> {
    /// Whom it happened to.
    pub node: NodeId,
    /// What happened.
    pub event: Happened<P>,
    /// What the node asked for, in order.
    pub said: Said<P>,
    /// The rules it applied.
    pub rules: RuleSet,
    /// What could be seen of it before; `None` if it was down.
    pub before: Option<NodeStatus>,
    /// What can be seen of it now.
    pub after: Option<NodeStatus>,
    /// The goal that this reaches, by its place in [`Query::via`](super::Query::via).
    pub goal: Option<usize>,
}

/// What happened to a node.
#[derive(Debug)]
pub enum Happened<P: Protocol> {
    /// A message arrived.
    Arrived {
        /// From whom.
        from: NodeId,
        /// What it says.
        message: Msg<P>,
        /// Whether it arrived for the second time or may yet.
        again: bool,
    },
    /// A message to it got lost.
    Lost {
        /// From whom.
        from: NodeId,
        /// What it says.
        message: Msg<P>,
    },
    /// A timer fired.
    Fired(Timer<P>),
    /// A client asked.
    Asked(Command),
    /// The operator gave an order.
    Ordered(Order),
    /// It crashed.
    Crashed,
    /// It booted from its disk.
    Restarted,
}

//! Names of messages in flight: ends and kind, in place of ids, so that a script stays readable and can be edited.

use super::action::Which;
use crate::core::{NodeId, NodeSet};
use std::fmt;

/// Ends and kind of a message in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InFlight {
    /// Between replicas.
    Message(Which),
    /// A request of a client.
    Request {
        /// Index of the client's site.
        site: u8,
        /// Receiver.
        to: NodeId,
    },
    /// The reply to one.
    Reply {
        /// Sender.
        from: NodeId,
        /// Index of the client's site.
        site: u8,
    },
}

impl InFlight {
    /// The replicas at its ends.
    pub fn nodes(self) -> NodeSet {
        match self {
            InFlight::Message(Which { from, to, .. }) => NodeSet::just(from).with(to),
            InFlight::Request { to: node, .. } | InFlight::Reply { from: node, .. } => NodeSet::just(node),
        }
    }
}

impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InFlight::Message(Which { from, to, .. }) => {
                write!(f, "the message of its kind in flight from node {from:?} to node {to:?}")
            }
            InFlight::Request { site, to } => write!(f, "the request in flight from site {} to node {to:?}", site + 1),
            InFlight::Reply { from, site } => write!(f, "the reply in flight from node {from:?} to site {}", site + 1),
        }
    }
}

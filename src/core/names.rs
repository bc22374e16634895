//! Symmetry reduction: permuting the names of nodes, so that the explorer examines one of several states that differ in names only.

use super::node::{Node, Setup};
use super::{Epoch, NodeId, NodeSet};

/// A permutation of node names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<NodeId>);

impl Names {
    /// Renames node `i` to `names[i]`. Nodes beyond the list keep their names.
    pub fn new(names: Vec<NodeId>) -> Names {
        Names(names)
    }

    /// The new name of `node`.
    pub fn of(&self, node: NodeId) -> NodeId {
        self.0.get(usize::from(node.0)).copied().unwrap_or(node)
    }

    /// Renames `node`.
    pub fn node(&self, node: &mut NodeId) {
        *node = self.of(*node);
    }

    /// Renames the members of `set`.
    pub fn set(&self, set: &mut NodeSet) {
        *set = set.iter().map(|node| self.of(node)).collect();
    }

    /// Renames the owner of `epoch`.
    pub fn epoch(&self, epoch: &mut Epoch) {
        if let Some(owner) = &mut epoch.owner {
            self.node(owner);
        }
    }
}

/// How to permute names in a protocol some of whose nodes are symmetric.
///
/// Nodes are symmetric if their names are compared for equality only: not where names break ties between ballots, nor where they are ranks of an
/// election.
#[derive(Debug)]
pub struct Exchange<N: Node> {
    /// The symmetric nodes, given those that clients may ask.
    pub alike: fn(&Setup, asked: NodeSet) -> NodeSet,
    /// Renames within a node's state.
    pub node: fn(&mut N, &Names),
    /// Renames within durable state.
    pub disk: fn(&mut N::Disk, &Names),
    /// Renames within a message.
    pub message: fn(&mut N::Msg, &Names),
}

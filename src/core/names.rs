//! Exchanging the names of nodes: for judges that need to look at only one of several states that differ in nothing but names.

use super::node::{Node, Setup};
use super::{Epoch, NodeId, NodeSet};

/// A new name for every node; no two get the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<NodeId>);

impl Names {
    /// Node `i` will be called `names[i]`. Nodes beyond the list keep their names.
    pub fn new(names: Vec<NodeId>) -> Names {
        Names(names)
    }

    /// The new name of `node`.
    pub fn of(&self, node: NodeId) -> NodeId {
        self.0.get(usize::from(node.0)).copied().unwrap_or(node)
    }

    /// Gives `node` its new name.
    pub fn node(&self, node: &mut NodeId) {
        *node = self.of(*node);
    }

    /// Gives those in `set` their new names.
    pub fn set(&self, set: &mut NodeSet) {
        *set = set.iter().map(|node| self.of(node)).collect();
    }

    /// Gives the owner of `epoch` its new name.
    pub fn epoch(&self, epoch: &mut Epoch) {
        if let Some(owner) = &mut epoch.owner {
            self.node(owner);
        }
    }
}

/// How names are exchanged in a protocol in which some nodes differ in nothing but their names.
///
/// That is so of nodes whose names nobody compares but for equality: not where a name makes a ballot unique and breaks ties between
/// ballots, nor where names are the ranks of an election.
#[derive(Debug)]
pub struct Exchange<N: Node> {
    /// The nodes that can be exchanged for each other, given those that clients may ask.
    pub alike: fn(&Setup, asked: NodeSet) -> NodeSet,
    /// Exchanges names in a node.
    pub node: fn(&mut N, &Names),
    /// Exchanges names on a disk.
    pub disk: fn(&mut N::Disk, &Names),
    /// Exchanges names in a message.
    pub message: fn(&mut N::Msg, &Names),
}

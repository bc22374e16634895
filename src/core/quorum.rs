//! Sets of replicas and what counts as enough of them. Pure functions, apart from any protocol.

use super::NodeId;
use serde::{Deserialize, Serialize};

/// The size of the smallest majority of `n`: ⌊n/2⌋+1.
pub const fn majority(n: u8) -> u8 {
    n / 2 + 1
}

/// A set of replicas, one bit each; at most 64.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeSet(pub u64);

impl NodeSet {
    /// No replica.
    pub const EMPTY: NodeSet = NodeSet(0);

    /// Replicas 0 to n−1.
    pub const fn first(n: u8) -> NodeSet {
        if n >= 64 { NodeSet(u64::MAX) } else { NodeSet((1 << n) - 1) }
    }

    /// Just this one.
    pub const fn just(node: NodeId) -> NodeSet {
        NodeSet(1 << node.0)
    }

    /// Whether `node` is in the set.
    pub const fn has(self, node: NodeId) -> bool {
        self.0 >> node.0 & 1 == 1
    }

    /// Adds `node`; tells whether it is new.
    pub fn add(&mut self, node: NodeId) -> bool {
        let new = !self.has(node);
        self.0 |= 1 << node.0;
        new
    }

    /// Takes `node` out.
    pub fn remove(&mut self, node: NodeId) {
        self.0 &= !(1 << node.0);
    }

    /// This set with `node`.
    #[must_use]
    pub const fn with(self, node: NodeId) -> NodeSet {
        NodeSet(self.0 | 1 << node.0)
    }

    /// This set without `node`.
    #[must_use]
    pub const fn without(self, node: NodeId) -> NodeSet {
        NodeSet(self.0 & !(1 << node.0))
    }

    /// This set without those in `other`.
    #[must_use]
    pub const fn minus(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 & !other.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 & other.0)
    }

    /// Those in either.
    #[must_use]
    pub const fn or(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 | other.0)
    }

    /// How many.
    pub const fn len(self) -> u8 {
        self.0.count_ones() as u8
    }

    /// The replica with the lowest id, if there is any.
    pub const fn lowest(self) -> Option<NodeId> {
        if self.is_empty() { None } else { Some(NodeId(self.0.trailing_zeros() as u8)) }
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `votes` holds a majority of this set.
    pub const fn majority_in(self, votes: NodeSet) -> bool {
        self.and(votes).len() >= majority(self.len())
    }

    /// From the lowest id to the highest.
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let node = NodeId(rest.trailing_zeros() as u8);
            rest &= rest - 1;
            Some(node)
        })
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> NodeSet {
        nodes.into_iter().fold(NodeSet::EMPTY, NodeSet::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_majorities_always_share_a_member() {
        for n in 1..=9 {
            assert!(2 * majority(n) > n);
            assert!(2 * (majority(n) - 1) <= n);
        }
    }

    #[test]
    fn a_set_gives_back_what_was_put_in() {
        let set: NodeSet = [NodeId(4), NodeId(0), NodeId(63)].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [NodeId(0), NodeId(4), NodeId(63)]);
        assert_eq!(set.len(), 3);
        assert!(NodeSet::first(5).majority_in(NodeSet::first(3)));
        assert!(!NodeSet::first(5).majority_in(NodeSet::first(2)));
        assert_eq!(NodeSet::first(64).len(), 64);
    }
}

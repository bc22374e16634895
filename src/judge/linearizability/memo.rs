//! Memoisation of search configurations (Lowe, "Testing for linearizability", Concurrency and Computation, 2017), so that none is
//! explored twice.
//!
//! A configuration is the set of linearized operations and the resulting state. Of pending operations only those still unused matter: a
//! configuration that has used more of them for the same completed operations and the same state can reach nothing that the other one
//! could not. So a configuration is also pruned when one is known that has used a subset of its pending operations.

use super::model::Fingerprint;
use std::cmp::Ordering;

const NONE: u32 = u32::MAX;

/// A sequence of linearized pending operations: its last node in the [`PrefixTree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixId(u32);

impl PrefixId {
    /// The empty sequence.
    pub const EMPTY: PrefixId = PrefixId(0);
}

/// Sequences of pending operations as a tree with shared prefixes: each takes the memory of one operation, and two are compared from where
/// they differ.
#[derive(Clone, Debug)]
pub struct PrefixTree {
    nodes: Vec<PrefixNode>,
}

#[derive(Clone, Copy, Debug)]
struct PrefixNode {
    /// The class of the last operation.
    class: u32,
    parent: PrefixId,
    length: u32,
}

impl Default for PrefixTree {
    fn default() -> PrefixTree {
        PrefixTree { nodes: vec![PrefixNode { class: NONE, parent: PrefixId::EMPTY, length: 0 }] }
    }
}

impl PrefixTree {
    /// Appends an operation of `class` to a sequence.
    pub fn push(&mut self, parent: PrefixId, class: u32) -> PrefixId {
        let length = self.nodes[parent.0 as usize].length + 1;
        self.nodes.push(PrefixNode { class, parent, length });
        PrefixId(self.nodes.len() as u32 - 1)
    }

    /// Removes the node made last, which nothing may refer to.
    pub fn pop(&mut self) {
        self.nodes.pop();
    }

    /// The sequence without its last operation.
    pub fn parent(&self, last: PrefixId) -> PrefixId {
        self.nodes[last.0 as usize].parent
    }

    /// Whether `one` has used at most as many operations of every class as `other`. The steps taken are added to `effort`.
    fn is_subset(&self, one: PrefixId, other: PrefixId, scratch: &mut Vec<i64>, effort: &mut u64) -> bool {
        let length = |last: PrefixId| self.nodes[last.0 as usize].length;
        if length(one) > length(other) {
            return false;
        }
        // The classes of each since their common prefix: 2 × class + 1 for those of `one`, 2 × class for those of `other`.
        scratch.clear();
        let (mut a, mut b) = (one, other);
        while a != b {
            let order = length(a).cmp(&length(b));
            if order != Ordering::Less {
                scratch.push(2 * i64::from(self.nodes[a.0 as usize].class) + 1);
            }
            if order != Ordering::Greater {
                scratch.push(2 * i64::from(self.nodes[b.0 as usize].class));
            }
            (a, b) = match order {
                Ordering::Less => (a, self.parent(b)),
                Ordering::Equal => (self.parent(a), self.parent(b)),
                Ordering::Greater => (self.parent(a), b),
            };
        }
        *effort += scratch.len() as u64 / 4;
        scratch.sort_unstable();
        scratch.chunk_by(|a, b| a >> 1 == b >> 1).all(|same| {
            let of_one = same.iter().filter(|word| **word & 1 == 1).count();
            2 * of_one <= same.len()
        })
    }

    /// Memory, bytes.
    pub fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<PrefixNode>()
    }
}

/// All configurations seen: an open-addressing hash table from fingerprints to the sequences of pending operations used.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    slots: Vec<Slot>,
    occupied: usize,
    alternatives: Vec<Alternative>,
    scratch: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// (0, 0) is an empty slot.
    fingerprint: Fingerprint,
    /// The pending operations used when it was seen first.
    prefix: PrefixId,
    /// The first of its [`Alternative`]s; `NONE` for none.
    more: u32,
}

/// Other pending operations with which a fingerprint was reached.
#[derive(Clone, Copy, Debug)]
struct Alternative {
    prefix: PrefixId,
    next: u32,
}

impl Memo {
    /// Inserts a configuration and returns `true`, unless one is known that has used a subset of its pending operations. The steps taken
    /// are added to `effort`.
    pub fn insert(&mut self, fingerprint: Fingerprint, prefix: PrefixId, tree: &PrefixTree, effort: &mut u64) -> bool {
        let fingerprint = (fingerprint.0, fingerprint.1.max(1));
        if self.occupied * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let at = self.find(fingerprint);
        let slot = self.slots[at];
        if slot.fingerprint == (0, 0) {
            self.occupied += 1;
            self.slots[at] = Slot { fingerprint, prefix, more: NONE };
            return true;
        }
        if tree.is_subset(slot.prefix, prefix, &mut self.scratch, effort) {
            return false;
        }
        let mut next = slot.more;
        while next != NONE {
            *effort += 1;
            let seen = self.alternatives[next as usize];
            if tree.is_subset(seen.prefix, prefix, &mut self.scratch, effort) {
                return false;
            }
            next = seen.next;
        }
        self.alternatives.push(Alternative { prefix, next: slot.more });
        self.slots[at].more = self.alternatives.len() as u32 - 1;
        true
    }

    /// The slot of `fingerprint`, or the empty slot where it belongs.
    fn find(&self, fingerprint: Fingerprint) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = fingerprint.0 as usize & mask;
        while self.slots[at].fingerprint != fingerprint && self.slots[at].fingerprint != (0, 0) {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(64);
        let empty = Slot { fingerprint: (0, 0), prefix: PrefixId::EMPTY, more: NONE };
        let old = std::mem::replace(&mut self.slots, vec![empty; size]);
        for slot in old.into_iter().filter(|slot| slot.fingerprint != (0, 0)) {
            let at = self.find(slot.fingerprint);
            self.slots[at] = slot;
        }
    }

    /// Memory, bytes.
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.alternatives.capacity() * size_of::<Alternative>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insert_superset_of_used_pending_operations_is_pruned() {
        let (mut memo, mut tree, mut effort) = (Memo::default(), PrefixTree::default(), 0);
        let mut insert = |fingerprint, used: &[u32]| {
            let prefix = used.iter().fold(PrefixId::EMPTY, |prefix, class| tree.push(prefix, *class));
            memo.insert((fingerprint, 1), prefix, &tree, &mut effort)
        };
        assert!(insert(1, &[1, 1, 2]));
        assert!(!insert(1, &[2, 1, 1]), "in another order");
        assert!(!insert(1, &[0, 0, 1, 2, 0, 1, 2, 0]));
        assert!(insert(1, &[0, 0, 0, 1, 2, 2]), "fewer of one class");
        assert!(insert(2, &[0, 1, 1, 2, 2]), "another state");
        assert!(insert(1, &[]));
        assert!(!insert(1, &[1]), "the empty set is a subset of all");
        for fingerprint in 3..1_000 {
            assert!(insert(fingerprint, &[]) && !insert(fingerprint, &[]));
        }
    }

    #[test]
    fn is_subset_long_common_prefix_compares_the_ends_only() {
        let mut tree = PrefixTree::default();
        let mut scratch = Vec::new();
        let common = (0..1_000).fold(PrefixId::EMPTY, |prefix, class| tree.push(prefix, class % 7));
        let one = tree.push(common, 3);
        let (two, other) = (tree.push(one, 4), tree.push(common, 4));
        let both = tree.push(other, 3);
        let mut is_subset = |a, b| {
            let mut effort = 0;
            let subset = tree.is_subset(a, b, &mut scratch, &mut effort);
            assert!(effort < 10);
            subset
        };
        assert!(is_subset(one, two) && !is_subset(two, one));
        assert!(is_subset(two, both) && is_subset(both, two));
        assert!(!is_subset(one, other) && is_subset(common, other));
    }
}

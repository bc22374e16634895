//! Sets of replicas, and quorums: which sets are enough to decide.

use super::node::{SettingError, Setup};
use super::{NodeId, RuleId, Setting, SettingId, SettingKind};
use serde::{Deserialize, Serialize};

/// The size of the smallest majority of `n`: ⌊n/2⌋+1.
pub const fn majority(n: u8) -> u8 {
    n / 2 + 1
}

/// A quorum system: which sets of replicas are quorums.
///
/// Protocols ask [`QuorumSystem::is_quorum`] and count nothing themselves, so that systems in which not only the number matters (grids,
/// hierarchical quorums) need a variant here and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuorumSystem {
    /// Any set of at least so many replicas.
    Threshold(u8),
}

impl QuorumSystem {
    /// Any so many of `n` replicas; 0 for a majority.
    pub const fn threshold(n: u8, size: u32) -> QuorumSystem {
        QuorumSystem::Threshold(if size == 0 { majority(n) } else { size as u8 })
    }

    /// Whether `set` is a quorum.
    #[inline]
    pub const fn is_quorum(self, set: NodeSet) -> bool {
        match self {
            QuorumSystem::Threshold(size) => set.len() >= size,
        }
    }

    /// Whether `set` is a quorum and none of its members can be spared.
    pub const fn is_minimal(self, set: NodeSet) -> bool {
        match self {
            QuorumSystem::Threshold(size) => set.len() == size,
        }
    }

    /// The number of replicas in a smallest quorum, to show how many are still missing.
    pub const fn need(self) -> u8 {
        match self {
            QuorumSystem::Threshold(size) => size,
        }
    }

    /// A smallest quorum among replicas 0 to n−1: `me` and those whose ids follow, round the end.
    pub fn smallest_from(self, me: NodeId, n: u8) -> NodeSet {
        match self {
            QuorumSystem::Threshold(size) => (0..size).map(|i| NodeId((me.0 + i) % n)).collect(),
        }
    }

    /// Whether every quorum of this system shares a member with every quorum of `other`, both among `n` replicas.
    pub const fn intersects(self, other: QuorumSystem, n: u8) -> bool {
        match (self, other) {
            (QuorumSystem::Threshold(a), QuorumSystem::Threshold(b)) => a + b > n,
        }
    }
}

/// The quorums of a protocol with two phases, each with a system of its own (Howard, Malkhi, Spiegelman, *Flexible Paxos*, 2016, §4): safe
/// if every quorum of phase 1 shares a replica with every quorum of phase 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quorums {
    /// Replicas among which they are chosen: ids 0 to n−1.
    pub replicas: u8,
    /// Whose promises a proposer needs.
    pub phase1: QuorumSystem,
    /// Whose acceptances make a value chosen.
    pub phase2: QuorumSystem,
}

/// The setting `q1`: replicas in a quorum of phase 1.
pub const PHASE_1_SIZE: Setting = Setting {
    key: "q1",
    says: "Promises that a proposer needs (phase 1); 0 for a majority",
    kind: SettingKind::Count { min: 0, max: 32, default: 0 },
};

/// The setting `q2`: replicas in a quorum of phase 2.
pub const PHASE_2_SIZE: Setting = Setting {
    key: "q2",
    says: "Acceptances that make a value chosen (phase 2); 0 for a majority",
    kind: SettingKind::Count { min: 0, max: 32, default: 0 },
};

impl Quorums {
    /// Those chosen by the settings `q1` ([`PHASE_1_SIZE`]) and `q2` ([`PHASE_2_SIZE`]), unchecked.
    pub fn chosen(setup: &Setup, q1: SettingId, q2: SettingId) -> Quorums {
        let system = |id| QuorumSystem::threshold(setup.replicas, setup.settings.count(id));
        Quorums { replicas: setup.replicas, phase1: system(q1), phase2: system(q2) }
    }

    /// The same, checked.
    ///
    /// # Errors
    /// A quorum larger than the cluster; or two that need not share a replica, unless the rule `intersect` is ablated.
    pub fn checked(setup: &Setup, q1: SettingId, q2: SettingId, intersect: RuleId) -> Result<Quorums, SettingError> {
        let quorums = Quorums::chosen(setup, q1, q2);
        for (setting, system) in [(PHASE_1_SIZE, quorums.phase1), (PHASE_2_SIZE, quorums.phase2)] {
            if system.need() > setup.replicas {
                return Err((setting.key, "at most as many as there are replicas"));
            }
        }
        if !quorums.intersect() && !setup.ablated.has(intersect) {
            let says = "q1 + q2 must be more than all replicas, unless the rule quorums-intersect is taken away";
            return Err((PHASE_1_SIZE.key, says));
        }
        Ok(quorums)
    }

    /// Whether every quorum of phase 1 shares a replica with every quorum of phase 2.
    #[inline]
    pub const fn intersect(self) -> bool {
        self.phase1.intersects(self.phase2, self.replicas)
    }

    /// Whether both phases find a quorum among any so many healthy replicas.
    pub fn live(self, healthy: u8) -> bool {
        healthy >= self.phase1.need().max(self.phase2.need())
    }
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
    fn flexible_quorums_intersect_if_their_sizes_exceed_the_cluster() {
        let quorums = |phase1, phase2| Quorums {
            replicas: 4,
            phase1: QuorumSystem::threshold(4, phase1),
            phase2: QuorumSystem::threshold(4, phase2),
        };
        assert!(quorums(0, 0).intersect() && quorums(4, 1).intersect() && quorums(3, 2).intersect());
        assert!(!quorums(2, 2).intersect() && !quorums(3, 1).intersect());
        assert!(quorums(4, 1).live(4) && !quorums(4, 1).live(3));
    }

    #[test]
    fn smallest_quorum_starts_at_its_node_and_goes_round_the_end() {
        let system = QuorumSystem::threshold(5, 0);
        let quorum = system.smallest_from(NodeId(4), 5);
        assert_eq!(quorum, [NodeId(4), NodeId(0), NodeId(1)].into_iter().collect());
        assert!(system.is_quorum(quorum) && system.is_minimal(quorum));
        assert!(!system.is_quorum(quorum.without(NodeId(0))) && !system.is_minimal(quorum.with(NodeId(2))));
    }

    #[test]
    fn two_majorities_always_share_a_member() {
        for n in 1..=9 {
            assert!(2 * majority(n) > n);
            assert!(2 * (majority(n) - 1) <= n);
        }
    }

    #[test]
    fn set_iterates_over_its_members_from_the_lowest_id() {
        let set: NodeSet = [NodeId(4), NodeId(0), NodeId(63)].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [NodeId(0), NodeId(4), NodeId(63)]);
        assert_eq!(set.len(), 3);
        assert!(NodeSet::first(5).majority_in(NodeSet::first(3)));
        assert!(!NodeSet::first(5).majority_in(NodeSet::first(2)));
        assert_eq!(NodeSet::first(64).len(), 64);
    }
}

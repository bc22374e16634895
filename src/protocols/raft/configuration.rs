//! Cluster configurations and what counts as a quorum under them (dissertation, chapter 4).

use crate::core::{NodeId, NodeSet, Slot, majority};

/// A cluster configuration, the set of voters: C_old, C_old,new or C_new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// The servers of the configuration, or of C_new while it is joint.
    pub voters: NodeSet,
    /// The servers of C_old while the configuration is joint; otherwise none.
    pub outgoing: NodeSet,
}

impl Configuration {
    /// A configuration of one set of servers.
    pub const fn simple(voters: NodeSet) -> Configuration {
        Configuration { voters, outgoing: NodeSet::EMPTY }
    }

    /// C_old,new: both sets decide, each by a majority of its own.
    pub const fn joint(old: NodeSet, new: NodeSet) -> Configuration {
        Configuration { voters: new, outgoing: old }
    }

    /// Whether it is C_old,new.
    pub const fn is_joint(self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Every server that has a say.
    pub const fn all(self) -> NodeSet {
        self.voters.or(self.outgoing)
    }

    /// Whether `votes` is a quorum: a majority or, while joint, a majority of each set.
    pub const fn quorum(self, votes: NodeSet) -> bool {
        self.voters.majority_in(votes) && (!self.is_joint() || self.outgoing.majority_in(votes))
    }

    /// How many more votes make a quorum of these, at the least.
    pub fn missing(self, votes: NodeSet) -> u8 {
        let of = |servers: NodeSet| match servers.is_empty() {
            true => 0,
            false => majority(servers.len()).saturating_sub(servers.and(votes).len()),
        };
        let (new, old) = (of(self.voters), of(self.outgoing));
        // One server of both sets counts in each.
        let in_both = self.voters.and(self.outgoing).minus(votes).len();
        new + old - in_both.min(new).min(old)
    }

    /// The highest slot that a quorum has reached, given how far each server is known to have come.
    pub fn quorum_slot(self, reached: impl Fn(NodeId) -> Slot) -> Slot {
        let voters = majority_slot(self.voters, &reached);
        match self.is_joint() {
            true => voters.min(majority_slot(self.outgoing, &reached)),
            false => voters,
        }
    }
}

/// The highest slot that a majority of `servers` has reached; 0 for no servers.
fn majority_slot(servers: NodeSet, reached: impl Fn(NodeId) -> Slot) -> Slot {
    let by = |slot: Slot| servers.iter().filter(|&server| reached(server) >= slot).collect::<NodeSet>();
    servers.iter().map(&reached).filter(|&slot| servers.majority_in(by(slot))).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[u8]) -> NodeSet {
        ids.iter().map(|&id| NodeId(id)).collect()
    }

    #[test]
    fn joint_configuration_needs_a_majority_of_each_set() {
        let joint = Configuration::joint(set(&[0, 1, 2]), set(&[2, 3, 4]));
        assert!(!joint.quorum(set(&[0, 1, 2])));
        assert!(!joint.quorum(set(&[2, 3, 4])));
        assert!(joint.quorum(set(&[0, 2, 3])));
        assert_eq!(joint.all(), set(&[0, 1, 2, 3, 4]));
    }

    #[test]
    fn missing_votes_of_a_joint_configuration_count_once_where_they_are_in_both_sets() {
        let joint = Configuration::joint(set(&[0, 1, 2]), set(&[2, 3, 4]));
        assert_eq!(joint.missing(set(&[])), 3);
        assert_eq!(joint.missing(set(&[2])), 2);
        assert_eq!(joint.missing(set(&[0, 1])), 2);
        assert_eq!(joint.missing(set(&[0, 2, 3])), 0);
        assert_eq!(Configuration::simple(set(&[0, 1, 2, 3])).missing(set(&[0, 5])), 2);
    }

    #[test]
    fn empty_configuration_has_no_quorum() {
        assert!(!Configuration::default().quorum(set(&[0])));
        assert_eq!(Configuration::default().quorum_slot(|_| 9), 0);
    }

    #[test]
    fn quorum_slot_is_the_highest_that_a_majority_has_reached() {
        let reached = [9, 3, 7, 1, 5];
        let of = |node: NodeId| reached[usize::from(node.0)];
        assert_eq!(Configuration::simple(set(&[0, 1, 2, 3, 4])).quorum_slot(of), 5);
        assert_eq!(Configuration::simple(set(&[0, 1, 2, 3])).quorum_slot(of), 3);
        assert_eq!(Configuration::joint(set(&[0, 2, 4]), set(&[1, 3, 4])).quorum_slot(of), 3);
    }
}

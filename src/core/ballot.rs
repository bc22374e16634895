//! Ballots: proposal numbers, totally ordered and never shared by two proposers.

use super::{Epoch, NodeId};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A proposal number: a round, made unique by the proposer's own id.
///
/// Compared by round first, so a proposer that is preempted can always go higher ("Paxos Made Simple", §2.5:
/// "different proposers choose their numbers from disjoint sets").
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ballot {
    /// Compared first; each attempt takes a higher one. 0 only in [`Ballot::ZERO`].
    pub round: u32,
    /// The only proposer that may use this ballot.
    pub node: NodeId,
}

impl Ord for Ballot {
    // As one number: acceptors compare ballots at every message.
    #[inline]
    fn cmp(&self, other: &Ballot) -> Ordering {
        let number = |ballot: &Ballot| u64::from(ballot.round) << 8 | u64::from(ballot.node.0);
        number(self).cmp(&number(other))
    }
}

impl PartialOrd for Ballot {
    #[inline]
    fn partial_cmp(&self, other: &Ballot) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ballot {
    /// Below every ballot a proposer ever uses.
    pub const ZERO: Ballot = Ballot { round: 0, node: NodeId(0) };

    /// The smallest ballot of `me` that is higher than this one.
    #[must_use]
    pub fn next(self, me: NodeId) -> Ballot {
        Ballot { round: self.round + 1, node: me }
    }

    /// Whether any proposer may have used it: [`Ballot::ZERO`] is none.
    pub fn is_real(self) -> bool {
        self.round > 0
    }

    /// As an epoch that only the ballot's proposer may lead.
    pub fn epoch(self) -> Epoch {
        Epoch { number: self.round, owner: self.is_real().then_some(self.node) }
    }
}

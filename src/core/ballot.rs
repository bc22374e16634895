//! Ballots: totally ordered and never shared by two proposers.

use super::NodeId;
use serde::{Deserialize, Serialize};

/// A proposal number: a round, made unique by the proposer's own id.
///
/// Compared by round first, so a proposer that is outbid can always go higher ("Paxos Made Simple", §2.5:
/// "different proposers choose their numbers from disjoint sets").
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ballot {
    /// How often somebody had to try again. Round 0 is below every real ballot.
    pub round: u32,
    /// The only proposer that may use this ballot.
    pub node: NodeId,
}

impl Ballot {
    /// Below every ballot a proposer ever uses.
    pub const ZERO: Ballot = Ballot { round: 0, node: NodeId(0) };

    /// The smallest ballot of `me` that is higher than this one.
    #[must_use]
    pub fn next(self, me: NodeId) -> Ballot {
        Ballot { round: self.round + 1, node: me }
    }

    /// Whether any proposer ever used it.
    pub fn is_real(self) -> bool {
        self.round > 0
    }
}

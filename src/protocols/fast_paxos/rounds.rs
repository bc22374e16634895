//! Round numbers: who coordinates which, and which are fast (§2.2.1, §3.1, §3.2).
//!
//! Rounds are numbered from 1. They come in *series* of the same coordinator, because recovery from a collision in round *i* goes on in round
//! *i*+1 without a phase 1, which only round *i*'s own coordinator can do (§3.2). A series is one fast round and a classic one for coordinated
//! recovery; for uncoordinated recovery there is a second fast round in between. The last round of a series is always classic, and a
//! coordinator that cannot reach a fast quorum begins with it.

use crate::core::{Epoch, NodeId};

/// A round number; 0 is none.
pub type Round = u32;

/// How rounds are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rounds {
    /// Coordinators take turns: ids 0 to n−1.
    pub replicas: u8,
    /// Rounds of a series.
    pub series: u8,
}

impl Rounds {
    fn number(self, round: Round) -> u32 {
        round.saturating_sub(1) / u32::from(self.series)
    }

    /// The only node that may send Prepare, Any and Accept in this round.
    pub fn coordinator(self, round: Round) -> NodeId {
        NodeId((self.number(round) % u32::from(self.replicas)) as u8)
    }

    /// The first round of the series that this one is in.
    pub fn first(self, round: Round) -> Round {
        self.number(round) * u32::from(self.series) + u32::from(round > 0)
    }

    /// The last round of its series.
    pub fn last(self, round: Round) -> Round {
        self.first(round) + u32::from(self.series) - 1
    }

    /// Whether it is a fast round: all but the last of a series are.
    pub fn is_fast(self, round: Round) -> bool {
        round > 0 && round < self.last(round)
    }

    /// The first round of the next series of `node` that begins after `round`.
    pub fn next(self, round: Round, node: NodeId) -> Round {
        let (n, node) = (u32::from(self.replicas), u32::from(node.0));
        let after = round.div_ceil(u32::from(self.series));
        (after + (node + n - after % n) % n) * u32::from(self.series) + 1
    }

    /// As an epoch that only the round's coordinator leads.
    pub fn epoch(self, round: Round) -> Epoch {
        Epoch { number: round, owner: (round > 0).then(|| self.coordinator(round)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_take_turns_and_end_with_a_classic_round() {
        for (replicas, series) in [(3, 2), (5, 3), (1, 2)] {
            let rounds = Rounds { replicas, series };
            for round in 1..100 {
                let (first, last) = (rounds.first(round), rounds.last(round));
                assert!(first <= round && round <= last && last - first + 1 == u32::from(series));
                assert_eq!(rounds.coordinator(first), rounds.coordinator(last));
                assert_eq!(rounds.is_fast(round), round != last);
                for node in (0..replicas).map(NodeId) {
                    let next = rounds.next(round, node);
                    assert!(next > last && rounds.first(next) == next && rounds.coordinator(next) == node);
                    assert!(next - last <= u32::from(replicas) * u32::from(series), "the smallest there is");
                }
            }
            assert_eq!((rounds.next(0, NodeId(0)), rounds.is_fast(0), rounds.first(0)), (1, false, 0));
        }
    }
}

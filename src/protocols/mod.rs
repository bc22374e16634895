//! The protocols (variants): one file or folder each. This module is the only list of them.

#[cfg(test)]
mod manual_network;
pub mod multi_paxos;
pub mod notes;
pub mod raft;
pub mod synod;
pub mod two_phase_commit;

/// The variant of the scenario that the page begins with: it is loaded first.
pub type First = raft::Raft;

/// Hands the list of all variants to another macro: `variants!(then)` is `then!(path, path, …)`.
macro_rules! variants {
    ($then:ident) => {
        $then!(
            crate::protocols::notes::Notes,
            crate::protocols::synod::Synod,
            crate::protocols::multi_paxos::MultiPaxos,
            crate::protocols::raft::Raft,
            crate::protocols::two_phase_commit::TwoPhaseCommit
        )
    };
}
pub(crate) use variants;

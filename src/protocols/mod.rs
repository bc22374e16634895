//! The protocols (variants): one file or folder each. This module is the only list of them.

pub mod ben_or;
pub mod caspaxos;
pub mod epaxos;
pub mod fast_paxos;
pub mod floodset;
pub mod gossip_leader;
pub mod last_writer_wins;
mod log_copy;
pub mod manual_failover;
#[cfg(test)]
mod manual_network;
pub mod mencius;
pub mod multi_paxos;
pub mod notes;
pub mod omni_paxos;
pub mod oral_messages;
pub mod raft;
pub mod stonith_pair;
pub mod synod;
pub mod two_phase_commit;
pub mod vrr;
pub mod zab;

/// The variant of the scenario that the page begins with: it is loaded first.
pub type First = raft::Raft;

/// Hands the list of all variants to another macro: `variants!(then)` is `then!(name: path, name: path, …)`. A variant's name is also that
/// of the chunk of the page's program in which it comes.
#[macro_export]
macro_rules! variants {
    ($then:ident) => {
        $then! {
            notes: $crate::protocols::notes::Notes,
            synod: $crate::protocols::synod::Synod,
            multi_paxos: $crate::protocols::multi_paxos::MultiPaxos,
            raft: $crate::protocols::raft::Raft,
            vrr: $crate::protocols::vrr::Vrr,
            omni_paxos: $crate::protocols::omni_paxos::OmniPaxos,
            zab: $crate::protocols::zab::Zab,
            caspaxos: $crate::protocols::caspaxos::CasPaxos,
            fast_paxos: $crate::protocols::fast_paxos::FastPaxos,
            epaxos: $crate::protocols::epaxos::EPaxos,
            mencius: $crate::protocols::mencius::Mencius,
            oral_messages: $crate::protocols::oral_messages::OralMessages,
            floodset: $crate::protocols::floodset::FloodSet,
            ben_or: $crate::protocols::ben_or::BenOr,
            stonith_pair: $crate::protocols::stonith_pair::StonithPair,
            manual_failover: $crate::protocols::manual_failover::ManualFailover,
            gossip_leader: $crate::protocols::gossip_leader::GossipLeader,
            last_writer_wins: $crate::protocols::last_writer_wins::LastWriterWins,
            two_phase_commit: $crate::protocols::two_phase_commit::TwoPhaseCommit
        }
    };
}

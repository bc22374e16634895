//! What is counted while a world runs.

use crate::core::{ClientId, Log, Micros, NodeId};

/// Messages and bytes since the counters were last cleared.
///
/// A message counts when it is sent, whether or not it arrives. Messages a replica sends to itself do not count; those between clients
/// and replicas are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By kind, in the order of the protocol's kinds.
    pub by_kind: Vec<u64>,
    /// By sending replica.
    pub by_sender: Vec<u64>,
    /// From site `a` to site `b`, at `a * sites + b`.
    pub by_sites: Vec<u64>,
    /// Bytes between replicas.
    pub bytes: u64,
    /// Bytes sent by each replica to others.
    pub bytes_by_sender: Vec<u64>,
    /// Messages between replicas that did not arrive.
    pub lost: u64,
    /// Requests from clients and answers to them.
    pub client_messages: u64,
    /// Commands that clients got a final answer for.
    pub answered: u64,
    /// Commands begun by clients.
    pub asked: u64,
    /// Requests that clients sent again, having waited too long.
    pub retried: u64,
    /// Arrivals turned away because all sessions of the group were busy.
    pub turned_away: u64,
}

impl Counts {
    /// All zero, for this many kinds, replicas and sites.
    pub fn new(kinds: usize, nodes: usize, sites: usize) -> Counts {
        Counts {
            by_kind: vec![0; kinds],
            by_sender: vec![0; nodes],
            by_sites: vec![0; sites * sites],
            bytes_by_sender: vec![0; nodes],
            ..Counts::default()
        }
    }

    /// All messages between replicas.
    pub fn messages(&self) -> u64 {
        self.by_kind.iter().sum()
    }
}

/// One answered command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sample {
    /// When the answer came, µs since the start.
    pub at: Micros,
    /// From the first request to the answer, µs.
    pub latency: Micros,
    /// Who asked.
    pub client: ClientId,
    /// Who answered.
    pub node: NodeId,
}

/// Answered commands, oldest first, for each site.
pub type Samples = Vec<Log<Sample>>;

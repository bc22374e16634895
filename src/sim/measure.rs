//! What is counted while a world runs.

use crate::core::{ClientId, KindId, Log, Micros, NodeId};

/// Messages and bytes since the counters were last cleared.
///
/// A message counts when it is sent, whether or not it arrives. Messages a replica sends to itself do not count; those between clients
/// and replicas are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// What each replica sent of each kind: of kind `k` from replica `r` at `r * kinds + k`.
    sent: Vec<Sent>,
    /// How many kinds there are.
    kinds: usize,
    /// From site `a` to site `b`, at `a * sites + b`.
    pub by_sites: Vec<u64>,
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

/// Messages, and bytes of all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sent {
    messages: u64,
    bytes: u64,
}

impl Counts {
    /// All zero, for this many kinds, replicas and sites.
    pub fn new(kinds: usize, nodes: usize, sites: usize) -> Counts {
        Counts {
            sent: vec![Sent::default(); nodes * kinds],
            kinds,
            by_sites: vec![0; sites * sites],
            ..Counts::default()
        }
    }

    /// Another replica has joined.
    pub(super) fn add_sender(&mut self) {
        self.sent.resize(self.sent.len() + self.kinds, Sent::default());
    }

    /// A replica sent so many messages of a kind, each of so many bytes.
    #[inline(always)]
    pub(super) fn count(&mut self, from: NodeId, kind: KindId, messages: u64, bytes_each: u64) {
        let sent = &mut self.sent[usize::from(from.0) * self.kinds + usize::from(kind.0)];
        sent.messages += messages;
        sent.bytes += messages * bytes_each;
    }

    /// All messages between replicas.
    pub fn messages(&self) -> u64 {
        self.sent.iter().map(|sent| sent.messages).sum()
    }

    /// Bytes between replicas.
    pub fn bytes(&self) -> u64 {
        self.sent.iter().map(|sent| sent.bytes).sum()
    }

    /// Messages by kind, in the order of the protocol's kinds.
    pub fn by_kind(&self) -> Vec<u64> {
        let of = |kind: usize| self.sent.iter().skip(kind).step_by(self.kinds).map(|sent| sent.messages).sum();
        (0..self.kinds).map(of).collect()
    }

    /// Messages by sending replica.
    pub fn by_sender(&self) -> Vec<u64> {
        self.by_replica(|sent| sent.messages)
    }

    /// Bytes by sending replica.
    pub fn bytes_by_sender(&self) -> Vec<u64> {
        self.by_replica(|sent| sent.bytes)
    }

    fn by_replica(&self, what: impl Fn(&Sent) -> u64) -> Vec<u64> {
        self.sent.chunks(self.kinds.max(1)).map(|sent| sent.iter().map(&what).sum()).collect()
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

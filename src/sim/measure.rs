//! Message, byte and command counters, and latency samples of a run.

use crate::core::{ClientId, KindId, Log, Micros, NodeId};

/// Messages and bytes since the counters were last cleared.
///
/// A message counts when it is sent, whether or not it arrives. Messages a replica sends to itself do not count; those between clients
/// and replicas are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By sender and kind: kind `k` from replica `r` is at `r * kinds + k`.
    sent: Vec<Sent>,
    /// Number of message kinds.
    kinds: usize,
    /// Messages from site `a` to site `b`, at `a * sites + b`.
    pub by_sites: Vec<u64>,
    /// Messages between replicas that were lost.
    pub lost: u64,
    /// Client requests and replies.
    pub client_messages: u64,
    /// Commands completed: clients have their outcome.
    pub answered: u64,
    /// Commands issued by clients.
    pub asked: u64,
    /// Requests sent again after a retry timeout.
    pub retried: u64,
    /// Open-loop arrivals dropped because all sessions of the group were busy.
    pub turned_away: u64,
}

/// Number of messages, and their total size in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sent {
    messages: u64,
    bytes: u64,
}

impl Counts {
    /// Counters at zero for this many kinds, replicas and sites.
    pub fn new(kinds: usize, nodes: usize, sites: usize) -> Counts {
        Counts {
            sent: vec![Sent::default(); nodes * kinds],
            kinds,
            by_sites: vec![0; sites * sites],
            ..Counts::default()
        }
    }

    /// Adds the counters of a replica that has joined.
    pub(super) fn add_sender(&mut self) {
        self.sent.resize(self.sent.len() + self.kinds, Sent::default());
    }

    /// Counts `messages` messages of one kind, each of `bytes_each` bytes.
    #[inline(always)]
    pub(super) fn count(&mut self, from: NodeId, kind: KindId, messages: u64, bytes_each: u64) {
        let sent = &mut self.sent[usize::from(from.0) * self.kinds + usize::from(kind.0)];
        sent.messages += messages;
        sent.bytes += messages * bytes_each;
    }

    /// Total messages between replicas.
    pub fn messages(&self) -> u64 {
        self.sent.iter().map(|sent| sent.messages).sum()
    }

    /// Total bytes between replicas.
    pub fn bytes(&self) -> u64 {
        self.sent.iter().map(|sent| sent.bytes).sum()
    }

    /// Messages by kind, in the order of [`Message::KINDS`](crate::core::Message::KINDS).
    pub fn by_kind(&self) -> Vec<u64> {
        let of = |kind: usize| self.sent.iter().skip(kind).step_by(self.kinds).map(|sent| sent.messages).sum();
        (0..self.kinds).map(of).collect()
    }

    /// Bytes by kind.
    pub fn bytes_by_kind(&self) -> Vec<u64> {
        let of = |kind: usize| self.sent.iter().skip(kind).step_by(self.kinds).map(|sent| sent.bytes).sum();
        (0..self.kinds).map(of).collect()
    }

    /// Messages that one replica sent, by kind.
    pub fn by_kind_from(&self, sender: NodeId) -> Vec<u64> {
        let of_sender = self.sent.iter().skip(usize::from(sender.0) * self.kinds).take(self.kinds);
        of_sender.map(|sent| sent.messages).collect()
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

/// Latency sample of one answered command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sample {
    /// When the reply arrived, µs since the start.
    pub at: Micros,
    /// From the first request to the reply, µs.
    pub latency: Micros,
    /// The client.
    pub client: ClientId,
    /// The replica that answered.
    pub node: NodeId,
}

/// Samples by site of the client, oldest first.
pub type Samples = Vec<Log<Sample>>;

//! Event trace: a ring buffer of the latest records, and a digest of all records since the start.

use crate::core::hash::Digest;
use crate::core::{Micros, NodeId, RuleSet, Slot};

/// Type of a trace record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum What {
    /// A node handled a message: `node` from `peer`, of kind `kind`, in flight for `detail` µs.
    Delivered,
    /// A message from `peer` to `node` was lost.
    Lost,
    /// A timer fired.
    Timer,
    /// A node handled a client's request; `detail` is the client.
    Request,
    /// A client received a reply from a node; `detail` is the client.
    Answered,
    /// A client issued a command or, after a timeout or pause, sent it again; `detail` is the client.
    Client,
    /// An action was applied.
    Acted,
    /// A node learned that `slot` of lane `detail` is chosen.
    Chosen,
    /// A node executed `slot` of lane `detail`.
    Applied,
    /// An action of the script was impossible when it was due, and was refused.
    Refused,
    /// A node stopped while its effects were applied: a save did not fit its disk or, with `detail` 1, a scheduled crash fell between two sends.
    Stopped,
    /// `node` was fenced (turned off) by `peer`, if it was still up.
    Fenced,
}

impl What {
    /// Whether a handler of the node was called.
    pub fn is_handled(self) -> bool {
        matches!(self, What::Delivered | What::Timer | What::Request)
    }

    /// All types, in the order of their discriminants.
    pub(crate) const ALL: [What; 12] = [
        What::Delivered,
        What::Lost,
        What::Timer,
        What::Request,
        What::Answered,
        What::Client,
        What::Acted,
        What::Chosen,
        What::Applied,
        What::Refused,
        What::Stopped,
        What::Fenced,
    ];
}

/// One trace record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// When, µs.
    pub at: Micros,
    /// The rules that the handler applied.
    pub rules: RuleSet,
    /// The slot concerned; 0 if none.
    pub slot: Slot,
    /// Further data; see [`What`].
    pub detail: u32,
    /// Type.
    pub what: What,
    /// The node concerned.
    pub node: NodeId,
    /// The other node, if any.
    pub peer: NodeId,
    /// The kind of message, if any.
    pub kind: u8,
}

/// A record in four whole words (see "Speed" in `ARCHITECTURE.md`).
#[derive(Clone, Copy, Debug)]
struct Packed {
    at: Micros,
    rules: RuleSet,
    slot: u64,
    /// From the highest on: `detail`, `what`, `node`, `peer`, `kind`.
    rest: u64,
}

impl Record {
    #[inline(always)]
    fn pack(self) -> Packed {
        let rest = u64::from(self.detail) << 32
            | u64::from(self.what as u8) << 24
            | u64::from(self.node.0) << 16
            | u64::from(self.peer.0) << 8
            | u64::from(self.kind);
        Packed { at: self.at, rules: self.rules, slot: u64::from(self.slot), rest }
    }
}

impl Packed {
    fn unpack(self) -> Record {
        let byte = |shift: u32| (self.rest >> shift) as u8;
        Record {
            at: self.at,
            rules: self.rules,
            slot: self.slot as Slot,
            detail: (self.rest >> 32) as u32,
            what: What::ALL[usize::from(byte(24)) % What::ALL.len()],
            node: NodeId(byte(16)),
            peer: NodeId(byte(8)),
            kind: byte(0),
        }
    }
}

/// Sender, receiver and flight time of a message in one word: the format of the event queue and of trace records, so that a delivery copies
/// the word without unpacking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way(u64);

impl Way {
    /// The word of a message that was in flight for `flight` µs.
    #[inline(always)]
    pub fn new(from: NodeId, to: NodeId, flight: u32) -> Way {
        Way(u64::from(flight) << 32 | u64::from(to.0) << 16 | u64::from(from.0) << 8)
    }

    /// The inverse of [`Way::word`]; `None` if any bit outside the three fields is set.
    #[inline(always)]
    pub fn of_word(word: u64) -> Option<Way> {
        (word & 0xff00_00ff == 0).then_some(Way(word))
    }

    /// The packed word.
    #[inline(always)]
    pub fn word(self) -> u64 {
        self.0
    }

    /// The sender.
    #[inline(always)]
    pub fn from(self) -> NodeId {
        NodeId((self.0 >> 8) as u8)
    }

    /// The receiver.
    #[inline(always)]
    pub fn to(self) -> NodeId {
        NodeId((self.0 >> 16) as u8)
    }

    /// Flight time, µs.
    pub fn flight(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Ring buffer of the latest records, and a digest of all since the start.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Length is a power of two; record number `n` is at index `n` modulo the length.
    ring: Vec<Packed>,
    keep: usize,
    total: u64,
    digest: Digest,
}

impl Trace {
    /// An empty trace that keeps at least the latest `keep` records (none for 0; the digest covers all in any case).
    pub fn keeping(keep: usize) -> Trace {
        let nothing = Packed { at: 0, rules: RuleSet::EMPTY, slot: 0, rest: 0 };
        Trace { ring: vec![nothing; keep.next_power_of_two()], keep, total: 0, digest: Digest::default() }
    }

    /// Appends a record.
    #[inline(always)]
    pub fn push(&mut self, record: Record) {
        self.add(record.pack());
    }

    /// Appends the record of a delivered message of this kind.
    #[inline(always)]
    pub fn delivered(&mut self, at: Micros, way: Way, kind: u8, slot: Slot, rules: RuleSet) {
        let what = u64::from(What::Delivered as u8) << 24;
        self.add(Packed { at, rules, slot: u64::from(slot), rest: way.0 | what | u64::from(kind) });
    }

    #[inline(always)]
    fn add(&mut self, record: Packed) {
        self.digest.roll(record.at ^ record.slot << 40);
        self.digest.roll(record.rest);
        let place = self.total as usize & (self.ring.len() - 1);
        self.ring[place] = record;
        self.total += 1;
    }

    /// Number of records since the start.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The records kept, oldest first, each with its sequence number since the start.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = (u64, Record)> {
        let kept = if self.keep == 0 { 0 } else { self.ring.len() as u64 };
        let oldest = self.total.saturating_sub(kept);
        (oldest..self.total).map(|number| (number, self.ring[number as usize & (self.ring.len() - 1)].unpack()))
    }

    /// The digest of all records since the start.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_keeps_latest_records_in_order() {
        let mut trace = Trace::keeping(4);
        for at in 0..11 {
            let record = Record {
                at,
                rules: RuleSet::EMPTY,
                slot: 0,
                detail: 0,
                what: What::Timer,
                node: NodeId(0),
                peer: NodeId(0),
                kind: 0,
            };
            trace.push(record);
        }
        assert_eq!(
            trace.records().map(|(number, record)| (number, record.at)).collect::<Vec<_>>(),
            [(7, 7), (8, 8), (9, 9), (10, 10)]
        );
        assert_eq!(Trace::keeping(0).records().count(), 0);
    }

    #[test]
    fn record_packing_round_trips() {
        for (number, what) in (0..).zip(What::ALL) {
            let record = Record {
                at: u64::MAX - number,
                rules: RuleSet(1 << 63 | number),
                slot: u32::MAX,
                detail: u32::MAX - 1,
                what,
                node: NodeId(31),
                peer: NodeId(number as u8),
                kind: 255,
            };
            let mut trace = Trace::keeping(1);
            trace.push(record);
            assert_eq!(trace.records().collect::<Vec<_>>(), [(0, record)]);
        }
    }
}

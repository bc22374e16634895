//! Messages between servers of Omni-Paxos, and what they carry.

use crate::core::{Command, NodeId, Slot};
use crate::services::Machine;
use std::sync::Arc;

/// A ballot, ordered by its number, then by the priority of its server, then by that server's id (§5.2). It numbers a round of Sequence Paxos as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ballot {
    /// Its number; 0 in no ballot of a server.
    pub n: u32,
    /// 1 for a server that is preferred among ballots of one number, otherwise 0.
    pub priority: u8,
    /// The only server that may lead with it.
    pub pid: NodeId,
}

impl From<Ballot> for crate::core::Fact {
    fn from(ballot: Ballot) -> crate::core::Fact {
        crate::core::Ballot { round: ballot.n, node: ballot.pid }.into()
    }
}

/// The state machine after a decided prefix of the log, in place of that prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The last slot that it covers.
    pub slot: Slot,
    /// The state after executing all slots up to that one.
    pub machine: Machine,
}

/// The end of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Suffix {
    /// In place of the slots before `first`, where the sender has trimmed some of those that the receiver lacks.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The slot of the first entry.
    pub first: Slot,
    /// All entries from there on.
    pub entries: Vec<Command>,
}

/// What a server says of its log, in Prepare and in Promise: acceptedRnd, logIdx and decidedIdx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogState {
    /// The round in which it accepted its log last.
    pub accepted: Ballot,
    /// The last slot.
    pub last: Slot,
    /// Up to where it knows the log to be decided.
    pub decided: Slot,
}

/// Bytes of a ballot on the wire.
const BALLOT: u32 = 6;
/// Bytes of a slot, or of another number, on the wire.
const NUMBER: u32 = 4;

crate::messages! {
    /// A message, with the names of figures 3 and 4; `n` is the round of Sequence Paxos.
    #[allow(missing_docs)] // The variants say what their fields are.
    #[repr(u8)] // The discriminant is a byte of its own, not a niche in a command: see ARCHITECTURE.md, on speed.
    pub enum Msg {
        /// Begins a heartbeat round of the sender, or asks again in it.
        HBRequest { round: u32 } = {
            letter: 'H', phase: Heartbeat, says: "asks who is there, for a heartbeat round",
            bytes: NUMBER,
        };
        /// The sender's ballot, and whether it is quorum-connected.
        HBReply { round: u32, ballot: Ballot, qc: bool } = {
            letter: 'h', phase: Heartbeat, says: "is there; tells its ballot, and whether it hears from a majority",
            bytes: NUMBER + BALLOT + 1,
        };
        /// An elected server begins its round, or synchronizes with one that has lost something.
        Prepare { n: Ballot, log: LogState } = {
            letter: 'P', phase: Elect, says: "asks for a promise for its round, and tells how far its log is",
            bytes: 2 * BALLOT + 2 * NUMBER,
        };
        /// With what the leader lacks of a log that is accepted in a higher round, or is longer.
        Promise { n: Ballot, log: LogState, suffix: Arc<Suffix> } = {
            letter: 'p', phase: Vote, says: "promises to take part in no lower round, and sends what the leader lacks",
            bytes: 2 * BALLOT + 2 * NUMBER + suffix.bytes(),
            commands: suffix.commands(), values: |see| suffix.each_value(see),
        };
        /// What the follower's log must go on with, from the first slot that may differ.
        AcceptSync { n: Ballot, suffix: Arc<Suffix>, decided: Slot } = {
            letter: 'S', phase: Elect, says: "makes the follower's log the same as the leader's",
            bytes: BALLOT + NUMBER + suffix.bytes(),
            commands: suffix.commands(), values: |see| suffix.each_value(see),
        };
        /// A new command in the next slot; slots up to `decided` are decided.
        AcceptDecide { n: Ballot, slot: Slot, command: Command, decided: Slot } = {
            alias: "Accept", letter: 'A', phase: Propose, says: "asks to append a command to the log",
            bytes: BALLOT + 2 * NUMBER, command: command, slot: *slot,
        };
        /// The sender's log is the leader's up to `slot`.
        Accepted { n: Ballot, slot: Slot } = {
            letter: 'a', phase: Accept, says: "has accepted the log up to a slot",
            bytes: BALLOT + NUMBER, slot: *slot,
        };
        /// The leader has had nothing to propose for a heartbeat round, or the follower has not accepted all. `last` is the end of its log.
        Decide { n: Ballot, decided: Slot, last: Slot } = {
            letter: 'D', phase: Heartbeat, says: "tells how far the log is decided, and how long it is",
            bytes: BALLOT + 2 * NUMBER,
        };
        /// The sender has restarted or lost messages: whoever leads is to begin again with it.
        PrepareReq {} = {
            letter: 'R', phase: Transfer, says: "has lost something: asks the leader to prepare it anew",
            bytes: 1,
        };
    }
}

// Out of line: only the few messages that carry much call these.

impl Suffix {
    /// The last slot; that of the snapshot, or the one before `first`, if there are no entries.
    pub fn last(&self) -> Slot {
        self.first + self.entries.len() as Slot - 1
    }

    #[inline(never)]
    fn bytes(&self) -> u32 {
        NUMBER + self.snapshot.as_ref().map_or(0, |snapshot| NUMBER + snapshot.machine.bytes())
    }

    #[inline(never)]
    fn commands(&self) -> u32 {
        self.entries.len() as u32 + self.snapshot.as_ref().map_or(0, |snapshot| snapshot.machine.values())
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        self.entries.iter().for_each(|command| see(command.value()));
        self.snapshot.iter().for_each(|snapshot| snapshot.machine.each_value(see));
    }
}

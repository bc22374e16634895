//! Messages between servers of Zab, and what they carry.

use crate::core::{Command, NodeId, Slot};
use crate::services::Machine;
use std::sync::Arc;

/// The number of a transaction (§III): the epoch of the leader that proposed it, and how many that one had proposed, itself included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zxid {
    /// The epoch.
    pub epoch: u32,
    /// From 1 on in every epoch.
    pub counter: u32,
}

/// An entry of a history.
pub type Transaction = (Zxid, Command);

/// acceptedEpoch, f.p: the last epoch for which a server has accepted NewEpoch, and from whom; epoch 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Accepted {
    /// The epoch.
    pub epoch: u32,
    /// Its prospective leader.
    pub leader: NodeId,
}

/// What a server votes for: the server with the most recent history, and of equal ones that with the highest id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// currentEpoch of that server.
    pub epoch: u32,
    /// The zxid with which its history ends.
    pub last: Zxid,
    /// Its id.
    pub id: NodeId,
}

/// What a server says of its history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Report {
    /// currentEpoch, f.a: the last epoch for which it has accepted NewLeader.
    pub epoch: u32,
    /// The zxid with which its history ends.
    pub last: Zxid,
    /// The last slot.
    pub slot: Slot,
    /// Up to where it knows the history to be committed.
    pub committed: Slot,
}

/// The state machine after a committed prefix of the history, in place of that prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The last slot that it covers.
    pub slot: Slot,
    /// The zxid in that slot.
    pub zxid: Zxid,
    /// The state after executing all slots up to that one.
    pub machine: Machine,
}

/// The end of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Suffix {
    /// In place of the slots before `first`, where the sender has trimmed some of those that the receiver lacks.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The slot of the first entry.
    pub first: Slot,
    /// All entries from there on.
    pub entries: Vec<Transaction>,
}

/// Bytes of an epoch, a slot, or of another number, on the wire.
const NUMBER: u32 = 4;
/// Bytes of a zxid.
const ZXID: u32 = 2 * NUMBER;
/// Bytes of acceptedEpoch.
const ACCEPTED: u32 = NUMBER + 1;
/// Bytes of a report.
const REPORT: u32 = 3 * NUMBER + ZXID;

crate::messages! {
    /// A message, with the paper's names; Ping and Pong are its heartbeats, and Notification is that of the election in ZooKeeper.
    #[allow(missing_docs)] // The variants say what their fields are.
    #[repr(u8)] // The discriminant is a byte of its own, not a niche in a command: see ARCHITECTURE.md, on speed.
    pub enum Msg {
        /// The sender's vote in its election round, or that it leads.
        Notification { round: u32, vote: Vote, leads: bool } = {
            letter: 'V', phase: Vote, says: "tells whom it votes for, or that it leads",
            bytes: 2 * NUMBER + ZXID + 2,
        };
        /// CEPOCH: the sender follows; up to which epoch it has gone, and its history.
        CEpoch { accepted: Accepted, report: Report } = {
            letter: 'C', phase: Elect, says: "follows the receiver, and tells the last epoch that it has accepted",
            bytes: ACCEPTED + REPORT,
        };
        /// NEWEPOCH: the epoch proposed, and how far the leader's own history goes.
        NewEpoch { epoch: u32, report: Report } = {
            letter: 'E', phase: Elect, says: "proposes a new epoch",
            bytes: NUMBER + REPORT,
        };
        /// ACK-E: with what the leader lacks of a more recent history.
        AckEpoch { epoch: u32, report: Report, suffix: Arc<Suffix> } = {
            letter: 'e', phase: Elect, says: "accepts the new epoch, and tells its history",
            bytes: NUMBER + REPORT + suffix.bytes(),
            commands: suffix.commands(), values: |see| suffix.each_value(see),
        };
        /// NEWLEADER: the initial history of the epoch, from the first slot that may differ.
        NewLeader { epoch: u32, suffix: Arc<Suffix> } = {
            letter: 'L', phase: Elect, says: "makes the follower's history the same as the leader's",
            bytes: NUMBER + suffix.bytes(),
            commands: suffix.commands(), values: |see| suffix.each_value(see),
        };
        /// ACK-LD: the sender has accepted the history up to `slot`.
        AckLeader { epoch: u32, slot: Slot } = {
            letter: 'l', phase: Elect, says: "has accepted the history of the new epoch",
            bytes: 2 * NUMBER,
        };
        /// COMMIT-LD: the history is committed up to `slot`.
        CommitLeader { epoch: u32, slot: Slot } = {
            letter: 'D', phase: Elect, says: "commits the history of the new epoch",
            bytes: 2 * NUMBER,
        };
        /// PROPOSE: the next transaction of the epoch.
        Propose { slot: Slot, zxid: Zxid, command: Command } = {
            letter: 'P', phase: Propose, says: "asks to append a command to the history",
            bytes: NUMBER + ZXID, command: command, slot: *slot,
        };
        /// ACK: the sender has accepted the history up to `slot`.
        Ack { epoch: u32, slot: Slot } = {
            letter: 'a', phase: Accept, says: "has accepted the history up to a slot",
            bytes: 2 * NUMBER, slot: *slot,
        };
        /// COMMIT: the history is committed up to `slot`.
        Commit { epoch: u32, slot: Slot } = {
            letter: 'c', phase: Commit, says: "commits the history up to a slot",
            bytes: 2 * NUMBER, slot: *slot,
        };
        /// A heartbeat of the leader. `epoch` is 0 as long as it has proposed none.
        Ping { round: u32, epoch: u32, committed: Slot, last: Slot } = {
            letter: 'H', phase: Heartbeat, says: "leads; tells how far the history is committed, and how long it is",
            bytes: 4 * NUMBER,
        };
        /// The answer of a follower: what CEpoch says.
        Pong { round: u32, accepted: Accepted, report: Report } = {
            letter: 'h', phase: Heartbeat, says: "follows; tells how far its history is",
            bytes: NUMBER + ACCEPTED + REPORT,
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
        let entries = self.entries.len() as u32 * ZXID;
        NUMBER + entries + self.snapshot.as_ref().map_or(0, |snapshot| NUMBER + ZXID + snapshot.machine.bytes())
    }

    #[inline(never)]
    fn commands(&self) -> u32 {
        self.entries.len() as u32 + self.snapshot.as_ref().map_or(0, |snapshot| snapshot.machine.values())
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        self.entries.iter().for_each(|(_, command)| see(command.value()));
        self.snapshot.iter().for_each(|snapshot| snapshot.machine.each_value(see));
    }
}

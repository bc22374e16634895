//! Messages between servers of Multi-Paxos.

use crate::core::{Ballot, ClientId, Command, Micros, NodeId, NodeSet, Outcome, Slot};
use crate::services::Machine;
use std::sync::Arc;

/// A command proposed in a ballot, and perhaps accepted ("Moderately Complex": a pvalue, together with its slot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The ballot of the leader that proposed it.
    pub ballot: Ballot,
    /// The command proposed.
    pub command: Command,
}

/// The state machine after a prefix of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The last slot it covers.
    pub slot: Slot,
    /// The state machine after executing all slots up to that one.
    pub machine: Machine,
}

/// What an acceptor reports along with its promise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Report {
    /// Commands in slots up to this one are known to be chosen.
    pub committed: Slot,
    /// The slot of the first entry of `accepted`.
    pub first: Slot,
    /// The highest-numbered proposal accepted in each slot from `first` on; `None` where nothing was.
    pub accepted: Vec<Option<Proposal>>,
    /// In place of slots that the proposer asked about and the acceptor has compacted, if it asked for that, too.
    pub snapshot: Option<Arc<Snapshot>>,
}

/// Bytes of a ballot on the wire.
const BALLOT: u32 = 5;
/// Bytes of a slot, or of another number, on the wire.
const SLOT: u32 = 4;

/// Bytes of a time on the wire.
const TIME: u32 = 8;
/// Bytes of a read, or of what it returns, with the number of its client and its own.
const OPERATION: u32 = 14;
/// Bytes of a set of servers on the wire.
const SET: u32 = 2;

crate::messages! {
    /// A message. `ballot` is the sender's own where it leads or wants to, and the one it answers otherwise. `round` numbers the leader's
    /// heartbeats, so that an answer tells which one it answers.
    #[allow(missing_docs)] // The variants say what their fields are.
    #[repr(u8)] // The discriminant is a byte of its own, not a niche in a command: see ARCHITECTURE.md, on speed.
    pub enum Msg {
        /// Does the receiver hear from a leader? Asked before `ballot` is prepared; nobody promises anything yet.
        Poll { ballot: Ballot } = {
            letter: 'Q', phase: Elect, says: "asks whether it may prepare a higher ballot",
            bytes: BALLOT,
        };
        /// Answers a poll.
        PollReply { ballot: Ballot, granted: bool } = {
            letter: 'q', phase: Vote, says: "hears from no leader either",
            refusal: PollRefusal if !granted => { alias: "PollReply: false", letter: 'x', says: "still hears from the leader" },
            bytes: BALLOT + 1,
        };
        /// Phase 1a, for all slots from `from` on at once. `state` is asked for its snapshot in place of slots that it has compacted.
        Prepare { ballot: Ballot, from: Slot, state: Option<NodeId> } = {
            alias: "1a", letter: 'P', phase: Elect, says: "asks for a promise for its ballot",
            bytes: BALLOT + SLOT + 1,
        };
        /// Phase 1b.
        Promise { ballot: Ballot, report: Arc<Report> } = {
            alias: "1b", letter: 'p', phase: Vote, says: "promises to ignore lower ballots, and reports what it has accepted",
            bytes: report.bytes(),
            commands: report.commands(), values: |see| report.each_value(see),
        };
        /// Phase 2a, for one slot. All slots up to `committed` are chosen.
        Accept { ballot: Ballot, slot: Slot, command: Command, committed: Slot } = {
            alias: "2a", letter: 'A', phase: Propose, says: "asks to accept a command in a slot",
            bytes: BALLOT + 2 * SLOT, command: command, slot: *slot,
        };
        /// Phase 2b.
        Accepted { ballot: Ballot, slot: Slot } = {
            alias: "2b", letter: 'a', phase: Accept, says: "has accepted it",
            bytes: BALLOT + SLOT, slot: *slot,
        };
        /// The same on a condition: `holders` have leases from the sender, and must have accepted, too.
        AcceptedIf { ballot: Ballot, slot: Slot, holders: NodeSet } = {
            alias: "2b", letter: 'i', phase: Accept, says: "has accepted it, on condition that holders of its leases have, too",
            bytes: BALLOT + SLOT + SET, slot: *slot,
        };
        /// The command is chosen.
        Commit { ballot: Ballot, slot: Slot, command: Command } = {
            letter: 'C', phase: Commit, says: "tells that the command is chosen",
            bytes: BALLOT + SLOT, command: command, slot: *slot,
        };
        /// The leader is alive. All slots up to `committed` are chosen.
        Heartbeat { ballot: Ballot, round: u32, committed: Slot } = {
            letter: 'H', phase: Heartbeat, says: "is alive and leads; tells how far the log is chosen",
            bytes: BALLOT + 2 * SLOT,
        };
        /// Answers a heartbeat. `first_missing` is the first slot whose chosen command the sender lacks; 0 if it lacks none.
        HeartbeatReply { ballot: Ballot, round: u32, first_missing: Slot } = {
            letter: 'h', phase: Heartbeat, says: "has heard it; tells from which slot on it lacks chosen commands",
            bytes: BALLOT + 2 * SLOT,
        };
        /// A heartbeat with the chosen commands from slot `first` on, for a server that lacks them.
        CatchUp { ballot: Ballot, round: u32, first: Slot, chosen: Arc<Vec<Proposal>> } = {
            letter: 'L', phase: Transfer, says: "a heartbeat with the chosen commands that the other lacks",
            bytes: BALLOT + 2 * SLOT + BALLOT * chosen.len() as u32,
            commands: chosen.len() as u32, values: |see| chosen.iter().for_each(|proposal| see(proposal.command.value())),
        };
        /// A heartbeat with the leader's snapshot, for a server that lacks commands which the leader has compacted.
        Snapshot { ballot: Ballot, round: u32, snapshot: Arc<Snapshot> } = {
            letter: 'S', phase: Transfer, says: "brings the whole state in place of the log before it",
            bytes: snapshot.bytes(),
            commands: snapshot.machine.values(), values: |see| snapshot.machine.each_value(see),
        };
        /// Asks the receiver to prepare at once, if it knows all slots up to `committed`.
        HandOver { ballot: Ballot, committed: Slot } = {
            letter: 'T', phase: Transfer, says: "asks the other to take over leadership now",
            bytes: BALLOT + SLOT,
        };
        /// A replica reads for a client: what has the receiver accepted of it?
        QuorumRead { command: Command } = {
            letter: 'R', phase: Read, says: "asks, for a read, which write was last accepted",
            bytes: OPERATION,
        };
        /// Has the receiver executed up to `slot`?
        Rinse { command: Command, slot: Slot } = {
            letter: 'r', phase: Read, says: "asks, for a read, whether that write is executed now",
            bytes: OPERATION + SLOT,
        };
        /// Answers both: the last slot, beyond those executed, with a write to what is read, and what is read after all slots up to `executed`.
        QuorumReadReply { client: ClientId, seq: u32, last_write: Slot, executed: Slot, outcome: Outcome } = {
            letter: 'v', phase: Read, says: "tells the last write it has accepted, and what it has executed",
            bytes: OPERATION + 2 * SLOT,
        };
        /// A lease is about to be granted.
        Guard {} = {
            letter: 'G', phase: Heartbeat, says: "is about to grant a lease",
            bytes: 1,
        };
        /// Answers a guard with the holder's clock.
        GuardAck { clock: Micros } = {
            letter: 'g', phase: Heartbeat, says: "tells its time, within a guard of which it takes the lease",
            bytes: TIME,
        };
        /// A lease, or its renewal, for a holder that has executed up to `slot`.
        LeasePromise { guarded: Micros, round: u32, slot: Slot } = {
            alias: "Promise", letter: 'E', phase: Heartbeat, says: "grants a lease, or renews it",
            bytes: TIME + 2 * SLOT,
        };
        /// Answers that.
        LeasePromiseAck { guarded: Micros, round: u32 } = {
            alias: "PromiseAck", letter: 'e', phase: Heartbeat, says: "has the lease",
            bytes: TIME + SLOT,
        };
        /// These holders do not answer the leader's heartbeats: no more leases for them.
        Silent { ballot: Ballot, holders: NodeSet } = {
            letter: 'z', phase: Heartbeat, says: "names holders that get no more leases, because they do not answer",
            bytes: BALLOT + SET,
        };
        /// Answers any message of a ballot below the one promised.
        Nack { promised: Ballot } = {
            letter: 'N', phase: Refuse, says: "has promised a higher ballot",
            bytes: BALLOT,
        };
    }
}

impl Msg {
    /// A vote, on condition that these holders of leases have accepted as well.
    #[inline]
    pub(super) fn accepted(ballot: Ballot, slot: Slot, holders: NodeSet) -> Msg {
        match holders.is_empty() {
            true => Msg::Accepted { ballot, slot },
            false => Msg::AcceptedIf { ballot, slot, holders },
        }
    }
}

// Out of line: only the few messages that carry much call these.

impl Snapshot {
    #[inline(never)]
    fn bytes(&self) -> u32 {
        BALLOT + 2 * SLOT + self.machine.bytes()
    }
}

impl Report {
    #[inline(never)]
    fn bytes(&self) -> u32 {
        let snapshot = self.snapshot.as_ref().map_or(0, |snapshot| SLOT + snapshot.machine.bytes());
        BALLOT + 2 * SLOT + BALLOT * self.accepted.len() as u32 + snapshot
    }

    #[inline(never)]
    fn commands(&self) -> u32 {
        let accepted = self.accepted.iter().flatten().count() as u32;
        accepted + self.snapshot.as_ref().map_or(0, |snapshot| snapshot.machine.values())
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        self.accepted.iter().flatten().for_each(|proposal| see(proposal.command.value()));
        self.snapshot.iter().for_each(|snapshot| snapshot.machine.each_value(see));
    }
}

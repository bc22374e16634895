//! What servers say to each other.

use crate::core::node::{Kind, Message, Phase};
use crate::core::{Ballot, Command, KindId, Slot};
use crate::services::Machine;
use std::sync::Arc;

/// A command proposed in a ballot, and perhaps accepted ("Moderately Complex": a pvalue, together with its slot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The ballot of the leader that proposed it.
    pub ballot: Ballot,
    /// What it proposed.
    pub command: Command,
}

/// The state machine after a prefix of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// All slots up to this one are in it.
    pub slot: Slot,
    /// What executing them gave.
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
    /// Stands for slots the acceptor has compacted, if the proposer asked for any.
    pub snapshot: Option<Arc<Snapshot>>,
}

/// A message. `ballot` is the sender's own where it leads or wants to, and the one it answers otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants say what their fields are.
#[repr(u8)] // A tag of its own, not one that hides in a command's: one look tells them apart.
pub enum Msg {
    /// Phase 1a, for all slots from `from` on at once.
    Prepare { ballot: Ballot, from: Slot },
    /// Phase 1b.
    Promise { ballot: Ballot, report: Arc<Report> },
    /// Phase 2a, for one slot. All slots up to `committed` are chosen.
    Accept { ballot: Ballot, slot: Slot, command: Command, committed: Slot },
    /// Phase 2b.
    Accepted { ballot: Ballot, slot: Slot },
    /// The command is chosen.
    Commit { ballot: Ballot, slot: Slot, command: Command },
    /// The leader is alive. All slots up to `committed` are chosen.
    Heartbeat { ballot: Ballot, beat: u32, committed: Slot },
    /// The answer to a heartbeat; `missing_from` is the first slot of which the sender does not know the chosen command, 0 if none.
    HeartbeatReply { ballot: Ballot, beat: u32, missing_from: Slot },
    /// A heartbeat for one that lacks something: the chosen commands from slot `first` on.
    Learn { ballot: Ballot, beat: u32, first: Slot, chosen: Arc<Vec<Proposal>> },
    /// A heartbeat for one that lacks something the leader itself has compacted.
    Snapshot { ballot: Ballot, beat: u32, snapshot: Arc<Snapshot> },
    /// Prepare at once, if all slots up to `committed` are known.
    HandOver { ballot: Ballot, committed: Slot },
    /// The answer to any message of a ballot below the one promised.
    Nack { promised: Ballot },
}

const BALLOT: u32 = 5;
const SLOT: u32 = 4;

// Of the messages that carry much: apart, so that asking the others costs next to nothing.

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
}

impl Message for Msg {
    fn tampered(&self) -> Option<Msg> {
        Some(match self.clone() {
            Msg::Accept { ballot, slot, command, committed } => {
                Msg::Accept { ballot, slot, command: command.tampered(), committed }
            }
            Msg::Commit { ballot, slot, command } => Msg::Commit { ballot, slot, command: command.tampered() },
            _ => return None,
        })
    }

    const KINDS: &'static [Kind] = &[
        Kind {
            name: "Prepare",
            alias: "1a",
            letter: 'P',
            phase: Phase::Elect,
            says: "asks for a promise for its ballot",
        },
        Kind {
            name: "Promise",
            alias: "1b",
            letter: 'p',
            phase: Phase::Vote,
            says: "promises to ignore lower ballots, and reports what it has accepted",
        },
        Kind {
            name: "Accept",
            alias: "2a",
            letter: 'A',
            phase: Phase::Propose,
            says: "asks to accept a command in a slot",
        },
        Kind { name: "Accepted", alias: "2b", letter: 'a', phase: Phase::Accept, says: "has accepted it" },
        Kind { name: "Commit", alias: "", letter: 'C', phase: Phase::Commit, says: "tells that the command is chosen" },
        Kind {
            name: "Heartbeat",
            alias: "",
            letter: 'H',
            phase: Phase::Heartbeat,
            says: "is alive and leads; tells how far the log is chosen",
        },
        Kind {
            name: "HeartbeatReply",
            alias: "",
            letter: 'h',
            phase: Phase::Heartbeat,
            says: "has heard it; tells what it lacks",
        },
        Kind {
            name: "Learn",
            alias: "",
            letter: 'L',
            phase: Phase::Heartbeat,
            says: "a heartbeat that brings the chosen commands the other lacks",
        },
        Kind {
            name: "Snapshot",
            alias: "",
            letter: 'S',
            phase: Phase::Transfer,
            says: "brings the whole state, for lack of the log before it",
        },
        Kind {
            name: "HandOver",
            alias: "",
            letter: 'T',
            phase: Phase::Transfer,
            says: "asks the other to take over leadership now",
        },
        Kind { name: "Nack", alias: "", letter: 'N', phase: Phase::Refuse, says: "has promised a higher ballot" },
    ];

    #[inline(always)]
    fn kind(&self) -> KindId {
        KindId(match self {
            Msg::Prepare { .. } => 0,
            Msg::Promise { .. } => 1,
            Msg::Accept { .. } => 2,
            Msg::Accepted { .. } => 3,
            Msg::Commit { .. } => 4,
            Msg::Heartbeat { .. } => 5,
            Msg::HeartbeatReply { .. } => 6,
            Msg::Learn { .. } => 7,
            Msg::Snapshot { .. } => 8,
            Msg::HandOver { .. } => 9,
            Msg::Nack { .. } => 10,
        })
    }

    #[inline(always)]
    fn bytes(&self) -> u32 {
        match self {
            Msg::Nack { .. } => BALLOT,
            Msg::Prepare { .. } | Msg::Accepted { .. } | Msg::Commit { .. } | Msg::HandOver { .. } => BALLOT + SLOT,
            Msg::Accept { .. } | Msg::Heartbeat { .. } | Msg::HeartbeatReply { .. } => BALLOT + 2 * SLOT,
            Msg::Promise { report, .. } => report.bytes(),
            Msg::Learn { chosen, .. } => BALLOT + 2 * SLOT + BALLOT * chosen.len() as u32,
            Msg::Snapshot { snapshot, .. } => snapshot.bytes(),
        }
    }

    #[inline(always)]
    fn commands(&self) -> u32 {
        match self {
            Msg::Accept { .. } | Msg::Commit { .. } => 1,
            Msg::Promise { report, .. } => report.commands(),
            Msg::Learn { chosen, .. } => chosen.len() as u32,
            Msg::Snapshot { snapshot, .. } => snapshot.machine.values(),
            _ => 0,
        }
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        match self {
            Msg::Accept { command, .. } | Msg::Commit { command, .. } => see(command.value()),
            Msg::Promise { report, .. } => {
                report.accepted.iter().flatten().for_each(|proposal| see(proposal.command.value()));
                report.snapshot.iter().for_each(|snapshot| snapshot.machine.each_value(see));
            }
            Msg::Learn { chosen, .. } => chosen.iter().for_each(|proposal| see(proposal.command.value())),
            Msg::Snapshot { snapshot, .. } => snapshot.machine.each_value(see),
            _ => {}
        }
    }

    #[inline(always)]
    fn slot(&self) -> Slot {
        match self {
            Msg::Accept { slot, .. } | Msg::Accepted { slot, .. } | Msg::Commit { slot, .. } => *slot,
            _ => 0,
        }
    }
}

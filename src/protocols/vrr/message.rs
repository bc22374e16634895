//! Messages between replicas of Viewstamped Replication, and what they carry.

use crate::core::{Command, Log, NodeId, Slot};
use crate::services::Machine;
use std::sync::Arc;

/// A request in the log, with the view in which it was given its op-number: together, its viewstamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The view in which it was prepared first.
    pub view: u32,
    /// The request.
    pub command: Command,
}

impl Default for Entry {
    fn default() -> Entry {
        Entry { view: 0, command: Command::NOOP }
    }
}

/// The application state after a prefix of the log (§5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// The last op-number that it covers.
    pub slot: Slot,
    /// The state after executing all requests up to that one.
    pub machine: Machine,
}

/// A log, or the end of one, as it is sent: l, n and k of the paper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// In place of the beginning of the log, if the sender has dropped that.
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// The log from some op-number on. Its last one is n.
    pub log: Log<Entry>,
    /// The commit-number k.
    pub commit: Slot,
}

/// For each replica the number of its latest start that the sender knows of (Michael et al.: crash vector).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CrashVector(pub Vec<u32>);

impl CrashVector {
    /// The latest known start of `replica`.
    pub fn of(&self, replica: NodeId) -> u32 {
        self.0.get(usize::from(replica.0)).copied().unwrap_or(0)
    }

    /// Takes note of a start.
    pub fn note(&mut self, replica: NodeId, start: u32) {
        if let Some(known) = self.0.get_mut(usize::from(replica.0)) {
            *known = (*known).max(start);
        }
    }

    /// Takes note of all that `other` knows of.
    pub fn merge(&mut self, other: &CrashVector) {
        for (known, its) in self.0.iter_mut().zip(&other.0) {
            *known = (*known).max(*its);
        }
    }

    fn bytes(&self) -> u32 {
        NUMBER * self.0.len() as u32
    }
}

/// What a replica reports when views change (§4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// v′: the latest view in which its status was normal.
    pub last_normal: u32,
    /// Its log.
    pub state: State,
    /// The starts it knows of.
    pub crashes: CrashVector,
}

/// Bytes of a view-number, an op-number, a nonce or another number on the wire.
const NUMBER: u32 = 4;

crate::messages! {
    /// A message, with the names of §4. `view` is the sender's view-number, or the one it wants to change to.
    #[allow(missing_docs)] // The variants say what their fields are.
    #[repr(u8)] // The discriminant is a byte of its own, not a niche in a command: see ARCHITECTURE.md, on speed.
    pub enum Msg {
        /// The primary gives `command` the op-number `op`; requests up to `commit` are committed.
        Prepare { view: u32, op: Slot, command: Command, commit: Slot } = {
            letter: 'P', phase: Propose, says: "asks to append a request to the log",
            bytes: 3 * NUMBER, command: command, slot: *op,
        };
        /// A backup has the log of this view up to `op`.
        PrepareOk { view: u32, op: Slot } = {
            letter: 'p', phase: Accept, says: "has it in its log, and all before it",
            bytes: 2 * NUMBER, slot: *op,
        };
        /// The primary has had nothing to prepare. `op` is its op-number, `round` counts these messages.
        Commit { view: u32, round: u32, commit: Slot, op: Slot } = {
            letter: 'C', phase: Heartbeat, says: "is alive; tells how far the log is committed, and how long it is",
            bytes: 4 * NUMBER,
        };
        /// The sender wants to change to `view`.
        StartViewChange { view: u32, crashes: CrashVector } = {
            letter: 'S', phase: Elect, says: "wants to change to the next view",
            bytes: NUMBER + crashes.bytes(),
        };
        /// To the primary of `view`: enough others want to change to it, and this is the sender's log.
        DoViewChange { view: u32, report: Arc<Report> } = {
            letter: 'D', phase: Vote, says: "reports its log to the primary of the next view",
            bytes: 2 * NUMBER + report.crashes.bytes() + report.state.bytes(),
            commands: report.state.commands(), values: |see| report.state.each_value(see),
        };
        /// The new primary has chosen the log with which the view begins.
        StartView { view: u32, state: Arc<State> } = {
            letter: 'V', phase: Elect, says: "begins the view, and sends its log to everybody",
            bytes: NUMBER + state.bytes(),
            commands: state.commands(), values: |see| state.each_value(see),
        };
        /// State transfer: the sender lacks what comes after `op` in `view`.
        GetState { view: u32, op: Slot } = {
            letter: 'G', phase: Transfer, says: "asks for what it lacks of the log",
            bytes: 2 * NUMBER,
        };
        /// Answers that.
        NewState { view: u32, state: Arc<State> } = {
            letter: 'N', phase: Transfer, says: "sends what the other lacks of the log",
            bytes: NUMBER + state.bytes(),
            commands: state.commands(), values: |see| state.each_value(see),
        };
        /// The sender has restarted, and knows nothing any more.
        Recovery { nonce: u32 } = {
            letter: 'R', phase: Transfer, says: "has lost its state, and asks for it",
            bytes: NUMBER,
        };
        /// Answers that; with the log, if the sender is the primary of its view.
        RecoveryResponse { view: u32, nonce: u32, crashes: CrashVector, state: Option<Arc<State>> } = {
            letter: 'r', phase: Transfer, says: "tells its view and, as primary, the log",
            bytes: 2 * NUMBER + crashes.bytes() + state.as_ref().map_or(0, |state| state.bytes()),
            commands: state.as_ref().map_or(0, |state| state.commands()),
            values: |see| if let Some(state) = state { state.each_value(see) },
        };
    }
}

// Out of line: only the few messages that carry much call these.

impl State {
    #[inline(never)]
    fn bytes(&self) -> u32 {
        let checkpoint = self.checkpoint.as_ref().map_or(0, |checkpoint| NUMBER + checkpoint.machine.bytes());
        2 * NUMBER + checkpoint + NUMBER * self.length()
    }

    fn length(&self) -> u32 {
        self.log.last() + 1 - self.log.first()
    }

    #[inline(never)]
    fn commands(&self) -> u32 {
        self.length() + self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.machine.values())
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        self.log.iter().for_each(|(_, entry)| see(entry.command.value()));
        self.checkpoint.iter().for_each(|checkpoint| checkpoint.machine.each_value(see));
    }
}

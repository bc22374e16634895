//! Messages of Mencius: Coordinated Paxos (§4.2), skips, and what brings servers up to date.
//!
//! `after` and `upto` say which instances a sender has skipped: its own ones between these two. See the module's head.

use super::record::Snapshot;
use crate::core::{Ballot, Command, NodeId, Slot};
use std::sync::Arc;

/// What a server reports of an instance to whoever revokes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// The instance.
    pub slot: Slot,
    /// The round in which it has accepted the command.
    pub accepted: Ballot,
    /// Whether it knows that the command is chosen.
    pub learned: bool,
    /// The command.
    pub command: Command,
}

/// Consecutive instances of one owner that are revoked together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// Who owns them.
    pub owner: NodeId,
    /// The first of them.
    pub first: Slot,
    /// The last of them.
    pub last: Slot,
}

/// Bytes of a ballot on the wire.
const BALLOT: u32 = 5;
/// Bytes of a slot on the wire.
const SLOT: u32 = 4;
/// Bytes of a range on the wire.
const RANGE: u32 = 1 + 2 * SLOT;

/// The commands proposed for a range, by instance; where there is none, a no-op.
pub type Values = Arc<Vec<(Slot, Command)>>;

fn tampered(values: &Values) -> Option<Values> {
    (!values.is_empty()).then(|| Arc::new(values.iter().map(|(slot, command)| (*slot, command.tampered())).collect()))
}

crate::messages! {
    /// What servers send each other.
    #[allow(missing_docs)] // The variants say what their fields are.
    pub enum Msg {
        /// The coordinator proposes a command in its own instance, in round 0.
        Suggest { slot: Slot, command: Command, after: Slot } = {
            letter: 'S', phase: Propose, says: "suggests a command for an instance of its own",
            bytes: 2 * SLOT, command: command, slot: *slot,
        };
        /// Has accepted it in round 0, and has skipped its own instances between `after` and `upto`.
        Accept { slot: Slot, after: Slot, upto: Slot } = {
            letter: 'a', phase: Accept, says: "has accepted it, and will suggest nothing in its own earlier instances",
            bytes: 3 * SLOT, slot: *slot,
        };
        /// The command is chosen.
        Learn { slot: Slot, command: Command } = {
            letter: 'L', phase: Commit, says: "tells that it is chosen", bytes: SLOT, command: command, slot: *slot,
        };
        /// A skip that was deferred: no-ops in the own instances between `after` and `upto`.
        Skip { after: Slot, upto: Slot } = {
            letter: 'K', phase: Transfer, says: "skips instances of its own", bytes: 2 * SLOT, slot: upto.saturating_sub(1),
        };
        /// Revocation, phase 1: a higher round for instances of somebody who is suspected.
        Prepare { ballot: Ballot, range: Range } = {
            letter: 'P', phase: Elect, says: "begins a higher round for another's instances", bytes: BALLOT + RANGE, slot: range.first,
        };
        /// Promises the round, and reports.
        Ack { ballot: Ballot, range: Range, reports: Arc<Vec<Report>> } = {
            letter: 'p', phase: Vote, says: "promises that round, and reports what it has accepted",
            bytes: BALLOT + RANGE + (BALLOT + SLOT + 1) * reports.len() as u32,
            commands: reports.len() as u32, values: |see| reports.iter().for_each(|report| see(report.command.value())),
            slot: range.first,
        };
        /// Revocation, phase 2: no-ops, and the commands that may have been chosen.
        Propose { ballot: Ballot, range: Range, values: Values } = {
            letter: 'R', phase: Propose, says: "proposes no-ops, or what may have been chosen",
            bytes: BALLOT + RANGE + SLOT * values.len() as u32,
            commands: values.len() as u32, values: |see| values.iter().for_each(|(_, command)| see(command.value())),
            slot: range.first,
            tampered: tampered(values).map(|values| Msg::Propose { ballot: *ballot, range: *range, values }),
        };
        /// Has accepted that.
        AcceptProposal { ballot: Ballot, range: Range } = {
            alias: "Accept", letter: 'r', phase: Accept, says: "has accepted the no-ops", bytes: BALLOT + RANGE, slot: range.first,
        };
        /// What was proposed for the range is chosen.
        LearnRange { range: Range, values: Values } = {
            alias: "Learn", letter: 'l', phase: Commit, says: "tells that the no-ops are chosen",
            bytes: RANGE + SLOT * values.len() as u32,
            commands: values.len() as u32, values: |see| values.iter().for_each(|(_, command)| see(command.value())),
            slot: range.first,
            tampered: tampered(values).map(|values| Msg::LearnRange { range: *range, values }),
        };
        /// Has promised a higher round than the one it answers (0: a suggestion); and for instances of that owner up to `upto`.
        Nack { ballot: Ballot, slot: Slot, promised: Ballot, upto: Slot } = {
            letter: 'N', phase: Refuse, says: "has promised a higher round", bytes: 2 * BALLOT + 2 * SLOT, slot: *slot,
        };
        /// Is alive; has skipped its own instances between `after` and `upto`, and executed all up to `executed`.
        Heartbeat { after: Slot, upto: Slot, executed: Slot } = {
            letter: 'H', phase: Heartbeat, says: "is alive; tells what it has skipped and executed", bytes: 3 * SLOT,
        };
        /// Catching up: lacks instances from `first` on, and knows of commands up to `upto`.
        Ask { first: Slot, upto: Slot } = {
            letter: 'Q', phase: Transfer, says: "asks for instances that it lacks", bytes: 2 * SLOT, slot: *first,
        };
        /// Instances that the sender knows to be chosen.
        CatchUp { chosen: Values, executed: Slot } = {
            letter: 'C', phase: Transfer, says: "brings instances that the other lacks",
            bytes: SLOT + SLOT * chosen.len() as u32,
            commands: chosen.len() as u32, values: |see| chosen.iter().for_each(|(_, command)| see(command.value())),
            slot: chosen.first().map_or(0, |(slot, _)| *slot),
        };
        /// The state, for who lacks instances that the sender has forgotten.
        Snapshot { snapshot: Arc<Snapshot> } = {
            letter: 'Z', phase: Transfer, says: "brings the whole state in place of the instances before it",
            bytes: SLOT + snapshot.machine.bytes(),
            commands: snapshot.machine.values(), values: |see| snapshot.machine.each_value(see),
            slot: snapshot.slot,
        };
    }
}

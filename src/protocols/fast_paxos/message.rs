//! Messages between servers of Fast Paxos.

use super::rounds::Round;
use crate::core::{Command, NodeSet, Slot};
use std::sync::Arc;

/// A vote in one slot: the round in which it was cast (the paper's `vrnd`), and for which value (`vval`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Vote {
    /// The round; 0 on the disk of a node that has learned the value to be chosen and did not vote for it.
    pub round: Round,
    /// The value.
    pub command: Command,
}

/// What an acceptor reports along with its promise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Report {
    /// Commands in slots up to this one are known to be chosen.
    pub committed: Slot,
    /// The slot of the first entry of `votes`.
    pub first: Slot,
    /// Its last vote in each slot from `first` on; `None` where it has not voted.
    pub votes: Vec<Option<Vote>>,
}

/// Bytes of a number on the wire: a round, a slot.
const NUMBER: u32 = 4;
/// Bytes of a set of nodes on the wire.
const NODES: u32 = 8;

crate::messages! {
    /// A message. `round` is the one that the sender begins, proposes or votes in, or that it answers.
    #[allow(missing_docs)] // The variants say what their fields are.
    #[repr(u8)] // The discriminant is a byte of its own, not a niche in a command: see ARCHITECTURE.md, on speed.
    pub enum Msg {
        /// Phase 1a, for all slots from `from` on at once.
        Prepare { round: Round, from: Slot } = {
            alias: "1a", letter: 'P', phase: Elect, says: "asks for a promise for its round",
            bytes: 2 * NUMBER,
        };
        /// Phase 1b.
        Promise { round: Round, report: Arc<Report> } = {
            alias: "1b", letter: 'p', phase: Vote, says: "promises to vote in no lower round, and reports its votes",
            bytes: 3 * NUMBER + NUMBER * report.votes.len() as u32,
            commands: report.votes.iter().flatten().count() as u32,
            values: |see| report.votes.iter().flatten().for_each(|vote| see(vote.command.value())),
        };
        /// Phase 2a with the special value "any", for all slots from `from` on: `members` may take any proposal of a client for this round's.
        Any { round: Round, from: Slot, members: NodeSet } = {
            alias: "2a any", letter: 'Y', phase: Propose, says: "lets acceptors vote for whatever clients propose",
            bytes: 2 * NUMBER + NODES,
        };
        /// Phase 2a.
        Accept { round: Round, slot: Slot, command: Command } = {
            alias: "2a", letter: 'A', phase: Propose, says: "asks to vote for a command in a slot",
            bytes: 2 * NUMBER, command: command, slot: *slot,
        };
        /// Phase 2b, to every learner.
        Accepted { round: Round, slot: Slot, command: Command } = {
            alias: "2b", letter: 'a', phase: Accept, says: "has voted for the command in the slot",
            bytes: 2 * NUMBER, command: command, slot: *slot,
        };
        /// The coordinator is alive; knows all slots up to `committed` to be chosen; and repeats its Any message, unless `from` is 0.
        Heartbeat { round: Round, committed: Slot, from: Slot, members: NodeSet } = {
            letter: 'H', phase: Heartbeat, says: "is alive and coordinates; tells how far the log is chosen",
            bytes: 3 * NUMBER + NODES,
        };
        /// Answers a heartbeat. `first_missing` is the first slot whose chosen command the sender lacks; 0 if it lacks none.
        HeartbeatReply { round: Round, first_missing: Slot } = {
            letter: 'h', phase: Heartbeat, says: "has heard it; tells from which slot on it lacks chosen commands",
            bytes: 2 * NUMBER,
        };
        /// The chosen commands from slot `first` on, for a server that lacks them.
        CatchUp { first: Slot, chosen: Arc<Vec<Command>> } = {
            letter: 'L', phase: Transfer, says: "brings the chosen commands that the other lacks",
            bytes: NUMBER,
            commands: chosen.len() as u32, values: |see| chosen.iter().for_each(|command| see(command.value())),
        };
        /// Answers a message of a round below the one promised.
        Nack { promised: Round } = {
            letter: 'N', phase: Refuse, says: "has promised a higher round",
            bytes: NUMBER,
        };
    }
}

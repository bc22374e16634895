//! Messages of two-phase commit (Bernstein, Hadzilacos and Goodman, chapter 7).

use crate::core::{Command, Slot};

crate::messages! {
    /// What nodes send each other; each about the transaction `at`.
    #[derive(Copy)]
    #[allow(missing_docs)] // The variants say what their fields are.
    pub enum Msg {
        /// Phase 1: asks for a vote on a command.
        Prepare { at: Slot, command: Command } = {
            alias: "VOTE-REQ", letter: 'P', phase: Propose, says: "asks for a vote",
            bytes: 5, command: command, slot: *at,
        };
        /// Can commit, and is in doubt from now on.
        VoteYes { at: Slot } = {
            alias: "YES", letter: 'Y', phase: Accept, says: "votes yes: it can commit",
            bytes: 5, slot: *at,
        };
        /// Has aborted.
        VoteNo { at: Slot } = {
            alias: "NO", letter: 'N', phase: Refuse, says: "votes no: it has aborted",
            bytes: 5, slot: *at,
        };
        /// Phase 2: the decision is to commit.
        Commit { at: Slot } = {
            letter: 'C', phase: Commit, says: "tells that it is committed",
            bytes: 5, slot: *at,
        };
        /// Phase 2: the decision is to abort.
        Abort { at: Slot } = {
            letter: 'A', phase: Refuse, says: "tells that it is aborted",
            bytes: 5, slot: *at,
        };
        /// Has the decision on disk.
        Ack { at: Slot } = {
            letter: 'k', phase: Vote, says: "has the decision on its disk",
            bytes: 5, slot: *at,
        };
        /// In doubt: asks for the decision.
        DecisionReq { at: Slot } = {
            alias: "inquiry", letter: 'Q', phase: Transfer, says: "is in doubt and asks for the decision",
            bytes: 5, slot: *at,
        };
        /// In doubt as well.
        Uncertain { at: Slot } = {
            letter: 'u', phase: Transfer, says: "is in doubt as well",
            bytes: 5, slot: *at,
        };
    }
}

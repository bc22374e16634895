//! Messages of CASPaxos (paper §2.2).

use super::{State, shown};
use crate::core::Ballot;
use std::sync::Arc;

crate::messages! {
    /// What nodes send each other. Every message is about one register.
    #[allow(missing_docs)] // The variants say what their fields are.
    pub enum Msg {
        /// Phase 1: asks for a promise.
        Prepare { register: u16, ballot: Ballot } = {
            alias: "1a", letter: 'P', phase: Elect, says: "asks for a promise for its ballot",
            bytes: 7, slot: shown(*register),
        };
        /// Confirms: promises the ballot, and reports the state accepted last and in which ballot that was.
        Promise { register: u16, ballot: Ballot, accepted: Ballot, state: Arc<State> } = {
            alias: "1b", letter: 'p', phase: Vote, says: "promises to ignore lower ballots, and reports the state it has accepted",
            bytes: 12 + state.bytes(),
            commands: state.machine.values(), values: |see| state.machine.each_value(see),
            slot: shown(*register),
            tampered: state.tampered().map(|state| {
                Msg::Promise { register: *register, ballot: *ballot, accepted: *accepted, state }
            }),
        };
        /// Phase 2: asks to accept a state and, if `next` is real, to promise that ballot (§2.2.1).
        Accept { register: u16, ballot: Ballot, next: Ballot, state: Arc<State> } = {
            alias: "2a", letter: 'A', phase: Propose, says: "asks to accept the new state",
            bytes: 12 + state.bytes(),
            commands: state.machine.values(), values: |see| state.machine.each_value(see),
            slot: shown(*register),
            tampered: state.tampered().map(|state| {
                Msg::Accept { register: *register, ballot: *ballot, next: *next, state }
            }),
        };
        /// Confirms: has accepted the state of this ballot and, if that was asked, promised the next.
        Accepted { register: u16, ballot: Ballot } = {
            alias: "2b", letter: 'a', phase: Accept, says: "has accepted it",
            bytes: 7, slot: shown(*register),
        };
        /// Refuses either, because it saw this greater ballot.
        Conflict { register: u16, seen: Ballot } = {
            alias: "Nack", letter: 'C', phase: Refuse, says: "has seen a higher ballot",
            bytes: 7, slot: shown(*register),
        };
    }
}

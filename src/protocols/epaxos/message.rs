//! Messages of EPaxos (figures 2 and 3; Validate and Waiting: EPaxos*). Every message is about one instance.

use super::record::{Phase, Value};
use crate::core::{Ballot, Instance};
use std::sync::Arc;

/// What a replica reports of an instance to whoever recovers it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// The ballot in which it was accepted.
    pub accepted: Ballot,
    /// How far it is.
    pub phase: Phase,
    /// Whether its attributes are those that the owner proposed.
    pub unchanged: bool,
    /// The value, if any.
    pub value: Option<Arc<Value>>,
}

crate::messages! {
    /// What replicas send each other.
    #[allow(missing_docs)] // The variants say what their fields are.
    pub enum Msg {
        /// The command leader proposes a command with the attributes that it knows.
        PreAccept { at: Instance, value: Arc<Value> } = {
            letter: 'P', phase: Propose, says: "proposes a command with its dependencies",
            bytes: 6 + value.bytes(),
            commands: 1, values: |see| see(value.command.value()),
            slot: at.slot,
            tampered: value.tampered().map(|value| Msg::PreAccept { at: *at, value }),
        };
        /// Has pre-accepted it with these attributes.
        PreAcceptReply { at: Instance, value: Arc<Value> } = {
            alias: "PreAcceptOK", letter: 'p', phase: Accept, says: "has pre-accepted it, with the dependencies it adds",
            bytes: 6 + value.bytes(), slot: at.slot,
        };
        /// The slow path, and recovery: asks to accept a command with these attributes.
        Accept { at: Instance, ballot: Ballot, value: Arc<Value> } = {
            letter: 'A', phase: Propose, says: "asks to accept a command with these dependencies",
            bytes: 11 + value.bytes(),
            commands: 1, values: |see| see(value.command.value()),
            slot: at.slot,
            tampered: value.tampered().map(|value| Msg::Accept { at: *at, ballot: *ballot, value }),
        };
        /// Has accepted it.
        AcceptReply { at: Instance, ballot: Ballot } = {
            alias: "AcceptOK", letter: 'a', phase: Accept, says: "has accepted it", bytes: 11, slot: at.slot,
        };
        /// It is committed.
        Commit { at: Instance, value: Arc<Value> } = {
            letter: 'C', phase: Commit, says: "announces that it is committed",
            bytes: 6 + value.bytes(),
            commands: 1, values: |see| see(value.command.value()),
            slot: at.slot,
            tampered: value.tampered().map(|value| Msg::Commit { at: *at, value }),
        };
        /// Explicit prepare: somebody else takes the instance over.
        Prepare { at: Instance, ballot: Ballot } = {
            alias: "Recover", letter: 'R', phase: Elect, says: "takes an instance over, and asks what is known of it",
            bytes: 11, slot: at.slot,
        };
        /// Promises the ballot, and reports.
        PrepareReply { at: Instance, ballot: Ballot, report: Report } = {
            alias: "RecoverOK", letter: 'r', phase: Vote, says: "promises the ballot, and reports what it knows of the instance",
            bytes: 18 + report.value.as_ref().map_or(0, |value| value.bytes()),
            commands: u32::from(report.value.is_some()),
            values: |see| report.value.iter().for_each(|value| see(value.command.value())),
            slot: at.slot,
        };
        /// May this value still have taken the fast path?
        Validate { at: Instance, ballot: Ballot, value: Arc<Value> } = {
            alias: "TryPreAccept", letter: 'V', phase: Elect, says: "asks whether anything speaks against the owner's dependencies",
            bytes: 11 + value.bytes(),
            commands: 1, values: |see| see(value.command.value()),
            slot: at.slot,
            tampered: value.tampered().map(|value| Msg::Validate { at: *at, ballot: *ballot, value }),
        };
        /// What speaks against it: interfering instances, neither of which depends on the other; whether one of them is committed.
        ValidateReply { at: Instance, ballot: Ballot, against: Vec<Instance>, committed: bool } = {
            alias: "TryPreAcceptReply", letter: 'v', phase: Vote, says: "names the interfering instances that speak against them",
            bytes: 12 + 6 * against.len() as u32, slot: at.slot,
        };
        /// Waits for other instances before it decides; so many replicas have pre-accepted the owner's attributes.
        Waiting { at: Instance, support: u8 } = {
            letter: 'W', phase: Elect, says: "waits with its recovery until interfering instances are decided", bytes: 7, slot: at.slot,
        };
        /// Catching up: is this committed?
        Ask { at: Instance } = {
            letter: 'Q', phase: Transfer, says: "asks for the commit of an instance that it has missed", bytes: 6, slot: at.slot,
        };
        /// Has promised this higher ballot.
        Nack { at: Instance, promised: Ballot } = {
            letter: 'N', phase: Refuse, says: "has promised a higher ballot", bytes: 11, slot: at.slot,
        };
    }
}

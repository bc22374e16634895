//! The state of one register: what a change function gets and gives back.

use super::IS_IN_STATE;
use crate::core::{Command, NodeId, Out, Outcome, Slot};
use crate::facts;
use crate::services::Machine;
use std::fmt::{Debug, Formatter, Result};
use std::sync::Arc;

/// The last change that a client has made to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The change.
    pub command: Command,
    /// The version that it made.
    pub version: Slot,
}

/// The state of a register. It is replicated whole; so it never matters how a change function came to its result.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// How many changes have led to it. 0 is the empty state, ∅.
    pub version: Slot,
    /// What the register holds, and for each client the outcome of the last command that it had executed here.
    pub machine: Machine,
    /// The last change of each client, in the order of clients.
    pub changes: Vec<Change>,
}

impl Debug for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.last() {
            None => f.write_str("∅"),
            Some(last) => f.debug_struct("State").field("version", &self.version).field("by", &last.command).finish(),
        }
    }
}

impl State {
    /// The change that led to it.
    pub fn last(&self) -> Option<Change> {
        self.changes.iter().copied().find(|change| change.version == self.version)
    }

    /// The state after `command`, executed by proposer `me`. A command that is in the state already changes nothing.
    pub fn changed<N: crate::core::Node>(
        self: &Arc<State>,
        command: Command,
        me: NodeId,
        out: &mut Out<N>,
    ) -> Arc<State> {
        if self.outcome(command).is_some() && out.rule(IS_IN_STATE, facts![command]) {
            return Arc::clone(self);
        }
        let mut state = State::clone(self);
        state.version += 1;
        state.execute(command, me);
        Arc::new(state)
    }

    /// What came of `command`, if it is among the changes that led to this state. Tells also of later ones of its client.
    pub fn outcome(&self, command: Command) -> Option<Outcome> {
        self.machine.recall(command)
    }

    /// Bytes that it takes on the wire besides its values.
    pub fn bytes(&self) -> u32 {
        4 + self.machine.bytes() + 4 * self.changes.len() as u32
    }

    /// The same version with another change: what a Byzantine node makes of it.
    pub fn tampered(&self) -> Option<Arc<State>> {
        let mut state = self.clone();
        state.execute(self.last()?.command.tampered(), NodeId(0));
        Some(Arc::new(state))
    }

    /// Makes `command` the change that led to this version.
    fn execute(&mut self, command: Command, me: NodeId) {
        self.machine.forget(command.client);
        self.machine.apply(command, me);
        let change = Change { command, version: self.version };
        match self.changes.binary_search_by_key(&command.client, |change| change.command.client) {
            Ok(place) => self.changes[place] = change,
            Err(place) => self.changes.insert(place, change),
        }
    }
}

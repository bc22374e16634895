//! The replicated state machine: a key-value store that executes each client's command at most once.

use crate::core::{ClientId, Command, Op, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A replica's executed state. A copy is one reference; the first write after a copy pays for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Machine(Arc<State>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
struct State {
    values: BTreeMap<u16, u32>,
    /// For each client session the last command executed and what came of it, so that a command that comes twice (the client
    /// asked again, or two leaders proposed it) takes effect once.
    sessions: Vec<Option<(u32, Outcome)>>,
}

impl Machine {
    /// Executes `command`, unless its session already has: then tells again what came of it.
    pub fn apply(&mut self, command: Command) -> Outcome {
        if command.client == ClientId::NOBODY {
            return match command.op {
                Op::Elect(_) => Outcome::Chosen(command.op),
                _ => Outcome::Done,
            };
        }
        if let Some(outcome) = self.recall(command) {
            return outcome;
        }
        let state = Arc::make_mut(&mut self.0);
        let outcome = match command.op {
            Op::Noop => Outcome::Done,
            Op::Elect(_) => Outcome::Chosen(command.op),
            Op::Read { key } => Outcome::Value(state.values.get(&key).copied()),
            Op::Write { key, value } => {
                state.values.insert(key, value);
                Outcome::Done
            }
            Op::CompareAndSet { key, expect, value } => {
                let found = state.values.get(&key).copied();
                if found == expect {
                    state.values.insert(key, value);
                    Outcome::Done
                } else {
                    Outcome::Differs(found)
                }
            }
        };
        let client = usize::from(command.client.0);
        if state.sessions.len() <= client {
            state.sessions.resize(client + 1, None);
        }
        state.sessions[client] = Some((command.seq, outcome));
        outcome
    }

    /// What came of `command`, if its session has executed it (or has moved on to a later one, and no longer cares).
    pub fn recall(&self, command: Command) -> Option<Outcome> {
        match self.0.sessions.get(usize::from(command.client.0)) {
            Some(&Some((seq, outcome))) if seq >= command.seq => Some(outcome),
            _ => None,
        }
    }

    /// What a read would give now, without executing anything.
    pub fn read(&self, key: u16) -> Outcome {
        Outcome::Value(self.0.values.get(&key).copied())
    }

    /// How many keys hold a value.
    pub fn keys(&self) -> u32 {
        self.0.values.len() as u32
    }

    /// Bytes that the memory of client sessions takes on the wire.
    pub fn session_bytes(&self) -> u32 {
        self.0.sessions.len() as u32 * 12
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(seq: u32, op: Op) -> Command {
        Command { client: ClientId(3), seq, op }
    }

    #[test]
    fn a_repeated_command_takes_effect_once() {
        let mut machine = Machine::default();
        let first = command(1, Op::CompareAndSet { key: 1, expect: None, value: 5 });
        assert_eq!(machine.apply(first), Outcome::Done);
        assert_eq!(machine.apply(first), Outcome::Done);
        assert_eq!(
            machine.apply(command(2, Op::CompareAndSet { key: 1, expect: None, value: 6 })),
            Outcome::Differs(Some(5))
        );
        assert_eq!(machine.apply(command(3, Op::Read { key: 1 })), Outcome::Value(Some(5)));
    }

    #[test]
    fn a_copy_is_a_snapshot() {
        let mut machine = Machine::default();
        machine.apply(command(1, Op::Write { key: 9, value: 1 }));
        let snapshot = machine.clone();
        machine.apply(command(2, Op::Write { key: 9, value: 2 }));
        assert_eq!(snapshot.read(9), Outcome::Value(Some(1)));
        assert_eq!(machine.read(9), Outcome::Value(Some(2)));
    }
}

//! The replicated state machine: a key-value store that executes each client's command at most once.

use crate::core::{ClientId, Command, Op, Outcome};
use serde::Serialize;

/// A replica's executed state. A copy of it is a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Machine {
    /// By key.
    values: Vec<Option<u32>>,
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
        match command.op {
            Op::Noop => self.remember(command, Outcome::Done),
            Op::Elect(_) => self.remember(command, Outcome::Chosen(command.op)),
            Op::Read { key } => {
                let outcome = self.read(key);
                self.remember(command, outcome)
            }
            Op::Write { key, value } => {
                *self.value(key) = Some(value);
                self.remember(command, Outcome::Done)
            }
            Op::CompareAndSet { key, expect, value } => {
                let held = self.value(key);
                if *held == expect {
                    *held = Some(value);
                    self.remember(command, Outcome::Done)
                } else {
                    let outcome = Outcome::Differs(*held);
                    self.remember(command, outcome)
                }
            }
        }
    }

    /// Notes what came of a command of a client, and passes it on.
    // Inlined for each kind of operation, so that what came of it is written twice, not written once and moved: the processor stalls on that.
    #[inline(always)]
    fn remember(&mut self, command: Command, outcome: Outcome) -> Outcome {
        let client = usize::from(command.client.0);
        if self.sessions.len() <= client {
            self.sessions.resize(client + 1, None);
        }
        self.sessions[client] = Some((command.seq, outcome));
        outcome
    }

    fn value(&mut self, key: u16) -> &mut Option<u32> {
        let key = usize::from(key);
        if self.values.len() <= key {
            self.values.resize(key + 1, None);
        }
        &mut self.values[key]
    }

    /// What came of `command`, if its session has executed it (or has moved on to a later one, and no longer cares).
    pub fn recall(&self, command: Command) -> Option<Outcome> {
        match self.sessions.get(usize::from(command.client.0)) {
            Some(&Some((seq, outcome))) if seq >= command.seq => Some(outcome),
            _ => None,
        }
    }

    /// What a read would give now, without executing anything.
    pub fn read(&self, key: u16) -> Outcome {
        Outcome::Value(self.values.get(usize::from(key)).copied().flatten())
    }

    /// How many keys hold a value.
    pub fn keys(&self) -> u32 {
        self.values.iter().flatten().count() as u32
    }

    /// Bytes that the memory of client sessions takes on the wire.
    pub fn session_bytes(&self) -> u32 {
        self.sessions.len() as u32 * 12
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

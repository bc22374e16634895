//! The history that a world's clients made, in a model's words.
//!
//! Keys of a store are registers. What is borrowed from a queue is taken from it. A lock gives tokens, and what it guards takes them. An
//! entry of the configuration is a register that holds its version along with its value. Barriers and broadcast have no model here.

use super::history::{Call, History, Misplaced, Recorder, Value};
use crate::core::{ClientId, Op, Outcome};
use crate::sim::clients::{HistoryEvent, HistoryRecord};
use std::collections::BTreeMap;

/// Translates what clients ask and are told.
#[derive(Default)]
struct Translator {
    recorder: Recorder,
    /// For each client and key, the entry of the configuration as it was last told.
    entries: BTreeMap<(ClientId, u16), Entry>,
    /// For each client, what it waits for.
    asked: BTreeMap<ClientId, Op>,
}

/// A version, and the text that stands for it.
#[derive(Clone, Copy)]
struct Entry {
    version: u32,
    text: Value,
}

/// What an answer comes to.
enum Answer {
    Ok(Call),
    Fail,
}

impl History {
    /// The history that a world's clients made, with times in µs. `None` if they did what no model knows: had a cluster agree on one
    /// value, waited at barriers, or broadcast.
    pub fn of_clients<'a>(recorded: impl IntoIterator<Item = &'a HistoryRecord>) -> Option<History> {
        let mut translator = Translator::default();
        for recorded in recorded {
            translator.record_client_event(recorded)?.ok()?;
        }
        Some(translator.recorder.finish())
    }
}

impl Translator {
    /// `None`: no model knows this.
    fn record_client_event(
        &mut self,
        &HistoryRecord { at, client, event }: &HistoryRecord,
    ) -> Option<Result<(), Misplaced>> {
        let process = self.recorder.process(&client.0.to_string());
        match event {
            HistoryEvent::Asked(op) => {
                self.asked.insert(client, op);
                let Some((key, call)) = self.asks(client, op)? else { return Some(Ok(())) };
                let key = self.recorder.key(&key.to_string());
                Some(self.recorder.invoke(process, key, call, Some(at)))
            }
            HistoryEvent::Told(outcome) => {
                let op = self.asked.remove(&client)?;
                let Some((_, asked)) = self.recorder.waiting(process) else { return Some(Ok(())) };
                Some(match self.is_told(client, op, asked, outcome)? {
                    Answer::Ok(call) => self.recorder.ok(process, call, Some(at)),
                    Answer::Fail => self.recorder.fail(process, Some(at)),
                })
            }
        }
    }

    /// What a command asks for. `Some(None)`: nothing that the model sees.
    fn asks(&mut self, client: ClientId, op: Op) -> Option<Option<(u16, Call)>> {
        Some(Some(match op {
            Op::Read { key } => (key, Call::Read(None)),
            Op::Write { key, value } => (key, Call::Write(self.number(value))),
            Op::CompareAndSet { key, expect, value } => {
                let expect = self.held(expect);
                (key, Call::CompareAndSet { expect, value: self.number(value) })
            }
            // What will be written is known once it is answered.
            Op::WriteOwn { key } => (key, Call::Write(self.recorder.value("\"whatever\""))),
            Op::Enqueue { queue, item } => (queue, Call::Enqueue(self.number(item))),
            Op::Take { queue, .. } => (queue, Call::Dequeue(None)),
            Op::Acquire { lock, .. } => (lock, Call::Grant(None)),
            Op::Guarded { lock, token, .. } => (lock, Call::Store(token)),
            Op::Release { lock, token } => (lock, Call::Release(token)),
            Op::Watch { key, .. } => (key, Call::Read(None)),
            Op::Update { key, version, value } => {
                let expect = self.known(client, key, version);
                (key, Call::CompareAndSet { expect, value: self.pair(version + 1, value) })
            }
            Op::Renew { .. } | Op::Ack { .. } => return Some(None),
            Op::Noop
            | Op::Elect(_)
            | Op::Arrive { .. }
            | Op::Passed { .. }
            | Op::Publish { .. }
            | Op::Deliver { .. } => {
                return None;
            }
        }))
    }

    /// What came of it.
    fn is_told(&mut self, client: ClientId, op: Op, asked: Call, outcome: Outcome) -> Option<Answer> {
        Some(Answer::Ok(match (op, outcome) {
            (_, Outcome::Differs(_) | Outcome::Refused) => return Some(Answer::Fail),
            (Op::Read { .. }, Outcome::Value(value)) => Call::Read(Some(self.held(value))),
            (Op::WriteOwn { .. }, Outcome::Value(Some(value))) => Call::Write(self.number(value)),
            (Op::Take { .. }, Outcome::Took { item, .. }) => Call::Dequeue(Some(self.number(item))),
            (Op::Take { .. }, Outcome::Value(None)) => Call::Dequeue(Some(Value::NOTHING)),
            (Op::Acquire { .. }, Outcome::Granted { token }) => Call::Grant(Some(token)),
            (Op::Watch { key, .. }, Outcome::Version { version, value }) => {
                let text = self.pair(version, value);
                self.entries.insert((client, key), Entry { version, text });
                Call::Read(Some(text))
            }
            // It is as it was when this client learned of that version.
            (Op::Watch { key, after }, Outcome::NotYet) => Call::Read(Some(self.known(client, key, after))),
            (_, Outcome::Chosen(_)) => return None,
            _ => asked,
        }))
    }

    /// What this client knows a version to hold.
    fn known(&mut self, client: ClientId, key: u16, version: u32) -> Value {
        match self.entries.get(&(client, key)) {
            _ if version == 0 => Value::NOTHING,
            Some(entry) if entry.version == version => entry.text,
            _ => self.recorder.value(&format!("[{version},\"unknown\"]")),
        }
    }

    fn pair(&mut self, version: u32, value: u32) -> Value {
        self.recorder.value(&format!("[{version},{value}]"))
    }

    fn number(&mut self, value: u32) -> Value {
        self.recorder.value(&value.to_string())
    }

    fn held(&mut self, value: Option<u32>) -> Value {
        value.map_or(Value::NOTHING, |value| self.number(value))
    }
}

//! Translation of the simulator's client records into a history of one model.
//!
//! Keys of a store are registers. Taking an item from a queue under a lease is a dequeue. A lock grants fencing tokens, and the resource it
//! guards takes them. An entry of the configuration service is a register that holds version and value. Barriers, broadcast and single-value
//! consensus have no model here.

use super::history::{Call, History, HistoryError, Recorder, Value};
use crate::core::{ClientId, Op, Outcome};
use crate::sim::clients::{HistoryEvent, HistoryRecord};
use std::collections::BTreeMap;

/// Translates client records one by one.
#[derive(Default)]
struct Translator {
    recorder: Recorder,
    /// For each client and key, the configuration entry it observed last.
    entries: BTreeMap<(ClientId, u16), Entry>,
    /// For each client, the pending command.
    pending: BTreeMap<ClientId, Op>,
}

/// A version of a configuration entry, and the value that stands for it.
#[derive(Clone, Copy)]
struct Entry {
    version: u32,
    value: Value,
}

/// The kind of a response, see [`Recorder::ok`] and [`Recorder::fail`].
enum Response {
    Ok(Call),
    Fail,
}

impl History {
    /// The history of the simulator's clients, with times in µs. `None` if they used a service without a model: single-value consensus,
    /// barriers or broadcast.
    pub fn of_clients<'a>(recorded: impl IntoIterator<Item = &'a HistoryRecord>) -> Option<History> {
        let mut translator = Translator::default();
        for record in recorded {
            translator.translate(record)?.ok()?;
        }
        Some(translator.recorder.finish())
    }
}

impl Translator {
    /// Appends one record to the history. `None`: there is no model of it.
    fn translate(&mut self, &HistoryRecord { at, client, event }: &HistoryRecord) -> Option<Result<(), HistoryError>> {
        let process = self.recorder.process(&client.0.to_string());
        match event {
            HistoryEvent::Asked(op) => {
                self.pending.insert(client, op);
                let Some((key, call)) = self.invocation(client, op)? else { return Some(Ok(())) };
                let key = self.recorder.key(&key.to_string());
                Some(self.recorder.invoke(process, key, call, Some(at)))
            }
            HistoryEvent::Told(outcome) => {
                let op = self.pending.remove(&client)?;
                let Some((_, invoked)) = self.recorder.pending(process) else { return Some(Ok(())) };
                Some(match self.response(client, op, invoked, outcome)? {
                    Response::Ok(call) => self.recorder.ok(process, call, Some(at)),
                    Response::Fail => self.recorder.fail(process, Some(at)),
                })
            }
        }
    }

    /// Key and operation of a command. `Some(None)`: a command without effect on the model. `None`: no model.
    fn invocation(&mut self, client: ClientId, op: Op) -> Option<Option<(u16, Call)>> {
        Some(Some(match op {
            Op::Read { key } => (key, Call::Read(None)),
            Op::Write { key, value } => (key, Call::Write(self.intern(value))),
            Op::CompareAndSet { key, expect, value } => {
                let expect = self.held(expect);
                (key, Call::CompareAndSet { expect, value: self.intern(value) })
            }
            // The value written is known from the response only.
            Op::WriteOwn { key } => (key, Call::Write(self.recorder.value("\"whatever\""))),
            Op::Enqueue { queue, item } => (queue, Call::Enqueue(self.intern(item))),
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

    /// The response for an outcome of the operation `invoked`. `None`: no model.
    fn response(&mut self, client: ClientId, op: Op, invoked: Call, outcome: Outcome) -> Option<Response> {
        Some(Response::Ok(match (op, outcome) {
            (_, Outcome::Differs(_) | Outcome::Refused) => return Some(Response::Fail),
            (Op::Read { .. }, Outcome::Value(value)) => Call::Read(Some(self.held(value))),
            (Op::WriteOwn { .. }, Outcome::Value(Some(value))) => Call::Write(self.intern(value)),
            (Op::Take { .. }, Outcome::Took { item, .. }) => Call::Dequeue(Some(self.intern(item))),
            (Op::Take { .. }, Outcome::Value(None)) => Call::Dequeue(Some(Value::NOTHING)),
            (Op::Acquire { .. }, Outcome::Granted { token }) => Call::Grant(Some(token)),
            (Op::Watch { key, .. }, Outcome::Version { version, value }) => {
                let value = self.pair(version, value);
                self.entries.insert((client, key), Entry { version, value });
                Call::Read(Some(value))
            }
            // Unchanged since this client observed that version.
            (Op::Watch { key, after }, Outcome::NotYet) => Call::Read(Some(self.known(client, key, after))),
            (_, Outcome::Chosen(_)) => return None,
            _ => invoked,
        }))
    }

    /// The value of a version, as far as this client observed it.
    fn known(&mut self, client: ClientId, key: u16, version: u32) -> Value {
        match self.entries.get(&(client, key)) {
            _ if version == 0 => Value::NOTHING,
            Some(entry) if entry.version == version => entry.value,
            _ => self.recorder.value(&format!("[{version},\"unknown\"]")),
        }
    }

    fn pair(&mut self, version: u32, value: u32) -> Value {
        self.recorder.value(&format!("[{version},{value}]"))
    }

    fn intern(&mut self, value: u32) -> Value {
        self.recorder.value(&value.to_string())
    }

    fn held(&mut self, value: Option<u32>) -> Value {
        value.map_or(Value::NOTHING, |value| self.intern(value))
    }
}

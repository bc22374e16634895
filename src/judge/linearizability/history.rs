//! Histories of concurrent operations: invocations and responses by process, key and time, and the recorder that builds them.

use std::collections::BTreeMap;
use std::fmt;

/// A value, by its number in [`History::values`]. Equal texts have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub u32);

impl Value {
    /// The initial value of a register or key, and the response of an empty queue. Its text is `null`.
    pub const NOTHING: Value = Value(0);
}

/// An operation with its arguments and result, in the terms of a [`Model`](super::Model).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Returned this value; `None`: result unknown.
    Read(Option<Value>),
    /// Replaced whatever value was there.
    Write(Value),
    /// Replaced `expect` by `value`. (A compare-and-set that found another value is a failed operation.) A lock is such a register: acquiring
    /// replaces nothing by the process, releasing replaces the process by nothing.
    CompareAndSet {
        /// The value before.
        expect: Value,
        /// The value after.
        value: Value,
    },
    /// Appended to the text that was there.
    Append(Value),
    /// Added this item at the queue's tail.
    Enqueue(Value),
    /// Removed this item from the queue's head; [`Value::NOTHING`]: the queue was empty; `None`: result unknown.
    Dequeue(Option<Value>),
    /// Acquired a lock with this fencing token, larger than all before; `None`: token unknown.
    Grant(Option<u32>),
    /// Wrote to the resource that the lock guards, with this fencing token; no larger token had been used before.
    Store(u32),
    /// Released the lock with this token. No effect on the state: the lease may expire at any time anyway.
    Release(u32),
}

impl Call {
    /// Whether it leaves every state unchanged.
    pub fn is_read_only(self) -> bool {
        match self {
            Call::Read(_) | Call::Dequeue(Some(Value::NOTHING)) | Call::Release(_) => true,
            Call::CompareAndSet { expect, value } => expect == value,
            _ => false,
        }
    }

    /// The same operation at its invocation, with the result unknown.
    pub fn as_invoked(self) -> Call {
        match self {
            Call::Read(_) => Call::Read(None),
            Call::Dequeue(_) => Call::Dequeue(None),
            Call::Grant(_) => Call::Grant(None),
            other => other,
        }
    }

    /// Whether it is a blind write: legal in every state, with the same state after it.
    pub fn is_blind(self) -> bool {
        matches!(self, Call::Write(_))
    }

    /// The value that must be there for the operation to be legal, if one must.
    pub(super) fn observes(self) -> Option<Value> {
        match self {
            Call::Read(value) | Call::Dequeue(value) => value,
            Call::CompareAndSet { expect, .. } => Some(expect),
            _ => None,
        }
    }

    /// The value that the operation makes observable, if any.
    pub(super) fn installs(self) -> Option<Value> {
        match self {
            Call::Write(value) | Call::CompareAndSet { value, .. } | Call::Enqueue(value) => Some(value),
            _ => None,
        }
    }
}

/// A moment of a history. Moments are ordered by `position`, also those of equal times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Number of the event, from 1.
    pub position: u32,
    /// Recorded time in the unit of the record (µs for the simulator's clients); 0 if it has none.
    pub time: u64,
}

/// An operation with its invocation and response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Number of the process, see [`History::processes`].
    pub process: u32,
    /// Number of the key, see [`History::keys`].
    pub key: u32,
    /// The operation with its result.
    pub call: Call,
    /// When it was invoked.
    pub invocation: Moment,
    /// When it responded. `None`: pending; it may take effect at any time after the invocation, or never.
    pub response: Option<Moment>,
}

/// An operation as part of its key's subhistory, with positions for moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyOperation {
    /// Index in [`History::operations`].
    pub index: usize,
    /// The operation with its result.
    pub call: Call,
    /// Position of the invocation.
    pub invocation: u32,
    /// Position of the response; `None`: pending.
    pub response: Option<u32>,
}

/// An interner: numbers for texts, in the order of first use.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    texts: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Interner {
    /// The number of `text`; the next free one if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// The text with this number; empty if there is none.
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// All texts, by number.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// A complete history.
#[derive(Clone, Debug)]
pub struct History {
    /// Completed and pending operations, in the order of their invocations.
    pub operations: Vec<Operation>,
    /// Failed operations: they never took effect and are not checked.
    pub failed: Vec<Operation>,
    /// Names of the processes, as JSON.
    pub processes: Interner,
    /// Names of the keys, as JSON.
    pub keys: Interner,
    /// Texts of the values, as JSON.
    pub values: Interner,
}

/// Why an event cannot follow the events recorded before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryError {
    /// Invocation by a process whose invocation at this position has had no response.
    ProcessBusy(u32),
    /// Response to a process that has no pending invocation.
    NoInvocation,
    /// The event before has this later time.
    TimeDecreases(u64),
    /// More than [`MAX_EVENTS`] events.
    TooManyEvents,
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryError::ProcessBusy(position) => write!(f, "still waits for the answer to event {position}"),
            HistoryError::NoInvocation => f.write_str("waits for no answer"),
            HistoryError::TimeDecreases(time) => write!(f, "comes after {time}"),
            HistoryError::TooManyEvents => write!(f, "at most {MAX_EVENTS} events would do"),
        }
    }
}

impl std::error::Error for HistoryError {}

/// Greatest number of events in a history.
pub const MAX_EVENTS: u32 = 20_000_000;

/// Builds a history event by event.
#[derive(Clone, Debug)]
pub struct Recorder {
    history: History,
    /// For each process with a pending invocation, the index of its operation.
    pending: BTreeMap<u32, usize>,
    failed: Vec<bool>,
    now: Moment,
}

impl Default for Recorder {
    fn default() -> Recorder {
        let mut values = Interner::default();
        values.intern("null");
        let (processes, keys) = (Interner::default(), Interner::default());
        let history = History { operations: Vec::new(), failed: Vec::new(), processes, keys, values };
        Recorder { history, pending: BTreeMap::new(), failed: Vec::new(), now: Moment::default() }
    }
}

impl Recorder {
    /// The number of a process, given by name.
    pub fn process(&mut self, text: &str) -> u32 {
        self.history.processes.intern(text)
    }

    /// The number of a key, given by name.
    pub fn key(&mut self, text: &str) -> u32 {
        self.history.keys.intern(text)
    }

    /// The number of a value, given as JSON.
    pub fn value(&mut self, text: &str) -> Value {
        Value(self.history.values.intern(text))
    }

    /// The name of a key.
    pub fn key_text(&self, key: u32) -> &str {
        self.history.keys.text(key)
    }

    /// The texts of values.
    pub fn values(&self) -> &Interner {
        &self.history.values
    }

    /// The pending operation of `process`: its key and call.
    pub fn pending(&self, process: u32) -> Option<(u32, Call)> {
        let operation = &self.history.operations[*self.pending.get(&process)?];
        Some((operation.key, operation.call))
    }

    /// Counts an event that is not part of the history, so that positions stay those of the record.
    pub fn skip_event(&mut self) {
        self.now.position = self.now.position.saturating_add(1);
    }

    /// The next moment; without `time`, at the time of the last one.
    fn tick(&mut self, time: Option<u64>) -> Result<Moment, HistoryError> {
        let time = time.unwrap_or(self.now.time);
        if time < self.now.time {
            return Err(HistoryError::TimeDecreases(self.now.time));
        }
        if self.now.position >= MAX_EVENTS {
            return Err(HistoryError::TooManyEvents);
        }
        self.now = Moment { position: self.now.position + 1, time };
        Ok(self.now)
    }

    /// Records an invocation. Results are unknown as yet: pass [`Call::as_invoked`].
    pub fn invoke(&mut self, process: u32, key: u32, call: Call, time: Option<u64>) -> Result<(), HistoryError> {
        if let Some(&open) = self.pending.get(&process) {
            return Err(HistoryError::ProcessBusy(self.history.operations[open].invocation.position));
        }
        let invocation = self.tick(time)?;
        self.pending.insert(process, self.history.operations.len());
        self.history.operations.push(Operation { process, key, call, invocation, response: None });
        self.failed.push(false);
        Ok(())
    }

    /// Records the response of a completed operation; `call` has its result.
    pub fn ok(&mut self, process: u32, call: Call, time: Option<u64>) -> Result<(), HistoryError> {
        let index = self.close(process, time)?;
        let operation = &mut self.history.operations[index];
        operation.call = call;
        operation.response = Some(self.now);
        Ok(())
    }

    /// Records the response of a failed operation: it did not take effect and never will.
    pub fn fail(&mut self, process: u32, time: Option<u64>) -> Result<(), HistoryError> {
        let index = self.close(process, time)?;
        self.history.operations[index].response = Some(self.now);
        self.failed[index] = true;
        Ok(())
    }

    /// Records that a process gave up waiting: the operation stays pending, and the process may invoke another one.
    pub fn info(&mut self, process: u32, time: Option<u64>) -> Result<(), HistoryError> {
        self.close(process, time).map(|_| ())
    }

    fn close(&mut self, process: u32, time: Option<u64>) -> Result<usize, HistoryError> {
        let index = *self.pending.get(&process).ok_or(HistoryError::NoInvocation)?;
        self.tick(time)?;
        self.pending.remove(&process);
        Ok(index)
    }

    /// The history. Operations without a response stay pending.
    pub fn finish(mut self) -> History {
        let mut failed = self.failed.iter();
        let all = std::mem::take(&mut self.history.operations).into_iter();
        (self.history.failed, self.history.operations) = all.partition(|_| failed.next() == Some(&true));
        self.history
    }
}

//! What clients asked for and were told, and when.

use std::collections::BTreeMap;
use std::fmt;

/// A value of a history, by its number; the history knows its [text](Names). Equal texts have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub u32);

impl Value {
    /// What a register or key holds that was never written; what an empty queue gives. Its text is `null`.
    pub const NOTHING: Value = Value(0);
}

/// One operation with its answer, as a model sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Gave this value; `None`: nobody knows what it gave.
    Read(Option<Value>),
    /// Whatever was there, now there is this.
    Write(Value),
    /// Found `expect` and put `value` in its place. (One that found something else is an operation that failed.) A lock is a
    /// register of this kind: who acquires it finds nothing and leaves himself, who releases it finds himself and leaves nothing.
    CompareAndSet {
        /// What it found.
        expect: Value,
        /// What it left.
        value: Value,
    },
    /// Lengthened the text that was there.
    Append(Value),
    /// Put this at the queue's end.
    Enqueue(Value),
    /// Took this from the queue's front; [`Value::NOTHING`]: the queue was empty; `None`: nobody knows what it took.
    Dequeue(Option<Value>),
    /// Was given a lock with this token, larger than all before; `None`: nobody knows with which.
    Grant(Option<u32>),
    /// Wrote to what the lock guards, with this token. No later holder had.
    Store(u32),
    /// Gave the lock with this token back. As its lease may end at any time, that changes nothing.
    Release(u32),
}

impl Call {
    /// Whether it never changes anything.
    pub fn only_observes(self) -> bool {
        match self {
            Call::Read(_) | Call::Dequeue(Some(Value::NOTHING)) | Call::Release(_) => true,
            Call::CompareAndSet { expect, value } => expect == value,
            _ => false,
        }
    }

    /// The same before its answer, when nobody knows yet what it finds.
    pub fn as_asked(self) -> Call {
        match self {
            Call::Read(_) => Call::Read(None),
            Call::Dequeue(_) => Call::Dequeue(None),
            Call::Grant(_) => Call::Grant(None),
            other => other,
        }
    }

    /// Whether it is possible in every state, and leaves the same state behind whatever was before.
    pub fn is_blind(self) -> bool {
        matches!(self, Call::Write(_))
    }
}

/// A moment of a history. Moments are ordered by `position`; that of equal times is the order of the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Number of the event in the record, from 1.
    pub position: u32,
    /// The time the record gives, in its own unit; 0 if it gives none.
    pub time: u64,
}

/// An operation, from its invocation to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Number of the process; its text is in [`Names`].
    pub process: u32,
    /// Number of the key.
    pub key: u32,
    /// What it did.
    pub call: Call,
    /// When it was asked for.
    pub invoked: Moment,
    /// When it was answered. `None`: it may have taken effect at any time since, or not at all.
    pub answered: Option<Moment>,
}

/// Numbers for texts.
#[derive(Clone, Debug, Default)]
pub struct Names {
    texts: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Names {
    /// The number of `text`, a new one if it has none yet.
    pub fn number(&mut self, text: &str) -> u32 {
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

/// A complete record.
#[derive(Clone, Debug)]
pub struct History {
    /// In the order of their invocations, without those that failed.
    pub operations: Vec<Operation>,
    /// Those that failed: they never took effect, so nobody judges them.
    pub failed: Vec<Operation>,
    /// What the processes are called.
    pub processes: Names,
    /// What the keys are called.
    pub keys: Names,
    /// What the values are called, as JSON.
    pub values: Names,
}

/// An event that cannot be where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// The process has not been answered since its invocation in this position.
    StillWaiting(u32),
    /// The process waits for no answer.
    NothingAsked,
    /// The event before it has this later time.
    BackInTime(u64),
    /// More events than a record may have.
    TooMany,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misplaced::StillWaiting(position) => write!(f, "still waits for the answer to event {position}"),
            Misplaced::NothingAsked => f.write_str("waits for no answer"),
            Misplaced::BackInTime(time) => write!(f, "comes after {time}"),
            Misplaced::TooMany => write!(f, "at most {MOST} events would do"),
        }
    }
}

impl std::error::Error for Misplaced {}

/// Events that a record may have at most.
pub const MOST: u32 = 20_000_000;

/// Builds a history, event by event.
#[derive(Clone, Debug)]
pub struct Recorder {
    history: History,
    /// For each process that waits, its operation.
    open: BTreeMap<u32, usize>,
    failed: Vec<bool>,
    now: Moment,
}

impl Default for Recorder {
    fn default() -> Recorder {
        let mut values = Names::default();
        values.number("null");
        let (processes, keys) = (Names::default(), Names::default());
        let history = History { operations: Vec::new(), failed: Vec::new(), processes, keys, values };
        Recorder { history, open: BTreeMap::new(), failed: Vec::new(), now: Moment::default() }
    }
}

impl Recorder {
    /// The number of a process.
    pub fn process(&mut self, text: &str) -> u32 {
        self.history.processes.number(text)
    }

    /// The number of a key.
    pub fn key(&mut self, text: &str) -> u32 {
        self.history.keys.number(text)
    }

    /// The number of a value, given as JSON.
    pub fn value(&mut self, text: &str) -> Value {
        Value(self.history.values.number(text))
    }

    /// The text of a key.
    pub fn key_text(&self, key: u32) -> &str {
        self.history.keys.text(key)
    }

    /// The texts of values.
    pub fn values(&self) -> &Names {
        &self.history.values
    }

    /// What `process` waits for: its key and call.
    pub fn waiting(&self, process: u32) -> Option<(u32, Call)> {
        let operation = &self.history.operations[*self.open.get(&process)?];
        Some((operation.key, operation.call))
    }

    /// Counts an event that is no part of the history, so that positions are those in the record.
    pub fn pass(&mut self) {
        self.now.position = self.now.position.saturating_add(1);
    }

    /// The next moment; `time` may be left out.
    fn tick(&mut self, time: Option<u64>) -> Result<Moment, Misplaced> {
        let time = time.unwrap_or(self.now.time);
        if time < self.now.time {
            return Err(Misplaced::BackInTime(self.now.time));
        }
        if self.now.position >= MOST {
            return Err(Misplaced::TooMany);
        }
        self.now = Moment { position: self.now.position + 1, time };
        Ok(self.now)
    }

    /// A process asks for something. What a read or a dequeue will give is not known yet: it is `None`.
    pub fn invoke(&mut self, process: u32, key: u32, call: Call, time: Option<u64>) -> Result<(), Misplaced> {
        if let Some(&open) = self.open.get(&process) {
            return Err(Misplaced::StillWaiting(self.history.operations[open].invoked.position));
        }
        let invoked = self.tick(time)?;
        self.open.insert(process, self.history.operations.len());
        self.history.operations.push(Operation { process, key, call, invoked, answered: None });
        self.failed.push(false);
        Ok(())
    }

    /// A process is told that what it asked for was done, with this outcome.
    pub fn ok(&mut self, process: u32, call: Call, time: Option<u64>) -> Result<(), Misplaced> {
        let open = self.close(process, time)?;
        let operation = &mut self.history.operations[open];
        operation.call = call;
        operation.answered = Some(self.now);
        Ok(())
    }

    /// A process is told that what it asked for was not done and never will be.
    pub fn fail(&mut self, process: u32, time: Option<u64>) -> Result<(), Misplaced> {
        let open = self.close(process, time)?;
        self.history.operations[open].answered = Some(self.now);
        self.failed[open] = true;
        Ok(())
    }

    /// A process gives up waiting: what it asked for may take effect at any later time, or never.
    pub fn info(&mut self, process: u32, time: Option<u64>) -> Result<(), Misplaced> {
        self.close(process, time).map(|_| ())
    }

    fn close(&mut self, process: u32, time: Option<u64>) -> Result<usize, Misplaced> {
        let open = *self.open.get(&process).ok_or(Misplaced::NothingAsked)?;
        self.tick(time)?;
        self.open.remove(&process);
        Ok(open)
    }

    /// The history. Who still waits, waits for ever.
    pub fn finish(mut self) -> History {
        let mut failed = self.failed.iter();
        let all = std::mem::take(&mut self.history.operations).into_iter();
        (self.history.failed, self.history.operations) = all.partition(|_| failed.next() == Some(&true));
        self.history
    }
}

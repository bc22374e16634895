//! Sequential specifications of the objects that can be checked (register, lock, key-value entry, queue): deterministic state machines that
//! can step back.

use super::history::{Call, History, Interner, Value};
use std::rc::Rc;

/// The kind of object that a history is about. Every key is an object of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// `read` and `write`.
    Register,
    /// `read`, `write` and `cas`.
    CasRegister,
    /// `get`, `put`, `append` and `cas`, by key.
    KeyValue,
    /// `acquire` and `release`; the holder is the process. No leases.
    Lock,
    /// `acquire`, which returns a fencing token larger than all before, `release`, and `write` to the guarded resource, which refuses a token
    /// smaller than one it has seen. A lease may expire at any time.
    FencedLock,
    /// `enqueue` and `dequeue`, first in, first out.
    Queue,
}

impl Model {
    /// All models.
    pub const ALL: [Model; 6] =
        [Model::Register, Model::CasRegister, Model::KeyValue, Model::Lock, Model::FencedLock, Model::Queue];

    /// The model for a history of the simulator's clients.
    pub fn of(history: &History) -> Model {
        let model = |call| match call {
            Call::Enqueue(_) | Call::Dequeue(_) => Model::Queue,
            Call::Grant(_) | Call::Store(_) | Call::Release(_) => Model::FencedLock,
            Call::CompareAndSet { .. } => Model::CasRegister,
            Call::Append(_) => Model::KeyValue,
            Call::Read(_) | Call::Write(_) => Model::Register,
        };
        let all = history.operations.iter().chain(&history.failed);
        all.map(|operation| model(operation.call)).find(|model| *model != Model::Register).unwrap_or(Model::Register)
    }

    /// Its name on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Model::Register => "register",
            Model::CasRegister => "cas-register",
            Model::KeyValue => "kv",
            Model::Lock => "lock",
            Model::FencedLock => "fenced-lock",
            Model::Queue => "queue",
        }
    }

    /// Names of its operations, as in history files.
    pub fn functions(self) -> &'static [&'static str] {
        match self {
            Model::Register => &["read", "write"],
            Model::CasRegister => &["read", "write", "cas"],
            Model::KeyValue => &["get", "put", "append", "cas"],
            Model::Lock => &["acquire", "release"],
            Model::FencedLock => &["acquire", "write", "release"],
            Model::Queue => &["enqueue", "dequeue"],
        }
    }

    /// The name of an operation, as in history files.
    pub fn function(self, call: Call) -> &'static str {
        match (self, call) {
            (Model::Lock, Call::CompareAndSet { expect: Value::NOTHING, .. }) => "acquire",
            (Model::Lock, _) => "release",
            (Model::KeyValue, Call::Read(_)) => "get",
            (Model::KeyValue, Call::Write(_)) => "put",
            (_, Call::Read(_)) => "read",
            (_, Call::Write(_)) => "write",
            (_, Call::CompareAndSet { .. }) => "cas",
            (_, Call::Append(_)) => "append",
            (_, Call::Enqueue(_)) => "enqueue",
            (_, Call::Dequeue(_)) => "dequeue",
            (_, Call::Grant(_)) => "acquire",
            (_, Call::Store(_)) => "write",
            (_, Call::Release(_)) => "release",
        }
    }

    /// The value of an operation, as JSON; `None` if it has none or it is unknown.
    pub fn value(self, call: Call, values: &Interner) -> Option<String> {
        let text = |value: Value| values.text(value.0).to_owned();
        match call {
            _ if self == Model::Lock => None,
            Call::Read(value) | Call::Dequeue(value) => value.map(text),
            Call::Write(value) | Call::Append(value) | Call::Enqueue(value) => Some(text(value)),
            Call::CompareAndSet { expect, value } => Some(format!("[{},{}]", text(expect), text(value))),
            Call::Grant(token) => token.map(|token| token.to_string()),
            Call::Store(token) | Call::Release(token) => Some(token.to_string()),
        }
    }
}

/// A hash of a state: equal for equal states, and for different ones with a probability below 2⁻¹⁰⁰.
pub type Fingerprint = (u64, u64);

/// A sequential specification: the state of one object, and which operations are legal in it.
pub trait SequentialSpec: Clone {
    /// The information needed to step back.
    type Undo: Copy;

    /// Applies an operation, if it is legal with this result.
    fn step(&mut self, call: Call) -> Option<Self::Undo>;

    /// Undoes the last [`Self::step`] that is not yet undone.
    fn undo(&mut self, undo: Self::Undo);

    /// The fingerprint of the state.
    fn fingerprint(&self) -> Fingerprint;

    /// The specification in an unknown state: every operation that is legal in some state is legal in it. `None`: not supported.
    fn unknown_state(&self) -> Option<Self>;

    /// The value held, for objects that hold one at a time.
    fn value(&self) -> Option<Value> {
        None
    }

    /// Whether `call` can make other operations legal, in a history that begins in this state.
    fn can_enable(&self, call: Call) -> bool {
        !call.is_read_only()
    }
}

/// A register with compare-and-set, and hence a lock.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// `None`: unknown.
    held: Option<Value>,
}

impl Default for Register {
    fn default() -> Register {
        Register { held: Some(Value::NOTHING) }
    }
}

impl SequentialSpec for Register {
    type Undo = Option<Value>;

    #[inline]
    fn step(&mut self, call: Call) -> Option<Option<Value>> {
        let before = self.held;
        let holds = |value| before.is_none_or(|held| held == value);
        match call {
            Call::Read(None) => {}
            Call::Read(Some(value)) if holds(value) => self.held = Some(value),
            Call::CompareAndSet { expect, value } if holds(expect) => self.held = Some(value),
            Call::Write(value) => self.held = Some(value),
            _ => return None,
        }
        Some(before)
    }

    #[inline]
    fn undo(&mut self, before: Option<Value>) {
        self.held = before;
    }

    #[inline]
    fn fingerprint(&self) -> Fingerprint {
        let word = self.held.map_or(0, |value| u64::from(value.0) + 1);
        (splitmix64(word), splitmix64(!word))
    }

    fn unknown_state(&self) -> Option<Register> {
        Some(Register { held: None })
    }

    #[inline]
    fn value(&self) -> Option<Value> {
        self.held
    }
}

/// A lock with fencing tokens, and the resource it guards. Expiry of leases is not in the history, so a lease may end at any time.
#[derive(Clone, Copy, Debug, Default)]
pub struct FencedLock {
    /// The last token granted, or a lower bound of it.
    granted: u32,
    /// Whether `granted` is only a lower bound.
    or_more: bool,
    /// The largest token of a write.
    stored: u32,
}

impl SequentialSpec for FencedLock {
    type Undo = FencedLock;

    #[inline]
    fn step(&mut self, call: Call) -> Option<FencedLock> {
        let before = *self;
        match call {
            Call::Grant(None) => (self.granted, self.or_more) = (self.granted.saturating_add(1), true),
            Call::Grant(Some(token)) if token > self.granted => (self.granted, self.or_more) = (token, false),
            Call::Store(token) if token >= self.stored && self.may_have_granted(token) => self.stored = token,
            Call::Release(token) if self.may_have_granted(token) => {}
            _ => return None,
        }
        Some(before)
    }

    #[inline]
    fn undo(&mut self, before: FencedLock) {
        *self = before;
    }

    #[inline]
    fn fingerprint(&self) -> Fingerprint {
        let word = u64::from(self.granted) << 32 | u64::from(self.stored);
        let more = u64::from(self.or_more);
        (splitmix64(word) ^ more, splitmix64(!word) ^ more)
    }

    fn unknown_state(&self) -> Option<FencedLock> {
        Some(FencedLock { or_more: true, ..*self })
    }

    fn can_enable(&self, call: Call) -> bool {
        // Writing and releasing enable nothing; nor does granting where any token may have been granted.
        matches!(call, Call::Grant(_)) && !self.or_more
    }
}

impl FencedLock {
    /// Whether `token` may have been granted; if so, assumes that it was.
    fn may_have_granted(&mut self, token: u32) -> bool {
        if self.or_more {
            self.granted = self.granted.max(token);
        }
        token <= self.granted
    }
}

/// SplitMix64's finalizer, a bijective mixing function (Steele, Lea and Flood, OOPSLA 2014).
#[inline]
pub fn splitmix64(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The modulus of Karp–Rabin fingerprints of sequences (1987), a Mersenne prime.
const PRIME: u64 = (1 << 61) - 1;

/// The points at which sequences are evaluated as polynomials; arbitrary.
const POINTS: (u64, u64) = (0x0c3f_5a2b_9d17_e641, 0x1a94_d1e8_36b7_05cf);

fn times(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn plus(a: u64, b: u64) -> u64 {
    (a + b) % PRIME
}

fn minus(a: u64, b: u64) -> u64 {
    (a + PRIME - b) % PRIME
}

/// The Karp–Rabin fingerprint of a sequence, and the factor for one that it is appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sequence {
    fingerprint: Fingerprint,
    power: Fingerprint,
}

impl Sequence {
    const EMPTY: Sequence = Sequence { fingerprint: (0, 0), power: (1, 1) };

    /// The sequence of one element.
    fn of(element: u64) -> Sequence {
        let element = element % (PRIME - 1) + 1;
        Sequence { fingerprint: (element, element), power: POINTS }
    }

    fn then(self, next: Sequence) -> Sequence {
        let join = |a, power, b| plus(times(a, power), b);
        Sequence {
            fingerprint: (
                join(self.fingerprint.0, next.power.0, next.fingerprint.0),
                join(self.fingerprint.1, next.power.1, next.fingerprint.1),
            ),
            power: (times(self.power.0, next.power.0), times(self.power.1, next.power.1)),
        }
    }
}

/// A key of a key-value store whose value can be appended to. It holds fingerprints of texts only, so operations take constant time however
/// long the text grows.
#[derive(Clone, Debug)]
pub struct TextRegister {
    content: Option<Content>,
    texts: Rc<[Sequence]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Text(Sequence),
}

impl TextRegister {
    /// A key never written. `values` has the texts of all values, as JSON.
    pub fn new(values: &Interner) -> TextRegister {
        let sequence = |json: &String| {
            // The characters within the quotes are what appending joins. A value without quotes is no text, and starts with a symbol that no
            // text has.
            let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
            let start = if inner.is_some() { Sequence::EMPTY } else { Sequence::of(u64::from(u8::MAX) + 1) };
            inner.unwrap_or(json).bytes().map(|byte| Sequence::of(u64::from(byte))).fold(start, Sequence::then)
        };
        TextRegister { content: Some(Content::Nothing), texts: values.texts().iter().map(sequence).collect() }
    }

    fn of(&self, value: Value) -> Content {
        match value {
            Value::NOTHING => Content::Nothing,
            Value(number) => Content::Text(self.texts[number as usize]),
        }
    }
}

impl SequentialSpec for TextRegister {
    type Undo = Option<TextUndo>;

    fn step(&mut self, call: Call) -> Option<Option<TextUndo>> {
        let before = self.content;
        let holds = |value| before.is_none_or(|content| content == value);
        self.content = match call {
            Call::Read(None) => before,
            Call::Read(Some(value)) if holds(self.of(value)) => Some(self.of(value)),
            Call::CompareAndSet { expect, value } if holds(self.of(expect)) => Some(self.of(value)),
            Call::Write(value) => Some(self.of(value)),
            Call::Append(value) => match (before, self.of(value)) {
                (Some(Content::Text(text)), Content::Text(more)) => Some(Content::Text(text.then(more))),
                (Some(Content::Nothing), more) => Some(more),
                // An unknown text with a known end is taken for an unknown text.
                (before, _) => before,
            },
            _ => return None,
        };
        Some(before.map(TextUndo))
    }

    fn undo(&mut self, before: Option<TextUndo>) {
        self.content = before.map(|TextUndo(content)| content);
    }

    fn fingerprint(&self) -> Fingerprint {
        match self.content {
            None => (0, 0),
            Some(Content::Nothing) => (1, 0),
            Some(Content::Text(Sequence { fingerprint: (a, b), power: (c, _) })) => {
                (splitmix64(a) ^ splitmix64(!c), splitmix64(b) ^ splitmix64(c))
            }
        }
    }

    fn unknown_state(&self) -> Option<TextRegister> {
        Some(TextRegister { content: None, texts: self.texts.clone() })
    }
}

/// The content of a key before an operation.
#[derive(Clone, Copy, Debug)]
pub struct TextUndo(Content);

/// A FIFO queue: all items ever enqueued, and how many of them were dequeued, so that steps are undone in constant time.
#[derive(Clone, Debug)]
pub struct Queue {
    items: Vec<Value>,
    /// `fingerprints[i]` is that of the first `i` items.
    fingerprints: Vec<Sequence>,
    dequeued: usize,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue { items: Vec::new(), fingerprints: vec![Sequence::EMPTY], dequeued: 0 }
    }
}

/// What to undo.
#[derive(Clone, Copy, Debug)]
pub enum QueueUndo {
    /// Nothing.
    Unchanged,
    /// An enqueue.
    Enqueued,
    /// A dequeue.
    Dequeued,
}

impl SequentialSpec for Queue {
    type Undo = QueueUndo;

    fn step(&mut self, call: Call) -> Option<QueueUndo> {
        let front = self.items.get(self.dequeued).copied();
        match (call, front) {
            (Call::Enqueue(value), _) => {
                let all = self.fingerprints[self.items.len()].then(Sequence::of(u64::from(value.0)));
                self.items.push(value);
                self.fingerprints.push(all);
                Some(QueueUndo::Enqueued)
            }
            (Call::Dequeue(None | Some(Value::NOTHING)), None) => Some(QueueUndo::Unchanged),
            (Call::Dequeue(taken), Some(front)) if taken.is_none_or(|taken| taken == front) => {
                self.dequeued += 1;
                Some(QueueUndo::Dequeued)
            }
            _ => None,
        }
    }

    fn undo(&mut self, undo: QueueUndo) {
        match undo {
            QueueUndo::Unchanged => {}
            QueueUndo::Enqueued => {
                self.items.pop();
                self.fingerprints.pop();
            }
            QueueUndo::Dequeued => self.dequeued -= 1,
        }
    }

    /// The fingerprint of the items in the queue: that of all items less that of the dequeued ones, shifted by the length of the rest.
    fn fingerprint(&self) -> Fingerprint {
        let (all, gone) = (self.fingerprints[self.items.len()], self.fingerprints[self.dequeued]);
        let length = (self.items.len() - self.dequeued) as u64;
        let rest = |all, gone, point| minus(all, times(gone, raise(point, length)));
        (
            splitmix64(rest(all.fingerprint.0, gone.fingerprint.0, POINTS.0)) ^ splitmix64(length),
            splitmix64(rest(all.fingerprint.1, gone.fingerprint.1, POINTS.1)) ^ splitmix64(!length),
        )
    }

    fn unknown_state(&self) -> Option<Queue> {
        None
    }
}

/// `base` to the power of `exponent`.
fn raise(mut base: u64, mut exponent: u64) -> u64 {
    let mut power = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = times(power, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_fingerprint_depends_only_on_items_in_it() {
        let (mut one, mut other) = (Queue::default(), Queue::default());
        for value in [7, 8, 9] {
            one.step(Call::Enqueue(Value(value)));
        }
        let full = one.fingerprint();
        let back = one.step(Call::Dequeue(Some(Value(7)))).expect("it is in front");
        for value in [8, 9] {
            other.step(Call::Enqueue(Value(value)));
        }
        assert_eq!(one.fingerprint(), other.fingerprint());
        one.undo(back);
        assert_eq!(one.fingerprint(), full);
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert!(one.step(Call::Dequeue(Some(Value(8)))).is_none());
        assert!(one.step(Call::Dequeue(Some(Value::NOTHING))).is_none());
    }

    #[test]
    fn text_register_append_equals_write_of_joined_text() {
        let mut values = Interner::default();
        let [nothing, a, b, ab, empty] =
            ["null", "\"a\"", "\"b\"", "\"ab\"", "\"\""].map(|text| Value(values.intern(text)));
        let mut text = TextRegister::new(&values);
        assert!(text.step(Call::Read(Some(nothing))).is_some());
        assert!(text.step(Call::Read(Some(empty))).is_none());
        text.step(Call::Append(a));
        text.step(Call::Append(b));
        assert!(text.step(Call::Read(Some(ab))).is_some());
        let whole = text.fingerprint();
        text.step(Call::Write(ab));
        assert_eq!(text.fingerprint(), whole);
        text.step(Call::Append(empty));
        assert_eq!(text.fingerprint(), whole);
    }
}

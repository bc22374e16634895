//! What may come of operations done one after another: deterministic state machines small enough to be stepped back and forth.

use super::history::{Call, History, Names, Value};
use std::rc::Rc;

/// What sort of object a history is about. Every key of it is an object of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// `read` and `write`.
    Register,
    /// `read`, `write` and `cas`.
    CasRegister,
    /// `get`, `put`, `append` and `cas`, by key.
    KeyValue,
    /// `acquire` and `release`; the holder is the process.
    Lock,
    /// `acquire`, which gives a token larger than all before, `release`, and `write` to what the lock guards, which takes no token older than
    /// one it has seen. Whoever holds the lock may lose it at any time.
    FencedLock,
    /// `enqueue` and `dequeue`, first in, first out.
    Queue,
}

impl Model {
    /// All models.
    pub const ALL: [Model; 6] =
        [Model::Register, Model::CasRegister, Model::KeyValue, Model::Lock, Model::FencedLock, Model::Queue];

    /// The one for a history of our own clients.
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

    /// The operations it knows.
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

    /// The name of an operation.
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

    /// The value of an operation, as JSON; `None` if it has none or nobody knows it.
    pub fn value(self, call: Call, values: &Names) -> Option<String> {
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

/// Two numbers that tell states apart: equal for equal states, and for different ones with a chance below 2⁻¹⁰⁰.
pub type Print = (u64, u64);

/// The state of one object.
pub trait Machine: Clone {
    /// What it takes to step back.
    type Undo: Copy;

    /// Does the operation, if that and its answer are possible now.
    fn step(&mut self, call: Call) -> Option<Self::Undo>;

    /// Steps back.
    fn undo(&mut self, undo: Self::Undo);

    /// The state's print.
    fn print(&self) -> Print;

    /// The machine in a state that nobody knows yet, if it can be in one.
    fn unknown(&self) -> Option<Self>;

    /// The value that it holds, where operations find one and leave another in its place.
    fn held(&self) -> Option<Value> {
        None
    }

    /// Whether an operation can make others possible, for a machine that begins in this state.
    fn helped_by(&self, call: Call) -> bool {
        !call.only_observes()
    }
}

/// A register with compare-and-set, and hence a lock.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// `None`: not known yet.
    held: Option<Value>,
}

impl Default for Register {
    fn default() -> Register {
        Register { held: Some(Value::NOTHING) }
    }
}

impl Machine for Register {
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
    fn print(&self) -> Print {
        let word = self.held.map_or(0, |value| u64::from(value.0) + 1);
        (scramble(word), scramble(!word))
    }

    fn unknown(&self) -> Option<Register> {
        Some(Register { held: None })
    }

    #[inline]
    fn held(&self) -> Option<Value> {
        self.held
    }
}

/// A lock that gives tokens, and what it guards. When a lease ends is not in the history, so it may end at any time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fence {
    /// The last token given, or one that it is no smaller than.
    granted: u32,
    /// Whether it may have been larger than that.
    or_more: bool,
    /// The largest token that came with a write.
    stored: u32,
}

impl Machine for Fence {
    type Undo = Fence;

    #[inline]
    fn step(&mut self, call: Call) -> Option<Fence> {
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
    fn undo(&mut self, before: Fence) {
        *self = before;
    }

    #[inline]
    fn print(&self) -> Print {
        let word = u64::from(self.granted) << 32 | u64::from(self.stored);
        let more = u64::from(self.or_more);
        (scramble(word) ^ more, scramble(!word) ^ more)
    }

    fn unknown(&self) -> Option<Fence> {
        Some(Fence { or_more: true, ..*self })
    }

    fn helped_by(&self, call: Call) -> bool {
        // To write or to give back makes nothing possible that was not; nor does to give a token, where any may have been given.
        matches!(call, Call::Grant(_)) && !self.or_more
    }
}

impl Fence {
    /// Whether a token as large as this may have been given; if so, it was.
    fn may_have_granted(&mut self, token: u32) -> bool {
        if self.or_more {
            self.granted = self.granted.max(token);
        }
        token <= self.granted
    }
}

/// Spreads a number over 64 bits, one to one (the finalizer of Steele, Lea and Flood's SplitMix64, OOPSLA 2014).
#[inline]
pub fn scramble(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Arithmetic modulo the prime 2⁶¹ − 1, for fingerprints of sequences (Karp and Rabin, 1987).
const PRIME: u64 = (1 << 61) - 1;

/// The points at which sequences, taken for polynomials, are evaluated; any two would do.
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

/// A print of a sequence, and what it is multiplied with when another one is put in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sequence {
    print: Print,
    power: Print,
}

impl Sequence {
    const EMPTY: Sequence = Sequence { print: (0, 0), power: (1, 1) };

    /// Of one element.
    fn of(element: u64) -> Sequence {
        let element = element % (PRIME - 1) + 1;
        Sequence { print: (element, element), power: POINTS }
    }

    fn then(self, next: Sequence) -> Sequence {
        let join = |a, power, b| plus(times(a, power), b);
        Sequence {
            print: (join(self.print.0, next.power.0, next.print.0), join(self.print.1, next.power.1, next.print.1)),
            power: (times(self.power.0, next.power.0), times(self.power.1, next.power.1)),
        }
    }
}

/// A key of a key-value store whose values can be appended to. It knows prints of texts only, so that each operation takes the
/// same time however long the text grows.
#[derive(Clone, Debug)]
pub struct Text {
    held: Option<Held>,
    texts: Rc<[Sequence]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    Text(Sequence),
}

impl Text {
    /// A key never written. `values` are the texts of all values, as JSON.
    pub fn new(values: &Names) -> Text {
        let sequence = |json: &String| {
            // What is within the quotes; appending joins just that. What has no quotes is no text, and begins with what no text has.
            let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
            let start = if inner.is_some() { Sequence::EMPTY } else { Sequence::of(u64::from(u8::MAX) + 1) };
            inner.unwrap_or(json).bytes().map(|byte| Sequence::of(u64::from(byte))).fold(start, Sequence::then)
        };
        Text { held: Some(Held::Nothing), texts: values.texts().iter().map(sequence).collect() }
    }

    fn of(&self, value: Value) -> Held {
        match value {
            Value::NOTHING => Held::Nothing,
            Value(number) => Held::Text(self.texts[number as usize]),
        }
    }
}

impl Machine for Text {
    type Undo = Option<TextBefore>;

    fn step(&mut self, call: Call) -> Option<Option<TextBefore>> {
        let before = self.held;
        let holds = |value| before.is_none_or(|held| held == value);
        self.held = match call {
            Call::Read(None) => before,
            Call::Read(Some(value)) if holds(self.of(value)) => Some(self.of(value)),
            Call::CompareAndSet { expect, value } if holds(self.of(expect)) => Some(self.of(value)),
            Call::Write(value) => Some(self.of(value)),
            Call::Append(value) => match (before, self.of(value)) {
                (Some(Held::Text(text)), Held::Text(more)) => Some(Held::Text(text.then(more))),
                (Some(Held::Nothing), more) => Some(more),
                // Something unknown with a known end is taken for something unknown.
                (before, _) => before,
            },
            _ => return None,
        };
        Some(before.map(TextBefore))
    }

    fn undo(&mut self, before: Option<TextBefore>) {
        self.held = before.map(|TextBefore(held)| held);
    }

    fn print(&self) -> Print {
        match self.held {
            None => (0, 0),
            Some(Held::Nothing) => (1, 0),
            Some(Held::Text(Sequence { print: (a, b), power: (c, _) })) => {
                (scramble(a) ^ scramble(!c), scramble(b) ^ scramble(c))
            }
        }
    }

    fn unknown(&self) -> Option<Text> {
        Some(Text { held: None, texts: self.texts.clone() })
    }
}

/// What a key held before.
#[derive(Clone, Copy, Debug)]
pub struct TextBefore(Held);

/// A queue: all that was ever put into it, and how much of that was taken out. Steps back are then as easy as steps forth.
#[derive(Clone, Debug)]
pub struct Queue {
    items: Vec<Value>,
    /// Before each item, the print of all before it; and one after all.
    prints: Vec<Sequence>,
    taken: usize,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue { items: Vec::new(), prints: vec![Sequence::EMPTY], taken: 0 }
    }
}

/// Which way to step back.
#[derive(Clone, Copy, Debug)]
pub enum QueueBefore {
    /// It was the same.
    Same,
    /// The last item was not there.
    Shorter,
    /// The item before the front was there.
    Longer,
}

impl Machine for Queue {
    type Undo = QueueBefore;

    fn step(&mut self, call: Call) -> Option<QueueBefore> {
        let front = self.items.get(self.taken).copied();
        match (call, front) {
            (Call::Enqueue(value), _) => {
                let all = self.prints[self.items.len()].then(Sequence::of(u64::from(value.0)));
                self.items.push(value);
                self.prints.push(all);
                Some(QueueBefore::Shorter)
            }
            (Call::Dequeue(None | Some(Value::NOTHING)), None) => Some(QueueBefore::Same),
            (Call::Dequeue(taken), Some(front)) if taken.is_none_or(|taken| taken == front) => {
                self.taken += 1;
                Some(QueueBefore::Longer)
            }
            _ => None,
        }
    }

    fn undo(&mut self, undo: QueueBefore) {
        match undo {
            QueueBefore::Same => {}
            QueueBefore::Shorter => {
                self.items.pop();
                self.prints.pop();
            }
            QueueBefore::Longer => self.taken -= 1,
        }
    }

    /// The print of what is in the queue: that of all, less what was taken, moved to where it stands in all.
    fn print(&self) -> Print {
        let (all, gone) = (self.prints[self.items.len()], self.prints[self.taken]);
        let length = (self.items.len() - self.taken) as u64;
        let rest = |all, gone, point| minus(all, times(gone, raise(point, length)));
        (
            scramble(rest(all.print.0, gone.print.0, POINTS.0)) ^ scramble(length),
            scramble(rest(all.print.1, gone.print.1, POINTS.1)) ^ scramble(!length),
        )
    }

    fn unknown(&self) -> Option<Queue> {
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
    fn a_queues_print_depends_on_what_is_in_it_only() {
        let (mut one, mut other) = (Queue::default(), Queue::default());
        for value in [7, 8, 9] {
            one.step(Call::Enqueue(Value(value)));
        }
        let full = one.print();
        let back = one.step(Call::Dequeue(Some(Value(7)))).expect("it is in front");
        for value in [8, 9] {
            other.step(Call::Enqueue(Value(value)));
        }
        assert_eq!(one.print(), other.print());
        one.undo(back);
        assert_eq!(one.print(), full);
        assert_ne!(one.print(), other.print());
        assert!(one.step(Call::Dequeue(Some(Value(8)))).is_none());
        assert!(one.step(Call::Dequeue(Some(Value::NOTHING))).is_none());
    }

    #[test]
    fn texts_join() {
        let mut values = Names::default();
        let [nothing, a, b, ab, empty] =
            ["null", "\"a\"", "\"b\"", "\"ab\"", "\"\""].map(|text| Value(values.number(text)));
        let mut text = Text::new(&values);
        assert!(text.step(Call::Read(Some(nothing))).is_some());
        assert!(text.step(Call::Read(Some(empty))).is_none());
        text.step(Call::Append(a));
        text.step(Call::Append(b));
        assert!(text.step(Call::Read(Some(ab))).is_some());
        let whole = text.print();
        text.step(Call::Write(ab));
        assert_eq!(text.print(), whole);
        text.step(Call::Append(empty));
        assert_eq!(text.print(), whole);
    }
}

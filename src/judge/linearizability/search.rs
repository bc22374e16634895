//! Wing–Gong–Lowe search: a linearization of one object's operations by depth-first search with backtracking (Wing and Gong, Journal of
//! Parallel and Distributed Computing, 1993) and memoised configurations (Lowe, Concurrency and Computation, 2017).
//!
//! Operations are linearized one after another; a candidate is one that was invoked before the first response among the remaining ones. Where
//! no candidate is legal, the search backtracks. Six rules prune or order it:
//!
//! * A read-only operation that is a legal candidate is linearized at once: no alternative to it needs to be tried.
//! * A [configuration](super::memo) seen before is not explored again.
//! * Pending operations with the same call are interchangeable and form a class; the one invoked first is used first.
//! * Pending operations are used as late as possible: one that is used up where another order of the completed ones would have done is
//!   missing later. So a configuration in which only they are left to try is deferred; when nothing else is left, the search resumes from the
//!   deferred configuration with the best score.
//! * No blind write directly follows a pending operation: the effect of that one would be overwritten, and it may as well never take effect.
//! * By the [value index](super::value_index): operations that install the value observed by the one with the first response are tried first;
//!   of equivalent operations, only the one with the earliest response; and no value is overwritten that must be observed later and
//!   cannot be installed again.

use super::history::{Call, KeyOperation, Value};
use super::memo::{Memo, PrefixId, PrefixTree};
use super::model::{Fingerprint, SequentialSpec, splitmix64};
use super::value_index::ValueIndex;
use std::collections::{BTreeMap, BinaryHeap};

/// Bounds of the searches for one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of all searches together; a step examines one operation. About ten million take a second.
    pub steps: u64,
    /// Memory of the searches, bytes, approximately.
    pub bytes: usize,
}

impl Limits {
    /// Enough for all but the hardest histories: about ten seconds and a gigabyte at most.
    pub const DEFAULT: Limits = Limits { steps: 200_000_000, bytes: 1 << 30 };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}

/// A limit that was reached, see [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::steps`].
    Steps,
    /// [`Limits::bytes`].
    Bytes,
}

/// Steps in a search's first time slice; enough for most keys.
pub const SLICE_STEPS: u64 = 1 << 16;

/// State of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is a linearization.
    Linearizable,
    /// There is none, not even of the operations that responded up to this position.
    NotLinearizable(u32),
    /// Not decided yet.
    Searching,
}

/// An invocation or response in the doubly linked list of those not yet linearized. Entry 0 is the head of the circular list.
#[derive(Clone, Copy, Debug)]
struct Entry {
    previous: u32,
    next: u32,
    /// The number of the completed operation.
    operation: u32,
    position: u32,
    is_response: bool,
}

/// Pending operations with the same call.
#[derive(Clone, Debug)]
struct PendingClass {
    call: Call,
    /// Positions of the invocations, sorted.
    invocations: Vec<u32>,
}

/// The next alternative of a configuration. Alternatives are tried in the order of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cursor {
    /// Read-only candidates, from this entry on.
    ReadOnly(u32),
    /// Candidates that enable `first`, the operation with the first response: itself, and those that install the value it observes.
    Enabling { at: u32, first: u32 },
    /// All other candidates.
    Mutating { at: u32, first: u32 },
    /// Pending operations invoked before `limit`, from this class on.
    Pending { class: u32, limit: u32 },
    /// None.
    Exhausted,
}

/// The linearization of one operation.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A completed operation, by the entry of its invocation.
    Completed(u32),
    /// The first unused operation of a class of pending ones.
    Pending(u32),
}

/// A step on the search's stack.
#[derive(Clone, Copy, Debug)]
struct Frame<U> {
    step: Step,
    undo: U,
    /// The next alternative to this step.
    cursor: Cursor,
    /// Whether no alternative needs to be tried.
    forced: bool,
    /// The configuration after the step.
    configuration: u32,
}

/// A configuration that can be deferred: its parent and the step from there. Number 0 is the initial one.
#[derive(Clone, Copy, Debug)]
struct Configuration {
    parent: u32,
    depth: u32,
    step: Step,
    /// The pending operations used.
    prefix: PrefixId,
}

/// What one used pending operation subtracts from a deferred configuration's score, in linearized completed operations.
const PENDING_COST: i64 = 16;

/// Steps without progress after which a search with pending operations switches to the best deferred configuration.
const STALL_STEPS: u64 = 512;

/// A search, which can be suspended after any step.
#[derive(Clone, Debug)]
pub struct Search<M: SequentialSpec> {
    object: M,
    /// The completed operations.
    calls: Vec<Call>,
    entries: Vec<Entry>,
    /// For each completed operation, the entries of its invocation and its response.
    places: Vec<(u32, u32)>,
    /// Completed operations not yet linearized.
    remaining: usize,
    classes: Vec<PendingClass>,
    /// For each class, how many of its operations are linearized.
    used: Vec<u32>,
    index: ValueIndex,
    /// Fingerprint of the set of linearized completed operations.
    linearized: Fingerprint,
    frames: Vec<Frame<M::Undo>>,
    cursor: Cursor,
    configurations: Vec<Configuration>,
    /// Deferred configurations by score, each with its next alternative.
    deferred: BinaryHeap<(i64, u32, Cursor)>,
    /// Depth of the configuration that the search last resumed from.
    base: usize,
    /// Linearized pending operations: how many, and which.
    pending_used: u32,
    prefix: PrefixId,
    prefixes: PrefixTree,
    /// Least `remaining` since the search last resumed, and the step at which it counts as stalled.
    fewest_remaining: usize,
    stalled_at: u64,
    memo: Memo,
    /// Position of the last response that was an obstacle.
    furthest: u32,
    /// Steps taken; a step examines one operation.
    pub steps: u64,
}

impl<M: SequentialSpec> Search<M> {
    /// A search for a linearization of `operations`, which are sorted by invocation, from the state of `object`.
    pub fn new(object: M, operations: &[KeyOperation]) -> Search<M> {
        let mut events: Vec<(u32, u32, bool)> = Vec::new();
        let completed: Vec<KeyOperation> =
            operations.iter().filter(|operation| operation.response.is_some()).copied().collect();
        for (number, operation) in (0..).zip(&completed) {
            events.push((operation.invocation, number, false));
            events.extend(operation.response.map(|response| (response, number, true)));
        }
        let calls: Vec<Call> = completed.iter().map(|operation| operation.call).collect();
        events.sort_unstable();
        let last = events.len() as u32;
        let mut entries = vec![Entry {
            previous: last,
            next: u32::from(last > 0),
            operation: 0,
            position: u32::MAX,
            is_response: true,
        }];
        let mut places = vec![(0, 0); calls.len()];
        for (number, (position, operation, is_response)) in (1..).zip(events) {
            let next = if number == last { 0 } else { number + 1 };
            entries.push(Entry { previous: number - 1, next, operation, position, is_response });
            let place = &mut places[operation as usize];
            if is_response { place.1 = number } else { place.0 = number }
        }
        let classes = pending_classes(operations, &object);
        let first = entries[0].next;
        Search {
            object,
            remaining: calls.len(),
            calls,
            entries,
            places,
            used: vec![0; classes.len()],
            index: ValueIndex::new(&completed, classes.iter().map(|class| class.call)),
            classes,
            linearized: (0, 0),
            frames: Vec::new(),
            cursor: Cursor::ReadOnly(first),
            configurations: vec![Configuration {
                parent: 0,
                depth: 0,
                step: Step::Pending(0),
                prefix: PrefixId::EMPTY,
            }],
            deferred: BinaryHeap::new(),
            base: 0,
            pending_used: 0,
            prefix: PrefixId::EMPTY,
            prefixes: PrefixTree::default(),
            fewest_remaining: usize::MAX,
            stalled_at: STALL_STEPS,
            memo: Memo::default(),
            furthest: 0,
            steps: 0,
        }
    }

    /// Advances by about `steps` steps.
    pub fn advance(&mut self, steps: u64) -> Progress {
        let end = self.steps.saturating_add(steps);
        while self.remaining > 0 {
            if self.steps >= end {
                return Progress::Searching;
            }
            self.steps += 1;
            if self.steps > self.stalled_at && !self.classes.is_empty() {
                self.defer_remaining();
            } else if !self.examine() {
                return Progress::NotLinearizable(self.furthest);
            }
        }
        Progress::Linearizable
    }

    /// Memory, bytes, approximately.
    pub fn bytes(&self) -> usize {
        self.memo.bytes()
            + self.index.bytes()
            + self.prefixes.bytes()
            + self.frames.capacity() * size_of::<Frame<M::Undo>>()
            + self.configurations.capacity() * size_of::<Configuration>()
            + self.deferred.capacity() * size_of::<(i64, u32, Cursor)>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.calls.capacity() * (size_of::<Call>() + 8)
    }

    /// Examines the alternative at the cursor and advances the cursor. `false`: there is no alternative left, here or deferred.
    #[inline]
    fn examine(&mut self) -> bool {
        match self.cursor {
            Cursor::ReadOnly(at) => {
                let Entry { next, operation, is_response, .. } = self.entries[at as usize];
                if is_response {
                    self.cursor = Cursor::Enabling { at: self.entries[0].next, first: operation };
                } else {
                    self.cursor = Cursor::ReadOnly(next);
                    let call = self.calls[operation as usize];
                    if call.is_read_only() {
                        self.try_step(Step::Completed(at), call);
                    }
                }
            }
            Cursor::Enabling { at, first } => {
                let Entry { next, operation, is_response, .. } = self.entries[at as usize];
                if is_response {
                    self.cursor = Cursor::Mutating { at: self.entries[0].next, first };
                } else {
                    self.cursor = Cursor::Enabling { at: next, first };
                    let call = self.calls[operation as usize];
                    if !call.is_read_only() && self.enables(operation, first) && self.is_candidate(operation, first) {
                        self.try_step(Step::Completed(at), call);
                    }
                }
            }
            Cursor::Mutating { at, first } => {
                let Entry { next, operation, is_response, position, .. } = self.entries[at as usize];
                if is_response {
                    self.furthest = self.furthest.max(position);
                    self.defer(Cursor::Pending { class: 0, limit: position });
                    return self.backtrack();
                } else {
                    self.cursor = Cursor::Mutating { at: next, first };
                    let call = self.calls[operation as usize];
                    if !call.is_read_only() && !self.enables(operation, first) && self.is_candidate(operation, first) {
                        self.try_step(Step::Completed(at), call);
                    }
                }
            }
            Cursor::Pending { class, limit } => {
                let Some(PendingClass { call, invocations }) = self.classes.get(class as usize) else {
                    return self.backtrack();
                };
                self.cursor = Cursor::Pending { class: class + 1, limit };
                let unused = invocations.get(self.used[class as usize] as usize);
                let call = *call;
                if unused.is_some_and(|invocation| *invocation < limit) && !self.hides_pending(call) {
                    self.try_step(Step::Pending(class), call);
                }
            }
            Cursor::Exhausted => return self.backtrack(),
        }
        true
    }

    /// Whether `operation` enables `first`, the operation with the first response: it is `first`, or installs the value that `first` observes.
    #[inline]
    fn enables(&self, operation: u32, first: u32) -> bool {
        operation == first || {
            let observed = self.calls[first as usize].observes();
            observed.is_some() && self.calls[operation as usize].installs() == observed
        }
    }

    /// Whether `operation` is a candidate by the rules on blind writes and equivalent operations. `first` is the one with the first response.
    #[inline]
    fn is_candidate(&self, operation: u32, first: u32) -> bool {
        let limit = self.entries[self.places[first as usize].1 as usize].position;
        !self.hides_pending(self.calls[operation as usize]) && !self.index.equivalent_goes_first(operation, limit)
    }

    /// Whether `value`, which the object no longer holds, must still be observed and cannot be installed again in time.
    #[inline]
    fn loses_value(&mut self, value: Value) -> bool {
        let Some((until, classes)) = self.index.needs_pending_installer(value) else { return false };
        let unused = |class: &u32| {
            let used = self.used[*class as usize] as usize;
            self.classes[*class as usize].invocations.get(used).is_some_and(|invocation| *invocation < until)
        };
        if classes.iter().any(unused) {
            return false;
        }
        self.furthest = self.furthest.max(until);
        true
    }

    /// Whether `call` is a blind write directly after a pending operation.
    fn hides_pending(&self, call: Call) -> bool {
        call.is_blind() && matches!(self.frames.last(), Some(Frame { step: Step::Pending(_), .. }))
    }

    /// Linearizes an operation, if it is legal and leads to a new configuration.
    #[inline]
    fn try_step(&mut self, step: Step, call: Call) {
        let (before, held) = (self.object.fingerprint(), self.object.value());
        let Some(undo) = self.object.step(call) else { return };
        let after = self.object.fingerprint();
        let same = before == after;
        if same && matches!(step, Step::Pending(_)) {
            return self.object.undo(undo);
        }
        self.set_linearized(step, true);
        if let Step::Pending(class) = step {
            self.prefix = self.prefixes.push(self.prefix, class);
        }
        let fingerprint = (self.linearized.0 ^ after.0, self.linearized.1 ^ after.1);
        let forced = same && call.is_read_only();
        let lost = !same && held.is_some_and(|held| self.loses_value(held));
        if !lost && self.memo.insert(fingerprint, self.prefix, &self.prefixes, &mut self.steps) {
            let configuration = self.remember(step);
            self.frames.push(Frame { step, undo, cursor: self.cursor, forced, configuration });
            self.cursor = Cursor::ReadOnly(self.entries[0].next);
            if self.remaining < self.fewest_remaining {
                self.fewest_remaining = self.remaining;
                self.stalled_at = self.steps + STALL_STEPS;
            }
        } else {
            self.set_linearized(step, false);
            self.object.undo(undo);
            if let Step::Pending(_) = step {
                self.prefixes.pop();
            }
            if forced {
                self.cursor = Cursor::Exhausted;
            }
        }
    }

    /// Undoes steps up to the last one that has an alternative, or resumes from a deferred configuration. `false`: there is neither.
    fn backtrack(&mut self) -> bool {
        while self.frames.len() > self.base {
            let Some(Frame { cursor, forced, .. }) = self.pop() else { break };
            if !forced {
                self.cursor = cursor;
                return true;
            }
        }
        match self.deferred.pop() {
            Some((_, configuration, cursor)) => {
                self.resume(configuration, cursor);
                true
            }
            None => false,
        }
    }

    fn pop(&mut self) -> Option<Frame<M::Undo>> {
        let frame = self.frames.pop()?;
        self.object.undo(frame.undo);
        self.set_linearized(frame.step, false);
        Some(frame)
    }

    /// The number of the configuration after `step`. Without pending operations nothing is deferred, and none needs a number.
    fn remember(&mut self, step: Step) -> u32 {
        if self.classes.is_empty() {
            return 0;
        }
        let parent = self.frames.last().map_or(0, |frame| frame.configuration);
        self.configurations.push(Configuration {
            parent,
            depth: self.frames.len() as u32 + 1,
            step,
            prefix: self.prefix,
        });
        self.configurations.len() as u32 - 1
    }

    /// Defers the present configuration with its remaining alternatives, from `cursor` on.
    fn defer(&mut self, cursor: Cursor) {
        if !self.classes.is_empty() {
            let configuration = self.frames.last().map_or(0, |frame| frame.configuration);
            let score = (self.calls.len() - self.remaining) as i64 - PENDING_COST * i64::from(self.pending_used);
            self.deferred.push((score, configuration, cursor));
        }
    }

    /// Defers all configurations on the stack, so that the search resumes from the one with the best score.
    fn defer_remaining(&mut self) {
        let mut cursor = self.cursor;
        let mut forced = false;
        loop {
            if !forced && cursor != Cursor::Exhausted {
                self.defer(cursor);
            }
            if self.frames.len() <= self.base {
                break;
            }
            let Some(frame) = self.pop() else { break };
            self.steps += 1;
            (cursor, forced) = (frame.cursor, frame.forced);
        }
        self.cursor = Cursor::Exhausted;
        self.stalled_at = self.steps + STALL_STEPS;
    }

    /// Resumes from a deferred configuration.
    fn resume(&mut self, configuration: u32, cursor: Cursor) {
        let mut path = Vec::new();
        let mut at = configuration;
        loop {
            let Configuration { parent, depth, .. } = self.configurations[at as usize];
            let here =
                if depth == 0 { Some(0) } else { self.frames.get(depth as usize - 1).map(|frame| frame.configuration) };
            if here == Some(at) {
                while self.frames.len() > depth as usize {
                    self.pop();
                    self.steps += 1;
                }
                break;
            }
            path.push(at);
            at = parent;
        }
        self.steps += path.len() as u64;
        for configuration in path.into_iter().rev() {
            let Configuration { step, prefix, .. } = self.configurations[configuration as usize];
            let call = match step {
                Step::Completed(entry) => self.calls[self.entries[entry as usize].operation as usize],
                Step::Pending(class) => self.classes[class as usize].call,
            };
            let Some(undo) = self.object.step(call) else { continue };
            self.set_linearized(step, true);
            self.prefix = prefix;
            self.frames.push(Frame { step, undo, cursor: Cursor::Exhausted, forced: false, configuration });
        }
        self.base = self.frames.len();
        self.cursor = cursor;
        self.fewest_remaining = self.remaining;
        self.stalled_at = self.steps + STALL_STEPS;
    }

    /// Marks an operation as linearized, or no longer.
    #[inline]
    fn set_linearized(&mut self, step: Step, linearized: bool) {
        match step {
            Step::Pending(class) if linearized => {
                self.used[class as usize] += 1;
                self.pending_used += 1;
            }
            Step::Pending(class) => {
                self.used[class as usize] -= 1;
                self.pending_used -= 1;
                self.prefix = self.prefixes.parent(self.prefix);
            }
            Step::Completed(invocation) => {
                let operation = self.entries[invocation as usize].operation;
                let response = self.places[operation as usize].1;
                let word = u64::from(operation) << 1;
                self.linearized.0 ^= splitmix64(word ^ 0x5bf0_3635_0000_0000);
                self.linearized.1 ^= splitmix64(word ^ 0x2545_f491_0000_0001);
                if linearized {
                    self.index.remove(operation);
                    self.remaining -= 1;
                    self.unlink(invocation);
                    self.unlink(response);
                } else {
                    self.index.restore(operation);
                    self.remaining += 1;
                    self.link(response);
                    self.link(invocation);
                }
            }
        }
    }

    fn unlink(&mut self, at: u32) {
        let Entry { previous, next, .. } = self.entries[at as usize];
        self.entries[previous as usize].next = next;
        self.entries[next as usize].previous = previous;
    }

    fn link(&mut self, at: u32) {
        let Entry { previous, next, .. } = self.entries[at as usize];
        self.entries[previous as usize].next = at;
        self.entries[next as usize].previous = at;
    }
}

/// The operations without irrelevant pending ones: those that enable nothing in a history that begins in the state `start`, and those that
/// install a value that no other operation observes. A linearization without those exists if one with them does.
pub fn relevant<M: SequentialSpec>(operations: &[KeyOperation], start: &M) -> Vec<KeyOperation> {
    let pending = |operation: &KeyOperation| operation.response.is_none();
    let mut kept: Vec<bool> =
        operations.iter().map(|operation| !pending(operation) || start.can_enable(operation.call)).collect();
    // A text that is appended to is observed as part of another one.
    if !operations.iter().any(|operation| matches!(operation.call, Call::Append(_))) {
        let mut observers: BTreeMap<Value, usize> = BTreeMap::new();
        let mut installers: BTreeMap<Value, Vec<usize>> = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate().filter(|(at, _)| kept[*at]) {
            if let Some(value) = operation.call.observes() {
                *observers.entry(value).or_default() += 1;
            }
            if let Some(value) = operation.call.installs().filter(|_| pending(operation)) {
                installers.entry(value).or_default().push(at);
            }
        }
        let is_unobserved =
            |value: &Value, observers: &BTreeMap<Value, usize>| observers.get(value).is_none_or(|count| *count == 0);
        let mut unobserved: Vec<Value> =
            installers.keys().filter(|value| is_unobserved(value, &observers)).copied().collect();
        while let Some(value) = unobserved.pop() {
            for at in installers.remove(&value).unwrap_or_default() {
                kept[at] = false;
                // The value that this one observes has one observer less.
                let Some(value) = operations[at].call.observes() else { continue };
                if let Some(count) = observers.get_mut(&value) {
                    *count -= 1;
                }
                if is_unobserved(&value, &observers) {
                    unobserved.push(value);
                }
            }
        }
    }
    operations.iter().zip(kept).filter(|(_, kept)| *kept).map(|(operation, _)| *operation).collect()
}

fn pending_classes<M: SequentialSpec>(operations: &[KeyOperation], start: &M) -> Vec<PendingClass> {
    let mut classes: BTreeMap<Call, Vec<u32>> = BTreeMap::new();
    for operation in relevant(operations, start).iter().filter(|operation| operation.response.is_none()) {
        classes.entry(operation.call).or_default().push(operation.invocation);
    }
    classes.into_iter().map(|(call, invocations)| PendingClass { call, invocations }).collect()
}

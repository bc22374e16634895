//! The search for an order, for one object: Wing and Gong's (Journal of Parallel and Distributed Computing, 1993), with Lowe's memory of
//! configurations (Concurrency and Computation, 2017).
//!
//! Operations are put in order one after another, each of them one that was asked for before any remaining one was answered. Where
//! none fits, the search takes back the last and tries another. Six things keep it short:
//!
//! * An operation that only observes and fits now may as well come now: nothing else needs to be tried in its place.
//! * A [configuration](super::memo) seen before is left alone.
//! * Operations without an answer that do the same are interchangeable: the one asked for first goes first.
//! * They are a scarce good: to use one where a better order of the others would have done is regretted much later. So a configuration in
//!   which only they are left to try is put off, and the search goes on from the most promising one of these when nothing else is left.
//! * Just after one of these comes no blind write. That would hide it, and one that is hidden may as well be left out.
//! * Those that [help](super::needs) the operation that must be done first are tried first; of those that do the same, only the one that
//!   must be done first; and what wastes a value that somebody has yet to find is not done.

use super::history::{Call, Value};
use super::memo::{Last, Memo, Spent};
use super::model::{Machine, Print, scramble};
use super::needs::{Needs, finds, leaves};
use std::collections::{BTreeMap, BinaryHeap};

/// An operation on the one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// Its index in the history.
    pub index: usize,
    /// What it did.
    pub call: Call,
    /// The position of its invocation.
    pub from: u32,
    /// The position of its answer, if it was answered.
    pub to: Option<u32>,
}

/// Where a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is an order.
    Found,
    /// There is none, not even of what was answered up to this position.
    Impossible(u32),
    /// Not known yet.
    Searching,
}

/// An event in the list of those not in order yet. The list runs in a circle through entry 0, which is none.
#[derive(Clone, Copy, Debug)]
struct Entry {
    previous: u32,
    next: u32,
    /// Which of the answered operations.
    act: u32,
    position: u32,
    is_answer: bool,
}

/// Operations without an answer that do the same.
#[derive(Clone, Debug)]
struct Class {
    call: Call,
    /// The positions of their invocations, in order.
    asked: Vec<u32>,
}

/// What to try next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cursor {
    /// Those that only observe, from this entry on.
    Observers(u32),
    /// Of the others, those that help the one whose answer comes first: itself, or what leaves what it finds.
    Helpers { at: u32, first: u32 },
    /// The others.
    Changers { at: u32, first: u32 },
    /// Those without an answer that were asked for before `limit`, from this class on.
    Unanswered { class: u32, limit: u32 },
    /// Nothing.
    Spent,
}

#[derive(Clone, Copy, Debug)]
enum Chosen {
    /// An answered operation, by the entry of its invocation.
    Answered(u32),
    /// The first one to spare of a class.
    Unanswered(u32),
}

/// One operation put in order, and how to take it back.
#[derive(Clone, Copy, Debug)]
struct Frame<U> {
    chosen: Chosen,
    undo: U,
    /// What to try next once it is taken back.
    cursor: Cursor,
    /// Nothing needs to be tried instead.
    forced: bool,
    /// The configuration it led to.
    node: u32,
}

/// A configuration that can be put off: the one before it, and what led from that to here. The first one, number 0, has none before it.
#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    depth: u32,
    chosen: Chosen,
    /// The operations without an answer that are in order then.
    last: Last,
}

/// How many answered operations further a search must be to make good for one more without an answer.
const PRICE: i64 = 16;

/// Steps without getting further after which a search with something put off turns to the most promising of that.
const PATIENCE: u64 = 512;

/// The search, which can stop at any step and go on later.
#[derive(Clone, Debug)]
pub struct Search<M: Machine> {
    machine: M,
    calls: Vec<Call>,
    entries: Vec<Entry>,
    /// For each answered operation, the entries of its invocation and its answer.
    places: Vec<(u32, u32)>,
    remaining: usize,
    classes: Vec<Class>,
    used: Vec<u32>,
    needs: Needs,
    /// The print of the set of answered operations that are in order.
    done: Print,
    frames: Vec<Frame<M::Undo>>,
    cursor: Cursor,
    nodes: Vec<Node>,
    /// Configurations put off, the most promising one on top, with what is left to try in them.
    put_off: BinaryHeap<(i64, u32, Cursor)>,
    /// The depth of the one from which the search goes on now.
    base: usize,
    /// How many operations without an answer are in order, and which.
    spent: u32,
    last: Last,
    rows: Spent,
    /// The fewest remaining since the search went on from `base`, and until when that must change.
    fewest: usize,
    patience: u64,
    memo: Memo,
    furthest: u32,
    /// Steps taken: looks at operations.
    pub steps: u64,
}

impl<M: Machine> Search<M> {
    /// A search for an order of `acts`, which are sorted by `from`.
    pub fn new(machine: M, acts: &[Act]) -> Search<M> {
        let mut events: Vec<(u32, u32, bool)> = Vec::new();
        let answered: Vec<Act> = acts.iter().filter(|act| act.to.is_some()).copied().collect();
        for (number, act) in (0..).zip(&answered) {
            events.push((act.from, number, false));
            events.extend(act.to.map(|to| (to, number, true)));
        }
        let calls: Vec<Call> = answered.iter().map(|act| act.call).collect();
        events.sort_unstable();
        let last = events.len() as u32;
        let mut entries =
            vec![Entry { previous: last, next: u32::from(last > 0), act: 0, position: u32::MAX, is_answer: true }];
        let mut places = vec![(0, 0); calls.len()];
        for (number, (position, act, is_answer)) in (1..).zip(events) {
            let next = if number == last { 0 } else { number + 1 };
            entries.push(Entry { previous: number - 1, next, act, position, is_answer });
            let place = &mut places[act as usize];
            if is_answer { place.1 = number } else { place.0 = number }
        }
        let classes = classes(acts, &machine);
        let first = entries[0].next;
        Search {
            machine,
            remaining: calls.len(),
            calls,
            entries,
            places,
            used: vec![0; classes.len()],
            needs: Needs::new(&answered, classes.iter().map(|class| class.call)),
            classes,
            done: (0, 0),
            frames: Vec::new(),
            cursor: Cursor::Observers(first),
            nodes: vec![Node { parent: 0, depth: 0, chosen: Chosen::Unanswered(0), last: Last::NOTHING }],
            put_off: BinaryHeap::new(),
            base: 0,
            spent: 0,
            last: Last::NOTHING,
            rows: Spent::default(),
            fewest: usize::MAX,
            patience: PATIENCE,
            memo: Memo::default(),
            furthest: 0,
            steps: 0,
        }
    }

    /// Takes about so many steps.
    pub fn advance(&mut self, steps: u64) -> Progress {
        let end = self.steps.saturating_add(steps);
        while self.remaining > 0 {
            if self.steps >= end {
                return Progress::Searching;
            }
            self.steps += 1;
            if self.steps > self.patience && !self.classes.is_empty() {
                self.turn_elsewhere();
            } else if !self.look() {
                return Progress::Impossible(self.furthest);
            }
        }
        Progress::Found
    }

    /// Bytes of memory, more or less.
    pub fn bytes(&self) -> usize {
        self.memo.bytes()
            + self.needs.bytes()
            + self.rows.bytes()
            + self.frames.capacity() * size_of::<Frame<M::Undo>>()
            + self.nodes.capacity() * size_of::<Node>()
            + self.put_off.capacity() * size_of::<(i64, u32, Cursor)>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.calls.capacity() * (size_of::<Call>() + 8)
    }

    /// Looks at what the cursor points to and moves it on. `false`: there is nothing left to try.
    #[inline]
    fn look(&mut self) -> bool {
        match self.cursor {
            Cursor::Observers(at) => {
                let Entry { next, act, is_answer, .. } = self.entries[at as usize];
                if is_answer {
                    self.cursor = Cursor::Helpers { at: self.entries[0].next, first: act };
                } else {
                    self.cursor = Cursor::Observers(next);
                    let call = self.calls[act as usize];
                    if call.only_observes() {
                        self.try_out(Chosen::Answered(at), call);
                    }
                }
            }
            Cursor::Helpers { at, first } => {
                let Entry { next, act, is_answer, .. } = self.entries[at as usize];
                if is_answer {
                    self.cursor = Cursor::Changers { at: self.entries[0].next, first };
                } else {
                    self.cursor = Cursor::Helpers { at: next, first };
                    let call = self.calls[act as usize];
                    if !call.only_observes() && self.helps(act, first) && self.may_come_now(act, first) {
                        self.try_out(Chosen::Answered(at), call);
                    }
                }
            }
            Cursor::Changers { at, first } => {
                let Entry { next, act, is_answer, position, .. } = self.entries[at as usize];
                if is_answer {
                    self.furthest = self.furthest.max(position);
                    self.put_off(Cursor::Unanswered { class: 0, limit: position });
                    return self.take_back();
                } else {
                    self.cursor = Cursor::Changers { at: next, first };
                    let call = self.calls[act as usize];
                    if !call.only_observes() && !self.helps(act, first) && self.may_come_now(act, first) {
                        self.try_out(Chosen::Answered(at), call);
                    }
                }
            }
            Cursor::Unanswered { class, limit } => {
                let Some(Class { call, asked }) = self.classes.get(class as usize) else {
                    return self.take_back();
                };
                self.cursor = Cursor::Unanswered { class: class + 1, limit };
                let spare = asked.get(self.used[class as usize] as usize);
                let call = *call;
                if spare.is_some_and(|asked| *asked < limit) && !self.would_hide(call) {
                    self.try_out(Chosen::Unanswered(class), call);
                }
            }
            Cursor::Spent => return self.take_back(),
        }
        true
    }

    /// Whether doing `act` now brings `first` nearer, whose answer comes first.
    #[inline]
    fn helps(&self, act: u32, first: u32) -> bool {
        act == first || {
            let found = finds(self.calls[first as usize]);
            found.is_some() && leaves(self.calls[act as usize]) == found
        }
    }

    /// Whether nothing speaks against doing `act` now; the answer to `first` comes first.
    #[inline]
    fn may_come_now(&self, act: u32, first: u32) -> bool {
        let limit = self.entries[self.places[first as usize].1 as usize].position;
        !self.would_hide(self.calls[act as usize]) && !self.needs.can_wait(act, limit)
    }

    /// Whether `value`, which the object no longer holds, is still to be found by somebody, and nobody can leave it again in time.
    #[inline]
    fn is_lost(&mut self, value: Value) -> bool {
        let Some((until, classes)) = self.needs.left_by(value) else { return false };
        let spare = |class: &u32| {
            let used = self.used[*class as usize] as usize;
            self.classes[*class as usize].asked.get(used).is_some_and(|asked| *asked < until)
        };
        if classes.iter().any(spare) {
            return false;
        }
        self.furthest = self.furthest.max(until);
        true
    }

    /// Whether `call` would hide the operation without an answer just before it.
    fn would_hide(&self, call: Call) -> bool {
        call.is_blind() && matches!(self.frames.last(), Some(Frame { chosen: Chosen::Unanswered(_), .. }))
    }

    /// Puts an operation in order, if it fits and leads to something new.
    #[inline]
    fn try_out(&mut self, chosen: Chosen, call: Call) {
        let (before, held) = (self.machine.print(), self.machine.held());
        let Some(undo) = self.machine.step(call) else { return };
        let after = self.machine.print();
        let same = before == after;
        if same && matches!(chosen, Chosen::Unanswered(_)) {
            return self.machine.undo(undo);
        }
        self.mark(chosen, true);
        if let Chosen::Unanswered(class) = chosen {
            self.last = self.rows.then(self.last, class);
        }
        let print = (self.done.0 ^ after.0, self.done.1 ^ after.1);
        let forced = same && call.only_observes();
        let lost = !same && held.is_some_and(|held| self.is_lost(held));
        if !lost && self.memo.is_new(print, self.last, &self.rows, &mut self.steps) {
            let node = self.remember(chosen);
            self.frames.push(Frame { chosen, undo, cursor: self.cursor, forced, node });
            self.cursor = Cursor::Observers(self.entries[0].next);
            if self.remaining < self.fewest {
                self.fewest = self.remaining;
                self.patience = self.steps + PATIENCE;
            }
        } else {
            self.mark(chosen, false);
            self.machine.undo(undo);
            if let Chosen::Unanswered(_) = chosen {
                self.rows.forget();
            }
            if forced {
                self.cursor = Cursor::Spent;
            }
        }
    }

    /// Takes back the last operation for which something else can be tried; or goes on from a configuration put off.
    fn take_back(&mut self) -> bool {
        while self.frames.len() > self.base {
            let Some(Frame { cursor, forced, .. }) = self.pop() else { break };
            if !forced {
                self.cursor = cursor;
                return true;
            }
        }
        match self.put_off.pop() {
            Some((_, node, cursor)) => {
                self.go_on_from(node, cursor);
                true
            }
            None => false,
        }
    }

    fn pop(&mut self) -> Option<Frame<M::Undo>> {
        let frame = self.frames.pop()?;
        self.machine.undo(frame.undo);
        self.mark(frame.chosen, false);
        Some(frame)
    }

    /// The number of the configuration that `chosen` leads to from here. If there is nothing to put off, none needs to be known.
    fn remember(&mut self, chosen: Chosen) -> u32 {
        if self.classes.is_empty() {
            return 0;
        }
        let parent = self.frames.last().map_or(0, |frame| frame.node);
        self.nodes.push(Node { parent, depth: self.frames.len() as u32 + 1, chosen, last: self.last });
        self.nodes.len() as u32 - 1
    }

    /// Puts this configuration off, with what is left to try in it.
    fn put_off(&mut self, cursor: Cursor) {
        if !self.classes.is_empty() {
            let node = self.frames.last().map_or(0, |frame| frame.node);
            let promise = (self.calls.len() - self.remaining) as i64 - PRICE * i64::from(self.spent);
            self.put_off.push((promise, node, cursor));
        }
    }

    /// Puts off all that is left to try here, and goes on from the most promising configuration.
    fn turn_elsewhere(&mut self) {
        let mut cursor = self.cursor;
        let mut forced = false;
        loop {
            if !forced && cursor != Cursor::Spent {
                self.put_off(cursor);
            }
            if self.frames.len() <= self.base {
                break;
            }
            let Some(frame) = self.pop() else { break };
            self.steps += 1;
            (cursor, forced) = (frame.cursor, frame.forced);
        }
        self.cursor = Cursor::Spent;
        self.patience = self.steps + PATIENCE;
    }

    /// Goes on from a configuration put off.
    fn go_on_from(&mut self, node: u32, cursor: Cursor) {
        let mut way = Vec::new();
        let mut at = node;
        loop {
            let Node { parent, depth, .. } = self.nodes[at as usize];
            let here = if depth == 0 { Some(0) } else { self.frames.get(depth as usize - 1).map(|frame| frame.node) };
            if here == Some(at) {
                while self.frames.len() > depth as usize {
                    self.pop();
                    self.steps += 1;
                }
                break;
            }
            way.push(at);
            at = parent;
        }
        self.steps += way.len() as u64;
        for node in way.into_iter().rev() {
            let Node { chosen, last, .. } = self.nodes[node as usize];
            let call = match chosen {
                Chosen::Answered(entry) => self.calls[self.entries[entry as usize].act as usize],
                Chosen::Unanswered(class) => self.classes[class as usize].call,
            };
            let Some(undo) = self.machine.step(call) else { continue };
            self.mark(chosen, true);
            self.last = last;
            self.frames.push(Frame { chosen, undo, cursor: Cursor::Spent, forced: false, node });
        }
        self.base = self.frames.len();
        self.cursor = cursor;
        self.fewest = self.remaining;
        self.patience = self.steps + PATIENCE;
    }

    /// Notes that an operation is in order, or no longer.
    #[inline]
    fn mark(&mut self, chosen: Chosen, in_order: bool) {
        match chosen {
            Chosen::Unanswered(class) if in_order => {
                self.used[class as usize] += 1;
                self.spent += 1;
            }
            Chosen::Unanswered(class) => {
                self.used[class as usize] -= 1;
                self.spent -= 1;
                self.last = self.rows.before(self.last);
            }
            Chosen::Answered(invocation) => {
                let act = self.entries[invocation as usize].act;
                let answer = self.places[act as usize].1;
                let word = u64::from(act) << 1;
                self.done.0 ^= scramble(word ^ 0x5bf0_3635_0000_0000);
                self.done.1 ^= scramble(word ^ 0x2545_f491_0000_0001);
                if in_order {
                    self.needs.remove(act);
                    self.remaining -= 1;
                    self.unlink(invocation);
                    self.unlink(answer);
                } else {
                    self.needs.restore(act);
                    self.remaining += 1;
                    self.link(answer);
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

/// The operations, less those without an answer that cannot matter: those that help nobody who begins as `start` does, and those that leave
/// what nobody finds. (Nobody can tell whether they ever took effect, so they need not.)
pub fn mattering<M: Machine>(acts: &[Act], start: &M) -> Vec<Act> {
    let unanswered = |act: &Act| act.to.is_none();
    let mut kept: Vec<bool> = acts.iter().map(|act| !unanswered(act) || start.helped_by(act.call)).collect();
    // What is appended to is found as a part of something else.
    if !acts.iter().any(|act| matches!(act.call, Call::Append(_))) {
        let mut finders: BTreeMap<Value, usize> = BTreeMap::new();
        let mut leavers: BTreeMap<Value, Vec<usize>> = BTreeMap::new();
        for (at, act) in acts.iter().enumerate().filter(|(at, _)| kept[*at]) {
            if let Some(value) = finds(act.call) {
                *finders.entry(value).or_default() += 1;
            }
            if let Some(value) = leaves(act.call).filter(|_| unanswered(act)) {
                leavers.entry(value).or_default().push(at);
            }
        }
        let lost = |value: &Value, finders: &BTreeMap<Value, usize>| finders.get(value).is_none_or(|count| *count == 0);
        let mut unfound: Vec<Value> = leavers.keys().filter(|value| lost(value, &finders)).copied().collect();
        while let Some(value) = unfound.pop() {
            for at in leavers.remove(&value).unwrap_or_default() {
                kept[at] = false;
                // What it would have found is now found by one less.
                let Some(value) = finds(acts[at].call) else { continue };
                if let Some(count) = finders.get_mut(&value) {
                    *count -= 1;
                }
                if lost(&value, &finders) {
                    unfound.push(value);
                }
            }
        }
    }
    acts.iter().zip(kept).filter(|(_, kept)| *kept).map(|(act, _)| *act).collect()
}

fn classes<M: Machine>(acts: &[Act], start: &M) -> Vec<Class> {
    let mut classes: BTreeMap<Call, Vec<u32>> = BTreeMap::new();
    for act in mattering(acts, start).iter().filter(|act| act.to.is_none()) {
        classes.entry(act.call).or_default().push(act.from);
    }
    classes.into_iter().map(|(call, asked)| Class { call, asked }).collect()
}

//! What is still needed of a register, so that a search turns back as soon as it has wasted something, not when that is missed.
//!
//! Once a value is overwritten, an operation that has yet to find it needs another one, not yet in order, that leaves it again in time. Where
//! there is none, there is no order from here. And of operations that do the same, the one that must be done first may as well go first.

use super::history::{Call, Value};
use super::search::Act;
use std::collections::BTreeMap;

/// The operations that are not in order yet, by what they find and by what they leave. Only answered ones have numbers; the others are
/// asked for by [`Needs::left_by`].
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// All values found or left, sorted.
    values: Vec<Value>,
    /// For each value, those that find it, the one that must be done first in front.
    finders: Rings,
    /// For each value, those that leave it, the one asked for first in front.
    leavers: Rings,
    /// When each operation is asked for and answered.
    spans: Vec<(u32, u32)>,
    /// For each value, the classes of operations without an answer that leave it.
    classes: Vec<Vec<u32>>,
    /// For each operation, where those that do the same, overlap it and are answered before it are in `earlier`.
    same: Vec<(u32, u32)>,
    earlier: Vec<u32>,
    done: Vec<bool>,
}

/// What an operation leaves behind for others to find, if anything.
pub fn leaves(call: Call) -> Option<Value> {
    match call {
        Call::Write(value) | Call::CompareAndSet { value, .. } | Call::Enqueue(value) => Some(value),
        _ => None,
    }
}

/// What an operation must find, if anything.
pub fn finds(call: Call) -> Option<Value> {
    match call {
        Call::Read(value) | Call::Dequeue(value) => value,
        Call::CompareAndSet { expect, .. } => Some(expect),
        _ => None,
    }
}

impl Needs {
    /// Of answered operations, and of classes of others by what they do.
    pub fn new(answered: &[Act], classes: impl Iterator<Item = Call>) -> Needs {
        let spans: Vec<(u32, u32)> = answered.iter().map(|act| (act.from, act.to.unwrap_or(u32::MAX))).collect();
        let classes: Vec<Call> = classes.collect();
        let calls = answered.iter().map(|act| act.call).chain(classes.iter().copied());
        let mut values: Vec<Value> = calls.flat_map(|call| [finds(call), leaves(call)]).flatten().collect();
        values.sort_unstable();
        values.dedup();
        let index = |value: Value| values.binary_search(&value).ok();
        let (mut finders, mut leavers) = (vec![Vec::new(); values.len()], vec![Vec::new(); values.len()]);
        let mut alike: BTreeMap<Call, Vec<u32>> = BTreeMap::new();
        for (number, act) in (0..).zip(answered) {
            if let Some(value) = finds(act.call).and_then(index) {
                finders[value].push(number);
            }
            if let Some(value) = leaves(act.call).and_then(index) {
                leavers[value].push(number);
            }
            if !act.call.only_observes() {
                alike.entry(act.call).or_default().push(number);
            }
        }
        finders.iter_mut().for_each(|row| row.sort_unstable_by_key(|number| spans[*number as usize].1));
        leavers.iter_mut().for_each(|row| row.sort_unstable_by_key(|number| spans[*number as usize].0));
        let mut by_value = vec![Vec::new(); values.len()];
        for (class, call) in (0..).zip(classes) {
            if let Some(value) = leaves(call).and_then(index) {
                by_value[value].push(class);
            }
        }
        let (mut same, mut earlier) = (vec![(0, 0); answered.len()], Vec::new());
        for row in alike.into_values() {
            for &number in &row {
                let (from, to) = spans[number as usize];
                let start = earlier.len() as u32;
                // Those that were asked for before `to`; of them, the last ones only can still have been open at `from`.
                let known = row.partition_point(|other| spans[*other as usize].0 < to);
                let overlapping = row[..known].iter().rev().take(MOST_ALIKE);
                earlier.extend(overlapping.filter(|other| (from..to).contains(&spans[**other as usize].1)));
                same[number as usize] = (start, earlier.len() as u32);
            }
        }
        let done = vec![false; answered.len()];
        let rings = |rows: Vec<Vec<u32>>| Rings::new(answered.len(), &rows);
        Needs {
            finders: rings(finders),
            leavers: rings(leavers),
            values,
            spans,
            classes: by_value,
            same,
            earlier,
            done,
        }
    }

    /// An operation is in order.
    #[inline]
    pub fn remove(&mut self, number: u32) {
        self.done[number as usize] = true;
        self.finders.remove(number);
        self.leavers.remove(number);
    }

    /// It no longer is. To be undone in the opposite order.
    #[inline]
    pub fn restore(&mut self, number: u32) {
        self.leavers.restore(number);
        self.finders.restore(number);
        self.done[number as usize] = false;
    }

    /// Whether an operation that does the same as this one is not in order yet, was asked for before `limit` and must be done before it.
    #[inline]
    pub fn can_wait(&self, number: u32, limit: u32) -> bool {
        let (start, end) = self.same[number as usize];
        let earlier = &self.earlier[start as usize..end as usize];
        earlier.iter().any(|other| !self.done[*other as usize] && self.spans[*other as usize].0 < limit)
    }

    /// If `value` is still to be found by somebody, and no answered operation can leave it again in time: until when some other one would
    /// have to be asked for, and the classes of those that leave it.
    #[inline]
    pub fn left_by(&self, value: Value) -> Option<(u32, &[u32])> {
        let value = self.values.binary_search(&value).ok()?;
        let (_, until) = self.spans[self.finders.first(value)? as usize];
        match self.leavers.first(value) {
            Some(leaver) if self.spans[leaver as usize].0 < until => None,
            _ => Some((until, &self.classes[value])),
        }
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.spans.capacity() * (size_of::<(u32, u32)>() * 2 + 1)
            + self.earlier.capacity() * size_of::<u32>()
            + self.finders.bytes()
            + self.leavers.bytes()
    }
}

/// Most operations looked at for such that do the same and overlap.
const MOST_ALIKE: usize = 64;

/// Rows of numbers, each number in one row at most, from which numbers are taken and put back in the opposite order (Knuth's dancing links).
#[derive(Clone, Debug, Default)]
struct Rings {
    /// For each number, and then for the beginning of each row.
    previous: Vec<u32>,
    next: Vec<u32>,
    numbers: usize,
}

impl Rings {
    fn new(numbers: usize, rows: &[Vec<u32>]) -> Rings {
        let all = 0..(numbers + rows.len()) as u32;
        let mut rings = Rings { previous: all.clone().collect(), next: all.collect(), numbers };
        for (row, head) in rows.iter().zip(numbers as u32..) {
            let ends = [head].into_iter().chain(row.iter().copied()).chain([head]);
            ends.reduce(|before, after| {
                (rings.next[before as usize], rings.previous[after as usize]) = (after, before);
                after
            });
        }
        rings
    }

    fn first(&self, row: usize) -> Option<u32> {
        let first = self.next[self.numbers + row];
        ((first as usize) < self.numbers).then_some(first)
    }

    #[inline]
    fn remove(&mut self, number: u32) {
        let (previous, next) = (self.previous[number as usize], self.next[number as usize]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
    }

    #[inline]
    fn restore(&mut self, number: u32) {
        let (previous, next) = (self.previous[number as usize], self.next[number as usize]);
        self.next[previous as usize] = number;
        self.previous[next as usize] = number;
    }

    fn bytes(&self) -> usize {
        (self.previous.capacity() + self.next.capacity()) * size_of::<u32>()
    }
}

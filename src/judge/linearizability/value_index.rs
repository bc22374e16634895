//! Value index of the search: the operations not yet linearized, by the value they observe and by the value they install. It detects dead
//! ends as soon as a value is lost, not when an operation fails to observe it.
//!
//! When a value is overwritten that an operation has yet to observe, another operation must install it again in time; where none is left,
//! the configuration has no linearization. And of equivalent operations (the same call), the one with the earliest response can go first.

use super::history::{Call, KeyOperation, Value};
use std::collections::BTreeMap;

/// The operations not yet linearized. Completed operations are known by number, their index in the search; pending ones by class.
#[derive(Clone, Debug, Default)]
pub struct ValueIndex {
    /// All values observed or installed, sorted.
    values: Vec<Value>,
    /// For each value, the operations that observe it, earliest response first.
    observers: DancingLinks,
    /// For each value, the operations that install it, earliest invocation first.
    installers: DancingLinks,
    /// Invocation and response of each operation.
    spans: Vec<(u32, u32)>,
    /// For each value, the classes of pending operations that install it.
    classes: Vec<Vec<u32>>,
    /// For each operation, the range in `equivalents` of those with the same call that overlap it and respond before it.
    ranges: Vec<(u32, u32)>,
    equivalents: Vec<u32>,
    linearized: Vec<bool>,
}

impl ValueIndex {
    /// An index of `completed` operations and of pending ones, given as the call of each class.
    pub fn new(completed: &[KeyOperation], classes: impl Iterator<Item = Call>) -> ValueIndex {
        let span = |operation: &KeyOperation| (operation.invocation, operation.response.unwrap_or(u32::MAX));
        let spans: Vec<(u32, u32)> = completed.iter().map(span).collect();
        let classes: Vec<Call> = classes.collect();
        let calls = completed.iter().map(|operation| operation.call).chain(classes.iter().copied());
        let mut values: Vec<Value> = calls.flat_map(|call| [call.observes(), call.installs()]).flatten().collect();
        values.sort_unstable();
        values.dedup();
        let index = |value: Value| values.binary_search(&value).ok();
        let (mut observers, mut installers) = (vec![Vec::new(); values.len()], vec![Vec::new(); values.len()]);
        let mut by_call: BTreeMap<Call, Vec<u32>> = BTreeMap::new();
        for (number, operation) in (0..).zip(completed) {
            if let Some(value) = operation.call.observes().and_then(index) {
                observers[value].push(number);
            }
            if let Some(value) = operation.call.installs().and_then(index) {
                installers[value].push(number);
            }
            if !operation.call.is_read_only() {
                by_call.entry(operation.call).or_default().push(number);
            }
        }
        observers.iter_mut().for_each(|row| row.sort_unstable_by_key(|number| spans[*number as usize].1));
        installers.iter_mut().for_each(|row| row.sort_unstable_by_key(|number| spans[*number as usize].0));
        let mut by_value = vec![Vec::new(); values.len()];
        for (class, call) in (0..).zip(classes) {
            if let Some(value) = call.installs().and_then(index) {
                by_value[value].push(class);
            }
        }
        let (mut ranges, mut equivalents) = (vec![(0, 0); completed.len()], Vec::new());
        for row in by_call.into_values() {
            for &number in &row {
                let (invocation, response) = spans[number as usize];
                let start = equivalents.len() as u32;
                // Of those invoked before `response`, only the last ones can still have been running at `invocation`.
                let known = row.partition_point(|other| spans[*other as usize].0 < response);
                let candidates = row[..known].iter().rev().take(MAX_EQUIVALENTS);
                equivalents
                    .extend(candidates.filter(|other| (invocation..response).contains(&spans[**other as usize].1)));
                ranges[number as usize] = (start, equivalents.len() as u32);
            }
        }
        let linearized = vec![false; completed.len()];
        let links = |rows: Vec<Vec<u32>>| DancingLinks::new(completed.len(), &rows);
        ValueIndex {
            observers: links(observers),
            installers: links(installers),
            values,
            spans,
            classes: by_value,
            ranges,
            equivalents,
            linearized,
        }
    }

    /// Removes a completed operation, which was linearized.
    #[inline]
    pub fn remove(&mut self, number: u32) {
        self.linearized[number as usize] = true;
        self.observers.remove(number);
        self.installers.remove(number);
    }

    /// Undoes [`Self::remove`]. Operations must be restored in the opposite order.
    #[inline]
    pub fn restore(&mut self, number: u32) {
        self.installers.restore(number);
        self.observers.restore(number);
        self.linearized[number as usize] = false;
    }

    /// Whether an equivalent operation that responds earlier is not yet linearized and was invoked before `limit`.
    #[inline]
    pub fn equivalent_goes_first(&self, number: u32, limit: u32) -> bool {
        let (start, end) = self.ranges[number as usize];
        let equivalents = &self.equivalents[start as usize..end as usize];
        equivalents.iter().any(|other| !self.linearized[*other as usize] && self.spans[*other as usize].0 < limit)
    }

    /// If `value` is still to be observed and no completed operation can install it in time: the position by which a pending operation would
    /// have to be invoked, and the classes of those that install it.
    #[inline]
    pub fn needs_pending_installer(&self, value: Value) -> Option<(u32, &[u32])> {
        let value = self.values.binary_search(&value).ok()?;
        let (_, until) = self.spans[self.observers.first(value)? as usize];
        match self.installers.first(value) {
            Some(installer) if self.spans[installer as usize].0 < until => None,
            _ => Some((until, &self.classes[value])),
        }
    }

    /// Memory, bytes.
    pub fn bytes(&self) -> usize {
        self.spans.capacity() * (size_of::<(u32, u32)>() * 2 + 1)
            + self.equivalents.capacity() * size_of::<u32>()
            + self.observers.bytes()
            + self.installers.bytes()
    }
}

/// Greatest number of equivalent operations examined for overlap with one operation.
const MAX_EQUIVALENTS: usize = 64;

/// Dancing links (Knuth): circular lists of numbers, each number in one list at most, with removal that is undone in the opposite order.
#[derive(Clone, Debug, Default)]
struct DancingLinks {
    /// For each number, and then for the head of each list.
    previous: Vec<u32>,
    next: Vec<u32>,
    numbers: usize,
}

impl DancingLinks {
    fn new(numbers: usize, rows: &[Vec<u32>]) -> DancingLinks {
        let all = 0..(numbers + rows.len()) as u32;
        let mut links = DancingLinks { previous: all.clone().collect(), next: all.collect(), numbers };
        for (row, head) in rows.iter().zip(numbers as u32..) {
            let ends = [head].into_iter().chain(row.iter().copied()).chain([head]);
            ends.reduce(|before, after| {
                (links.next[before as usize], links.previous[after as usize]) = (after, before);
                after
            });
        }
        links
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

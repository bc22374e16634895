//! Counterexample minimization (delta debugging): from a subhistory without linearization to the few operations that show it.
//!
//! First the time span is cut: operations invoked after the first impossible response go, and so does the longest prefix after which there
//! is still no linearization from an unknown state. Then the rest is weakened piece by piece, for as long as there is still no
//! linearization: read-only operations are removed, others become pending. Invariant: each of these steps could only make a linearization
//! possible. So the operations that remain have none, and each response that remains is needed.

use super::history::{Call, KeyOperation, Value};
use super::model::SequentialSpec;
use super::search::{Limits, Progress, SLICE_STEPS, Search, relevant};
use std::collections::BTreeSet;

/// A minimized subhistory without linearization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minimized {
    /// Indices in the history, in the order of the invocations, and whether the operation's response is needed.
    pub operations: Vec<(usize, bool)>,
    /// Whether there is no linearization from the initial state only; otherwise there is none from any state.
    pub from_start: bool,
    /// Whether each of them is known to be needed.
    pub minimal: bool,
}

/// Minimizes the subhistory of one object.
pub struct Minimizer<M: SequentialSpec> {
    initial: M,
    /// What all searches together may still use.
    left: Limits,
    /// Steps that each search may use.
    steps_per_search: u64,
    /// Whether every search was decided.
    decided: bool,
}

/// How an operation is weakened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weakening {
    /// It is removed.
    Removed,
    /// It becomes pending.
    Pending,
}

/// Operations that are weakened together, by index.
type Group = Vec<(usize, Weakening)>;

impl<M: SequentialSpec> Minimizer<M> {
    /// A minimizer for an object that is in the state `initial` at first.
    pub fn new(initial: M, limits: Limits) -> Minimizer<M> {
        Minimizer { initial, left: limits, steps_per_search: limits.steps / 8, decided: true }
    }

    /// Minimizes `operations`, which have no linearization and are sorted by invocation. `last` is the position of the first impossible
    /// response.
    pub fn minimize(mut self, operations: &[KeyOperation], last: u32) -> Minimized {
        let known = operations.iter().filter(|operation| operation.invocation <= last);
        let operations: Vec<KeyOperation> = known.map(|operation| until(*operation, last)).collect();
        let (operations, from_start) = match self.cut_start(&operations) {
            Some(operations) => (operations, false),
            None => (operations, true),
        };
        let start = if from_start { Some(self.initial.clone()) } else { self.initial.unknown_state() };
        let operations = match start {
            Some(start) => self.weaken(relevant(&operations, &start), &start),
            None => operations,
        };
        // Appending to an unknown text is modelled as yielding an unknown text; then more may be kept than needed.
        let exact = from_start || !operations.iter().any(|operation| matches!(operation.call, Call::Append(_)));
        let operations = operations.iter().map(|operation| (operation.index, operation.response.is_some())).collect();
        Minimized { operations, from_start, minimal: self.decided && exact }
    }

    /// Whether there is certainly no linearization. An undecided search counts as `false`.
    fn is_impossible(&mut self, operations: &[KeyOperation], start: &M) -> bool {
        let mut search = Search::new(start.clone(), operations);
        let most = self.steps_per_search.min(self.left.steps);
        let mut found = Progress::Searching;
        while found == Progress::Searching && search.steps < most && search.bytes() <= self.left.bytes {
            found = search.advance(SLICE_STEPS.min(most - search.steps));
        }
        self.left.steps -= search.steps.min(self.left.steps);
        self.decided &= found != Progress::Searching;
        matches!(found, Progress::NotLinearizable(_))
    }

    /// Removes the longest prefix without which there is no linearization from an unknown state either. `None`: there is no such prefix.
    fn cut_start(&mut self, operations: &[KeyOperation]) -> Option<Vec<KeyOperation>> {
        let unknown = self.initial.unknown_state()?;
        let ends = |operation: &KeyOperation| [Some(operation.invocation), operation.response];
        let mut moments: Vec<u32> = operations.iter().flat_map(ends).flatten().collect();
        moments.sort_unstable();
        let mut suffix = |length: usize| {
            let part = since(operations, moments[moments.len() - length], &unknown);
            self.is_impossible(&part, &unknown).then_some(part)
        };
        // The shortest impossible suffix, in moments: doubling, then bisection.
        let mut length = 4.min(moments.len());
        let mut best = loop {
            if length == 0 {
                return None;
            }
            match suffix(length) {
                Some(part) => break part,
                None if length == moments.len() => return None,
                None => length = (length * 2).min(moments.len()),
            }
        };
        let (mut too_few, mut enough) = (if length <= 4 { 0 } else { length / 2 }, length);
        while too_few + 1 < enough {
            let middle = too_few + (enough - too_few) / 2;
            match suffix(middle) {
                Some(part) => (enough, best) = (middle, part),
                None => too_few = middle,
            }
        }
        Some(best)
    }

    /// Weakens operations, in chunks of halving size, until nothing more can be weakened.
    fn weaken(&mut self, mut operations: Vec<KeyOperation>, start: &M) -> Vec<KeyOperation> {
        loop {
            let before = operations.clone();
            let mut size = groups(&operations).len();
            while size > 0 {
                let mut at = 0;
                loop {
                    let groups = groups(&operations);
                    if at >= groups.len() || self.left.steps == 0 {
                        break;
                    }
                    let chunk: Vec<&Group> = groups.iter().skip(at).take(size).collect();
                    let weaker = relevant(&weakened(&operations, &chunk), start);
                    if self.is_impossible(&weaker, start) {
                        operations = weaker;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
            if operations == before || self.left.steps == 0 {
                return operations;
            }
        }
    }
}

/// The operation as known at the position `last`.
fn until(operation: KeyOperation, last: u32) -> KeyOperation {
    KeyOperation { response: operation.response.filter(|response| *response <= last), ..operation }
}

/// The operations that respond at the position `first` or later, or never. Those invoked before may have taken effect before, so they become
/// pending.
fn since<M: SequentialSpec>(operations: &[KeyOperation], first: u32, start: &M) -> Vec<KeyOperation> {
    let later = operations.iter().filter(|operation| operation.response.is_none_or(|response| response >= first));
    let pending = |operation: &KeyOperation| KeyOperation {
        response: operation.response.filter(|_| operation.invocation >= first),
        ..*operation
    };
    let operations: Vec<KeyOperation> = later.map(pending).collect();
    relevant(&operations, start)
}

/// What can be weakened together. All operations on an item of a queue can be removed: the other items' behaviour does not depend on it.
fn groups(operations: &[KeyOperation]) -> Vec<Group> {
    let item = |call| match call {
        Call::Enqueue(value) | Call::Dequeue(Some(value)) if value != Value::NOTHING => Some(value),
        _ => None,
    };
    let items: BTreeSet<Value> = operations.iter().filter_map(|operation| item(operation.call)).collect();
    let of_item = |value| {
        let about = operations.iter().enumerate().filter(|(_, operation)| item(operation.call) == Some(value));
        about.map(|(at, _)| (at, Weakening::Removed)).collect()
    };
    let single = |(at, operation): (usize, &KeyOperation)| match operation.response {
        _ if operation.call.is_read_only() => Some(vec![(at, Weakening::Removed)]),
        Some(_) => Some(vec![(at, Weakening::Pending)]),
        None => None,
    };
    items.into_iter().map(of_item).chain(operations.iter().enumerate().filter_map(single)).collect()
}

fn weakened(operations: &[KeyOperation], groups: &[&Group]) -> Vec<KeyOperation> {
    let mut weaker: Vec<Option<KeyOperation>> = operations.iter().copied().map(Some).collect();
    for &(at, how) in groups.iter().flat_map(|group| group.iter()) {
        match (how, &mut weaker[at]) {
            (Weakening::Removed, place) => *place = None,
            (Weakening::Pending, Some(operation)) => operation.response = None,
            (Weakening::Pending, None) => {}
        }
    }
    weaker.into_iter().flatten().collect()
}

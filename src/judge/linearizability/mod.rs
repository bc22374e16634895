//! Linearizability checker: whether the operations of a history can be ordered such that each takes effect at one point between its
//! invocation and its response, and the result is a legal sequential history (Herlihy and Wing, ACM TOPLAS 12(3), 1990).
//!
//! Linearizability is local (their theorem 1), so every key is checked by itself, by the cheapest algorithm that applies:
//!
//! * registers to which no value is written twice: the [zones] of Gibbons and Korach, O(n log n);
//! * queues into which no item is put twice: the [four patterns](queue_patterns) of Henzinger, Sezgin and Vafeiadis, O(n log n);
//! * everything else: the [search] of Wing and Gong with Lowe's memoisation, exponential in the worst case, since the problem is
//!   NP-complete (Gibbons and Korach). Its [`Limits`] allow a third verdict, undecided.
//!
//! The searches of several keys run in time slices, so that one hard key neither delays the others nor uses up all memory before an easy
//! contradiction elsewhere is found.
//!
//! [`History`] is the input, [`Model`] the sequential specification, [`judge`] the entry point. A violation comes with a
//! [`Counterexample`], minimized by delta debugging. Histories in Jepsen's text format are read and written by `lab::history`.

mod client_history;
pub mod counterexample;
pub mod history;
mod memo;
mod minimize;
pub mod model;
mod queue_patterns;
mod search;
mod value_index;
mod zones;

pub use counterexample::{Counterexample, CounterexampleOperation};
pub use history::{Call, History, HistoryError, Operation, Recorder, Value};
pub use model::Model;
pub use search::{Limit, Limits};

use history::KeyOperation;
use minimize::{Minimized, Minimizer};
use model::{FencedLock, Queue, Register, SequentialSpec, TextRegister};
use search::{Progress, SLICE_STEPS, Search};
use std::collections::BTreeMap;
use zones::Decision;

/// The verdict on a history, with statistics of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Keys in the history.
    pub keys: usize,
    /// Keys decided without a search, by zones or queue patterns.
    pub without_search: usize,
    /// Steps of the searches, without those that minimized the counterexample.
    pub steps: u64,
}

/// Whether a history is linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Linearizable,
    /// It is not: these operations of one key have no linearization.
    Violated(Counterexample),
    /// Not known within the limits.
    Undecided {
        /// Numbers of the keys that are not decided.
        keys: Vec<u32>,
        /// The limit that was reached.
        why: Limit,
    },
}

/// Decides whether `history` is linearizable with respect to `model`, within `limits`.
pub fn judge(history: &History, model: Model, limits: Limits) -> Judgement {
    let mut keys: BTreeMap<u32, Vec<KeyOperation>> = BTreeMap::new();
    for (index, operation) in history.operations.iter().enumerate() {
        let Operation { key, call, invocation, response, .. } = *operation;
        let response = response.map(|moment| moment.position);
        keys.entry(key).or_default().push(KeyOperation { index, call, invocation: invocation.position, response });
    }
    let appended = history.operations.iter().any(|operation| matches!(operation.call, Call::Append(_)));
    match model {
        Model::Queue => Checker::new(history, Queue::default(), keys, limits).judge(),
        Model::FencedLock => Checker::new(history, FencedLock::default(), keys, limits).judge(),
        _ if appended => Checker::new(history, TextRegister::new(&history.values), keys, limits).judge(),
        _ => Checker::new(history, Register::default(), keys, limits).judge(),
    }
}

/// The check of all keys of one history against one sequential specification.
struct Checker<'a, M: SequentialSpec> {
    history: &'a History,
    /// The specification in its initial state.
    initial: M,
    /// The subhistory of each key, sorted by invocation.
    keys: BTreeMap<u32, Vec<KeyOperation>>,
    limits: Limits,
}

impl<'a, M: SequentialSpec> Checker<'a, M> {
    fn new(history: &'a History, initial: M, keys: BTreeMap<u32, Vec<KeyOperation>>, limits: Limits) -> Checker<'a, M> {
        Checker { history, initial, keys, limits }
    }

    fn judge(self) -> Judgement {
        let mut judgement =
            Judgement { verdict: Verdict::Linearizable, keys: self.keys.len(), without_search: 0, steps: 0 };
        let mut searching = Vec::new();
        for (key, operations) in &self.keys {
            match zones::check(operations).or_else(|| queue_patterns::check(operations)) {
                Some(Decision::Linearizable) => judgement.without_search += 1,
                Some(Decision::Conflict(conflict)) => {
                    judgement.without_search += 1;
                    judgement.verdict = self.violated(*key, &conflict, u32::MAX);
                    return judgement;
                }
                None => searching.push((*key, None)),
            }
        }
        self.search(searching, judgement)
    }

    /// Runs the searches in time slices that double every round.
    fn search(&self, mut searching: Vec<(u32, Option<Search<M>>)>, mut judgement: Judgement) -> Judgement {
        let mut undecided = Vec::new();
        let mut why = Limit::Steps;
        let mut slice = SLICE_STEPS;
        // Memory of the searches that are suspended.
        let mut suspended_bytes = 0;
        while !searching.is_empty() {
            let mut suspended = Vec::with_capacity(searching.len());
            for (key, search) in searching {
                suspended_bytes -= search.as_ref().map_or(0, Search::bytes);
                let left = self.limits.steps.saturating_sub(judgement.steps);
                if left == 0 {
                    undecided.push(key);
                    continue;
                }
                let mut search = search.unwrap_or_else(|| Search::new(self.initial.clone(), &self.keys[&key]));
                let before = search.steps;
                let progress = search.advance(slice.min(left));
                judgement.steps += search.steps - before;
                match progress {
                    Progress::Linearizable => {}
                    Progress::NotLinearizable(position) => {
                        drop((search, suspended));
                        judgement.verdict = self.violated(key, &self.keys[&key], position);
                        return judgement;
                    }
                    Progress::Searching if suspended_bytes + search.bytes() > self.limits.bytes => {
                        // This search is given up; those of other keys may still find a contradiction.
                        why = Limit::Bytes;
                        undecided.push(key);
                    }
                    Progress::Searching => {
                        suspended_bytes += search.bytes();
                        suspended.push((key, Some(search)));
                    }
                }
            }
            searching = suspended;
            slice = slice.saturating_mul(2);
        }
        if !undecided.is_empty() {
            judgement.verdict = Verdict::Undecided { keys: undecided, why };
        }
        judgement
    }

    fn violated(&self, key: u32, operations: &[KeyOperation], last: u32) -> Verdict {
        let minimizer = Minimizer::new(self.initial.clone(), self.limits);
        let Minimized { operations, from_start, minimal } = minimizer.minimize(operations, last);
        let shown = |(index, needed): (usize, bool)| CounterexampleOperation {
            operation: self.history.operations[index],
            needed,
        };
        let operations = operations.into_iter().map(shown).collect();
        Verdict::Violated(Counterexample { key, operations, from_start, minimal })
    }
}

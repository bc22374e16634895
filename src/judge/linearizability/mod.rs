//! Linearizability: whether a history can be explained by the operations taking effect one at a time, each at some moment between its
//! invocation and its answer (Herlihy and Wing, ACM TOPLAS 12(3), 1990).
//!
//! A history is linearizable if and only if what it says of each object is (their theorem 1), so every key is judged by itself. Registers to
//! which no value is written twice are judged by their [zones], queues into which no item is put twice by [four patterns](fifo); everything
//! else by a [search]. The searches take turns, so that one hard key
//! neither keeps the others waiting nor has used up all memory before an easy contradiction elsewhere is seen. To decide is NP-complete
//! (Gibbons and Korach), so there is a limit, and a third verdict: undecided.
//!
//! [History] is what is judged, [Model] what the operations mean, [judge] does it; a [Window] shows what cannot be, also as a [picture].

mod fifo;
pub mod history;
mod memo;
pub mod model;
mod needs;
pub mod picture;
mod recorded;
mod search;
mod window;
mod zones;

pub use history::{Call, History, Misplaced, Operation, Recorder, Value};
pub use model::Model;

use model::{Fence, Machine, Queue, Register, Text};
use search::{Act, Progress, Search};
use std::collections::BTreeMap;
use window::{Core, Shrinker};
use zones::Found;

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of all searches together: looks at operations. Some ten million a second.
    pub steps: u64,
    /// Bytes of memory for the searches, more or less.
    pub bytes: usize,
}

impl Limits {
    /// Enough for all but the hardest histories: some ten seconds and a gigabyte at most.
    pub const DEFAULT: Limits = Limits { steps: 200_000_000, bytes: 1 << 30 };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}

/// The verdict, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Keys in the history.
    pub keys: usize,
    /// Keys judged without searching, because no value was written or put in twice.
    pub by_zones: usize,
    /// Steps of searching, those for the window left out.
    pub steps: u64,
}

/// Whether a history is linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Linearizable,
    /// It is not, and this shows it.
    Violated(Window),
    /// Not known within the limits: these keys (by number) are not decided.
    Undecided {
        /// Which keys.
        keys: Vec<u32>,
        /// Which limit was met.
        why: Limit,
    },
}

/// A limit that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Of steps.
    Steps,
    /// Of memory.
    Bytes,
}

/// A few operations on one key that have no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The key's number.
    pub key: u32,
    /// The operations, in the order of their invocations.
    pub operations: Vec<ViewModel>,
    /// `false`: there is no order whatever the object held before. `true`: they have none if it began as new.
    pub from_start: bool,
    /// All that is said to be needed is. `false`: not sure, because a limit was met, or because texts were appended to an unknown one.
    pub minimal: bool,
}

/// An operation of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewModel {
    /// The operation.
    pub operation: Operation,
    /// Its answer is needed: without it there would be an order. `false`: there is no order even if this may have taken effect at any time
    /// after its invocation, or never; it is shown because another operation of the window finds what it leaves.
    pub needed: bool,
}

/// Judges a history.
pub fn judge(history: &History, model: Model, limits: Limits) -> Judgement {
    let mut keys: BTreeMap<u32, Vec<Act>> = BTreeMap::new();
    for (index, operation) in history.operations.iter().enumerate() {
        let Operation { key, call, invoked, answered, .. } = *operation;
        let to = answered.map(|moment| moment.position);
        keys.entry(key).or_default().push(Act { index, call, from: invoked.position, to });
    }
    let appended = history.operations.iter().any(|operation| matches!(operation.call, Call::Append(_)));
    match model {
        Model::Queue => Jury::new(history, Queue::default(), keys, limits).judge(),
        Model::FencedLock => Jury::new(history, Fence::default(), keys, limits).judge(),
        _ if appended => Jury::new(history, Text::new(&history.values), keys, limits).judge(),
        _ => Jury::new(history, Register::default(), keys, limits).judge(),
    }
}

/// Judges all keys of one history.
struct Jury<'a, M: Machine> {
    history: &'a History,
    machine: M,
    keys: BTreeMap<u32, Vec<Act>>,
    limits: Limits,
}

/// Steps a search takes before the next one has its turn, at first. Enough for most keys.
const TURN: u64 = 1 << 16;

impl<'a, M: Machine> Jury<'a, M> {
    fn new(history: &'a History, machine: M, keys: BTreeMap<u32, Vec<Act>>, limits: Limits) -> Jury<'a, M> {
        Jury { history, machine, keys, limits }
    }

    fn judge(self) -> Judgement {
        let mut judgement = Judgement { verdict: Verdict::Linearizable, keys: self.keys.len(), by_zones: 0, steps: 0 };
        let mut searching = Vec::new();
        for (key, acts) in &self.keys {
            match zones::judge(acts).or_else(|| fifo::judge(acts)) {
                Some(Found::Order) => judgement.by_zones += 1,
                Some(Found::Conflict(conflict)) => {
                    judgement.by_zones += 1;
                    judgement.verdict = self.violated(*key, &conflict, u32::MAX);
                    return judgement;
                }
                None => searching.push((*key, None)),
            }
        }
        self.search(searching, judgement)
    }

    /// The searches take turns, longer ones every time around.
    fn search(&self, mut searching: Vec<(u32, Option<Search<M>>)>, mut judgement: Judgement) -> Judgement {
        let mut undecided = Vec::new();
        let mut why = Limit::Steps;
        let mut turn = TURN;
        // What the searches that wait for their next turn take.
        let mut waiting_bytes = 0;
        while !searching.is_empty() {
            let mut waiting = Vec::with_capacity(searching.len());
            for (key, search) in searching {
                waiting_bytes -= search.as_ref().map_or(0, Search::bytes);
                let left = self.limits.steps.saturating_sub(judgement.steps);
                if left == 0 {
                    undecided.push(key);
                    continue;
                }
                let mut search = search.unwrap_or_else(|| Search::new(self.machine.clone(), &self.keys[&key]));
                let before = search.steps;
                let progress = search.advance(turn.min(left));
                judgement.steps += search.steps - before;
                match progress {
                    Progress::Found => {}
                    Progress::Impossible(position) => {
                        drop((search, waiting));
                        judgement.verdict = self.violated(key, &self.keys[&key], position);
                        return judgement;
                    }
                    Progress::Searching if waiting_bytes + search.bytes() > self.limits.bytes => {
                        // This one needs too much. Others may still find a contradiction.
                        why = Limit::Bytes;
                        undecided.push(key);
                    }
                    Progress::Searching => {
                        waiting_bytes += search.bytes();
                        waiting.push((key, Some(search)));
                    }
                }
            }
            searching = waiting;
            turn = turn.saturating_mul(2);
        }
        if !undecided.is_empty() {
            judgement.verdict = Verdict::Undecided { keys: undecided, why };
        }
        judgement
    }

    fn violated(&self, key: u32, acts: &[Act], last: u32) -> Verdict {
        let shrinker = Shrinker::new(self.machine.clone(), self.limits);
        let Core { operations, from_start, minimal } = shrinker.shrink(acts, last);
        let view = |(index, needed): (usize, bool)| ViewModel { operation: self.history.operations[index], needed };
        let operations = operations.into_iter().map(view).collect();
        Verdict::Violated(Window { key, operations, from_start, minimal })
    }
}

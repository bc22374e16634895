//! From a history that has no order to the few operations that show it.
//!
//! First the time is cut down: what was asked for after the first impossible answer goes, and so does as much as possible of what was
//! answered before, leaving open what state that left behind. Then what is left is made weaker, piece by piece, for as long as there is
//! still no order: answers of operations that only observe are left out, and changes are taken for ones that may not have happened.
//! Each of these steps could only make an order possible. So the operations that remain really have none, and each answer that remains
//! is needed.

use super::history::{Call, Value};
use super::model::Machine;
use super::search::{Act, Progress, Search, mattering};
use super::{Limits, TURN};
use std::collections::BTreeSet;

/// Operations that have no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Their indices in the history, in the order of their invocations, and whether the answer is needed.
    pub operations: Vec<(usize, bool)>,
    /// Whether they have no order from the object's first state only; otherwise they have none from any state.
    pub from_start: bool,
    /// Whether each of them is surely needed.
    pub minimal: bool,
}

/// Makes histories of one object smaller.
pub struct Shrinker<M: Machine> {
    machine: M,
    /// What all searches together may still take, and each of them.
    left: Limits,
    each: u64,
    /// Whether every search came to an end.
    sure: bool,
}

/// How an operation is weakened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weaker {
    /// It is left out.
    Gone,
    /// It has no answer.
    Open,
}

/// Operations that are weakened together.
type Group = Vec<(usize, Weaker)>;

impl<M: Machine> Shrinker<M> {
    /// Shrinks histories of an object that begins as `machine`.
    pub fn new(machine: M, limits: Limits) -> Shrinker<M> {
        Shrinker { machine, left: limits, each: limits.steps / 8, sure: true }
    }

    /// The smallest part that this finds of `acts`, which have no order and are sorted by `from`. `last` is the first position whose answer is
    /// impossible.
    pub fn shrink(mut self, acts: &[Act], last: u32) -> Core {
        let acts: Vec<Act> = acts.iter().filter(|act| act.from <= last).map(|act| until(*act, last)).collect();
        let (acts, from_start) = match self.cut_start(&acts) {
            Some(acts) => (acts, false),
            None => (acts, true),
        };
        let start = if from_start { Some(self.machine.clone()) } else { self.machine.unknown() };
        let acts = match start {
            Some(start) => self.weaken(mattering(&acts, &start), &start),
            None => acts,
        };
        // To append to something unknown is taken for less than it says; then more may be kept than needed.
        let exact = from_start || !acts.iter().any(|act| matches!(act.call, Call::Append(_)));
        let operations = acts.iter().map(|act| (act.index, act.to.is_some())).collect();
        Core { operations, from_start, minimal: self.sure && exact }
    }

    /// Whether there is surely no order. Not to know counts as no.
    fn has_no_order(&mut self, acts: &[Act], start: &M) -> bool {
        let mut search = Search::new(start.clone(), acts);
        let most = self.each.min(self.left.steps);
        let mut found = Progress::Searching;
        while found == Progress::Searching && search.steps < most && search.bytes() <= self.left.bytes {
            found = search.advance(TURN.min(most - search.steps));
        }
        self.left.steps -= search.steps.min(self.left.steps);
        self.sure &= found != Progress::Searching;
        matches!(found, Progress::Impossible(_))
    }

    /// Leaves out as much of the beginning as possible. `None`: it all matters.
    fn cut_start(&mut self, acts: &[Act]) -> Option<Vec<Act>> {
        let unknown = self.machine.unknown()?;
        let mut moments: Vec<u32> = acts.iter().flat_map(|act| [Some(act.from), act.to]).flatten().collect();
        moments.sort_unstable();
        let mut from = |number: usize| {
            let part = since(acts, moments[moments.len() - number], &unknown);
            self.has_no_order(&part, &unknown).then_some(part)
        };
        // The smallest number of last moments that have no order: first double it, then halve the doubt.
        let mut length = 4.min(moments.len());
        let mut best = loop {
            if length == 0 {
                return None;
            }
            match from(length) {
                Some(part) => break part,
                None if length == moments.len() => return None,
                None => length = (length * 2).min(moments.len()),
            }
        };
        let (mut too_few, mut enough) = (if length <= 4 { 0 } else { length / 2 }, length);
        while too_few + 1 < enough {
            let middle = too_few + (enough - too_few) / 2;
            match from(middle) {
                Some(part) => (enough, best) = (middle, part),
                None => too_few = middle,
            }
        }
        Some(best)
    }

    /// Weakens operations until nothing more can be weakened.
    fn weaken(&mut self, mut acts: Vec<Act>, start: &M) -> Vec<Act> {
        loop {
            let before = acts.clone();
            let mut size = groups(&acts).len();
            while size > 0 {
                let mut at = 0;
                loop {
                    let groups = groups(&acts);
                    if at >= groups.len() || self.left.steps == 0 {
                        break;
                    }
                    let chunk: Vec<&Group> = groups.iter().skip(at).take(size).collect();
                    let weaker = mattering(&weakened(&acts, &chunk), start);
                    if self.has_no_order(&weaker, start) {
                        acts = weaker;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
            if acts == before || self.left.steps == 0 {
                return acts;
            }
        }
    }
}

/// As it was known at the moment `last`.
fn until(act: Act, last: u32) -> Act {
    Act { to: act.to.filter(|to| *to <= last), ..act }
}

/// What is left to be said of operations from the moment `first` on. What had begun before may have taken effect before.
fn since<M: Machine>(acts: &[Act], first: u32, start: &M) -> Vec<Act> {
    let later = acts.iter().filter(|act| act.to.is_none_or(|to| to >= first));
    let acts: Vec<Act> = later.map(|act| Act { to: act.to.filter(|_| act.from >= first), ..*act }).collect();
    mattering(&acts, start)
}

/// What can be weakened together. An item of a queue can be left out with all that is said of it, for the others come and go without it.
fn groups(acts: &[Act]) -> Vec<Group> {
    let item = |call| match call {
        Call::Enqueue(value) | Call::Dequeue(Some(value)) if value != Value::NOTHING => Some(value),
        _ => None,
    };
    let items: BTreeSet<Value> = acts.iter().filter_map(|act| item(act.call)).collect();
    let of_item = |value| {
        let about = acts.iter().enumerate().filter(|(_, act)| item(act.call) == Some(value));
        about.map(|(at, _)| (at, Weaker::Gone)).collect()
    };
    let single = |(at, act): (usize, &Act)| match act.to {
        _ if act.call.only_observes() => Some(vec![(at, Weaker::Gone)]),
        Some(_) => Some(vec![(at, Weaker::Open)]),
        None => None,
    };
    items.into_iter().map(of_item).chain(acts.iter().enumerate().filter_map(single)).collect()
}

fn weakened(acts: &[Act], groups: &[&Group]) -> Vec<Act> {
    let mut weaker: Vec<Option<Act>> = acts.iter().copied().map(Some).collect();
    for &&(at, how) in groups.iter().flat_map(|group| group.iter()).collect::<Vec<_>>().iter() {
        match (how, &mut weaker[at]) {
            (Weaker::Gone, place) => *place = None,
            (Weaker::Open, Some(act)) => act.to = None,
            (Weaker::Open, None) => {}
        }
    }
    weaker.into_iter().flatten().collect()
}

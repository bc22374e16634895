//! Queues into which no item is put twice, in n log n steps: Henzinger, Sezgin and Vafeiadis, "Aspect-Oriented Linearizability Proofs",
//! CONCUR 2013, theorem 1. A complete history has an order if and only if none of these four is in it:
//!
//! * an item is taken that nobody had begun to put in;
//! * an item is taken twice;
//! * x was put in before y, but y was taken before x, or x never;
//! * the queue is found empty, though at every moment meanwhile some item was surely in it.
//!
//! Of operations without an answer, those that put in what nobody took are left out. Those that took something nobody knows of are given
//! the items that must have been taken by somebody, the most urgent ones first; where that does not help, a [search](super::search) must tell.

use super::history::{Call, Value};
use super::search::Act;
use super::zones::{Found, conflict};
use std::collections::BTreeMap;

/// An item, from being put in to being taken.
#[derive(Clone, Copy, Debug)]
struct Item {
    put: Act,
    taken: Option<Act>,
    /// When taking it began; `NEVER` if nobody took it.
    taken_from: u32,
}

const NEVER: u32 = u32::MAX;

impl Item {
    /// When it was surely in.
    fn in_by(&self) -> u32 {
        self.put.to.unwrap_or(NEVER)
    }

    /// When it was surely out.
    fn out_by(&self) -> u32 {
        self.taken.and_then(|taken| taken.to).unwrap_or(NEVER)
    }

    fn acts(&self) -> impl Iterator<Item = Act> {
        [Some(self.put), self.taken].into_iter().flatten()
    }
}

/// Judges a queue that is empty at first. `None`: the method does not apply, or does not tell. `acts` are sorted by `from`.
pub fn judge(acts: &[Act]) -> Option<Found> {
    let mut items: BTreeMap<Value, Item> = BTreeMap::new();
    let (mut takes, mut unknown, mut empty) = (Vec::new(), Vec::new(), Vec::new());
    for &act in acts {
        match (act.call, act.to) {
            (Call::Enqueue(value), _) => {
                let item = Item { put: act, taken: None, taken_from: NEVER };
                if value == Value::NOTHING || items.insert(value, item).is_some() {
                    return None;
                }
            }
            (Call::Dequeue(Some(Value::NOTHING)), Some(_)) => empty.push(act),
            (Call::Dequeue(Some(value)), Some(_)) => takes.push((value, act)),
            (Call::Dequeue(None), None) => unknown.push(act.from),
            (Call::Dequeue(Some(Value::NOTHING)), None) => {}
            _ => return None,
        }
    }
    for (value, act) in takes {
        let Some(item) = items.get_mut(&value) else { return Some(conflict([act])) };
        if let Some(earlier) = item.taken {
            return Some(conflict([item.put, earlier, act]));
        }
        if act.to.is_some_and(|to| to < item.put.from) {
            return Some(conflict([item.put, act]));
        }
        (item.taken, item.taken_from) = (Some(act), act.from);
    }
    let mut items: Vec<Item> =
        items.into_values().filter(|item| item.taken.is_some() || item.put.to.is_some()).collect();
    items.sort_unstable_by_key(|item| item.put.from);
    let found = overtaken(&items).or_else(|| covered(&items, &empty));
    match found {
        None => Some(Found::Order),
        Some(found) if unknown.is_empty() => Some(found),
        Some(_) => {
            give_away(&mut items, &empty, &unknown);
            let still = overtaken(&items).or_else(|| covered(&items, &empty));
            still.is_none().then_some(Found::Order)
        }
    }
}

/// Two items of which the one put in later was taken earlier.
fn overtaken(items: &[Item]) -> Option<Found> {
    let mut by_in: Vec<&Item> = items.iter().collect();
    by_in.sort_unstable_by_key(|item| item.in_by());
    let mut before = by_in.into_iter().peekable();
    // Of the items put in before this one, the one that was taken last.
    let mut last: Option<&Item> = None;
    for item in items {
        while let Some(earlier) = before.next_if(|earlier| earlier.in_by() < item.put.from) {
            last = last.into_iter().chain([earlier]).max_by_key(|item| item.taken_from);
        }
        if let Some(earlier) = last.filter(|earlier| item.out_by() < earlier.taken_from) {
            return Some(conflict(earlier.acts().chain(item.acts())));
        }
    }
    None
}

/// A moment at which the queue is found empty, and the items of which one was surely in it all the while.
fn covered(items: &[Item], empty: &[Act]) -> Option<Found> {
    let mut stays: Vec<&Item> = items.iter().filter(|item| item.in_by() < item.taken_from).collect();
    stays.sort_unstable_by_key(|item| item.in_by());
    for act in empty {
        let to = act.to.unwrap_or(NEVER);
        let mut cover = vec![*act];
        let mut until = act.from;
        let mut at = 0;
        while until < to {
            // Of the items that were in by then, and were not before, the one that stayed longest.
            let known = at + stays[at..].partition_point(|item| item.in_by() < until);
            let Some(longest) = stays[at..known].iter().max_by_key(|item| item.taken_from) else { break };
            if longest.taken_from <= until {
                break;
            }
            (until, at) = (longest.taken_from, known);
            cover.extend(longest.acts());
        }
        if until >= to {
            return Some(conflict(cover));
        }
    }
    None
}

/// Gives items that must have been taken to those who took nobody knows what.
fn give_away(items: &mut [Item], empty: &[Act], unknown: &[u32]) {
    // For each moment, until when all that was in by then must have been taken: items put in later were, or the queue was found empty.
    let later = items.iter().map(|item| (item.put.from, item.out_by()));
    let mut limits: Vec<(u32, u32)> =
        later.chain(empty.iter().map(|act| (act.from, act.to.unwrap_or(NEVER)))).collect();
    limits.sort_unstable();
    let mut least = NEVER;
    for limit in limits.iter_mut().rev() {
        least = least.min(limit.1);
        limit.1 = least;
    }
    let due = |item: &Item| {
        let after = limits.partition_point(|(from, _)| *from < item.in_by());
        limits.get(after).map_or(NEVER, |(_, limit)| *limit)
    };
    let mut missing: Vec<(u32, usize)> =
        items.iter().enumerate().filter(|(_, item)| item.taken.is_none()).map(|(at, item)| (due(item), at)).collect();
    missing.sort_unstable();
    let mut takers = unknown.to_vec();
    takers.sort_unstable();
    for ((_, at), from) in missing.into_iter().filter(|(due, _)| *due < NEVER).zip(takers) {
        items[at].taken_from = from;
    }
}

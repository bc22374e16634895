//! Henzinger–Sezgin–Vafeiadis patterns: linearizability of FIFO queues into which no item is put twice, in O(n log n)
//! ("Aspect-Oriented Linearizability Proofs", CONCUR 2013, theorem 1). A complete history is linearizable if and only if it has none of
//! these four patterns:
//!
//! * an item is dequeued whose enqueue had not been invoked;
//! * an item is dequeued twice;
//! * x was enqueued before y, but y was dequeued before x, or x never was;
//! * a dequeue finds the queue empty, though at every moment of it some item was certainly in the queue.
//!
//! Pending enqueues whose item nobody dequeued are left out. Pending dequeues are assigned the items that must have been dequeued by
//! somebody, those with the earliest deadline first; if a pattern remains then, only a [search](super::search) can decide.

use super::history::{Call, KeyOperation, Value};
use super::zones::{Decision, conflict};
use std::collections::BTreeMap;

/// An item, with its enqueue and dequeue.
#[derive(Clone, Copy, Debug)]
struct Item {
    enqueue: KeyOperation,
    dequeue: Option<KeyOperation>,
    /// Invocation of the dequeue; [`NEVER`] if there is none.
    dequeue_invocation: u32,
}

/// A position after the end of every history.
const NEVER: u32 = u32::MAX;

impl Item {
    /// Position from which the item is certainly in the queue, unless it was dequeued.
    fn enqueued_by(&self) -> u32 {
        self.enqueue.response.unwrap_or(NEVER)
    }

    /// Position from which the item is certainly out of the queue.
    fn dequeued_by(&self) -> u32 {
        self.dequeue.and_then(|dequeue| dequeue.response).unwrap_or(NEVER)
    }

    fn operations(&self) -> impl Iterator<Item = KeyOperation> {
        [Some(self.enqueue), self.dequeue].into_iter().flatten()
    }
}

/// Checks a queue that is empty at first. `None`: the method does not apply, or does not decide. `operations` are sorted by invocation.
pub fn check(operations: &[KeyOperation]) -> Option<Decision> {
    let mut items: BTreeMap<Value, Item> = BTreeMap::new();
    let (mut dequeues, mut pending, mut empty) = (Vec::new(), Vec::new(), Vec::new());
    for &operation in operations {
        match (operation.call, operation.response) {
            (Call::Enqueue(value), _) => {
                let item = Item { enqueue: operation, dequeue: None, dequeue_invocation: NEVER };
                if value == Value::NOTHING || items.insert(value, item).is_some() {
                    return None;
                }
            }
            (Call::Dequeue(Some(Value::NOTHING)), Some(_)) => empty.push(operation),
            (Call::Dequeue(Some(value)), Some(_)) => dequeues.push((value, operation)),
            (Call::Dequeue(None), None) => pending.push(operation.invocation),
            (Call::Dequeue(Some(Value::NOTHING)), None) => {}
            _ => return None,
        }
    }
    for (value, dequeue) in dequeues {
        let Some(item) = items.get_mut(&value) else { return Some(conflict([dequeue])) };
        if let Some(earlier) = item.dequeue {
            return Some(conflict([item.enqueue, earlier, dequeue]));
        }
        if dequeue.response.is_some_and(|response| response < item.enqueue.invocation) {
            return Some(conflict([item.enqueue, dequeue]));
        }
        (item.dequeue, item.dequeue_invocation) = (Some(dequeue), dequeue.invocation);
    }
    let mut items: Vec<Item> =
        items.into_values().filter(|item| item.dequeue.is_some() || item.enqueue.response.is_some()).collect();
    items.sort_unstable_by_key(|item| item.enqueue.invocation);
    let found = overtaken(&items).or_else(|| covered(&items, &empty));
    match found {
        None => Some(Decision::Linearizable),
        Some(found) if pending.is_empty() => Some(found),
        Some(_) => {
            assign_pending_dequeues(&mut items, &empty, &pending);
            let still = overtaken(&items).or_else(|| covered(&items, &empty));
            still.is_none().then_some(Decision::Linearizable)
        }
    }
}

/// The third pattern: two items of which the one enqueued later was dequeued earlier.
fn overtaken(items: &[Item]) -> Option<Decision> {
    let mut by_enqueued: Vec<&Item> = items.iter().collect();
    by_enqueued.sort_unstable_by_key(|item| item.enqueued_by());
    let mut before = by_enqueued.into_iter().peekable();
    // Of the items enqueued before the present one, the one dequeued last.
    let mut last: Option<&Item> = None;
    for item in items {
        while let Some(earlier) = before.next_if(|earlier| earlier.enqueued_by() < item.enqueue.invocation) {
            last = last.into_iter().chain([earlier]).max_by_key(|item| item.dequeue_invocation);
        }
        if let Some(earlier) = last.filter(|earlier| item.dequeued_by() < earlier.dequeue_invocation) {
            return Some(conflict(earlier.operations().chain(item.operations())));
        }
    }
    None
}

/// The fourth pattern: a dequeue that finds the queue empty, covered by intervals in which items were certainly in the queue.
fn covered(items: &[Item], empty: &[KeyOperation]) -> Option<Decision> {
    let mut stays: Vec<&Item> = items.iter().filter(|item| item.enqueued_by() < item.dequeue_invocation).collect();
    stays.sort_unstable_by_key(|item| item.enqueued_by());
    for dequeue in empty {
        let end = dequeue.response.unwrap_or(NEVER);
        let mut cover = vec![*dequeue];
        let mut covered_until = dequeue.invocation;
        let mut at = 0;
        while covered_until < end {
            // Of the items that came in by then and were not looked at before, the one that stayed longest.
            let known = at + stays[at..].partition_point(|item| item.enqueued_by() < covered_until);
            let Some(longest) = stays[at..known].iter().max_by_key(|item| item.dequeue_invocation) else { break };
            if longest.dequeue_invocation <= covered_until {
                break;
            }
            (covered_until, at) = (longest.dequeue_invocation, known);
            cover.extend(longest.operations());
        }
        if covered_until >= end {
            return Some(conflict(cover));
        }
    }
    None
}

/// Assigns items that must have been dequeued to pending dequeues, given by their invocations.
fn assign_pending_dequeues(items: &mut [Item], empty: &[KeyOperation], pending: &[u32]) {
    // For each position, until when everything enqueued by then must be dequeued: because an item enqueued later was, or because the queue
    // was found empty.
    let later = items.iter().map(|item| (item.enqueue.invocation, item.dequeued_by()));
    let found_empty = empty.iter().map(|dequeue| (dequeue.invocation, dequeue.response.unwrap_or(NEVER)));
    let mut deadlines: Vec<(u32, u32)> = later.chain(found_empty).collect();
    deadlines.sort_unstable();
    let mut least = NEVER;
    for deadline in deadlines.iter_mut().rev() {
        least = least.min(deadline.1);
        deadline.1 = least;
    }
    let due = |item: &Item| {
        let after = deadlines.partition_point(|(from, _)| *from < item.enqueued_by());
        deadlines.get(after).map_or(NEVER, |(_, deadline)| *deadline)
    };
    let mut missing: Vec<(u32, usize)> =
        items.iter().enumerate().filter(|(_, item)| item.dequeue.is_none()).map(|(at, item)| (due(item), at)).collect();
    missing.sort_unstable();
    let mut pending = pending.to_vec();
    pending.sort_unstable();
    for ((_, at), invocation) in missing.into_iter().filter(|(due, _)| *due < NEVER).zip(pending) {
        items[at].dequeue_invocation = invocation;
    }
}

//! A queue with at-least-once delivery: a consumer takes an item under a lease (a visibility timeout), and acknowledges it when it is done. An item
//! whose lease expires before that, because its consumer has crashed or is slow, is delivered again.

use crate::core::Outcome;
use serde::Serialize;
use std::collections::VecDeque;

/// A queue, first in, first out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Queue {
    /// Items to be delivered, by number.
    waiting: VecDeque<Item>,
    /// Items delivered and not acknowledged.
    borrowed: Vec<Borrowed>,
    /// Items ever enqueued.
    items: u32,
    /// Deliveries ever made, repeated ones included.
    tickets: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
struct Item {
    /// Its place among all items of this queue.
    number: u32,
    item: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
struct Borrowed {
    item: Item,
    ticket: u32,
    /// ms.
    until: u32,
}

impl Queue {
    /// Appends an item.
    pub fn enqueue(&mut self, item: u32) -> Outcome {
        self.items += 1;
        self.waiting.push_back(Item { number: self.items, item });
        Outcome::Done
    }

    /// Delivers the first item, under a lease. `now` in ms.
    pub fn take(&mut self, now: u32, lease: u32) -> Outcome {
        self.return_expired(now);
        let Some(item) = self.waiting.pop_front() else { return Outcome::Value(None) };
        self.tickets += 1;
        self.borrowed.push(Borrowed { item, ticket: self.tickets, until: now.saturating_add(lease) });
        Outcome::Took { ticket: self.tickets, item: item.item }
    }

    /// Returns items whose lease has expired to their places in the queue.
    fn return_expired(&mut self, now: u32) {
        let waiting = &mut self.waiting;
        self.borrowed.retain(|borrowed| {
            let expired = borrowed.until <= now;
            if expired {
                let place = waiting.partition_point(|item| item.number < borrowed.item.number);
                waiting.insert(place, borrowed.item);
            }
            !expired
        });
    }

    /// Acknowledges a delivery: the item leaves for good. Refused if the lease has expired and the item was returned.
    pub fn ack(&mut self, ticket: u32) -> Outcome {
        match self.borrowed.iter().position(|borrowed| borrowed.ticket == ticket) {
            Some(place) => {
                self.borrowed.remove(place);
                Outcome::Done
            }
            None => Outcome::Refused,
        }
    }

    /// All items not acknowledged, delivered or not.
    pub fn values(&self) -> impl Iterator<Item = u32> {
        self.waiting.iter().chain(self.borrowed.iter().map(|borrowed| &borrowed.item)).map(|item| item.item)
    }

    /// How many items are not acknowledged.
    pub fn len(&self) -> u32 {
        (self.waiting.len() + self.borrowed.len()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unacknowledged_item_returns_to_its_place() {
        let mut queue = Queue::default();
        (1..=3).for_each(|item| assert_eq!(queue.enqueue(item * 10), Outcome::Done));
        assert_eq!(queue.take(0, 100), Outcome::Took { ticket: 1, item: 10 });
        assert_eq!(queue.take(50, 100), Outcome::Took { ticket: 2, item: 20 });
        assert_eq!(queue.ack(2), Outcome::Done);
        assert_eq!(queue.take(100, 100), Outcome::Took { ticket: 3, item: 10 }, "10 was returned");
        assert_eq!(queue.ack(1), Outcome::Refused, "the first to take it is too late");
        assert_eq!(queue.ack(3), Outcome::Done);
        assert_eq!(queue.take(101, 100), Outcome::Took { ticket: 4, item: 30 });
        assert_eq!((queue.take(101, 100), queue.len()), (Outcome::Value(None), 1));
    }

    #[test]
    fn two_returned_items_keep_their_order() {
        let mut queue = Queue::default();
        (1..=3).for_each(|item| assert_eq!(queue.enqueue(item), Outcome::Done));
        queue.take(0, 20);
        queue.take(0, 10);
        assert_eq!(queue.take(15, 100), Outcome::Took { ticket: 3, item: 2 });
        assert_eq!(queue.take(25, 100), Outcome::Took { ticket: 4, item: 1 });
        assert_eq!(queue.take(25, 100), Outcome::Took { ticket: 5, item: 3 });
    }
}

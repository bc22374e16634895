//! A queue whose items are borrowed, not popped: an item leaves for good only when it is said to be done with. If that does not come
//! in time, because whoever took it has crashed, the next one gets it. So every item is delivered at least once.

use crate::core::Outcome;
use serde::Serialize;
use std::collections::VecDeque;

/// A queue, first in, first out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Queue {
    waiting: VecDeque<Item>,
    borrowed: Vec<Borrowed>,
    /// Items ever put in.
    items: u32,
    /// Items ever borrowed, again and again.
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
    /// Puts an item at the end.
    pub fn enqueue(&mut self, item: u32) -> Outcome {
        self.items += 1;
        self.waiting.push_back(Item { number: self.items, item });
        Outcome::Done
    }

    /// Lends the first item. `now` in ms.
    pub fn take(&mut self, now: u32, lease: u32) -> Outcome {
        self.call_back(now);
        let Some(item) = self.waiting.pop_front() else { return Outcome::Value(None) };
        self.tickets += 1;
        self.borrowed.push(Borrowed { item, ticket: self.tickets, until: now.saturating_add(lease) });
        Outcome::Took { ticket: self.tickets, item: item.item }
    }

    /// Puts items whose time is up back to where they were.
    fn call_back(&mut self, now: u32) {
        let waiting = &mut self.waiting;
        self.borrowed.retain(|borrowed| {
            let over = borrowed.until <= now;
            if over {
                let place = waiting.partition_point(|item| item.number < borrowed.item.number);
                waiting.insert(place, borrowed.item);
            }
            !over
        });
    }

    /// Lets a borrowed item go for good. Refused if it was called back meanwhile: then somebody else has it, or will.
    pub fn ack(&mut self, ticket: u32) -> Outcome {
        match self.borrowed.iter().position(|borrowed| borrowed.ticket == ticket) {
            Some(place) => {
                self.borrowed.remove(place);
                Outcome::Done
            }
            None => Outcome::Refused,
        }
    }

    /// The items in it, borrowed ones included.
    pub fn values(&self) -> impl Iterator<Item = u32> {
        self.waiting.iter().chain(self.borrowed.iter().map(|borrowed| &borrowed.item)).map(|item| item.item)
    }

    /// Items that are not done with.
    pub fn len(&self) -> u32 {
        (self.waiting.len() + self.borrowed.len()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_done_with_in_time_comes_again_in_its_place() {
        let mut queue = Queue::default();
        (1..=3).for_each(|item| assert_eq!(queue.enqueue(item * 10), Outcome::Done));
        assert_eq!(queue.take(0, 100), Outcome::Took { ticket: 1, item: 10 });
        assert_eq!(queue.take(50, 100), Outcome::Took { ticket: 2, item: 20 });
        assert_eq!(queue.ack(2), Outcome::Done);
        assert_eq!(queue.take(100, 100), Outcome::Took { ticket: 3, item: 10 }, "10 was called back");
        assert_eq!(queue.ack(1), Outcome::Refused, "the first to take it is too late");
        assert_eq!(queue.ack(3), Outcome::Done);
        assert_eq!(queue.take(101, 100), Outcome::Took { ticket: 4, item: 30 });
        assert_eq!((queue.take(101, 100), queue.len()), (Outcome::Value(None), 1));
    }

    #[test]
    fn two_called_back_keep_their_order() {
        let mut queue = Queue::default();
        (1..=3).for_each(|item| assert_eq!(queue.enqueue(item), Outcome::Done));
        queue.take(0, 20);
        queue.take(0, 10);
        assert_eq!(queue.take(15, 100), Outcome::Took { ticket: 3, item: 2 });
        assert_eq!(queue.take(25, 100), Outcome::Took { ticket: 4, item: 1 });
        assert_eq!(queue.take(25, 100), Outcome::Took { ticket: 5, item: 3 });
    }
}

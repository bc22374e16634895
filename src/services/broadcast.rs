//! Atomic broadcast: all subscribers of a topic deliver the same messages in the same order, which is that of the log. (Atomic broadcast and
//! consensus are equivalent: Chandra and Toueg, Journal of the ACM 43(2), 1996.)

use crate::core::{Log, Outcome};
use serde::Serialize;

/// A topic: its messages in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Topic {
    messages: Log<u32>,
}

impl Topic {
    /// Appends a message.
    pub fn publish(&mut self, message: u32) -> Outcome {
        Outcome::Placed { position: self.messages.push(message) }
    }

    /// The message after the `after`-th.
    pub fn deliver(&self, after: u32) -> Outcome {
        match self.messages.get(after.saturating_add(1)) {
            Some(message) => Outcome::Value(Some(*message)),
            None => Outcome::NotYet,
        }
    }

    /// All of them, in order.
    pub fn values(&self) -> impl Iterator<Item = u32> {
        self.messages.iter().map(|(_, message)| *message)
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.messages.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_delivered_in_the_order_of_their_positions() {
        let mut topic = Topic::default();
        assert_eq!(topic.deliver(0), Outcome::NotYet);
        assert_eq!(topic.publish(7), Outcome::Placed { position: 1 });
        assert_eq!(topic.publish(9), Outcome::Placed { position: 2 });
        assert_eq!(
            [0, 1, 2].map(|after| topic.deliver(after)),
            [Outcome::Value(Some(7)), Outcome::Value(Some(9)), Outcome::NotYet]
        );
        assert_eq!(topic.deliver(u32::MAX), Outcome::NotYet);
    }
}

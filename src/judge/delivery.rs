//! Delivery checker of the [queue service](crate::services::queue), whose items are taken under a lease (visibility timeout) and acknowledged:
//! FIFO order, redelivery only after the lease may have expired, and no redelivery after an acknowledgement, as its clients saw it.
//!
//! Tickets number the deliveries in the order of the log, so no search is needed. When a lease expired is not recorded: that depends on the
//! state machine's time, the latest time that any command carried. But this lies between the invocation and the response of a client's
//! command, and both are known. So a violation reported here is one for every possible order of the log.

use crate::core::{ClientId, Micros, Op, Outcome};
use crate::sim::clients::{HistoryEvent, HistoryRecord};
use std::collections::BTreeMap;

/// The property's name.
pub const DELIVERY: &str = "Delivery";
/// The property in a sentence.
pub const SAYS: &str = "Items of a queue are delivered in order, each again only when its lease is over, and never after it was acknowledged.";

/// The operations of queue clients.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    queues: BTreeMap<u16, Queue>,
    /// Completed operations.
    operations: u64,
}

/// One queue.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// Puts by item. No item is put twice.
    puts: BTreeMap<u32, Span>,
    /// Deliveries by ticket.
    deliveries: BTreeMap<u32, Delivery>,
    /// Takes that found the queue empty.
    empty: Vec<Span>,
    /// Pending takes: time of the invocation, and the earliest time at which the lease may expire, µs.
    pending: Vec<(Micros, Micros)>,
    /// Time of a response with a ticket that was given before, µs.
    duplicate_ticket: Option<Micros>,
}

/// From an invocation to its response, µs. Invariant: `response` is `Micros::MAX` for a pending operation.
#[derive(Clone, Copy, Debug)]
struct Span {
    invocation: Micros,
    response: Micros,
}

/// An item handed to a client.
#[derive(Clone, Debug)]
struct Delivery {
    item: u32,
    span: Span,
    /// Length of the lease, µs.
    lease: Micros,
    /// The last acknowledgement of it, and its outcome.
    acknowledgement: Option<(Span, AckOutcome)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AckOutcome {
    Done,
    Refused,
    Unknown,
}

impl Delivery {
    /// The earliest time at which its lease may expire, µs.
    fn earliest_expiry(&self) -> Micros {
        earliest_expiry(self.span.invocation, self.lease)
    }

    /// The time at which its lease has expired for certain, once the state machine knows of that time, µs.
    fn certain_expiry(&self) -> Micros {
        self.span.response.saturating_add(self.lease)
    }

    /// Whether it may have been acknowledged by a time, µs.
    fn may_be_acknowledged(&self, by: Micros) -> bool {
        self.acknowledgement.is_some_and(|(span, outcome)| outcome != AckOutcome::Refused && span.invocation <= by)
    }
}

/// Milliseconds as µs.
fn micros(time: u32) -> Micros {
    1_000 * Micros::from(time)
}

/// Rounded down to milliseconds, the unit of the time that commands carry.
fn whole_millis(time: Micros) -> Micros {
    time / 1_000 * 1_000
}

/// The earliest time at which a lease may expire that was asked for at a time, µs.
fn earliest_expiry(invocation: Micros, lease: Micros) -> Micros {
    whole_millis(invocation) + lease
}

impl Deliveries {
    /// The operations in client records. `None` unless all are operations on queues, and there is one.
    pub fn of<'a>(recorded: impl IntoIterator<Item = &'a HistoryRecord>) -> Option<Deliveries> {
        let mut deliveries = Deliveries::default();
        let mut waiting: BTreeMap<ClientId, (Micros, Op)> = BTreeMap::new();
        for &HistoryRecord { at, client, event } in recorded {
            match event {
                HistoryEvent::Asked(op @ (Op::Enqueue { .. } | Op::Take { .. } | Op::Ack { .. })) => {
                    waiting.insert(client, (at, op));
                }
                HistoryEvent::Asked(_) => return None,
                HistoryEvent::Told(outcome) => {
                    let (invocation, op) = waiting.remove(&client)?;
                    deliveries.operations += 1;
                    deliveries.add(op, Span { invocation, response: at }, Some(outcome));
                }
            }
        }
        for (invocation, op) in waiting.into_values() {
            deliveries.add(op, Span { invocation, response: Micros::MAX }, None);
        }
        Some(deliveries).filter(|deliveries| !deliveries.queues.is_empty())
    }

    fn add(&mut self, op: Op, span: Span, outcome: Option<Outcome>) {
        match (op, outcome) {
            (Op::Enqueue { queue, item }, _) => drop(self.queue(queue).puts.insert(item, span)),
            (Op::Take { queue, lease, .. }, Some(Outcome::Took { ticket, item })) => {
                let delivery = Delivery { item, span, lease: micros(lease), acknowledgement: None };
                let queue = self.queue(queue);
                if queue.deliveries.insert(ticket, delivery).is_some() {
                    queue.duplicate_ticket = Some(span.response);
                }
            }
            (Op::Take { queue, .. }, Some(_)) => self.queue(queue).empty.push(span),
            (Op::Take { queue, lease, .. }, None) => {
                self.queue(queue).pending.push((span.invocation, earliest_expiry(span.invocation, micros(lease))));
            }
            (Op::Ack { queue, ticket }, outcome) => {
                let outcome = match outcome {
                    None => AckOutcome::Unknown,
                    Some(Outcome::Done) => AckOutcome::Done,
                    Some(_) => AckOutcome::Refused,
                };
                if let Some(delivery) = self.queue(queue).deliveries.get_mut(&ticket) {
                    delivery.acknowledgement = Some((span, outcome));
                }
            }
            _ => {}
        }
    }

    fn queue(&mut self, queue: u16) -> &mut Queue {
        self.queues.entry(queue).or_default()
    }

    /// Number of completed operations.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Whether an item may have been redelivered. If not, a take is a dequeue and the queue is a plain FIFO queue.
    pub fn may_redeliver(&self) -> bool {
        self.queues.values().any(Queue::may_redeliver)
    }

    /// Time of the first response that violates the property, µs.
    pub fn first_violation(&self) -> Option<Micros> {
        self.queues.values().filter_map(Queue::first_violation).min()
    }
}

impl Queue {
    fn may_redeliver(&self) -> bool {
        let done_in_time = |delivery: &&Delivery| match delivery.acknowledgement {
            Some((span, AckOutcome::Done)) => span.response < delivery.earliest_expiry(),
            _ => false,
        };
        let open = self.deliveries.values().filter(|delivery| !done_in_time(delivery)).map(Delivery::earliest_expiry);
        let over =
            open.chain(self.pending.iter().map(|(_, earliest_expiry)| *earliest_expiry)).min().unwrap_or(Micros::MAX);
        self.deliveries.values().any(|delivery| delivery.span.response >= over)
    }

    fn first_violation(&self) -> Option<Micros> {
        let violations = [
            self.duplicate_ticket,
            self.out_of_real_time_order(),
            self.lease_violation(),
            self.out_of_order(),
            self.falsely_empty(),
        ];
        violations.into_iter().flatten().min()
    }

    /// Tickets against real time: a larger one in a response before the invocation for a smaller one; or an item that was not yet put.
    fn out_of_real_time_order(&self) -> Option<Micros> {
        let mut latest = 0;
        self.deliveries.values().find_map(|delivery| {
            let never = self.puts.get(&delivery.item).is_none_or(|put| put.invocation > delivery.span.response);
            let out_of_order = delivery.span.response < latest;
            latest = latest.max(delivery.span.invocation);
            (never || out_of_order).then_some(delivery.span.response)
        })
    }

    /// Redelivery before the lease may have expired or after an acknowledgement; or an acknowledgement refused before it may have expired.
    fn lease_violation(&self) -> Option<Micros> {
        let mut before: BTreeMap<u32, &Delivery> = BTreeMap::new();
        let again = self.deliveries.values().find_map(|delivery| {
            let earlier = before.insert(delivery.item, delivery)?;
            let done = matches!(earlier.acknowledgement, Some((_, AckOutcome::Done)));
            (done || delivery.span.response < earlier.earliest_expiry()).then_some(delivery.span.response)
        });
        let refused = self.deliveries.values().find_map(|delivery| match delivery.acknowledgement {
            Some((span, AckOutcome::Refused)) if span.response < delivery.earliest_expiry() => Some(span.response),
            _ => None,
        });
        again.into_iter().chain(refused).min()
    }

    /// Number of items that were certainly available and put before the delivered one, but not delivered before this ticket.
    fn overtaken(&self, ticket: u32, delivery: &Delivery) -> usize {
        let Some(than) = self.puts.get(&delivery.item) else { return 0 };
        let mut last: BTreeMap<u32, &Delivery> = BTreeMap::new();
        last.extend(self.deliveries.range(..ticket).map(|(_, delivery)| (delivery.item, delivery)));
        let is_available = |item: &u32| match last.get(item) {
            None => true,
            Some(out) => {
                out.certain_expiry() <= whole_millis(delivery.span.invocation)
                    && !out.may_be_acknowledged(delivery.span.response)
            }
        };
        let before = self.puts.iter().filter(|(_, put)| put.response < than.invocation);
        before.filter(|(item, _)| is_available(item)).count()
    }

    /// Delivery out of FIFO order.
    fn out_of_order(&self) -> Option<Micros> {
        let mut known = 0;
        self.deliveries.iter().find_map(|(ticket, delivery)| {
            // Pending takes may have got the missing items, but no more than there are missing tickets.
            let pending = self.pending.iter().filter(|(invocation, _)| *invocation < delivery.span.response).count();
            let missing = (*ticket as usize).saturating_sub(1 + known).min(pending);
            known += 1;
            (self.overtaken(*ticket, delivery) > missing).then_some(delivery.span.response)
        })
    }

    /// A take that found the queue empty while an item was certainly available.
    fn falsely_empty(&self) -> Option<Micros> {
        let taken = |item: &u32, by: Micros| {
            self.deliveries.values().any(|delivery| delivery.item == *item && delivery.span.invocation < by)
        };
        let is_certainly_available = |Span { invocation, response }: &Span| {
            let pending = self.pending.iter().filter(|(invocation, _)| invocation < response).count();
            let waiting =
                self.puts.iter().filter(|(item, put)| put.response < *invocation && !taken(item, *response)).count();
            waiting > pending
        };
        self.empty.iter().filter(|span| is_certainly_available(span)).map(|span| span.response).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An item is taken for 5 ms at 10.9 ms, and again, with an answer at this time, µs.
    fn violated(again: Micros) -> bool {
        let take = HistoryEvent::Asked(Op::Take { queue: 0, lease: 5, at: 10 });
        let told = |ticket| HistoryEvent::Told(Outcome::Took { ticket, item: 7 });
        let records = [
            (500, 1, HistoryEvent::Asked(Op::Enqueue { queue: 0, item: 7 })),
            (1_000, 1, HistoryEvent::Told(Outcome::Done)),
            (10_900, 2, take),
            (11_500, 2, told(1)),
            (12_000, 3, take),
            (again, 3, told(2)),
        ];
        let records = records.map(|(at, client, event)| HistoryRecord { at, client: ClientId(client), event });
        Deliveries::of(&records).expect("a queue").first_violation().is_some()
    }

    #[test]
    fn lease_of_an_item_is_over_no_earlier_than_commands_can_tell_time() {
        assert!(violated(14_999), "in whole milliseconds it was taken at 10 ms");
        assert!(!violated(15_000));
    }
}

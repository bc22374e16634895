//! Whether a queue whose items are [borrowed](crate::services::queue) did what it promises, as its clients saw it: items come in the order
//! in which they were put in; one comes again only when its lease may be over; and none comes again that was done with.
//!
//! Tickets tell in which order the log lent items, so that nothing needs to be searched for. What is not told is when a lease ended: that
//! is for the machine's time, which is the latest that any command told. But that lies between the time at which a client asked and the
//! time at which it was told, both of which are known. So what is refused here is wrong however the log was ordered.

use crate::core::{ClientId, Micros, Op, Outcome};
use crate::sim::clients::{HistoryEvent, HistoryRecord};
use std::collections::BTreeMap;

/// The property's name.
pub const DELIVERY: &str = "Delivery";
/// What it says.
pub const SAYS: &str =
    "Items of a queue are handed out in order, each again only when its lease is over, and never once it is done with.";

/// What clients of queues saw.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    queues: BTreeMap<u16, Queue>,
    /// How many questions were answered.
    operations: u64,
}

/// One queue.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// By item, which no two have in common.
    put: BTreeMap<u32, Span>,
    /// By ticket.
    lent: BTreeMap<u32, Loan>,
    /// When somebody was told that there was nothing.
    empty: Vec<Span>,
    /// When somebody asked for an item who was never told what came of it, and the earliest time at which the lease of that may be over.
    unknown: Vec<(Micros, Micros)>,
    /// Whose answer told something that cannot be, and when.
    wrong: Option<Micros>,
}

/// From a question to its answer, µs; one that never came came at the end of time.
#[derive(Clone, Copy, Debug)]
struct Span {
    asked: Micros,
    told: Micros,
}

/// An item lent.
#[derive(Clone, Debug)]
struct Loan {
    item: u32,
    span: Span,
    /// For how long, µs.
    lease: Micros,
    /// When it was said to be done with, and whether it then was somebody else's already; by the last who was told.
    returned: Option<(Span, Returned)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returned {
    Done,
    Refused,
    Unknown,
}

impl Loan {
    /// The earliest time at which its lease may be over.
    fn ends(&self) -> Micros {
        ends(self.span.asked, self.lease)
    }

    /// A time at which its lease is over for certain, if the machine has heard of that time.
    fn has_ended(&self) -> Micros {
        self.span.told.saturating_add(self.lease)
    }

    /// Whether it was done with, or may have been, by then.
    fn may_be_done(&self, by: Micros) -> bool {
        self.returned.is_some_and(|(span, how)| how != Returned::Refused && span.asked <= by)
    }
}

/// Milliseconds as µs.
fn micros(time: u32) -> Micros {
    1_000 * Micros::from(time)
}

/// In whole milliseconds, as clients tell the time.
fn whole(time: Micros) -> Micros {
    time / 1_000 * 1_000
}

/// The earliest time at which a lease asked for then may be over.
fn ends(asked: Micros, lease: Micros) -> Micros {
    whole(asked) + lease
}

impl Deliveries {
    /// What clients saw, if they used queues and nothing else.
    pub fn of<'a>(recorded: impl IntoIterator<Item = &'a HistoryRecord>) -> Option<Deliveries> {
        let mut seen = Deliveries::default();
        let mut waiting: BTreeMap<ClientId, (Micros, Op)> = BTreeMap::new();
        for &HistoryRecord { at, client, event } in recorded {
            match event {
                HistoryEvent::Asked(op @ (Op::Enqueue { .. } | Op::Take { .. } | Op::Ack { .. })) => {
                    waiting.insert(client, (at, op));
                }
                HistoryEvent::Asked(_) => return None,
                HistoryEvent::Told(outcome) => {
                    let (asked, op) = waiting.remove(&client)?;
                    seen.operations += 1;
                    seen.take_in(op, Span { asked, told: at }, Some(outcome));
                }
            }
        }
        for (asked, op) in waiting.into_values() {
            seen.take_in(op, Span { asked, told: Micros::MAX }, None);
        }
        Some(seen).filter(|seen| !seen.queues.is_empty())
    }

    fn take_in(&mut self, op: Op, span: Span, outcome: Option<Outcome>) {
        match (op, outcome) {
            (Op::Enqueue { queue, item }, _) => drop(self.queue(queue).put.insert(item, span)),
            (Op::Take { queue, lease, .. }, Some(Outcome::Took { ticket, item })) => {
                let loan = Loan { item, span, lease: micros(lease), returned: None };
                let queue = self.queue(queue);
                if queue.lent.insert(ticket, loan).is_some() {
                    queue.wrong = Some(span.told);
                }
            }
            (Op::Take { queue, .. }, Some(_)) => self.queue(queue).empty.push(span),
            (Op::Take { queue, lease, .. }, None) => {
                self.queue(queue).unknown.push((span.asked, ends(span.asked, micros(lease))));
            }
            (Op::Ack { queue, ticket }, outcome) => {
                let how = match outcome {
                    None => Returned::Unknown,
                    Some(Outcome::Done) => Returned::Done,
                    Some(_) => Returned::Refused,
                };
                if let Some(loan) = self.queue(queue).lent.get_mut(&ticket) {
                    loan.returned = Some((span, how));
                }
            }
            _ => {}
        }
    }

    fn queue(&mut self, queue: u16) -> &mut Queue {
        self.queues.entry(queue).or_default()
    }

    /// How many questions were answered.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Whether an item may have been handed out again. If none was, to borrow is to take out, and the queue is a plain one.
    pub fn may_repeat(&self) -> bool {
        self.queues.values().any(Queue::may_repeat)
    }

    /// When somebody was first told what cannot be, µs.
    pub fn flaw(&self) -> Option<Micros> {
        self.queues.values().filter_map(Queue::flaw).min()
    }
}

impl Queue {
    fn may_repeat(&self) -> bool {
        let done_in_time = |loan: &&Loan| match loan.returned {
            Some((span, Returned::Done)) => span.told < loan.ends(),
            _ => false,
        };
        let open = self.lent.values().filter(|loan| !done_in_time(loan)).map(Loan::ends);
        let over = open.chain(self.unknown.iter().map(|(_, ends)| *ends)).min().unwrap_or(Micros::MAX);
        self.lent.values().any(|loan| loan.span.told >= over)
    }

    fn flaw(&self) -> Option<Micros> {
        let flaws = [self.wrong, self.out_of_time(), self.unjust(), self.out_of_order(), self.empty_too_soon()];
        flaws.into_iter().flatten().min()
    }

    /// Tickets against time: a later one for somebody who had his answer before the other even asked; or an item that nobody has put in.
    fn out_of_time(&self) -> Option<Micros> {
        let mut latest = 0;
        self.lent.values().find_map(|loan| {
            let never = self.put.get(&loan.item).is_none_or(|put| put.asked > loan.span.told);
            let out_of_order = loan.span.told < latest;
            latest = latest.max(loan.span.asked);
            (never || out_of_order).then_some(loan.span.told)
        })
    }

    /// Lent again too soon, or after it was done with; or refused to somebody whose lease was not over.
    fn unjust(&self) -> Option<Micros> {
        let mut before: BTreeMap<u32, &Loan> = BTreeMap::new();
        let again = self.lent.values().find_map(|loan| {
            let earlier = before.insert(loan.item, loan)?;
            let done = matches!(earlier.returned, Some((_, Returned::Done)));
            (done || loan.span.told < earlier.ends()).then_some(loan.span.told)
        });
        let refused = self.lent.values().find_map(|loan| match loan.returned {
            Some((span, Returned::Refused)) if span.told < loan.ends() => Some(span.told),
            _ => None,
        });
        again.into_iter().chain(refused).min()
    }

    /// How many items must have been there and were not lent before this ticket, by all that is known: put in before `than` was, and done
    /// with by nobody.
    fn passed_over(&self, ticket: u32, loan: &Loan) -> usize {
        let Some(than) = self.put.get(&loan.item) else { return 0 };
        let mut last: BTreeMap<u32, &Loan> = BTreeMap::new();
        last.extend(self.lent.range(..ticket).map(|(_, loan)| (loan.item, loan)));
        let left_there = |item: &u32| match last.get(item) {
            None => true,
            Some(out) => out.has_ended() <= whole(loan.span.asked) && !out.may_be_done(loan.span.told),
        };
        let before = self.put.iter().filter(|(_, put)| put.told < than.asked);
        before.filter(|(item, _)| left_there(item)).count()
    }

    /// Lent while others were before it.
    fn out_of_order(&self) -> Option<Micros> {
        let mut known = 0;
        self.lent.iter().find_map(|(ticket, loan)| {
            // Those who were never told may have got what is missing; no more of them than tickets.
            let untold = self.unknown.iter().filter(|(asked, _)| *asked < loan.span.told).count();
            let missing = (*ticket as usize).saturating_sub(1 + known).min(untold);
            known += 1;
            (self.passed_over(*ticket, loan) > missing).then_some(loan.span.told)
        })
    }

    /// Somebody was told that there is nothing, and there was.
    fn empty_too_soon(&self) -> Option<Micros> {
        let taken = |item: &u32, by: Micros| self.lent.values().any(|loan| loan.item == *item && loan.span.asked < by);
        let surely_there = |Span { asked, told }: &Span| {
            let untold = self.unknown.iter().filter(|(asked, _)| asked < told).count();
            let waiting = self.put.iter().filter(|(item, put)| put.told < *asked && !taken(item, *told)).count();
            waiting > untold
        };
        self.empty.iter().filter(|span| surely_there(span)).map(|span| span.told).min()
    }
}

//! Message interception: hold, deliver now, drop or duplicate a single message, in flight or when it is sent.

use super::actions::refuse;
use super::{Flight, World};
use crate::core::{Header, Micros, RuleSet};
use crate::sim::action::{FlightId, Intercept, Refusal, Which};
use crate::sim::queue::event::Event;
use crate::sim::trace::What;

/// A held message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub event: Event,
    /// Remaining flight time, µs.
    pub left: Micros,
}

/// Interception of a message yet to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interceptor {
    pub which: Which,
    /// Number of matching messages that still pass.
    pub skip: u16,
    pub intercept: Intercept,
}

impl Event {
    /// Id of the message whose arrival the event is, if it is one.
    pub(super) fn flight_id(self) -> Option<FlightId> {
        match self {
            Event::Deliver { from, to, message_id, .. } if from != to => Some(FlightId::Message { message_id, to }),
            Event::Request { client_message, .. } | Event::Reply { client_message, .. } => {
                Some(FlightId::ClientMessage(client_message))
            }
            _ => None,
        }
    }

    /// The arrival with another flight time, µs, and no random loss: a message delivered by hand arrives.
    pub(super) fn forced_delivery(self, new_flight: Micros) -> Event {
        let new_flight = u32::try_from(new_flight).unwrap_or(u32::MAX);
        match self {
            Event::Deliver { from, to, message_id, .. } => {
                Event::Deliver { from, to, will_drop: false, flight: new_flight, message_id }
            }
            Event::Request { to, client_message, .. } => {
                Event::Request { to, will_drop: false, flight: new_flight, client_message }
            }
            Event::Reply { from, client_message, .. } => Event::Reply { from, flight: new_flight, client_message },
            other => other,
        }
    }

    /// Flight time, µs; 0 if the event is no arrival.
    pub(super) fn flight(self) -> Micros {
        match self {
            Event::Deliver { flight, .. } | Event::Request { flight, .. } | Event::Reply { flight, .. } => {
                flight.into()
            }
            _ => 0,
        }
    }
}

impl World {
    pub(super) fn can_intercept(&self, id: FlightId, intercept: Intercept) -> Result<(), Refusal> {
        let mut flights = Vec::new();
        self.flights(&mut flights);
        match flights.iter().find(|flight| flight.id == id) {
            None => refuse("this message is not under way any more"),
            Some(Flight { held: true, .. }) if intercept == Intercept::Hold => refuse("it is held already"),
            Some(flight) if flight.sent > self.time => {
                refuse("it has not left yet; it waits for the sender's disk or line")
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn intercept(&mut self, id: FlightId, intercept: Intercept) {
        let now = self.time;
        let held = self.faults().held.iter().position(|held| held.event.flight_id() == Some(id));
        let (event, left) = match held {
            Some(index) => {
                let Held { event, left } = self.faults().held.remove(index);
                (event, left)
            }
            None => match self.take_matching(|_, event| event.flight_id() == Some(id)).first() {
                Some((arrives, event)) => (*event, arrives - now),
                None => return,
            },
        };
        let gone = event.flight().saturating_sub(left);
        match intercept {
            Intercept::Hold => self.faults().held.push(Held { event, left }),
            Intercept::Deliver => self.schedule_through(now, event.forced_delivery(gone)),
            Intercept::Drop => self.lose(event),
            Intercept::Duplicate => {
                let copy = self.copy_of(event);
                match held {
                    Some(index) => {
                        self.faults().held.insert(index, Held { event, left });
                        self.schedule_through(now, copy.forced_delivery(gone));
                    }
                    None => {
                        self.schedule(now + left, event);
                        self.schedule(now + left, copy);
                    }
                }
            }
        }
    }

    /// Delivers all held messages that match, now.
    pub(super) fn release(&mut self, which: Option<Which>) {
        let held = std::mem::take(&mut self.faults().held);
        for Held { event, left } in held {
            if which.is_none_or(|which| self.matches(event, which)) {
                self.schedule_through(self.time, event.forced_delivery(event.flight().saturating_sub(left)));
            } else {
                self.faults().held.push(Held { event, left });
            }
        }
    }

    /// Whether any held message matches.
    pub(super) fn holds_matching(&self, which: Option<Which>) -> bool {
        let held = self.faults.as_ref().map_or(&[][..], |faults| &faults.held);
        held.iter().any(|held| which.is_none_or(|which| self.matches(held.event, which)))
    }

    fn matches(&self, event: Event, which: Which) -> bool {
        let Event::Deliver { from, to, message_id, .. } = event else { return false };
        (from, to, self.outbox.messages.header(message_id).kind) == (which.from, which.to, which.kind)
    }

    /// The arrival of a copy of the message.
    pub(super) fn copy_of(&mut self, event: Event) -> Event {
        match event {
            Event::Deliver { from, to, will_drop, flight, message_id } => {
                match self.replicas.full_mut().copy_message(message_id, &mut self.outbox) {
                    Some(message_id) => Event::Deliver { from, to, will_drop, flight, message_id },
                    None => Event::Cancelled,
                }
            }
            Event::Request { to, will_drop, flight, client_message } => {
                match self.client_messages.look(client_message).copied() {
                    Some(copy) => {
                        Event::Request { to, will_drop, flight, client_message: self.client_messages.put(copy) }
                    }
                    None => Event::Cancelled,
                }
            }
            Event::Reply { from, flight, client_message } => match self.client_messages.look(client_message).copied() {
                Some(copy) => Event::Reply { from, flight, client_message: self.client_messages.put(copy) },
                None => Event::Cancelled,
            },
            _ => Event::Cancelled,
        }
    }

    /// Drops the message of a pending arrival, and records the loss.
    pub(super) fn lose(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, flight, message_id, .. }
            | Event::Handle { from, to, flight, message_id, .. } => {
                self.counts.lost += u64::from(from != to);
                let Header { kind, slot, .. } = self.outbox.messages.header(message_id);
                self.outbox.messages.release(message_id);
                self.record(What::Lost, to, from, kind.0, slot, flight, RuleSet::EMPTY);
            }
            Event::Request { to, flight, client_message, .. } => {
                self.client_messages.take(client_message);
                self.record(What::Lost, to, to, 0, 0, flight, RuleSet::EMPTY);
            }
            Event::Reply { from, flight, client_message } => {
                self.client_messages.take(client_message);
                self.record(What::Lost, from, from, 0, 0, flight, RuleSet::EMPTY);
            }
            _ => {}
        }
    }

    /// Schedules a message that leaves at `leaves`, µs, as a matching interceptor has it.
    pub(super) fn send_through_interceptors(&mut self, which: Which, event: Event, leaves: Micros) {
        let arrives = leaves + event.flight();
        match self.match_interceptor(which) {
            None => self.schedule(arrives, event),
            Some(Intercept::Hold) => self.faults().held.push(Held { event, left: event.flight() }),
            Some(Intercept::Deliver) => self.schedule_through(leaves, event.forced_delivery(0)),
            Some(Intercept::Drop) => self.lose(event),
            Some(Intercept::Duplicate) => {
                let copy = self.copy_of(event);
                self.schedule(arrives, event);
                self.schedule(arrives, copy);
            }
        }
    }

    /// The interception by the first matching interceptor that is due, which is removed; earlier matches are counted.
    fn match_interceptor(&mut self, which: Which) -> Option<Intercept> {
        let interceptors = &mut self.faults.as_mut()?.interceptors;
        let mut matched = None;
        interceptors.retain_mut(|interceptor| {
            if interceptor.which != which || matched.is_some() {
                return true;
            }
            if interceptor.skip > 0 {
                interceptor.skip -= 1;
                return true;
            }
            matched = Some(interceptor.intercept);
            false
        });
        matched
    }
}

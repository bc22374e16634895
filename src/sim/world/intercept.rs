//! Single messages: held, delivered at once, dropped, duplicated.

use super::actions::refuse;
use super::{Flight, World};
use crate::core::{Header, Micros, RuleSet};
use crate::sim::action::{FlightId, Intercept, Refusal, Which};
use crate::sim::queue::event::Event;
use crate::sim::trace::What;

/// A message that stays where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub event: Event,
    /// How much of its way was left, µs.
    pub left: Micros,
}

/// Waits for one message to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interceptor {
    pub which: Which,
    /// How many more such messages pass before it.
    pub skip: u16,
    pub intercept: Intercept,
}

impl Event {
    /// The message that arrives, if one does.
    pub(super) fn flight_id(self) -> Option<FlightId> {
        match self {
            Event::Deliver { from, to, message_id, .. } if from != to => Some(FlightId::Message { message_id, to }),
            Event::Request { client_message, .. } | Event::Reply { client_message, .. } => {
                Some(FlightId::ClientMessage(client_message))
            }
            _ => None,
        }
    }

    /// The same with another duration of its flight; sure to arrive, for what is delivered by hand is not lost by chance.
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

    /// How long it was to fly, µs.
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
            None => match self.take_out(|_, event| event.flight_id() == Some(id)).first() {
                Some((arrives, event)) => (*event, arrives - now),
                None => return,
            },
        };
        let gone = event.flight().saturating_sub(left);
        match intercept {
            Intercept::Hold => self.faults().held.push(Held { event, left }),
            Intercept::Deliver => self.schedule(now, event.forced_delivery(gone)),
            Intercept::Drop => self.lose(event),
            Intercept::Duplicate => {
                let copy = self.copy_of(event);
                match held {
                    Some(index) => {
                        self.faults().held.insert(index, Held { event, left });
                        self.schedule(now, copy.forced_delivery(gone));
                    }
                    None => {
                        self.schedule(now + left, event);
                        self.schedule(now + left, copy);
                    }
                }
            }
        }
    }

    /// All messages held that fit arrive now.
    pub(super) fn release(&mut self, which: Option<Which>) {
        let held = std::mem::take(&mut self.faults().held);
        for Held { event, left } in held {
            if which.is_none_or(|which| self.is_one(event, which)) {
                self.schedule(self.time, event.forced_delivery(event.flight().saturating_sub(left)));
            } else {
                self.faults().held.push(Held { event, left });
            }
        }
    }

    /// Whether some message is held that fits.
    pub(super) fn holds(&self, which: Option<Which>) -> bool {
        let held = self.faults.as_ref().map_or(&[][..], |faults| &faults.held);
        held.iter().any(|held| which.is_none_or(|which| self.is_one(held.event, which)))
    }

    fn is_one(&self, event: Event, which: Which) -> bool {
        let Event::Deliver { from, to, message_id, .. } = event else { return false };
        (from, to, self.outbox.messages.header(message_id).kind) == (which.from, which.to, which.kind)
    }

    /// A second message that says the same.
    pub(super) fn copy_of(&mut self, event: Event) -> Event {
        match event {
            Event::Deliver { from, to, will_drop, flight, message_id } => {
                match self.replicas.copy_message(message_id, &mut self.outbox) {
                    Some(message_id) => Event::Deliver { from, to, will_drop, flight, message_id },
                    None => Event::Void,
                }
            }
            Event::Request { to, will_drop, flight, client_message } => {
                match self.client_messages.look(client_message).copied() {
                    Some(copy) => {
                        Event::Request { to, will_drop, flight, client_message: self.client_messages.put(copy) }
                    }
                    None => Event::Void,
                }
            }
            Event::Reply { from, flight, client_message } => match self.client_messages.look(client_message).copied() {
                Some(copy) => Event::Reply { from, flight, client_message: self.client_messages.put(copy) },
                None => Event::Void,
            },
            _ => Event::Void,
        }
    }

    /// The message gets lost now.
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

    /// Sends a message that leaves at `leaves`, unless something else is to be done to it.
    pub(super) fn send_past_interceptors(&mut self, which: Which, event: Event, leaves: Micros) {
        let arrives = leaves + event.flight();
        match self.caught(which) {
            None => self.schedule(arrives, event),
            Some(Intercept::Hold) => self.faults().held.push(Held { event, left: event.flight() }),
            Some(Intercept::Deliver) => self.schedule(leaves, event.forced_delivery(0)),
            Some(Intercept::Drop) => self.lose(event),
            Some(Intercept::Duplicate) => {
                let copy = self.copy_of(event);
                self.schedule(arrives, event);
                self.schedule(arrives, copy);
            }
        }
    }

    /// What a trap that is set for this message does to it.
    fn caught(&mut self, which: Which) -> Option<Intercept> {
        let interceptors = &mut self.faults.as_mut()?.interceptors;
        let mut sprung = None;
        interceptors.retain_mut(|interceptor| {
            if interceptor.which != which || sprung.is_some() {
                return true;
            }
            if interceptor.skip > 0 {
                interceptor.skip -= 1;
                return true;
            }
            sprung = Some(interceptor.intercept);
            false
        });
        sprung
    }
}

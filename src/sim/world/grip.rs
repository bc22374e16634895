//! Single messages: held, delivered at once, dropped, duplicated.

use super::act::refuse;
use super::event::Event;
use super::{Flight, World};
use crate::core::node::Protocol;
use crate::core::{Label, Micros, RuleSet};
use crate::sim::action::{FlightId, Grip, Refusal, Which};
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
pub(super) struct Trap {
    pub which: Which,
    /// How many more such messages pass before it.
    pub skip: u16,
    pub grip: Grip,
}

impl Event {
    /// The message that arrives, if one does.
    pub(super) fn flight_id(self) -> Option<FlightId> {
        match self {
            Event::Deliver { from, to, parcel, .. } if from != to => Some(FlightId::Parcel { parcel, to }),
            Event::Request { letter, .. } | Event::Reply { letter, .. } => Some(FlightId::Letter(letter)),
            _ => None,
        }
    }

    /// The same with another duration of its flight; sure to arrive, for what is delivered by hand is not lost by chance.
    pub(super) fn surely(self, new_flight: Micros) -> Event {
        let new_flight = u32::try_from(new_flight).unwrap_or(u32::MAX);
        match self {
            Event::Deliver { from, to, parcel, .. } => {
                Event::Deliver { from, to, doomed: false, flight: new_flight, parcel }
            }
            Event::Request { to, letter, .. } => Event::Request { to, doomed: false, flight: new_flight, letter },
            Event::Reply { from, letter, .. } => Event::Reply { from, flight: new_flight, letter },
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

impl<P: Protocol> World<P> {
    pub(super) fn can_grip(&self, id: FlightId, grip: Grip) -> Result<(), Refusal> {
        let mut flights = Vec::new();
        self.flights(&mut flights);
        match flights.iter().find(|flight| flight.id == id) {
            None => refuse("this message is not under way any more"),
            Some(Flight { held: true, .. }) if grip == Grip::Hold => refuse("it is held already"),
            Some(flight) if flight.sent > self.time => {
                refuse("it has not left yet; it waits for the sender's disk or line")
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn grip(&mut self, id: FlightId, grip: Grip) {
        let now = self.time;
        let held = self.trouble().held.iter().position(|held| held.event.flight_id() == Some(id));
        let (event, left) = match held {
            Some(index) => {
                let Held { event, left } = self.trouble().held.remove(index);
                (event, left)
            }
            None => match self.take_out(|_, event| event.flight_id() == Some(id)).first() {
                Some((arrives, event)) => (*event, arrives - now),
                None => return,
            },
        };
        let gone = event.flight().saturating_sub(left);
        match grip {
            Grip::Hold => self.trouble().held.push(Held { event, left }),
            Grip::Deliver => self.schedule(now, event.surely(gone)),
            Grip::Drop => self.lose(event),
            Grip::Duplicate => {
                let copy = self.copy_of(event);
                match held {
                    Some(index) => {
                        self.trouble().held.insert(index, Held { event, left });
                        self.schedule(now, copy.surely(gone));
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
        let held = std::mem::take(&mut self.trouble().held);
        for Held { event, left } in held {
            if which.is_none_or(|which| self.is_one(event, which)) {
                self.schedule(self.time, event.surely(event.flight().saturating_sub(left)));
            } else {
                self.trouble().held.push(Held { event, left });
            }
        }
    }

    /// Whether some message is held that fits.
    pub(super) fn holds(&self, which: Option<Which>) -> bool {
        let held = self.trouble.as_ref().map_or(&[][..], |trouble| &trouble.held);
        held.iter().any(|held| which.is_none_or(|which| self.is_one(held.event, which)))
    }

    fn is_one(&self, event: Event, which: Which) -> bool {
        let Event::Deliver { from, to, parcel, .. } = event else { return false };
        (from, to, self.out.parcels.label(parcel).kind) == (which.from, which.to, which.kind)
    }

    /// A second message that says the same.
    pub(super) fn copy_of(&mut self, event: Event) -> Event {
        match event {
            Event::Deliver { from, to, doomed, flight, parcel } => match self.out.parcels.look(parcel).cloned() {
                Some(message) => {
                    let label = self.out.parcels.label(parcel);
                    let parcel = self.out.parcels.put(message, label, 1);
                    Event::Deliver { from, to, doomed, flight, parcel }
                }
                None => Event::Void,
            },
            Event::Request { to, doomed, flight, letter } => match self.letters.look(letter).copied() {
                Some(copy) => Event::Request { to, doomed, flight, letter: self.letters.put(copy, (), 1) },
                None => Event::Void,
            },
            Event::Reply { from, flight, letter } => match self.letters.look(letter).copied() {
                Some(copy) => Event::Reply { from, flight, letter: self.letters.put(copy, (), 1) },
                None => Event::Void,
            },
            _ => Event::Void,
        }
    }

    /// The message gets lost now.
    pub(super) fn lose(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, flight, parcel, .. } | Event::Handle { from, to, flight, parcel, .. } => {
                self.counts.lost += u64::from(from != to);
                let Label { kind, slot, .. } = self.out.parcels.label(parcel);
                self.out.parcels.take(parcel);
                self.record(What::Lost, to, from, kind.0, slot, flight, RuleSet::EMPTY);
            }
            Event::Request { to, flight, letter, .. } => {
                self.letters.take(letter);
                self.record(What::Lost, to, to, 0, 0, flight, RuleSet::EMPTY);
            }
            Event::Reply { from, flight, letter } => {
                self.letters.take(letter);
                self.record(What::Lost, from, from, 0, 0, flight, RuleSet::EMPTY);
            }
            _ => {}
        }
    }

    /// Sends a message that leaves at `leaves`, unless something else is to be done to it.
    pub(super) fn send_past_traps(&mut self, which: Which, event: Event, leaves: Micros) {
        let arrives = leaves + event.flight();
        match self.caught(which) {
            None => self.schedule(arrives, event),
            Some(Grip::Hold) => self.trouble().held.push(Held { event, left: event.flight() }),
            Some(Grip::Deliver) => self.schedule(leaves, event.surely(0)),
            Some(Grip::Drop) => self.lose(event),
            Some(Grip::Duplicate) => {
                let copy = self.copy_of(event);
                self.schedule(arrives, event);
                self.schedule(arrives, copy);
            }
        }
    }

    /// What a trap that is set for this message does to it.
    fn caught(&mut self, which: Which) -> Option<Grip> {
        let traps = &mut self.trouble.as_mut()?.traps;
        let mut sprung = None;
        traps.retain_mut(|trap| {
            if trap.which != which || sprung.is_some() {
                return true;
            }
            if trap.skip > 0 {
                trap.skip -= 1;
                return true;
            }
            sprung = Some(trap.grip);
            false
        });
        sprung
    }
}

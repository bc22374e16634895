//! Manual scheduling: everything that replicas would handle is held, and what is delivered or fired one by one is let through. Also the
//! expiry of a timer by hand, and the lookup of messages in flight by their ends and kind.

use super::actions::refuse;
use super::intercept::Held;
use super::{End, Flight, World};
use crate::core::{Micros, NodeId, TimerId};
use crate::sim::action::{FlightId, Refusal, Which};
use crate::sim::hosts::timers::{NEVER, TimerState};
use crate::sim::in_flight::InFlight;
use crate::sim::queue::event::Event;

/// Manual scheduling in progress: what may be handled all the same, and at which time, µs.
#[derive(Clone, Debug, Default)]
pub(super) struct Manual {
    messages: Vec<(Micros, FlightId)>,
    timers: Vec<(Micros, NodeId, u32)>,
}

impl Manual {
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.timers.clear();
    }
}

/// Whether it stands in the list, from which it is removed.
fn take<T: PartialEq>(list: &mut Vec<T>, item: &T) -> bool {
    let place = list.iter().position(|other| other == item);
    place.map(|place| list.swap_remove(place)).is_some()
}

impl World {
    /// Whether all messages and timers are held.
    pub fn holds_all(&self) -> bool {
        self.manual().is_some()
    }

    fn manual(&self) -> Option<&Manual> {
        self.faults.as_ref()?.manual.as_ref()
    }

    /// Schedules an arrival that is handled even if everything else is held.
    pub(super) fn schedule_through(&mut self, time: Micros, event: Event) {
        if let (Some(manual), Some(id)) =
            (self.faults.as_mut().and_then(|faults| faults.manual.as_mut()), event.flight_id())
        {
            manual.messages.push((time, id));
        }
        self.schedule(time, event);
    }

    /// Holds an event if everything is held and it was not let through; otherwise returns it.
    pub(super) fn hold_if_manual(&mut self, event: Event) -> Option<Event> {
        if !self.holds_all() {
            return Some(event);
        }
        let now = self.time;
        match event {
            // A message that will be lost is not held.
            Event::Deliver { from, to, will_drop, .. }
                if from == to || will_drop || self.hosts[usize::from(from.0)].cut.has(to) =>
            {
                return Some(event);
            }
            Event::Request { will_drop: true, .. } => return Some(event),
            Event::Deliver { .. } | Event::Request { .. } | Event::Timer { .. } => {}
            _ => return Some(event),
        }
        let faults = self.faults.as_mut()?;
        let manual = faults.manual.as_mut()?;
        match event {
            Event::Timer { node, incarnation, index } => {
                let host = &mut self.hosts[usize::from(node.0)];
                if host.incarnation != incarnation || take(&mut manual.timers, &(now, node, index)) {
                    return Some(event);
                }
                // It stays set; to fire it, or the end of manual scheduling, puts it into the queue again.
                let timer = &mut host.timers[index as usize];
                if timer.queued == now {
                    timer.queued = NEVER;
                }
            }
            _ => {
                if event.flight_id().is_some_and(|id| take(&mut manual.messages, &(now, id))) {
                    return Some(event);
                }
                faults.held.push(Held { event, left: 0 });
            }
        }
        None
    }

    /// Ends manual scheduling, if it is on: held messages are delivered, and timers that are due fire, now.
    pub(super) fn release_all(&mut self) {
        self.release(None);
        if self.faults().manual.take().is_some() {
            (0..self.nodes()).map(NodeId).for_each(|node| self.set_deadlines(node, |deadline| deadline));
        }
    }

    fn timer_state(&self, node: NodeId, timer: TimerId) -> Option<(u32, &TimerState)> {
        let timers = (0..).zip(&self.hosts.get(usize::from(node.0))?.timers);
        timers.into_iter().find(|(_, state)| state.timer == timer && state.deadline != NEVER)
    }

    pub(super) fn can_fire(&self, node: NodeId, timer: TimerId) -> Result<(), Refusal> {
        let name = node.0 + 1;
        let kinds = self.replicas.timers();
        let Some(kind) = kinds.get((timer & 0xff) as usize) else {
            return refuse(format!("{} has no such timer", self.replicas.card().title));
        };
        match self.timer_state(node, timer) {
            _ if !self.is_up(node) => refuse(format!("node {name} is down, and its timers with it")),
            _ if self.is_paused(node) => refuse(format!("node {name} is paused; let it continue first")),
            Some(_) => Ok(()),
            None => refuse(match timer >> 8 {
                0 => format!("the timer \"{}\" of node {name} is not set", kind.name),
                number => format!("the timer \"{}\" number {number} of node {name} is not set", kind.name),
            }),
        }
    }

    /// Lets a timer that is set fire now.
    pub(super) fn fire(&mut self, node: NodeId, timer: TimerId) {
        let now = self.time;
        let Some((index, _)) = self.timer_state(node, timer) else { return };
        let host = &mut self.hosts[usize::from(node.0)];
        let (incarnation, state) = (host.incarnation, &mut host.timers[index as usize]);
        (state.deadline, state.queued) = (now, now);
        if let Some(manual) = &mut self.faults().manual {
            manual.timers.push((now, node, index));
        }
        self.schedule(now, Event::Timer { node, incarnation, index });
    }

    /// The ends and kind of a message in flight.
    fn name_of(flight: &Flight) -> Option<InFlight> {
        Some(match (flight.from, flight.to) {
            (End::Node(from), End::Node(to)) => InFlight::Message(Which { from, to, kind: flight.kind? }),
            (End::Client(site), End::Node(to)) => InFlight::Request { site, to },
            (End::Node(from), End::Client(site)) => InFlight::Reply { from, site },
            (End::Client(_), End::Client(_)) => return None,
        })
    }

    /// All messages in flight or held of which this is the name, in the order in which they are counted.
    fn alike(&self, which: InFlight) -> Vec<Flight> {
        let mut flights = Vec::new();
        self.flights(&mut flights);
        flights.retain(|flight| World::name_of(flight) == Some(which));
        let number = |flight: &Flight| match flight.id {
            FlightId::Message { message_id, .. } => message_id,
            FlightId::ClientMessage(number) => number,
        };
        // Stable: held ones come in the order in which they were held.
        flights.sort_by_key(|flight| if flight.held { (0, 0, 0) } else { (1, flight.arrives, number(flight)) });
        flights
    }

    /// The `nth` message in flight or held with these ends and of this kind, from 1.
    pub(super) fn find_in_flight(&self, which: InFlight, nth: u16) -> Option<FlightId> {
        self.alike(which).get(usize::from(nth).checked_sub(1)?).map(|flight| flight.id)
    }

    /// The name of a message in flight or held, by which [`Action::Sent`](crate::sim::Action::Sent) finds it now.
    pub fn name_in_flight(&self, id: FlightId) -> Option<(InFlight, u16)> {
        let mut flights = Vec::new();
        self.flights(&mut flights);
        let which = World::name_of(flights.iter().find(|flight| flight.id == id)?)?;
        let place = self.alike(which).iter().position(|flight| flight.id == id)?;
        Some((which, u16::try_from(place + 1).ok()?))
    }

    /// Why there is no such message.
    pub(super) fn not_in_flight(&self, which: InFlight, nth: u16) -> String {
        let kind = match which {
            InFlight::Message(Which { kind, .. }) => match self.replicas.kinds().get(usize::from(kind.0)) {
                Some(kind) => kind.name,
                None => return format!("{} has no such kind of message", self.replicas.card().title),
            },
            InFlight::Request { .. } => "request",
            InFlight::Reply { .. } => "reply",
        };
        let way = match which {
            InFlight::Message(Which { from, to, .. }) => format!("from node {} to node {}", from.0 + 1, to.0 + 1),
            InFlight::Request { site, to } => format!("from site {} to node {}", site + 1, to.0 + 1),
            InFlight::Reply { from, site } => format!("from node {} to site {}", from.0 + 1, site + 1),
        };
        match self.alike(which).len() {
            0 => format!("no {kind} is in flight {way} now"),
            some => format!("there is no number {nth}: {some} {kind} in flight {way} now"),
        }
    }
}

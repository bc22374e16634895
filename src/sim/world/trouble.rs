//! What is out of the ordinary in a world. Most worlds have none of it, so all of it lies behind one pointer.

use super::event::Event;
use super::pause::Pause;
use super::{Arriving, Happening, World};
use crate::core::node::Protocol;
use crate::core::{Micros, NodeId, NodeSet};
use crate::sim::domains::DomainId;

/// All that is out of the ordinary.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// The paused nodes, by node.
    pub pauses: Vec<Option<Pause>>,
    /// The domains that are cut off.
    pub severed: Vec<DomainId>,
}

impl<P: Protocol> World<P> {
    /// The trouble there is, from now on.
    pub(super) fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    /// What becomes of an event in a troubled world: itself, or nothing for now.
    #[cold]
    pub(super) fn divert(&mut self, event: Event) -> Option<Event> {
        match event {
            // Its single arrivals come here one by one.
            Event::DeliverEach { .. } => Some(event),
            _ => self.let_wait(event),
        }
    }

    /// A message that has arrived at several replicas gets to one of them, unless it has to wait there; then the next is asked.
    #[cold]
    pub(super) fn arrive_in_trouble(
        &mut self,
        from: NodeId,
        to: NodeId,
        flight: u32,
        parcel: u32,
    ) -> Option<Happening> {
        match self.divert(Event::Deliver { from, to, doomed: false, flight, parcel }) {
            Some(event) => self.come_to_pass(event),
            None => self.arrive(),
        }
    }

    /// Takes what fits out of all that is to come. Messages to several replicas are looked at one by one.
    pub(super) fn take_out(&mut self, fits: impl Fn(Micros, Event) -> bool) -> Vec<(Micros, Event)> {
        let mut taken = Vec::new();
        let mut sift = |arrives: Micros, event: Event| match event {
            Event::DeliverEach { from, to, flight, parcel } => {
                let single = |to| Event::Deliver { from, to, doomed: false, flight, parcel };
                let gone: NodeSet = to.iter().filter(|to| fits(arrives, single(*to))).collect();
                taken.extend(gone.iter().map(|to| (arrives, single(to))));
                match to.minus(gone) {
                    NodeSet::EMPTY => Event::Void,
                    to => Event::DeliverEach { from, to, flight, parcel },
                }
            }
            _ if fits(arrives, event) => {
                taken.push((arrives, event));
                Event::Void
            }
            _ => event,
        };
        let Arriving { from, to, flight, parcel } = self.arriving;
        self.arriving.to = match sift(self.time, Event::DeliverEach { from, to, flight, parcel }) {
            Event::DeliverEach { to, .. } => to,
            _ => NodeSet::EMPTY,
        };
        for (arrives, packed) in self.wheel.iter_mut() {
            *packed = sift(arrives, packed.unpack()).pack();
        }
        taken
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.nodes[usize::from(node.0)].is_some()
    }
}

//! Messages on their way: what they weigh, how long they take, and whether they arrive.

use super::{MAX_NODES, World};
use crate::core::{ClientId, Command, Header, KindId, Micros, NodeId, NodeSet};
use crate::sim::queue::event::{Arriving, Event};

/// Bytes that any message takes on the wire besides its content: Ethernet, IP and TCP headers.
const HEADER_BYTES: u32 = 66;

/// Bytes of a command besides its value: client, number, operation and key.
const COMMAND_BYTES: u32 = 16;

/// The way from one node to another, looked up for every message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Route {
    /// How long a message takes without jitter, µs.
    flight: u32,
    /// The place of its two sites in [`Counts::by_sites`](crate::sim::measure::Counts::by_sites).
    sites: u32,
}

impl World {
    /// Sends to one node. Nine of ten messages go this way. False: the sender crashed before it could.
    #[inline(always)]
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message_id: u32) -> bool {
        if self.faults.is_some() {
            return (self.fault_code().send)(self, from, NodeSet::just(to), message_id);
        }
        let leaves = self.saved_at(from);
        if from == to {
            self.schedule(leaves, Event::Deliver { from, to, will_drop: false, flight: 0, message_id });
            return true;
        }
        let (kind, bytes) = self.weigh(message_id);
        self.counts.count(from, kind, 1, bytes);
        let (flight, will_drop) = self.route(from, to);
        self.schedule(leaves + Micros::from(flight), Event::Deliver { from, to, will_drop, flight, message_id });
        true
    }

    /// Sends the same to several nodes.
    #[inline]
    pub(super) fn broadcast(&mut self, from: NodeId, to: NodeSet, message_id: u32) -> bool {
        if self.faults.is_some() {
            return (self.fault_code().send)(self, from, to, message_id);
        }
        let leaves = self.saved_at(from);
        let (kind, bytes) = self.weigh(message_id);
        let mut messages = 0;
        // Those in a row that get it in the same microsecond share a place in the wheel.
        let mut together = Arriving { from, to: NodeSet::EMPTY, flight: 0, message_id };
        for to in to.iter() {
            if from == to || !self.deterministic_delivery {
                messages += u64::from(from != to);
                together = self.send_apart(to, leaves, together);
                continue;
            }
            messages += 1;
            let (flight, _) = self.route(from, to);
            if flight != together.flight {
                self.deliver_together(leaves, &mut together);
                together.flight = flight;
            }
            together.to.add(to);
        }
        self.deliver_together(leaves, &mut together);
        self.counts.count(from, kind, messages, bytes);
        true
    }

    /// Sends to one of several nodes what may take another time than expected, or get lost, or is for the sender itself. Tells who shares
    /// a place in the wheel from then on.
    #[inline(never)]
    fn send_apart(&mut self, to: NodeId, leaves: Micros, mut together: Arriving) -> Arriving {
        let Arriving { from, message_id, .. } = together;
        if from == to {
            self.deliver_together(leaves, &mut together);
            self.schedule(leaves, Event::Deliver { from, to, will_drop: false, flight: 0, message_id });
            return together;
        }
        let (flight, will_drop) = self.route(from, to);
        if will_drop || flight != together.flight {
            self.deliver_together(leaves, &mut together);
        }
        if will_drop {
            self.schedule(leaves + Micros::from(flight), Event::Deliver { from, to, will_drop, flight, message_id });
        } else {
            together.flight = flight;
            together.to.add(to);
        }
        together
    }

    /// Sends a message on its way from one node to another: how long that takes, µs, and whether it gets lost.
    #[inline(always)]
    pub(super) fn route(&mut self, from: NodeId, to: NodeId) -> (u32, bool) {
        let Route { flight, sites } = self.routes[usize::from(from.0)][usize::from(to.0) % MAX_NODES];
        self.counts.by_sites[sites as usize] += 1;
        match self.deterministic_delivery {
            true => (flight, false),
            false => self.chance_it(from, to, flight),
        }
    }

    /// What becomes of a message that may take longer than `flight`, µs, or get lost.
    #[inline(never)]
    fn chance_it(&mut self, from: NodeId, to: NodeId, flight: u32) -> (u32, bool) {
        let flight = self.topology.jittered(flight.into(), &mut self.net_rng) as u32;
        let cut = self.hosts[usize::from(from.0)].cut.has(to);
        (flight, cut || self.net_rng.chance(self.topology.loss_permille))
    }

    /// Finds out anew how messages go, after something about it has changed.
    pub(super) fn rebuild_routes(&mut self) {
        let whole = self.hosts.iter().all(|host| host.cut == NodeSet::EMPTY);
        self.fault_free = whole && self.faults.is_none() && self.topology.processing == 0;
        self.deterministic_delivery = whole && self.topology.jitter_permille == 0 && self.topology.loss_permille == 0;
        self.routes.resize(self.hosts.len(), [Route::default(); MAX_NODES]);
        for (from, routes) in self.routes.iter_mut().enumerate() {
            for (to, route) in routes.iter_mut().enumerate().take(self.hosts.len()) {
                let (here, there) = (self.hosts[from].site, self.hosts[to].site);
                route.flight = self.topology.one_way(here, there, from > to) as u32;
                route.sites = u32::from(here) * u32::from(self.topology.sites) + u32::from(there);
            }
        }
    }

    /// The kind of a message, and its bytes on the wire.
    #[inline(always)]
    pub(super) fn weigh(&self, message_id: u32) -> (KindId, u64) {
        let Header { kind, bytes, commands, .. } = self.outbox.messages.header(message_id);
        let values = match self.topology.value_bytes.same() {
            Some(bytes) => u64::from(commands) * u64::from(bytes),
            None => self.weigh_values(message_id),
        };
        (kind, u64::from(HEADER_BYTES + bytes + commands * COMMAND_BYTES) + values)
    }

    #[cold]
    pub(super) fn weigh_values(&self, message_id: u32) -> u64 {
        let (mut bytes, mut values) = (0, 0);
        self.replicas.each_value(message_id, &mut |value| {
            bytes += u64::from(self.topology.value_bytes.of(self.seed, value));
            values += 1;
        });
        debug_assert_eq!(values, self.outbox.messages.header(message_id).commands, "every command has a value");
        bytes
    }

    /// The same of a client's request, or of the answer to it.
    pub(super) fn client_weight(&self, client: ClientId, seq: u32) -> u64 {
        let value = self.topology.value_bytes.of(self.seed, Command::value_of(client, seq));
        u64::from(HEADER_BYTES + COMMAND_BYTES) + u64::from(value)
    }

    /// Puts the arrival of a message at these replicas into the wheel, and empties the set.
    #[inline(always)]
    pub(super) fn deliver_together(&mut self, leaves: Micros, together: &mut Arriving) {
        let Arriving { from, to, flight, message_id } = *together;
        let Some(first) = to.lowest() else { return };
        let event = match to == NodeSet::just(first) {
            true => Event::Deliver { from, to: first, will_drop: false, flight, message_id },
            false => Event::DeliverEach { from, to, flight, message_id },
        };
        self.schedule(leaves + Micros::from(flight), event);
        together.to = NodeSet::EMPTY;
    }
}

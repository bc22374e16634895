//! Sending: wire size, flight time and loss of messages, and the route table.

use super::{MAX_NODES, World};
use crate::core::{ClientId, Command, Header, KindId, Micros, NodeId, NodeSet};
use crate::sim::queue::event::{Arriving, Event};

/// Bytes of Ethernet, IP and TCP headers of a message.
const HEADER_BYTES: u32 = 66;

/// Bytes of a command besides its value: client, number, operation and key.
const COMMAND_BYTES: u32 = 16;

/// Precomputed route from one node to another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Route {
    /// Flight time without jitter, µs.
    flight: u32,
    /// Index of the pair of sites in [`Counts::by_sites`](crate::sim::measure::Counts::by_sites).
    sites: u32,
}

impl World {
    /// Sends a message to one node. False: the sender crashed instead ([`Action::CrashAfter`](crate::sim::Action::CrashAfter)).
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
        let (kind, bytes) = self.wire_size(message_id);
        self.counts.count(from, kind, 1, bytes);
        let (flight, will_drop) = self.route(from, to);
        self.schedule(leaves + Micros::from(flight), Event::Deliver { from, to, will_drop, flight, message_id });
        true
    }

    /// Sends a message to several nodes. False: the sender crashed before the last of them.
    #[inline]
    pub(super) fn broadcast(&mut self, from: NodeId, to: NodeSet, message_id: u32) -> bool {
        if self.faults.is_some() {
            return (self.fault_code().send)(self, from, to, message_id);
        }
        let leaves = self.saved_at(from);
        let (kind, bytes) = self.wire_size(message_id);
        let mut messages = 0;
        // Consecutive receivers with the same flight time share one queue entry.
        let mut batch = Arriving { from, to: NodeSet::EMPTY, flight: 0, message_id };
        for to in to.iter() {
            if from == to || !self.deterministic_delivery {
                messages += u64::from(from != to);
                batch = self.send_unbatched(to, leaves, batch);
                continue;
            }
            messages += 1;
            let (flight, _) = self.route(from, to);
            if flight != batch.flight {
                self.schedule_batch(leaves, &mut batch);
                batch.flight = flight;
            }
            batch.to.add(to);
        }
        self.schedule_batch(leaves, &mut batch);
        self.counts.count(from, kind, messages, bytes);
        true
    }

    /// Broadcast to one receiver that is the sender itself, or with random flight time or loss. Returns the batch to which later receivers are
    /// added.
    #[inline(never)]
    fn send_unbatched(&mut self, to: NodeId, leaves: Micros, mut batch: Arriving) -> Arriving {
        let Arriving { from, message_id, .. } = batch;
        if from == to {
            self.schedule_batch(leaves, &mut batch);
            self.schedule(leaves, Event::Deliver { from, to, will_drop: false, flight: 0, message_id });
            return batch;
        }
        let (flight, will_drop) = self.route(from, to);
        if will_drop || flight != batch.flight {
            self.schedule_batch(leaves, &mut batch);
        }
        if will_drop {
            self.schedule(leaves + Micros::from(flight), Event::Deliver { from, to, will_drop, flight, message_id });
        } else {
            batch.flight = flight;
            batch.to.add(to);
        }
        batch
    }

    /// Counts a message between two sites, and returns its flight time, µs, and whether it is lost.
    #[inline(always)]
    pub(super) fn route(&mut self, from: NodeId, to: NodeId) -> (u32, bool) {
        let Route { flight, sites } = self.routes[usize::from(from.0)][usize::from(to.0) % MAX_NODES];
        self.counts.by_sites[sites as usize] += 1;
        match self.deterministic_delivery {
            true => (flight, false),
            false => self.draw_flight_and_loss(from, to, flight),
        }
    }

    /// Draws the flight time (`flight` µs plus jitter) and the loss of a message.
    #[inline(never)]
    fn draw_flight_and_loss(&mut self, from: NodeId, to: NodeId, flight: u32) -> (u32, bool) {
        let flight = self.topology.jittered(flight.into(), &mut self.net_rng) as u32;
        let cut = self.hosts[usize::from(from.0)].cut.has(to);
        (flight, cut || self.net_rng.chance(self.topology.loss_permille))
    }

    /// Recomputes the route table and the fast-path flags; to be called after every change of sites, cuts, loss or hosts.
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

    /// Kind and wire size, bytes, of a message.
    #[inline(always)]
    pub(super) fn wire_size(&self, message_id: u32) -> (KindId, u64) {
        let Header { kind, bytes, commands, .. } = self.outbox.messages.header(message_id);
        let values = match self.topology.value_bytes.same() {
            Some(bytes) => u64::from(commands) * u64::from(bytes),
            None => self.value_sizes(message_id),
        };
        (kind, u64::from(HEADER_BYTES + bytes + commands * COMMAND_BYTES) + values)
    }

    /// Total size of the values in a message, bytes, where sizes differ.
    #[cold]
    pub(super) fn value_sizes(&self, message_id: u32) -> u64 {
        let (mut bytes, mut values) = (0, 0);
        self.replicas.full().each_value(message_id, &mut |value| {
            bytes += u64::from(self.topology.value_bytes.of(self.seed, value));
            values += 1;
        });
        debug_assert_eq!(values, self.outbox.messages.header(message_id).commands, "every command has a value");
        bytes
    }

    /// Wire size of a client's request or the reply to it, bytes.
    pub(super) fn client_message_size(&self, client: ClientId, seq: u32) -> u64 {
        let value = self.topology.value_bytes.of(self.seed, Command::value_of(client, seq));
        u64::from(HEADER_BYTES + COMMAND_BYTES) + u64::from(value)
    }

    /// Schedules the arrival of a batch as one event, and empties the batch.
    #[inline(always)]
    pub(super) fn schedule_batch(&mut self, leaves: Micros, batch: &mut Arriving) {
        let Arriving { from, to, flight, message_id } = *batch;
        let Some(first) = to.lowest() else { return };
        let event = match to == NodeSet::just(first) {
            true => Event::Deliver { from, to: first, will_drop: false, flight, message_id },
            false => Event::DeliverEach { from, to, flight, message_id },
        };
        self.schedule(leaves + Micros::from(flight), event);
        batch.to = NodeSet::EMPTY;
    }
}

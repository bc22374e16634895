//! Active faults, and the event loop and sending path under faults. All fault state is behind one pointer, so that a world without faults
//! pays one test for each event and each send.

use super::byzantine::ByzantineNodes;
use super::intercept::{Held, Interceptor};
use super::manual::Manual;
use super::pause::Pause;
use super::{StepOutcome, World};
use crate::core::{Micros, NodeId, NodeSet};
use crate::sim::action::Which;
use crate::sim::domains::DomainId;
use crate::sim::hosts::clock::Clocks;
use crate::sim::hosts::processor::Processors;
use crate::sim::network::Cost;
use crate::sim::network::links::{Links, Transmission};
use crate::sim::queue::event::{Arriving, Event};
use crate::sim::replicas::FullCode;
use std::collections::BTreeMap;

type BoundedArrival = fn(&mut World, Micros, Micros, Micros, bool) -> (Micros, Micros, bool);

/// Function table of the fault path. A world calls it through a reference, so that the page can show a run without faults before it has loaded
/// this code: only code that names [`FaultCode::ALL`] links it.
#[derive(Debug)]
pub(super) struct FaultCode {
    /// See [`World::act_before_boot`].
    pub act_before_boot: fn(&mut World),
    /// See [`World::scripted`].
    pub scripted: fn(&mut World, u32) -> StepOutcome,
    /// See [`World::apply_fence`].
    pub fence: fn(&mut World, NodeId, NodeId) -> StepOutcome,
    /// See [`World::write`].
    pub write: fn(&mut World, NodeId) -> bool,
    /// See [`World::stop_mid_effects`].
    pub stop_mid_effects: fn(&mut World, NodeId, usize, u32),
    /// See [`World::faults`].
    pub begin: fn(&mut World),
    /// See [`World::handle_event_with_faults`].
    pub handle_event: fn(&mut World, Event) -> Option<StepOutcome>,
    /// See [`World::arrive_with_faults`].
    pub arrive: fn(&mut World, NodeId, NodeId, u32, u32) -> Option<StepOutcome>,
    /// See [`World::send_with_faults`].
    pub send: fn(&mut World, NodeId, NodeSet, u32) -> bool,
    /// See [`World::processor_send`].
    pub processor_send: fn(&mut World, NodeId, u64) -> Micros,
    /// See [`World::bounded_arrival`].
    pub bounded_arrival: BoundedArrival,
}

impl FaultCode {
    /// The table.
    pub const ALL: &FaultCode = &FaultCode {
        act_before_boot: World::act_before_boot,
        scripted: World::scripted,
        fence: World::apply_fence,
        write: World::write,
        stop_mid_effects: World::stop_mid_effects,
        begin: |world| {
            world.faults();
        },
        handle_event: World::handle_event_with_faults,
        arrive: World::arrive_with_faults,
        send: World::send_with_faults,
        processor_send: World::processor_send,
        bounded_arrival: World::bounded_arrival,
    };
}

/// State of all faults.
#[derive(Clone, Debug)]
pub(super) struct ActiveFaults {
    /// Pauses, by node.
    pub pauses: Vec<Option<Pause>>,
    /// The partitioned domains.
    pub partitioned: Vec<DomainId>,
    /// Link conditions.
    pub links: Links,
    /// Clock drift and offsets.
    pub clocks: Clocks,
    /// Processors, if messages have a cost.
    pub processors: Option<Processors>,
    /// Byzantine nodes.
    pub byzantine: ByzantineNodes,
    /// Nodes with a scheduled crash while sending, and the number of messages that they still send.
    pub crash_after: BTreeMap<NodeId, u16>,
    /// Held messages.
    pub held: Vec<Held>,
    /// Interceptors of messages yet to be sent.
    pub interceptors: Vec<Interceptor>,
    /// Manual scheduling, while everything is held.
    pub manual: Option<Manual>,
}

impl ActiveFaults {
    /// Bytes of what waits in it.
    pub(super) fn bytes(&self) -> u64 {
        let paused: usize = self.pauses.iter().flatten().map(Pause::held).sum();
        let queued: usize = self.processors.as_ref().map_or(0, Processors::queued);
        ((paused + queued) * size_of::<(Micros, Event)>() + self.held.len() * size_of::<Held>()) as u64
    }
}

impl World {
    /// Installs the code for faults, and all of the replicas' own, in a world created without it.
    pub fn allow_faults(&mut self, full: FullCode) {
        self.fault_code = Some(FaultCode::ALL);
        self.replicas.allow_all(full);
    }

    /// The function table. Invariant: a world with a script, faults or processing costs has one.
    #[inline]
    pub(super) fn fault_code(&self) -> &'static FaultCode {
        self.fault_code.expect("a world made without faults has none")
    }

    /// The fault state, created at first use; ends the fault-free fast path.
    pub(super) fn faults(&mut self) -> &mut ActiveFaults {
        let (seed, cost) = (self.seed, self.topology.cost);
        self.fault_free = false;
        self.faults.get_or_insert_with(|| {
            Box::new(ActiveFaults {
                pauses: Vec::new(),
                partitioned: Vec::new(),
                links: Links::new(seed),
                clocks: Clocks::default(),
                byzantine: ByzantineNodes::default(),
                processors: (cost != Cost::default()).then(|| Processors::new(cost)),
                crash_after: BTreeMap::new(),
                held: Vec::new(),
                interceptors: Vec::new(),
                manual: None,
            })
        })
    }

    /// Holds an event under manual scheduling, defers it at a paused node or queues it at a processor; returns what is to be handled now.
    fn defer_or_queue(&mut self, event: Event) -> Option<Event> {
        match event {
            // Its single arrivals pass through here one by one.
            Event::DeliverEach { .. } => Some(event),
            _ => {
                let event = self.hold_if_manual(event)?;
                let event = self.defer_if_paused(event)?;
                self.schedule_on_processor(event)
            }
        }
    }

    /// Processes one event under faults, or defers it.
    #[cold]
    pub(super) fn handle_event_with_faults(&mut self, event: Event) -> Option<StepOutcome> {
        let event = self.defer_or_queue(event)?;
        if let (Some(node), Some(faults)) = (event.handler(), &self.faults) {
            self.outbox.clock = faults.clocks.reading(node, self.time);
        }
        self.dispatch_to_copy(event)
    }

    /// Delivers an arriving broadcast to `to`; if it is deferred there, to the next receiver.
    #[cold]
    pub(super) fn arrive_with_faults(
        &mut self,
        from: NodeId,
        to: NodeId,
        flight: u32,
        message_id: u32,
    ) -> Option<StepOutcome> {
        let event = Event::Deliver { from, to, will_drop: false, flight, message_id };
        self.handle_event_with_faults(event).or_else(|| self.arrive())
    }

    /// Sends a message under faults. Draws from the network's random stream exactly as without faults, so that a fault in one place changes no
    /// draws elsewhere.
    ///
    /// False: the sender crashed during the broadcast, and the remaining receivers get nothing.
    #[cold]
    pub(super) fn send_with_faults(&mut self, from: NodeId, to: NodeSet, message_id: u32) -> bool {
        let (kind, bytes) = self.wire_size(message_id);
        let mut to = self.byzantine_receivers(from, to, message_id);
        while let Some(receiver) = to.lowest() {
            if receiver != from && self.count_down_to_crash(from) {
                to.iter().for_each(|_| self.outbox.messages.release(message_id));
                return false;
            }
            to.remove(receiver);
            let to = receiver;
            if from == to {
                // By incarnation, since the node may have a twin.
                let incarnation = self.hosts[usize::from(from.0)].incarnation;
                self.schedule(self.saved_at(from), Event::Handle { from, to, incarnation, flight: 0, message_id });
                continue;
            }
            let (flight, lost) = self.route(from, to);
            self.counts.count(from, kind, 1, bytes);
            let ready = self.processor_send(from, bytes);
            let Transmission { leaves, flight, lost: lost_here, duplicate_flight } =
                self.faults().links.transmit((from, to), ready, Micros::from(flight), bytes);
            let (leaves, flight, will_drop) = self.bounded_arrival(ready, leaves, flight, lost || lost_here);
            let event =
                self.tamper(from, to, Event::Deliver { from, to, will_drop, flight: flight as u32, message_id });
            if let Some(second) = duplicate_flight.filter(|_| !will_drop) {
                let (leaves, second, _) = self.bounded_arrival(ready, leaves, second, false);
                let copy = self.copy_of(event);
                self.schedule(leaves + second, copy.forced_delivery(second));
            }
            self.send_through_interceptors(Which { from, to, kind }, event, leaves);
        }
        true
    }

    /// Whether a scheduled crash replaces the node's next send; otherwise counts that send.
    fn count_down_to_crash(&mut self, node: NodeId) -> bool {
        match self.faults().crash_after.get_mut(&node) {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    /// When a message can leave, µs: after earlier saves are durable, and after the processor's sending time.
    pub(super) fn processor_send(&mut self, from: NodeId, bytes: u64) -> Micros {
        let (now, saved) = (self.time, self.saved_at(from));
        match self.faults.as_mut().and_then(|faults| faults.processors.as_mut()) {
            Some(processors) => saved.max(processors.send(from, now, bytes)),
            None => saved,
        }
    }

    /// Applies the timing model's bound to a message; returns when it leaves, µs, its flight time, µs, and whether it is lost.
    pub(super) fn bounded_arrival(
        &mut self,
        sent: Micros,
        leaves: Micros,
        flight: Micros,
        lost: bool,
    ) -> (Micros, Micros, bool) {
        let timing = self.topology.timing;
        let arrives = timing.arrival(sent, leaves + flight, &mut self.faults().links.rng);
        let leaves = leaves.min(arrives);
        (leaves, arrives - leaves, lost && !timing.is_bounded(sent))
    }

    /// Removes and returns all pending events that match. The arrivals of a broadcast are tested one by one.
    pub(super) fn take_matching(&mut self, fits: impl Fn(Micros, Event) -> bool) -> Vec<(Micros, Event)> {
        let mut taken = Vec::new();
        let mut extract = |arrives: Micros, event: Event| match event {
            Event::DeliverEach { from, to, flight, message_id } => {
                let single = |to| Event::Deliver { from, to, will_drop: false, flight, message_id };
                let gone: NodeSet = to.iter().filter(|to| fits(arrives, single(*to))).collect();
                taken.extend(gone.iter().map(|to| (arrives, single(to))));
                match to.minus(gone) {
                    NodeSet::EMPTY => Event::Cancelled,
                    to => Event::DeliverEach { from, to, flight, message_id },
                }
            }
            _ if fits(arrives, event) => {
                taken.push((arrives, event));
                Event::Cancelled
            }
            _ => event,
        };
        let Arriving { from, to, flight, message_id } = self.arriving;
        self.arriving.to = match extract(self.time, Event::DeliverEach { from, to, flight, message_id }) {
            Event::DeliverEach { to, .. } => to,
            _ => NodeSet::EMPTY,
        };
        self.wheel.for_each_mut(|arrives, packed| *packed = extract(arrives, packed.unpack()).pack());
        taken
    }

    /// What waits for bandwidth on links whose limit is lifted leaves at once and in order, as soon as its sender's disk and processor are done.
    pub(super) fn empty_lifted_queues(&mut self) {
        let (now, nodes) = (self.time, self.hosts.len() as u8);
        let lifted = self.faults().links.take_lifted(nodes);
        if lifted.is_empty() {
            return;
        }
        let mut waiting = self.take_matching(|arrives, event| {
            let Event::Deliver { from, to, flight, .. } = event else { return false };
            let leaves = arrives.saturating_sub(flight.into());
            leaves > now && lifted.get(&(from, to)).is_some_and(|empty| leaves <= *empty)
        });
        waiting.sort_by_key(|(arrives, event)| arrives - event.flight());
        for (arrives, event) in waiting {
            let Event::Deliver { from, .. } = event else { continue };
            let processors = self.faults().processors.as_mut();
            let prepared = processors.map_or(now, |processors| processors.get(from).work(now, 0));
            self.schedule(arrives.min(self.saved_at(from).max(prepared) + event.flight()), event);
        }
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.hosts[usize::from(node.0)].up
    }
}

//! What is out of the ordinary in a world. Most worlds have none of it, so all of it lies behind one pointer.

use super::byzantine::ByzantineNodes;
use super::intercept::{Held, Interceptor};
use super::pause::Pause;
use super::{StepOutcome, World};
use crate::core::{Micros, NodeId, NodeSet};
use crate::sim::action::{Action, Refusal, Which};
use crate::sim::domains::DomainId;
use crate::sim::hosts::clock::Clocks;
use crate::sim::hosts::processor::Processors;
use crate::sim::network::Cost;
use crate::sim::network::links::{Links, Transmission};
use crate::sim::queue::event::{Arriving, Event};
use std::collections::BTreeMap;

type InTime = fn(&mut World, Micros, Micros, Micros, bool) -> (Micros, Micros, bool);

/// The functions that a world without faults does without. It holds a reference to them, so that a page can show a run before it has
/// loaded them: only what names [`FaultCode::ALL`] takes them along.
#[derive(Debug)]
pub(super) struct FaultCode {
    /// See [`World::act_before_boot`].
    pub act_before_boot: fn(&mut World),
    /// See [`World::apply_action`].
    pub apply_action: fn(&mut World, Action) -> Result<(), Refusal>,
    /// See [`World::faults`].
    pub begin: fn(&mut World),
    /// See [`World::handle_event_with_faults`].
    pub handle_event: fn(&mut World, Event) -> Option<StepOutcome>,
    /// See [`World::arrive_with_faults`].
    pub arrive: fn(&mut World, NodeId, NodeId, u32, u32) -> Option<StepOutcome>,
    /// See [`World::send_with_faults`].
    pub send: fn(&mut World, NodeId, NodeSet, u32) -> bool,
    /// See [`World::put_together`].
    pub put_together: fn(&mut World, NodeId, u64) -> Micros,
    /// See [`World::in_time`].
    pub in_time: InTime,
}

impl FaultCode {
    /// All of them.
    pub const ALL: &FaultCode = &FaultCode {
        act_before_boot: World::act_before_boot,
        apply_action: World::apply_action,
        begin: |world| {
            world.faults();
        },
        handle_event: World::handle_event_with_faults,
        arrive: World::arrive_with_faults,
        send: World::send_with_faults,
        put_together: World::put_together,
        in_time: World::in_time,
    };
}

/// All that is out of the ordinary.
#[derive(Clone, Debug)]
pub(super) struct ActiveFaults {
    /// The paused nodes, by node.
    pub pauses: Vec<Option<Pause>>,
    /// The domains that are cut off.
    pub partitioned: Vec<DomainId>,
    /// The disturbed links.
    pub links: Links,
    /// The nodes' clocks.
    pub clocks: Clocks,
    /// The processors, if messages cost them anything.
    pub processors: Option<Processors>,
    /// The nodes that lie.
    pub byzantine: ByzantineNodes,
    /// Nodes that crash in the middle of what they send, and how many messages still leave them.
    pub crash_after: BTreeMap<NodeId, u16>,
    /// The messages held.
    pub held: Vec<Held>,
    /// What waits for a message to be sent.
    pub interceptors: Vec<Interceptor>,
}

impl World {
    /// Gives a world that was made without them the functions for faults.
    pub fn allow_faults(&mut self) {
        self.fault_code = Some(FaultCode::ALL);
    }

    /// The functions for faults. Whoever gives a world a script, faults or processing costs has made it with them.
    #[inline]
    pub(super) fn fault_code(&self) -> &'static FaultCode {
        self.fault_code.expect("a world made without faults has none")
    }

    /// The trouble there is, from now on.
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
            })
        })
    }

    /// What becomes of an event in a troubled world: itself, or nothing for now.
    fn divert(&mut self, event: Event) -> Option<Event> {
        match event {
            // Its single arrivals come here one by one.
            Event::DeliverEach { .. } => Some(event),
            _ => {
                let event = self.let_wait(event)?;
                self.take_turns(event)
            }
        }
    }

    /// Carries out one event of a troubled world, or puts it off.
    #[cold]
    pub(super) fn handle_event_with_faults(&mut self, event: Event) -> Option<StepOutcome> {
        let event = self.divert(event)?;
        if let (Some(node), Some(faults)) = (event.handler(), &self.faults) {
            self.outbox.clock = faults.clocks.shown(node, self.time);
        }
        self.at_whichever_copy(event)
    }

    /// A message that has arrived at several replicas gets to one of them, unless it has to wait there; then the next is asked.
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

    /// Sends a message in a troubled world. Chance is taken as in one without trouble, so that trouble in one place changes nothing in
    /// another.
    ///
    /// False: the sender crashed in the middle of it, and what it sent to the others never left.
    #[cold]
    pub(super) fn send_with_faults(&mut self, from: NodeId, to: NodeSet, message_id: u32) -> bool {
        let (kind, bytes) = self.weigh(message_id);
        let mut to = self.audience(from, to, message_id);
        while let Some(receiver) = to.lowest() {
            if receiver != from && self.crashes_now(from) {
                to.iter().for_each(|_| self.outbox.messages.release(message_id));
                return false;
            }
            to.remove(receiver);
            let to = receiver;
            if from == to {
                // In a life of its own, for there may be two of it.
                let incarnation = self.hosts[usize::from(from.0)].incarnation;
                self.schedule(self.saved_at(from), Event::Handle { from, to, incarnation, flight: 0, message_id });
                continue;
            }
            let (flight, lost) = self.route(from, to);
            self.counts.count(from, kind, 1, bytes);
            let ready = self.put_together(from, bytes);
            let Transmission { leaves, flight, lost: lost_here, twice } =
                self.faults().links.transmit((from, to), ready, Micros::from(flight), bytes);
            let (leaves, flight, will_drop) = self.in_time(ready, leaves, flight, lost || lost_here);
            let event =
                self.tamper(from, to, Event::Deliver { from, to, will_drop, flight: flight as u32, message_id });
            if let Some(second) = twice.filter(|_| !will_drop) {
                let (leaves, second, _) = self.in_time(ready, leaves, second, false);
                let copy = self.copy_of(event);
                self.schedule(leaves + second, copy.forced_delivery(second));
            }
            self.send_past_interceptors(Which { from, to, kind }, event, leaves);
        }
        true
    }

    /// Whether a node that is to crash while it sends does so now, in place of its next message.
    fn crashes_now(&mut self, node: NodeId) -> bool {
        match self.faults().crash_after.get_mut(&node) {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    /// When a message can leave: once what was saved before is on the disk, and the processor has put it together.
    pub(super) fn put_together(&mut self, from: NodeId, bytes: u64) -> Micros {
        let (now, saved) = (self.time, self.saved_at(from));
        match self.faults.as_mut().and_then(|faults| faults.processors.as_mut()) {
            Some(processors) => saved.max(processors.send(from, now, bytes)),
            None => saved,
        }
    }

    /// When a message leaves, how long it takes and whether it gets lost, as the timing model has it.
    pub(super) fn in_time(
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

    /// Takes what fits out of all that is to come. Messages to several replicas are looked at one by one.
    pub(super) fn take_out(&mut self, fits: impl Fn(Micros, Event) -> bool) -> Vec<(Micros, Event)> {
        let mut taken = Vec::new();
        let mut sift = |arrives: Micros, event: Event| match event {
            Event::DeliverEach { from, to, flight, message_id } => {
                let single = |to| Event::Deliver { from, to, will_drop: false, flight, message_id };
                let gone: NodeSet = to.iter().filter(|to| fits(arrives, single(*to))).collect();
                taken.extend(gone.iter().map(|to| (arrives, single(to))));
                match to.minus(gone) {
                    NodeSet::EMPTY => Event::Void,
                    to => Event::DeliverEach { from, to, flight, message_id },
                }
            }
            _ if fits(arrives, event) => {
                taken.push((arrives, event));
                Event::Void
            }
            _ => event,
        };
        let Arriving { from, to, flight, message_id } = self.arriving;
        self.arriving.to = match sift(self.time, Event::DeliverEach { from, to, flight, message_id }) {
            Event::DeliverEach { to, .. } => to,
            _ => NodeSet::EMPTY,
        };
        self.wheel.for_each_mut(|arrives, packed| *packed = sift(arrives, packed.unpack()).pack());
        taken
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.hosts[usize::from(node.0)].up
    }
}

//! Read access to a world: state, messages in flight, counters, trace, history, fingerprint.

use super::{ClientMessage, End, Flight, GivenOrder, HistoryRecord, Mark, ReplyKind, Sending, World};
use crate::core::node::{Phase, Protocol, Reply, Setup};
use crate::core::{Command, Header, Log, Micros, NodeId, NodeSet, RuleSet, Told};
use crate::sim::action::{Action, Refused};
use crate::sim::measure::{Counts, Samples};
use crate::sim::network::Topology;
use crate::sim::network::links::Link;
use crate::sim::queue::event::{Arriving, Event};
use crate::sim::replicas::{EffectOf, FullReplicas, Replicas, ReplicasOf};
use crate::sim::roles::Resolved;
use crate::sim::trace::Trace;
use std::hash::{Hash, Hasher};

impl World {
    /// Microseconds since the start.
    pub fn time(&self) -> Micros {
        self.time
    }

    /// Events since the start.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Number of replicas, crashed and removed ones included.
    pub fn nodes(&self) -> u8 {
        self.hosts.len() as u8
    }

    /// What the cluster was set up with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The replicas, behind the protocol-independent trait.
    pub fn replicas(&self) -> &dyn Replicas {
        &*self.replicas
    }

    /// All that can be seen of the replicas. Not before [`World::allow_faults`], in a world made without faults.
    pub fn full_replicas(&self) -> &dyn FullReplicas {
        self.replicas.full()
    }

    /// Node states of protocol `P`; a crashed node is `None`. Empty if the world runs another protocol.
    pub fn nodes_of<P: Protocol>(&self) -> &[Option<P::Node>] {
        self.replicas.as_any().downcast_ref::<ReplicasOf<P>>().map_or(&[], |replicas| replicas.nodes())
    }

    /// Effects of the last step or action, for protocol `P`. Empty unless [`World::record_effects`] was called.
    pub fn effects_of<P: Protocol>(&self) -> &[(NodeId, EffectOf<P>)] {
        self.replicas.as_any().downcast_ref::<ReplicasOf<P>>().map_or(&[], |replicas| replicas.effects())
    }

    /// Link conditions from one node to another, in addition to the topology's.
    pub fn link(&self, from: NodeId, to: NodeId) -> Link {
        self.faults.as_ref().map_or(Link::default(), |faults| faults.links.get(from, to))
    }

    /// Index of a replica's site.
    pub fn site_of(&self, node: NodeId) -> u8 {
        self.hosts[usize::from(node.0)].site
    }

    /// Receivers that this replica's messages cannot reach, by link cuts or partitions.
    pub fn cut_from(&self, node: NodeId) -> NodeSet {
        self.hosts[usize::from(node.0)].cut
    }

    /// Those of [`World::cut_from`] whose link is cut for replicas only.
    pub fn cut_replicas_only(&self, node: NodeId) -> NodeSet {
        self.hosts[usize::from(node.0)].cut_replicas_only
    }

    /// The last action applied, by hand or by the script.
    pub fn intervention(&self) -> Option<Action> {
        self.intervention
    }

    /// The last reply that reached a client, and its sender.
    pub fn reply(&self) -> Option<(NodeId, ReplyKind)> {
        self.reply
    }

    /// Actions of the script that were impossible when due.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// The topology.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The counters.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Resets the counters.
    pub fn clear_counts(&mut self) {
        self.counts = Counts::new(self.replicas.kinds().len(), self.hosts.len(), usize::from(self.topology.sites));
    }

    /// Latency samples, by site of the client.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The trace.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Observations of the last step.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The rules applied at least once since the start.
    pub fn rules_used(&self) -> RuleSet {
        self.used
    }

    /// Applied script actions with roles, and their resolutions.
    pub fn resolved(&self) -> &[Resolved] {
        &self.resolved
    }

    /// Operators' orders that reached a leader, oldest first.
    pub fn orders(&self) -> &[GivenOrder] {
        &self.orders
    }

    /// Records the effects of each step or action from now on, for [`World::effects_of`].
    pub fn record_effects(&mut self) {
        self.records_effects = true;
        self.replicas.full_mut().record_effects();
        self.outbox.record_saves(true);
        self.outbox.record_reasons();
    }

    /// The reasons that handlers gave in the last step or action, in order. Empty unless [`World::record_effects`] was called.
    pub fn reasons(&self) -> &[(NodeId, Told)] {
        &self.reasons
    }

    /// Records the client history from now on, for [`World::recorded`].
    pub fn record_history(&mut self) {
        self.recorded = Some(Log::default());
    }

    /// The recorded client history, oldest first.
    pub fn recorded(&self) -> impl Iterator<Item = &HistoryRecord> {
        self.recorded.iter().flat_map(|recorded| recorded.iter().map(|(_, recorded)| recorded))
    }

    /// Number of outstanding commands.
    pub fn waiting(&self) -> usize {
        self.clients.sessions.iter().filter(|session| session.waiting.is_some()).count()
    }

    /// When the oldest outstanding command was issued, µs.
    pub fn waiting_since(&self) -> Option<Micros> {
        self.clients.sessions.iter().filter_map(|session| Some(session.waiting?.since)).min()
    }

    /// Quiescence: nothing but heartbeats is in flight, and no command is outstanding.
    pub fn is_quiet(&self) -> bool {
        self.waiting() == 0
            && (0..self.hosts.len() as u8).all(|node| self.waiting_at(NodeId(node)) == 0)
            && self.pending_events().all(|(_, event)| match event {
                Event::Deliver { message_id, .. }
                | Event::DeliverEach { message_id, .. }
                | Event::Handle { message_id, .. } => {
                    let Header { kind, .. } = self.outbox.messages.header(message_id);
                    self.replicas.kinds()[usize::from(kind.0)].phase == Phase::Heartbeat
                }
                Event::Request { .. } | Event::Reply { .. } => false,
                _ => true,
            })
    }

    /// All pending events, in an unspecified but deterministic order.
    pub(super) fn pending_events(&self) -> impl Iterator<Item = (Micros, Event)> {
        let Arriving { from, to, flight, message_id } = self.arriving;
        let now = (!to.is_empty()).then_some((self.time, Event::DeliverEach { from, to, flight, message_id }));
        now.into_iter().chain(self.wheel.iter().map(|(at, event)| (at, event.unpack())))
    }

    /// All messages in flight or held; `flights` is emptied first.
    pub fn flights(&self, flights: &mut Vec<Flight>) {
        flights.clear();
        for (arrives, event) in self.pending_events() {
            match event {
                Event::DeliverEach { from, to, flight, message_id } => {
                    let single = |to| Event::Deliver { from, to, will_drop: false, flight, message_id };
                    flights.extend(to.iter().filter_map(|to| self.as_flight(arrives, single(to), false)));
                }
                _ => flights.extend(self.as_flight(arrives, event, false)),
            }
        }
        let held = self.faults.as_ref().map_or(&[][..], |faults| &faults.held);
        flights.extend(held.iter().filter_map(|held| self.as_flight(self.time + held.left, held.event, true)));
    }

    /// All messages in flight that left at `since`, µs, or later, or wait to leave, and those held; `sent` is emptied first. Looking at what was
    /// sent in the last step costs a glance at each event to come.
    pub fn sent_since(&self, since: Micros, sent: &mut Vec<Sending>) {
        sent.clear();
        let mut add = |arrives: Micros, event: Event, held: bool| {
            if arrives.saturating_sub(event.flight()) >= since || held {
                sent.extend(self.as_sending(arrives, event, held));
            }
        };
        for (arrives, event) in self.pending_events() {
            match event {
                Event::DeliverEach { from, to, flight, message_id } => {
                    let single = |to| Event::Deliver { from, to, will_drop: false, flight, message_id };
                    to.iter().for_each(|to| add(arrives, single(to), false));
                }
                _ => add(arrives, event, false),
            }
        }
        let held = self.faults.as_ref().map_or(&[][..], |faults| &faults.held);
        held.iter().for_each(|held| add(self.time + held.left, held.event, true));
    }

    fn as_sending(&self, arrives: Micros, event: Event, held: bool) -> Option<Sending> {
        let flight = self.as_flight(arrives, event, held)?;
        let (bytes, client) = match event {
            Event::Deliver { message_id, .. } => (self.wire_size(message_id).1, None),
            Event::Request { client_message, .. } | Event::Reply { client_message, .. } => {
                let (client, seq) = match self.client_messages.look(client_message)? {
                    ClientMessage::Request(Command { client, seq, .. }) => (*client, *seq),
                    ClientMessage::Reply(Reply { client, seq, .. }) => (*client, *seq),
                };
                (self.client_message_size(client, seq), Some(client))
            }
            _ => return None,
        };
        Some(Sending { flight, bytes, client })
    }

    /// The message whose arrival an event is, if it is one.
    fn as_flight(&self, arrives: Micros, event: Event, held: bool) -> Option<Flight> {
        let client_site = |client_message: u32| match self.client_messages.look(client_message) {
            Some(ClientMessage::Request(Command { client, .. }) | ClientMessage::Reply(Reply { client, .. })) => {
                self.site_of_client(*client)
            }
            None => 0,
        };
        let (from, to, header, will_drop) = match event {
            Event::Deliver { from, to, will_drop, message_id, .. } => {
                let will_drop = will_drop || self.cut_from(from).has(to);
                (End::Node(from), End::Node(to), Some(self.outbox.messages.header(message_id)), will_drop)
            }
            Event::Request { to, will_drop, client_message, .. } => {
                let site = client_site(client_message);
                (End::Client(site), End::Node(to), None, will_drop || self.requests_cut(site).has(to))
            }
            Event::Reply { from, client_message, .. } => {
                let site = client_site(client_message);
                (End::Node(from), End::Client(site), None, self.replies_cut(site).has(from))
            }
            _ => return None,
        };
        let kind = header.map(|header| header.kind);
        let slot = header.map_or(0, |header| header.slot);
        let sent = arrives.saturating_sub(event.flight());
        let reply = match event {
            Event::Reply { from, client_message, .. } => match self.client_messages.look(client_message) {
                Some(ClientMessage::Reply(reply)) => Some(ReplyKind::of(reply.answer, from)),
                _ => None,
            },
            _ => None,
        };
        Some(Flight { id: event.flight_id()?, from, to, kind, reply, slot, sent, arrives, will_drop, held })
    }

    /// The node that leads the highest epoch, if any leads.
    pub fn leader(&self) -> Option<NodeId> {
        let leading = (0..self.nodes()).map(NodeId).filter_map(|id| Some((self.replicas.leads(id)?, id)));
        leading.max().map(|(_, id)| id)
    }

    /// Fingerprint: digest of trace, time and node states. Equal for equal runs on every machine.
    pub fn fingerprint(&self) -> u64 {
        let mut digest = self.trace.digest();
        self.time.hash(&mut digest);
        self.replicas.full().hash_nodes(&mut digest);
        digest.finish()
    }
}

//! What can be seen of a world from outside.

use super::event::Event;
use super::{Arriving, End, Flight, Heard, Letter, Mark, Msg, N, Said, World};
use crate::core::node::{Message, Node, Phase, Protocol, Reply};
use crate::core::{Command, Label, Log, Micros, NodeId, NodeSet, RuleSet};
use crate::sim::action::{Action, Refused};
use crate::sim::measure::{Counts, Samples};
use crate::sim::network::Terrain;
use crate::sim::trace::Trace;
use std::hash::{Hash, Hasher};

impl<P: Protocol> World<P> {
    /// Microseconds since the start.
    pub fn time(&self) -> Micros {
        self.time
    }

    /// Events since the start.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The replicas; a crashed one is `None`.
    pub fn nodes(&self) -> &[Option<N<P>>] {
        &self.nodes
    }

    /// The index of the site at which a replica lives.
    pub fn site_of(&self, node: NodeId) -> u8 {
        self.hosts[usize::from(node.0)].site
    }

    /// Whom this replica's messages cannot reach, by a cut.
    pub fn cut_from(&self, node: NodeId) -> NodeSet {
        self.hosts[usize::from(node.0)].cut
    }

    /// What was last done to the world, by hand or by the script.
    pub fn deed(&self) -> Option<Action> {
        self.deed
    }

    /// Actions of the script that made no sense when their time came.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// The sites and delays.
    pub fn terrain(&self) -> &Terrain {
        &self.terrain
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Starts counting from zero.
    pub fn clear_counts(&mut self) {
        self.counts = Counts::new(Msg::<P>::KINDS.len(), self.nodes.len(), usize::from(self.terrain.sites));
    }

    /// Answered commands of the clients at each site.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The trace.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the last step let the nodes learn or do.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The rules applied at least once since the start.
    pub fn rules_used(&self) -> RuleSet {
        self.used
    }

    /// Keeps what nodes ask for in each step, for [`World::said`].
    pub fn listen(&mut self) {
        self.said = Some(Vec::new());
        self.out.tell_saves(true);
    }

    /// What nodes asked for in the last step or action, if listened to.
    pub fn said(&self) -> &[(NodeId, Said<P>)] {
        self.said.as_deref().unwrap_or_default()
    }

    /// From now on keeps what clients ask and are told, for [`World::heard`].
    pub fn overhear(&mut self) {
        self.heard = Some(Log::default());
    }

    /// What clients asked and were told since they are overheard, oldest first.
    pub fn heard(&self) -> impl Iterator<Item = &Heard> {
        self.heard.iter().flat_map(|heard| heard.iter().map(|(_, heard)| heard))
    }

    /// Commands waiting for their answers.
    pub fn waiting(&self) -> usize {
        self.clients.sessions.iter().filter(|session| session.waiting.is_some()).count()
    }

    /// When the command that has waited longest was first asked for, µs.
    pub fn waiting_since(&self) -> Option<Micros> {
        self.clients.sessions.iter().filter_map(|session| Some(session.waiting?.since)).min()
    }

    /// Whether nothing is under way but heartbeats: no message about a command, no client waiting.
    pub fn is_quiet(&self) -> bool {
        self.waiting() == 0
            && (0..self.nodes.len() as u8).all(|node| self.waiting_at(NodeId(node)) == 0)
            && self.coming().all(|(_, event)| match event {
                Event::Deliver { parcel, .. } | Event::DeliverEach { parcel, .. } | Event::Handle { parcel, .. } => {
                    let Label { kind, .. } = self.out.parcels.label(parcel);
                    Msg::<P>::KINDS[usize::from(kind.0)].phase == Phase::Heartbeat
                }
                Event::Request { .. } | Event::Reply { .. } => false,
                _ => true,
            })
    }

    /// What is to come, in no particular (but always the same) order.
    pub(super) fn coming(&self) -> impl Iterator<Item = (Micros, Event)> {
        let Arriving { from, to, flight, parcel } = self.arriving;
        let now = (!to.is_empty()).then_some((self.time, Event::DeliverEach { from, to, flight, parcel }));
        now.into_iter().chain(self.wheel.iter().map(|(at, event)| (at, event.unpack())))
    }

    /// All messages under way; `flights` is emptied first.
    pub fn flights(&self, flights: &mut Vec<Flight>) {
        flights.clear();
        for (arrives, event) in self.coming() {
            match event {
                Event::DeliverEach { from, to, flight, parcel } => {
                    let single = |to| Event::Deliver { from, to, doomed: false, flight, parcel };
                    flights.extend(to.iter().filter_map(|to| self.as_flight(arrives, single(to), false)));
                }
                _ => flights.extend(self.as_flight(arrives, event, false)),
            }
        }
        let held = self.trouble.as_ref().map_or(&[][..], |trouble| &trouble.held);
        flights.extend(held.iter().filter_map(|held| self.as_flight(self.time + held.left, held.event, true)));
    }

    /// The message that an event is the arrival of, if it is.
    fn as_flight(&self, arrives: Micros, event: Event, held: bool) -> Option<Flight> {
        let client = |letter: u32| match self.letters.look(letter) {
            Some(Letter::Request(Command { client, .. }) | Letter::Reply(Reply { client, .. })) => {
                End::Client(self.site_of_client(*client))
            }
            None => End::Client(0),
        };
        let (from, to, label, doomed) = match event {
            Event::Deliver { from, to, doomed, parcel, .. } => {
                let doomed = doomed || self.cut_from(from).has(to);
                (End::Node(from), End::Node(to), Some(self.out.parcels.label(parcel)), doomed)
            }
            Event::Request { to, doomed, letter, .. } => (client(letter), End::Node(to), None, doomed),
            Event::Reply { from, letter, .. } => (End::Node(from), client(letter), None, false),
            _ => return None,
        };
        let kind = label.map(|label| label.kind);
        let slot = label.map_or(0, |label| label.slot);
        let sent = arrives.saturating_sub(event.flight());
        Some(Flight { id: event.flight_id()?, from, to, kind, slot, sent, arrives, doomed, held })
    }

    /// The leader with the highest epoch, if any node takes itself for one.
    pub fn leader(&self) -> Option<NodeId> {
        let leading = (0..).map(NodeId).zip(&self.nodes).filter_map(|(id, node)| Some((node.as_ref()?.leads()?, id)));
        leading.max().map(|(_, id)| id)
    }

    /// One number for all that happened and all that is. Equal for equal runs on every machine.
    pub fn fingerprint(&self) -> u64 {
        let mut digest = self.trace.digest();
        self.time.hash(&mut digest);
        self.nodes.hash(&mut digest);
        digest.finish()
    }
}

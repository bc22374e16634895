//! Nodes that lie.
//!
//! Lies need no knowledge of the protocol. *Twins* (Bano et al., OPODIS 2021) are two honest copies under one name that do not know of each
//! other: some nodes talk with one, the others with the other, and so they are told different things. A twin that begins with an empty disk
//! denies all that the node ever promised. The other lies are told on the way out: nothing is said to some, or to all what was meant
//! for one, or with another command in it. What others have signed a liar can pass on, but not change.
//!
//! The judges look at honest nodes only; who has ever lied is not one of them.

use super::event::Event;
use super::{Happening, Host, Letter, N, NEVER, World};
use crate::core::node::{Message, Protocol, Reply};
use crate::core::{Command, Label, Micros, NodeId, NodeSet};
use crate::sim::action::Lie;
use crate::sim::rng::Rng;

/// The second copy of a node.
#[derive(Clone, Debug)]
pub(super) struct Twin<P: Protocol> {
    of: NodeId,
    node: Option<N<P>>,
    host: Host<P>,
    /// Who talks with this copy.
    hears: NodeSet,
}

/// The liars.
#[derive(Clone, Debug)]
pub(super) struct Lies<P: Protocol> {
    /// All who ever lied.
    liars: NodeSet,
    twins: Vec<Twin<P>>,
    /// Which twin stands in its node's place now.
    present: Option<usize>,
    /// To whom each node says nothing, by node.
    silent: Vec<NodeSet>,
    /// Whom each node sends forged commands, by node.
    forges: Vec<NodeSet>,
    /// Who says to all what is meant for one.
    to_all: NodeSet,
}

impl<P: Protocol> Default for Lies<P> {
    fn default() -> Lies<P> {
        Lies {
            liars: NodeSet::EMPTY,
            twins: Vec::new(),
            present: None,
            silent: Vec::new(),
            forges: Vec::new(),
            to_all: NodeSet::EMPTY,
        }
    }
}

/// Tells the two copies of a node apart: no node boots so often.
const TWIN_LIFE: u16 = 1 << 15;

impl<P: Protocol> World<P> {
    /// Whether this node has ever lied.
    pub fn is_liar(&self, node: NodeId) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.lies.liars.has(node))
    }

    /// Whether there are two of this node.
    pub fn has_twin(&self, node: NodeId) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.lies.twins.iter().any(|twin| twin.of == node))
    }

    pub(super) fn lie(&mut self, node: NodeId, lie: Lie) {
        let nodes = self.nodes.len();
        let index = usize::from(node.0);
        let lies = &mut self.trouble().lies;
        lies.silent.resize(nodes.max(lies.silent.len()), NodeSet::EMPTY);
        lies.forges.resize(nodes.max(lies.forges.len()), NodeSet::EMPTY);
        if lie != Lie::Nothing {
            lies.liars.add(node);
        }
        match lie {
            Lie::Silent(to) => lies.silent[index] = to,
            Lie::Forge(to) => lies.forges[index] = to,
            Lie::ToAll => drop(lies.to_all.add(node)),
            Lie::Twin(hears) => self.split(node, hears),
            Lie::Deny(hears) => self.deny(node, hears),
            Lie::Nothing => {
                lies.silent[index] = NodeSet::EMPTY;
                lies.forges[index] = NodeSet::EMPTY;
                lies.to_all.remove(node);
                self.end_twin(node);
            }
        }
    }

    /// The node becomes two: `hears` talk with the second from now on.
    fn split(&mut self, node: NodeId, hears: NodeSet) {
        let mut host = self.hosts[usize::from(node.0)].clone();
        host.life = host.life.wrapping_add(TWIN_LIFE);
        host.rng = Rng::stream(self.seed, "twin", node.0.into());
        let life = host.life;
        let queued = (0..).zip(&host.timers).filter(|(_, timer)| timer.queued != NEVER);
        let queued: Vec<(u32, Micros)> = queued.map(|(index, timer)| (index, timer.queued)).collect();
        for (index, queued) in queued {
            self.schedule(queued, Event::Timer { node, life, index });
        }
        let copy = self.nodes[usize::from(node.0)].clone();
        self.trouble().lies.twins.push(Twin { of: node, node: copy, host, hears });
    }

    /// The same, but the second starts with an empty disk.
    fn deny(&mut self, node: NodeId, hears: NodeSet) {
        let mut host = self.hosts[usize::from(node.0)].clone();
        host.timers.clear();
        host.storage = Default::default();
        host.life = host.life.wrapping_add(TWIN_LIFE);
        host.rng = Rng::stream(self.seed, "twin", node.0.into());
        self.trouble().lies.twins.push(Twin { of: node, node: None, host, hears });
        let index = self.trouble().lies.twins.len() - 1;
        self.stand_in(index);
        self.boot(node);
        self.stand_in(index);
    }

    /// Only the first copy is left.
    pub(super) fn end_twin(&mut self, node: NodeId) {
        let Some(trouble) = &mut self.trouble else { return };
        let Lies { twins, present, .. } = &mut trouble.lies;
        if present.is_some_and(|index| twins[index].of == node) {
            *present = None;
        }
        twins.retain(|twin| twin.of != node);
    }

    /// A twin and its node change places.
    fn stand_in(&mut self, index: usize) {
        let Some(trouble) = &mut self.trouble else { return };
        let lies = &mut trouble.lies;
        let twin = &mut lies.twins[index];
        let of = usize::from(twin.of.0);
        // Both live in one place, behind the same links.
        let here = &self.hosts[of];
        (twin.host.site, twin.host.domain) = (here.site, here.domain);
        (twin.host.cut, twin.host.cut_links) = (here.cut, here.cut_links);
        std::mem::swap(&mut twin.node, &mut self.nodes[of]);
        std::mem::swap(&mut twin.host, &mut self.hosts[of]);
        lies.present = if lies.present.is_some() { None } else { Some(index) };
    }

    /// Carries out an event, at the second copy of its node if it is that one's.
    pub(super) fn at_whichever_copy(&mut self, event: Event) -> Option<Happening> {
        match self.whose(event) {
            Some(index) => {
                self.stand_in(index);
                let happening = self.come_to_pass(event);
                // A copy that has stopped, at a full disk, took the other one with it.
                if self.trouble.as_ref().is_some_and(|trouble| trouble.lies.present.is_some()) {
                    self.stand_in(index);
                }
                happening
            }
            None => self.come_to_pass(event),
        }
    }

    /// The twin that an event is for, if it is for one.
    fn whose(&self, event: Event) -> Option<usize> {
        let twins = &self.trouble.as_ref()?.lies.twins;
        if twins.is_empty() {
            return None;
        }
        let heard_by = |twin: &Twin<P>| match event {
            Event::Deliver { from, to, .. } => to == twin.of && from != to && twin.hears.has(from),
            Event::Timer { node, life, .. } => node == twin.of && life == twin.host.life,
            Event::Handle { to, life, .. } => to == twin.of && life == twin.host.life,
            // Every other client happens on the second one.
            Event::Request { to, letter, .. } => {
                let client = match self.letters.look(letter) {
                    Some(Letter::Request(Command { client, .. }) | Letter::Reply(Reply { client, .. })) => client.0,
                    None => 0,
                };
                to == twin.of && client % 2 == 1
            }
            _ => false,
        };
        twins.iter().position(heard_by)
    }

    /// Which life of a node hears a message: that of its second copy, or of the first.
    pub(super) fn life_that_hears(&self, from: NodeId, to: NodeId) -> u16 {
        let twins = self.trouble.as_ref().map_or(&[][..], |trouble| &trouble.lies.twins);
        let twin = twins.iter().find(|twin| twin.of == to && twin.hears.has(from));
        twin.map_or(self.hosts[usize::from(to.0)].life, |twin| twin.host.life)
    }

    /// Whom a message of a node goes to, lies considered; those left out never hear of it. The parcel is meant for as many.
    pub(super) fn audience(&mut self, from: NodeId, to: NodeSet, parcel: u32) -> NodeSet {
        let Some(trouble) = &self.trouble else { return to };
        let lies = &trouble.lies;
        if !lies.liars.has(from) {
            return to;
        }
        let mut hears = to;
        if lies.to_all.has(from) && to != NodeSet::just(from) {
            hears = hears.or(NodeSet::first(self.nodes.len() as u8).without(from));
        }
        hears = hears.minus(lies.silent[usize::from(from.0)].without(from));
        if let Some(twin) = lies.twins.iter().find(|twin| twin.of == from) {
            hears = match lies.present {
                Some(_) => hears.and(twin.hears.with(from)),
                None => hears.minus(twin.hears),
            };
        }
        self.out.parcels.redirect(parcel, hears.len().into());
        hears
    }

    /// Whether a node answers clients.
    pub(super) fn answers(&self, node: NodeId) -> bool {
        let Some(trouble) = &self.trouble else { return true };
        let others = NodeSet::first(self.nodes.len() as u8).without(node);
        let silent = trouble.lies.silent.get(usize::from(node.0));
        silent.is_none_or(|silent| !others.minus(*silent).is_empty() || others.is_empty())
    }

    /// The message with another command in it, if the sender forges what it sends there and there is one in it.
    pub(super) fn forge(&mut self, from: NodeId, to: NodeId, event: Event) -> Event {
        let forges = self
            .trouble
            .as_ref()
            .is_some_and(|trouble| trouble.lies.forges.get(usize::from(from.0)).is_some_and(|forges| forges.has(to)));
        let Event::Deliver { doomed, flight, parcel, .. } = event else { return event };
        let forged = if forges { self.out.parcels.look(parcel).and_then(|message| message.forged()) } else { None };
        match forged {
            Some(message) => {
                self.out.parcels.take(parcel);
                let label = Label::of(&message);
                let parcel = self.out.parcels.put(message, label, 1);
                Event::Deliver { from, to, doomed, flight, parcel }
            }
            None => event,
        }
    }
}

//! How messages fare on links that are slow, lossy, narrow or otherwise disturbed.

use super::jitter;
use crate::core::{Micros, NodeId, NodeSet};
use crate::sim::action::{ALL, LinkFault};
use crate::sim::rng::Rng;
use std::collections::BTreeMap;

/// How messages on one link fare, besides what the topology says. All zero: as usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Extra delay, µs.
    pub extra: u32,
    /// Mean of the random delay that comes to it, µs.
    pub jitter: u32,
    /// So many in a thousand get lost.
    pub lose: u16,
    /// So many in a thousand arrive twice.
    pub duplicate: u16,
    /// So many in a thousand are held up.
    pub reorder: u16,
    /// For up to so long, µs.
    pub reorder_by: u32,
    /// Bytes a second; 0 for no limit.
    pub bytes_per_s: u32,
}

/// The disturbed links.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Links {
    links: BTreeMap<(NodeId, NodeId), Link>,
    /// How messages fare on all others.
    others: Link,
    /// How many bytes a second each node may send; 0 for no limit.
    uplinks: BTreeMap<NodeId, u32>,
    /// When the last message of the queue for a narrow link will have left, µs.
    link_free: BTreeMap<(NodeId, NodeId), Micros>,
    /// The same for uplinks.
    uplink_free: BTreeMap<NodeId, Micros>,
    /// Chance of its own, so that a disturbed link changes nothing elsewhere.
    pub rng: Rng,
}

/// What a disturbed link does to one message.
pub(in crate::sim) struct Transmission {
    pub leaves: Micros,
    pub flight: Micros,
    pub lost: bool,
    /// A second one arrives, too, after so long, µs.
    pub twice: Option<Micros>,
}

impl Links {
    pub fn new(seed: u64) -> Links {
        Links {
            links: BTreeMap::new(),
            others: Link::default(),
            uplinks: BTreeMap::new(),
            link_free: BTreeMap::new(),
            uplink_free: BTreeMap::new(),
            rng: Rng::stream(seed, "faults", 0),
        }
    }

    pub fn get(&self, from: NodeId, to: NodeId) -> Link {
        self.links.get(&(from, to)).copied().unwrap_or(self.others)
    }

    pub fn disturb(&mut self, from: NodeSet, to: NodeSet, how: LinkFault) {
        let change = |link: &mut Link| match how {
            LinkFault::Slow { extra, jitter } => (link.extra, link.jitter) = (extra, jitter),
            LinkFault::Lose(permille) => link.lose = permille,
            LinkFault::Duplicate(permille) => link.duplicate = permille,
            LinkFault::Reorder { permille, by } => (link.reorder, link.reorder_by) = (permille, by),
            LinkFault::Narrow(bytes) => link.bytes_per_s = bytes,
        };
        if (from, to) == (ALL, ALL) {
            change(&mut self.others);
            self.links.values_mut().for_each(change);
        } else {
            for pair in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
                change(self.links.entry(pair).or_insert(self.others));
            }
        }
        self.links.retain(|_, link| *link != self.others);
    }

    pub fn limit_uplink(&mut self, node: NodeId, bytes_per_s: u32) {
        match bytes_per_s {
            0 => self.uplinks.remove(&node),
            _ => self.uplinks.insert(node, bytes_per_s),
        };
    }

    pub fn clear_link_faults(&mut self) {
        self.links.clear();
        self.others = Link::default();
        self.uplinks.clear();
    }

    /// The node has ended: what queued for its ways out is gone.
    pub fn clear_queues(&mut self, node: NodeId) {
        self.uplink_free.remove(&node);
        self.link_free.retain(|(from, _), _| *from != node);
    }

    /// How a message of so many bytes fares that could leave at `leaves` and would take `flight` µs.
    pub fn transmit(
        &mut self,
        (from, to): (NodeId, NodeId),
        leaves: Micros,
        flight: Micros,
        bytes: u64,
    ) -> Transmission {
        let (mut leaves, mut flight) = (leaves, flight);
        let mut queue = |free: &mut Micros, bytes_per_s: u32| {
            leaves = leaves.max(*free) + (bytes * 1_000_000).div_ceil(u64::from(bytes_per_s));
            *free = leaves;
        };
        if let Some(bytes_per_s) = self.uplinks.get(&from) {
            queue(self.uplink_free.entry(from).or_default(), *bytes_per_s);
        }
        let link = self.links.get(&(from, to)).copied().unwrap_or(self.others);
        if link.bytes_per_s > 0 {
            queue(self.link_free.entry((from, to)).or_default(), link.bytes_per_s);
        }
        flight += Micros::from(link.extra);
        if link.jitter > 0 {
            flight += jitter::exponential(link.jitter.into(), &mut self.rng);
        }
        if self.rng.chance(link.reorder) {
            flight += self.rng.between(0, link.reorder_by.into());
        }
        let lost = self.rng.chance(link.lose);
        // On its other way it takes up to as long again.
        let twice = self.rng.chance(link.duplicate).then(|| flight + self.rng.between(0, flight));
        Transmission { leaves, flight, lost, twice }
    }
}

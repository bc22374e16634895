//! Link conditions: additional delay, jitter, loss, duplication, reordering and bandwidth limits, per directed link.

use super::jitter;
use crate::core::{Micros, NodeId, NodeSet};
use crate::sim::action::{ALL, LinkFault};
use crate::sim::rng::Rng;
use std::collections::BTreeMap;

/// Conditions of one directed link, in addition to the topology's. All zero: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Additional delay, µs.
    pub extra: u32,
    /// Mean of the additional random delay (exponential), µs.
    pub jitter: u32,
    /// Loss rate, thousandths.
    pub lose: u16,
    /// Duplication rate, thousandths.
    pub duplicate: u16,
    /// Reordering rate, thousandths.
    pub reorder: u16,
    /// Maximum delay of a reordered message (uniform), µs.
    pub reorder_by: u32,
    /// Bandwidth, bytes a second; 0 for no limit.
    pub bytes_per_s: u32,
}

/// Link conditions and transmission queues of all links.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Links {
    links: BTreeMap<(NodeId, NodeId), Link>,
    /// Conditions of all links not in `links`.
    others: Link,
    /// Outgoing bandwidth of each limited node, bytes a second.
    uplinks: BTreeMap<NodeId, u32>,
    /// When the transmission queue of a bandwidth-limited link is empty, µs.
    link_free: BTreeMap<(NodeId, NodeId), Micros>,
    /// The same for uplinks.
    uplink_free: BTreeMap<NodeId, Micros>,
    /// A stream of its own, so that link conditions change no draws elsewhere.
    pub rng: Rng,
}

/// Transmission of one message over a link with conditions.
pub(in crate::sim) struct Transmission {
    pub leaves: Micros,
    pub flight: Micros,
    pub lost: bool,
    /// Flight time of a duplicate, µs; `None`: no duplicate.
    pub duplicate_flight: Option<Micros>,
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

    /// Removes the transmission queues whose limit is lifted, and returns the links that have no other limit, with the time when their queue
    /// would have been empty, µs.
    pub fn take_lifted(&mut self, nodes: u8) -> BTreeMap<(NodeId, NodeId), Micros> {
        let mut lifted = BTreeMap::new();
        for from in (0..nodes).map(NodeId).filter(|from| !self.uplinks.contains_key(from)) {
            let uplink = self.uplink_free.remove(&from).unwrap_or_default();
            for to in (0..nodes).map(NodeId) {
                if self.get(from, to).bytes_per_s > 0 {
                    continue;
                }
                let empty = self.link_free.remove(&(from, to)).unwrap_or_default().max(uplink);
                lifted.extend((empty > 0).then_some(((from, to), empty)));
            }
        }
        lifted
    }

    /// Empties the outgoing transmission queues of a node that has crashed.
    pub fn clear_queues(&mut self, node: NodeId) {
        self.uplink_free.remove(&node);
        self.link_free.retain(|(from, _), _| *from != node);
    }

    /// Transmits a message of `bytes` bytes that could leave at `leaves` and would take `flight` µs without conditions. Draws from [`Links::rng`].
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
        // The duplicate takes between one and two times as long.
        let duplicate_flight = self.rng.chance(link.duplicate).then(|| flight + self.rng.between(0, flight));
        Transmission { leaves, flight, lost, duplicate_flight }
    }
}

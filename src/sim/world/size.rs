//! The memory of a world, by count: what there is of each kind, times its size. Not what the allocator says, so it is the same in every run.

use super::{Host, World};
use crate::core::{Log, NodeId, Outcome};
use crate::sim::clients::Session;
use crate::sim::{ClientGroup, Service};

/// Bytes of a world or of a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// What every copy has for itself.
    pub own: u64,
    /// What copies share, such as the filled parts of logs.
    pub shared: u64,
}

impl Size {
    /// All of it.
    pub fn all(self) -> u64 {
        self.own + self.shared
    }
}

impl std::ops::Add for Size {
    type Output = Size;

    fn add(self, other: Size) -> Size {
        Size { own: self.own + other.own, shared: self.shared + other.shared }
    }
}

/// A world with nothing in it: event queue, routes, counters, trace, nodes.
const EMPTY: u64 = 30_000;
/// One entry of a replica's log.
const ENTRY: u64 = 40;
/// What a replica's state machine holds for a key, a session, or an item.
const KEPT: u64 = 24;

/// What a recorded history takes once it is judged: so many times its own size.
const JUDGED: u64 = 6;

impl World {
    /// Its memory.
    pub fn size(&self) -> Size {
        let nodes = self.hosts.len() as u64;
        let under_way = self.wheel.bytes()
            + self.client_messages.bytes()
            + self.outbox.messages.bytes()
            + self.replicas.bytes_under_way()
            + self.faults.as_ref().map_or(0, |faults| faults.bytes());
        let clients = (self.clients.sessions.len() * size_of::<Session>()) as u64;
        let timers: u64 = self.hosts.iter().map(|host| (size_of::<Host>() + host.timers.len() * 32) as u64).sum();
        let machines = nodes * self.machine();
        let recorded = self.recorded.as_ref().map_or(0, Log::bytes) * JUDGED;
        let samples: u64 = self.samples.iter().map(Log::bytes).sum();
        Size {
            own: EMPTY + under_way + clients + timers + machines,
            shared: self.logs() + recorded + samples + nodes * self.published(),
        }
    }

    /// Number of events in the queue.
    pub fn under_way(&self) -> usize {
        self.wheel.len()
    }

    /// What the state machine of one replica holds at most.
    fn machine(&self) -> u64 {
        let sessions = (self.clients.sessions.len() * size_of::<Option<(u32, Outcome)>>()) as u64;
        let answered = self.counts.answered;
        let kept = |group: &ClientGroup| match group.service {
            // What is in a queue stays there until somebody takes it.
            Service::Queue(_) => answered,
            _ => answered.min(group.keys.into()),
        };
        sessions + self.clients.groups.iter().map(kept).max().unwrap_or(0) * KEPT
    }

    /// What one replica keeps of what was published.
    fn published(&self) -> u64 {
        let publishes = self.clients.groups.iter().any(|group| group.service == Service::Broadcast);
        if publishes { self.counts.answered * 4 } else { 0 }
    }

    /// The logs of all replicas. A replica that is down keeps on its disk about as much as the others have.
    fn logs(&self) -> u64 {
        let held = |node| self.replicas.status(NodeId(node)).map(|status| status.log);
        let length = |node| held(node).map(|log| u64::from(log.last.saturating_sub(log.first.max(1) - 1)));
        let lengths: Vec<Option<u64>> = (0..self.nodes()).map(length).collect();
        let longest = lengths.iter().flatten().max().copied().unwrap_or(0);
        lengths.into_iter().map(|length| length.unwrap_or(longest)).sum::<u64>() * ENTRY
    }
}

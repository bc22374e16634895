//! Processor model: a single-server queue in which each received and each sent message costs processing time.
//!
//! Messages, those of clients included, are received one at a time in order of arrival, and a sent message leaves when the processor has
//! prepared it. So a leader, which receives and sends more than the others, saturates first. Timers are handled without queueing. Times are
//! summed in nanoseconds, so that small costs are not rounded away.

use crate::core::{Micros, NodeId};
use crate::sim::network::Cost;
use crate::sim::queue::event::Event;
use std::collections::VecDeque;

/// The processors of all nodes.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Processors {
    pub cost: Cost,
    of: Vec<Processor>,
}

/// State of one processor.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Processor {
    /// End of the work accepted so far, ns since the start.
    pub busy_until: u64,
    /// Arrivals not yet being received, oldest first.
    pub inbox: VecDeque<Event>,
    pub stage: Stage,
    /// Slowdown: percent of the configured cost.
    pub percent: u32,
}

impl Default for Processor {
    fn default() -> Processor {
        Processor { busy_until: 0, inbox: VecDeque::new(), stage: Stage::Idle, percent: 100 }
    }
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Stage {
    /// No message to process.
    Idle,
    /// Receiving this message.
    Receiving(Event),
    /// The received message is being handled and its effects sent.
    Handling,
}

impl Processor {
    /// Adds `nanos` ns of work, scaled by the slowdown, after the work accepted so far; returns its end, µs since the start.
    pub fn work(&mut self, now: Micros, nanos: u64) -> Micros {
        self.busy_until = self.busy_until.max(now * 1_000) + nanos * u64::from(self.percent) / 100;
        self.busy_until.div_ceil(1_000)
    }
}

impl Processors {
    pub fn new(cost: Cost) -> Processors {
        Processors { cost, of: Vec::new() }
    }

    /// Messages that wait for a processor.
    pub fn queued(&self) -> usize {
        self.of.iter().map(|processor| processor.inbox.len()).sum()
    }

    pub fn get(&mut self, node: NodeId) -> &mut Processor {
        let index = usize::from(node.0);
        if self.of.len() <= index {
            self.of.resize_with(index + 1, Processor::default);
        }
        &mut self.of[index]
    }

    /// Adds the cost of sending a message of `bytes` bytes; returns when the message is ready, µs since the start.
    pub fn send(&mut self, node: NodeId, now: Micros, bytes: u64) -> Micros {
        let nanos = self.cost.send + bytes * self.cost.send_byte;
        self.get(node).work(now, nanos)
    }

    pub fn throttle(&mut self, node: NodeId, percent: u32) {
        self.get(node).percent = percent;
    }
}

//! What messages cost a node's processor.
//!
//! A processor does one thing after the other: each message that arrives, those of clients included, is taken in when those before it are
//! done, and each that is sent leaves when it has been put together. So a leader, which hears and sends more than the others, is
//! the first to have its hands full. Timers interrupt. Times are added up in nanoseconds, so that small costs are not rounded away.

use crate::core::{Micros, NodeId};
use crate::sim::network::Cost;
use crate::sim::queue::event::Event;
use std::collections::VecDeque;

/// The processors.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Processors {
    pub cost: Cost,
    of: Vec<Processor>,
}

/// One processor.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Processor {
    /// At work until then, ns since the start.
    pub busy_until: u64,
    /// What has arrived and waits for its turn.
    pub inbox: VecDeque<Event>,
    pub stage: Stage,
    /// Everything takes so many hundredths of the usual time.
    pub percent: u32,
}

impl Default for Processor {
    fn default() -> Processor {
        Processor { busy_until: 0, inbox: VecDeque::new(), stage: Stage::Idle, percent: 100 }
    }
}

#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Stage {
    /// Nothing to do.
    Idle,
    /// Taking in this.
    Receiving(Event),
    /// What was taken in is being handled.
    Handling,
}

impl Processor {
    /// Works for so long, from `now` on or from when the work before is done; tells until when, µs.
    pub fn work(&mut self, now: Micros, nanos: u64) -> Micros {
        self.busy_until = self.busy_until.max(now * 1_000) + nanos * u64::from(self.percent) / 100;
        self.busy_until.div_ceil(1_000)
    }
}

impl Processors {
    pub fn new(cost: Cost) -> Processors {
        Processors { cost, of: Vec::new() }
    }

    pub fn get(&mut self, node: NodeId) -> &mut Processor {
        let index = usize::from(node.0);
        if self.of.len() <= index {
            self.of.resize_with(index + 1, Processor::default);
        }
        &mut self.of[index]
    }

    /// A node puts a message together; tells when that is done.
    pub fn send(&mut self, node: NodeId, now: Micros, bytes: u64) -> Micros {
        let nanos = self.cost.send + bytes * self.cost.send_byte;
        self.get(node).work(now, nanos)
    }

    pub fn throttle(&mut self, node: NodeId, percent: u32) {
        self.get(node).percent = percent;
    }
}

//! What messages cost a node's processor.
//!
//! A processor does one thing after the other: each message that arrives, those of clients included, is taken in when those before it are
//! done, and each that is sent leaves when it has been put together. So a leader, which hears and sends more than the others, is
//! the first to have its hands full. Timers interrupt. Times are added up in nanoseconds, so that small costs are not rounded away.

use super::event::Event;
use super::{ClientMessage, World};
use crate::core::{Command, Micros, NodeId};
use crate::sim::network::Cost;
use std::collections::VecDeque;

/// The processors.
#[derive(Clone, Debug)]
pub(super) struct Processors {
    cost: Cost,
    of: Vec<Processor>,
}

/// One processor.
#[derive(Clone, Debug)]
struct Processor {
    /// At work until then, ns since the start.
    busy_until: u64,
    /// What has arrived and waits for its turn.
    inbox: VecDeque<Event>,
    stage: Stage,
    /// Everything takes so many hundredths of the usual time.
    percent: u32,
}

impl Default for Processor {
    fn default() -> Processor {
        Processor { busy_until: 0, inbox: VecDeque::new(), stage: Stage::Idle, percent: 100 }
    }
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Nothing to do.
    Idle,
    /// Taking in this.
    Receiving(Event),
    /// What was taken in is being handled.
    Handling,
}

impl Processor {
    /// Works for so long, from `now` on or from when the work before is done; tells until when, µs.
    fn work(&mut self, now: Micros, nanos: u64) -> Micros {
        self.busy_until = self.busy_until.max(now * 1_000) + nanos * u64::from(self.percent) / 100;
        self.busy_until.div_ceil(1_000)
    }
}

impl Processors {
    pub fn new(cost: Cost) -> Processors {
        Processors { cost, of: Vec::new() }
    }

    fn get(&mut self, node: NodeId) -> &mut Processor {
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

impl World {
    /// What arrives waits for its turn. Returns what is handled now.
    pub(super) fn take_turns(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Deliver { from, to, will_drop: false, .. } if from != to && self.is_up(to) => {
                if self.cut_from(from).has(to) {
                    return Some(event);
                }
                self.arrive_at_processor(to, event)
            }
            Event::Request { to, will_drop: false, .. } if self.is_up(to) => self.arrive_at_processor(to, event),
            Event::Turn { node, incarnation } => {
                if self.hosts[usize::from(node.0)].incarnation != incarnation {
                    return None;
                }
                self.turn(node)
            }
            _ => Some(event),
        }
    }

    fn arrive_at_processor(&mut self, node: NodeId, event: Event) -> Option<Event> {
        let Some(processors) = &mut self.faults().processors else { return Some(event) };
        let processor = processors.get(node);
        processor.inbox.push_back(event);
        if matches!(processor.stage, Stage::Idle) {
            self.receive_next(node);
        }
        None
    }

    /// Begins to take in what is next.
    fn receive_next(&mut self, node: NodeId) {
        let now = self.time;
        let incarnation = self.hosts[usize::from(node.0)].incarnation;
        let front = self.faults().processors.as_mut().and_then(|processors| processors.get(node).inbox.pop_front());
        let bytes = match front {
            Some(Event::Deliver { message_id, .. }) => self.weigh(message_id).1,
            Some(Event::Request { client_message, .. }) => match self.client_messages.look(client_message) {
                Some(ClientMessage::Request(Command { client, seq, .. })) => self.client_weight(*client, *seq),
                _ => 0,
            },
            _ => 0,
        };
        let Some(processors) = &mut self.faults().processors else { return };
        let nanos = processors.cost.receive + bytes * processors.cost.receive_byte;
        let processor = processors.get(node);
        match front {
            Some(event) => {
                processor.stage = Stage::Receiving(event);
                let done = processor.work(now, nanos);
                self.schedule(done, Event::Turn { node, incarnation });
            }
            None => processor.stage = Stage::Idle,
        }
    }

    /// The processor of a node has finished something.
    fn turn(&mut self, node: NodeId) -> Option<Event> {
        let now = self.time;
        let incarnation = self.hosts[usize::from(node.0)].incarnation;
        let processor = self.faults().processors.as_mut()?.get(node);
        let done = processor.busy_until.div_ceil(1_000);
        match processor.stage {
            // A timer came in between and sent something.
            Stage::Receiving(_) if done > now => {
                self.schedule(done, Event::Turn { node, incarnation });
                None
            }
            Stage::Receiving(event) => {
                processor.stage = Stage::Handling;
                // Once it is handled and the answers are sent, the next one gets its turn.
                self.schedule(now, Event::Turn { node, incarnation });
                Some(match event {
                    Event::Deliver { from, to, flight, message_id, .. } => {
                        let incarnation = self.receiving_incarnation(from, to);
                        Event::Handle { from, to, incarnation, flight, message_id }
                    }
                    other => other,
                })
            }
            Stage::Handling | Stage::Idle => {
                self.receive_next(node);
                None
            }
        }
    }

    /// The node has ended: what waited for its processor is lost.
    pub(super) fn clear_processor(&mut self, node: NodeId) {
        let Some(processors) = self.faults.as_mut().and_then(|faults| faults.processors.as_mut()) else { return };
        let processor = processors.get(node);
        let Processor { inbox, stage, percent, .. } = std::mem::take(processor);
        processor.percent = percent;
        let receiving = if let Stage::Receiving(event) = stage { Some(event) } else { None };
        receiving.into_iter().chain(inbox).for_each(|event| self.lose(event));
    }
}

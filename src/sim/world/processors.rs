//! Message processing at a node's processor: queueing, receiving, handling.

use super::{ClientMessage, World};
use crate::core::{Command, NodeId};
use crate::sim::hosts::processor::{Processor, Stage};
use crate::sim::queue::event::Event;

impl World {
    /// Queues an arrival at the receiver's processor. Returns the event to handle now, if any.
    pub(super) fn schedule_on_processor(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Deliver { from, to, will_drop: false, .. } if from != to && self.is_up(to) => {
                if self.cut_from(from).has(to) {
                    return Some(event);
                }
                self.enqueue_at_processor(to, event)
            }
            Event::Request { to, will_drop: false, .. } if self.is_up(to) => self.enqueue_at_processor(to, event),
            Event::ProcessorDone { node, incarnation } => {
                if self.hosts[usize::from(node.0)].incarnation != incarnation {
                    return None;
                }
                self.processor_done(node)
            }
            _ => Some(event),
        }
    }

    fn enqueue_at_processor(&mut self, node: NodeId, event: Event) -> Option<Event> {
        let Some(processors) = &mut self.faults().processors else { return Some(event) };
        let processor = processors.get(node);
        processor.inbox.push_back(event);
        if matches!(processor.stage, Stage::Idle) {
            self.receive_next(node);
        }
        None
    }

    /// Starts receiving the next queued message, or becomes idle.
    fn receive_next(&mut self, node: NodeId) {
        let now = self.time;
        let incarnation = self.hosts[usize::from(node.0)].incarnation;
        let front = self.faults().processors.as_mut().and_then(|processors| processors.get(node).inbox.pop_front());
        let bytes = match front {
            Some(Event::Deliver { message_id, .. }) => self.wire_size(message_id).1,
            Some(Event::Request { client_message, .. }) => match self.client_messages.look(client_message) {
                Some(ClientMessage::Request(Command { client, seq, .. })) => self.client_message_size(*client, *seq),
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
                self.schedule(done, Event::ProcessorDone { node, incarnation });
            }
            None => processor.stage = Stage::Idle,
        }
    }

    /// A processor has finished a stage: handles what it received, or receives the next message.
    fn processor_done(&mut self, node: NodeId) -> Option<Event> {
        let now = self.time;
        let incarnation = self.hosts[usize::from(node.0)].incarnation;
        let processor = self.faults().processors.as_mut()?.get(node);
        let done = processor.busy_until.div_ceil(1_000);
        match processor.stage {
            // A timer handler sent messages meanwhile, which took processing time.
            Stage::Receiving(_) if done > now => {
                self.schedule(done, Event::ProcessorDone { node, incarnation });
                None
            }
            Stage::Receiving(event) => {
                processor.stage = Stage::Handling;
                // The next message is received once this one is handled and its effects are sent.
                self.schedule(now, Event::ProcessorDone { node, incarnation });
                Some(match event {
                    Event::Deliver { from, to, flight, message_id, .. } => {
                        let incarnation = self.addressed_incarnation(from, to);
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

    /// Crash: the messages queued at the node's processor are lost.
    pub(super) fn clear_processor(&mut self, node: NodeId) {
        let Some(processors) = self.faults.as_mut().and_then(|faults| faults.processors.as_mut()) else { return };
        let processor = processors.get(node);
        let Processor { inbox, stage, percent, .. } = std::mem::take(processor);
        processor.percent = percent;
        let receiving = if let Stage::Receiving(event) = stage { Some(event) } else { None };
        receiving.into_iter().chain(inbox).for_each(|event| self.lose(event));
    }
}

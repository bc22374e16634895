//! Event types of the simulator, and their packed form in the event queue.

use crate::core::{ClientId, NodeId, NodeSet};
use crate::sim::trace::Way;

/// A message arriving at several replicas in one microsecond; each handles it in an event of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sim) struct Arriving {
    pub from: NodeId,
    pub to: NodeSet,
    pub flight: u32,
    pub message_id: u32,
}

/// A future event. Contents of messages are in the message stores, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Event {
    /// A message arrives, `flight` µs after it was sent; with `will_drop` it is lost instead.
    Deliver { from: NodeId, to: NodeId, will_drop: bool, flight: u32, message_id: u32 },
    /// A message arrives at several replicas in the same microsecond, in order of id: as many events, with one entry in the queue.
    DeliverEach { from: NodeId, to: NodeSet, flight: u32, message_id: u32 },
    /// A message that arrived earlier is handled: its service time is over, or it is a message of a node to itself.
    Handle { from: NodeId, to: NodeId, incarnation: u16, flight: u32, message_id: u32 },
    /// A node's timer may have expired.
    Timer { node: NodeId, incarnation: u16, index: u32 },
    /// A client's request arrives.
    Request { to: NodeId, will_drop: bool, flight: u32, client_message: u32 },
    /// A replica's reply arrives.
    Reply { from: NodeId, flight: u32, client_message: u32 },
    /// A client session may issue its next command.
    Wake(ClientId),
    /// The retry timeout of a client session may have expired.
    RetryTimeout(ClientId),
    /// A client session sends its command again after a redirect and a pause.
    Resend { client: ClientId, seq: u32, attempt: u16 },
    /// A command arrives in an open-loop client group.
    Arrival(u16),
    /// The script's next action is due.
    Script(u32),
    /// A processor has finished a stage of its work.
    ProcessorDone { node: NodeId, incarnation: u16 },
    /// A node is fenced (turned off) by another.
    Fence { by: NodeId, target: NodeId },
    /// Removed from the queue before its time.
    Cancelled,
}

/// Packed event: two whole words (see "Speed" in `ARCHITECTURE.md`).
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Packed {
    /// From the lowest byte on: event type, two 8-bit fields, a flag, and a 32-bit field in the upper half.
    head: u64,
    /// Two 32-bit fields.
    body: u64,
}

impl Event {
    /// The node that handles it, if one does.
    pub(in crate::sim) fn handler(self) -> Option<NodeId> {
        match self {
            Event::Deliver { to, .. } | Event::Handle { to, .. } | Event::Request { to, .. } => Some(to),
            Event::Timer { node, .. } => Some(node),
            _ => None,
        }
    }

    /// Packs the event.
    #[inline(always)]
    pub(in crate::sim) fn pack(self) -> Packed {
        let words = |tag: u8, a: u8, b: u8, flag: bool, upper: u32, low: u32, high: u32| Packed {
            head: u64::from(tag)
                | u64::from(a) << 8
                | u64::from(b) << 16
                | u64::from(flag) << 24
                | u64::from(upper) << 32,
            body: u64::from(low) | u64::from(high) << 32,
        };
        match self {
            Event::Deliver { from, to, will_drop, flight, message_id } => Packed {
                head: Way::new(from, to, flight).word() | u64::from(will_drop) << 24,
                body: u64::from(message_id),
            },
            Event::DeliverEach { from, to, flight, message_id } => {
                words(1, from.0, 0, false, flight, message_id, to.0 as u32)
            }
            Event::Handle { from, to, incarnation, flight, message_id } => {
                words(2, from.0, to.0, false, flight, message_id, u32::from(incarnation))
            }
            Event::Timer { node, incarnation, index } => words(3, node.0, 0, false, index, u32::from(incarnation), 0),
            Event::Request { to, will_drop, flight, client_message } => {
                words(4, 0, to.0, will_drop, flight, client_message, 0)
            }
            Event::Reply { from, flight, client_message } => words(5, from.0, 0, false, flight, client_message, 0),
            Event::Wake(client) => words(6, 0, 0, false, 0, u32::from(client.0), 0),
            Event::RetryTimeout(client) => words(7, 0, 0, false, 0, u32::from(client.0), 0),
            Event::Resend { client, seq, attempt } => {
                words(8, 0, 0, false, seq, u32::from(client.0), u32::from(attempt))
            }
            Event::Arrival(group) => words(9, 0, 0, false, 0, u32::from(group), 0),
            Event::Script(index) => words(10, 0, 0, false, 0, index, 0),
            Event::ProcessorDone { node, incarnation } => words(11, node.0, 0, false, 0, u32::from(incarnation), 0),
            Event::Cancelled => words(12, 0, 0, false, 0, 0, 0),
            Event::Fence { by, target } => words(13, by.0, target.0, false, 0, 0, 0),
        }
    }
}

impl Packed {
    /// Route word and message id, if the event is a [`Event::Deliver`] without `will_drop`: its head is the [`Way`] word.
    #[inline(always)]
    pub(in crate::sim) fn arrival(self) -> Option<(Way, u32)> {
        Some((Way::of_word(self.head)?, self.body as u32))
    }

    /// The receivers, if the event is a [`Event::DeliverEach`].
    #[inline(always)]
    pub(in crate::sim) fn arrivals(self) -> Option<Arriving> {
        let (from, to) = (NodeId((self.head >> 8) as u8), NodeSet(self.body >> 32));
        (self.head as u8 == 1).then_some(Arriving {
            from,
            to,
            flight: (self.head >> 32) as u32,
            message_id: self.body as u32,
        })
    }

    /// Unpacks the event.
    #[inline(always)]
    pub(in crate::sim) fn unpack(self) -> Event {
        let (a, b) = (NodeId((self.head >> 8) as u8), NodeId((self.head >> 16) as u8));
        let (flag, upper) = (self.head >> 24 & 1 == 1, (self.head >> 32) as u32);
        let (low, high) = (self.body as u32, (self.body >> 32) as u32);
        match self.head as u8 {
            0 => Event::Deliver { from: a, to: b, will_drop: flag, flight: upper, message_id: low },
            1 => Event::DeliverEach { from: a, to: NodeSet(u64::from(high)), flight: upper, message_id: low },
            2 => Event::Handle { from: a, to: b, incarnation: high as u16, flight: upper, message_id: low },
            3 => Event::Timer { node: a, incarnation: low as u16, index: upper },
            4 => Event::Request { to: b, will_drop: flag, flight: upper, client_message: low },
            5 => Event::Reply { from: a, flight: upper, client_message: low },
            6 => Event::Wake(ClientId(low as u16)),
            7 => Event::RetryTimeout(ClientId(low as u16)),
            8 => Event::Resend { client: ClientId(low as u16), seq: upper, attempt: high as u16 },
            9 => Event::Arrival(low as u16),
            10 => Event::Script(low),
            11 => Event::ProcessorDone { node: a, incarnation: low as u16 },
            13 => Event::Fence { by: a, target: b },
            _ => Event::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_packing_round_trips() {
        let (from, to, client) = (NodeId(31), NodeId(17), ClientId(u16::MAX - 1));
        let (flight, message_id, client_message, index, seq) = (u32::MAX, u32::MAX - 1, 3, u32::MAX, u32::MAX);
        for event in [
            Event::Deliver { from, to, will_drop: true, flight, message_id },
            Event::Deliver { from: to, to: from, will_drop: false, flight: 1, message_id: 0 },
            Event::DeliverEach { from, to: NodeSet::first(32), flight, message_id },
            Event::Handle { from, to, incarnation: u16::MAX, flight, message_id },
            Event::Timer { node: from, incarnation: 300, index },
            Event::Request { to, will_drop: true, flight, client_message },
            Event::Reply { from, flight, client_message },
            Event::Wake(client),
            Event::RetryTimeout(client),
            Event::Resend { client, seq, attempt: u16::MAX },
            Event::Arrival(u16::MAX),
            Event::Script(index),
            Event::ProcessorDone { node: from, incarnation: u16::MAX },
            Event::Fence { by: from, target: to },
            Event::Cancelled,
        ] {
            assert_eq!(event.pack().unpack(), event);
            let (one, several) = match event {
                Event::Deliver { from, to, will_drop: false, flight, message_id } => {
                    (Some((Way::new(from, to, flight), message_id)), None)
                }
                Event::DeliverEach { from, to, flight, message_id } => (None, Some((from, to, flight, message_id))),
                _ => (None, None),
            };
            assert_eq!(event.pack().arrival(), one);
            assert_eq!(event.pack().arrivals().map(|it| (it.from, it.to, it.flight, it.message_id)), several);
        }
    }
}

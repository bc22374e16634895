//! Client commands, operations of the state machine, outcomes and answers.

use super::{ClientId, NodeId};
use serde::{Deserialize, Serialize};

/// One client command: the value consensus is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    /// The client session that issued it.
    pub client: ClientId,
    /// Sequence number within the session, from 1. Invariant: `(client, seq)` identifies a command.
    pub seq: u32,
    /// The operation.
    pub op: Op,
}

impl Default for Command {
    fn default() -> Command {
        Command::NOOP
    }
}

impl Command {
    /// The no-op: fills a gap in the log.
    pub const NOOP: Command = Command { client: ClientId::NOBODY, seq: 0, op: Op::Noop };

    /// The value "this node", for algorithms that agree on the name of a node.
    pub const fn elect(node: NodeId) -> Command {
        Command { client: ClientId::NOBODY, seq: 0, op: Op::Elect(node) }
    }

    /// The value that a client's command of this number writes, if it writes any. Unique among all commands as long as no client issues more
    /// than 2^20 of them.
    pub const fn value_of(client: ClientId, seq: u32) -> u32 {
        (client.0 as u32) << 20 | seq & 0xf_ffff
    }

    /// [`Command::value_of`] this command.
    pub const fn value(self) -> u32 {
        Command::value_of(self.client, self.seq)
    }

    /// The same command writing another value, for a Byzantine node to send.
    pub const fn tampered(self) -> Command {
        let op = match self.op {
            Op::Write { key, value } => Op::Write { key, value: !value },
            Op::CompareAndSet { key, expect, value } => Op::CompareAndSet { key, expect, value: !value },
            Op::Read { key } => Op::Write { key, value: u32::MAX },
            other => other,
        };
        Command { op, ..self }
    }
}

/// An operation on the replicated state machine. 16 bytes.
///
/// Leases need time, and replicas have no common clock. So a command carries its client's time in `at`, in ms; the machine's time is the
/// latest of any command executed, and so the same at every replica.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op {
    /// Nothing.
    Noop,
    /// This node is the one (algorithms that agree on a name once).
    Elect(NodeId),
    /// Read a key.
    Read {
        /// Which.
        key: u16,
    },
    /// Write a key.
    Write {
        /// Which.
        key: u16,
        /// The new value.
        value: u32,
    },
    /// Write a key if it still has the value `expect` (`None`: if it was never written).
    CompareAndSet {
        /// Which.
        key: u16,
        /// What it must hold now.
        expect: Option<u32>,
        /// The new value.
        value: u32,
    },
    /// Write to a key a value that differs from replica to replica, as a clock, a random number or an address in memory does. Wrong on
    /// purpose: a replicated state machine must be deterministic.
    WriteOwn {
        /// Which.
        key: u16,
    },
    /// Acquire a lock under a lease, if it is free or its holder's lease has expired.
    Acquire {
        /// Which lock.
        lock: u16,
        /// For how long, ms.
        lease: u32,
        /// Now, ms.
        at: u32,
    },
    /// Renew the lease of a lock that one still holds.
    Renew {
        /// Which lock.
        lock: u16,
        /// The fencing token.
        token: u32,
        /// For how long, ms.
        lease: u32,
        /// Now, ms.
        at: u32,
    },
    /// Release a lock that one still holds.
    Release {
        /// Which lock.
        lock: u16,
        /// The fencing token.
        token: u32,
    },
    /// Write to the resource that a lock protects.
    Guarded {
        /// The lock.
        lock: u16,
        /// The new value.
        value: u32,
        /// The fencing token of the writer.
        token: u32,
        /// Whether the resource checks the token, and refuses one older than the latest it has seen.
        fenced: bool,
    },
    /// Append an item to a queue.
    Enqueue {
        /// Which queue.
        queue: u16,
        /// The item.
        item: u32,
    },
    /// Take the first item of a queue under a lease; unless acknowledged before that expires, the item is delivered again.
    Take {
        /// Which queue.
        queue: u16,
        /// For how long, ms.
        lease: u32,
        /// Now, ms.
        at: u32,
    },
    /// Acknowledge an item, whose lease must not have expired: it leaves the queue for good.
    Ack {
        /// Which queue.
        queue: u16,
        /// The ticket of its delivery.
        ticket: u32,
    },
    /// Arrive at a barrier, which opens when `parties` clients have arrived.
    Arrive {
        /// Which barrier.
        barrier: u16,
        /// How many clients it waits for.
        parties: u16,
    },
    /// Ask whether a barrier has opened.
    Passed {
        /// Which barrier.
        barrier: u16,
        /// The generation returned on arrival.
        generation: u32,
    },
    /// Read a configuration entry, if its version is later than `after`.
    Watch {
        /// Which entry.
        key: u16,
        /// The version known; 0 for none.
        after: u32,
    },
    /// Write a configuration entry, if its version is still `version`.
    Update {
        /// Which entry.
        key: u16,
        /// The version it must have now; 0 if it must not exist.
        version: u32,
        /// The new value.
        value: u32,
    },
    /// Append a message to a topic.
    Publish {
        /// Which topic.
        topic: u16,
        /// The message.
        message: u32,
    },
    /// Read the message after the `after`-th of a topic, if there is one.
    Deliver {
        /// Which topic.
        topic: u16,
        /// How many messages the reader has.
        after: u32,
    },
}

impl Op {
    /// The key, lock, queue, barrier, entry or topic that it is about. In one service, operations on different ones do not affect each other.
    pub const fn object(self) -> Option<u16> {
        match self {
            Op::Noop | Op::Elect(_) => None,
            Op::Read { key }
            | Op::Write { key, .. }
            | Op::CompareAndSet { key, .. }
            | Op::WriteOwn { key }
            | Op::Watch { key, .. }
            | Op::Update { key, .. } => Some(key),
            Op::Acquire { lock, .. } | Op::Renew { lock, .. } | Op::Release { lock, .. } | Op::Guarded { lock, .. } => {
                Some(lock)
            }
            Op::Enqueue { queue, .. } | Op::Take { queue, .. } | Op::Ack { queue, .. } => Some(queue),
            Op::Arrive { barrier, .. } | Op::Passed { barrier, .. } => Some(barrier),
            Op::Publish { topic, .. } | Op::Deliver { topic, .. } => Some(topic),
        }
    }

    /// Whether it does not change the state.
    pub fn is_read(self) -> bool {
        matches!(self, Op::Read { .. } | Op::Passed { .. } | Op::Watch { .. } | Op::Deliver { .. })
    }
}

// Commands are copied into every message and log entry.
const _: () = assert!(size_of::<Op>() == 16 && size_of::<Command>() == 24);

/// The result of executing a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Executed, without a result.
    Done,
    /// The value read, if the key was ever written.
    Value(Option<u32>),
    /// A compare-and-set found another value, and wrote nothing.
    Differs(Option<u32>),
    /// The value chosen, where one value is agreed on.
    Chosen(Op),
    /// A lock was acquired. Its fencing token is larger than that of every earlier holder.
    Granted {
        /// The fencing token.
        token: u32,
    },
    /// Nothing changed: the lock is held, the lease has expired, the token is stale, or the version is another.
    Refused,
    /// An item was taken.
    Took {
        /// Identifies this delivery, to acknowledge it.
        ticket: u32,
        /// The item.
        item: u32,
    },
    /// Arrived at a barrier.
    Arrived {
        /// How often the barrier had opened before.
        generation: u32,
    },
    /// A configuration entry.
    Version {
        /// How often it was written.
        version: u32,
        /// What it holds.
        value: u32,
    },
    /// The position of a published message in its topic.
    Placed {
        /// Counted from 1.
        position: u32,
    },
    /// Not yet: the barrier is closed, there is no later version or message.
    NotYet,
}

impl Outcome {
    /// Another outcome in its place, where a client could not tell: what a Byzantine replica answers.
    pub const fn tampered(self) -> Outcome {
        match self {
            Outcome::Value(Some(value)) => Outcome::Value(Some(!value)),
            Outcome::Value(None) => Outcome::Value(Some(u32::MAX)),
            Outcome::Differs(Some(value)) => Outcome::Differs(Some(!value)),
            Outcome::Took { ticket, item } => Outcome::Took { ticket, item: !item },
            Outcome::Version { version, value } => Outcome::Version { version, value: !value },
            other => other,
        }
    }
}

/// A replica's answer to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// The command was executed (now or, if repeated, earlier), with this outcome.
    Done(Outcome),
    /// The replica does not lead: ask the leader, this one as far as it knows.
    Redirect(Option<NodeId>),
}

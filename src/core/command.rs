//! What clients ask for and what they are told.

use super::{ClientId, NodeId};
use serde::{Deserialize, Serialize};

/// One client command: the value consensus is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    /// Who asks.
    pub client: ClientId,
    /// The client's own count of its commands, from 1. `(client, seq)` names a command for ever.
    pub seq: u32,
    /// What is asked.
    pub op: Op,
}

impl Command {
    /// Does nothing; fills a slot in which nothing need happen.
    pub const NOOP: Command = Command { client: ClientId::NOBODY, seq: 0, op: Op::Noop };

    /// The value "this node", for algorithms that agree on a name.
    pub const fn elect(node: NodeId) -> Command {
        Command { client: ClientId::NOBODY, seq: 0, op: Op::Elect(node) }
    }

    /// The value that a client's command of this number writes, if it writes any: no other command writes the same, as long as no client asks
    /// for more than a million things.
    pub const fn value_of(client: ClientId, seq: u32) -> u32 {
        (client.0 as u32) << 20 | seq & 0xf_ffff
    }

    /// The same of this command.
    pub const fn value(self) -> u32 {
        Command::value_of(self.client, self.seq)
    }

    /// The same but for what it writes: what a Byzantine node makes of it.
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

/// An operation on the replicated state machine. Sixteen bytes: commands are copied all the time.
///
/// Leases need time, and replicas have no common clock. So whoever asks says in `at` what time it is, in ms; the machine's time is the
/// latest that any command in the log has said, and is the same wherever the log is executed.
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
    /// Write into a key whatever the replica makes up itself: what differs from replica to replica, as a clock, a random number or an
    /// address in memory does. Wrong on purpose; a state machine must not do this.
    WriteOwn {
        /// Which.
        key: u16,
    },
    /// Take a lock for some time, if it is free or its holder's time is up.
    Acquire {
        /// Which lock.
        lock: u16,
        /// For how long, ms.
        lease: u32,
        /// Now, ms.
        at: u32,
    },
    /// Hold a lock for so much longer from now on, if it is still one's own.
    Renew {
        /// Which lock.
        lock: u16,
        /// What taking it gave.
        token: u32,
        /// For how long, ms.
        lease: u32,
        /// Now, ms.
        at: u32,
    },
    /// Give a lock back, if it is still one's own.
    Release {
        /// Which lock.
        lock: u16,
        /// What taking it gave.
        token: u32,
    },
    /// Write to the store that a lock guards.
    Guarded {
        /// The lock.
        lock: u16,
        /// The new value.
        value: u32,
        /// What taking the lock gave.
        token: u32,
        /// Whether the store looks at the token, and refuses one that is older than the last it saw.
        fenced: bool,
    },
    /// Put an item at the end of a queue.
    Enqueue {
        /// Which queue.
        queue: u16,
        /// The item.
        item: u32,
    },
    /// Borrow the first item of a queue. Unless it is done with in time, somebody else gets it.
    Take {
        /// Which queue.
        queue: u16,
        /// For how long, ms.
        lease: u32,
        /// Now, ms.
        at: u32,
    },
    /// Tell that a borrowed item is done with, if it is still one's own.
    Ack {
        /// Which queue.
        queue: u16,
        /// What taking it gave.
        ticket: u32,
    },
    /// Come to a barrier, which opens when `parties` have.
    Arrive {
        /// Which barrier.
        barrier: u16,
        /// How many there must be.
        parties: u16,
    },
    /// Ask whether a barrier has opened.
    Passed {
        /// Which barrier.
        barrier: u16,
        /// What arriving gave.
        generation: u32,
    },
    /// Read an entry of the configuration, if there is a later version of it than `after`.
    Watch {
        /// Which entry.
        key: u16,
        /// The version known; 0 for none.
        after: u32,
    },
    /// Write an entry of the configuration if its version is still this one.
    Update {
        /// Which entry.
        key: u16,
        /// The version it must have now; 0 if it must not exist.
        version: u32,
        /// The new value.
        value: u32,
    },
    /// Send a message to all who follow a topic.
    Publish {
        /// Which topic.
        topic: u16,
        /// The message.
        message: u32,
    },
    /// Get the message after the `after`-th of a topic, if there is one.
    Deliver {
        /// Which topic.
        topic: u16,
        /// How many one has.
        after: u32,
    },
}

impl Op {
    /// Whether it leaves the state as it is.
    pub fn is_read(self) -> bool {
        matches!(self, Op::Read { .. } | Op::Passed { .. } | Op::Watch { .. } | Op::Deliver { .. })
    }
}

// The simulator is as fast as its commands are small.
const _: () = assert!(size_of::<Op>() == 16 && size_of::<Command>() == 24);

/// What executing a command gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Executed; nothing to tell.
    Done,
    /// The value read, if the key was ever written.
    Value(Option<u32>),
    /// A compare-and-set found another value, and wrote nothing.
    Differs(Option<u32>),
    /// One value was to be agreed on, and it is this one.
    Chosen(Op),
    /// A lock was taken. Its token is larger than that of every earlier holder.
    Granted {
        /// The fencing token.
        token: u32,
    },
    /// It was not to be, and nothing changed: the lock is taken, the lease is over, the token is old, the version is another.
    Refused,
    /// An item was borrowed.
    Took {
        /// Names this borrowing, for the answer.
        ticket: u32,
        /// The item.
        item: u32,
    },
    /// The barrier counts its openings; this arrival counts for this one.
    Arrived {
        /// How often it had opened before.
        generation: u32,
    },
    /// An entry of the configuration.
    Version {
        /// How often it was written.
        version: u32,
        /// What it holds.
        value: u32,
    },
    /// The message is this one of its topic.
    Placed {
        /// Counted from 1.
        position: u32,
    },
    /// Not yet: the barrier is closed, there is no later version or message.
    NotYet,
}

/// What a replica tells a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// The command took effect (now or, for a repeated command, earlier), with this outcome.
    Done(Outcome),
    /// Ask the leader: this one, as far as the replica knows.
    Redirect(Option<NodeId>),
}

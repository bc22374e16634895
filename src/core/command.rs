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
}

/// An operation on the replicated state machine.
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
}

impl Op {
    /// Whether it leaves the state as it is.
    pub fn is_read(self) -> bool {
        matches!(self, Op::Read { .. })
    }
}

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
}

/// What a replica tells a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// The command took effect (now or, for a repeated command, earlier), with this outcome.
    Done(Outcome),
    /// Ask the leader: this one, as far as the replica knows.
    Redirect(Option<NodeId>),
}

//! What a person or a script may do to a running world.

use crate::core::{Micros, NodeId};
use std::fmt;

/// One intervention. A run is its blueprint and the actions taken, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The node stops at once. Its disk keeps what was saved.
    Crash(NodeId),
    /// A crashed node starts from its disk.
    Restart(NodeId),
    /// Messages from `from` to `to` get lost, those under way included; and back, if `both`.
    Cut {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// Both ways.
        both: bool,
    },
    /// Undoes cuts between two nodes, both ways.
    Heal(NodeId, NodeId),
    /// Undoes all cuts.
    HealAll,
    /// The node now lives at another site: messages sent from now on take the new delays.
    Move {
        /// Which node.
        node: NodeId,
        /// Index of the site.
        site: u8,
    },
    /// The leader is asked to hand its leadership to this node, by the protocol's own transfer.
    HandOver(NodeId),
    /// A new replica boots at this site and joins by the protocol's own membership change.
    Add {
        /// Index of the site.
        site: u8,
    },
    /// The node leaves by the protocol's own membership change.
    Remove(NodeId),
    /// One client at this site sends one more command.
    Request {
        /// Index of the site.
        site: u8,
    },
    /// From now on so many messages in a thousand get lost.
    Loss {
        /// Out of a thousand.
        permille: u16,
    },
    /// Clients start no more commands.
    Quiesce,
    /// Clients go on.
    Resume,
}

/// An action with its moment, for scripts and replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timed {
    /// When, µs since the start.
    pub at: Micros,
    /// What.
    pub action: Action,
}

/// Why an action was not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

//! What can be seen of any node without knowing its protocol.

use super::{Command, NodeId, NodeSet, Slot};

/// One node at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeStatus {
    /// The paper's word for what it is doing: `leader`, `follower`, `candidate`, `acceptor`.
    pub role: &'static str,
    /// Whether it holds the leadership of `epoch`. At most one node ever does, for each epoch.
    pub leads: bool,
    /// The term or ballot it is in.
    pub epoch: Epoch,
    /// Whom it takes for the leader.
    pub leader: Option<NodeId>,
    /// What it is gathering, if anything.
    pub tally: Option<Tally>,
    /// What it cannot go on without, if it is blocked: it holds something open that only others can end.
    pub blocked: Option<Blocked>,
    /// Its log.
    pub log: LogStatus,
    /// Whom it counts as members of the cluster.
    pub members: NodeSet,
}

/// A term, ballot or view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch {
    /// Its number.
    pub number: u32,
    /// The only node that may lead it, where the protocol knows that beforehand.
    pub owner: Option<NodeId>,
}

/// Votes, promises or acknowledgements being counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What is counted: `votes`, `promises`, `acknowledgements`.
    pub of: &'static str,
    /// For which slot; 0 when it is not about a slot.
    pub slot: Slot,
    /// Who has answered.
    pub from: NodeSet,
    /// How many answers are enough.
    pub need: u8,
}

/// What a blocked node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// On whom it waits; any one of them could end it.
    pub on: NodeSet,
    /// The decision that is open.
    pub at: Slot,
    /// Why it cannot go on alone, as what follows the node's name: `has voted yes and may not decide alone`.
    pub because: &'static str,
}

/// How far a log has come: first ≤ applied ≤ committed ≤ last, in a protocol without holes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStatus {
    /// First slot still held (earlier ones are in a snapshot).
    pub first: Slot,
    /// Last slot that holds anything.
    pub last: Slot,
    /// Known to be chosen up to here, without holes.
    pub committed: Slot,
    /// Executed up to here.
    pub applied: Slot,
}

/// One slot of one node's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryStatus {
    /// The term or ballot it was written in.
    pub epoch: Epoch,
    /// What it holds; `None` for entries that are the protocol's own (a membership change).
    pub command: Option<Command>,
    /// Whether this node knows that it is chosen.
    pub chosen: bool,
}

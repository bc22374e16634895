//! Protocol-independent status of a node: role, epoch, quorum tally, log progress.

use super::{Command, NodeId, NodeSet, Slot};

/// The role of a node that has restarted without its state, and counts as failed until it has that again.
pub const RECOVERING: &str = "recovering";

/// Status of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeStatus {
    /// Role, in the paper's word: `leader`, `follower`, `candidate`, `acceptor`.
    pub role: &'static str,
    /// Whether it leads `epoch`. Invariant, where promised: at most one node ever leads an epoch.
    pub leads: bool,
    /// Its current term or ballot.
    pub epoch: Epoch,
    /// The leader that it knows.
    pub leader: Option<NodeId>,
    /// Quorum tally in progress, if any.
    pub tally: Option<Tally>,
    /// The cause, if it is blocked: an open decision that only other nodes can complete.
    pub blocked: Option<Blocked>,
    /// Log progress.
    pub log: LogStatus,
    /// Members of the cluster, as it knows them.
    pub members: NodeSet,
}

/// A term, ballot or view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch {
    /// Its number.
    pub number: u32,
    /// The only node that may lead it, where the number determines that.
    pub owner: Option<NodeId>,
}

/// Quorum tally: votes, promises or acknowledgements being counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What is counted: `votes`, `promises`, `acknowledgements`.
    pub of: &'static str,
    /// The slot concerned; 0 if none.
    pub slot: Slot,
    /// Nodes that have answered.
    pub from: NodeSet,
    /// Number of answers needed.
    pub need: u8,
}

/// Cause of a blocked node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Nodes on which it waits; any one of them could unblock it.
    pub on: NodeSet,
    /// Slot of the open decision.
    pub at: Slot,
    /// Reason, as a predicate of the node: `has voted yes and may not decide alone`.
    pub because: &'static str,
}

/// Progress of a log. Invariant in a protocol without holes: first ≤ applied + 1, applied ≤ committed ≤ last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStatus {
    /// First slot held; earlier ones are in a snapshot.
    pub first: Slot,
    /// Last slot that holds an entry.
    pub last: Slot,
    /// Last slot of the prefix known to be chosen.
    pub committed: Slot,
    /// Last slot executed.
    pub applied: Slot,
}

/// One slot of one node's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryStatus {
    /// The term or ballot in which it was written.
    pub epoch: Epoch,
    /// The command; `None` for entries of the protocol's own (a membership change).
    pub command: Option<Command>,
    /// Whether this node knows that it is chosen.
    pub chosen: bool,
}

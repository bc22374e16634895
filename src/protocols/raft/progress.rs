//! Progress of a follower as the leader tracks it: matchIndex, nextIndex, and how entries are sent (paper, figure 2; dissertation §10.2).

use crate::core::Slot;

/// How entries are sent to one follower; the states have the names of etcd's `tracker/progress.go`.
///
/// ```text
///             nothing acknowledged since the last check
///   Probe ◀─────────────────────────────────────────────── Replicate or Snapshot
///     │                                                             ▲
///     └── heartbeat acknowledged, or refused (then `next` falls) ───┘
/// ```
///
/// Whether it is `Replicate` or `Snapshot`, `Server::send_append` decides by what is missing from `next` on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProgressState {
    /// Where the logs agree is not known. No entries are sent; heartbeats carry prevLogIndex = next − 1, and their answers lead on.
    #[default]
    Probe,
    /// Stop and wait: a snapshot, or one batch of a longer rest of the log, is under way from `next` on. Nothing else is sent before it is
    /// acknowledged.
    Snapshot,
    /// Pipelining (dissertation §10.2.2): every new entry is sent at once, and `next` moves on without waiting for the answer.
    Replicate,
}

/// What the leader knows of one follower.
///
/// Invariants, for peers: `matched < next`; in `Replicate`, `next` is one past the end of the leader's log; `matched` and `confirmed` never
/// fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// matchIndex: its log is known to equal the leader's up to here.
    pub matched: Slot,
    /// nextIndex: the slot of the first entry to send next.
    pub next: Slot,
    /// How entries are sent to it.
    pub state: ProgressState,
    /// The retransmission check. In `Replicate`: the slot that must be acknowledged by the next check, the first that was under way at the
    /// last one (after a lost entry, no later one is acknowledged); 0 if none was. In `Snapshot`: `next`, once a check has seen it.
    pub due: Slot,
    /// The highest round of heartbeats that it has answered.
    pub confirmed: u32,
}

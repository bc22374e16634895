//! Messages between Raft servers (paper, figure 2, §7; dissertation §3.10, §6.4, §9.6).

use super::storage::{Entries, Snapshot};
use crate::core::Slot;
use std::sync::Arc;

/// The arguments of AppendEntries. The leader is the sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Append {
    /// The leader's term.
    pub term: u32,
    /// prevLogIndex: the slot just before the new entries.
    pub prev_slot: Slot,
    /// prevLogTerm: the term of the entry there.
    pub prev_term: u32,
    /// leaderCommit.
    pub commit: Slot,
    /// The new entries.
    pub entries: Entries,
}

/// The arguments of a heartbeat: an AppendEntries without entries, numbered so that an answer tells which one it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Heartbeat {
    /// The leader's term.
    pub term: u32,
    /// prevLogIndex.
    pub prev_slot: Slot,
    /// prevLogTerm.
    pub prev_term: u32,
    /// leaderCommit.
    pub commit: Slot,
    /// The number of the round of heartbeats.
    pub round: u32,
}

/// Why a consistency check failed, so that the leader can skip all entries of a term at once (paper §5.3, last paragraphs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conflict {
    /// The term of the follower's entry at prevLogIndex; 0 if its log ends before.
    pub term: u32,
    /// The first slot the follower holds of that term, or the slot after its last.
    pub slot: Slot,
}

crate::messages! {
    /// A message. The names are the paper's; `term` is the sender's term unless said otherwise.
    #[allow(missing_docs)] // The variants say what their fields are.
    pub enum Message {
        /// Would the receiver vote for the sender in `term`, one above the sender's own (dissertation §9.6)?
        PreVote { term: u32, last_slot: Slot, last_term: u32 } = {
            letter: 'p', phase: Elect, says: "asks whether it would be elected",
            bytes: 12,
        };
        /// Answers PreVote: with the term asked about if granted, else with the voter's own. `ahead`: refused because the voter's log is more
        /// up-to-date.
        PreVoteReply { term: u32, granted: bool, ahead: bool } = {
            letter: 'g', phase: Vote, says: "would vote for it",
            refusal: PreVoteRefusal if !granted => { alias: "PreVoteReply: false", letter: 'n', says: "would not vote for it" },
            bytes: 5,
        };
        /// Requests a vote in `term`. With `transfer`, the leader itself asked for this election, and leader stickiness does not apply.
        RequestVote { term: u32, last_slot: Slot, last_term: u32, transfer: bool } = {
            letter: 'R', phase: Elect, says: "asks for a vote",
            bytes: 13,
        };
        /// Answers RequestVote.
        RequestVoteReply { term: u32, granted: bool } = {
            letter: 'V', phase: Vote, says: "votes for the candidate",
            refusal: RequestVoteRefusal if !granted => { alias: "RequestVoteReply: false", letter: 'N', says: "refuses its vote" },
            bytes: 5,
        };
        /// Replicates log entries. On the wire each has its term besides its command.
        AppendEntries(append: Append) = {
            letter: 'A', phase: Propose, says: "carries log entries",
            bytes: 16 + append.entries.bytes(),
            commands: append.entries.count(),
            values: |see| append.entries.as_slice().iter().for_each(|entry| see(entry.command().value())),
            slot: append.prev_slot + 1,
            tampered: Some(Message::AppendEntries(Append { entries: append.entries.tampered(), ..append.clone() })),
        };
        /// Answers AppendEntries: the follower's log is known to equal the leader's up to `slot` or, with a conflict, `slot` is the
        /// prevLogIndex that failed the consistency check.
        AppendEntriesReply { term: u32, slot: Slot, conflict: Option<Conflict> } = {
            letter: 'a', phase: Accept, says: "has the entries on its disk",
            refusal: AppendEntriesRefusal if conflict.is_some() => {
                alias: "AppendEntriesReply: false", letter: 'X', says: "its log does not match so far",
            },
            bytes: 16, slot: *slot,
        };
        /// Asserts leadership: an AppendEntries without entries.
        Heartbeat(heartbeat: Heartbeat) = {
            alias: "empty AppendEntries", letter: 'H', phase: Heartbeat, says: "still leads",
            bytes: 20,
        };
        /// Answers a heartbeat of `round`; `slot` and `conflict` as in AppendEntriesReply.
        HeartbeatReply { term: u32, slot: Slot, conflict: Option<Conflict>, round: u32 } = {
            alias: "AppendEntriesReply", letter: 'h', phase: Heartbeat, says: "still follows",
            counts_as: AppendEntriesRefusal if conflict.is_some(),
            bytes: 20,
        };
        /// A heartbeat sent to confirm leadership for reads (dissertation §6.4), not because the interval was over.
        ReadIndex(heartbeat: Heartbeat) = {
            alias: "empty AppendEntries", letter: 'I', phase: Read, says: "asks, for a read, whether it still leads",
            bytes: 20,
        };
        /// Answers ReadIndex, as HeartbeatReply does a heartbeat.
        ReadIndexReply { term: u32, slot: Slot, conflict: Option<Conflict>, round: u32 } = {
            alias: "AppendEntriesReply", letter: 'i', phase: Read, says: "confirms, for a read, that it still follows",
            bytes: 20,
        };
        /// Replaces a follower's log up to the snapshot's last entry, because the leader has compacted the entries that it needs next (paper
        /// §7). In one piece.
        InstallSnapshot { term: u32, snapshot: Arc<Snapshot> } = {
            letter: 'S', phase: Transfer, says: "carries a snapshot in place of old entries",
            bytes: 28 + snapshot.machine.bytes(),
            commands: snapshot.machine.values(), values: |see| snapshot.machine.each_value(see),
            slot: snapshot.last,
        };
        /// Answers InstallSnapshot: the follower's log is known to equal the leader's up to `slot`.
        InstallSnapshotReply { term: u32, slot: Slot } = {
            letter: 's', phase: Transfer, says: "has the snapshot on its disk",
            bytes: 8, slot: *slot,
        };
        /// Asks the target of a leadership transfer to start an election at once (dissertation §3.10).
        TimeoutNow { term: u32 } = {
            letter: 'T', phase: Transfer, says: "hands over: start an election now",
            bytes: 4,
        };
        /// To itself: the leader's own log is on its disk up to `slot`.
        Written { term: u32, slot: Slot } = {
            letter: 'w', phase: Accept, says: "its own log is on its disk",
            bytes: 0, slot: *slot,
        };
    }
}

impl Message {
    /// The term that its receiver adopts if it is higher than its own: the sender's. `None` for PreVote, which asks about a term that nobody is in
    /// yet, and for RequestVote, whose term a voter adopts only if leader stickiness allows it.
    pub fn term_to_adopt(&self) -> Option<u32> {
        match *self {
            Message::PreVote { .. } | Message::PreVoteReply { granted: true, .. } | Message::RequestVote { .. } => None,
            Message::PreVoteReply { term, .. }
            | Message::RequestVoteReply { term, .. }
            | Message::AppendEntries(Append { term, .. })
            | Message::AppendEntriesReply { term, .. }
            | Message::Heartbeat(Heartbeat { term, .. })
            | Message::HeartbeatReply { term, .. }
            | Message::ReadIndex(Heartbeat { term, .. })
            | Message::ReadIndexReply { term, .. }
            | Message::InstallSnapshot { term, .. }
            | Message::InstallSnapshotReply { term, .. }
            | Message::TimeoutNow { term }
            | Message::Written { term, .. } => Some(term),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Message as _;

    #[test]
    fn message_fits_in_48_bytes() {
        assert!(size_of::<Message>() <= 48, "{}", size_of::<Message>());
    }

    fn kind(message: Message) -> &'static str {
        Message::KINDS[usize::from(message.kind().0)].name
    }

    #[test]
    fn replies_that_refuse_are_kinds_of_their_own() {
        let conflict = Some(Conflict::default());
        assert_eq!(kind(Message::PreVoteReply { term: 1, granted: true, ahead: false }), "PreVoteReply");
        assert_eq!(kind(Message::PreVoteReply { term: 1, granted: false, ahead: false }), "PreVoteRefusal");
        assert_eq!(kind(Message::RequestVoteReply { term: 1, granted: true }), "RequestVoteReply");
        assert_eq!(kind(Message::RequestVoteReply { term: 1, granted: false }), "RequestVoteRefusal");
        assert_eq!(kind(Message::AppendEntriesReply { term: 1, slot: 0, conflict: None }), "AppendEntriesReply");
        assert_eq!(kind(Message::AppendEntriesReply { term: 1, slot: 0, conflict }), "AppendEntriesRefusal");
    }

    #[test]
    fn refused_heartbeat_counts_as_refused_append_entries_and_refused_read_index_does_not() {
        let conflict = Some(Conflict::default());
        assert_eq!(kind(Message::HeartbeatReply { term: 1, slot: 0, conflict: None, round: 0 }), "HeartbeatReply");
        assert_eq!(kind(Message::HeartbeatReply { term: 1, slot: 0, conflict, round: 0 }), "AppendEntriesRefusal");
        assert_eq!(kind(Message::ReadIndexReply { term: 1, slot: 0, conflict: None, round: 0 }), "ReadIndexReply");
        assert_eq!(kind(Message::ReadIndexReply { term: 1, slot: 0, conflict, round: 0 }), "ReadIndexReply");
    }
}

//! What servers say to each other (Raft paper, figure 2, §7; dissertation §3.10, §6.4, §9.6).

use super::storage::{Entry, Snapshot};
use crate::core::node::{Kind, Phase};
use crate::core::{KindId, Slot};
use std::sync::Arc;

/// Entries under way. A single one, the usual case, travels in the message itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entries {
    /// One.
    One(Entry),
    /// Several, for a server that has fallen behind.
    Many(Arc<[Entry]>),
}

impl Entries {
    /// How many; never none.
    pub fn count(&self) -> u32 {
        self.as_slice().len() as u32
    }

    /// All of them, in order.
    pub fn as_slice(&self) -> &[Entry] {
        match self {
            Entries::One(entry) => std::slice::from_ref(entry),
            Entries::Many(entries) => entries,
        }
    }
}

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

/// An AppendEntries without entries, numbered so that an answer tells which one it answers.
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
    /// Which round of heartbeats.
    pub round: u32,
    /// Sent for the sake of reads (dissertation §6.4), not because it was time.
    pub read: bool,
}

/// Why a consistency check failed, so that the leader can skip all entries of a term at once (paper §5.3, last paragraphs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conflict {
    /// The term of the follower's entry at prevLogIndex; 0 if its log ends before.
    pub term: u32,
    /// The first slot the follower holds of that term, or the slot after its last.
    pub slot: Slot,
}

/// One message. The names are the paper's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Would you vote for me, if I stood for election in `term`?
    PreVote {
        /// The term it would stand in.
        term: u32,
        /// lastLogIndex.
        last_slot: Slot,
        /// lastLogTerm.
        last_term: u32,
    },
    /// Answers a PreVote.
    PreVoteReply {
        /// The term asked about if granted, else the voter's own.
        term: u32,
        /// Whether it would.
        granted: bool,
    },
    /// Vote for me.
    RequestVote {
        /// The candidate's term.
        term: u32,
        /// lastLogIndex.
        last_slot: Slot,
        /// lastLogTerm.
        last_term: u32,
        /// The leader itself asked for this election, so nobody need be loyal to it.
        transfer: bool,
    },
    /// Answers a RequestVote.
    RequestVoteReply {
        /// The voter's term.
        term: u32,
        /// Whether the candidate got its vote.
        granted: bool,
    },
    /// Replicates log entries.
    AppendEntries(Append),
    /// Answers AppendEntries.
    AppendEntriesReply {
        /// The follower's term.
        term: u32,
        /// Up to here its log is known to equal the leader's; if refused, the prevLogIndex refused.
        slot: Slot,
        /// Why it was refused, if it was.
        conflict: Option<Conflict>,
    },
    /// Asserts leadership.
    Heartbeat(Heartbeat),
    /// Answers a heartbeat.
    HeartbeatReply {
        /// The follower's term.
        term: u32,
        /// As in AppendEntriesReply.
        slot: Slot,
        /// As in AppendEntriesReply.
        conflict: Option<Conflict>,
        /// The round answered.
        round: u32,
        /// Whether it was for reads.
        read: bool,
    },
    /// Brings a server up to date whose next entries the leader no longer holds.
    InstallSnapshot {
        /// The leader's term.
        term: u32,
        /// All of it, in one piece.
        snapshot: Arc<Snapshot>,
    },
    /// Answers InstallSnapshot.
    InstallSnapshotReply {
        /// The follower's term.
        term: u32,
        /// Up to here its log is known to equal the leader's.
        slot: Slot,
    },
    /// Stand for election now; leadership is yours.
    TimeoutNow {
        /// The leader's term.
        term: u32,
    },
    /// To itself: the leader's own log is on its disk up to here.
    Written {
        /// The leader's term.
        term: u32,
        /// The last slot written.
        slot: Slot,
    },
}

impl Message {
    /// The sender's term, if it speaks of a term that exists already. PreVote does not: that is its point. RequestVote is weighed
    /// before its term is adopted.
    pub fn announces(&self) -> Option<u32> {
        match *self {
            Message::PreVote { .. } | Message::PreVoteReply { granted: true, .. } | Message::RequestVote { .. } => None,
            Message::PreVoteReply { term, .. }
            | Message::RequestVoteReply { term, .. }
            | Message::AppendEntries(Append { term, .. })
            | Message::AppendEntriesReply { term, .. }
            | Message::Heartbeat(Heartbeat { term, .. })
            | Message::HeartbeatReply { term, .. }
            | Message::InstallSnapshot { term, .. }
            | Message::InstallSnapshotReply { term, .. }
            | Message::TimeoutNow { term }
            | Message::Written { term, .. } => Some(term),
        }
    }
}

const fn kind(name: &'static str, alias: &'static str, letter: char, phase: Phase, says: &'static str) -> Kind {
    Kind { name, alias, letter, phase, says }
}

impl crate::core::Message for Message {
    const KINDS: &'static [Kind] = &[
        kind("PreVote", "", 'p', Phase::Elect, "asks whether it would be elected"),
        kind("PreVoteReply", "", 'g', Phase::Vote, "would vote for it"),
        kind("PreVoteRefusal", "PreVoteReply: false", 'n', Phase::Refuse, "would not vote for it"),
        kind("RequestVote", "", 'R', Phase::Elect, "asks for a vote"),
        kind("RequestVoteReply", "", 'V', Phase::Vote, "votes for the candidate"),
        kind("RequestVoteRefusal", "RequestVoteReply: false", 'N', Phase::Refuse, "refuses its vote"),
        kind("AppendEntries", "", 'A', Phase::Propose, "carries log entries"),
        kind("AppendEntriesReply", "", 'a', Phase::Accept, "has the entries on its disk"),
        kind("AppendEntriesRefusal", "AppendEntriesReply: false", 'X', Phase::Refuse, "its log does not match so far"),
        kind("Heartbeat", "empty AppendEntries", 'H', Phase::Heartbeat, "still leads"),
        kind("HeartbeatReply", "AppendEntriesReply", 'h', Phase::Heartbeat, "still follows"),
        kind("ReadIndex", "empty AppendEntries", 'I', Phase::Read, "asks, for a read, whether it still leads"),
        kind("ReadIndexReply", "AppendEntriesReply", 'i', Phase::Read, "confirms, for a read, that it still follows"),
        kind("InstallSnapshot", "", 'S', Phase::Transfer, "carries a snapshot in place of old entries"),
        kind("InstallSnapshotReply", "", 's', Phase::Transfer, "has the snapshot on its disk"),
        kind("TimeoutNow", "", 'T', Phase::Transfer, "hands over: stand for election now"),
        kind("Written", "", 'w', Phase::Accept, "its own log is on its disk"),
    ];

    fn tampered(&self) -> Option<Message> {
        let Message::AppendEntries(append) = self else { return None };
        let entries = match append.entries.as_slice() {
            [entry] => Entries::One(entry.tampered()),
            entries => Entries::Many(entries.iter().map(Entry::tampered).collect()),
        };
        Some(Message::AppendEntries(Append { entries, ..append.clone() }))
    }

    #[inline(always)]
    fn kind(&self) -> KindId {
        KindId(match self {
            Message::PreVote { .. } => 0,
            Message::PreVoteReply { granted, .. } => 2 - u8::from(*granted),
            Message::RequestVote { .. } => 3,
            Message::RequestVoteReply { granted, .. } => 5 - u8::from(*granted),
            Message::AppendEntries(_) => 6,
            Message::AppendEntriesReply { conflict, .. } => 7 + u8::from(conflict.is_some()),
            Message::Heartbeat(Heartbeat { read, .. }) => 9 + 2 * u8::from(*read),
            Message::HeartbeatReply { conflict: Some(_), read: false, .. } => 8,
            Message::HeartbeatReply { read, .. } => 10 + 2 * u8::from(*read),
            Message::InstallSnapshot { .. } => 13,
            Message::InstallSnapshotReply { .. } => 14,
            Message::TimeoutNow { .. } => 15,
            Message::Written { .. } => 16,
        })
    }

    #[inline(always)]
    fn bytes(&self) -> u32 {
        match self {
            Message::PreVote { .. } => 12,
            Message::RequestVote { .. } => 13,
            Message::PreVoteReply { .. } | Message::RequestVoteReply { .. } => 5,
            // Each entry has its term besides its command.
            Message::AppendEntries(append) => 16 + 4 * append.entries.count(),
            Message::AppendEntriesReply { .. } => 16,
            Message::Heartbeat(_) | Message::HeartbeatReply { .. } => 20,
            Message::InstallSnapshot { snapshot, .. } => 28 + snapshot.machine.bytes(),
            Message::InstallSnapshotReply { .. } => 8,
            Message::TimeoutNow { .. } => 4,
            Message::Written { .. } => 0,
        }
    }

    #[inline(always)]
    fn commands(&self) -> u32 {
        match self {
            Message::AppendEntries(append) => append.entries.count(),
            Message::InstallSnapshot { snapshot, .. } => snapshot.machine.values(),
            _ => 0,
        }
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        match self {
            Message::AppendEntries(append) => {
                append.entries.as_slice().iter().for_each(|entry| see(entry.command().value()));
            }
            Message::InstallSnapshot { snapshot, .. } => snapshot.machine.each_value(see),
            _ => {}
        }
    }

    #[inline(always)]
    fn slot(&self) -> Slot {
        match self {
            Message::AppendEntries(append) => append.prev_slot + 1,
            Message::AppendEntriesReply { slot, .. } | Message::Written { slot, .. } => *slot,
            Message::InstallSnapshot { snapshot, .. } => snapshot.last,
            Message::InstallSnapshotReply { slot, .. } => *slot,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Message as _;

    #[test]
    fn a_message_is_small() {
        assert!(size_of::<Message>() <= 48, "{}", size_of::<Message>());
    }

    #[test]
    fn every_kind_is_somebodys() {
        let refused = Some(Conflict::default());
        let heartbeat = |read| Heartbeat { term: 1, prev_slot: 0, prev_term: 0, commit: 0, round: 0, read };
        let append = Append { term: 1, prev_slot: 0, prev_term: 0, commit: 0, entries: Entries::One(Entry::default()) };
        let names = |message: Message| Message::KINDS[usize::from(message.kind().0)].name;
        assert_eq!(names(Message::PreVote { term: 1, last_slot: 0, last_term: 0 }), "PreVote");
        assert_eq!(names(Message::PreVoteReply { term: 1, granted: true }), "PreVoteReply");
        assert_eq!(names(Message::PreVoteReply { term: 1, granted: false }), "PreVoteRefusal");
        assert_eq!(names(Message::RequestVoteReply { term: 1, granted: true }), "RequestVoteReply");
        assert_eq!(names(Message::RequestVoteReply { term: 1, granted: false }), "RequestVoteRefusal");
        assert_eq!(names(Message::AppendEntries(append)), "AppendEntries");
        assert_eq!(names(Message::AppendEntriesReply { term: 1, slot: 0, conflict: None }), "AppendEntriesReply");
        assert_eq!(names(Message::AppendEntriesReply { term: 1, slot: 0, conflict: refused }), "AppendEntriesRefusal");
        assert_eq!(names(Message::Heartbeat(heartbeat(false))), "Heartbeat");
        assert_eq!(names(Message::Heartbeat(heartbeat(true))), "ReadIndex");
        let reply = |conflict, read| Message::HeartbeatReply { term: 1, slot: 0, conflict, round: 0, read };
        assert_eq!(names(reply(None, false)), "HeartbeatReply");
        assert_eq!(names(reply(None, true)), "ReadIndexReply");
        assert_eq!(names(reply(refused, true)), "ReadIndexReply");
        assert_eq!(names(reply(refused, false)), "AppendEntriesRefusal");
        assert_eq!(names(Message::InstallSnapshotReply { term: 1, slot: 0 }), "InstallSnapshotReply");
        assert_eq!(names(Message::TimeoutNow { term: 1 }), "TimeoutNow");
        assert_eq!(names(Message::Written { term: 1, slot: 0 }), "Written");
    }
}

//! Persistent state: current term, vote, log and snapshot (Raft paper, figure 2 and §7).

use super::configuration::Configuration;
use crate::core::{Command, Log, NodeId, Slot};
use crate::services::Machine;
use std::sync::Arc;

/// One log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term of the leader that created it.
    pub term: u32,
    /// When that leader created it, by its clock, ms. Only where the log is the lease (`lease_guard`); 0 elsewhere.
    pub created: u32,
    /// Its content.
    pub payload: Payload,
}

/// The content of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// A command for the state machine.
    Command(Command),
    /// A cluster configuration, in force on each server from the moment it is in that server's log.
    Configuration(Configuration),
}

impl Default for Entry {
    fn default() -> Entry {
        Entry { term: 0, created: 0, payload: Payload::Command(Command::NOOP) }
    }
}

impl Entry {
    /// The same with another command in it, for a Byzantine node to send.
    pub(super) fn tampered(&self) -> Entry {
        match self.payload {
            Payload::Command(command) => Entry { payload: Payload::Command(command.tampered()), ..*self },
            Payload::Configuration(_) => *self,
        }
    }

    /// The command that the state machine executes for it: a no-op for a configuration.
    pub fn command(&self) -> Command {
        match self.payload {
            Payload::Command(command) => command,
            Payload::Configuration(_) => Command::NOOP,
        }
    }
}

/// The entries of an AppendEntries; never none. A single one, the usual case, is stored in the message itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entries {
    /// One.
    One(Entry),
    /// Several, for a follower whose log is behind.
    Many(Arc<[Entry]>),
}

impl Entries {
    /// Bytes on the wire besides the commands: the term and, where there is one, the time of creation.
    pub fn bytes(&self) -> u32 {
        self.as_slice().iter().map(|entry| if entry.created > 0 { 8 } else { 4 }).sum()
    }

    /// How many; at least one.
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

    /// The same entries with other commands in them.
    pub(super) fn tampered(&self) -> Entries {
        match self.as_slice() {
            [entry] => Entries::One(entry.tampered()),
            entries => Entries::Many(entries.iter().map(Entry::tampered).collect()),
        }
    }
}

/// Persistent state of a server: all that survives a crash (paper, figure 2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// currentTerm: the latest term the server has seen.
    pub term: u32,
    /// votedFor: the candidate that got its vote in that term.
    pub vote: Option<NodeId>,
    /// The log from some point within the snapshot on.
    pub log: RaftLog,
    /// The latest snapshot, if one was taken.
    pub snapshot: Option<Arc<Snapshot>>,
}

impl Disk {
    /// The last slot that the snapshot covers; 0 without one.
    pub fn snapshot_slot(&self) -> Slot {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last)
    }
}

/// The state machine after a prefix of the log, in place of that prefix (paper §7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// lastIncludedIndex.
    pub last: Slot,
    /// lastIncludedTerm.
    pub term: u32,
    /// The latest time of creation of an entry up to there.
    pub created: u32,
    /// The latest configuration up to there.
    pub configuration: Configuration,
    /// The state machine, with the sessions that make commands take effect at most once.
    pub machine: Machine,
}

/// A log that keeps the term of the last entry it has compacted, for the consistency check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RaftLog {
    entries: Log<Entry>,
    /// Term of the entry just before the first one held; 0 if nothing was ever compacted.
    base_term: u32,
}

impl RaftLog {
    /// An empty log that goes on after an entry of `term` in `slot`.
    pub fn after(slot: Slot, term: u32) -> RaftLog {
        RaftLog { entries: Log::after(slot), base_term: term }
    }

    /// The first slot still held.
    pub fn first(&self) -> Slot {
        self.entries.first()
    }

    /// The last slot.
    pub fn last(&self) -> Slot {
        self.entries.last()
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The term of the last entry; 0 in a new log.
    pub fn last_term(&self) -> u32 {
        self.term_at(self.last()).unwrap_or(0)
    }

    /// The entry in `slot`, if it is held.
    pub fn get(&self, slot: Slot) -> Option<&Entry> {
        self.entries.get(slot)
    }

    /// The term of the entry in `slot`, also for the slot just before the first one held.
    #[inline]
    pub fn term_at(&self, slot: Slot) -> Option<u32> {
        match self.entries.get(slot) {
            Some(entry) => Some(entry.term),
            None if slot + 1 == self.first() => Some(self.base_term),
            None => None,
        }
    }

    /// Appends; tells the slot it went to.
    pub fn push(&mut self, entry: Entry) -> Slot {
        self.entries.push(entry)
    }

    /// Appends a copy.
    pub fn push_copy(&mut self, entry: &Entry) -> Slot {
        self.entries.push_copy(entry)
    }

    /// Drops `slot` and all after it.
    pub fn truncate_from(&mut self, slot: Slot) {
        self.entries.truncate_from(slot);
    }

    /// Forgets all entries up to and including `slot`, which a snapshot covers.
    pub fn compact_to(&mut self, slot: Slot) {
        if let Some(term) = self.term_at(slot)
            && slot >= self.first()
        {
            self.base_term = term;
            self.entries.compact_to(slot);
        }
    }

    /// Up to `most` entries from `slot` on; there must be one.
    pub fn entries(&self, slot: Slot, most: u32) -> Entries {
        let end = self.last().min(slot.saturating_add(most - 1));
        match self.get(slot) {
            Some(entry) if end == slot => Entries::One(*entry),
            _ => {
                Entries::Many(self.entries.iter_from(slot).take_while(|(at, _)| *at <= end).map(|(_, e)| *e).collect())
            }
        }
    }

    /// Entries from `slot` on, each with its slot.
    pub fn iter_from(&self, slot: Slot) -> impl DoubleEndedIterator<Item = (Slot, &Entry)> {
        self.entries.iter_from(slot)
    }

    /// The first slot held whose term is at least `term`, or one past the end. Terms never fall along a log, so a binary search finds it.
    fn first_not_before(&self, term: u32) -> Slot {
        let (mut low, mut high) = (self.first(), self.last() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.term_at(middle).is_some_and(|at| at < term) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The first slot held with an entry of `term` or, if there is none, of a later one.
    pub fn first_of_term(&self, term: u32) -> Slot {
        self.first_not_before(term)
    }

    /// The last slot held with an entry of `term`, if there is one.
    pub fn last_of_term(&self, term: u32) -> Option<Slot> {
        let slot = self.first_not_before(term + 1) - 1;
        (slot >= self.first() && self.term_at(slot) == Some(term)).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[u32]) -> RaftLog {
        let mut log = RaftLog::default();
        terms.iter().for_each(|&term| assert!(log.push(Entry { term, ..Entry::default() }) > 0));
        log
    }

    #[test]
    fn first_and_last_slot_of_a_term_are_found_by_binary_search() {
        let log = log(&[1, 1, 4, 4, 4, 6]);
        assert_eq!((log.first_of_term(4), log.last_of_term(4)), (3, Some(5)));
        assert_eq!((log.first_of_term(1), log.last_of_term(1)), (1, Some(2)));
        assert_eq!((log.first_of_term(5), log.last_of_term(5)), (6, None));
        assert_eq!((log.last_of_term(6), log.last_of_term(7)), (Some(6), None));
    }

    #[test]
    fn compaction_keeps_the_term_of_the_last_compacted_entry() {
        let mut log = log(&[1, 1, 4, 4, 4, 6]);
        log.compact_to(4);
        assert_eq!((log.first(), log.term_at(4), log.term_at(3)), (5, Some(4), None));
        log.compact_to(2);
        assert_eq!(log.term_at(4), Some(4));
        assert_eq!(log.last_of_term(1), None);
    }

    #[test]
    fn single_entry_is_sent_without_an_allocation() {
        let log = log(&[1, 2, 3]);
        assert!(matches!(log.entries(3, 8), Entries::One(Entry { term: 3, .. })));
        assert!(matches!(log.entries(1, 1), Entries::One(Entry { term: 1, .. })));
        assert_eq!(log.entries(1, 2).count(), 2);
        assert_eq!(log.entries(1, 8).count(), 3);
    }
}

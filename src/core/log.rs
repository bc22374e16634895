//! A log that is cheap to copy: chunks behind [`Arc`], so that a checkpoint of a whole cluster shares nearly all of them.

use super::Slot;
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Entries in one shared chunk. Small enough that a write after a copy is cheap, large enough that a copy is.
const CHUNK: u32 = 32;

/// A gapless sequence of entries for slots `first..=last`; the front can be cut off once a snapshot covers it.
#[derive(Clone)]
pub struct Log<T> {
    /// Chunk `i` holds slots `(base + i) * CHUNK + 1 ..= (base + i + 1) * CHUNK`.
    chunks: VecDeque<Arc<Vec<T>>>,
    /// Number of whole chunks cut off.
    base: u32,
    /// Entries below this slot are gone, though their chunk may not be.
    first: Slot,
    /// The last slot held; `first - 1` when empty.
    last: Slot,
}

impl<T> Default for Log<T> {
    fn default() -> Log<T> {
        Log { chunks: VecDeque::new(), base: 0, first: 1, last: 0 }
    }
}

impl<T: Clone> Log<T> {
    /// An empty log that goes on after `slot`, as after installing a snapshot that covers it.
    pub fn after(slot: Slot) -> Log<T>
    where
        T: Default,
    {
        let base = slot / CHUNK;
        let pad = vec![T::default(); (slot % CHUNK) as usize];
        let mut chunks = VecDeque::new();
        if !pad.is_empty() {
            chunks.push_back(Arc::new(pad));
        }
        Log { chunks, base, first: slot + 1, last: slot }
    }

    /// The first slot still held (one more than [`Log::last`] when empty).
    pub fn first(&self) -> Slot {
        self.first
    }

    /// The last slot held; 0 in a new log.
    pub fn last(&self) -> Slot {
        self.last
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.last < self.first
    }

    fn place(&self, slot: Slot) -> (usize, usize) {
        let at = slot - 1;
        ((at / CHUNK - self.base) as usize, (at % CHUNK) as usize)
    }

    /// The entry in `slot`, if it is held.
    pub fn get(&self, slot: Slot) -> Option<&T> {
        if slot < self.first || slot > self.last {
            return None;
        }
        let (chunk, at) = self.place(slot);
        Some(&self.chunks[chunk][at])
    }

    /// The entry in `slot`, to change it, if it is held.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        if slot < self.first || slot > self.last {
            return None;
        }
        let (chunk, at) = self.place(slot);
        Some(&mut Arc::make_mut(&mut self.chunks[chunk])[at])
    }

    /// Appends; tells the slot it went to.
    pub fn push(&mut self, entry: T) -> Slot {
        let (chunk, _) = self.place(self.last + 1);
        if chunk == self.chunks.len() {
            self.chunks.push_back(Arc::new(Vec::with_capacity(CHUNK as usize)));
        }
        Arc::make_mut(&mut self.chunks[chunk]).push(entry);
        self.last += 1;
        self.last
    }

    /// Drops `slot` and all after it.
    pub fn truncate_from(&mut self, slot: Slot) {
        let slot = slot.max(self.first);
        if slot > self.last {
            return;
        }
        let (chunk, at) = self.place(slot);
        self.chunks.truncate(chunk + 1);
        Arc::make_mut(&mut self.chunks[chunk]).truncate(at);
        if at == 0 {
            self.chunks.truncate(chunk);
        }
        self.last = slot - 1;
    }

    /// Forgets all entries up to and including `slot`, which a snapshot now covers.
    pub fn compact_to(&mut self, slot: Slot) {
        if slot < self.first {
            return;
        }
        self.first = slot.min(self.last) + 1;
        let whole = (self.first - 1) / CHUNK;
        while self.base < whole && !self.chunks.is_empty() {
            self.chunks.pop_front();
            self.base += 1;
        }
        self.base = self.base.max(whole);
    }

    /// Entries from `slot` (or the first held) on, each with its slot.
    pub fn iter_from(&self, slot: Slot) -> impl DoubleEndedIterator<Item = (Slot, &T)> {
        (slot.max(self.first)..=self.last).map(|s| {
            let (chunk, at) = self.place(s);
            (s, &self.chunks[chunk][at])
        })
    }

    /// All entries held, each with its slot.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Slot, &T)> {
        self.iter_from(self.first)
    }
}

impl<T: Clone + PartialEq> PartialEq for Log<T> {
    fn eq(&self, other: &Log<T>) -> bool {
        if self.first != other.first || self.last != other.last {
            return false;
        }
        // Copies share nearly all chunks: only where they do not, entries must be looked at.
        let shared = |slot: Slot| {
            let ((a, _), (b, _)) = (self.place(slot), other.place(slot));
            Arc::ptr_eq(&self.chunks[a], &other.chunks[b])
        };
        let mut slot = self.first;
        while slot <= self.last {
            let next = (slot - 1) / CHUNK * CHUNK + CHUNK + 1;
            let end = next.min(self.last + 1);
            if !shared(slot) && (slot..end).any(|slot| self.get(slot) != other.get(slot)) {
                return false;
            }
            slot = next;
        }
        true
    }
}

impl<T: Clone + Eq> Eq for Log<T> {}

impl<T: Clone + Hash> Hash for Log<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.first.hash(state);
        self.last.hash(state);
        self.iter().for_each(|(_, entry)| entry.hash(state));
    }
}

impl<T: Clone + std::fmt::Debug> std::fmt::Debug for Log<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: Clone + Serialize> Serialize for Log<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(n: u32) -> Log<u32> {
        let mut log = Log::default();
        (1..=n).for_each(|i| assert_eq!(log.push(i * 10), i));
        log
    }

    #[test]
    fn push_get_and_truncate_across_chunks() {
        for n in [0, 1, 31, 32, 33, 64, 100] {
            for cut in 1..=n + 1 {
                let mut log = filled(n);
                log.truncate_from(cut);
                assert_eq!(log.last(), cut - 1);
                assert_eq!(log.push(7), cut);
                assert_eq!(log.get(cut), Some(&7));
                assert_eq!(log.iter().count() as u32, cut);
            }
        }
    }

    #[test]
    fn compaction_keeps_the_rest_in_place() {
        for n in [1, 32, 33, 64, 100] {
            for cut in 1..=n {
                let mut log = filled(n);
                log.compact_to(cut);
                assert_eq!((log.first(), log.last()), (cut + 1, n));
                assert_eq!(log.get(cut), None);
                assert_eq!(
                    log.iter().map(|(s, e)| (s, *e)).collect::<Vec<_>>(),
                    (cut + 1..=n).map(|s| (s, s * 10)).collect::<Vec<_>>()
                );
                assert_eq!(log.push(1), n + 1);
                assert_eq!(log.get(n + 1), Some(&1));
                log.truncate_from(cut + 1);
                assert!(log.is_empty());
                assert_eq!(log.push(2), cut + 1);
            }
        }
    }

    #[test]
    fn a_log_after_a_snapshot_goes_on_where_it_ends() {
        for slot in [0, 1, 31, 32, 33, 64] {
            let mut log: Log<u32> = Log::after(slot);
            assert!(log.is_empty());
            assert_eq!(log.push(5), slot + 1);
            assert_eq!(log.get(slot + 1), Some(&5));
            assert_eq!(log.get(slot), None);
        }
    }

    #[test]
    fn equal_logs_are_equal_whether_or_not_they_share_chunks() {
        for n in [0, 1, 32, 33, 100] {
            let log = filled(n);
            assert_eq!(log, log.clone());
            assert_eq!(log, filled(n));
            for slot in 1..=n {
                let mut other = log.clone();
                *other.get_mut(slot).unwrap() += 1;
                assert_ne!(log, other);
                other.compact_to(slot);
                let mut same = log.clone();
                same.compact_to(slot);
                assert_eq!(same, other);
            }
        }
    }

    #[test]
    fn a_copy_does_not_see_later_writes() {
        let mut log = filled(40);
        let copy = log.clone();
        *log.get_mut(40).unwrap() = 0;
        log.truncate_from(3);
        assert_eq!(copy.get(40), Some(&400));
        assert_eq!(copy.last(), 40);
    }
}

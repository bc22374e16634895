//! A persistent (copy-on-write) log: full chunks are shared between copies, so that a checkpoint of a whole cluster copies only the last few
//! entries of each log.

use super::Slot;
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Entries in one shared chunk.
const CHUNK: u32 = 64;

/// Entries for slots `first..=last`, without gaps; a prefix can be compacted once a snapshot covers it.
///
/// Invariants: `full[i]` holds slots `(base + i) * CHUNK + 1 ..= (base + i + 1) * CHUNK`; `tail` holds the slots after those, up to `last`, and
/// fewer than `CHUNK`; `first <= last + 1`.
#[derive(Clone)]
pub struct Log<T> {
    /// Full chunks, which copies share.
    full: VecDeque<Arc<Vec<T>>>,
    /// The chunk after them, not full yet and not shared, so that appending copies nothing.
    tail: Vec<T>,
    /// Number of whole chunks compacted.
    base: u32,
    /// Slots below this one are compacted, though their chunk may still be held.
    first: Slot,
    /// The last slot held; `first - 1` when empty.
    last: Slot,
    /// Compacted chunks that no copy shares, to be reused.
    spare: Spare<T>,
}

/// Chunks to be reused; a copy of a log starts without any.
struct Spare<T>(Vec<Arc<Vec<T>>>);

impl<T> Clone for Spare<T> {
    fn clone(&self) -> Spare<T> {
        Spare(Vec::new())
    }
}

impl<T> Default for Log<T> {
    fn default() -> Log<T> {
        Log { full: VecDeque::new(), tail: Vec::new(), base: 0, first: 1, last: 0, spare: Spare(Vec::new()) }
    }
}

impl<T: Clone> Log<T> {
    /// An empty log whose first entry will have slot `slot + 1`, as after installing a snapshot that covers `slot`.
    pub fn after(slot: Slot) -> Log<T>
    where
        T: Default,
    {
        let tail = vec![T::default(); (slot % CHUNK) as usize];
        Log { tail, base: slot / CHUNK, first: slot + 1, last: slot, ..Log::default() }
    }

    /// The first slot still held (one more than [`Log::last`] when empty).
    pub fn first(&self) -> Slot {
        self.first
    }

    /// The last slot held; 0 in a new log.
    pub fn last(&self) -> Slot {
        self.last
    }

    /// Bytes of its entries, those that copies share included.
    pub fn bytes(&self) -> u64 {
        let held = self.full.len() * CHUNK as usize + self.tail.len();
        (held * size_of::<T>()) as u64
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.last < self.first
    }

    /// The entry in a slot that is held.
    #[inline]
    fn at(&self, slot: Slot) -> &T {
        let chunk = ((slot - 1) / CHUNK - self.base) as usize;
        let entries = self.full.get(chunk).map_or(&self.tail, |chunk| chunk);
        &entries[((slot - 1) % CHUNK) as usize]
    }

    /// The entry in `slot`, if it is held.
    #[inline]
    pub fn get(&self, slot: Slot) -> Option<&T> {
        if slot < self.first || slot > self.last {
            return None;
        }
        Some(self.at(slot))
    }

    /// The entry in `slot`, to change it, if it is held.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        if slot < self.first || slot > self.last {
            return None;
        }
        let chunk = ((slot - 1) / CHUNK - self.base) as usize;
        let entries = match self.full.get_mut(chunk) {
            Some(chunk) => Arc::make_mut(chunk),
            None => &mut self.tail,
        };
        entries.get_mut(((slot - 1) % CHUNK) as usize)
    }

    /// Appends an entry; returns its slot.
    #[inline(always)]
    pub fn push(&mut self, entry: T) -> Slot {
        self.tail.push(entry);
        self.grown()
    }

    /// Appends a copy of `entry`; returns its slot.
    #[inline(always)]
    pub fn push_copy(&mut self, entry: &T) -> Slot
    where
        T: Copy,
    {
        self.tail.extend_from_slice(std::slice::from_ref(entry));
        self.grown()
    }

    /// Completes an append: counts the entry, and closes the tail if it is full.
    #[inline(always)]
    fn grown(&mut self) -> Slot {
        self.last += 1;
        if self.last.is_multiple_of(CHUNK) {
            self.begin_chunk();
        }
        self.last
    }

    /// Turns the full tail into a shared chunk.
    #[inline(never)]
    fn begin_chunk(&mut self) {
        let mut chunk = self.spare.0.pop().unwrap_or_else(|| Arc::new(Vec::with_capacity(CHUNK as usize)));
        if let Some(empty) = Arc::get_mut(&mut chunk) {
            std::mem::swap(empty, &mut self.tail);
        }
        self.full.push_back(chunk);
    }

    /// Removes `slot` and all after it.
    pub fn truncate_from(&mut self, slot: Slot) {
        let slot = slot.max(self.first);
        if slot > self.last {
            return;
        }
        let chunk = ((slot - 1) / CHUNK - self.base) as usize;
        if chunk < self.full.len() {
            self.tail = self.full.drain(chunk..).next().map(Arc::unwrap_or_clone).unwrap_or_default();
        }
        self.tail.truncate(((slot - 1) % CHUNK) as usize);
        self.last = slot - 1;
    }

    /// Compaction: removes all entries up to and including `slot`, which a snapshot covers.
    pub fn compact_to(&mut self, slot: Slot) {
        if slot < self.first {
            return;
        }
        self.first = slot.min(self.last) + 1;
        let whole = (self.first - 1) / CHUNK;
        for mut chunk in self.full.drain(..(whole - self.base) as usize) {
            if let Some(unshared) = Arc::get_mut(&mut chunk) {
                unshared.clear();
                self.spare.0.push(chunk);
            }
        }
        self.base = whole;
    }

    /// Entries from `slot` (or the first held) on, each with its slot.
    pub fn iter_from(&self, slot: Slot) -> impl DoubleEndedIterator<Item = (Slot, &T)> {
        (slot.max(self.first)..=self.last).map(|slot| (slot, self.at(slot)))
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
        // Copies share nearly all chunks: only entries of chunks that are not shared are compared.
        let shared = |slot: Slot| {
            let chunk = ((slot - 1) / CHUNK - self.base) as usize;
            matches!((self.full.get(chunk), other.full.get(chunk)), (Some(a), Some(b)) if Arc::ptr_eq(a, b))
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
    fn compaction_leaves_later_slots_in_place() {
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
    fn log_after_a_snapshot_continues_at_the_next_slot() {
        for slot in [0, 1, 31, 32, 33, 64] {
            let mut log: Log<u32> = Log::after(slot);
            assert!(log.is_empty());
            assert_eq!(log.push(5), slot + 1);
            assert_eq!(log.get(slot + 1), Some(&5));
            assert_eq!(log.get(slot), None);
        }
    }

    #[test]
    fn log_with_one_entry_is_not_empty() {
        assert!(filled(0).is_empty() && !filled(1).is_empty());
        let mut compacted = filled(40);
        compacted.compact_to(39);
        assert!(!compacted.is_empty());
    }

    #[test]
    fn compacted_chunk_is_reused_unless_a_copy_shares_it() {
        for shared in [false, true] {
            let mut log = filled(200);
            let copy = log.clone();
            if !shared {
                drop(log);
                log = filled(200);
            }
            log.compact_to(150);
            assert_eq!(log.spare.0.len(), if shared { 0 } else { 2 });
            (201..=400).for_each(|slot| assert_eq!(log.push(slot * 10), slot));
            assert!((151..=400).all(|slot| log.get(slot) == Some(&(slot * 10))));
            assert!((1..=200).all(|slot| copy.get(slot) == Some(&(slot * 10))));
            assert_eq!(copy.get(201), None);
        }
    }

    #[test]
    fn equality_does_not_depend_on_shared_chunks() {
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
    fn copy_does_not_see_later_writes() {
        let mut log = filled(40);
        let copy = log.clone();
        *log.get_mut(40).unwrap() = 0;
        log.truncate_from(3);
        assert_eq!(copy.get(40), Some(&400));
        assert_eq!(copy.last(), 40);
    }
}

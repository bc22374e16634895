//! Hierarchical timing wheel: a priority queue by time, first in first out within a microsecond, with constant-time insertion.
//!
//! After Varghese and Lauck (SOSP 1987), over all 64 bits of time: level `l` has one slot for each value of the `l`-th group of 6 bits, and
//! an item is at the level of the highest group in which its time differs from now. A slot is a first-in-first-out list threaded through
//! one slab.
//!
//! Invariant: items of the same microsecond are removed in order of insertion. An item moves to a lower level only when time enters its
//! slot, and until then no item of the same slot can be inserted at a lower level.

use crate::core::Micros;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 64usize.div_ceil(BITS as usize);
const NONE: u32 = u32::MAX;

/// A queue of items ordered by time, first in first out within a microsecond.
#[derive(Clone, Debug)]
pub struct Wheel<T> {
    now: Micros,
    levels: Box<[Level; LEVELS]>,
    slab: Vec<Entry<T>>,
    free: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    occupied: u64,
    slots: [List; SLOTS],
}

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    time: Micros,
    next: u32,
    item: T,
}

impl<T> Default for Wheel<T> {
    fn default() -> Wheel<T> {
        let level = Level { occupied: 0, slots: [List { head: NONE, tail: NONE }; SLOTS] };
        Wheel { now: 0, levels: Box::new([level; LEVELS]), slab: Vec::new(), free: NONE, len: 0 }
    }
}

impl<T: Copy> Wheel<T> {
    /// Number of items.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Bytes of its entries, free ones included.
    pub fn bytes(&self) -> u64 {
        (self.slab.len() * size_of::<Entry<T>>()) as u64
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Inserts an item. A time in the past counts as now.
    #[inline(always)]
    pub fn push(&mut self, time: Micros, item: T) {
        let time = time.max(self.now);
        if self.free == NONE {
            self.grow(item);
        }
        let index = self.free;
        let entry = &mut self.slab[index as usize];
        self.free = entry.next;
        entry.time = time;
        entry.next = NONE;
        entry.item = item;
        self.len += 1;
        self.link(index, time);
    }

    /// Adds a free slab entry, with an arbitrary item in it.
    #[cold]
    fn grow(&mut self, anything: T) {
        self.free = self.slab.len() as u32;
        self.slab.push(Entry { time: 0, next: NONE, item: anything });
    }

    #[inline]
    fn link(&mut self, index: u32, time: Micros) {
        let differs = time ^ self.now;
        let level = (63 - (differs | 1).leading_zeros()) / BITS;
        let slot = (time >> (level * BITS)) as usize % SLOTS;
        let level = &mut self.levels[level as usize];
        let list = &mut level.slots[slot];
        if level.occupied >> slot & 1 == 0 {
            level.occupied |= 1 << slot;
            list.head = index;
        } else {
            self.slab[list.tail as usize].next = index;
        }
        list.tail = index;
    }

    /// Removes the first item if its time is not after `limit`, and advances the current time to it; never past `limit`.
    #[inline(always)]
    pub fn pop_until(&mut self, limit: Micros) -> Option<(Micros, T)> {
        loop {
            let occupied = self.levels[0].occupied;
            if occupied != 0 {
                let slot = occupied.trailing_zeros() as usize;
                let time = self.now & !(SLOTS as u64 - 1) | slot as u64;
                if time > limit {
                    return None;
                }
                self.now = time;
                let list = &mut self.levels[0].slots[slot];
                let index = list.head;
                let entry = &mut self.slab[index as usize];
                if entry.next == NONE {
                    self.levels[0].occupied &= !(1 << slot);
                } else {
                    list.head = entry.next;
                }
                entry.next = self.free;
                self.free = index;
                self.len -= 1;
                return Some((time, entry.item));
            }
            if !self.cascade(limit) {
                return None;
            }
        }
    }

    /// Cascade: advances time to the first occupied slot of the lowest occupied level, if that is not after `limit`, and redistributes its
    /// items over the levels below.
    fn cascade(&mut self, limit: Micros) -> bool {
        let Some(level) = self.levels.iter().position(|level| level.occupied != 0) else {
            return false;
        };
        let slot = self.levels[level].occupied.trailing_zeros() as usize;
        let shift = level as u32 * BITS;
        let above = u64::MAX.checked_shl(shift + BITS).unwrap_or(0);
        let start = self.now & above | (slot as u64) << shift;
        if start > limit {
            return false;
        }
        self.now = start;
        self.levels[level].occupied &= !(1 << slot);
        let mut index = self.levels[level].slots[slot].head;
        while index != NONE {
            let Entry { time, next, .. } = self.slab[index as usize];
            self.slab[index as usize].next = NONE;
            self.link(index, time);
            index = next;
        }
        true
    }

    /// All items with their times. Those of the same time are in order of insertion; otherwise the order is unspecified, but deterministic.
    pub fn iter(&self) -> impl Iterator<Item = (Micros, &T)> {
        self.slab_indices().map(|place| {
            let entry = &self.slab[place as usize];
            (entry.time, &entry.item)
        })
    }

    /// Visits all items mutably, with their times, in the order of [`Wheel::iter`].
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(Micros, &mut T)) {
        for place in self.slab_indices().collect::<Vec<_>>() {
            let entry = &mut self.slab[place as usize];
            visit(entry.time, &mut entry.item);
        }
    }

    /// Slab indices of all items, list by list: slab order is not insertion order, since entries are reused. Items of the same time are in the
    /// same list.
    fn slab_indices(&self) -> impl Iterator<Item = u32> {
        let lists = self.levels.iter().flat_map(|level| {
            (0..SLOTS).filter(|slot| level.occupied >> slot & 1 == 1).map(|slot| level.slots[slot].head)
        });
        lists.flat_map(|head| {
            let next = |place: &u32| Some(self.slab[*place as usize].next).filter(|next| *next != NONE);
            std::iter::successors(Some(head), next)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::Rng;
    use std::collections::BTreeMap;

    /// Reference model: an ordered map from (time, order of insertion).
    #[test]
    fn wheel_pops_in_order_of_time_then_insertion() {
        for seed in 0..200 {
            let mut rng = Rng::stream(seed, "wheel", 0);
            let mut wheel = Wheel::default();
            let mut model = BTreeMap::new();
            let (mut now, mut count) = (0u64, 0u64);
            for _ in 0..400 {
                if rng.chance(600) {
                    let reach = [3, 70, 5_000, 400_000, 90_000_000][rng.between(0, 4) as usize];
                    let time = now + rng.between(0, reach);
                    wheel.push(time, count);
                    model.insert((time, count), count);
                    count += 1;
                } else {
                    let limit = now + rng.between(0, 600_000);
                    let got = wheel.pop_until(limit);
                    let want = model.first_key_value().map(|(key, _)| *key).filter(|key| key.0 <= limit);
                    assert_eq!(got, want, "seed {seed}");
                    match want {
                        Some(key) => {
                            model.remove(&key);
                            now = key.0;
                        }
                        None => now = limit,
                    }
                }
                assert_eq!(wheel.len(), model.len());
            }
            let mut listed: Vec<_> = wheel.iter().map(|(time, item)| (time, *item)).collect();
            listed.sort_by_key(|(time, _)| *time);
            assert!(listed.iter().eq(model.keys()), "seed {seed}");
            while let Some(got) = wheel.pop_until(Micros::MAX) {
                assert_eq!(model.pop_first().map(|(key, _)| key), Some(got), "seed {seed}");
            }
            assert!(model.is_empty());
        }
    }
}

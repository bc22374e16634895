//! Interning (hash-consing) and memo tables: each different value is kept once and known by a number from then on.
//!
//! Numbers are given in the order in which values come, so nothing ever depends on the order of a hash. Hashes only find candidates: values are
//! compared, so that no two are ever taken for one.

use crate::core::hash::Digest;
use hashbrown::HashTable;
use std::hash::Hash;

/// Numbers by hash. Not generic, so that it is compiled once whatever is interned.
#[derive(Clone, Debug, Default)]
struct Index(HashTable<(u64, u32)>);

impl Index {
    /// The number under this hash that `equals` accepts; `next`, which is entered, if there is none.
    fn number(&mut self, hash: u64, next: u32, equals: &dyn Fn(u32) -> bool) -> u32 {
        let entry = self.0.entry(hash, |&(of, number)| of == hash && equals(number), |&(of, _)| of);
        entry.or_insert((hash, next)).get().1
    }
}

/// What an entry of an index takes, growing included, bytes.
const INDEXED: usize = 72;

/// Interns values of one type.
#[derive(Clone, Debug)]
pub(super) struct Interner<T> {
    items: Vec<T>,
    index: Index,
}

impl<T> Default for Interner<T> {
    fn default() -> Interner<T> {
        Interner { items: Vec::new(), index: Index::default() }
    }
}

impl<T: Hash + Eq> Interner<T> {
    /// The number of `item`.
    pub fn put(&mut self, item: T) -> u32 {
        let Interner { items, index } = self;
        let number = index.number(Digest::of(&item), items.len() as u32, &|number| items[number as usize] == item);
        if number as usize == self.items.len() {
            self.items.push(item);
        }
        number
    }

    /// The value with this number.
    pub fn get(&self, number: u32) -> &T {
        &self.items[number as usize]
    }

    /// The value with this number, to move a part of it away for a while. It must be whole again before anything is put in.
    pub fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.items[number as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// All of them, in the order of their numbers.
    pub fn all(&self) -> &[T] {
        &self.items
    }

    /// Bytes, by count, if each of them has so many more outside of itself.
    pub fn bytes(&self, outside: usize) -> u64 {
        (self.items.len() * (2 * size_of::<T>() + outside + INDEXED)) as u64
    }
}

/// Interns lists of numbers, all in one piece of memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    numbers: Vec<u32>,
    ends: Vec<usize>,
    index: Index,
}

impl Lists {
    /// The number of `list`.
    pub fn put(&mut self, list: &[u32]) -> u32 {
        let Lists { numbers, ends, index } = self;
        let next = ends.len() as u32;
        let number = index.number(hash(list), next, &|number| slice(numbers, ends, number) == list);
        if number == next {
            numbers.extend_from_slice(list);
            ends.push(numbers.len());
        }
        number
    }

    /// The list with this number.
    pub fn get(&self, number: u32) -> &[u32] {
        slice(&self.numbers, &self.ends, number)
    }

    /// Bytes, by count.
    pub fn bytes(&self) -> u64 {
        (2 * size_of_val(&self.numbers[..]) + self.ends.len() * (2 * size_of::<usize>() + INDEXED)) as u64
    }
}

fn slice<'a>(numbers: &'a [u32], ends: &[usize], number: u32) -> &'a [u32] {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &numbers[start..ends[number]]
}

fn hash(list: &[u32]) -> u64 {
    let mut digest = Digest::default();
    digest.word(list.len() as u64);
    for pair in list.chunks(2) {
        digest.word(u64::from(pair[0]) << 32 | u64::from(pair.get(1).copied().unwrap_or_default()));
    }
    std::hash::Hasher::finish(&digest)
}

/// No key: nothing that is kept has this number.
const EMPTY: u64 = u64::MAX;
/// Places at first.
const PLACES: usize = 1 << 6;

/// Where to look first for `key` in a table of this many places, a power of two.
#[inline]
fn place(key: u64, places: usize) -> usize {
    let product = u128::from(key ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93_u128;
    ((product >> 64) as u64 ^ product as u64) as usize & (places - 1)
}

/// Memo table: a number for each of some keys, such that an answer costs one look into memory.
///
/// Open addressing with linear probing, at most half full. A key is 64 bits and stands for itself, not for its hash.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    places: Vec<(u64, u32)>,
    held: usize,
}

impl Default for Memo {
    fn default() -> Memo {
        Memo { places: vec![(EMPTY, 0); PLACES], held: 0 }
    }
}

impl Memo {
    /// The place of `key`, or the empty one at which it would have to go.
    #[inline]
    fn find(&self, key: u64) -> usize {
        let mut at = place(key, self.places.len());
        loop {
            let held = self.places[at].0;
            if held == key || held == EMPTY {
                return at;
            }
            at = (at + 1) & (self.places.len() - 1);
        }
    }

    /// The number of `key`, if it has one.
    #[inline]
    pub fn get(&self, key: u64) -> Option<u32> {
        let (held, number) = self.places[self.find(key)];
        (held == key).then_some(number)
    }

    /// Bytes, by count, as if it was about to grow.
    pub fn bytes(&self) -> u64 {
        3 * size_of_val(&self.places[..]) as u64
    }

    /// Gives `key` this number.
    pub fn set(&mut self, key: u64, number: u32) {
        let at = self.find(key);
        self.held += usize::from(self.places[at].0 == EMPTY);
        self.places[at] = (key, number);
        if self.held * 2 > self.places.len() {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![(EMPTY, 0); self.places.len() * 2];
        for (key, number) in std::mem::replace(&mut self.places, larger) {
            if key != EMPTY {
                let at = self.find(key);
                self.places[at] = (key, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn interner_gives_equal_values_one_number() {
        let mut words = Interner::default();
        assert_eq!(["a", "b", "a", "c", "b"].map(|word| words.put(word)), [0, 1, 0, 2, 1]);
        assert_eq!((*words.get(2), words.len()), ("c", 3));
        let mut lists = Lists::default();
        let all: Vec<Vec<u32>> = (0..1_000).map(|i| (0..i % 7).map(|j| i / 7 + j).collect()).collect();
        let numbers: Vec<u32> = all.iter().map(|list| lists.put(list)).collect();
        let mut last = 0;
        for (list, number) in all.iter().zip(numbers) {
            assert_eq!(lists.get(number), list.as_slice());
            assert_eq!(lists.put(list), number);
            assert!(number <= last + 1, "numbers come in order");
            last = last.max(number);
        }
    }

    #[test]
    fn interner_with_equal_hashes_tells_values_apart() {
        let mut index = Index::default();
        assert_eq!(index.number(7, 0, &|_| false), 0);
        assert_eq!(index.number(7, 1, &|number| number == 1), 1);
        assert_eq!(index.number(7, 2, &|number| number == 0), 0);
        assert_eq!(index.number(7, 2, &|number| number == 1), 1);
    }

    #[test]
    fn memo_holds_what_was_put_in_and_nothing_else() {
        let (mut memo, mut model) = (Memo::default(), BTreeMap::new());
        // Keys that share all factors with the number of places, and such that do not.
        for key in (0..5_000).map(|i| i << 20).chain((0..5_000).map(|i| i * 3)) {
            assert_eq!(memo.get(key), model.get(&key).copied());
            memo.set(key, key as u32 ^ 7);
            model.insert(key, key as u32 ^ 7);
        }
        for key in 0..20_000 {
            assert_eq!(memo.get(key), model.get(&key).copied());
        }
        assert_eq!(memo.held, model.len());
    }
}

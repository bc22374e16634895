//! Each thing once, known by a number.

use crate::core::hash::Digest;
use hashbrown::HashTable;
use std::hash::{Hash, Hasher};

/// Keeps each different value once and numbers them in the order in which they came. Nothing ever depends on the order of a hash.
#[derive(Clone, Debug)]
pub(super) struct Interner<T> {
    items: Vec<T>,
    index: HashTable<u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Interner<T> {
        Interner { items: Vec::new(), index: HashTable::new() }
    }
}

impl<T: Hash + Eq> Interner<T> {
    /// The number of `item`.
    pub fn put(&mut self, item: T) -> u32 {
        let Interner { items, index } = self;
        let hash = |item: &T| Digest::of(item);
        let number = items.len() as u32;
        let entry = index.entry(hash(&item), |&at| items[at as usize] == item, |&at| hash(&items[at as usize]));
        let number = *entry.or_insert(number).get();
        if number as usize == self.items.len() {
            self.items.push(item);
        }
        number
    }

    /// The value with this number.
    pub fn get(&self, number: u32) -> &T {
        &self.items[number as usize]
    }

    /// The value with this number, to be lent away. It must be back before anything is put in.
    pub fn borrow(&mut self, number: u32) -> &mut T {
        &mut self.items[number as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }
}

/// Lists of numbers, each different one once: message sets, states.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    numbers: Vec<u32>,
    ends: Vec<usize>,
    index: HashTable<u32>,
}

impl Lists {
    /// The number of `list`, and whether it is new.
    pub fn put(&mut self, list: &[u32]) -> (u32, bool) {
        let Lists { numbers, ends, index } = self;
        let at = |&number: &u32| slice(numbers, ends, number);
        let memo = ends.len() as u32;
        let entry = index.entry(hash(list), |number| at(number) == list, |number| hash(at(number)));
        let number = *entry.or_insert(memo).get();
        if number == memo {
            numbers.extend_from_slice(list);
            ends.push(numbers.len());
        }
        (number, number == memo)
    }

    /// The list with this number.
    pub fn get(&self, number: u32) -> &[u32] {
        slice(&self.numbers, &self.ends, number)
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
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_have_one_number() {
        let mut words = Interner::default();
        assert_eq!(["a", "b", "a", "c", "b"].map(|word| words.put(word)), [0, 1, 0, 2, 1]);
        assert_eq!((*words.get(2), words.len()), ("c", 3));
        let mut lists = Lists::default();
        let all: Vec<Vec<u32>> = (0..1_000).map(|i| (0..i % 7).map(|j| i / 7 + j).collect()).collect();
        let numbers: Vec<u32> = all.iter().map(|list| lists.put(list).0).collect();
        for (list, number) in all.iter().zip(numbers) {
            assert_eq!(lists.get(number), list.as_slice());
            assert_eq!(lists.put(list), (number, false));
        }
    }
}

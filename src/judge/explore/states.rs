//! All states found so far, each in eight bytes and a table's place.
//!
//! A state is a row of numbers. Two neighbours in the row are folded into one number that stands for the pair, two such numbers into
//! one again, up to the last pair, which is the state's key. Rows of states have most pairs in common, so there are few below the top; and a step changes few numbers of a row,
//! so only the pairs above those are looked up. (Laarman, van de Pol, Weber: Parallel Recursive State Compression for Free, SPIN 2011.)

use super::table::{Keys, Memo};

/// A row and the pairs above it: in place 1 would be the whole, in places 2 and 3 are its halves, below place `i` are places `2i` and `2i + 1`, and from
/// `width` on stands the row.
pub(super) type Tree = [u32];

/// The states, numbered from 0 in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct States {
    width: usize,
    pairs: Vec<u64>,
    pair_numbers: Memo,
    keys: Vec<u64>,
    known: Keys,
}

fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

impl States {
    /// No states yet, each to be a row of `width` numbers, at least 2 and at most 128.
    pub fn new(width: usize) -> States {
        States { width, pairs: Vec::new(), pair_numbers: Memo::default(), keys: Vec::new(), known: Keys::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The row of a state, with all pairs.
    pub fn unfold(&self, state: u32, tree: &mut Tree) {
        for place in 1..self.width {
            let pair = if place == 1 { self.keys[state as usize] } else { self.pairs[tree[place] as usize] };
            (tree[2 * place], tree[2 * place + 1]) = ((pair >> 32) as u32, pair as u32);
        }
    }

    /// Brings the pairs above the `changed` places of the row up to date (a bit each, counted from the row's beginning); gives the key.
    #[inline]
    pub fn fold(&mut self, tree: &mut Tree, changed: u128) -> u64 {
        // Places whose pair is not what it was. All are below `width`, at most 128.
        let mut stale = 0u128;
        let mut left = changed;
        while left != 0 {
            let index = left.trailing_zeros() as usize;
            left &= left - 1;
            stale |= 1 << ((self.width + index) / 2);
        }
        loop {
            // The highest place is the lowest in the tree: nothing below it is stale.
            let place = 127 - stale.leading_zeros() as usize;
            if place <= 1 {
                return key(tree[2], tree[3]);
            }
            stale &= !(1 << place);
            stale |= 1 << (place / 2);
            tree[place] = self.pair(key(tree[2 * place], tree[2 * place + 1]));
        }
    }

    #[inline]
    fn pair(&mut self, pair: u64) -> u32 {
        if let Some(number) = self.pair_numbers.get(pair) {
            return number;
        }
        let number = self.pairs.len() as u32;
        self.pairs.push(pair);
        self.pair_numbers.set(pair, number);
        number
    }

    /// Adds the state with this key; tells whether it is new.
    #[inline]
    pub fn put(&mut self, key: u64) -> bool {
        let new = self.known.put(key);
        if new {
            self.keys.push(key);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_as_they_went_in_and_are_told_apart() {
        for width in [2, 3, 4, 5, 7, 8, 12, 67] {
            let mut states = States::new(width);
            let mut tree = vec![0; 2 * width];
            let all = (1 << width.min(127)) - 1u128;
            let start = states.fold(&mut tree, all);
            assert!(states.put(start));
            let mut rows = vec![vec![0; width]];
            // One number changes at a time; every row is new, and then comes a second time.
            for step in 1..300u32 {
                let from = step as usize * 7 % rows.len();
                let index = step as usize % width;
                states.unfold(from as u32, &mut tree);
                assert_eq!(tree[width..], rows[from]);
                tree[width + index] = step;
                let key = states.fold(&mut tree, 1 << index);
                rows.push(tree[width..].to_vec());
                assert!(states.put(key));
                assert_eq!(states.fold(&mut tree, all), key);
                assert!(!states.put(key));
            }
            for (state, row) in rows.iter().enumerate() {
                states.unfold(state as u32, &mut tree);
                assert_eq!(tree[width..], *row);
            }
        }
    }
}

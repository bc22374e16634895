//! The set of visited states: rows of numbers, each kept once.
//!
//! The hash of a row is the sum of a hash for each number in its place, so that a step that changes few numbers changes the hash at
//! little cost. A table holds a state's number and half its hash; where that half agrees, the rows are compared, so nothing is ever taken for
//! something else. With millions of states each look into the table waits for memory, and so does each look at a row: those that
//! are known to come are looked at beforehand ([`States::expect`]), when they need not wait for each other.

/// The states, numbered from 0 in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct States {
    width: usize,
    rows: Vec<u32>,
    /// Half a hash and a number, or [`EMPTY`]: a power of two of places, at most half of them taken.
    places: Vec<u64>,
    len: usize,
    expected: Vec<u32>,
}

const EMPTY: u64 = u64::MAX;
/// Places at first.
const PLACES: usize = 1 << 8;

/// What a number in its place in the row adds to the hash.
#[inline]
fn part(place: usize, number: u32) -> u64 {
    let mixed = (u64::from(number) | (place as u64 + 1) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ mixed >> 32
}

impl States {
    /// No states yet, each to be a row of `width` numbers.
    pub fn new(width: usize) -> States {
        States { width, rows: Vec::new(), places: vec![EMPTY; PLACES], len: 0, expected: Vec::new() }
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes, by count; those of the table as if it was about to grow.
    pub fn bytes(&self) -> u64 {
        (2 * self.rows.len() * size_of::<u32>() + 3 * self.places.len() * size_of::<u64>()) as u64
    }

    /// The numbers of all states, one after the other.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The row of a state.
    #[inline]
    pub fn row(&self, state: u32) -> &[u32] {
        &self.rows[state as usize * self.width..][..self.width]
    }

    /// The hash of a row.
    pub fn hash(row: &[u32]) -> u64 {
        row.iter().enumerate().fold(0, |hash, (place, &number)| hash.wrapping_add(part(place, number)))
    }

    /// The hash after one number has changed.
    #[inline]
    pub fn rehash(hash: u64, place: usize, before: u32, after: u32) -> u64 {
        hash.wrapping_sub(part(place, before)).wrapping_add(part(place, after))
    }

    /// The half of a hash that is kept, and the place at which to look first.
    #[inline]
    fn place(&self, hash: u64) -> (u32, usize) {
        let half = (hash >> 32) as u32;
        (half, (half >> (32 - self.places.len().trailing_zeros())) as usize)
    }

    /// Looks at what will be looked for next.
    pub fn expect(&mut self, hashes: impl Iterator<Item = u64>) {
        let mut expected = std::mem::take(&mut self.expected);
        expected.clear();
        expected.extend(hashes.map(|hash| {
            let (half, place) = self.place(hash);
            let held = self.places[place];
            if (held >> 32) as u32 == half && held != EMPTY { held as u32 } else { 0 }
        }));
        let looks = expected.iter().fold(0, |looks, &state| looks ^ self.rows[state as usize * self.width]);
        std::hint::black_box(looks);
        self.expected = expected;
    }

    /// Adds the state with this row and its hash; tells whether it is new.
    #[inline]
    pub fn put(&mut self, hash: u64, row: &[u32]) -> bool {
        let (half, mut place) = self.place(hash);
        loop {
            let held = self.places[place];
            if held == EMPTY {
                break;
            }
            if (held >> 32) as u32 == half && self.row(held as u32) == row {
                return false;
            }
            place = (place + 1) & (self.places.len() - 1);
        }
        self.places[place] = u64::from(half) << 32 | self.len as u64;
        self.rows.extend_from_slice(row);
        self.len += 1;
        if self.len * 2 > self.places.len() {
            self.grow();
        }
        true
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![EMPTY; self.places.len() * 2];
        for held in std::mem::replace(&mut self.places, larger) {
            if held != EMPTY {
                let (_, mut place) = self.place(held);
                while self.places[place] != EMPTY {
                    place = (place + 1) & (self.places.len() - 1);
                }
                self.places[place] = held;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_as_they_went_in_and_are_told_apart() {
        for width in [1, 2, 5, 12, 66] {
            let mut states = States::new(width);
            let mut rows = vec![vec![0; width]];
            assert!(states.put(States::hash(&rows[0]), &rows[0]));
            // One number changes at a time; every row is new, and then comes a second time.
            for step in 1..3_000u32 {
                let from = step as usize * 7 % rows.len();
                let place = step as usize % width;
                let mut row = states.row(from as u32).to_vec();
                assert_eq!(row, rows[from]);
                let hash = States::rehash(States::hash(&row), place, row[place], step);
                row[place] = step;
                assert_eq!(hash, States::hash(&row));
                states.expect([hash].into_iter());
                assert!(states.put(hash, &row));
                assert!(!states.put(hash, &row));
                rows.push(row);
            }
            assert_eq!(states.len(), rows.len());
        }
    }

    #[test]
    fn rows_with_equal_hashes_are_two() {
        let mut states = States::new(2);
        assert!(states.put(7, &[1, 2]));
        assert!(states.put(7, &[2, 1]));
        assert!(!states.put(7, &[1, 2]));
        assert_eq!((states.len(), states.row(1)), (2, &[2, 1][..]));
    }
}

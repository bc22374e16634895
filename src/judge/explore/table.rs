//! A number for each of some keys, such that an answer costs one look into memory.
//!
//! Open addressing with linear probing, at most half full. A key is 64 bits and stands for itself, so nothing is ever taken for
//! something else that happens to hash alike.

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

/// A number for each of some keys.
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

    /// What `key` leads to, if that is known.
    #[inline]
    pub fn get(&self, key: u64) -> Option<u32> {
        let (held, number) = self.places[self.find(key)];
        (held == key).then_some(number)
    }

    /// Remembers it.
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
    fn it_holds_what_was_put_in_and_nothing_else() {
        let (mut memo, mut model) = (Memo::default(), BTreeMap::new());
        // Steps that share all factors with the number of places, and such that do not.
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

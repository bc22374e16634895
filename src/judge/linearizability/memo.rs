//! The configurations that a search has been in, so that it goes into none twice.
//!
//! A configuration is which operations have taken effect, and the state that came of it. Of operations without an answer it matters only
//! which are still to spare: whoever has used more of them to come to the same answers and the same state can go on in no way in which
//! the other one could not. So a configuration is also left alone when one was seen that differs in having used fewer.

use super::model::Print;

/// The number of a sort of operations without an answer, and how many of them have taken effect.
pub type Used = (u32, u32);

const NONE: u32 = u32::MAX;

/// All configurations seen. An open-addressing table from prints to lists of what was used.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    slots: Vec<Slot>,
    taken: usize,
    uses: Vec<Use>,
    pool: Vec<Used>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// (0, 0) is an empty slot.
    print: Print,
    /// The first of the uses; `NONE` if that is nothing at all.
    first: u32,
}

/// One way to have come to a print.
#[derive(Clone, Copy, Debug)]
struct Use {
    start: u32,
    end: u32,
    next: u32,
}

impl Memo {
    /// Remembers a configuration, unless it was seen or is no better than one that was. Tells whether it is worth exploring, and adds to
    /// `effort` what it took to find out.
    pub fn is_new(&mut self, print: Print, used: &[u32], effort: &mut u64) -> bool {
        let print = (print.0, print.1.max(1));
        if self.taken * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let at = self.find(print);
        let spare = used.iter().enumerate().filter(|(_, count)| **count > 0);
        let nothing_used = spare.clone().next().is_none();
        *effort += used.len() as u64 / 16;
        if self.slots[at].print == (0, 0) {
            self.taken += 1;
            let first = if nothing_used { NONE } else { self.remember(spare, NONE) };
            self.slots[at] = Slot { print, first };
            return true;
        }
        let first = self.slots[at].first;
        let mut next = first;
        while next != NONE {
            *effort += 1;
            let Use { start, end, next: after } = self.uses[next as usize];
            let seen = &self.pool[start as usize..end as usize];
            *effort += seen.len() as u64 / 16;
            if seen.iter().all(|&(class, count)| count <= used[class as usize]) {
                return false;
            }
            next = after;
        }
        if first == NONE {
            // Seen with nothing used.
            return false;
        }
        self.slots[at].first = if nothing_used { NONE } else { self.remember(spare, first) };
        true
    }

    fn remember<'a>(&mut self, used: impl Iterator<Item = (usize, &'a u32)>, next: u32) -> u32 {
        let start = self.pool.len() as u32;
        self.pool.extend(used.map(|(class, count)| (class as u32, *count)));
        self.uses.push(Use { start, end: self.pool.len() as u32, next });
        self.uses.len() as u32 - 1
    }

    /// Where `print` is, or would be.
    fn find(&self, print: Print) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = print.0 as usize & mask;
        while self.slots[at].print != print && self.slots[at].print != (0, 0) {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(64);
        let old = std::mem::replace(&mut self.slots, vec![Slot { print: (0, 0), first: NONE }; size]);
        for slot in old.into_iter().filter(|slot| slot.print != (0, 0)) {
            let at = self.find(slot.print);
            self.slots[at] = slot;
        }
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
            + self.uses.capacity() * size_of::<Use>()
            + self.pool.capacity() * size_of::<Used>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_used_more_is_no_news() {
        let mut memo = Memo::default();
        let mut effort = 0;
        let mut new = |print, used: &[u32]| memo.is_new((print, 1), used, &mut effort);
        assert!(new(1, &[0, 2, 1]));
        assert!(!new(1, &[0, 2, 1]));
        assert!(!new(1, &[4, 2, 2]));
        assert!(new(1, &[4, 1, 2]), "less of one sort");
        assert!(new(2, &[4, 2, 2]), "another state");
        assert!(new(1, &[0, 0, 0]));
        assert!(!new(1, &[0, 1, 0]), "nothing used is the best");
        for print in 3..1_000 {
            assert!(new(print, &[0, 0, 0]) && !new(print, &[0, 0, 0]));
        }
    }
}

//! The configurations that a search has been in, so that it goes into none twice.
//!
//! A configuration is which operations have taken effect, and the state that came of it. Of operations without an answer it matters only
//! which are still to spare: whoever has used more of them to come to the same answers and the same state can go on in no way in which
//! the other one could not. So a configuration is also left alone when one was seen that differs in having used fewer.

use super::model::Print;
use std::cmp::Ordering;

const NONE: u32 = u32::MAX;

/// Operations without an answer that have taken effect, one after another: the last of them, by its number in [`Spent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last(u32);

impl Last {
    /// None has.
    pub const NOTHING: Last = Last(0);
}

/// All such rows of operations, as a tree: those that begin alike share their beginning. So each takes no more room than one operation, and
/// two are compared by where they differ.
#[derive(Clone, Debug)]
pub struct Spent {
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// What sort of operation was the last one.
    class: u32,
    before: Last,
    length: u32,
}

impl Default for Spent {
    fn default() -> Spent {
        Spent { rows: vec![Row { class: NONE, before: Last::NOTHING, length: 0 }] }
    }
}

impl Spent {
    /// One more.
    pub fn then(&mut self, before: Last, class: u32) -> Last {
        let length = self.rows[before.0 as usize].length + 1;
        self.rows.push(Row { class, before, length });
        Last(self.rows.len() as u32 - 1)
    }

    /// Forgets the row made last, which nobody remembers.
    pub fn forget(&mut self) {
        self.rows.pop();
    }

    /// All but the last one.
    pub fn before(&self, last: Last) -> Last {
        self.rows[last.0 as usize].before
    }

    /// Whether `one` has used no more of any sort than `other`. What that takes is added to `effort`.
    fn no_more(&self, one: Last, other: Last, scratch: &mut Vec<i64>, effort: &mut u64) -> bool {
        let length = |last: Last| self.rows[last.0 as usize].length;
        if length(one) > length(other) {
            return false;
        }
        // What each has since the two were the same; that of `one` counts once more than its number tells.
        scratch.clear();
        let (mut a, mut b) = (one, other);
        while a != b {
            let order = length(a).cmp(&length(b));
            if order != Ordering::Less {
                scratch.push(2 * i64::from(self.rows[a.0 as usize].class) + 1);
            }
            if order != Ordering::Greater {
                scratch.push(2 * i64::from(self.rows[b.0 as usize].class));
            }
            (a, b) = match order {
                Ordering::Less => (a, self.before(b)),
                Ordering::Equal => (self.before(a), self.before(b)),
                Ordering::Greater => (self.before(a), b),
            };
        }
        *effort += scratch.len() as u64 / 4;
        scratch.sort_unstable();
        scratch.chunk_by(|a, b| a >> 1 == b >> 1).all(|same| {
            let of_one = same.iter().filter(|word| **word & 1 == 1).count();
            2 * of_one <= same.len()
        })
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }
}

/// All configurations seen. An open-addressing table from prints to lists of what was used.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    slots: Vec<Slot>,
    taken: usize,
    uses: Vec<Use>,
    scratch: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// (0, 0) is an empty slot.
    print: Print,
    /// What was used when it was seen first.
    last: Last,
    /// The first of the other uses; `NONE` for none.
    more: u32,
}

/// Another way to have come to a print.
#[derive(Clone, Copy, Debug)]
struct Use {
    last: Last,
    next: u32,
}

impl Memo {
    /// Remembers a configuration, unless it was seen or is no better than one that was. Tells whether it is worth exploring, and adds to
    /// `effort` what it took to find out.
    pub fn is_new(&mut self, print: Print, last: Last, spent: &Spent, effort: &mut u64) -> bool {
        let print = (print.0, print.1.max(1));
        if self.taken * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let at = self.find(print);
        let slot = self.slots[at];
        if slot.print == (0, 0) {
            self.taken += 1;
            self.slots[at] = Slot { print, last, more: NONE };
            return true;
        }
        if spent.no_more(slot.last, last, &mut self.scratch, effort) {
            return false;
        }
        let mut next = slot.more;
        while next != NONE {
            *effort += 1;
            let seen = self.uses[next as usize];
            if spent.no_more(seen.last, last, &mut self.scratch, effort) {
                return false;
            }
            next = seen.next;
        }
        self.uses.push(Use { last, next: slot.more });
        self.slots[at].more = self.uses.len() as u32 - 1;
        true
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
        let old =
            std::mem::replace(&mut self.slots, vec![Slot { print: (0, 0), last: Last::NOTHING, more: NONE }; size]);
        for slot in old.into_iter().filter(|slot| slot.print != (0, 0)) {
            let at = self.find(slot.print);
            self.slots[at] = slot;
        }
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.uses.capacity() * size_of::<Use>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_used_more_is_no_news() {
        let (mut memo, mut spent, mut effort) = (Memo::default(), Spent::default(), 0);
        let mut new = |print, used: &[u32]| {
            let last = used.iter().fold(Last::NOTHING, |last, class| spent.then(last, *class));
            memo.is_new((print, 1), last, &spent, &mut effort)
        };
        assert!(new(1, &[1, 1, 2]));
        assert!(!new(1, &[2, 1, 1]), "in another order");
        assert!(!new(1, &[0, 0, 1, 2, 0, 1, 2, 0]));
        assert!(new(1, &[0, 0, 0, 1, 2, 2]), "less of one sort");
        assert!(new(2, &[0, 1, 1, 2, 2]), "another state");
        assert!(new(1, &[]));
        assert!(!new(1, &[1]), "nothing used is the best");
        for print in 3..1_000 {
            assert!(new(print, &[]) && !new(print, &[]));
        }
    }

    #[test]
    fn rows_that_begin_alike_are_compared_by_their_ends() {
        let mut spent = Spent::default();
        let mut scratch = Vec::new();
        let common = (0..1_000).fold(Last::NOTHING, |last, class| spent.then(last, class % 7));
        let one = spent.then(common, 3);
        let (two, other) = (spent.then(one, 4), spent.then(common, 4));
        let both = spent.then(other, 3);
        let mut no_more = |a, b| {
            let mut effort = 0;
            let told = spent.no_more(a, b, &mut scratch, &mut effort);
            assert!(effort < 10);
            told
        };
        assert!(no_more(one, two) && !no_more(two, one));
        assert!(no_more(two, both) && no_more(both, two));
        assert!(!no_more(one, other) && no_more(common, other));
    }
}

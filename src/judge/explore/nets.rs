//! The messages under way: sets of them, and what steps make of them.

use super::intern::{Interner, Lists};
use super::table::Memo;

/// What an event does to the messages under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Delta {
    /// The one that is taken away.
    pub gone: Option<u32>,
    /// Those that come.
    pub sent: Vec<u32>,
}

/// All sets of messages there ever were, each a sorted list in which equal messages can stand several times.
#[derive(Debug)]
pub(super) struct Nets {
    sets: Lists,
    memo: Memo,
    /// Most equal ones in a set.
    copies: u8,
    /// Most in a set.
    most: u16,
    scratch: Vec<u32>,
    /// Whether one was left out for there were as many equal ones already.
    pub left_out: bool,
    /// Whether a set would have been too large.
    pub too_many: bool,
}

/// In the memo: nothing came that was not there.
const NOTHING_NEW: u32 = 1 << 31;
/// In the memo: too many.
const TOO_MANY: u32 = u32::MAX;

impl Nets {
    pub fn new(copies: u8, most: u16) -> Nets {
        Nets {
            sets: Lists::default(),
            memo: Memo::default(),
            copies: copies.max(1),
            most,
            scratch: Vec::new(),
            left_out: false,
            too_many: false,
        }
    }

    /// The messages of a set, sorted.
    pub fn get(&self, net: u32) -> &[u32] {
        self.sets.get(net)
    }

    /// The number of a sorted set.
    pub fn put(&mut self, messages: &[u32]) -> u32 {
        self.sets.put(messages).0
    }

    /// The set after `delta`, and whether it holds anything that `net` does not; `None` if that would be too many messages.
    #[inline]
    pub fn after(&mut self, net: u32, delta: u32, deltas: &Interner<Delta>) -> Option<(u32, bool)> {
        let key = u64::from(net) << 32 | u64::from(delta);
        let found = match self.memo.get(key) {
            Some(found) => found,
            None => {
                let found = self.compute(net, deltas.get(delta));
                self.memo.set(key, found);
                found
            }
        };
        (found != TOO_MANY).then_some((found & !NOTHING_NEW, found & NOTHING_NEW == 0))
    }

    fn compute(&mut self, net: u32, Delta { gone, sent }: &Delta) -> u32 {
        let set = &mut self.scratch;
        set.clear();
        set.extend_from_slice(self.sets.get(net));
        if let Some(place) = gone.and_then(|gone| set.binary_search(&gone).ok()) {
            set.remove(place);
        }
        let mut news = false;
        for &message in sent {
            let place = set.partition_point(|&other| other < message);
            let equal = set[place..].iter().take_while(|&&other| other == message).count();
            let fits = equal < usize::from(self.copies);
            if fits {
                set.insert(place, message);
            }
            news |= fits;
            self.left_out |= !fits;
        }
        if set.len() > usize::from(self.most) {
            self.too_many = true;
            return TOO_MANY;
        }
        let number = self.sets.put(set).0;
        if news { number } else { number | NOTHING_NEW }
    }

    /// Without one of this number.
    pub fn without_one(&mut self, net: u32, message: u32) -> u32 {
        let mut set = self.sets.get(net).to_vec();
        if let Ok(place) = set.binary_search(&message) {
            set.remove(place);
        }
        self.put(&set)
    }

    /// Without those that `goes` is true of.
    pub fn without(&mut self, net: u32, goes: impl Fn(u32) -> bool) -> u32 {
        let set: Vec<u32> = self.sets.get(net).iter().copied().filter(|&message| !goes(message)).collect();
        self.put(&set)
    }
}

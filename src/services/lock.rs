//! A lock with a lease and a fencing token, and the store that it guards.
//!
//! A holder that is gone must not keep a lock for ever, so it is held for a time only. But a holder that was merely slow may then believe
//! it still has the lock, while somebody else does. So each holder gets a token, larger than all before, and shows it with all it does; the
//! guarded store refuses whoever comes with an older one than it has seen. (M. Burrows, The Chubby Lock Service, OSDI 2006, §2.4, calls
//! them sequencers.)

use crate::core::Outcome;
use serde::Serialize;

/// A lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Lock {
    /// The last token given out; 0 if none was.
    token: u32,
    /// Until when the holder of that token may keep it, ms; 0 if it was given back.
    until: u32,
}

impl Lock {
    /// Takes the lock, unless somebody has it. `now` in ms, here and below.
    pub fn acquire(&mut self, now: u32, lease: u32) -> Outcome {
        if self.until > now {
            return Outcome::Refused;
        }
        *self = Lock { token: self.token.saturating_add(1), until: now.saturating_add(lease) };
        Outcome::Granted { token: self.token }
    }

    /// Goes on holding it. Too late is too late, even if nobody else has come.
    pub fn renew(&mut self, now: u32, token: u32, lease: u32) -> Outcome {
        if token != self.token || self.until <= now {
            return Outcome::Refused;
        }
        self.until = now.saturating_add(lease);
        Outcome::Done
    }

    /// Gives it back.
    pub fn release(&mut self, token: u32) -> Outcome {
        if token != self.token || self.until == 0 {
            return Outcome::Refused;
        }
        self.until = 0;
        Outcome::Done
    }
}

/// What a lock guards: a place to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Guarded {
    /// What was written last.
    value: Option<u32>,
    /// The largest token seen.
    token: u32,
}

impl Guarded {
    /// Writes; with `fenced`, only if no later holder has written before.
    pub fn write(&mut self, value: u32, token: u32, fenced: bool) -> Outcome {
        if fenced && token < self.token {
            return Outcome::Refused;
        }
        *self = Guarded { value: Some(value), token: self.token.max(token) };
        Outcome::Done
    }

    /// What was written last, if anything ever was.
    pub fn held(&self) -> Option<u32> {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_runs_out_and_the_next_holder_has_a_larger_token() {
        let mut lock = Lock::default();
        assert_eq!(lock.acquire(100, 50), Outcome::Granted { token: 1 });
        assert_eq!(lock.acquire(149, 50), Outcome::Refused);
        assert_eq!(lock.renew(149, 1, 50), Outcome::Done);
        assert_eq!(lock.acquire(198, 50), Outcome::Refused, "it was renewed until 199");
        assert_eq!(lock.renew(199, 1, 50), Outcome::Refused, "too late");
        assert_eq!(lock.acquire(199, 50), Outcome::Granted { token: 2 });
        assert_eq!(lock.release(1), Outcome::Refused);
        assert_eq!(lock.release(2), Outcome::Done);
        assert_eq!(lock.release(2), Outcome::Refused);
        assert_eq!(lock.acquire(200, 50), Outcome::Granted { token: 3 });
    }

    #[test]
    fn the_store_refuses_a_stale_holder_only_if_it_looks() {
        let mut store = Guarded::default();
        assert_eq!(store.write(10, 2, true), Outcome::Done);
        assert_eq!(store.write(11, 2, true), Outcome::Done);
        assert_eq!(store.write(12, 1, true), Outcome::Refused);
        assert_eq!(store, Guarded { value: Some(11), token: 2 });
        assert_eq!(store.write(12, 1, false), Outcome::Done);
        assert_eq!(store, Guarded { value: Some(12), token: 2 });
    }
}

//! A lock with a lease and a fencing token, and the resource that it guards.
//!
//! A crashed holder must not keep a lock for ever, so a lock is held under a lease. But a holder that was merely slow may believe that it still
//! holds the lock when another client does. So each holder gets a fencing token, larger than all before, and sends it with every operation; the
//! guarded resource refuses tokens older than the latest it has seen. (M. Burrows, The Chubby Lock Service, OSDI 2006, §2.4, calls them
//! sequencers.)

use crate::core::Outcome;
use serde::Serialize;

/// A lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Lock {
    /// The last fencing token issued; 0 if none was.
    token: u32,
    /// When the lease of that token's holder expires, ms; 0 if the lock was released.
    until: u32,
}

impl Lock {
    /// Acquires the lock, unless it is held. `now` in ms, here and below.
    pub fn acquire(&mut self, now: u32, lease: u32) -> Outcome {
        if self.until > now {
            return Outcome::Refused;
        }
        *self = Lock { token: self.token.saturating_add(1), until: now.saturating_add(lease) };
        Outcome::Granted { token: self.token }
    }

    /// Renews the lease. Refused after it has expired, even if nobody has acquired the lock since.
    pub fn renew(&mut self, now: u32, token: u32, lease: u32) -> Outcome {
        if token != self.token || self.until <= now {
            return Outcome::Refused;
        }
        self.until = now.saturating_add(lease);
        Outcome::Done
    }

    /// Releases the lock.
    pub fn release(&mut self, token: u32) -> Outcome {
        if token != self.token || self.until == 0 {
            return Outcome::Refused;
        }
        self.until = 0;
        Outcome::Done
    }
}

/// The resource that a lock guards: one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Guarded {
    /// The value written last.
    value: Option<u32>,
    /// The largest token seen.
    token: u32,
}

impl Guarded {
    /// Writes; if `fenced`, only if no later holder has written before.
    pub fn write(&mut self, value: u32, token: u32, fenced: bool) -> Outcome {
        if fenced && token < self.token {
            return Outcome::Refused;
        }
        *self = Guarded { value: Some(value), token: self.token.max(token) };
        Outcome::Done
    }

    /// The value written last, if any.
    pub fn held(&self) -> Option<u32> {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_lease_lets_the_next_holder_in_with_a_larger_token() {
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
    fn stale_token_is_refused_only_with_fencing() {
        let mut store = Guarded::default();
        assert_eq!(store.write(10, 2, true), Outcome::Done);
        assert_eq!(store.write(11, 2, true), Outcome::Done);
        assert_eq!(store.write(12, 1, true), Outcome::Refused);
        assert_eq!(store, Guarded { value: Some(11), token: 2 });
        assert_eq!(store.write(12, 1, false), Outcome::Done);
        assert_eq!(store, Guarded { value: Some(12), token: 2 });
    }
}

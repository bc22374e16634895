//! Timeouts that grow where answers are late.

use super::Micros;
use std::hash::{Hash, Hasher};

/// How much longer than the configured timeouts a node waits before it suspects another.
///
/// Nobody knows how long a disk, a link or a queue makes an answer take; but a node sees its own mistakes. What it had waited for arrives after it
/// gave up: votes for an election that it has begun again, answers to heartbeats of a leadership that it has resigned, or the very next heartbeat of
/// the leader that it took for gone. Each time it doubles its timeouts (Chandra and Toueg, *Unreliable Failure Detectors for Reliable Distributed
/// Systems*, 1996, §9.1: a detector increases its time-out when it finds that it was wrong). Messages that are lost prove nothing, so a node that was
/// cut off does not become slower by that. Progress shortens the timeouts again.
///
/// Two of them are always equal: they concern times only, and the model checker lets timers run out in any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    doublings: u8,
    /// Whether a timeout ran out since it last heard from a leader.
    suspects: bool,
    /// Whether it has grown since a timeout last ran out.
    grown: bool,
    /// The epoch and round of the last heartbeat heard.
    heard: (u32, u32),
}

/// How often timeouts double at most.
const MOST: u8 = 6;

impl Patience {
    /// A timeout with the doublings.
    #[inline]
    pub const fn stretch(self, timeout: Micros) -> Micros {
        timeout << self.doublings
    }

    /// A timeout ran out.
    pub const fn give_up(&mut self) {
        self.suspects = true;
        self.grown = false;
    }

    /// An answer arrived after its timeout ran out.
    pub fn late(&mut self) {
        if !std::mem::replace(&mut self.grown, true) {
            self.doublings = (self.doublings + 1).min(MOST);
        }
    }

    /// An answer to what was asked in round `asked` arrived in round `now`, where every node asks in rounds of its own: late, unless it was asked before
    /// timeouts grew last.
    pub fn late_of(&mut self, asked: u32, now: u32) {
        if asked > self.heard.1 {
            self.late();
            self.heard.1 = now;
        }
    }

    /// A heartbeat came. If it is the one that was waited for, it was late and not lost.
    #[inline]
    pub fn hear(&mut self, epoch: u32, round: u32) {
        if std::mem::take(&mut self.suspects) && self.heard == (epoch, round.wrapping_sub(1)) {
            self.late();
        }
        self.heard = (epoch, round);
    }

    /// The log has grown by much: tries shorter timeouts.
    pub const fn progress(&mut self) {
        self.doublings = self.doublings.saturating_sub(1);
    }
}

impl PartialEq for Patience {
    fn eq(&self, _: &Patience) -> bool {
        true
    }
}

impl Eq for Patience {}

impl Hash for Patience {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_double_after_an_answer_that_came_late_and_not_after_one_that_was_lost() {
        let mut patience = Patience::default();
        patience.hear(1, 1);
        patience.give_up();
        patience.hear(1, 2);
        assert_eq!(patience.stretch(100), 200);
        patience.give_up();
        patience.hear(1, 4);
        assert_eq!(patience.stretch(100), 200, "round 3 was lost");
        patience.give_up();
        patience.hear(2, 5);
        assert_eq!(patience.stretch(100), 200, "the leader is another");
        patience.give_up();
        patience.late();
        patience.late();
        assert_eq!(patience.stretch(100), 400, "once for each timeout");
        patience.progress();
        assert_eq!(patience.stretch(100), 200);
        let mut patience = Patience::default();
        patience.late_of(3, 5);
        patience.give_up();
        patience.late_of(4, 6);
        patience.late_of(5, 6);
        assert_eq!(patience.stretch(100), 200, "asked before the timeout was longer");
        patience.late_of(6, 7);
        assert_eq!(patience.stretch(100), 400);
    }
}

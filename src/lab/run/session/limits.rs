//! The limits of a session: checkpoints within a budget of bytes, and when a run does not go on.
//!
//! Bytes are counted, not asked of the allocator (see `sim/world/size.rs`), and looked at after fixed numbers of events: so the same run ends
//! at the same event whenever it has the same budget. What grows is counted twice, as a table that doubles has room for twice what is in it.

use super::branch::{Branch, Checkpoint};
use super::{SPACING, Session};
use crate::core::Micros;
use crate::universe::{Size, Universe};
use std::fmt;
use std::rc::Rc;

/// Memory of a session with checkpoints, bytes, unless said otherwise: that of a page.
pub const MEMORY: u64 = 256 << 20;
/// Of that, in eighths: the present world and what all copies share.
const WORLD: u64 = 4;
/// In eighths: what a session without checkpoints has for its world.
const ALONE: u64 = 6;
/// In eighths: what checkpoints have at most, and what they and the world have together. The rest is for what is not counted.
const COPIES: u64 = 2;
const TOGETHER: u64 = 5;
/// Most checkpoints of a branch.
const CHECKPOINTS: usize = 512;
/// A checkpoint is taken for so many bytes of it an event at most, so that copying takes a small part of the time.
const BYTES_AN_EVENT: u64 = 128;
/// Events between two looks at time and memory.
const LOOK: u64 = 1_024;
/// The same where looking takes longer, with more events to come than [`MANY`].
const RARE_LOOK: u64 = 16 * LOOK;
const MANY: usize = 1 << 12;
/// Events in one microsecond after which time is said to stand still. Thousands of clients that begin at once make some hundred thousand.
const STILL: u64 = 2_000_000;

/// Why a run does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It takes more memory than there is for it, bytes.
    TooLarge {
        /// What it takes.
        takes: u64,
        /// What there is.
        most: u64,
    },
    /// Time stands still: so many events have happened in one microsecond.
    StandsStill(u64),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        match self {
            Stopped::TooLarge { takes, most } => {
                let (takes, most) = (megabytes(*takes), megabytes(*most));
                write!(f, "too large: the run takes {takes} MB of memory, and {most} MB are the most")
            }
            Stopped::StandsStill(events) => {
                write!(f, "time stands still: {} million events, and not a microsecond has passed", events / 1_000_000)
            }
        }
    }
}

/// What a session may take, and how far it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Memory in all, bytes.
    pub memory: u64,
    /// Whether checkpoints are taken.
    pub copies: bool,
    /// The event after which to look next.
    pub next: u64,
    /// The time at the last look, and the first event that was seen at that time.
    since: (Micros, u64),
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: MEMORY, copies: false, next: 0, since: (Micros::MAX, 0) }
    }
}

impl Limits {
    /// The same at another moment of the run.
    pub fn restarted(self) -> Limits {
        Limits { next: 0, since: (Micros::MAX, 0), ..self }
    }

    /// What the world may take, counted as [`taken`] does.
    fn world(&self) -> u64 {
        self.memory / 8 * if self.copies { WORLD } else { ALONE }
    }
}

/// What a world of this size takes while it grows.
fn taken(size: Size) -> u64 {
    2 * size.own + size.shared
}

/// Looks at the memory and the time of a run without a session.
#[cfg(feature = "search")]
pub(in crate::lab) struct Watch {
    memory: u64,
    since: (Micros, u64),
}

#[cfg(feature = "search")]
impl Watch {
    /// For a run alone.
    pub fn new(memory: u64) -> Watch {
        Watch { memory: memory / 8 * ALONE, since: (Micros::MAX, 0) }
    }

    /// To be called after every event.
    pub fn look(&mut self, universe: &dyn Universe) -> Option<Stopped> {
        if !universe.events().is_multiple_of(LOOK) {
            return None;
        }
        look(universe, &mut self.since, self.memory)
    }
}

/// Whether time stands still at this event; `since` is the time at the last look, and the first event that was seen at that time.
fn still(now: Micros, events: u64, since: &mut (Micros, u64)) -> Option<Stopped> {
    if since.0 != now {
        *since = (now, events);
    }
    let here = events - since.1;
    (here >= STILL).then_some(Stopped::StandsStill(here))
}

/// Looks at time and memory, at a multiple of [`LOOK`] events.
fn look(universe: &dyn Universe, since: &mut (Micros, u64), memory: u64) -> Option<Stopped> {
    let events = universe.events();
    if let Some(stopped) = still(universe.time(), events, since) {
        return Some(stopped);
    }
    if universe.under_way() > MANY && !events.is_multiple_of(RARE_LOOK) {
        return None;
    }
    let takes = taken(universe.size());
    (takes > memory).then_some(Stopped::TooLarge { takes, most: memory })
}

/// What is to be done after an event: looks whether the run may go on, and takes a checkpoint if one is due.
pub(super) fn keep(session: &mut Session) {
    let now = session.universe.events();
    if now.is_multiple_of(LOOK) {
        let memory = session.limits.world();
        session.stopped = look(&*session.universe, &mut session.limits.since, memory);
    }
    session.limits.next = (now / LOOK + 1) * LOOK;
    if session.limits.copies && session.stopped.is_none() {
        let due = session.take_checkpoint();
        session.limits.next = session.limits.next.min(due);
    }
}

impl Branch {
    /// Every second checkpoint goes, and they are farther apart from now on.
    fn halve(&mut self) {
        let mut odd = false;
        self.checkpoints.retain(|_| {
            odd = !odd;
            odd
        });
        self.spacing *= 2;
    }
}

impl Session {
    /// Takes a checkpoint if one is due; tells after which event the next may be.
    fn take_checkpoint(&mut self) -> u64 {
        let now = self.moment();
        let last = self.branch.checkpoints.last().map_or(0, |checkpoint| checkpoint.moment.event);
        let due = last + self.branch.spacing;
        if now.event < due {
            return due;
        }
        // Invariant: a checkpoint has no intervention after its last event, so that seeking to an event leaves those to come.
        if self.done.checked_sub(1).is_some_and(|last| self.branch.interventions[last].event == now.event) {
            return now.event + 1;
        }
        let size = self.universe.size();
        let bytes = size.own;
        let due = last + bytes / BYTES_AN_EVENT;
        if now.event < due {
            return due;
        }
        let eighth = self.limits.memory / 8;
        let most = (eighth * COPIES).min((eighth * TOGETHER).saturating_sub(taken(size)));
        if self.make_room(bytes, most) {
            let universe = self.universe.fork();
            self.branch.checkpoints.push(Rc::new(Checkpoint { moment: now, universe, bytes }));
        }
        if self.branch.checkpoints.len() > CHECKPOINTS {
            self.branch.halve();
        }
        now.event + self.branch.spacing.max(SPACING)
    }

    /// Has checkpoints go until there is room within `most` bytes for one more of so many: those of other branches first. False: there is none
    /// at all.
    fn make_room(&mut self, bytes: u64, most: u64) -> bool {
        while self.copied() + bytes > most {
            if let Some(other) = self.others.iter_mut().find(|branch| !branch.checkpoints.is_empty()) {
                other.checkpoints.clear();
            } else if self.branch.checkpoints.len() > 1 {
                self.branch.halve();
            } else {
                return bytes <= most && self.branch.checkpoints.is_empty();
            }
        }
        true
    }

    /// Bytes of all checkpoints; those that branches share are counted once.
    fn copied(&self) -> u64 {
        let all = self.others.iter().chain([&self.branch]).flat_map(|branch| &branch.checkpoints);
        all.map(|checkpoint| checkpoint.bytes / Rc::strong_count(checkpoint) as u64).sum()
    }

    /// Number of checkpoints and bytes of them, for tests.
    pub fn checkpoints(&self) -> (usize, u64) {
        (self.others.iter().chain([&self.branch]).map(|branch| branch.checkpoints.len()).sum(), self.copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_only_where_millions_of_events_share_a_microsecond() {
        let mut since = (Micros::MAX, 0);
        let mut stopped = None;
        for event in (LOOK..=STILL + 2 * LOOK).step_by(LOOK as usize) {
            // A microsecond passes now and then, until it does not.
            let now = event.min(STILL / 4) / (STILL / 8);
            stopped = still(now, event, &mut since);
            assert!(stopped.is_none() || event > STILL, "{event}");
        }
        assert_eq!(stopped, None, "it did not stand still for long enough");
        let events = STILL * 5 / 4 + 4 * LOOK;
        let stopped = still(2, events - events % LOOK, &mut since).expect("it stands still by now");
        assert_eq!(stopped.to_string(), "time stands still: 2 million events, and not a microsecond has passed");
        assert_eq!(still(3, events * 2, &mut since), None, "it goes on");
    }
}

//! Going back and forth in a run: how long it takes to be at any event of it.

use quorumscope::lab::{Session, presets};
use quorumscope::sim::rng::Rng;

/// A run of the scenario that the page begins with, and random events of it to go to.
pub struct Ride {
    session: Session,
    events: u64,
    rng: Rng,
}

impl Ride {
    /// Runs it for so many events.
    pub fn new(events: u64) -> Ride {
        let mut session = Session::new(presets::first()).expect("a good scenario");
        session.run_until(u64::MAX, events);
        Ride { session, events, rng: Rng::stream(1, "seek", 0) }
    }

    /// Goes to a random event; tells which.
    pub fn go(&mut self) -> u64 {
        let event = self.rng.between(0, self.events);
        self.session.seek(event);
        assert_eq!(self.session.moment().event, event);
        event
    }
}

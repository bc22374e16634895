//! Going to another moment of a run: at once, or in slices, so that a page stays responsive; and back to where it was, at once.

use super::{FARTHEST, Session, Stopped};
use crate::core::Micros;
use crate::lab::Moment;
use crate::universe::Universe;

/// Where to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A time, µs since the start.
    Time(Micros),
    /// The moment after so many events, before the interventions at that point.
    Event(u64),
    /// A moment that the present branch has reached.
    Moment(Moment),
}

/// A moment with all that it takes to be there at once.
pub struct Bookmark {
    branch: usize,
    universe: Box<dyn Universe>,
    done: usize,
    stopped: Option<Stopped>,
}

impl std::fmt::Debug for Bookmark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bookmark at event {} of branch {}", self.universe.events(), self.branch)
    }
}

impl Session {
    /// Goes to the moment after `event` events, before the interventions at that point. Beyond the latest moment reached it runs on; it ends
    /// early if nothing is left to happen.
    pub fn seek(&mut self, event: u64) {
        self.go(Goal::Event(event));
    }

    /// Goes to a time, µs since the start.
    pub fn seek_time(&mut self, time: Micros) {
        self.go(Goal::Time(time));
    }

    /// Undoes the last event or intervention.
    pub fn back(&mut self) {
        self.go(self.before());
    }

    /// The moment before the last event or intervention.
    pub fn before(&self) -> Goal {
        let now = self.moment();
        Goal::Moment(match self.done.checked_sub(1).map(|last| self.branch.interventions[last]) {
            Some(intervention) if intervention.event == now.event => {
                Moment { event: intervention.event, interventions: self.done - 1, at: intervention.at }
            }
            // Interventions done before this event happened stay done.
            _ => Moment { event: now.event.saturating_sub(1), interventions: self.done, at: 0 },
        })
    }

    /// Goes to a moment at once, however long that takes.
    pub fn go(&mut self, goal: Goal) {
        self.set_out(goal);
        while !self.approach(goal, u64::MAX) {}
    }

    /// Sets out: takes up the latest checkpoint before the goal, unless the present moment is nearer. [`Session::approach`] does the rest.
    pub fn set_out(&mut self, goal: Goal) {
        let now = self.moment();
        match goal {
            Goal::Time(time) => self.jump(now.at < time, |moment| moment.at < time),
            Goal::Event(event) => {
                let event = event.min(FARTHEST);
                self.jump(now.event < event, |moment| moment.event <= event);
            }
            Goal::Moment(moment) => {
                if now.event != moment.event || now.interventions > moment.interventions || now.at > moment.at {
                    self.set_out(Goal::Event(moment.event));
                }
            }
        }
    }

    /// Goes on for about `events` events. True: it is there, or the run goes no further.
    pub fn approach(&mut self, goal: Goal, events: u64) -> bool {
        match goal {
            Goal::Time(time) => self.run_until(time, events) < events,
            Goal::Event(event) => {
                let left = event.min(FARTHEST).saturating_sub(self.universe.events()).min(events);
                self.run_until(Micros::MAX, left) < left || self.universe.events() >= event.min(FARTHEST)
            }
            Goal::Moment(moment) => {
                if !self.approach(Goal::Event(moment.event), events) {
                    return false;
                }
                while self.done < moment.interventions && self.step() {}
                if self.universe.time() < moment.at {
                    self.universe.step_until(moment.at);
                }
                true
            }
        }
    }

    /// The present moment, to return to.
    pub fn bookmark(&self) -> Bookmark {
        Bookmark { branch: self.branch.number, universe: self.universe.fork(), done: self.done, stopped: self.stopped }
    }

    /// Returns to a bookmark, without replaying anything. Whatever was reached meanwhile stays reached. Where the branch of the bookmark is no
    /// longer kept, the session stays where it is.
    pub fn return_to(&mut self, bookmark: Bookmark) {
        if bookmark.branch != self.branch.number && !self.take_up(bookmark.branch) {
            return;
        }
        self.universe = bookmark.universe;
        self.done = bookmark.done;
        self.go_on();
        self.stopped = bookmark.stopped;
    }
}

//! Branches of a run: whoever goes back and does something else there starts another one, and the one that was left stays.

use super::{Intervention, Moment, SPACING, Session};
use crate::core::Micros;
use crate::sim::{Record, What};
use crate::universe::Universe;
use std::rc::Rc;

/// Most branches of a run; when there are more, the oldest that is not the present one is forgotten.
pub const BRANCHES: usize = 8;
/// Of the copies of a branch that is left, one in so many stays.
const THINNED: u64 = 4;
/// Events within which a first difference is looked for.
const LOOK: u64 = 50_000;

/// One way that a run went.
pub struct Branch {
    /// Which branch of the run this is, counted from 0.
    pub number: usize,
    /// The branch it parted from, and where; `None` for the first.
    pub parted: Option<(usize, Moment)>,
    /// The farthest moment it has been at.
    pub reached: Moment,
    /// What was done by hand, in order; those after the present moment are still to come.
    pub(super) interventions: Vec<Intervention>,
    /// Copies to go to, oldest first. Branches share what they have in common.
    pub(super) checkpoints: Vec<Rc<Checkpoint>>,
    /// Events between two of them.
    pub(super) spacing: u64,
}

/// A copy of the universe.
pub(super) struct Checkpoint {
    pub moment: Moment,
    pub universe: Box<dyn Universe>,
}

/// Where two branches first differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How many events they have in common, from the start.
    pub event: u64,
    /// When the first of the two events that differ happens, µs.
    pub at: Micros,
    /// What happens next here, and there; `None` when nothing does.
    pub here: Option<Record>,
    /// See `here`.
    pub there: Option<Record>,
}

impl Default for Branch {
    fn default() -> Branch {
        Branch {
            number: 0,
            parted: None,
            reached: Moment::default(),
            interventions: Vec::new(),
            checkpoints: Vec::new(),
            spacing: SPACING,
        }
    }
}

impl Branch {
    /// The same up to a moment, as a branch of its own.
    fn part(&self, number: usize, moment: Moment) -> Branch {
        let earlier = |checkpoint: &&Rc<Checkpoint>| {
            checkpoint.moment.event <= moment.event && checkpoint.moment.interventions <= moment.interventions
        };
        Branch {
            number,
            parted: Some((self.number, moment)),
            reached: moment,
            interventions: self.interventions[..moment.interventions].to_vec(),
            checkpoints: self.checkpoints.iter().take_while(earlier).cloned().collect(),
            spacing: self.spacing,
        }
    }

    /// Keeps fewer copies: nobody is here for now.
    fn thin(&mut self) {
        let mut count = 0;
        self.checkpoints.retain(|_| {
            count += 1;
            count % THINNED == 1
        });
        self.spacing *= THINNED;
    }
}

impl Session {
    /// The branches of this run, in the order in which they began.
    pub fn branches(&self) -> Vec<&Branch> {
        let mut all: Vec<&Branch> = self.others.iter().chain([&self.branch]).collect();
        all.sort_by_key(|branch| branch.number);
        all
    }

    /// The present branch.
    pub fn branch(&self) -> &Branch {
        &self.branch
    }

    /// From here on this is another branch. The one that was left keeps what came later.
    pub(super) fn part(&mut self, now: Moment) {
        let number = self
            .others
            .iter()
            .map(|branch| branch.number)
            .max()
            .max(Some(self.branch.number))
            .map_or(0, |last| last + 1);
        let next = self.branch.part(number, now);
        self.leave_for(next);
        if self.others.len() >= BRANCHES {
            self.others.remove(0);
        }
    }

    fn leave_for(&mut self, next: Branch) {
        let mut left = std::mem::replace(&mut self.branch, next);
        left.thin();
        self.others.push(left);
    }

    /// Goes over to another branch: to the same time if it got that far, otherwise to its end. False if there is no such branch.
    pub fn switch(&mut self, number: usize) -> bool {
        let Some(index) = self.others.iter().position(|branch| branch.number == number) else {
            return number == self.branch.number;
        };
        let next = self.others.remove(index);
        let at = self.universe.time().min(next.reached.at);
        self.leave_for(next);
        self.start_over();
        self.seek_time(at);
        true
    }

    /// Looks for the first event in which another branch differs from the present one. `None` when there is no such branch, or they do
    /// not differ within what they have been through.
    pub fn first_difference(&self, number: usize) -> Option<Difference> {
        let other = self.others.iter().find(|branch| branch.number == number)?;
        let mut here = self.double(&self.branch)?;
        let mut there = self.double(other)?;
        let common = self.branch.interventions.iter().zip(&other.interventions).take_while(|(a, b)| a == b).count();
        let fork = [&self.branch, other]
            .iter()
            .filter_map(|branch| branch.interventions.get(common))
            .map(|intervention| intervention.event)
            .min()?;
        here.seek(fork);
        there.seek(fork);
        for event in fork..fork + LOOK {
            let (one, other) = (here.next_event(), there.next_event());
            if one != other {
                let at = [one, other].iter().flatten().map(|record| record.at).min()?;
                return Some(Difference { event, at, here: one, there: other });
            }
            one?;
        }
        None
    }

    /// A session of its own on one of the branches.
    fn double(&self, branch: &Branch) -> Option<Session> {
        let mut double = Session::of(self.scenario.clone(), self.checked.clone()).ok()?;
        double.branch = branch.part(branch.number, branch.reached);
        double.branch.interventions = branch.interventions.clone();
        Some(double)
    }

    /// The next event, interventions on the way left out: what happened first in it.
    fn next_event(&mut self) -> Option<Record> {
        let (events, records) = (self.universe.events(), self.universe.trace().total());
        while self.universe.events() == events {
            if !self.step() {
                return None;
            }
        }
        let memo = self.universe.trace().records().filter(|(number, _)| *number >= records);
        memo.map(|(_, record)| record).find(|record| record.what != What::Acted)
    }
}

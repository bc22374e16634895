//! Branches of a session: acting at an earlier moment begins a new branch, and the old one is kept.

use super::{Goal, SPACING, Session};
use crate::core::Micros;
use crate::lab::{Intervention, Moment};
use crate::sim::{Record, What};
use crate::universe::Universe;
use std::rc::Rc;

/// Most branches of a session; beyond that, the one left longest ago is dropped.
pub const BRANCHES: usize = 8;
/// Of the checkpoints of a branch that is left, one in so many is kept.
const THINNED: u64 = 4;
/// Most events in which a first difference is looked for.
const LOOK: u64 = 50_000;

/// One branch of a session.
pub struct Branch {
    /// Its number, from 0 in order of creation.
    pub number: usize,
    /// The branch and the moment at which it began; `None` for the first.
    pub parted: Option<(usize, Moment)>,
    /// The latest moment that it has reached.
    pub reached: Moment,
    /// Interventions in order; those after the present moment are to come.
    pub(super) interventions: Vec<Intervention>,
    /// Interventions that were taken back, the one to be done again next at the end; and the latest moment reached with them.
    pub(super) undone: Vec<Intervention>,
    pub(super) undone_reached: Moment,
    /// Checkpoints, oldest first, shared between branches with a common past.
    pub(super) checkpoints: Vec<Rc<Checkpoint>>,
    /// Events between two checkpoints.
    pub(super) spacing: u64,
}

/// A copy of the simulation at a moment.
pub(super) struct Checkpoint {
    pub moment: Moment,
    pub universe: Box<dyn Universe>,
    /// What it takes, without what it shares with others.
    pub bytes: u64,
}

/// The first difference of two branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Number of equal events from the start.
    pub event: u64,
    /// Time of the earlier one of the two differing events, µs.
    pub at: Micros,
    /// The next record in the present branch; `None` if nothing follows.
    pub here: Option<Record>,
    /// The next record in the other branch; `None` if nothing follows.
    pub there: Option<Record>,
}

impl Default for Branch {
    fn default() -> Branch {
        Branch {
            number: 0,
            parted: None,
            reached: Moment::default(),
            interventions: Vec::new(),
            undone: Vec::new(),
            undone_reached: Moment::default(),
            checkpoints: Vec::new(),
            spacing: SPACING,
        }
    }
}

impl Branch {
    /// A branch with the same past up to `moment`.
    fn part(&self, number: usize, moment: Moment) -> Branch {
        let earlier = |checkpoint: &&Rc<Checkpoint>| {
            checkpoint.moment.event <= moment.event && checkpoint.moment.interventions <= moment.interventions
        };
        Branch {
            number,
            parted: Some((self.number, moment)),
            reached: moment,
            interventions: self.interventions[..moment.interventions].to_vec(),
            undone: Vec::new(),
            undone_reached: Moment::default(),
            checkpoints: self.checkpoints.iter().take_while(earlier).cloned().collect(),
            spacing: self.spacing,
        }
    }

    /// Drops most checkpoints of a branch that is not present.
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
    /// All branches, in the order of their creation.
    pub fn branches(&self) -> Vec<&Branch> {
        let mut all: Vec<&Branch> = self.others.iter().chain([&self.branch]).collect();
        all.sort_by_key(|branch| branch.number);
        all
    }

    /// The present branch.
    pub fn branch(&self) -> &Branch {
        &self.branch
    }

    /// Begins a new branch at the present moment; the old one keeps its future.
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

    /// Makes another branch the present one, at the same time or at its end if that is earlier. False: there is no such branch.
    pub fn switch(&mut self, number: usize) -> bool {
        match self.set_out_on(number) {
            Some(goal) => {
                while !self.approach(goal, u64::MAX) {}
                true
            }
            None => number == self.branch.number,
        }
    }

    /// The same in slices: returns what to [approach](Session::approach). `None`: it is the present one, or there is no such branch.
    pub fn set_out_on(&mut self, number: usize) -> Option<Goal> {
        let now = self.universe.time();
        if !self.take_up(number) {
            return None;
        }
        let goal = Goal::Time(now.min(self.branch.reached.at));
        self.start_over();
        self.set_out(goal);
        Some(goal)
    }

    /// Makes another branch the present one, whatever its moment. False: there is no other with this number.
    pub(super) fn take_up(&mut self, number: usize) -> bool {
        let Some(index) = self.others.iter().position(|branch| branch.number == number) else { return false };
        let next = self.others.remove(index);
        self.leave_for(next);
        true
    }

    /// The first event in which another branch differs from the present one. `None`: there is no such branch, or they do not differ as far as
    /// they have gone.
    pub fn first_difference(&self, number: usize) -> Option<Difference> {
        let mut search = self.search_difference(number)?;
        loop {
            if let Some(found) = search.advance(u64::MAX) {
                return found;
            }
        }
    }

    /// The same in slices. `None`: there is no such branch, or nothing else was done in it.
    pub fn search_difference(&self, number: usize) -> Option<DifferenceSearch> {
        let other = self.others.iter().find(|branch| branch.number == number)?;
        let (mut here, mut there) = (self.copy_on(&self.branch)?, self.copy_on(other)?);
        let common = self.branch.interventions.iter().zip(&other.interventions).take_while(|(a, b)| a == b).count();
        let fork = [&self.branch, other]
            .iter()
            .filter_map(|branch| branch.interventions.get(common))
            .map(|intervention| intervention.event)
            .min()?;
        here.set_out(Goal::Event(fork));
        there.set_out(Goal::Event(fork));
        Some(DifferenceSearch { here, there, fork, event: fork })
    }

    /// An independent session on a copy of a branch.
    fn copy_on(&self, branch: &Branch) -> Option<Session> {
        let mut copy = Session::of((*self.scenario).clone(), self.checked.clone()).ok()?;
        copy.branch = branch.part(branch.number, branch.reached);
        copy.branch.interventions = branch.interventions.clone();
        Some(copy)
    }

    /// Runs the next event, with the interventions before it, and returns its first trace record.
    fn next_event(&mut self) -> Option<Record> {
        let (events, records) = (self.universe.events(), self.universe.trace().total());
        while self.universe.events() == events {
            if !self.step() {
                return None;
            }
        }
        let new = self.universe.trace().records().filter(|(number, _)| *number >= records);
        new.map(|(_, record)| record).find(|record| record.what != What::Acted)
    }
}

/// Looks for the first difference of two branches: two copies go to where what was done by hand first differs, and on from there.
pub struct DifferenceSearch {
    here: Session,
    there: Session,
    /// Number of events before the first intervention that differs.
    fork: u64,
    /// The event to compare next, from `fork` on.
    event: u64,
}

impl DifferenceSearch {
    /// Goes on for about `events` events in each. `Some`: what was found.
    pub fn advance(&mut self, events: u64) -> Option<Option<Difference>> {
        let fork = Goal::Event(self.fork);
        if self.event == self.fork && !(self.here.approach(fork, events) && self.there.approach(fork, events)) {
            return None;
        }
        let stop = self.event.saturating_add(events).min(self.fork + LOOK);
        while self.event < stop {
            let (one, other) = (self.here.next_event(), self.there.next_event());
            if one != other {
                let at = [one, other].iter().flatten().map(|record| record.at).min().unwrap_or_default();
                return Some(Some(Difference { event: self.event, at, here: one, there: other }));
            }
            if one.is_none() {
                return Some(None);
            }
            self.event += 1;
        }
        (stop == self.fork + LOOK).then_some(None)
    }
}

impl std::fmt::Debug for DifferenceSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DifferenceSearch at event {} from {}", self.event, self.fork)
    }
}

//! Checkpoints: an exploration put down, to go on from later.
//!
//! A state is a row of numbers, and a number means what was computed under it: a host, a message, a history. None of that needs to be written down. Numbers are
//! given in the order in which things are first met, and each is computed once; so a checkpoint holds what was computed, in order, beside the rows. To
//! go on, the same is computed again, which takes as many handler calls as there are different events at different hosts: few beside the
//! states. In what came out then, everything has the number it had.

use super::bounds::{Cuts, Spent};
use super::explorer::{Explorer, NONE, Parent, Pending, Reached};
use super::local_states::{Action, Computed, Event};
use super::outcomes::Remembered;
use super::query::Verdict;
use super::states::States;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An exploration put down.
#[derive(Debug, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    computed: Cow<'a, [Computed]>,
    remembered: Cow<'a, [Remembered]>,
    spent: Cow<'a, [Spent]>,
    rows: Cow<'a, [u32]>,
    parents: Cow<'a, [Parent]>,
    level: Cow<'a, [Pending]>,
    next_level: Cow<'a, [Pending]>,
    reached: Cow<'a, [Reached]>,
    next: u32,
    level_end: u32,
    depth: u32,
    stage: u32,
    cuts: Cuts,
    shape: Shape,
}

/// What numbers mean, as far as numbers can tell: another program would hardly come to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    locals: u32,
    hosts: u32,
    messages: u32,
    outcomes: u32,
    digest: u64,
}

/// Why an exploration cannot go on from a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It contradicts itself.
    Damaged,
    /// What was computed then does not come out again: it is of another exploration, or of another version of the program.
    Other,
}

impl Explorer {
    /// The exploration as it is, to go on from later; `None` once there is nothing left to look at.
    pub fn checkpoint(&self) -> Option<Checkpoint<'_>> {
        if !matches!(self.verdict, None | Some(Verdict::Undecided)) {
            return None;
        }
        Some(Checkpoint {
            computed: Cow::Borrowed(&self.locals.computed),
            remembered: Cow::Borrowed(&self.outcomes.remembered),
            spent: Cow::Borrowed(self.spent.all()),
            rows: Cow::Borrowed(self.states.rows()),
            parents: Cow::Borrowed(&self.parents),
            level: Cow::Borrowed(&self.level),
            next_level: Cow::Borrowed(&self.next_level),
            reached: Cow::Borrowed(&self.reached),
            next: self.next,
            level_end: self.level_end,
            depth: self.depth,
            stage: self.stage as u32,
            cuts: self.cuts,
            shape: self.shape(),
        })
    }

    fn shape(&self) -> Shape {
        let model = &self.outcomes.model;
        let (locals, hosts, messages) = (self.locals.len(), model.hosts(), model.messages());
        Shape { locals, hosts, messages, outcomes: self.outcomes.len(), digest: self.outcomes.digest() }
    }

    /// Goes on from a checkpoint of the same exploration, which may have had other bounds on states. This one must be new. After an error it is of no use.
    pub fn resume(&mut self, from: Checkpoint<'_>) -> Result<(), Unfit> {
        if from.stage as usize > self.via.len() {
            return Err(Unfit::Damaged);
        }
        self.stage = from.stage as usize;
        self.select_invariants();
        self.compute(&from.computed)?;
        let histories = self.remember(&from.remembered)?;
        if self.shape() != from.shape {
            return Err(Unfit::Other);
        }
        from.spent.iter().for_each(|&spent| {
            self.spent.put(spent);
        });
        let spent = self.spent.all().len() as u32;
        let in_range = |row: &[u32]| {
            row[..self.hosts].iter().all(|&local| local < self.locals.len())
                && row[self.hosts] < histories
                && row[self.hosts + 1] < spent
        };
        let width = self.width();
        let reached = from.reached.iter().all(|reached| reached.row.len() == width && in_range(&reached.row));
        if !from.rows.len().is_multiple_of(width) || !from.rows.chunks(width).all(in_range) || !reached {
            return Err(Unfit::Damaged);
        }
        self.states = States::new(width);
        if !from.rows.chunks(width).all(|row| self.states.put(States::hash(row), row)) || !self.fits(&from) {
            return Err(Unfit::Damaged);
        }
        self.parents = from.parents.into_owned();
        self.level = from.level.into_owned();
        self.next_level = from.next_level.into_owned();
        self.reached = from.reached.into_owned();
        (self.next, self.level_end, self.depth, self.cuts) = (from.next, from.level_end, from.depth, from.cuts);
        self.verdict = None;
        self.limit_states();
        Ok(())
    }

    /// Computes again what was computed about local states.
    fn compute(&mut self, computed: &[Computed]) -> Result<(), Unfit> {
        let Explorer { locals, outcomes, symmetry, bounds, .. } = self;
        for &one in computed {
            let (Computed::Transitions(local) | Computed::AfterSend(local, _) | Computed::Renamed(_, local)) = one;
            if local >= locals.len() {
                return Err(Unfit::Other);
            }
            match one {
                Computed::Transitions(_) => {
                    locals.transitions(local, bounds, outcomes);
                }
                Computed::AfterSend(_, message) if message < outcomes.model.messages() => {
                    locals.after_send(local, message);
                }
                Computed::Renamed(place, _)
                    if symmetry.as_mut().is_some_and(|all| all.rename_local(place, local, locals, outcomes)) => {}
                _ => return Err(Unfit::Other),
            }
        }
        Ok(())
    }

    /// Computes again what was computed about histories; tells how many there are at least.
    fn remember(&mut self, remembered: &[Remembered]) -> Result<u32, Unfit> {
        let mut known = self.outcomes.model.empty_history() + 1;
        for &one in remembered {
            let (Remembered::Observed(history, _) | Remembered::Renamed(_, history)) = one;
            if history >= known {
                return Err(Unfit::Other);
            }
            let after = match one {
                Remembered::Observed(_, outcome) if outcome < self.outcomes.len() => self.observe(history, outcome).0,
                Remembered::Renamed(place, _) => {
                    let symmetry = self.symmetry.as_mut().ok_or(Unfit::Other)?;
                    symmetry.rename_history(place, history, &mut self.outcomes).ok_or(Unfit::Other)?
                }
                Remembered::Observed(..) => return Err(Unfit::Other),
            };
            known = known.max(after + 1);
        }
        Ok(known)
    }

    /// Whether the parts of a checkpoint, whose states are here already, fit together.
    fn fits(&self, from: &Checkpoint<'_>) -> bool {
        let states = self.states.len();
        let (messages, bounds) = (self.outcomes.model.messages() as usize, &self.bounds);
        let exists = |event: &Event| {
            let number = event.number as usize;
            let known = match event.action {
                Action::Deliver | Action::Duplicate | Action::Lose => number < messages,
                Action::Ask => number < bounds.requests.len(),
                Action::Order => number < bounds.orders.len(),
                Action::Fire | Action::Crash | Action::Restart => true,
            };
            known && usize::from(event.node.0) < self.hosts
        };
        let parent = |(state, (before, event)): (u32, &Parent)| (*before == NONE || *before < state) && exists(event);
        let found = from.reached.iter().map(|reached| (states as u32, &reached.parent));
        let (level, end) = (from.level.len(), from.level_end as usize);
        states == from.parents.len()
            && (0..).zip(from.parents.iter()).chain(found).all(parent)
            && end <= states
            && level <= end
            && (end - level..=end).contains(&(from.next as usize))
            && states - end == from.next_level.len()
    }
}

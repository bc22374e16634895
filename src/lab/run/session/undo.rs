//! Undo and redo of what was done by hand: an act is taken back with all that came of it, and done again at the moment at which it was done.

use super::{Goal, Session};
use crate::lab::{Intervention, Moment};
use crate::sim::Action;

impl Session {
    /// The act that [`Session::undo`] would take back: the last one before the present moment.
    pub fn undoes(&self) -> Option<Action> {
        Some(self.branch.interventions[self.done.checked_sub(1)?].action)
    }

    /// The act that [`Session::redo`] would do again.
    pub fn redoes(&self) -> Option<Action> {
        self.branch.undone.last().map(|intervention| intervention.action)
    }

    /// Takes back the last act, and those that were done after the present moment: the run is at the moment before it, and goes on without it. `None`:
    /// nothing was done.
    pub fn undo(&mut self) -> Option<Action> {
        let last = self.done.checked_sub(1)?;
        let Intervention { event, at, action } = self.branch.interventions[last];
        if self.branch.undone.is_empty() {
            self.branch.undone_reached = self.branch.reached;
        }
        self.go(Goal::Moment(Moment { event, interventions: last, at }));
        let undone = self.branch.interventions.split_off(last);
        self.branch.undone.extend(undone.into_iter().rev());
        self.forget_future();
        Some(action)
    }

    /// Does again what was taken back last, at its moment. `None`: nothing was taken back since something was done.
    pub fn redo(&mut self) -> Option<Action> {
        let next = *self.branch.undone.last()?;
        self.go(Goal::Moment(Moment { event: next.event, interventions: self.done, at: next.at }));
        let act = self.act?;
        // It was possible before, at the same moment of the same run.
        act(&mut *self.universe, next.action).ok()?;
        self.branch.undone.pop();
        self.branch.interventions.push(next);
        self.done += 1;
        self.forget_future();
        Some(next.action)
    }

    /// What was reached after the present moment is no part of the branch any more.
    fn forget_future(&mut self) {
        let now = self.moment();
        self.branch.reached = now;
        let is_past = |moment: &Moment| moment.event <= now.event && moment.interventions <= now.interventions;
        self.branch.checkpoints.retain(|checkpoint| is_past(&checkpoint.moment));
    }
}

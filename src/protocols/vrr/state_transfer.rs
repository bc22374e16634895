//! State transfer (§5.2), and taking over a log that another replica has sent.

use super::message::{Entry, Msg, State};
use super::rules::*;
use super::{Asked, Replica, Status};
use crate::core::{NodeId, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// How often the wait before asking again is doubled at most.
const DOUBLINGS: u8 = 4;

impl Replica {
    /// Whether `view` has begun without this replica.
    pub(super) fn is_later(&self, view: u32) -> bool {
        view > self.view || view == self.view && matches!(self.status, Status::ViewChange(_))
    }

    /// Asks `whom`, whose status is normal in `view`, for what this replica lacks; not again until the answer can be taken for lost.
    pub(super) fn transfer_state(&mut self, whom: NodeId, view: u32, out: &mut Out<Replica>) {
        if self.asked.view == view + 1 {
            if self.asked.skipped < 1 << self.asked.doublings {
                self.asked.skipped += 1;
                return;
            }
            self.asked.doublings = (self.asked.doublings + 1).min(DOUBLINGS);
        }
        (self.asked.view, self.asked.skipped) = (view + 1, 0);
        let mut after = self.log.last();
        if self.is_later(view) {
            // Beyond what is committed, the later view may have something else.
            after = self.commit;
            let last = self.log.last();
            if last > after && !out.rule(KEEPS_ITS_LOG, facts![last, view]) {
                self.log.truncate_from(after + 1);
            }
        }
        out.because(ASKS_FOR_STATE, facts![whom, after]);
        out.send(whom, Msg::GetState { view, op: after });
    }

    /// Only a replica of that view whose status is normal answers.
    pub(super) fn on_get_state(&mut self, from: NodeId, view: u32, op: Slot, out: &mut Out<Replica>) {
        if view != self.view || !self.is_normal() {
            return;
        }
        out.because(SENDS_STATE, facts![from, op]);
        out.send(from, Msg::NewState { view, state: Arc::new(self.state_after(op)) });
    }

    pub(super) fn on_new_state(&mut self, view: u32, state: &State, out: &mut Out<Replica>) {
        let later = self.is_later(view);
        // In its own view it lacks the end of the log; in a later one, all that is not committed.
        let from = if later { self.commit } else { self.log.last() };
        if !later && (view != self.view || state.log.last() <= from) || !self.fits(state, from) {
            return;
        }
        out.because(TAKES_STATE, facts![view, state.log.last()]);
        self.take_over(state, from, out);
        if later {
            self.become_normal(view, out);
        }
        self.asked = Asked::default();
        self.early = self.early.split_off(&(self.log.last() + 1));
        self.execute_to(state.commit, out);
        self.acknowledge_log(out);
    }

    /// Acknowledges what is in the log and not known to be committed.
    pub(super) fn acknowledge_log(&self, out: &mut Out<Replica>) {
        let (view, op, primary) = (self.view, self.log.last(), self.config.primary(self.view));
        if op > self.commit && primary != self.me {
            out.because(ACKNOWLEDGES, facts![op, view]);
            out.send(primary, Msg::PrepareOk { view, op });
        }
    }

    /// The log from its beginning or, where that is dropped, from the last checkpoint on.
    pub(super) fn whole_state(&self) -> State {
        if self.log.first() == 1 {
            return State { checkpoint: None, log: self.log.clone(), commit: self.commit };
        }
        let mut log = self.log.clone();
        log.compact_to(self.checkpoint.slot);
        State { checkpoint: Some(Arc::clone(&self.checkpoint)), log, commit: self.commit }
    }

    /// The log after `op`, or all there is if that is dropped.
    fn state_after(&self, op: Slot) -> State {
        if op + 1 < self.log.first() {
            return self.whole_state();
        }
        let mut log = self.log.clone();
        log.compact_to(op);
        State { checkpoint: None, log, commit: self.commit }
    }

    /// Whether `state` leaves no gap after op-number `from` of this replica's log.
    fn fits(&self, state: &State, from: Slot) -> bool {
        state.log.first() <= from + 1 || state.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.slot > from)
    }

    /// Replaces the log after op-number `from`, which is committed or of the same view, by what was sent.
    pub(super) fn take_over(&mut self, state: &State, from: Slot, out: &mut Out<Replica>) {
        if let Some(checkpoint) = &state.checkpoint
            && checkpoint.slot > from
        {
            out.because(INSTALLS_CHECKPOINT, facts![checkpoint.slot, self.commit]);
            self.log = state.log.clone();
            self.commit = checkpoint.slot;
            self.machine = checkpoint.machine.clone();
            self.checkpoint = Arc::clone(checkpoint);
            return out.restored(checkpoint.slot);
        }
        self.log.truncate_from(from + 1);
        let missing: Vec<Entry> = state.log.iter_from(from + 1).map(|(_, entry)| *entry).collect();
        missing.iter().for_each(|entry| {
            self.log.push_copy(entry);
        });
    }
}

//! The learner: outcomes of instances, execution in their order, catching up, snapshots.

use super::message::Msg;
use super::record::Snapshot;
use super::rules::*;
use super::{DOUBLINGS, Server, Timer, WINDOW};
use crate::core::{Answer, ClientId, Command, Log, NodeId, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// Instances sent at a time to a server that lacks them.
const BATCH: Slot = 256;
/// At most so many instances are kept, in snapshots.
const KEPT: Slot = 2;

impl Server {
    /// An instance is chosen.
    pub(super) fn learn(&mut self, slot: Slot, command: Command, out: &mut Out<Server>) {
        if slot <= self.executed || slot > self.executed + WINDOW {
            return;
        }
        let Some(record) = self.disk.record(slot).filter(|record| !record.learned) else { return };
        (record.value, record.learned) = (Some(command), true);
        self.unsaved = self.unsaved.min(slot);
        // No-ops in advance, of skips and revocations, wait until there is a command after them: before that, nobody need execute them.
        if command != Command::NOOP {
            self.top = self.top.max(slot);
            if slot > self.executed + 1 {
                out.chosen(slot, command);
            }
        }
        let place = self.open.binary_search_by_key(&slot, |open| open.slot);
        let open = place.ok().map(|place| self.open.remove(place));
        if self.owner(slot) == self.me {
            self.move_index(self.next_of(self.me, slot), out);
            if let Some(suggested) = open.and_then(|open| open.command).filter(|suggested| *suggested != command) {
                self.lost(slot, suggested, out);
            }
        }
    }

    /// Rule 4: a no-op was chosen where this server had suggested a command.
    fn lost(&mut self, slot: Slot, command: Command, out: &mut Out<Server>) {
        if command.client != ClientId::NOBODY && self.machine.recall(command).is_none() {
            out.because(SUGGESTS_AGAIN, facts![command, slot]);
            self.suggest(command, out);
        }
    }

    /// Executes what is learned, in the order of instances.
    pub(super) fn execute(&mut self, out: &mut Out<Server>) {
        while let Some(command) = self.disk.learned(self.executed + 1) {
            self.executed += 1;
            let slot = self.executed;
            out.because(EXECUTES, facts![slot]);
            let outcome = self.machine.apply_once(command, self.me, || out.rule(EXECUTES_ONCE, facts![command]));
            out.applied(slot, command);
            if self.owner(slot) == self.me && !self.restarting {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
        }
        let every = self.config.snapshot_every;
        if every > 0 && self.executed >= self.disk.snapshot.slot + every {
            out.because(TAKES_SNAPSHOT, facts![self.executed]);
            let most = every.saturating_mul(KEPT);
            let kept = self.disk.snapshot.slot.max(self.executed.saturating_sub(most));
            self.disk.records.compact_to(kept);
            self.disk.snapshot = Arc::new(Snapshot { slot: self.executed, machine: self.machine.clone() });
            self.unsaved = self.unsaved.min(self.executed);
        }
    }

    /// Looks after instances that do not get on: nothing was executed for a whole timeout.
    pub(super) fn repair(&mut self, out: &mut Out<Server>) {
        self.watching = false;
        if self.executed > self.watched || self.executed >= self.top {
            self.tries = self.tries.saturating_sub(1);
            (self.asked, self.stalled) = (0, false);
            return;
        }
        self.stalled = true;
        // Somebody suggested something later than all that this server owns, and it has missed that.
        if self.top > self.index() {
            self.move_index(self.next_of(self.me, self.top), out);
        }
        self.take_up_contested(out);
        self.suggest_again(out);
        let first = self.executed + 1;
        if let Some(whom) = self.whom_to_ask(first) {
            out.because(ASKS, facts![whom, first]);
            out.send(whom, Msg::Ask { first, upto: self.top });
            self.asked = (self.asked + 1) % self.config.replicas;
        }
        self.tries = (self.tries + 1).min(DOUBLINGS);
    }

    /// Who may know the outcome of an instance: first whoever has executed it, or its owner; then everybody in turn. Nobody who is suspected, if
    /// there are others.
    fn whom_to_ask(&self, slot: Slot) -> Option<NodeId> {
        let n = self.config.replicas;
        let ahead = self.others().iter().max_by_key(|node| self.reached[usize::from(node.0)]);
        let ahead = ahead.filter(|node| self.reached[usize::from(node.0)] >= slot);
        let first = ahead.unwrap_or(self.owner(slot));
        let turn = || (0..n).map(|step| NodeId((first.0 + self.asked + step) % n)).filter(|node| *node != self.me);
        turn().find(|node| !self.suspected.has(*node)).or_else(|| turn().next())
    }

    pub(super) fn on_ask(&mut self, from: NodeId, first: Slot, upto: Slot, out: &mut Out<Server>) {
        // There are commands after the own next instance: as if they had been suggested to this server (Rule 2).
        if upto > self.index() && upto <= self.executed + WINDOW {
            out.because(SKIPS, facts![self.index(), upto]);
            self.move_index(self.next_of(self.me, upto), out);
        }
        if first < self.disk.records.first() {
            out.because(SENDS_STATE, facts![from, first]);
            return out.send(from, Msg::Snapshot { snapshot: Arc::clone(&self.disk.snapshot) });
        }
        let held = (first..first.saturating_add(BATCH)).take_while(|slot| *slot <= self.disk.records.last());
        let chosen: Vec<_> = held.filter_map(|slot| Some((slot, self.disk.learned(slot)?))).collect();
        if !chosen.is_empty() {
            out.because(SENDS_MISSING, facts![from, first]);
            out.send(from, Msg::CatchUp { chosen: Arc::new(chosen), executed: self.executed });
        }
        if self.disk.index > first {
            out.send(from, Msg::Skip { after: self.disk.suggested, upto: self.disk.index });
        }
    }

    pub(super) fn on_catch_up(
        &mut self,
        from: NodeId,
        chosen: &[(Slot, Command)],
        executed: Slot,
        out: &mut Out<Server>,
    ) {
        let before = self.executed;
        chosen.iter().for_each(|(slot, command)| self.learn(*slot, *command, out));
        self.execute(out);
        if before < self.executed && self.executed < executed {
            out.because(ASKS, facts![from, self.executed + 1]);
            out.send(from, Msg::Ask { first: self.executed + 1, upto: self.top });
        }
    }

    pub(super) fn install(&mut self, snapshot: &Arc<Snapshot>, out: &mut Out<Server>) {
        if snapshot.slot <= self.executed {
            return;
        }
        out.because(INSTALLS, facts![snapshot.slot, self.executed]);
        self.executed = snapshot.slot;
        self.machine = snapshot.machine.clone();
        match self.disk.records.last() <= snapshot.slot {
            true => self.disk.records = Log::after(snapshot.slot),
            false => self.disk.records.compact_to(snapshot.slot),
        }
        self.disk.snapshot = Arc::clone(snapshot);
        out.save();
        out.restored(snapshot.slot);
        self.move_index(self.next_of(self.me, snapshot.slot), out);
        // Its own suggestions up to there are decided; the state tells how.
        let decided: Vec<_> = self.open.extract_if(.., |open| open.slot <= snapshot.slot).collect();
        for open in decided {
            let Some(command) = open.command.filter(|_| self.owner(open.slot) == self.me) else { continue };
            match self.machine.recall(command) {
                Some(outcome) => out.reply(command.client, command.seq, Answer::Done(outcome)),
                None => self.lost(open.slot, command, out),
            }
        }
    }

    /// What is done after every event: executes what can be, saves what was learned (nothing waits for that), and keeps an eye on the rest.
    pub(super) fn finish(&mut self, out: &mut Out<Server>) {
        self.execute(out);
        if !self.suspected.is_empty() {
            self.revoke_if_due(false, out);
        }
        if self.unsaved != Slot::MAX {
            out.save_entries(self.unsaved);
            self.unsaved = Slot::MAX;
        }
        if !self.watching && self.executed < self.top {
            (self.watching, self.watched) = (true, self.executed);
            let time = self.config.resend << self.tries;
            out.set_timer(Timer::Repair, time, time);
        }
    }
}

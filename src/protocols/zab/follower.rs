//! The follower in phases 1 to 3: accepting an epoch, its initial history, and what is proposed in it; heartbeats.

use super::message::{Msg, Report, Suffix, Transaction, Zxid};
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{Command, NodeId, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// Transactions that came before earlier ones are kept up to this far ahead.
const WINDOW: Slot = 1024;

impl Server {
    /// Follows a prospective or an established leader: phase 1.
    pub(super) fn follow(&mut self, leader: NodeId, out: &mut Out<Server>) {
        self.role = Role::Following(leader);
        self.told = 0;
        out.cancel(Timer::Finalize);
        self.wait_for_timeout(out);
        self.send_cepoch(leader, out);
    }

    fn send_cepoch(&self, leader: NodeId, out: &mut Out<Server>) {
        let accepted = self.disk.accepted;
        out.because(FOLLOWS, facts![leader, accepted.epoch]);
        out.send(leader, Msg::CEpoch { accepted, report: self.report() });
    }

    pub(super) fn on_new_epoch(&mut self, from: NodeId, epoch: u32, leader: Report, out: &mut Out<Server>) {
        if self.role != Role::Following(from) {
            return;
        }
        let accepted = self.disk.accepted;
        // Once more, if the answer was lost.
        let again = accepted.epoch == epoch && accepted.leader == from;
        if epoch <= accepted.epoch && !again && out.rule(REFUSES_EPOCH, facts![from, epoch, accepted.epoch]) {
            return;
        }
        let report = self.report();
        let suffix = match (report.epoch, report.last) > (leader.epoch, leader.last) {
            // The leader keeps of its history what is committed, if this one is selected.
            true => self.suffix_after(leader.committed),
            false => Suffix::default(),
        };
        out.because(ACCEPTS_EPOCH, facts![epoch, accepted.epoch, suffix.entries.len() as u32]);
        if !again {
            (self.disk.accepted.epoch, self.disk.accepted.leader) = (epoch, from);
            self.forget_epoch();
            self.save(out);
        }
        out.send(from, Msg::AckEpoch { epoch, report, suffix: Arc::new(suffix) });
    }

    /// What came early, or is known to be committed, was of another epoch.
    pub(super) fn forget_epoch(&mut self) {
        self.early.clear();
        (self.told, self.settled) = (0, 0);
    }

    /// Whether a message of `epoch`, which is not the accepted one, is not followed.
    fn refuses(&self, slot: Slot, epoch: u32, out: &mut Out<Server>) -> bool {
        let accepted = self.disk.accepted.epoch;
        epoch != accepted && (epoch > accepted || out.rule(REFUSES_OLDER, facts![slot, epoch, accepted]))
    }

    pub(super) fn on_new_leader(&mut self, from: NodeId, epoch: u32, suffix: &Suffix, out: &mut Out<Server>) {
        if self.refuses(suffix.first, epoch, out) {
            return;
        }
        let (first, last) = (suffix.first, suffix.last());
        match first > last {
            true => out.because(ACCEPTS_SAME, facts![epoch, last]),
            false => out.because(SYNCHRONIZES, facts![epoch, first, last]),
        }
        // In one epoch histories only grow: a NewLeader that comes late must not take anything away.
        let changes = self.disk.current != epoch || last > self.disk.log.last();
        if changes {
            self.take_over(suffix, out);
            self.disk.current = epoch;
        }
        let slot = self.disk.log.last();
        let persists = !changes || out.rule(PERSISTS_FIRST, facts![epoch, slot]);
        if !persists {
            out.send(from, Msg::AckLeader { epoch, slot });
        }
        if changes {
            self.save(out);
        }
        self.append_early(out);
        if persists {
            out.send(from, Msg::AckLeader { epoch, slot: self.disk.log.last() });
        }
        self.execute_to(self.settled, out);
    }

    #[inline(always)]
    pub(super) fn on_propose(&mut self, from: NodeId, slot: Slot, entry: Transaction, out: &mut Out<Server>) {
        let epoch = entry.0.epoch;
        if epoch != self.disk.accepted.epoch && self.refuses(slot, epoch, out) {
            return;
        }
        let last = self.disk.log.last();
        if self.disk.current != epoch && self.disk.accepted.epoch == epoch {
            out.because(WAITS_FOR_NEW_LEADER, facts![slot, epoch]);
            return self.keep(slot, entry);
        }
        if slot > last + 1 && out.rule(WAITS_FOR_EARLIER, facts![slot, last]) {
            return self.keep(slot, entry);
        }
        if slot > last {
            let slot = self.disk.log.push(entry);
            self.append_early(out);
            out.because(ACCEPTS, facts![slot, epoch]);
            self.save_entries(slot, out);
        }
        out.send(from, Msg::Ack { epoch, slot: self.disk.log.last() });
        self.execute_to(self.settled, out);
    }

    fn keep(&mut self, slot: Slot, entry: (Zxid, Command)) {
        if slot > self.committed && slot <= self.disk.log.last() + WINDOW {
            self.early.insert(slot, entry);
        }
    }

    /// Appends what came before what the history ends with.
    fn append_early(&mut self, out: &mut Out<Server>) {
        let last = self.disk.log.last();
        self.early = self.early.split_off(&(last + 1));
        while let Some(entry) = self.early.remove(&(self.disk.log.last() + 1)) {
            self.disk.log.push(entry);
        }
        if self.disk.log.last() > last {
            self.save_entries(last + 1, out);
        }
    }

    /// Commit, CommitLeader or Ping: the leader of `epoch` has committed its history up to `slot`.
    #[inline(always)]
    pub(super) fn on_commit(&mut self, epoch: u32, slot: Slot, out: &mut Out<Server>) {
        if epoch != self.disk.accepted.epoch || slot <= self.settled {
            return;
        }
        if self.disk.current == epoch || !out.rule(DOUBTS, facts![slot, epoch]) {
            self.settled = slot;
            self.execute_to(slot, out);
        }
    }

    /// A heartbeat: whoever follows its sender answers, and whoever looks for a leader follows it.
    pub(super) fn on_ping(
        &mut self,
        from: NodeId,
        round: u32,
        epoch: u32,
        (committed, last): (Slot, Slot),
        out: &mut Out<Server>,
    ) {
        match self.role {
            Role::Looking(_) => {
                if self.left == Some(from) {
                    out.because(WAITS_LONGER, facts![from]);
                    self.patience.late();
                }
                self.follow(from, out);
            }
            Role::Following(leader) if leader == from => self.wait_for_timeout(out),
            _ => return,
        }
        self.left = None;
        self.patience.hear(epoch, round);
        self.on_commit(epoch, committed, out);
        let synced = epoch > 0 && self.disk.accepted.epoch == epoch && self.disk.current == epoch;
        if synced {
            let (end, told) = (self.disk.log.last(), std::mem::replace(&mut self.told, last));
            if end < told {
                out.because(MISSES, facts![from, end, told]);
                self.send_cepoch(from, out);
            }
        }
        out.send(from, Msg::Pong { round, accepted: self.disk.accepted, report: self.report() });
    }
}

//! Sequence Paxos at the other servers: promising, synchronizing, accepting, and asking for what was lost (§4.1, figure 3).

use super::Server;
use super::message::{Ballot, LogState, Msg, Suffix};
use super::rules::*;
use crate::core::{Command, NodeId, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// Commands that came before earlier ones are kept up to this far ahead.
const WINDOW: Slot = 1024;

impl Server {
    pub(super) fn on_prepare(&mut self, from: NodeId, n: Ballot, log: LogState, out: &mut Out<Server>) {
        let promised = self.disk.promised;
        if n < promised {
            return out.because(IGNORES_LOWER, facts![n, promised]);
        }
        let own = self.log_state();
        let suffix = match own.accepted.cmp(&log.accepted) {
            // The leader keeps of its log what is decided, if this one is adopted.
            std::cmp::Ordering::Greater => self.suffix_after(log.decided),
            std::cmp::Ordering::Equal if own.last > log.last => self.suffix_after(log.last),
            _ => Suffix::default(),
        };
        self.recovers = false;
        if n > promised {
            out.because(PROMISES, facts![n, promised]);
            self.disk.promised = n;
            self.save(out);
            self.early.clear();
            self.told = 0;
            self.election.hears_leader = true;
            self.step_down(out);
        } else {
            out.because(PROMISES_AGAIN, facts![n]);
        }
        if suffix.first > 0 {
            out.because(SENDS_SUFFIX, facts![suffix.first, suffix.last()]);
        }
        out.send(from, Msg::Promise { n, log: own, suffix: Arc::new(suffix) });
    }

    pub(super) fn on_accept_sync(
        &mut self,
        from: NodeId,
        n: Ballot,
        suffix: &Suffix,
        decided: Slot,
        out: &mut Out<Server>,
    ) {
        if n != self.disk.promised && self.refuses(suffix.first, n, out) {
            return;
        }
        let last = suffix.last();
        match suffix.first > last {
            true => out.because(ACCEPTS_SAME, facts![n, last]),
            false => out.because(SYNCHRONIZES, facts![n, suffix.first, last]),
        }
        // In one round logs only grow: an AcceptSync that comes late must not take anything away.
        if self.disk.accepted != n || last > self.disk.log.last() {
            self.take_over(suffix, out);
            self.disk.accepted = n;
            self.save(out);
        }
        self.recovers = false;
        self.append_early(out);
        out.send(from, Msg::Accepted { n, slot: self.disk.log.last() });
        self.execute_to(decided, out);
    }

    /// Whether a message about `slot` in round `n`, which is not the promised one, is not followed.
    fn refuses(&self, slot: Slot, n: Ballot, out: &mut Out<Server>) -> bool {
        n > self.disk.promised || out.rule(REFUSES_LOWER, facts![slot, n, self.disk.promised])
    }

    #[inline(always)]
    pub(super) fn on_accept_decide(
        &mut self,
        from: NodeId,
        n: Ballot,
        (slot, command): (Slot, Command),
        decided: Slot,
        out: &mut Out<Server>,
    ) {
        if n != self.disk.promised && self.refuses(slot, n, out) {
            return;
        }
        let last = self.disk.log.last();
        if self.disk.accepted != n
            && self.disk.promised == n
            && (slot != last + 1 || out.rule(WAITS_FOR_SYNC, facts![slot, n]))
        {
            self.keep(slot, command);
            return;
        }
        if slot == last + 1 {
            self.disk.log.push(command);
            self.append_early(out);
            out.because(ACCEPTS_SLOT, facts![slot, n]);
            self.save_entries(slot, out);
            out.send(from, Msg::Accepted { n, slot: self.disk.log.last() });
        } else if slot > last {
            out.because(WAITS_FOR_EARLIER, facts![slot, last]);
            self.keep(slot, command);
        } else {
            // Once more: the network has copied it.
            out.send(from, Msg::Accepted { n, slot: last });
        }
        self.learn_decided(n, decided, out);
    }

    fn keep(&mut self, slot: Slot, command: Command) {
        if slot > self.decided && slot <= self.disk.log.last() + WINDOW {
            self.early.insert(slot, command);
        }
    }

    /// Appends what came before what the log ends with.
    fn append_early(&mut self, out: &mut Out<Server>) {
        let last = self.disk.log.last();
        self.early = self.early.split_off(&(last + 1));
        while let Some(command) = self.early.remove(&(self.disk.log.last() + 1)) {
            self.disk.log.push(command);
        }
        if self.disk.log.last() > last {
            self.save_entries(last + 1, out);
        }
    }

    /// The leader of round `n` knows slots up to `decided` to be decided.
    fn learn_decided(&mut self, n: Ballot, decided: Slot, out: &mut Out<Server>) {
        if decided > self.decided
            && n == self.disk.promised
            && (self.disk.accepted == n || !out.rule(DOUBTS, facts![decided, n]))
        {
            self.execute_to(decided, out);
        }
    }

    /// Decide: executes, and sees whether something was lost that an earlier Decide told of.
    pub(super) fn on_decide(&mut self, from: NodeId, n: Ballot, decided: Slot, last: Slot, out: &mut Out<Server>) {
        // It is sent to those that have promised.
        if n != self.disk.promised {
            return;
        }
        self.learn_decided(n, decided, out);
        let (end, told) = (self.disk.log.last(), std::mem::replace(&mut self.told, last));
        if self.disk.accepted != n && !self.recovers {
            // Prepare or AcceptSync is under way, or the leader finds that it was lost.
        } else if end < told || self.recovers {
            self.recovers = true;
            out.because(MISSES, facts![from, end, told]);
            out.send(from, Msg::PrepareReq {});
        } else if decided < told {
            out.because(ACCEPTS_AGAIN, facts![end, decided]);
            out.send(from, Msg::Accepted { n, slot: end });
        }
    }
}

//! Reads under LeaseGuard: the log is the lease (Davis, Demirbas and Deng, "LeaseGuard: Raft Leases Done Right", SIGMOD 2026; its
//! specification, `leaseGuard.tla`, is in the repository muratdem/RaftLeaderLeases).
//!
//! Every entry says when its leader created it. A committed entry is a lease for whoever leads: for the lease's duration Δ from then on, the
//! leader answers reads without asking anybody. What makes that safe is on the other side: a new leader takes and replicates commands at
//! once, but commits nothing (*deferred commit*) before every entry of an older term in its log is older than Δ. Elections are as ever. By Leader
//! Completeness a new leader's log holds the entry that any deposed leader's lease rests on.
//!
//! Until it has committed an entry of its own, a new leader *inherits* the lease of the newest entry that it knows to be committed. The older
//! entries after that one are the *limbo region*: a deposed leader may have committed them, or not. So it answers reads only of what none of them writes.
//!
//! The specification has one clock for all. Here two clocks differ by `clock_error` at most, which a new leader waits in addition. Times are
//! in milliseconds, rounded to the safe side. Where no lease is left, as after a time without writes, the leader commits a no-op for the
//! reads that wait. The specification does not say when a lease is renewed without writes; this costs nothing while nobody reads.

use super::Reads;
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use super::storage::Payload;
use crate::core::{Command, Micros, Op, Slot};
use crate::facts;

/// Microseconds of a unit of [`Entry::created`](super::Entry::created).
const MILLISECOND: Micros = 1_000;

impl Server {
    /// When an entry that is created now was created.
    pub(super) fn created_now(&self, out: &Out) -> u32 {
        match self.config.reads {
            Reads::LeaseGuard => u32::try_from(out.local_clock() / MILLISECOND).unwrap_or(u32::MAX),
            _ => 0,
        }
    }

    /// A new leader finds out how long a deposed one may hold a lease: no entry of an older term can be later than those in its own log.
    pub(super) fn wait_for_old_leases(&mut self, out: &mut Out) {
        if self.config.reads != Reads::LeaseGuard {
            return;
        }
        let limbo = self.disk.log.iter_from(self.commit + 1).map(|(_, entry)| entry.created).max();
        let newest = self.renewed.max(limbo.unwrap_or(0));
        let Role::Leader(lead) = &mut self.role else { return };
        if self.disk.log.last() > 0 {
            lead.defers_until =
                (Micros::from(newest) + 1) * MILLISECOND + self.config.log_lease + self.config.clock_error;
            self.defer_commit(out);
        }
    }

    /// Whether a deposed leader may still hold a lease; sets the timer for when that is over.
    fn defer_commit(&self, out: &mut Out) -> bool {
        let Role::Leader(lead) = &self.role else { return false };
        let wait = (lead.defers_until + 1).saturating_sub(out.local_clock());
        if wait > 0 && lead.defers_until > 0 {
            out.set_timer(Timer::DeferredCommit, wait, wait);
        }
        wait > 0 && lead.defers_until > 0
    }

    /// Whether the commitment of `slot` has to wait.
    pub(super) fn defers(&self, slot: Slot, out: &mut Out) -> bool {
        let Role::Leader(lead) = &self.role else { return false };
        let (until, now) = (lead.defers_until, out.local_clock());
        until > 0 && now <= until && out.rule(DEFERS_COMMIT, facts![slot, until - now])
    }

    /// The leases of deposed leaders are over: commits what a quorum holds.
    pub(super) fn on_deferred_commit(&mut self, out: &mut Out) {
        if self.defer_commit(out) {
            return;
        }
        self.advance_commit(0, self.disk.log.last(), out);
    }

    /// Answers the reads that wait, as far as the log is a lease for them. For the others commits a no-op, which is one, unless one is under way.
    pub(super) fn read_by_the_log(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let mut waiting = Vec::new();
        for command in std::mem::take(&mut lead.reads.waiting) {
            match self.may_read_by_the_log(command, out) {
                true => self.answer_read(command, out),
                false => waiting.push(command),
            }
        }
        let last = self.disk.log.last();
        let Role::Leader(lead) = &mut self.role else { return };
        if waiting.is_empty() || self.commit < lead.term_start || !lead.reads.confirming.is_empty() {
            lead.reads.waiting = waiting;
            return;
        }
        (lead.reads.confirming, lead.reads.round) = (waiting, last + 1);
        out.because(RENEWS_LEASE, facts![last + 1]);
        self.append(Payload::Command(Command::NOOP), out);
    }

    fn may_read_by_the_log(&self, command: Command, out: &mut Out) -> bool {
        let Role::Leader(lead) = &self.role else { return false };
        let until = Micros::from(self.renewed) * MILLISECOND + self.config.log_lease;
        let over = out.local_clock() > until;
        if self.commit == 0 || over && out.rule(LEASE_BY_LOG_IS_OVER, facts![command, self.config.log_lease]) {
            return false;
        }
        if self.commit >= lead.term_start {
            out.because(READS_BY_LOG, facts![command, self.commit]);
            return true;
        }
        let limbo = self.disk.log.iter_from(self.commit + 1).take_while(|(slot, _)| *slot < lead.term_start);
        let mut writes = limbo.filter(|(_, entry)| may_change(entry.command().op, command.op));
        if let Some((slot, _)) = writes.next()
            && out.rule(READ_IS_IN_LIMBO, facts![command, slot])
        {
            return false;
        }
        out.because(INHERITS_LEASE, facts![command, self.commit]);
        true
    }
}

/// Whether a command may change what a read returns.
fn may_change(op: Op, read: Op) -> bool {
    op != Op::Noop && !op.is_read() && (op.object().is_none() || op.object() == read.object())
}

//! The history: execution of what is committed, snapshots, and the ends of histories that servers send each other.

use super::message::{Report, Snapshot, Suffix, Zxid};
use super::rules::*;
use super::{Role, Server};
use crate::core::{Answer, Log, Out, Slot};
use crate::facts;
use crate::protocols::log_copy;
use std::sync::Arc;

impl Server {
    /// Writes all durable state to the disk; whatever is sent after this waits until it is there.
    pub(super) fn save(&mut self, out: &mut Out<Server>) {
        self.save_entries(1, out);
    }

    /// The same, when none of the history below `slot` has changed.
    #[inline(always)]
    pub(super) fn save_entries(&mut self, slot: Slot, out: &mut Out<Server>) {
        self.disk.committed = self.committed;
        out.save_entries(slot);
    }

    /// The zxid with which the history ends.
    pub(super) fn last_zxid(&self) -> Zxid {
        self.disk.log.get(self.disk.log.last()).map_or(self.disk.snapshot.zxid, |(zxid, _)| *zxid)
    }

    pub(super) fn report(&self) -> Report {
        Report {
            epoch: self.disk.current,
            last: self.last_zxid(),
            slot: self.disk.log.last(),
            committed: self.committed,
        }
    }

    /// Executes what is committed, as far as the history goes.
    #[inline(always)]
    pub(super) fn execute_to(&mut self, committed: Slot, out: &mut Out<Server>) {
        if committed > self.committed {
            self.execute(committed, out);
        }
    }

    #[inline(never)]
    fn execute(&mut self, committed: Slot, out: &mut Out<Server>) {
        let answers = matches!(self.role, Role::Leading(_));
        let mut zxid = Zxid::default();
        while self.committed < committed {
            let next = self.committed + 1;
            let Some(&(at, command)) = self.disk.log.get(next) else { break };
            (self.committed, zxid) = (next, at);
            out.because(DELIVERS, facts![next]);
            let once = || out.rule(EXECUTES_ONCE, facts![command]);
            let outcome = self.machine.apply_once(command, self.me, once);
            out.applied(next, command);
            if answers {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
        }
        let every = self.config.snapshot_every;
        if every > 0 && self.committed >= self.disk.snapshot.slot + every {
            out.because(KEEPS_STATE, facts![self.committed]);
            self.patience.progress();
            self.disk.log.compact_to(self.disk.snapshot.slot);
            self.disk.snapshot = Arc::new(Snapshot { slot: self.committed, zxid, machine: self.machine.clone() });
            self.save(out);
        }
    }

    /// The history after `slot` or, where some of that is trimmed, a snapshot and what follows on it.
    pub(super) fn suffix_after(&self, slot: Slot) -> Suffix {
        let (trimmed, first, entries) = log_copy::end_after(&self.disk.log, self.disk.snapshot.slot, slot);
        Suffix { snapshot: trimmed.then(|| Arc::clone(&self.disk.snapshot)), first, entries }
    }

    /// Replaces the end of the history by `suffix`.
    pub(super) fn take_over(&mut self, suffix: &Suffix, out: &mut Out<Server>) {
        if let Some(snapshot) = &suffix.snapshot
            && snapshot.slot > self.committed
        {
            out.because(KEEPS_STATE, facts![snapshot.slot]);
            self.disk.log = Log::after(snapshot.slot);
            self.committed = snapshot.slot;
            self.machine = snapshot.machine.clone();
            self.disk.snapshot = Arc::clone(snapshot);
            out.restored(snapshot.slot);
        }
        log_copy::replace_end(&mut self.disk.log, self.committed, suffix.first, &suffix.entries);
    }
}

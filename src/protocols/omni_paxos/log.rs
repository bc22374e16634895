//! The log: execution of what is decided, snapshots, and the ends of logs that servers send each other.

use super::message::{LogState, Snapshot, Suffix};
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

    /// The same, when none of the log below `slot` has changed.
    #[inline(always)]
    pub(super) fn save_entries(&mut self, slot: Slot, out: &mut Out<Server>) {
        self.disk.decided = self.decided;
        out.save_entries(slot);
    }

    pub(super) fn log_state(&self) -> LogState {
        LogState { accepted: self.disk.accepted, last: self.disk.log.last(), decided: self.decided }
    }

    /// Executes what is decided, as far as the log goes.
    #[inline(always)]
    pub(super) fn execute_to(&mut self, decided: Slot, out: &mut Out<Server>) {
        if decided > self.decided {
            self.execute(decided, out);
        }
    }

    #[inline(never)]
    fn execute(&mut self, decided: Slot, out: &mut Out<Server>) {
        let answers = matches!(self.role, Role::Leader(_));
        while self.decided < decided {
            let next = self.decided + 1;
            let Some(&command) = self.disk.log.get(next) else { break };
            self.decided = next;
            out.because(EXECUTES, facts![next]);
            let once = || out.rule(EXECUTES_ONCE, facts![command]);
            let outcome = self.machine.apply_once(command, self.me, once);
            out.applied(next, command);
            if answers {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
        }
        let every = self.config.snapshot_every;
        if every > 0 && self.decided >= self.disk.snapshot.slot + every {
            out.because(TAKES_SNAPSHOT, facts![self.decided]);
            self.patience.progress();
            self.disk.log.compact_to(self.disk.snapshot.slot);
            self.disk.snapshot = Arc::new(Snapshot { slot: self.decided, machine: self.machine.clone() });
            self.save(out);
        }
    }

    /// The log after `slot` or, where some of that is trimmed, a snapshot and what follows on it.
    pub(super) fn suffix_after(&self, slot: Slot) -> Suffix {
        let (trimmed, first, entries) = log_copy::end_after(&self.disk.log, self.disk.snapshot.slot, slot);
        Suffix { snapshot: trimmed.then(|| Arc::clone(&self.disk.snapshot)), first, entries }
    }

    /// Replaces the end of the log by `suffix`.
    pub(super) fn take_over(&mut self, suffix: &Suffix, out: &mut Out<Server>) {
        if let Some(snapshot) = &suffix.snapshot
            && snapshot.slot > self.decided
        {
            out.because(INSTALLS_SNAPSHOT, facts![snapshot.slot, self.decided]);
            self.disk.log = Log::after(snapshot.slot);
            self.decided = snapshot.slot;
            self.machine = snapshot.machine.clone();
            self.disk.snapshot = Arc::clone(snapshot);
            out.restored(snapshot.slot);
        }
        log_copy::replace_end(&mut self.disk.log, self.decided, suffix.first, &suffix.entries);
    }
}

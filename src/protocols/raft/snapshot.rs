//! Log compaction: taking snapshots, InstallSnapshot (paper §7; dissertation chapter 5).

use super::message::Message;
use super::rules::*;
use super::server::{Out, Server};
use super::storage::{Payload, RaftLog, Snapshot};
use crate::core::{NodeId, Slot};
use crate::facts;
use std::sync::Arc;

/// Snapshots' worth of entries that are kept at most for followers to which a snapshot is under way.
const KEPT: u32 = 16;

impl Server {
    /// Takes a snapshot once enough entries have been applied since the last one. As many entries again stay in the log, so that a
    /// follower slightly behind need not be sent the whole state; and those after a snapshot that is under way, because its receiver
    /// would need another one otherwise.
    pub(super) fn take_snapshot_if_due(&mut self, out: &mut Out) {
        let every = self.config.snapshot_every;
        if every == 0 || self.commit < self.disk.snapshot_slot() + every {
            return;
        }
        let last = self.commit;
        let Some(term) = self.disk.log.term_at(last) else { return };
        out.because(TAKES_SNAPSHOT, facts![last]);
        self.patience.progress();
        let known = self.configurations.iter().rposition(|(slot, _)| *slot <= last).unwrap_or(0);
        self.configurations.drain(..known);
        let (_, configuration) = self.configurations.first().copied().unwrap_or_default();
        self.disk.snapshot = Some(Arc::new(Snapshot {
            last,
            term,
            created: self.renewed,
            configuration,
            machine: self.machine.clone(),
        }));
        let kept = last.saturating_sub(every);
        self.disk.log.compact_to(kept.min(self.needed_after()).max(last.saturating_sub(every.saturating_mul(KEPT))));
        out.save_entries(self.disk.log.last() + 1);
    }

    /// InstallSnapshot.
    pub(super) fn on_install_snapshot(&mut self, from: NodeId, term: u32, snapshot: &Arc<Snapshot>, out: &mut Out) {
        if term < self.disk.term {
            out.because(REFUSES_STALE, facts![term, self.disk.term]);
            return out.send(from, Message::InstallSnapshotReply { term: self.disk.term, slot: 0 });
        }
        self.follow(from, out);
        let last = snapshot.last;
        if last > self.commit {
            out.because(INSTALLS_SNAPSHOT, facts![last, self.commit]);
            let agrees = self.disk.log.term_at(last) == Some(snapshot.term);
            if agrees && out.rule(KEEPS_AFTER_SNAPSHOT, facts![last]) {
                self.disk.log.compact_to(last);
            } else {
                if !agrees {
                    out.because(DROPS_FOR_SNAPSHOT, facts![last, self.disk.log.last()]);
                }
                self.disk.log = RaftLog::after(last, snapshot.term);
            }
            self.machine = snapshot.machine.clone();
            self.configurations = vec![(last, snapshot.configuration)];
            self.find_configurations(last + 1);
            self.commit = last;
            self.renewed = self.renewed.max(snapshot.created);
            self.disk.snapshot = Some(Arc::clone(snapshot));
            self.out_of_order.clear();
            out.because(SAVES_SNAPSHOT, facts![last]);
            out.save();
            out.restored(last);
        }
        self.log_matched = true;
        out.send(from, Message::InstallSnapshotReply { term: self.disk.term, slot: last });
    }

    /// Collects the configurations in the log from `slot` on.
    pub(super) fn find_configurations(&mut self, slot: Slot) {
        for (at, entry) in self.disk.log.iter_from(slot) {
            if let Payload::Configuration(configuration) = entry.payload {
                self.configurations.push((at, configuration));
            }
        }
    }
}

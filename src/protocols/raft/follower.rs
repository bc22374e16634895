//! Log replication at followers: AppendEntries, heartbeats, the consistency check (paper §5.3 and figure 2; dissertation §10.2.2).

use super::message::{Append, Conflict, Heartbeat, Message};
use super::rules::*;
use super::server::{Out, Server};
use super::storage::Payload;
use crate::core::{NodeId, Slot};
use crate::facts;

/// Most AppendEntries kept that arrived before the one they follow on. A further one is dropped, and the leader retransmits it after a timeout;
/// so this is more than clients ask for within the delay by which messages overtake each other.
const OUT_OF_ORDER_LIMIT: usize = 4_096;

impl Server {
    /// AppendEntries.
    pub(super) fn on_append(&mut self, from: NodeId, append: &Append, out: &mut Out) {
        if append.term < self.disk.term {
            return self.refuse_stale(from, append.term, append.prev_slot, out);
        }
        self.follow(from, out);
        if append.prev_slot > self.disk.log.last() && self.log_matched {
            // The log is a prefix of the leader's, so the entries in between are under way: this message has overtaken theirs.
            out.because(KEEPS_FOR_LATER, facts![append.prev_slot, self.disk.log.last()]);
            if self.out_of_order.len() < OUT_OF_ORDER_LIMIT {
                let place =
                    self.out_of_order.partition_point(|out_of_order| out_of_order.prev_slot <= append.prev_slot);
                self.out_of_order.insert(place, append.clone());
            }
            return;
        }
        if let Some(conflict) = self.conflict(append.prev_slot, append.prev_term, out) {
            let (term, slot) = (self.disk.term, append.prev_slot);
            return out.send(from, Message::AppendEntriesReply { term, slot, conflict: Some(conflict) });
        }
        self.append_from_leader(from, append, out);
        while let Some(out_of_order) =
            self.out_of_order.pop_front_if(|out_of_order| out_of_order.prev_slot <= self.disk.log.last())
        {
            self.append_from_leader(from, &out_of_order, out);
        }
    }

    /// A heartbeat, with `read` a ReadIndex: the consistency check, and leaderCommit, without entries.
    pub(super) fn on_heartbeat(&mut self, from: NodeId, heartbeat: Heartbeat, read: bool, out: &mut Out) {
        let Heartbeat { term, prev_slot, prev_term, commit, round } = heartbeat;
        if term < self.disk.term {
            return self.refuse_stale(from, term, prev_slot, out);
        }
        self.patience.hear(term, round);
        self.follow(from, out);
        let conflict = self.conflict(prev_slot, prev_term, out);
        let slot = prev_slot;
        match read {
            true => out.send(from, Message::ReadIndexReply { term, slot, conflict, round }),
            false => out.send(from, Message::HeartbeatReply { term, slot, conflict, round }),
        }
        if conflict.is_none() {
            self.log_matched = true;
            self.learn_commit(commit.min(prev_slot), out);
        }
    }

    fn refuse_stale(&self, from: NodeId, stale: u32, slot: Slot, out: &mut Out) {
        out.because(REFUSES_STALE, facts![stale, self.disk.term]);
        let conflict = Some(Conflict::default());
        out.send(from, Message::AppendEntriesReply { term: self.disk.term, slot, conflict });
    }

    /// The consistency check: `None` if this log holds an entry of `term` in `slot`. A committed entry needs no comparison, and may have been
    /// compacted: it is the same in every log.
    fn conflict(&self, slot: Slot, term: u32, out: &mut Out) -> Option<Conflict> {
        let log = &self.disk.log;
        if slot <= log.last() && (slot <= self.commit || log.term_at(slot) == Some(term)) {
            return None;
        }
        match log.term_at(slot) {
            None => out.because(REFUSES_GAP, facts![slot, log.last()]),
            Some(own) => out.because(REFUSES_OTHER_TERM, facts![slot, own, term]),
        }
        Some(match log.term_at(slot) {
            None => Conflict { term: 0, slot: log.last() + 1 },
            Some(term) => Conflict { term, slot: log.first_of_term(term) },
        })
    }

    /// AppendEntries 3 to 5 (paper, figure 2), after the consistency check: deletes conflicting entries, appends new ones, and answers once they are
    /// on the disk.
    fn append_from_leader(&mut self, from: NodeId, append: &Append, out: &mut Out) {
        self.log_matched = true;
        let entries = append.entries.as_slice();
        let mut changed = false;
        if append.prev_slot < self.disk.log.last()
            && !out.rule(KEEPS_WHAT_AGREES, facts![self.disk.log.last(), append.prev_slot])
        {
            self.truncate_from(append.prev_slot + 1);
            changed = true;
        }
        for (slot, entry) in (append.prev_slot + 1..).zip(entries) {
            match self.disk.log.term_at(slot) {
                Some(term) if term == entry.term => continue,
                Some(_) => self.truncate_from(slot),
                None if slot <= self.disk.log.last() => continue,
                None => {}
            }
            self.disk.log.push_copy(entry);
            if let Payload::Configuration(configuration) = entry.payload {
                self.configurations.push((slot, configuration));
            }
            changed = true;
        }
        if changed {
            out.because(SAVES_ENTRIES, facts![append.prev_slot + entries.len() as u32]);
            out.save_entries(append.prev_slot + 1);
        }
        let slot = append.prev_slot + entries.len() as u32;
        out.send(from, Message::AppendEntriesReply { term: self.disk.term, slot, conflict: None });
        self.learn_commit(append.commit.min(slot), out);
    }

    fn learn_commit(&mut self, slot: Slot, out: &mut Out) {
        if slot > self.commit {
            out.because(LEARNS_COMMIT, facts![slot, self.commit]);
            self.commit_to(slot, out);
        }
    }

    fn truncate_from(&mut self, slot: Slot) {
        self.disk.log.truncate_from(slot);
        while self.configurations.len() > 1 && self.configurations.last().is_some_and(|(at, _)| *at >= slot) {
            self.configurations.pop();
        }
    }
}

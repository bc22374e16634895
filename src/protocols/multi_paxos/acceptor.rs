//! The acceptor: promising, accepting, and its durable state (Simple §2.2, §2.5; Moderately Complex, Acceptor).

use super::message::{Msg, Proposal, Report, Snapshot};
use super::rules::*;
use super::{Role, Server};
use crate::core::{Ballot, Command, Log, NodeId, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// Durable state: all that survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The highest ballot promised: no lower one is accepted any more.
    pub promised: Ballot,
    /// For each slot the proposal of the highest ballot accepted. Slots in between may be open.
    pub accepted: Log<Option<Proposal>>,
    /// Commands in slots up to this one are chosen. May lag behind what the server knows: it is written along with other things.
    pub committed: Slot,
    /// The state after all slots up to some earlier one.
    pub snapshot: Arc<Snapshot>,
}

/// Slots beyond the commit index that an acceptor accepts: proposals further on are ignored, as if lost, until it has caught up. Far more
/// than α.
pub(super) const WINDOW: Slot = 16_384;

impl Server {
    /// Writes all durable state to the disk; whatever is sent after this waits until it is there.
    pub(super) fn save(&mut self, out: &mut Out<Server>) {
        self.save_entries(1, out);
    }

    /// The same, when of the proposals accepted none below `slot` has changed.
    pub(super) fn save_entries(&mut self, slot: Slot, out: &mut Out<Server>) {
        out.because(WAITS_FOR_DISK, facts![]);
        self.write_entries(slot, out);
    }

    fn write_entries(&mut self, slot: Slot, out: &mut Out<Server>) {
        self.disk.committed = self.committed;
        out.save_entries(slot);
    }

    /// A poll: refused by whoever hears from a leader, or leads.
    pub(super) fn on_poll(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) {
        if ballot <= self.disk.promised {
            out.tell(REFUSES_OLD_POLL, facts![ballot, self.disk.promised]);
            return out.send(from, Msg::Nack { promised: self.disk.promised });
        }
        let hears = matches!(self.role, Role::Leader(_) | Role::Acceptor { hears_leader: true, .. });
        let granted = !(hears && out.rule(REFUSES_POLL, facts![from]));
        if !hears {
            out.tell(CONSENTS, facts![from, ballot]);
        }
        out.send(from, Msg::PollReply { ballot, granted });
    }

    /// Phase 1b.
    #[inline(never)]
    pub(super) fn on_prepare(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        first: Slot,
        state: Option<NodeId>,
        out: &mut Out<Server>,
    ) {
        if ballot < self.disk.promised {
            out.because(REFUSES_TO_PROMISE, facts![ballot, self.disk.promised]);
            return out.send(from, Msg::Nack { promised: self.disk.promised });
        }
        if ballot > self.disk.promised {
            out.because(PROMISES, facts![ballot, self.disk.promised]);
            self.disk.promised = ballot;
            self.save(out);
            self.follow(ballot, None, out);
        } else {
            out.because(PROMISES_AGAIN, facts![ballot]);
        }
        // Equal ballots too: the first promise may have been lost.
        out.send(from, Msg::Promise { ballot, report: Arc::new(self.report(first, state == Some(self.me))) });
    }

    fn report(&self, first: Slot, state: bool) -> Report {
        let held = self.disk.accepted.first();
        // Without the state, commands known to be chosen are of no use to one that lacks those before them.
        let from = if first < held && !state { self.committed + 1 } else { first.max(held) };
        Report {
            committed: self.committed,
            first: from,
            accepted: self.disk.accepted.iter_from(from).map(|(_, proposal)| *proposal).collect(),
            snapshot: (state && first < held).then(|| self.disk.snapshot.clone()),
        }
    }

    /// Phase 2b.
    #[inline(always)]
    pub(super) fn on_accept(
        &mut self,
        from: NodeId,
        (ballot, slot, command): (Ballot, Slot, Command),
        committed: Slot,
        out: &mut Out<Server>,
    ) {
        if slot > self.committed + WINDOW || !self.check_ballot(from, ballot, out) {
            return;
        }
        self.accept(slot, Proposal { ballot, command });
        self.learn_committed(ballot, committed, out);
        out.because(ACCEPTS, facts![slot, ballot, self.disk.promised]);
        self.write_entries(slot, out);
        let holders = self.promised_holders(out);
        out.send(from, Msg::accepted(ballot, slot, holders));
    }

    /// Checks a leader's ballot against the promise. If it is not below, follows its sender and returns true; if it is, answers with a Nack.
    #[inline]
    pub(super) fn check_ballot(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) -> bool {
        if ballot == self.disk.promised
            && let Role::Acceptor { leader, .. } = &mut self.role
        {
            *leader = Some(from);
            return true;
        }
        self.check_other_ballot(from, ballot, out)
    }

    /// The same for a ballot other than the one promised, or at a server that is no acceptor only.
    #[inline(never)]
    fn check_other_ballot(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) -> bool {
        let promised = self.disk.promised;
        if ballot < promised && out.rule(REFUSES_LOWER, facts![ballot, promised]) {
            out.send(from, Msg::Nack { promised });
            return false;
        }
        if ballot > promised {
            out.because(PROMISES_BY_ACCEPTING, facts![ballot, promised]);
            self.disk.promised = ballot;
            self.save(out);
            self.follow(ballot, Some(from), out);
        } else if ballot == promised {
            self.follow(ballot, Some(from), out);
        }
        true
    }

    /// Writes an accepted proposal into the log, over one of a lower ballot. A slot that was compacted is chosen for good; there is nothing
    /// left to write.
    #[inline(always)] // So that the proposal is written into the log at once.
    pub(super) fn accept(&mut self, slot: Slot, proposal: Proposal) {
        let log = &mut self.disk.accepted;
        while log.last() + 1 < slot {
            log.push(None);
        }
        if log.last() < slot {
            log.push(Some(proposal));
        } else if let Some(held) = log.get_mut(slot) {
            *held = Some(proposal);
        }
    }
}

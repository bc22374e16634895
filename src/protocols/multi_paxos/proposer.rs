//! The proposer: phase 1 of a new ballot, adopting what promises report, and giving way to higher ballots (Simple §2.2, §2.4; Moderately
//! Complex, Scout).

use super::leader::{DOUBLINGS, Leadership};
use super::message::{Msg, Proposal, Report};
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{Answer, Ballot, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;
use std::collections::BTreeMap;

/// Phase 1 of a ballot under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Phase1 {
    /// Who has promised.
    pub promises: NodeSet,
    /// For each slot, the proposal of the highest ballot that any promise reported (P2c).
    adopted: BTreeMap<Slot, Proposal>,
    /// The first slot prepared.
    first: Slot,
}

impl Phase1 {
    fn adopt(&mut self, slot: Slot, proposal: Proposal, out: &mut Out<Server>) {
        if out.rule(ADOPTS, facts![slot, proposal.ballot]) {
            let highest = self.adopted.entry(slot).or_insert(proposal);
            if highest.ballot < proposal.ballot {
                *highest = proposal;
            }
        }
    }
}

impl Server {
    /// Starts a new ballot: phase 1a, once for all slots.
    pub(super) fn prepare(&mut self, out: &mut Out<Server>) {
        let seen = self.seen.max(self.disk.promised);
        let owner = if out.rule(PREPARES, facts![seen.next(self.me)]) { self.me } else { NodeId(0) };
        let ballot = seen.next(owner);
        self.seen = ballot;
        // The proposer's own acceptor promises first. The saved promise also keeps a restarted proposer from using this ballot again.
        self.disk.promised = ballot;
        self.save(out);
        let mut phase1 = Phase1 { first: self.committed + 1, ..Phase1::default() };
        for (slot, proposal) in self.disk.accepted.iter_from(self.committed + 1) {
            if let Some(proposal) = *proposal {
                phase1.adopt(slot, proposal, out);
            }
        }
        let last = self.disk.accepted.last();
        if last > self.committed && !out.rule(ASKS_FROM, facts![phase1.first, last]) {
            phase1.first = last + 1;
        }
        let first = phase1.first;
        self.role = Role::Proposer(phase1);
        out.broadcast(self.peers(), Msg::Prepare { ballot, from: first });
        out.send(self.me, Msg::Promise { ballot, report: Report::default().into() });
        self.reset_election_timeout(out);
    }

    /// Sends Prepare again to those that have not promised.
    pub(super) fn prepare_again(&mut self, out: &mut Out<Server>) {
        let Role::Proposer(Phase1 { promises, first, .. }) = &self.role else { return };
        out.because(PREPARES_AGAIN, facts![self.disk.promised, *promises]);
        let silent = self.peers().minus(*promises);
        out.broadcast(silent, Msg::Prepare { ballot: self.disk.promised, from: *first });
        self.reset_election_timeout(out);
    }

    /// Phase 1b arrives.
    #[inline(never)]
    pub(super) fn on_promise(&mut self, from: NodeId, ballot: Ballot, report: &Report, out: &mut Out<Server>) {
        if ballot != self.disk.promised || !matches!(self.role, Role::Proposer(_)) {
            return;
        }
        let known = (report.committed + 1).saturating_sub(report.first) as usize;
        let installed = report.snapshot.as_ref().is_some_and(|snapshot| self.install(snapshot, out));
        let chosen = report.accepted.iter().take(known).map_while(|proposal| *proposal);
        if self.learn(report.first, chosen, out) || installed {
            self.save(out);
        }
        let Role::Proposer(phase1) = &mut self.role else { return };
        for (slot, proposal) in (report.first..).zip(&report.accepted).skip(known) {
            if let Some(proposal) = *proposal
                && slot > self.committed
            {
                phase1.adopt(slot, proposal, out);
            }
        }
        phase1.promises.add(from);
        if self.config.quorums.phase1.is_quorum(phase1.promises) {
            out.because(LEADS, facts![ballot, phase1.promises]);
            if self.config.quorums.intersect() {
                out.because(HEARS_OF_ALL_CHOSEN, facts![]);
            }
            self.lead(out);
        } else {
            out.tell(COUNTS_PROMISES, facts![phase1.promises, ballot]);
        }
    }

    /// A quorum has promised: proposes what was adopted, no-ops for gaps, and then clients' commands.
    fn lead(&mut self, out: &mut Out<Server>) {
        let leader = Role::Leader(Leadership::new(self.peers(), self.config.quorums.replicas, self.committed));
        let Role::Proposer(Phase1 { adopted, promises, .. }) = std::mem::replace(&mut self.role, leader) else {
            return;
        };
        self.use_thrifty_quorum(promises.without(self.me));
        let reported = adopted.last_key_value().map_or(0, |(slot, _)| *slot);
        let last = reported.max(self.committed + self.open.len() as Slot);
        self.open.resize((last - self.committed) as usize, super::learner::Open::default());
        let mut proposed = Vec::new();
        let waiting = std::mem::take(&mut self.clients).pending;
        for (slot, place) in (self.committed + 1..=last).zip(0..) {
            self.open[place].votes = NodeSet::EMPTY;
            if self.open[place].chosen {
                continue;
            }
            let command = adopted.get(&slot).map_or(Command::NOOP, |proposal| proposal.command);
            if !adopted.contains_key(&slot) {
                out.because(FILLS_GAP, facts![slot]);
            }
            self.clients.is_new(command);
            self.propose(slot, command, out);
            proposed.push(slot);
        }
        self.save_and_accept(&proposed, out);
        self.send_heartbeats(out);
        self.schedule_quorum_check(out);
        // A pending command may be among those that promises reported, so each is checked again. Otherwise every new leader would propose
        // such commands a second time, and leaders in quick succession would have more and more to propose.
        for command in waiting {
            self.on_command(command, out);
        }
    }

    /// A Nack: an acceptor has promised a higher ballot, which preempts this server's.
    #[inline(never)]
    pub(super) fn on_nack(&mut self, promised: Ballot, out: &mut Out<Server>) {
        self.seen = self.seen.max(promised);
        if promised > self.disk.promised && !matches!(self.role, Role::Acceptor { .. }) {
            self.follow(promised, None, out);
        }
    }

    /// Stops proposing, if it did, and waits for the leader of `ballot`.
    pub(super) fn follow(&mut self, ballot: Ballot, leader: Option<NodeId>, out: &mut Out<Server>) {
        self.seen = self.seen.max(ballot);
        let role = std::mem::replace(&mut self.role, Role::Acceptor { leader, leader_committed: 0 });
        if let Role::Leader(_) = role {
            for timer in [Timer::Heartbeat, Timer::Resend, Timer::HandOver] {
                out.cancel(timer);
            }
        }
        if !matches!(role, Role::Acceptor { .. }) {
            out.because(BACKS_OFF, facts![self.seen]);
            let without_progress = match &role {
                Role::Leader(leadership) => !self.open.is_empty() && leadership.began == self.committed,
                _ => true,
            };
            if without_progress {
                self.preempted = (self.preempted + 1).min(DOUBLINGS);
            }
            // Clients are redirected; whether their commands under way will be chosen is open.
            let under_way = (self.committed + 1..).take(self.open.len()).filter_map(|slot| self.proposal(slot));
            let waiting = under_way.map(|proposal| proposal.command).chain(self.clients.pending.iter().copied());
            let whom = Some(ballot.node).filter(|node| *node != self.me);
            for command in waiting {
                out.reply(command.client, command.seq, Answer::Redirect(whom));
            }
            self.clients.forget();
        }
        self.reset_election_timeout(out);
    }

    /// Sets the election timeout anew: longer after ballots that were preempted without progress.
    pub(super) fn reset_election_timeout(&self, out: &mut Out<Server>) {
        out.set_timer(
            Timer::Election,
            self.config.election_min << self.preempted,
            self.config.election_max << self.preempted,
        );
    }
}

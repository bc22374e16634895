//! The proposer: winning a ballot (phase 1), and what its promises oblige it to propose.

use super::leader::{DOUBLINGS, Leadership};
use super::message::{Msg, Proposal, Report};
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{Answer, Ballot, Command, NodeId, NodeSet, Out, Slot};
use std::collections::BTreeMap;

/// A ballot on its way to leadership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Candidacy {
    /// Who has promised.
    pub promises: NodeSet,
    /// For each slot, the proposal of the highest ballot that anybody reported.
    adopted: BTreeMap<Slot, Proposal>,
    /// The first slot it prepares.
    first: Slot,
}

impl Candidacy {
    fn adopt(&mut self, slot: Slot, proposal: Proposal, out: &mut Out<Server>) {
        if out.rule(ADOPT_HIGHEST) {
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
        let owner = if out.rule(UNIQUE_BALLOTS) { self.me } else { NodeId(0) };
        let ballot = self.seen.max(self.disk.promised).next(owner);
        self.seen = ballot;
        // The proposer's own acceptor promises first. On the disk, that promise is also the memory that this ballot is used up.
        self.disk.promised = ballot;
        self.save(out);
        let mut candidacy = Candidacy { first: self.committed + 1, ..Candidacy::default() };
        for (slot, proposal) in self.disk.accepted.iter_from(self.committed + 1) {
            if let Some(proposal) = *proposal {
                candidacy.adopt(slot, proposal, out);
            }
        }
        let last = self.disk.accepted.last();
        if last > self.committed && !out.rule(PREPARE_ALL_SLOTS) {
            candidacy.first = last + 1;
        }
        let first = candidacy.first;
        self.role = Role::Proposer(candidacy);
        out.broadcast(self.peers(), Msg::Prepare { ballot, from: first });
        out.send(self.me, Msg::Promise { ballot, report: Report::default().into() });
        self.await_leader(out);
    }

    /// Asks those again that have not promised yet.
    pub(super) fn prepare_again(&mut self, out: &mut Out<Server>) {
        let Role::Proposer(Candidacy { promises, first, .. }) = &self.role else { return };
        out.because(RESEND);
        let silent = self.peers().minus(*promises);
        out.broadcast(silent, Msg::Prepare { ballot: self.disk.promised, from: *first });
        self.await_leader(out);
    }

    /// Phase 1b arrives.
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
        let Role::Proposer(candidacy) = &mut self.role else { return };
        for (slot, proposal) in (report.first..).zip(&report.accepted).skip(known) {
            if let Some(proposal) = *proposal
                && slot > self.committed
            {
                candidacy.adopt(slot, proposal, out);
            }
        }
        candidacy.promises.add(from);
        if candidacy.promises.len() >= self.config.prepare_quorum {
            out.because(PREPARE_QUORUM);
            if self.config.prepare_quorum + self.config.accept_quorum > self.config.servers {
                out.because(QUORUMS_INTERSECT);
            }
            self.lead(out);
        }
    }

    /// A quorum has promised: proposes what has to be proposed, then what clients want.
    fn lead(&mut self, out: &mut Out<Server>) {
        let leader = Role::Leader(Leadership::new(self.peers(), self.config.servers, self.committed));
        let Role::Proposer(Candidacy { adopted, promises, .. }) = std::mem::replace(&mut self.role, leader) else {
            return;
        };
        self.send_thriftily_to(promises.without(self.me));
        let reported = adopted.last_key_value().map_or(0, |(slot, _)| *slot);
        let last = reported.max(self.committed + self.open.len() as Slot);
        self.open.resize((last - self.committed) as usize, super::learner::Open::default());
        let mut proposed = Vec::new();
        let waiting = std::mem::take(&mut self.clients).held;
        for (slot, place) in (self.committed + 1..=last).zip(0..) {
            self.open[place].votes = NodeSet::EMPTY;
            if self.open[place].chosen {
                continue;
            }
            let command = adopted.get(&slot).map_or(Command::NOOP, |proposal| proposal.command);
            if !adopted.contains_key(&slot) {
                out.because(FILL_GAPS);
            }
            self.clients.asks(command);
            self.propose(slot, command, out);
            proposed.push(slot);
        }
        self.accept_own(&proposed, out);
        self.beat(out);
        self.look_later(out);
        // What clients asked for while promises were under way may be among what these have brought: it is looked at once more. Otherwise
        // each new leader would propose all of that again, and leaders that follow each other quickly would have ever more to propose before
        // they come to anything.
        for command in waiting {
            self.on_command(command, out);
        }
    }

    /// A message was refused: somebody has promised a higher ballot.
    pub(super) fn on_nack(&mut self, promised: Ballot, out: &mut Out<Server>) {
        self.seen = self.seen.max(promised);
        if promised > self.disk.promised && !matches!(self.role, Role::Acceptor { .. }) {
            self.follow(promised, None, out);
        }
    }

    /// Stops proposing, if it did, and waits for the leader of `ballot`.
    pub(super) fn follow(&mut self, ballot: Ballot, leader: Option<NodeId>, out: &mut Out<Server>) {
        self.seen = self.seen.max(ballot);
        let role = std::mem::replace(&mut self.role, Role::Acceptor { leader, recorded: 0 });
        if let Role::Leader(_) = role {
            for timer in [Timer::Heartbeat, Timer::Resend, Timer::HandOver] {
                out.cancel(timer);
            }
        }
        if !matches!(role, Role::Acceptor { .. }) {
            out.because(BACK_OFF);
            let in_vain = match &role {
                Role::Leader(leadership) => !self.open.is_empty() && leadership.began == self.committed,
                _ => true,
            };
            if in_vain {
                self.preempted = (self.preempted + 1).min(DOUBLINGS);
            }
            // Clients ask again where their commands can be proposed; commands under way may or may not be chosen.
            let under_way = (self.committed + 1..).take(self.open.len()).filter_map(|slot| self.proposal(slot));
            let waiting = under_way.map(|proposal| proposal.command).chain(self.clients.held.iter().copied());
            let whom = Some(ballot.node).filter(|node| *node != self.me);
            for command in waiting {
                out.reply(command.client, command.seq, Answer::Redirect(whom));
            }
            self.clients.forget();
        }
        self.await_leader(out);
    }

    /// Starts the random time of silence after which this server prepares, for the first time or again.
    pub(super) fn await_leader(&self, out: &mut Out<Server>) {
        out.set_timer(
            Timer::Election,
            self.config.election_min << self.preempted,
            self.config.election_max << self.preempted,
        );
    }
}

//! The proposer: phase 1 of a new ballot, adopting what promises report, and giving way to higher ballots (Simple §2.2, §2.4; Moderately
//! Complex, Scout).

use super::leader::{DOUBLINGS, Leadership};
use super::message::{Msg, Proposal, Report};
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{Answer, Ballot, Command, Micros, NodeId, NodeSet, Out, Slot};
use crate::facts;

/// How often the election timeout doubles at most because polls are not answered.
const POLL_DOUBLINGS: u8 = 2;

/// Phase 1 of a ballot under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Phase1 {
    /// Who has promised.
    pub promises: NodeSet,
    /// For each slot, the proposal of the highest ballot that any promise reported (P2c), by slot.
    adopted: Vec<(Slot, Proposal)>,
    /// The first slot prepared.
    first: Slot,
    /// Whom it asked for its state.
    state: Option<NodeId>,
    /// The last slot that anybody has compacted, of those prepared: chosen, but not reported.
    compacted: Slot,
}

impl Phase1 {
    fn adopt(&mut self, slot: Slot, proposal: Proposal, out: &mut Out<Server>) {
        if out.rule(ADOPTS, facts![slot, proposal.ballot]) {
            match self.adopted.binary_search_by_key(&slot, |(slot, _)| *slot) {
                Ok(at) if self.adopted[at].1.ballot < proposal.ballot => self.adopted[at].1 = proposal,
                Ok(_) => {}
                Err(at) => self.adopted.insert(at, (slot, proposal)),
            }
        }
    }
}

impl Server {
    /// The ballot that this server would prepare.
    fn next_ballot(&self, out: &mut Out<Server>) -> Ballot {
        let seen = self.seen.max(self.disk.promised);
        let owner = if out.rule(TAKES_BALLOT, facts![seen.next(self.me)]) { self.me } else { NodeId(0) };
        seen.next(owner)
    }

    /// Asks all others whether they hear from a leader, before preparing a ballot that would depose it.
    pub(super) fn poll(&mut self, out: &mut Out<Server>) {
        let me = NodeSet::just(self.me);
        if let Role::Acceptor { leader, consents, .. } = &mut self.role {
            *leader = None;
            // Answers may take longer than the timeout.
            if *consents == me {
                self.preempted = self.preempted.max((self.preempted + 1).min(POLL_DOUBLINGS));
            }
            *consents = me;
        }
        let ballot = self.next_ballot(out);
        out.because(POLLS, facts![ballot]);
        out.broadcast(self.peers(), Msg::Poll { ballot });
        self.reset_election_timeout(out);
        self.on_poll_reply(self.me, ballot, true, out);
    }

    /// A poll is answered: prepares once enough others hear from no leader.
    pub(super) fn on_poll_reply(&mut self, from: NodeId, ballot: Ballot, granted: bool, out: &mut Out<Server>) {
        let polls = matches!(self.role, Role::Acceptor { consents, .. } if consents.has(self.me));
        if !granted || !polls || ballot != self.next_ballot(out) {
            return;
        }
        let Role::Acceptor { consents, .. } = &mut self.role else { return };
        consents.add(from);
        if self.config.quorums.phase1.is_quorum(*consents) && self.config.quorums.phase2.is_quorum(*consents) {
            self.prepare(out);
        }
    }

    /// Starts a new ballot: phase 1a, once for all slots.
    pub(super) fn prepare(&mut self, out: &mut Out<Server>) {
        let ballot = self.next_ballot(out);
        self.seen = ballot;
        // The proposer's own acceptor promises first. The saved promise also keeps a restarted proposer from using this ballot again.
        self.disk.promised = ballot;
        self.save(out);
        let state = self.gave_way.take();
        let mut phase1 = Phase1 { first: self.committed + 1, state, ..Phase1::default() };
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
        out.broadcast(self.peers(), Msg::Prepare { ballot, from: first, state });
        out.send(self.me, Msg::Promise { ballot, report: Report::default().into() });
        self.reset_election_timeout(out);
    }

    /// The promises did not come in time: asks again or, where there are no polls, sends Prepare again to those that have not promised.
    pub(super) fn prepare_again(&mut self, out: &mut Out<Server>) {
        self.patience.give_up();
        if self.config.poll {
            self.follow(self.disk.promised, None, out);
            return self.poll(out);
        }
        let Role::Proposer(Phase1 { promises, first, state, compacted, .. }) = &self.role else { return };
        if *compacted > self.committed {
            return self.prepare(out);
        }
        out.because(PREPARES_AGAIN, facts![self.disk.promised, *promises]);
        let silent = self.peers().minus(*promises);
        out.broadcast(silent, Msg::Prepare { ballot: self.disk.promised, from: *first, state: *state });
        self.reset_election_timeout(out);
    }

    /// Phase 1b arrives.
    #[inline(never)]
    pub(super) fn on_promise(&mut self, from: NodeId, ballot: Ballot, report: &Report, out: &mut Out<Server>) {
        if ballot != self.disk.promised || !matches!(self.role, Role::Proposer(_)) {
            // Of a ballot that it gave up because time ran out, not because of a higher one of another or to let another lead.
            let timed_out = self.disk.promised.node == self.me && self.seen == self.disk.promised;
            let asks = self.gave_way.is_none() && !matches!(self.role, Role::Leader(_));
            if ballot.node == self.me && timed_out && asks {
                self.patience.late();
            }
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
        if report.first > phase1.first {
            phase1.compacted = phase1.compacted.max(report.first - 1);
        }
        let compacted = phase1.compacted;
        let lacks = compacted > self.committed;
        if lacks && phase1.state.is_none() {
            return self.give_way(from, ballot, compacted, out);
        }
        if !lacks && self.config.quorums.phase1.is_quorum(phase1.promises) {
            out.because(LEADS, facts![ballot, phase1.promises]);
            if self.config.quorums.intersect() {
                out.because(HEARS_OF_ALL_CHOSEN, facts![]);
            }
            self.lead(out);
        } else {
            out.tell(COUNTS_PROMISES, facts![phase1.promises, ballot]);
        }
    }

    /// Lets a server lead that has compacted commands which this one lacks.
    #[inline(never)]
    fn give_way(&mut self, to: NodeId, ballot: Ballot, compacted: Slot, out: &mut Out<Server>) {
        out.because(GIVES_WAY, facts![to, compacted]);
        self.gave_way = Some(to);
        out.send(to, Msg::HandOver { ballot, committed: compacted });
        self.follow(ballot, None, out);
    }

    /// A quorum has promised: proposes what was adopted, no-ops for gaps, and then clients' commands.
    fn lead(&mut self, out: &mut Out<Server>) {
        let leader = Role::Leader(Leadership::new(self.peers(), self.config.quorums.replicas, self.committed));
        let Role::Proposer(Phase1 { adopted, promises, .. }) = std::mem::replace(&mut self.role, leader) else {
            return;
        };
        self.use_thrifty_quorum(promises.without(self.me));
        let reported = adopted.last().map_or(0, |(slot, _)| *slot);
        let last = reported.max(self.committed + self.open.len() as Slot);
        self.open.resize((last - self.committed) as usize, super::learner::Open::default());
        if let Role::Leader(leadership) = &mut self.role {
            leadership.adopted = last;
        }
        let mut proposed = Vec::new();
        let waiting = std::mem::take(&mut self.clients).pending;
        for (slot, place) in (self.committed + 1..=last).zip(0..) {
            (self.open[place].votes, self.open[place].named) = (NodeSet::EMPTY, NodeSet::EMPTY);
            if self.open[place].chosen {
                continue;
            }
            let found = adopted.binary_search_by_key(&slot, |(slot, _)| *slot);
            let command = found.map_or(Command::NOOP, |at| adopted[at].1.command);
            if found.is_err() {
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
        let role = std::mem::replace(&mut self.role, Role::acceptor(leader));
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

    /// A heartbeat came: sets the shortest election timeout, in which this server agrees to no poll.
    pub(super) fn hear_leader(&mut self, out: &mut Out<Server>) {
        if !self.config.poll {
            return self.reset_election_timeout(out);
        }
        let Role::Acceptor { hears_leader, consents, .. } = &mut self.role else { return };
        *consents = NodeSet::EMPTY;
        if !std::mem::replace(hears_leader, true) {
            out.cancel(Timer::Election);
        }
        let shortest = self.patience.stretch(self.config.election_min);
        out.set_timer(Timer::MinimumTimeout, shortest, shortest);
    }

    /// The shortest election timeout is over: sets the rest of it.
    pub(super) fn on_minimum_timeout(&mut self, out: &mut Out<Server>) {
        let Role::Acceptor { hears_leader, .. } = &mut self.role else { return };
        if std::mem::take(hears_leader) {
            let passed = self.patience.stretch(self.config.election_min);
            let rest = |timeout: Micros| (self.patience.stretch(timeout) << self.preempted) - passed;
            out.set_timer(Timer::Election, rest(self.config.election_min), rest(self.config.election_max));
        }
    }

    /// Sets the election timeout anew: longer after ballots that were preempted without progress.
    pub(super) fn reset_election_timeout(&self, out: &mut Out<Server>) {
        out.set_timer(
            Timer::Election,
            self.patience.stretch(self.config.election_min) << self.preempted,
            self.patience.stretch(self.config.election_max) << self.preempted,
        );
    }
}

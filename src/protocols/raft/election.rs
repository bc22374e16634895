//! Leader election: timeouts, PreVote, votes (paper §5.2, §5.4.1; dissertation §4.2.3, §9.6).

use super::Reads;
use super::leader::Leadership;
use super::message::Message;
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use super::storage::Payload;
use crate::core::{Command, NodeId, NodeSet, Slot};

/// How up-to-date a log is: the last entry's term, then its slot (paper §5.4.1). Later is greater.
pub type LastEntry = (u32, Slot);

impl Server {
    fn last_entry(&self) -> LastEntry {
        (self.disk.log.last_term(), self.disk.log.last())
    }

    fn others(&self) -> NodeSet {
        self.configuration().1.all().without(self.me)
    }

    /// The first wait for a leader after a boot. Where there are leases, it is a loyal one: the server may have answered its leader just
    /// before it crashed, and a lease may rest on that.
    pub(super) fn begin(&mut self, out: &mut Out) {
        self.loyal = self.config.reads == Reads::Lease;
        match self.loyal {
            true => out.set_timer(Timer::MinimumTimeout, self.config.election_min, self.config.election_min),
            false => out.set_timer(Timer::ElectionTimeout, self.config.election_min, self.config.election_max),
        }
    }

    /// The election timeout has two parts. While the first, fixed one runs the server is loyal to its leader; together with the
    /// second it is uniform between its bounds.
    pub(super) fn on_minimum_timeout(&mut self, out: &mut Out) {
        self.loyal = false;
        out.set_timer(Timer::ElectionTimeout, 0, self.config.election_max - self.config.election_min);
    }

    /// Waits a whole election timeout, loyal to nobody.
    pub(super) fn await_election(&mut self, out: &mut Out) {
        if std::mem::take(&mut self.loyal) {
            out.cancel(Timer::MinimumTimeout);
        }
        out.set_timer(Timer::ElectionTimeout, self.config.election_min, self.config.election_max);
    }

    pub(super) fn on_election_timeout(&mut self, out: &mut Out) {
        // A server that has left must not go on sending clients to a leader of long ago.
        self.leader = None;
        if !self.may_campaign() {
            return;
        }
        out.because(ELECTION_TIMEOUT);
        match self.config.pre_vote {
            true => self.ask_first(out),
            false => self.campaign(false, out),
        }
    }

    /// Becomes a pre-candidate.
    fn ask_first(&mut self, out: &mut Out) {
        out.because(PRE_VOTE);
        self.role = Role::PreCandidate { votes: NodeSet::EMPTY };
        self.await_election(out);
        let (last_term, last_slot) = self.last_entry();
        let term = self.disk.term + 1;
        out.broadcast(self.others(), Message::PreVote { term, last_slot, last_term });
        self.on_pre_vote_reply(self.me, term, true, out);
    }

    pub(super) fn on_pre_vote(&mut self, from: NodeId, term: u32, candidate: LastEntry, out: &mut Out) {
        let refused = self.is_disturbed(out)
            || self.is_stale(term, out)
            || (term == self.disk.term && self.has_voted_against(from, out))
            || self.is_more_up_to_date_than(candidate, out);
        let term = if refused { self.disk.term } else { term };
        out.send(from, Message::PreVoteReply { term, granted: !refused });
    }

    pub(super) fn on_pre_vote_reply(&mut self, from: NodeId, term: u32, granted: bool, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let Role::PreCandidate { votes } = &mut self.role else { return };
        if !granted || term != self.disk.term + 1 {
            return;
        }
        votes.add(from);
        if configuration.quorum(*votes) {
            self.campaign(false, out);
        }
    }

    /// Becomes a candidate: a new term, its own vote, and a request to everybody else.
    pub(super) fn campaign(&mut self, transfer: bool, out: &mut Out) {
        self.disk.term += 1;
        self.disk.vote = Some(self.me);
        self.role = Role::Candidate { votes: NodeSet::EMPTY };
        self.leader = None;
        self.log_matched = false;
        self.out_of_order.clear();
        self.await_election(out);
        let term = self.disk.term;
        let (last_term, last_slot) = self.last_entry();
        out.because(PERSIST_FIRST);
        out.save();
        out.broadcast(self.others(), Message::RequestVote { term, last_slot, last_term, transfer });
        out.send(self.me, Message::RequestVoteReply { term, granted: true });
    }

    pub(super) fn on_request_vote(
        &mut self,
        from: NodeId,
        term: u32,
        candidate: LastEntry,
        transfer: bool,
        out: &mut Out,
    ) {
        let disturbed = !transfer && self.is_disturbed(out);
        if term > self.disk.term && !disturbed {
            self.adopt(term, out);
        }
        let refused = disturbed
            || self.is_stale(term, out)
            || self.has_voted_against(from, out)
            || self.is_more_up_to_date_than(candidate, out);
        if !refused {
            self.disk.vote = Some(from);
            self.await_election(out);
            out.because(PERSIST_FIRST);
            out.save();
        }
        out.send(from, Message::RequestVoteReply { term: self.disk.term, granted: !refused });
    }

    /// Whether an election now would disturb a leader that this server hears, or is.
    fn is_disturbed(&self, out: &mut Out) -> bool {
        (self.loyal || matches!(self.role, Role::Leader(_))) && out.rule(LEADER_STICKINESS)
    }

    fn is_stale(&self, term: u32, out: &mut Out) -> bool {
        let stale = term < self.disk.term;
        if stale {
            out.because(STALE_TERM);
        }
        stale
    }

    fn has_voted_against(&self, candidate: NodeId, out: &mut Out) -> bool {
        self.disk.vote.is_some_and(|vote| vote != candidate) && out.rule(ONE_VOTE)
    }

    fn is_more_up_to_date_than(&self, candidate: LastEntry, out: &mut Out) -> bool {
        self.last_entry() > candidate && out.rule(UP_TO_DATE)
    }

    pub(super) fn on_vote(&mut self, from: NodeId, term: u32, granted: bool, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let Role::Candidate { votes } = &mut self.role else { return };
        if !granted || term != self.disk.term {
            return;
        }
        votes.add(from);
        if configuration.quorum(*votes) {
            self.lead(out);
        }
    }

    /// Becomes leader.
    fn lead(&mut self, out: &mut Out) {
        out.because(MAJORITY_ELECTS);
        out.cancel(Timer::ElectionTimeout);
        self.leader = Some(self.me);
        self.led = self.disk.term;
        let (_, configuration) = self.configuration();
        let next = self.disk.log.last() + 1;
        self.role = Role::Leader(Box::new(Leadership::new(self.me, configuration, next)));
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
        out.set_timer(Timer::CheckQuorum, self.config.election_min, self.config.election_min);
        out.because(NOOP_FIRST);
        self.append(Payload::Command(Command::NOOP), out);
    }
}

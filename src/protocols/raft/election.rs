//! Leader election: election timeout, PreVote, RequestVote, becoming leader (paper §5.2, §5.4.1; dissertation §4.2.3, §9.6).

use super::Reads;
use super::leader::Leadership;
use super::message::Message;
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use super::storage::Payload;
use crate::core::{Command, NodeId, NodeSet, Slot};
use crate::facts;

/// How up-to-date a log is: the last entry's term, then its slot, compared in this order (paper §5.4.1).
pub type LastEntry = (u32, Slot);

impl Server {
    fn last_entry(&self) -> LastEntry {
        (self.disk.log.last_term(), self.disk.log.last())
    }

    fn others(&self) -> NodeSet {
        self.configuration().1.all().without(self.me)
    }

    /// Sets the first election timeout after a boot. Where there are leases it begins with the minimum election timeout, in which the server
    /// grants no votes: it may have answered its leader just before it crashed, and a lease may rest on that answer.
    pub(super) fn start_first_timeout(&mut self, out: &mut Out) {
        self.hears_leader = self.config.reads == Reads::Lease;
        match self.hears_leader {
            true => out.set_timer(Timer::MinimumTimeout, self.config.election_min, self.config.election_min),
            false => out.set_timer(Timer::ElectionTimeout, self.config.election_min, self.config.election_max),
        }
    }

    /// The minimum election timeout is over: from now on the server may vote for others (dissertation §4.2.3). Sets the random part, so that
    /// both together are uniform between `election_min` and `election_max`.
    pub(super) fn on_minimum_timeout(&mut self, out: &mut Out) {
        self.hears_leader = false;
        let rest = self.patience.stretch(self.config.election_max - self.config.election_min);
        out.set_timer(Timer::ElectionTimeout, 0, rest);
    }

    /// Sets a whole election timeout, in which the server may vote: it follows no leader now.
    pub(super) fn reset_election_timeout(&mut self, out: &mut Out) {
        if std::mem::take(&mut self.hears_leader) {
            out.cancel(Timer::MinimumTimeout);
        }
        let timeout = |configured| self.patience.stretch(configured);
        out.set_timer(Timer::ElectionTimeout, timeout(self.config.election_min), timeout(self.config.election_max));
    }

    pub(super) fn on_election_timeout(&mut self, out: &mut Out) {
        // Also at a server that was removed: it must not redirect clients to a leader of long ago.
        self.leader = None;
        self.patience.give_up();
        if !self.may_campaign() {
            return;
        }
        out.because(STARTS_ELECTION, facts![]);
        match self.config.pre_vote {
            true => self.pre_campaign(out),
            false => self.campaign(false, out),
        }
    }

    /// Becomes a pre-candidate (etcd: campaignPreElection): asks for votes without raising the term.
    fn pre_campaign(&mut self, out: &mut Out) {
        out.because(ASKS_FIRST, facts![self.disk.term + 1]);
        self.role = Role::PreCandidate { votes: NodeSet::EMPTY, ahead: NodeSet::EMPTY };
        self.reset_election_timeout(out);
        let (last_term, last_slot) = self.last_entry();
        let term = self.disk.term + 1;
        out.broadcast(self.others(), Message::PreVote { term, last_slot, last_term });
        self.on_pre_vote_reply(self.me, term, true, false, out);
    }

    pub(super) fn on_pre_vote(&mut self, from: NodeId, term: u32, candidate: LastEntry, out: &mut Out) {
        let refused = self.must_not_vote(from, out)
            || self.is_stale(term, out)
            || (term == self.disk.term && self.has_voted_against(from, out));
        let ahead = !refused && self.is_more_up_to_date_than(from, candidate, out);
        let refused = refused || ahead;
        if !refused {
            out.tell(WOULD_VOTE, facts![from, term]);
            if !self.hears_leader {
                out.tell(HEARS_NOBODY, facts![]);
            }
            self.tell_of_up_to_date(from, candidate, out);
        }
        let term = match refused {
            false => term,
            true if out.rule(TELLS_ITS_TERM, facts![self.disk.term]) => self.disk.term,
            true => 0,
        };
        out.send(from, Message::PreVoteReply { term, granted: !refused, ahead });
    }

    pub(super) fn on_pre_vote_reply(
        &mut self,
        from: NodeId,
        term: u32,
        granted: bool,
        its_log_is_ahead: bool,
        out: &mut Out,
    ) {
        let (_, configuration) = self.configuration();
        if granted && self.is_of_earlier_election(term) {
            self.patience.late();
        }
        let Role::PreCandidate { votes, ahead } = &mut self.role else { return };
        if its_log_is_ahead {
            ahead.add(from);
        }
        if !granted || term != self.disk.term + 1 {
            return;
        }
        votes.add(from);
        match configuration.quorum(*votes) {
            true => self.campaign(false, out),
            false => out.tell(COUNTS_PRE_VOTES, facts![*votes]),
        }
    }

    /// Becomes a candidate: raises the term, votes for itself and requests the others' votes.
    pub(super) fn campaign(&mut self, transfer: bool, out: &mut Out) {
        self.disk.term += 1;
        self.disk.vote = Some(self.me);
        self.role = Role::Candidate { votes: NodeSet::EMPTY };
        self.leader = None;
        self.log_matched = false;
        self.out_of_order.clear();
        self.reset_election_timeout(out);
        let term = self.disk.term;
        let (last_term, last_slot) = self.last_entry();
        out.because(CAMPAIGNS, facts![term]);
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
        let disturbed = !transfer && self.must_not_vote(from, out);
        if term > self.disk.term && !disturbed {
            self.adopt(term, out);
        }
        let refused = disturbed
            || self.is_stale(term, out)
            || self.has_voted_against(from, out)
            || self.is_more_up_to_date_than(from, candidate, out);
        if !refused {
            let free = self.disk.vote.is_none_or(|vote| vote == from);
            self.disk.vote = Some(from);
            self.reset_election_timeout(out);
            out.because(VOTES, facts![from, term]);
            if free {
                out.tell(HAS_NOT_VOTED, facts![term]);
            }
            self.tell_of_up_to_date(from, candidate, out);
            out.because(SAVES_VOTE, facts![]);
            out.save();
        }
        out.send(from, Message::RequestVoteReply { term: self.disk.term, granted: !refused });
    }

    /// Whether an election of its own is under way, and a vote for `term` is for one that it has begun again since. A pre-candidate has given up the
    /// election in its present term; at a candidate, what others promised for this term is no longer needed, and not late.
    const fn is_of_earlier_election(&self, term: u32) -> bool {
        match self.role {
            Role::PreCandidate { .. } => term <= self.disk.term,
            Role::Candidate { .. } => term < self.disk.term,
            Role::Follower | Role::Leader(_) => false,
        }
    }

    /// Leader stickiness: whether this server leads, or has heard from a leader within the minimum election timeout.
    fn must_not_vote(&self, candidate: NodeId, out: &mut Out) -> bool {
        match self.role {
            Role::Leader(_) => out.rule(REFUSES_AS_LEADER, facts![candidate, self.disk.term]),
            _ => {
                self.hears_leader
                    && out.rule(REFUSES_WHILE_LED, facts![candidate, self.patience.stretch(self.config.election_min)])
            }
        }
    }

    fn is_stale(&self, term: u32, out: &mut Out) -> bool {
        let stale = term < self.disk.term;
        if stale {
            out.because(REFUSES_STALE, facts![term, self.disk.term]);
        }
        stale
    }

    fn has_voted_against(&self, candidate: NodeId, out: &mut Out) -> bool {
        self.disk.vote.is_some_and(|vote| {
            vote != candidate && out.rule(REFUSES_SECOND_VOTE, facts![candidate, vote, self.disk.term])
        })
    }

    fn is_more_up_to_date_than(&self, candidate: NodeId, last: LastEntry, out: &mut Out) -> bool {
        let own = self.last_entry();
        own > last && out.rule(REFUSES_OLDER_LOG, facts![candidate, own.1, own.0, last.1, last.0])
    }

    /// Gives the state of the logs as a reason for a vote.
    fn tell_of_up_to_date(&self, candidate: NodeId, last: LastEntry, out: &mut Out) {
        let own = self.last_entry();
        if own.1 == 0 {
            out.tell(OWN_LOG_IS_EMPTY, facts![candidate]);
        } else if own <= last {
            out.tell(CANDIDATE_IS_UP_TO_DATE, facts![candidate, last.1, last.0, own.1, own.0]);
        }
    }

    pub(super) fn on_vote(&mut self, from: NodeId, term: u32, granted: bool, out: &mut Out) {
        let (_, configuration) = self.configuration();
        if granted && self.is_of_earlier_election(term) {
            self.patience.late();
        }
        let Role::Candidate { votes } = &mut self.role else { return };
        if !granted || term != self.disk.term {
            return;
        }
        votes.add(from);
        let votes = *votes;
        if configuration.quorum(votes) {
            self.lead(votes, out);
        } else {
            out.tell(COUNTS_VOTES, facts![votes, term]);
        }
    }

    /// Becomes leader of its term, and appends the no-op (paper §8).
    fn lead(&mut self, votes: NodeSet, out: &mut Out) {
        out.because(LEADS, facts![self.disk.term, votes]);
        out.cancel(Timer::ElectionTimeout);
        self.leader = Some(self.me);
        self.led_term = self.disk.term;
        let (_, configuration) = self.configuration();
        let next = self.disk.log.last() + 1;
        self.role = Role::Leader(Box::new(Leadership::new(self.me, configuration, next)));
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
        self.wait_for_old_leases(out);
        self.schedule_quorum_check(out);
        out.because(APPENDS_NOOP, facts![next, self.disk.term]);
        self.append(Payload::Command(Command::NOOP), out);
    }
}

//! Phase 0, the election of a prospective leader: votes for the most recent history, as in ZooKeeper's fast leader election.
//!
//! No safety rests on it: an epoch begins only when a quorum has accepted it in phase 1.

use super::message::{Msg, Vote};
use super::rules::*;
use super::{Role, Server, Timer, Waiting};
use crate::core::{NodeId, NodeSet, Out};
use crate::facts;

/// The volatile state of a server that looks for a leader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Election {
    /// Whom it votes for.
    pub vote: Vote,
    /// Who votes the same in this round, itself included.
    pub agree: NodeSet,
    /// Who has followed it already, for the case that it is elected.
    pub waiting: Vec<Waiting>,
}

impl Server {
    fn own_vote(&self) -> Vote {
        Vote { epoch: self.disk.current, last: self.last_zxid(), id: self.me }
    }

    /// Begins an election round of its own.
    pub(super) fn look(&mut self, out: &mut Out<Server>) {
        self.role = Role::Looking(Election::default());
        out.cancel(Timer::Heartbeat);
        self.round += 1;
        let own = self.own_vote();
        out.because(LOOKS, facts![self.round, own.last.epoch, own.last.counter]);
        self.vote(own, out);
    }

    /// Votes, and tells all others.
    fn vote(&mut self, vote: Vote, out: &mut Out<Server>) {
        let (me, round) = (self.me, self.round);
        let Role::Looking(election) = &mut self.role else { return };
        (election.vote, election.agree) = (vote, NodeSet::just(me));
        out.cancel(Timer::Finalize);
        self.wait_for_timeout(out);
        out.broadcast(self.peers(), Msg::Notification { round, vote, leads: false });
        self.see_whether_elected(out);
    }

    pub(super) fn on_notification(&mut self, from: NodeId, round: u32, vote: Vote, leads: bool, out: &mut Out<Server>) {
        let (mine, own) = (self.round, self.own_vote());
        let election = match &mut self.role {
            Role::Looking(election) => election,
            Role::Leading(_) if !leads => {
                out.because(TELLS_IT_LEADS, facts![from]);
                return out.send(from, Msg::Notification { round: mine, vote: own, leads: true });
            }
            _ => return,
        };
        if leads {
            self.follow(from, out);
        } else if round > mine {
            out.because(JOINS_ROUND, facts![round, from]);
            self.round = round;
            self.vote(vote.max(own), out);
            self.count(from, vote, out);
        } else if round < mine || vote < election.vote {
            let vote = election.vote;
            out.because(KEEPS_VOTE, facts![vote.id, from]);
            out.send(from, Msg::Notification { round: mine, vote, leads: false });
        } else {
            if vote > election.vote {
                out.because(VOTES, facts![vote.id, vote.last.epoch, vote.last.counter]);
                self.vote(vote, out);
            }
            self.count(from, vote, out);
        }
    }

    /// Counts a vote that is the same as its own.
    fn count(&mut self, from: NodeId, vote: Vote, out: &mut Out<Server>) {
        let Role::Looking(election) = &mut self.role else { return };
        if vote == election.vote && !election.agree.has(from) {
            election.agree.add(from);
            self.see_whether_elected(out);
        }
    }

    fn see_whether_elected(&mut self, out: &mut Out<Server>) {
        let (quorum, all) = (self.config.quorum(), self.config.replicas);
        let Role::Looking(election) = &self.role else { return };
        let agree = election.agree;
        if agree.len() == all {
            self.end_election(out);
        } else if agree.len() == quorum {
            out.because(WAITS_FOR_BETTER, facts![agree, election.vote.id]);
            let wait = self.config.finalize_wait;
            out.set_timer(Timer::Finalize, wait, wait);
        }
    }

    /// A quorum votes the same, and no better vote has come.
    pub(super) fn end_election(&mut self, out: &mut Out<Server>) {
        let Role::Looking(election) = &mut self.role else { return };
        let (leader, waiting) = (election.vote.id, std::mem::take(&mut election.waiting));
        out.because(ELECTS, facts![leader, election.agree]);
        if leader == self.me {
            self.lead(waiting, out);
        } else {
            self.follow(leader, out);
        }
    }

    /// Nobody is elected yet: Notifications may be lost.
    pub(super) fn vote_again(&mut self, out: &mut Out<Server>) {
        let Role::Looking(election) = &self.role else { return };
        let (round, vote) = (self.round, election.vote);
        out.because(VOTES_AGAIN, facts![vote.id, round]);
        out.broadcast(self.peers(), Msg::Notification { round, vote, leads: false });
        self.wait_for_timeout(out);
    }
}

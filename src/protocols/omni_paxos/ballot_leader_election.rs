//! Ballot Leader Election (§5, figure 4): which server is quorum-connected and has the highest ballot.
//!
//! It knows nothing of logs, and nobody is told of another server's ballot by a third one: so servers that do not hear each other do not
//! preempt each other through one that hears both.

use super::message::{Ballot, Msg};
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{NodeId, NodeSet, Out};
use crate::facts;

/// The volatile state of the election.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Election {
    /// r: the number of the heartbeat round.
    pub round: u32,
    /// b: its own ballot.
    pub ballot: Ballot,
    /// qc: whether it heard from a majority in the last round.
    pub qc: bool,
    /// Whether the leader has answered in the last round, or has had its promise since.
    pub hears_leader: bool,
    /// Who has answered in this round, and the highest ballot of the candidates among them: what is needed of `ballots` in the paper.
    heard: NodeSet,
    top: Ballot,
}

impl Election {
    pub fn new(ballot: Ballot) -> Election {
        Election { ballot, qc: true, ..Election::default() }
    }
}

impl Server {
    /// The highest ballot that it has elected or, without having heard of it in a heartbeat, promised.
    pub(super) fn leader(&self) -> Ballot {
        self.disk.leader.max(self.disk.promised)
    }

    /// Who leads, as far as it knows: its last choice, if that one is still there.
    pub(super) fn known_leader(&self) -> Option<NodeId> {
        match self.role {
            Role::Leader(ref leadership) => leadership.accepts.then_some(self.me),
            Role::Follower => self.election.hears_leader.then(|| self.leader().pid).filter(|leader| *leader != self.me),
        }
    }

    pub(super) fn begin_heartbeat_round(&mut self, out: &mut Out<Server>) {
        let election = &mut self.election;
        election.round += 1;
        (election.heard, election.top) = (NodeSet::EMPTY, Ballot::default());
        let round = election.round;
        out.broadcast(self.peers(), Msg::HBRequest { round });
        let length = self.patience.stretch(self.config.heartbeat);
        out.set_timer(Timer::Round, length, length);
        out.set_timer(Timer::HalfRound, length / 2, length / 2);
    }

    /// Half of the round is over: asks those again that have not answered.
    pub(super) fn ask_again(&mut self, out: &mut Out<Server>) {
        let (round, silent) = (self.election.round, self.peers().minus(self.election.heard));
        if !silent.is_empty() {
            out.because(ASKS_AGAIN, facts![silent, round]);
            out.broadcast(silent, Msg::HBRequest { round });
        }
    }

    pub(super) fn on_hb_request(&mut self, from: NodeId, round: u32, out: &mut Out<Server>) {
        let Election { ballot, qc, .. } = self.election;
        out.send(from, Msg::HBReply { round, ballot, qc });
    }

    pub(super) fn on_hb_reply(&mut self, from: NodeId, round: u32, ballot: Ballot, qc: bool, out: &mut Out<Server>) {
        self.synchronize_if_lost(from, round, out);
        if round == self.election.round {
            self.election.heard.add(from);
            if qc || !out.rule(LEAVES_OUT, facts![from, ballot]) {
                out.because(COUNTS_REPLY, facts![from, ballot]);
                self.election.top = self.election.top.max(ballot);
            }
            return;
        }
        out.because(REPLY_IS_LATE, facts![from, round]);
        // Rounds are too short for those whose answers are needed, unless it is of a round before they became longer.
        if !self.election.qc || ballot.pid == self.leader().pid {
            out.because(WAITS_LONGER, facts![from]);
            self.patience.late_of(round, self.election.round);
        }
    }

    /// The end of a heartbeat round: `checkLeader`, if a majority has answered.
    pub(super) fn end_heartbeat_round(&mut self, out: &mut Out<Server>) {
        self.patience.give_up();
        let Election { ballot, qc, heard, top, .. } = self.election;
        self.election.qc = heard.len() + 1 >= self.config.quorum();
        if self.election.qc {
            out.because(IS_CONNECTED, facts![heard]);
            let candidate = qc || !out.rule(LEAVES_OUT, facts![self.me, ballot]);
            self.check_leader(heard, if candidate { top.max(ballot) } else { top }, out);
        } else {
            out.because(IS_NOT_CONNECTED, facts![heard]);
        }
        let leader = self.leader();
        self.election.hears_leader = heard.has(leader.pid) && self.election.ballot <= leader;
        self.tell_decided(out);
        self.begin_heartbeat_round(out);
    }

    /// Elects the candidate of the highest ballot, `top`, or becomes one.
    fn check_leader(&mut self, heard: NodeSet, top: Ballot, out: &mut Out<Server>) {
        let before = self.leader();
        if top < before {
            self.election.ballot.n = before.n + 1;
            out.because(RAISES, facts![self.election.ballot, before, heard]);
        } else if top > self.disk.leader {
            out.because(ELECTS, facts![top.pid, top, before]);
            self.disk.leader = top;
            self.save(out);
            if top.pid != self.me {
                self.step_down(out);
            } else if top > self.disk.promised {
                self.prepare(top, out);
            }
        } else {
            out.because(KEEPS_LEADER, facts![top.pid, top]);
        }
    }
}

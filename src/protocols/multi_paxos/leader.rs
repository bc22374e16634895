//! The stable leader: phase 2 for one slot after the other, heartbeats, retransmission, CheckQuorum, and leadership transfer (Simple §3;
//! Moderately Complex, Commander).

use super::message::{Msg, Proposal};
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{Answer, Ballot, ClientId, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;
use std::collections::VecDeque;
use std::sync::Arc;

/// A leader's volatile state; new with every ballot it leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// Whom phase 2 goes to: all others or, if thrifty, those that make a quorum together with the leader.
    to: NodeSet,
    /// Number of the last heartbeat.
    round: u32,
    /// The first servers to answer a heartbeat of this round or a later one become the next thrifty quorum.
    timed: u32,
    /// Those that have answered one so far.
    nearest: NodeSet,
    /// Who has answered a heartbeat since the last check of the quorum (etcd: RecentActive).
    recently_active: NodeSet,
    /// For each server the first slot whose chosen command it lacks; 0 if it lacks none.
    first_missing: Vec<Slot>,
    /// The oldest open slot when the retransmission timer was set; 0 if it is not set, because no slot is open.
    oldest: Slot,
    /// Retransmissions in a row without progress, at most [`DOUBLINGS`].
    resends: u8,
    /// The commit index when it began to lead.
    pub began: Slot,
    /// The target of a leadership transfer under way.
    handing_over: Option<NodeId>,
}

/// How often timeouts double at most.
pub(super) const DOUBLINGS: u8 = 4;

impl Leadership {
    /// A new leader sends to everybody.
    pub fn new(peers: NodeSet, servers: u8, committed: Slot) -> Leadership {
        Leadership {
            to: peers,
            round: 0,
            timed: 1,
            nearest: NodeSet::EMPTY,
            recently_active: NodeSet::EMPTY,
            first_missing: vec![0; usize::from(servers)],
            oldest: 0,
            resends: 0,
            began: committed,
            handing_over: None,
        }
    }
}

/// Clients' commands at a leader, or at a proposer that will propose them if it leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Clients {
    /// For each client the number of its latest command.
    latest: Vec<u32>,
    /// Commands waiting to be proposed.
    pub pending: VecDeque<Command>,
}

impl Clients {
    /// Records a command; tells whether it is new.
    pub fn is_new(&mut self, command: Command) -> bool {
        if command.client == ClientId::NOBODY {
            return true;
        }
        let client = usize::from(command.client.0);
        if self.latest.len() <= client {
            self.latest.resize(client + 1, 0);
        }
        let new = self.latest[client] < command.seq;
        self.latest[client] = self.latest[client].max(command.seq);
        new
    }

    /// Forgets all of them: this server no longer leads.
    pub fn forget(&mut self) {
        self.latest.clear();
        self.pending.clear();
    }
}

impl Server {
    /// A client's command.
    pub(super) fn on_command(&mut self, command: Command, out: &mut Out<Server>) {
        if let Role::Acceptor { leader, .. } = self.role {
            return out.reply(command.client, command.seq, Answer::Redirect(leader));
        }
        if let Some(outcome) = self.machine.recall(command) {
            out.because(ANSWERS_AGAIN, facts![command]);
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        if !self.clients.is_new(command) {
            return out.because(WAITS_FOR_FIRST, facts![command]);
        }
        self.clients.pending.push_back(command);
        self.propose_pending(out);
    }

    /// Proposes pending commands until α slots are open (the setting `pipeline`).
    pub(super) fn propose_pending(&mut self, out: &mut Out<Server>) {
        let Role::Leader(Leadership { handing_over: None, .. }) = self.role else { return };
        while let Some(&command) = self.clients.pending.front() {
            let limit = self.config.pipeline;
            if self.open.len() >= limit as usize {
                return out.because(HOLDS_BACK, facts![command, limit]);
            }
            self.clients.pending.pop_front();
            self.open.push_back(super::learner::Open::default());
            let slot = self.committed + self.open.len() as Slot;
            out.because(PROPOSES, facts![command, slot, limit]);
            self.propose(slot, command, out);
            self.save_and_accept(&[slot], out);
        }
    }

    /// Phase 2a. The leader's own acceptor accepts at once; its vote counts when it is on the disk ([`Server::save_and_accept`]).
    pub(super) fn propose(&mut self, slot: Slot, command: Command, out: &mut Out<Server>) {
        let Role::Leader(Leadership { to, .. }) = self.role else { return };
        let ballot = self.disk.promised;
        if self.config.thrifty {
            out.because(SENDS_TO_QUORUM, facts![to, slot]);
        }
        out.broadcast(to, Msg::Accept { ballot, slot, command, committed: self.piggybacked_commit() });
        self.accept(slot, Proposal { ballot, command });
        self.start_resend_timer(out);
    }

    /// Sets the retransmission timer for the oldest open slot, unless it is set.
    fn start_resend_timer(&mut self, out: &mut Out<Server>) {
        let oldest = self.committed + 1;
        if let Role::Leader(leadership) = &mut self.role
            && leadership.oldest == 0
        {
            leadership.oldest = oldest;
            let pause = self.config.resend << leadership.resends;
            out.set_timer(Timer::Resend, pause, pause);
        }
    }

    /// Saves what the leader's own acceptor just accepted, and sends itself its Accepted, which waits for the write.
    pub(super) fn save_and_accept(&mut self, slots: &[Slot], out: &mut Out<Server>) {
        let Some(&first) = slots.first() else { return };
        self.save_entries(first, out);
        for &slot in slots {
            out.send(self.me, Msg::Accepted { ballot: self.disk.promised, slot });
        }
    }

    /// The commit index that an Accept carries; 0 with explicit commits.
    fn piggybacked_commit(&self) -> Slot {
        if self.config.explicit_commit { 0 } else { self.committed }
    }

    /// Phase 2b arrives.
    #[inline(always)]
    pub(super) fn on_accepted(&mut self, from: NodeId, ballot: Ballot, slot: Slot, out: &mut Out<Server>) {
        if ballot != self.disk.promised || !matches!(self.role, Role::Leader(_)) {
            return;
        }
        let Some(open) = self.place(slot).and_then(|place| self.open.get_mut(place)) else { return };
        if open.chosen || !open.votes.add(from) || !self.config.quorums.phase2.is_quorum(open.votes) {
            return;
        }
        out.because(CHOOSES, facts![slot, ballot, open.votes]);
        let Some(&Proposal { command, .. }) = self.proposal(slot) else { return };
        if self.config.explicit_commit {
            out.broadcast(self.peers(), Msg::Commit { ballot, slot, command });
        }
        self.choose(slot, command, out);
        self.propose_pending(out);
        self.try_hand_over(out);
    }

    /// Sends a heartbeat to all others, with the missing commands or a snapshot for those that lack some.
    pub(super) fn send_heartbeats(&mut self, out: &mut Out<Server>) {
        let peers = self.peers();
        let Role::Leader(leadership) = &mut self.role else { return };
        out.because(SENDS_HEARTBEATS, facts![self.disk.promised]);
        leadership.round += 1;
        let (round, first_missing) = (leadership.round, std::mem::take(&mut leadership.first_missing));
        let (ballot, committed) = (self.disk.promised, self.committed);
        let mut informed = peers;
        for peer in peers.iter() {
            if let Some(catch_up) = self.catch_up(first_missing[usize::from(peer.0)], round) {
                out.because(SENDS_MISSING, facts![peer, first_missing[usize::from(peer.0)]]);
                out.send(peer, catch_up);
                informed.remove(peer);
            }
        }
        out.broadcast(informed, Msg::Heartbeat { ballot, round, committed });
        if let Role::Leader(leadership) = &mut self.role {
            leadership.first_missing = first_missing;
            leadership.first_missing.fill(0);
        }
        self.try_hand_over(out);
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// The heartbeat for a server that lacks the chosen commands from `first` on; `None` if it lacks none.
    fn catch_up(&self, first: Slot, round: u32) -> Option<Msg> {
        let ballot = self.disk.promised;
        let log = &self.disk.accepted;
        if first == 0 || first > self.committed {
            return None;
        }
        if first < log.first() {
            return Some(Msg::Snapshot { ballot, round, snapshot: Arc::clone(&self.disk.snapshot) });
        }
        let known = (self.committed + 1 - first) as usize;
        let chosen: Vec<Proposal> = log.iter_from(first).take(known).map_while(|(_, proposal)| *proposal).collect();
        Some(Msg::CatchUp { ballot, round, first, chosen: Arc::new(chosen) })
    }

    /// A heartbeat was answered.
    #[inline(never)]
    pub(super) fn on_heartbeat_reply(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        round: u32,
        first_missing: Slot,
        out: &mut Out<Server>,
    ) {
        let Role::Leader(leadership) = &mut self.role else { return };
        if ballot != self.disk.promised {
            return;
        }
        leadership.recently_active.add(from);
        leadership.first_missing[usize::from(from.0)] = first_missing;
        if self.config.thrifty && round >= leadership.timed && leadership.nearest.add(from) {
            let nearest = leadership.nearest;
            if self.config.quorums.phase2.is_minimal(nearest.with(self.me)) {
                leadership.timed = leadership.round + 1;
                leadership.nearest = NodeSet::EMPTY;
                self.use_thrifty_quorum(nearest);
            }
        }
        // The target of a transfer gets what it lacks at once, not with the next heartbeat.
        if matches!(&self.role, Role::Leader(leadership) if leadership.handing_over == Some(from))
            && let Some(catch_up) = self.catch_up(first_missing, round)
        {
            out.because(SENDS_MISSING, facts![from, first_missing]);
            out.send(from, catch_up);
            self.try_hand_over(out);
        }
    }

    /// Sends phase 2 to `others` only from now on, if thrifty and if they and the leader are a smallest quorum.
    pub(super) fn use_thrifty_quorum(&mut self, others: NodeSet) {
        if let Role::Leader(leadership) = &mut self.role
            && self.config.thrifty
            && self.config.quorums.phase2.is_minimal(others.with(self.me))
        {
            leadership.to = others;
        }
    }

    /// The retransmission timeout: if the oldest open slot is still the same, sends all open proposals again.
    pub(super) fn resend(&mut self, out: &mut Out<Server>) {
        let (peers, oldest) = (self.peers(), self.committed + 1);
        let Role::Leader(leadership) = &mut self.role else { return };
        let stuck = std::mem::take(&mut leadership.oldest) == oldest;
        leadership.resends = if stuck { (leadership.resends + 1).min(DOUBLINGS) } else { 0 };
        if !stuck {
            self.preempted = self.preempted.saturating_sub(1);
        }
        if self.open.is_empty() {
            return;
        }
        if stuck {
            out.because(RESENDS, facts![oldest]);
            // A member of the thrifty quorum may be down: send to all until a heartbeat shows who answers.
            leadership.to = peers;
            leadership.timed = leadership.round + 1;
            leadership.nearest = NodeSet::EMPTY;
            let (ballot, committed) = (self.disk.promised, self.piggybacked_commit());
            for (slot, open) in (oldest..).zip(&self.open) {
                if let Some(&Proposal { command, .. }) = self.proposal(slot).filter(|_| !open.chosen) {
                    let silent = peers.minus(open.votes);
                    out.broadcast(silent, Msg::Accept { ballot, slot, command, committed });
                }
            }
        }
        self.start_resend_timer(out);
    }

    /// Resigns if no quorum has answered a heartbeat since the last check.
    pub(super) fn check_quorum(&mut self, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let active = std::mem::take(&mut leadership.recently_active);
        if !self.config.quorums.phase2.is_quorum(active.with(self.me)) {
            out.because(RESIGNS, facts![active.with(self.me)]);
            return self.follow(self.disk.promised, None, out);
        }
        self.schedule_quorum_check(out);
    }

    /// Sets the time of the next check, by which a quorum should have answered.
    pub(super) fn schedule_quorum_check(&self, out: &mut Out<Server>) {
        let quorum_timeout = self.config.quorum_timeout << self.preempted;
        out.set_timer(Timer::Election, quorum_timeout, quorum_timeout);
    }

    /// An operator's order to hand leadership over.
    pub(super) fn hand_over(&mut self, to: NodeId, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        out.because(HANDS_OVER, facts![to]);
        leadership.handing_over = Some(to);
        out.set_timer(Timer::HandOver, self.config.quorum_timeout, self.config.quorum_timeout);
        self.try_hand_over(out);
    }

    /// Once no slot is open, asks the target of the transfer to prepare.
    fn try_hand_over(&mut self, out: &mut Out<Server>) {
        if let Role::Leader(Leadership { handing_over: Some(to), .. }) = self.role
            && self.open.is_empty()
        {
            out.send(to, Msg::HandOver { ballot: self.disk.promised, committed: self.committed });
        }
    }

    /// The target did not take over in time: takes commands again.
    pub(super) fn abort_hand_over(&mut self, out: &mut Out<Server>) {
        if let Role::Leader(leadership) = &mut self.role {
            leadership.handing_over = None;
            self.propose_pending(out);
        }
    }

    /// Prepares at once, as the leader asks, unless this server lacks chosen commands.
    #[inline(never)]
    pub(super) fn on_hand_over(&mut self, from: NodeId, ballot: Ballot, committed: Slot, out: &mut Out<Server>) {
        if !self.check_ballot(from, ballot, out) {
            return;
        }
        self.learn_committed(ballot, committed, out);
        if self.committed < committed {
            return out.send(from, Msg::HeartbeatReply { ballot, round: 0, first_missing: self.committed + 1 });
        }
        out.because(PREPARES_AT_ONCE, facts![from]);
        self.prepare(out);
    }
}

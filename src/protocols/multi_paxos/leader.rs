//! The stable leader: phase 2 for one slot after the other, heartbeats, sending again, and handing over.

use super::message::{Msg, Proposal};
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{Answer, Ballot, ClientId, Command, NodeId, NodeSet, Out, Slot};
use std::collections::VecDeque;
use std::sync::Arc;

/// What only a leader keeps in mind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// Whom phase 2 goes to: everybody, or one quorum.
    to: NodeSet,
    /// Number of the last heartbeat.
    beat: u32,
    /// From this heartbeat on, answers are timed for the next thrifty quorum.
    timed: u32,
    /// Those that have answered it, nearest first until there are enough.
    nearest: NodeSet,
    /// Who has answered a heartbeat since the last look.
    recorded: NodeSet,
    /// For each server the first slot it lacks; 0 if none.
    missing_from: Vec<Slot>,
    /// The oldest open slot when last looked at; 0 if nobody is looking, because none is open.
    oldest: Slot,
    /// How often in a row everything open was sent again without progress.
    in_vain: u8,
    /// The commit index at the beginning.
    pub began: Slot,
    /// To whom leadership is being handed.
    handing_over: Option<NodeId>,
}

/// Time-outs double this often at most.
pub(super) const DOUBLINGS: u8 = 4;

impl Leadership {
    /// A new leader sends to everybody.
    pub fn new(peers: NodeSet, servers: u8, committed: Slot) -> Leadership {
        Leadership {
            to: peers,
            beat: 0,
            timed: 1,
            nearest: NodeSet::EMPTY,
            recorded: NodeSet::EMPTY,
            missing_from: vec![0; usize::from(servers)],
            oldest: 0,
            in_vain: 0,
            began: committed,
            handing_over: None,
        }
    }
}

/// Clients' commands at a leader, or at a proposer that hopes to lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Clients {
    /// For each client the last command taken on.
    asked: Vec<u32>,
    /// Commands waiting to be proposed.
    pub held: VecDeque<Command>,
}

impl Clients {
    /// Takes note of a command. Tells whether it is new.
    pub fn asks(&mut self, command: Command) -> bool {
        if command.client == ClientId::NOBODY {
            return true;
        }
        let client = usize::from(command.client.0);
        if self.asked.len() <= client {
            self.asked.resize(client + 1, 0);
        }
        let new = self.asked[client] < command.seq;
        self.asked[client] = self.asked[client].max(command.seq);
        new
    }

    /// No longer the one to ask.
    pub fn forget(&mut self) {
        self.asked.clear();
        self.held.clear();
    }
}

impl Server {
    /// A client's command.
    pub(super) fn on_command(&mut self, command: Command, out: &mut Out<Server>) {
        if let Role::Acceptor { leader, .. } = self.role {
            return out.reply(command.client, command.seq, Answer::Redirect(leader));
        }
        if let Some(outcome) = self.machine.recall(command) {
            out.because(AT_MOST_ONCE);
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        if !self.clients.asks(command) {
            return out.because(AT_MOST_ONCE);
        }
        self.clients.held.push_back(command);
        self.admit(out);
    }

    /// Proposes commands that wait, as far as the pipeline allows.
    pub(super) fn admit(&mut self, out: &mut Out<Server>) {
        let Role::Leader(Leadership { handing_over: None, .. }) = self.role else { return };
        while let Some(&command) = self.clients.held.front() {
            out.because(PIPELINE);
            if self.open.len() >= self.config.pipeline as usize {
                return;
            }
            self.clients.held.pop_front();
            self.open.push_back(super::learner::Open::default());
            let slot = self.committed + self.open.len() as Slot;
            self.propose(slot, command, out);
            self.accept_own(&[slot], out);
        }
    }

    /// Phase 2a. The leader's own acceptor accepts at once; its vote counts when it is on the disk ([`Server::accept_own`]).
    pub(super) fn propose(&mut self, slot: Slot, command: Command, out: &mut Out<Server>) {
        let Role::Leader(Leadership { to, .. }) = self.role else { return };
        let ballot = self.disk.promised;
        if self.config.thrifty {
            out.because(THRIFTY);
        }
        out.broadcast(to, Msg::Accept { ballot, slot, command, committed: self.marker() });
        self.accept(slot, Proposal { ballot, command });
        self.watch_progress(out);
    }

    /// Looks again after a while whether the oldest open slot is still the same.
    fn watch_progress(&mut self, out: &mut Out<Server>) {
        let oldest = self.committed + 1;
        if let Role::Leader(leadership) = &mut self.role
            && leadership.oldest == 0
        {
            leadership.oldest = oldest;
            let pause = self.config.resend << leadership.in_vain;
            out.set_timer(Timer::Resend, pause, pause);
        }
    }

    /// Saves what was just accepted here, and then says so to itself.
    pub(super) fn accept_own(&mut self, slots: &[Slot], out: &mut Out<Server>) {
        let Some(&first) = slots.first() else { return };
        self.save_entries(first, out);
        for &slot in slots {
            out.send(self.me, Msg::Accepted { ballot: self.disk.promised, slot });
        }
    }

    /// What a proposal says about earlier slots.
    fn marker(&self) -> Slot {
        if self.config.explicit_commit { 0 } else { self.committed }
    }

    /// Phase 2b arrives.
    #[inline(always)]
    pub(super) fn on_accepted(&mut self, from: NodeId, ballot: Ballot, slot: Slot, out: &mut Out<Server>) {
        if ballot != self.disk.promised || !matches!(self.role, Role::Leader(_)) {
            return;
        }
        let Some(open) = self.place(slot).and_then(|place| self.open.get_mut(place)) else { return };
        if open.chosen || !open.votes.add(from) || open.votes.len() < self.config.accept_quorum {
            return;
        }
        out.because(ACCEPT_QUORUM);
        let Some(&Proposal { command, .. }) = self.proposal(slot) else { return };
        if self.config.explicit_commit {
            out.broadcast(self.peers(), Msg::Commit { ballot, slot, command });
        }
        self.choose(slot, command, out);
        self.admit(out);
        self.offer(out);
    }

    /// Tells everybody that the leader lives, and how far the log is chosen; tells those that lack something what it is.
    pub(super) fn beat(&mut self, out: &mut Out<Server>) {
        let peers = self.peers();
        let Role::Leader(leadership) = &mut self.role else { return };
        out.because(STABLE_LEADER);
        leadership.beat += 1;
        let (beat, missing_from) = (leadership.beat, std::mem::take(&mut leadership.missing_from));
        let (ballot, committed) = (self.disk.promised, self.committed);
        let mut informed = peers;
        for peer in peers.iter() {
            if let Some(catch_up) = self.catch_up(missing_from[usize::from(peer.0)], beat) {
                out.because(CATCH_UP);
                out.send(peer, catch_up);
                informed.remove(peer);
            }
        }
        out.broadcast(informed, Msg::Heartbeat { ballot, beat, committed });
        if let Role::Leader(leadership) = &mut self.role {
            leadership.missing_from = missing_from;
            leadership.missing_from.fill(0);
        }
        self.offer(out);
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// What brings somebody forward who lacks the slots from `first` on.
    fn catch_up(&self, first: Slot, beat: u32) -> Option<Msg> {
        let ballot = self.disk.promised;
        let log = &self.disk.accepted;
        if first == 0 || first > self.committed {
            return None;
        }
        if first < log.first() {
            return Some(Msg::Snapshot { ballot, beat, snapshot: Arc::clone(&self.disk.snapshot) });
        }
        let known = (self.committed + 1 - first) as usize;
        let chosen: Vec<Proposal> = log.iter_from(first).take(known).map_while(|(_, proposal)| *proposal).collect();
        Some(Msg::Learn { ballot, beat, first, chosen: Arc::new(chosen) })
    }

    /// Somebody has heard a heartbeat.
    pub(super) fn on_heartbeat_reply(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        beat: u32,
        missing_from: Slot,
        out: &mut Out<Server>,
    ) {
        let Role::Leader(leadership) = &mut self.role else { return };
        if ballot != self.disk.promised {
            return;
        }
        leadership.recorded.add(from);
        leadership.missing_from[usize::from(from.0)] = missing_from;
        if self.config.thrifty && beat >= leadership.timed && leadership.nearest.add(from) {
            let nearest = leadership.nearest;
            if nearest.len() + 1 == self.config.accept_quorum {
                leadership.timed = leadership.beat + 1;
                leadership.nearest = NodeSet::EMPTY;
                self.send_thriftily_to(nearest);
            }
        }
        // The one that is to take over does not wait for the next heartbeat.
        if matches!(&self.role, Role::Leader(leadership) if leadership.handing_over == Some(from))
            && let Some(catch_up) = self.catch_up(missing_from, beat)
        {
            out.because(CATCH_UP);
            out.send(from, catch_up);
            self.offer(out);
        }
    }

    /// From now on sends phase 2 to these only, if thrifty and if they make a quorum.
    pub(super) fn send_thriftily_to(&mut self, quorum: NodeSet) {
        if let Role::Leader(leadership) = &mut self.role
            && self.config.thrifty
            && quorum.len() + 1 == self.config.accept_quorum
        {
            leadership.to = quorum;
        }
    }

    /// Looks whether the oldest open slot is still the same, and if so sends all open proposals again.
    pub(super) fn resend(&mut self, out: &mut Out<Server>) {
        let (peers, oldest) = (self.peers(), self.committed + 1);
        let Role::Leader(leadership) = &mut self.role else { return };
        let stuck = std::mem::take(&mut leadership.oldest) == oldest;
        leadership.in_vain = if stuck { (leadership.in_vain + 1).min(DOUBLINGS) } else { 0 };
        if !stuck {
            self.preempted = self.preempted.saturating_sub(1);
        }
        if self.open.is_empty() {
            return;
        }
        if stuck {
            out.because(RESEND);
            // A thrifty quorum with a dead member: fall back to everybody until the living have been found.
            leadership.to = peers;
            leadership.timed = leadership.beat + 1;
            leadership.nearest = NodeSet::EMPTY;
            let (ballot, committed) = (self.disk.promised, self.marker());
            for (slot, open) in (oldest..).zip(&self.open) {
                if let Some(&Proposal { command, .. }) = self.proposal(slot).filter(|_| !open.chosen) {
                    let silent = peers.minus(open.votes);
                    out.broadcast(silent, Msg::Accept { ballot, slot, command, committed });
                }
            }
        }
        self.watch_progress(out);
    }

    /// Resigns if no quorum has answered a heartbeat since the last look.
    pub(super) fn look_for_quorum(&mut self, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let recorded = std::mem::take(&mut leadership.recorded);
        if recorded.len() + 1 < self.config.accept_quorum {
            out.because(LEADER_HEARS_QUORUM);
            return self.follow(self.disk.promised, None, out);
        }
        self.look_later(out);
    }

    /// Looks for a quorum after a while in which one should have answered.
    pub(super) fn look_later(&self, out: &mut Out<Server>) {
        let patience = self.config.patience << self.preempted;
        out.set_timer(Timer::Election, patience, patience);
    }

    /// An operator wants another leader.
    pub(super) fn hand_over(&mut self, to: NodeId, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        out.because(HAND_OVER);
        leadership.handing_over = Some(to);
        out.set_timer(Timer::HandOver, self.config.patience, self.config.patience);
        self.offer(out);
    }

    /// Once nothing is under way, asks the successor to prepare.
    fn offer(&mut self, out: &mut Out<Server>) {
        if let Role::Leader(Leadership { handing_over: Some(to), .. }) = self.role
            && self.open.is_empty()
        {
            out.send(to, Msg::HandOver { ballot: self.disk.promised, committed: self.committed });
        }
    }

    /// The successor did not take over in time: goes on leading.
    pub(super) fn keep_leading(&mut self, out: &mut Out<Server>) {
        if let Role::Leader(leadership) = &mut self.role {
            leadership.handing_over = None;
            self.admit(out);
        }
    }

    /// Asked to take over: does so, unless it lacks something.
    pub(super) fn on_hand_over(&mut self, from: NodeId, ballot: Ballot, committed: Slot, out: &mut Out<Server>) {
        if !self.heeds(from, ballot, out) {
            return;
        }
        self.learn_up_to(ballot, committed, out);
        if self.committed < committed {
            return out.send(from, Msg::HeartbeatReply { ballot, beat: 0, missing_from: self.committed + 1 });
        }
        out.because(HAND_OVER);
        self.prepare(out);
    }
}

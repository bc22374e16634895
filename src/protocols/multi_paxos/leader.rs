//! The stable leader: phase 2 for one slot after the other, heartbeats, retransmission, CheckQuorum, and leadership transfer (Simple §3;
//! Moderately Complex, Commander).

use super::message::{Msg, Proposal};
use super::rules::*;
use super::{Reads, Role, Server, Timer};
use crate::core::{Answer, Ballot, Command, NodeId, NodeSet, Out, Quorums, Slot};
use crate::facts;
use crate::protocols::log_copy;
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
    /// What it knows of each server.
    followers: Vec<Follower>,
    /// The oldest open slot when the open proposals were last sent; 0 if the retransmission timer is not set, because no slot is open.
    oldest: Slot,
    /// The newest one.
    newest: Slot,
    /// The last round of heartbeats then.
    sent_after: u32,
    /// Retransmissions in a row without progress, at most [`DOUBLINGS`].
    resends: u8,
    /// The commit index when it began to lead.
    pub began: Slot,
    /// The last slot of those that it adopted or filled when it began to lead.
    pub adopted: Slot,
    /// The target of a leadership transfer under way.
    handing_over: Option<NodeId>,
}

/// What a leader knows of another server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Follower {
    /// The first slot whose chosen command it lacks, as far as nothing is under way to it; 0 if it lacks none.
    first_missing: Slot,
    /// The highest round of heartbeats that it has answered.
    answered: u32,
    /// The round of the heartbeat that took chosen commands or a snapshot along and is under way; 0 if none is.
    under_way: u32,
    /// The last slot in that.
    until: Slot,
    /// How often the wait for its answer is doubled.
    doublings: u8,
}

impl Follower {
    /// An answer to a heartbeat. What is under way is sent again only if heartbeats sent later were answered before it: those wait in the same
    /// queues and for the same disk, so there is no need to guess how long an answer takes. `patience` is a longest round trip in heartbeats, for
    /// messages that overtake others.
    fn answer(&mut self, round: u32, first_missing: Slot, patience: u32) {
        self.answered = self.answered.max(round);
        if self.under_way > 0 {
            let later = round > self.under_way;
            let arrived = round == self.under_way || later && (first_missing == 0 || first_missing > self.until);
            if arrived {
                self.doublings = self.doublings.saturating_sub(1);
            } else if later && round - self.under_way >= patience << self.doublings {
                self.doublings = (self.doublings + 1).min(DOUBLINGS);
            } else {
                return;
            }
            self.under_way = 0;
        }
        self.first_missing = first_missing;
    }
}

/// How often timeouts double at most.
pub(super) const DOUBLINGS: u8 = 4;

impl Leadership {
    /// Whether a transfer to this server is under way.
    pub fn is_handing_over_to(&self, to: NodeId) -> bool {
        self.handing_over == Some(to)
    }

    /// A new leader sends to everybody.
    pub fn new(peers: NodeSet, servers: u8, committed: Slot) -> Leadership {
        Leadership {
            to: peers,
            round: 0,
            timed: 1,
            nearest: NodeSet::EMPTY,
            recently_active: NodeSet::EMPTY,
            followers: vec![Follower::default(); usize::from(servers)],
            oldest: 0,
            newest: 0,
            sent_after: 0,
            resends: 0,
            began: committed,
            adopted: committed,
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
        log_copy::is_new(&mut self.latest, command)
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
        if !(self.config.reads != Reads::Log && command.op.is_read() && self.read(command, out)) {
            self.log_command(command, out);
        }
    }

    /// A client's command that goes through the log.
    pub(super) fn log_command(&mut self, command: Command, out: &mut Out<Server>) {
        if let Role::Acceptor { leader, .. } = self.role {
            return out.reply(command.client, command.seq, Answer::Redirect(leader));
        }
        if let Some(outcome) = self.machine.recall(command)
            && out.rule(ANSWERS_AGAIN, facts![command])
        {
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        if !self.clients.is_new(command) && out.rule(WAITS_FOR_FIRST, facts![command]) {
            return;
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
        let to = to.or(self.config.holders.without(self.me));
        out.broadcast(to, Msg::Accept { ballot, slot, command, committed: self.piggybacked_commit() });
        self.accept(slot, Proposal { ballot, command });
        self.start_resend_timer(out);
    }

    /// Sets the retransmission timer for the oldest open slot, unless it is set.
    fn start_resend_timer(&mut self, out: &mut Out<Server>) {
        let (oldest, newest) = (self.committed + 1, self.committed + self.open.len() as Slot);
        if let Role::Leader(leadership) = &mut self.role
            && leadership.oldest == 0
        {
            (leadership.oldest, leadership.newest, leadership.sent_after) = (oldest, newest, leadership.round);
            let pause = self.config.resend << leadership.resends;
            out.set_timer(Timer::Resend, pause, pause);
        }
    }

    /// Saves what the leader's own acceptor just accepted, and sends itself its Accepted, which waits for the write.
    pub(super) fn save_and_accept(&mut self, slots: &[Slot], out: &mut Out<Server>) {
        let Some(&first) = slots.first() else { return };
        self.save_entries(first, out);
        let holders = self.promised_holders(out);
        for &slot in slots {
            out.send(self.me, Msg::accepted(self.disk.promised, slot, holders));
        }
    }

    /// The commit index that an Accept carries; 0 with explicit commits.
    fn piggybacked_commit(&self) -> Slot {
        if self.config.explicit_commit { 0 } else { self.committed }
    }

    /// Phase 2b arrives.
    #[inline(always)]
    pub(super) fn on_accepted(
        &mut self,
        from: NodeId,
        (ballot, slot): (Ballot, Slot),
        holders: NodeSet,
        out: &mut Out<Server>,
    ) {
        if ballot != self.disk.promised || !matches!(self.role, Role::Leader(_)) {
            return;
        }
        let Some(open) = self.place(slot).and_then(|place| self.open.get_mut(place)) else { return };
        if open.chosen || !open.votes.add(from) {
            return;
        }
        open.named = open.named.or(holders);
        if !self.config.quorums.phase2.is_quorum(open.votes)
            || !Server::holders_have_accepted(slot, open.named, open.votes, out)
        {
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

    /// Sends a heartbeat to all others, with the missing commands or a snapshot for those that lack some and to which none are under way.
    pub(super) fn send_heartbeats(&mut self, out: &mut Out<Server>) {
        let peers = self.peers();
        let Role::Leader(leadership) = &mut self.role else { return };
        out.because(SENDS_HEARTBEATS, facts![self.disk.promised]);
        leadership.round += 1;
        let (round, mut followers) = (leadership.round, std::mem::take(&mut leadership.followers));
        let (ballot, committed) = (self.disk.promised, self.committed);
        let mut informed = peers;
        for peer in peers.iter() {
            let follower = &mut followers[usize::from(peer.0)];
            let missing = std::mem::take(&mut follower.first_missing);
            if let Some((until, catch_up)) = self.catch_up(missing, round) {
                (follower.under_way, follower.until) = (round, until);
                out.because(SENDS_MISSING, facts![peer, missing]);
                out.send(peer, catch_up);
                informed.remove(peer);
            }
        }
        let answers = |holder: &NodeId| followers[usize::from(holder.0)].answered;
        let silence = 2 * self.config.patience + 2;
        let holders = self.config.holders.without(self.me).iter();
        let silent: NodeSet = holders.filter(|holder| answers(holder).saturating_add(silence) < round).collect();
        self.reads.silent = silent;
        if !silent.is_empty() {
            out.broadcast(peers, Msg::Silent { ballot, holders: silent });
        }
        out.broadcast(informed, Msg::Heartbeat { ballot, round, committed });
        if let Role::Leader(leadership) = &mut self.role {
            leadership.followers = followers;
        }
        self.try_hand_over(out);
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// The heartbeat for a server that lacks the chosen commands from `first` on, and the last slot in it; `None` if it lacks none.
    fn catch_up(&self, first: Slot, round: u32) -> Option<(Slot, Msg)> {
        let ballot = self.disk.promised;
        let log = &self.disk.accepted;
        if first == 0 || first > self.committed {
            return None;
        }
        if first < log.first() {
            let snapshot = Arc::clone(&self.disk.snapshot);
            return Some((snapshot.slot, Msg::Snapshot { ballot, round, snapshot }));
        }
        let known = (self.committed + 1 - first) as usize;
        let chosen: Vec<Proposal> = log.iter_from(first).take(known).map_while(|(_, proposal)| *proposal).collect();
        let until = first + chosen.len() as Slot - 1;
        Some((until, Msg::CatchUp { ballot, round, first, chosen: Arc::new(chosen) }))
    }

    /// The last slot in the snapshots and commands that are under way to others: those will need what follows.
    pub(super) fn needed_after(&self) -> Slot {
        let Role::Leader(leadership) = &self.role else { return Slot::MAX };
        let under_way = leadership.followers.iter().filter(|follower| follower.under_way > 0);
        under_way.map(|follower| follower.until).min().unwrap_or(Slot::MAX)
    }

    /// A heartbeat was answered.
    pub(super) fn on_heartbeat_reply(&mut self, from: NodeId, ballot: Ballot, round: u32, first_missing: Slot) {
        if ballot != self.disk.promised {
            return;
        }
        let Role::Leader(leadership) = &mut self.role else {
            if ballot.node == self.me {
                self.patience.late();
            }
            return;
        };
        leadership.recently_active.add(from);
        leadership.followers[usize::from(from.0)].answer(round, first_missing, self.config.patience);
        if self.config.thrifty && round >= leadership.timed && leadership.nearest.add(from) {
            let nearest = leadership.nearest;
            if self.use_thrifty_quorum(nearest)
                && let Role::Leader(leadership) = &mut self.role
            {
                leadership.timed = leadership.round + 1;
                leadership.nearest = NodeSet::EMPTY;
            }
        }
    }

    /// If thrifty, sends phase 2 from now on only to those of `others` that are a smallest quorum with the leader; tells whether there are any.
    pub(super) fn use_thrifty_quorum(&mut self, others: NodeSet) -> bool {
        let Quorums { replicas, phase2, .. } = self.config.quorums;
        if let Role::Leader(leadership) = &mut self.role
            && self.config.thrifty
            && let Some(quorum) = phase2.smallest_within(self.me, others.with(self.me), replicas)
        {
            leadership.to = quorum.without(self.me);
            return true;
        }
        false
    }

    /// The retransmission timeout: if the oldest open slot is still the same, sends open proposals again, to those that have answered a heartbeat
    /// sent after them: what others have not answered may still be on its way.
    pub(super) fn resend(&mut self, out: &mut Out<Server>) {
        let (peers, oldest) = (self.peers(), self.committed + 1);
        let Role::Leader(leadership) = &mut self.role else { return };
        let stuck = leadership.oldest == oldest;
        if !stuck {
            leadership.resends = 0;
            self.preempted = self.preempted.saturating_sub(1);
        }
        let heard = |peer: &NodeId| {
            let answered = leadership.followers[usize::from(peer.0)].answered;
            answered > leadership.sent_after || !leadership.to.has(*peer)
        };
        let heard: NodeSet = peers.iter().filter(heard).collect();
        if stuck {
            // A member of the thrifty quorum may be down: send to all until a heartbeat shows who answers.
            leadership.to = peers;
            leadership.timed = leadership.round + 1;
            leadership.nearest = NodeSet::EMPTY;
        }
        if stuck && heard.is_empty() {
            // The same question again later; nothing is sent, so there is no reason to become slower.
            let pause = self.config.resend << leadership.resends;
            return out.set_timer(Timer::Resend, pause, pause);
        }
        leadership.oldest = 0;
        if self.open.is_empty() {
            return;
        }
        if stuck {
            out.because(RESENDS, facts![oldest]);
            leadership.resends = (leadership.resends + 1).min(DOUBLINGS);
            let newest = leadership.newest;
            let (ballot, committed) = (self.disk.promised, self.piggybacked_commit());
            self.vote_again_for_holders(oldest, newest, out);
            for (slot, open) in (oldest..=newest).zip(&self.open) {
                if let Some(&Proposal { command, .. }) = self.proposal(slot).filter(|_| !open.chosen) {
                    out.broadcast(heard.minus(open.votes), Msg::Accept { ballot, slot, command, committed });
                }
            }
        }
        self.start_resend_timer(out);
    }

    /// Has all servers vote again in slots that only lack holders of leases: those leases may be over.
    fn vote_again_for_holders(&mut self, oldest: Slot, newest: Slot, out: &mut Out<Server>) {
        let (ballot, holders) = (self.disk.promised, self.promised_holders(out));
        for (slot, open) in (oldest..=newest).zip(&mut self.open) {
            let missing = open.named.minus(open.votes);
            if !open.chosen && !missing.is_empty() && self.config.quorums.phase2.is_quorum(open.votes) {
                out.because(VOTES_AGAIN, facts![slot, missing]);
                (open.votes, open.named) = (NodeSet::EMPTY, NodeSet::EMPTY);
                out.send(self.me, Msg::accepted(ballot, slot, holders));
            }
        }
    }

    /// Resigns if no quorum has answered a heartbeat since the last check.
    pub(super) fn check_quorum(&mut self, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let active = std::mem::take(&mut leadership.recently_active);
        if !self.config.quorums.phase2.is_quorum(active.with(self.me)) {
            out.because(RESIGNS, facts![active.with(self.me)]);
            self.patience.give_up();
            return self.follow(self.disk.promised, None, out);
        }
        self.schedule_quorum_check(out);
    }

    /// Sets the time of the next check, by which a quorum should have answered.
    pub(super) fn schedule_quorum_check(&self, out: &mut Out<Server>) {
        let quorum_timeout = self.patience.stretch(self.config.quorum_timeout) << self.preempted;
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

//! The leader in phases 1 to 3: discovery, synchronization, broadcast (§V-A).

use super::message::{Accepted, Msg, Report, Suffix, Zxid};
use super::rules::*;
use super::{Role, Server, Timer, Waiting};
use crate::core::{Answer, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;
use crate::protocols::log_copy;
use std::sync::Arc;

/// How far a leader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Phase 1, before a quorum has sent CEpoch.
    #[default]
    Discovery,
    /// Phase 1: it has proposed an epoch, and waits for a quorum to accept that.
    NewEpoch,
    /// Phase 2: it has selected a history, and waits for a quorum to accept that.
    Synchronization,
    /// Phase 3: established.
    Broadcast,
}

/// The volatile state of a leader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// How far it is.
    pub phase: Phase,
    /// Who follows it, has accepted the epoch, has accepted the initial history; itself included.
    pub followers: NodeSet,
    /// See `followers`.
    pub accepted: NodeSet,
    /// See `followers`.
    pub synchronized: NodeSet,
    /// currentEpoch and last zxid of the history to select, or selected.
    most_recent: (u32, Zxid),
    /// What of it this server lacks.
    suffix: Arc<Suffix>,
    /// The highest slot known to be committed by those that have accepted the epoch.
    committed: Slot,
    learners: Vec<Learner>,
    /// Clients' commands that wait for phase 3.
    buffer: Vec<Command>,
    /// By client, the number of its latest command in the history that is not executed, or in the buffer.
    latest: Vec<u32>,
    /// The heartbeat round in which it began to lead.
    since: u32,
    /// Who has answered a heartbeat since it looked last.
    heard: NodeSet,
}

/// What a leader knows of another server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Learner {
    session: Session,
    /// The heartbeat round in which the last message of the session was sent.
    since: u32,
    /// What its CEpoch or AckEpoch told.
    report: Report,
    /// Up to where it has accepted the history in this epoch.
    acked: Slot,
}

/// How far a follower is. What is under way counts as lost once a heartbeat that was sent later is answered: that waits in the same queues and
/// for the same disk, so there is no need to guess how long an answer takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Session {
    /// No CEpoch of it has come.
    #[default]
    None,
    /// It waits for a quorum to send CEpoch.
    CEpoch,
    /// NewEpoch is under way.
    NewEpoch,
    /// AckEpoch has come; it waits for a quorum to accept the epoch.
    AckEpoch,
    /// NewLeader with the history up to this slot is under way, and every new transaction behind it.
    NewLeader(Slot),
    /// It has accepted that.
    Active,
}

impl Leadership {
    /// Notes a command; tells whether it is later than the client's last one.
    fn is_new(&mut self, command: Command) -> bool {
        log_copy::is_new(&mut self.latest, command)
    }

    fn learner(&mut self, id: NodeId) -> &mut Learner {
        &mut self.learners[usize::from(id.0)]
    }

    fn those(&self, is: impl Fn(&Learner) -> bool) -> NodeSet {
        (0..).zip(&self.learners).filter(|(_, learner)| is(learner)).map(|(id, _)| NodeId(id)).collect()
    }

    /// Who has accepted `slot` and all before it in this epoch.
    pub fn holders(&self, slot: Slot) -> NodeSet {
        self.those(|learner| learner.acked >= slot)
    }
}

impl Server {
    /// A quorum votes for this server: phase 1.
    pub(super) fn lead(&mut self, waiting: Vec<Waiting>, out: &mut Out<Server>) {
        let (own, me) = (self.report(), NodeSet::just(self.me));
        self.role = Role::Leading(Box::new(Leadership {
            followers: me,
            accepted: me,
            most_recent: (own.epoch, own.last),
            suffix: Arc::default(),
            committed: own.committed,
            learners: vec![Learner::default(); usize::from(self.config.replicas)],
            since: self.pings + 1,
            ..Leadership::default()
        }));
        out.cancel(Timer::Finalize);
        self.wait_for_timeout(out);
        self.propose_epoch(out);
        self.ping(out);
        for (from, accepted, report) in waiting {
            self.on_cepoch(from, accepted, report, out);
        }
    }

    /// Heartbeats, to all others: who looks for a leader may hear it.
    pub(super) fn ping(&mut self, out: &mut Out<Server>) {
        let Role::Leading(leadership) = &self.role else { return };
        self.pings += 1;
        let epoch = if leadership.phase == Phase::Discovery { 0 } else { self.disk.accepted.epoch };
        let committed = if leadership.phase == Phase::Broadcast { self.committed } else { 0 };
        let (round, last) = (self.pings, self.disk.log.last());
        out.broadcast(self.peers(), Msg::Ping { round, epoch, committed, last });
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// A timeout has passed: abandons leadership if no quorum has answered in it.
    pub(super) fn check_quorum(&mut self, out: &mut Out<Server>) {
        let quorum = self.config.quorum();
        let Role::Leading(leadership) = &mut self.role else { return };
        let heard = std::mem::take(&mut leadership.heard);
        if heard.without(self.me).len() + 1 < quorum {
            out.because(ABANDONS, facts![heard]);
            self.patience.give_up();
            self.step_down(out);
        } else {
            out.because(STAYS, facts![heard]);
            self.wait_for_timeout(out);
        }
    }

    pub(super) fn on_cepoch(&mut self, from: NodeId, accepted: Accepted, report: Report, out: &mut Out<Server>) {
        match &mut self.role {
            Role::Looking(election) => {
                election.waiting.retain(|(waits, ..)| *waits != from);
                election.waiting.push((from, accepted, report));
                // Somebody has waited long enough for better votes.
                if election.vote.id == self.me && election.agree.len() >= self.config.quorum() {
                    self.end_election(out);
                }
            }
            Role::Following(_) => {}
            // If NewEpoch or NewLeader is under way to it, that comes, or is found lost.
            Role::Leading(leadership) => {
                if matches!(leadership.learner(from).session, Session::None | Session::Active) {
                    self.connect(from, accepted, report, out);
                }
            }
        }
    }

    /// A server follows: goes on with it from where it is.
    fn connect(&mut self, from: NodeId, accepted: Accepted, report: Report, out: &mut Out<Server>) {
        let (since, own, mine) = (self.pings, self.report(), self.disk.accepted);
        self.latest = self.latest.max(accepted.epoch);
        let Role::Leading(leadership) = &mut self.role else { return };
        leadership.followers.add(from);
        let phase = leadership.phase;
        let learner = leadership.learner(from);
        (learner.report, learner.since) = (report, since);
        if phase == Phase::Discovery {
            learner.session = Session::CEpoch;
            return self.propose_epoch(out);
        }
        if accepted.epoch > mine.epoch || (accepted.epoch == mine.epoch && accepted.leader != self.me) {
            out.because(MAKES_WAY, facts![from, accepted.epoch, mine.epoch]);
            self.step_down(out);
        } else if accepted.epoch == mine.epoch && phase >= Phase::Synchronization {
            self.send_new_leader(from, out);
        } else {
            learner.session = Session::NewEpoch;
            out.because(SENDS_EPOCH, facts![from, mine.epoch]);
            out.send(from, Msg::NewEpoch { epoch: mine.epoch, report: own });
        }
    }

    /// Proposes an epoch once a quorum follows.
    fn propose_epoch(&mut self, out: &mut Out<Server>) {
        let (quorum, since, report) = (self.config.quorum(), self.pings, self.report());
        let Role::Leading(leadership) = &mut self.role else { return };
        let followers = leadership.followers;
        if followers.len() < quorum {
            return out.because(COUNTS_FOLLOWERS, facts![followers]);
        }
        let epoch = self.latest.max(self.disk.accepted.epoch) + 1;
        out.because(PROPOSES_EPOCH, facts![epoch, followers]);
        out.because(SELECTS, facts![self.me, report.epoch, report.last.epoch, report.last.counter]);
        leadership.phase = Phase::NewEpoch;
        for id in followers.without(self.me).iter() {
            let learner = leadership.learner(id);
            (learner.session, learner.since) = (Session::NewEpoch, since);
        }
        self.disk.accepted = Accepted { epoch, leader: self.me };
        self.forget_epoch();
        self.save(out);
        out.broadcast(followers.without(self.me), Msg::NewEpoch { epoch, report });
        if quorum == 1 {
            self.begin_synchronization(out);
        }
    }

    pub(super) fn on_ack_epoch(
        &mut self,
        from: NodeId,
        epoch: u32,
        report: Report,
        suffix: &Arc<Suffix>,
        out: &mut Out<Server>,
    ) {
        let quorum = self.config.quorum();
        let Role::Leading(leadership) = &mut self.role else { return };
        if epoch != self.disk.accepted.epoch || leadership.learner(from).session != Session::NewEpoch {
            return;
        }
        leadership.heard.add(from);
        leadership.accepted.add(from);
        let learner = leadership.learner(from);
        (learner.report, learner.session) = (report, Session::AckEpoch);
        if leadership.phase >= Phase::Synchronization {
            return self.send_new_leader(from, out);
        }
        if (report.epoch, report.last) <= leadership.most_recent {
            out.because(KEEPS_SELECTED, facts![from]);
        } else if out.rule(SELECTS, facts![from, report.epoch, report.last.epoch, report.last.counter]) {
            leadership.most_recent = (report.epoch, report.last);
            leadership.suffix = Arc::clone(suffix);
        }
        leadership.committed = leadership.committed.max(report.committed);
        let accepted = leadership.accepted;
        out.because(COUNTS_ACCEPTED, facts![accepted, epoch]);
        if accepted.len() >= quorum {
            self.begin_synchronization(out);
        }
    }

    /// A quorum has accepted the epoch: phase 2, with the most recent history of theirs.
    fn begin_synchronization(&mut self, out: &mut Out<Server>) {
        let Role::Leading(leadership) = &mut self.role else { return };
        leadership.phase = Phase::Synchronization;
        let (suffix, committed) = (Arc::clone(&leadership.suffix), leadership.committed);
        let accepted = leadership.accepted;
        if suffix.first > 0 {
            self.take_over(&suffix, out);
        }
        let epoch = self.disk.accepted.epoch;
        self.disk.current = epoch;
        self.execute_to(committed, out);
        for to in accepted.without(self.me).iter() {
            self.send_new_leader(to, out);
        }
        self.save(out);
        out.send(self.me, Msg::AckLeader { epoch, slot: self.disk.log.last() });
    }

    /// Sends a follower that has accepted the epoch what makes its history the same as this server's.
    fn send_new_leader(&mut self, to: NodeId, out: &mut Out<Server>) {
        let (epoch, since, last) = (self.disk.accepted.epoch, self.pings, self.disk.log.last());
        let Role::Leading(leadership) = &mut self.role else { return };
        let learner = leadership.learner(to);
        (learner.session, learner.since) = (Session::NewLeader(last), since);
        let report = learner.report;
        // Histories with the same zxid are the same up to there; one of this epoch is a part of this one.
        let ends = self.disk.log.get(report.slot).map(|(zxid, _)| *zxid);
        let same = report.epoch == epoch || ends == Some(report.last) || report.slot <= report.committed;
        let after = match same || !out.rule(TRUNCATES, facts![to, report.committed, report.slot]) {
            true => report.slot.min(last),
            false => report.committed,
        };
        let suffix = self.suffix_after(after);
        match (&suffix.snapshot, suffix.first > last) {
            (Some(snapshot), _) => out.because(SENDS_SNAPSHOT, facts![to, snapshot.slot]),
            (None, true) => out.because(SENDS_SAME, facts![to, last]),
            (None, false) => out.because(SENDS_DIFF, facts![to, suffix.first, last]),
        }
        out.send(to, Msg::NewLeader { epoch, suffix: Arc::new(suffix) });
    }

    pub(super) fn on_ack_leader(&mut self, from: NodeId, epoch: u32, slot: Slot, out: &mut Out<Server>) {
        let (quorum, last) = (self.config.quorum(), self.disk.log.last());
        let Role::Leading(leadership) = &mut self.role else { return };
        if epoch != self.disk.accepted.epoch || leadership.phase < Phase::Synchronization {
            return;
        }
        leadership.heard.add(from);
        let learner = leadership.learner(from);
        learner.acked = learner.acked.max(slot.min(last));
        match learner.session {
            Session::NewLeader(sent) if slot >= sent => learner.session = Session::Active,
            _ if from == self.me => {}
            _ => return,
        }
        leadership.synchronized.add(from);
        let synchronized = leadership.synchronized;
        if leadership.phase == Phase::Broadcast {
            self.advance(out);
            return out.send(from, Msg::CommitLeader { epoch, slot: self.committed });
        }
        if synchronized.len() < quorum && out.rule(COUNTS_SYNCHRONIZED, facts![synchronized, epoch]) {
            return;
        }
        out.because(IS_ESTABLISHED, facts![epoch, synchronized, last]);
        leadership.phase = Phase::Broadcast;
        leadership.latest.clear();
        let buffer = std::mem::take(&mut leadership.buffer);
        self.execute_to(last, out);
        out.broadcast(synchronized.without(self.me), Msg::CommitLeader { epoch, slot: last });
        for command in buffer {
            self.on_command(command, out);
        }
    }

    /// A client's command.
    pub(super) fn on_command(&mut self, command: Command, out: &mut Out<Server>) {
        let Role::Leading(leadership) = &mut self.role else {
            let leader = self.known_leader();
            out.because(REDIRECTS, facts![leader]);
            return out.reply(command.client, command.seq, Answer::Redirect(leader));
        };
        if let Some(outcome) = self.machine.recall(command)
            && out.rule(ANSWERS_AGAIN, facts![command])
        {
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        if !leadership.is_new(command) && out.rule(WAITS_FOR_FIRST, facts![command]) {
            return;
        }
        if leadership.phase < Phase::Broadcast {
            out.because(BUFFERS, facts![command]);
            return leadership.buffer.push(command);
        }
        let to = leadership.those(|learner| matches!(learner.session, Session::NewLeader(_) | Session::Active));
        let (epoch, last) = (self.disk.accepted.epoch, self.last_zxid());
        let counter = if last.epoch == epoch { last.counter + 1 } else { 1 };
        let zxid = Zxid { epoch, counter };
        let slot = self.disk.log.push((zxid, command));
        out.because(PROPOSES, facts![command, epoch, counter, slot]);
        out.broadcast(to, Msg::Propose { slot, zxid, command });
        self.save_entries(slot, out);
        out.send(self.me, Msg::Ack { epoch, slot });
    }

    #[inline(always)]
    pub(super) fn on_ack(&mut self, from: NodeId, epoch: u32, slot: Slot, out: &mut Out<Server>) {
        let last = self.disk.log.last();
        let Role::Leading(leadership) = &mut self.role else { return };
        if epoch != self.disk.accepted.epoch {
            return;
        }
        leadership.heard.add(from);
        let learner = leadership.learner(from);
        learner.acked = learner.acked.max(slot.min(last));
        self.advance(out);
    }

    /// Commits what a quorum has accepted in this epoch.
    fn advance(&mut self, out: &mut Out<Server>) {
        let (quorum, last, epoch) = (self.config.quorum(), self.disk.log.last(), self.disk.accepted.epoch);
        let Role::Leading(leadership) = &mut self.role else { return };
        if leadership.phase < Phase::Broadcast {
            return;
        }
        let mut slot = self.committed;
        while slot < last {
            let holders = leadership.holders(slot + 1);
            if holders.is_empty() || (holders.len() < quorum && out.rule(WAITS_FOR_QUORUM, facts![slot + 1, holders])) {
                break;
            }
            slot += 1;
            out.because(COMMITS, facts![slot, holders]);
        }
        if slot > self.committed {
            let active = leadership.those(|learner| learner.session == Session::Active);
            out.broadcast(active, Msg::Commit { epoch, slot });
            self.execute_to(slot, out);
        }
    }

    /// A heartbeat is answered. If it was sent a whole round after what is under way, that is lost.
    pub(super) fn on_pong(
        &mut self,
        from: NodeId,
        round: u32,
        accepted: Accepted,
        report: Report,
        out: &mut Out<Server>,
    ) {
        let (epoch, now) = (self.disk.accepted.epoch, self.pings);
        let leadership = match &mut self.role {
            Role::Leading(leadership) if round >= leadership.since => leadership,
            // An answer to an earlier leadership, which may have been given up too early.
            _ => return self.patience.late_of(round, now),
        };
        leadership.heard.add(from);
        let learner = leadership.learner(from);
        let in_epoch = learner.session == Session::Active && report.epoch == epoch;
        let lost = !in_epoch && round >= learner.since + 2;
        match learner.session {
            Session::Active if in_epoch && report.slot > learner.acked => {
                out.because(COUNTS_PONG, facts![from, report.slot]);
                self.on_ack(from, epoch, report.slot, out);
            }
            Session::None => self.connect(from, accepted, report, out),
            Session::NewEpoch | Session::NewLeader(_) | Session::Active if lost => {
                out.because(FINDS_LOST, facts![from]);
                self.connect(from, accepted, report, out);
            }
            _ => {}
        }
    }

    /// Does not lead any more, and looks for a leader. Its clients are redirected; whether their commands will be committed is open.
    fn step_down(&mut self, out: &mut Out<Server>) {
        let Role::Leading(leadership) = std::mem::replace(&mut self.role, Role::Following(self.me)) else { return };
        let open = self.disk.log.iter_from(self.committed + 1).map(|(_, (_, command))| command);
        for command in open.chain(&leadership.buffer) {
            out.reply(command.client, command.seq, Answer::Redirect(None));
        }
        self.look(out);
    }
}

//! Sequence Paxos at an elected server: the Prepare phase (§4.1.1) and the Accept phase (§4.1.2).

use super::message::{Ballot, LogState, Msg, Suffix};
use super::rules::*;
use super::{Role, Server};
use crate::core::{Answer, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;
use crate::protocols::log_copy;
use std::sync::Arc;

/// The volatile state of an elected server; new with every round it leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// Who has promised, itself included.
    pub promises: NodeSet,
    /// maxProm: acceptedRnd and logIdx of the log to adopt, or adopted.
    pub max: (Ballot, Slot),
    /// What of it this server lacks.
    suffix: Arc<Suffix>,
    /// The highest decided index of those that promised.
    decided: Slot,
    /// Whether a majority has promised: the Accept phase.
    pub accepts: bool,
    followers: Vec<Follower>,
    /// Clients' commands that wait for the Accept phase.
    buffer: Vec<Command>,
    /// By client, the number of its latest command in the log that is not executed, or in the buffer.
    latest: Vec<u32>,
    /// Whether it has proposed anything in this heartbeat round.
    proposed: bool,
    /// The end of its log at the end of the last heartbeat round.
    told: Slot,
}

/// What a leader knows of another server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Follower {
    session: Session,
    /// The heartbeat round in which the last message of the session was sent.
    since: u32,
    /// What its promise told.
    log: LogState,
    /// Up to where it has accepted the log in this round.
    accepted: Slot,
}

/// How far a follower is synchronized. What is under way counts as lost once a heartbeat that was sent later is answered: that waits in the same
/// queues and for the same disk, so there is no need to guess how long an answer takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Session {
    /// Prepare is under way.
    #[default]
    Prepare,
    /// AcceptSync up to this slot is under way, and every new command behind it.
    Sync(Slot),
    /// It has accepted that.
    Accept,
}

impl Leadership {
    /// Notes a command; tells whether it is later than the client's last one.
    fn is_new(&mut self, command: Command) -> bool {
        log_copy::is_new(&mut self.latest, command)
    }

    fn follower(&mut self, id: NodeId) -> &mut Follower {
        &mut self.followers[usize::from(id.0)]
    }

    /// Who has accepted `slot` and all before it in this round.
    pub fn holders(&self, slot: Slot) -> NodeSet {
        let with = (0..).zip(&self.followers).filter(|(_, follower)| follower.accepted >= slot);
        with.map(|(id, _)| NodeId(id)).collect()
    }
}

impl Server {
    /// This server is elected with ballot `n`: the Prepare phase.
    pub(super) fn prepare(&mut self, n: Ballot, out: &mut Out<Server>) {
        self.step_down(out);
        let log = self.log_state();
        out.because(PREPARES, facts![n, log.last]);
        self.disk.promised = n;
        self.save(out);
        self.recovers = false;
        self.role = Role::Leader(Box::new(Leadership {
            promises: NodeSet::just(self.me),
            max: (log.accepted, log.last),
            suffix: Arc::default(),
            decided: log.decided,
            accepts: false,
            followers: vec![
                Follower { since: self.election.round, ..Follower::default() };
                usize::from(self.config.replicas)
            ],
            buffer: Vec::new(),
            latest: Vec::new(),
            proposed: false,
            told: 0,
        }));
        out.broadcast(self.peers(), Msg::Prepare { n, log });
        if self.config.quorum() == 1 {
            self.begin_accept_phase(out);
        }
    }

    /// Sends Prepare once more: a follower has lost something.
    fn prepare_again(&mut self, to: NodeId, out: &mut Out<Server>) {
        let (n, log, since) = (self.disk.promised, self.log_state(), self.election.round);
        let Role::Leader(leadership) = &mut self.role else { return };
        let follower = leadership.follower(to);
        (follower.session, follower.since) = (Session::Prepare, since);
        out.send(to, Msg::Prepare { n, log });
    }

    /// A heartbeat is answered. If it was sent a whole round after what is under way, that is lost.
    pub(super) fn synchronize_if_lost(&mut self, from: NodeId, round: u32, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let follower = leadership.follower(from);
        if follower.session != Session::Accept && round >= follower.since + 2 {
            out.because(PREPARES_AGAIN, facts![from, self.disk.promised]);
            self.prepare_again(from, out);
        }
    }

    /// A server asks to be prepared anew. If Prepare or AcceptSync is under way to it, that comes, or is found lost.
    pub(super) fn on_prepare_req(&mut self, from: NodeId, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        if leadership.follower(from).session == Session::Accept {
            out.because(ANSWERS_RECOVERY, facts![from, self.disk.promised]);
            self.prepare_again(from, out);
        }
    }

    pub(super) fn on_promise(
        &mut self,
        from: NodeId,
        n: Ballot,
        log: LogState,
        suffix: &Arc<Suffix>,
        out: &mut Out<Server>,
    ) {
        if n != self.disk.promised {
            return;
        }
        let Role::Leader(leadership) = &mut self.role else { return };
        if leadership.follower(from).session != Session::Prepare {
            return;
        }
        leadership.follower(from).log = log;
        leadership.promises.add(from);
        if leadership.accepts {
            return self.send_accept_sync(from, out);
        }
        let (accepted, last) = leadership.max;
        if (log.accepted, log.last) > leadership.max {
            let adopts = match log.last > last {
                true => {
                    out.because(ADOPTS, facts![from, log.accepted, log.last]);
                    true
                }
                false => out.rule(ADOPTS_SHORTER, facts![from, log.accepted, log.last]),
            };
            if adopts {
                leadership.max = (log.accepted.max(accepted), log.last);
                leadership.suffix = Arc::clone(suffix);
            }
        }
        leadership.decided = leadership.decided.max(log.decided);
        let promises = leadership.promises;
        if promises.len() >= self.config.quorum() {
            out.because(LEADS, facts![n, promises]);
            self.begin_accept_phase(out);
        } else {
            out.because(COUNTS_PROMISES, facts![promises, n]);
        }
    }

    /// A majority has promised: adopts the log, and synchronizes all that have promised with it.
    fn begin_accept_phase(&mut self, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.accepts = true;
        let (suffix, decided) = (Arc::clone(&leadership.suffix), leadership.decided);
        let (promises, buffer) = (leadership.promises, std::mem::take(&mut leadership.buffer));
        leadership.latest.clear();
        if suffix.first > 0 {
            self.take_over(&suffix, out);
        }
        self.disk.accepted = self.disk.promised;
        let open: Vec<Command> = self.disk.log.iter_from(decided + 1).map(|(_, command)| *command).collect();
        if let Role::Leader(leadership) = &mut self.role {
            open.into_iter().for_each(|command| {
                leadership.is_new(command);
            });
        }
        self.execute_to(decided, out);
        for to in promises.without(self.me).iter() {
            self.send_accept_sync(to, out);
        }
        self.save(out);
        out.send(self.me, Msg::Accepted { n: self.disk.promised, slot: self.disk.log.last() });
        for command in buffer {
            self.on_command(command, out);
        }
    }

    /// Sends a follower that has promised what makes its log the same as this server's.
    fn send_accept_sync(&mut self, to: NodeId, out: &mut Out<Server>) {
        let (n, since, last) = (self.disk.promised, self.election.round, self.disk.log.last());
        let Role::Leader(leadership) = &mut self.role else { return };
        let (round, adopted) = leadership.max;
        let follower = leadership.follower(to);
        let log = follower.log;
        let mut after = log.last;
        if log.accepted != n {
            let same = if log.accepted == round { log.last.min(adopted) } else { log.decided };
            let drops = same < log.last;
            after =
                if !drops || out.rule(SYNCS_AFTER, facts![to, same, log.accepted]) { same } else { log.last.min(last) };
        }
        (follower.session, follower.since) = (Session::Sync(last), since);
        let suffix = self.suffix_after(after);
        if let Some(snapshot) = &suffix.snapshot {
            out.because(SENDS_SNAPSHOT, facts![to, snapshot.slot]);
        }
        match suffix.first > last {
            true => out.because(SENDS_SAME, facts![to, last]),
            false => out.because(SENDS_SYNC, facts![to, suffix.first, last]),
        }
        out.send(to, Msg::AcceptSync { n, suffix: Arc::new(suffix), decided: self.decided });
    }

    /// A client's command.
    pub(super) fn on_command(&mut self, command: Command, out: &mut Out<Server>) {
        let Role::Leader(leadership) = &mut self.role else {
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
        if !leadership.accepts {
            out.because(BUFFERS, facts![command]);
            return leadership.buffer.push(command);
        }
        leadership.proposed = true;
        let to = leadership.promises.without(self.me);
        let (n, decided, slot) = (self.disk.promised, self.decided, self.disk.log.push(command));
        out.because(PROPOSES, facts![command, slot, n]);
        out.broadcast(to, Msg::AcceptDecide { n, slot, command, decided });
        self.save_entries(slot, out);
        out.send(self.me, Msg::Accepted { n, slot });
    }

    #[inline(always)]
    pub(super) fn on_accepted(&mut self, from: NodeId, n: Ballot, slot: Slot, out: &mut Out<Server>) {
        if n != self.disk.promised {
            return;
        }
        let (quorum, last) = (self.config.quorum(), self.disk.log.last());
        let Role::Leader(leadership) = &mut self.role else { return };
        let follower = leadership.follower(from);
        if matches!(follower.session, Session::Sync(sent) if slot >= sent) {
            follower.session = Session::Accept;
        }
        follower.accepted = follower.accepted.max(slot.min(last));
        let mut decided = self.decided;
        while decided < last {
            let holders = leadership.holders(decided + 1);
            if holders.len() < quorum {
                break;
            }
            decided += 1;
            out.because(DECIDES_SLOT, facts![decided, holders]);
        }
        self.execute_to(decided, out);
    }

    /// The end of a heartbeat round: Decide, to all if nothing was proposed in it, or else to those that have not accepted what there was at
    /// the end of the one before.
    pub(super) fn tell_decided(&mut self, out: &mut Out<Server>) {
        let (n, decided, last) = (self.disk.promised, self.decided, self.disk.log.last());
        let Role::Leader(leadership) = &mut self.role else { return };
        if !leadership.accepts {
            return;
        }
        let (proposed, told) =
            (std::mem::take(&mut leadership.proposed), std::mem::replace(&mut leadership.told, last));
        let others = leadership.promises.without(self.me).iter();
        let to: NodeSet = others.filter(|to| !proposed || leadership.follower(*to).accepted < told).collect();
        if !to.is_empty() {
            out.because(TELLS_DECIDED, facts![decided]);
            out.broadcast(to, Msg::Decide { n, decided, last });
        }
    }

    /// Does not lead any more, if it did. Its clients are redirected; whether their commands will be decided is open.
    pub(super) fn step_down(&mut self, out: &mut Out<Server>) {
        let Role::Leader(leadership) = std::mem::replace(&mut self.role, Role::Follower) else { return };
        let leader = self.leader();
        let whom = Some(leader.pid).filter(|pid| *pid != self.me);
        out.because(STEPS_DOWN, facts![leader, whom]);
        let open = self.disk.log.iter_from(self.decided + 1).map(|(_, command)| command);
        for command in open.chain(&leadership.buffer) {
            out.reply(command.client, command.seq, Answer::Redirect(whom));
        }
    }
}

//! The leader's side of log replication: sending, retrying, counting, committing (paper §5.3, §5.4.2; dissertation §10.2).

use super::Reads;
use super::configuration::Configuration;
use super::membership::Change;
use super::message::{Append, Conflict, Entries, Heartbeat, Message};
use super::reads::{Lease, PendingReads};
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use super::storage::{Entry, Payload};
use super::transfer::Transfer;
use crate::core::{Answer, Command, Names, NodeId, NodeSet, Slot};

/// How entries go to one follower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProgressState {
    /// Where the logs agree is not known: heartbeats ask.
    #[default]
    Probe,
    /// A batch or a snapshot is under way; the next goes when it is acknowledged.
    Snapshot,
    /// Pipelining: every new entry goes at once.
    Replicate,
}

/// What the leader knows of one follower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// matchIndex: its log is known to equal the leader's up to here.
    pub matched: Slot,
    /// nextIndex: the first entry to send next. Optimistic while entries flow, and a guess while probing.
    pub next: Slot,
    pub state: ProgressState,
    /// While entries flow: what must be acknowledged by the next check, or it counts as lost: the first that was under way at the last one,
    /// for where one is lost, nothing after it is acknowledged. While waiting: `next`, once a check has seen it.
    pub due: Slot,
    /// The highest round of heartbeats it has answered.
    pub confirmed: u32,
}

/// What only a leader has; it starts afresh with every term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// By server id.
    progress: Vec<Progress>,
    /// Everybody it sends to: the other members, servers catching up, and servers yet to be told that they have left.
    pub peers: NodeSet,
    /// Servers yet to be told that they have left.
    pub leaving: NodeSet,
    /// The slot of its no-op.
    pub term_start: Slot,
    /// Who has answered since the last check of the quorum.
    pub recorded: NodeSet,
    /// The latest round of heartbeats.
    pub round: u32,
    /// Heartbeat timers since the last check for lost entries.
    ticks: u32,
    /// By client: the number of its latest command that this leader has appended.
    appended: Vec<u32>,
    pub reads: PendingReads,
    pub lease: Lease,
    pub transfer: Option<Transfer>,
    pub change: Option<Change>,
}

impl Leadership {
    /// A new leader guesses that everybody's log ends where its own does.
    pub fn new(me: NodeId, configuration: Configuration, next: Slot) -> Leadership {
        let mut lead = Leadership {
            progress: Vec::new(),
            peers: configuration.all().without(me),
            leaving: NodeSet::EMPTY,
            term_start: next,
            recorded: NodeSet::EMPTY,
            round: 0,
            ticks: 0,
            appended: Vec::new(),
            reads: PendingReads::default(),
            lease: Lease::default(),
            transfer: None,
            change: None,
        };
        for server in configuration.all().with(me).iter() {
            *lead.track(server) = Progress { next, state: ProgressState::Replicate, due: next, ..Progress::default() };
        }
        lead
    }

    /// Takes note that this leader is about to append `command`; tells whether it has not done so before.
    pub fn first_asked(&mut self, command: Command) -> bool {
        let client = usize::from(command.client.0);
        if self.appended.len() <= client {
            self.appended.resize(client + 1, 0);
        }
        let latest = &mut self.appended[client];
        let first = command.seq > *latest;
        *latest = command.seq.max(*latest);
        first
    }

    /// What is known of `server`, if it was ever a peer.
    pub fn of(&mut self, server: NodeId) -> Option<&mut Progress> {
        self.progress.get_mut(usize::from(server.0))
    }

    /// What is known of `server`, from now on.
    pub fn track(&mut self, server: NodeId) -> &mut Progress {
        let index = usize::from(server.0);
        if self.progress.len() <= index {
            self.progress.resize(index + 1, Progress::default());
        }
        &mut self.progress[index]
    }

    /// Exchanges the names of servers.
    pub fn exchange(&mut self, names: &Names) {
        let before = std::mem::take(&mut self.progress);
        for (id, progress) in (0..).map(NodeId).zip(before) {
            *self.track(names.of(id)) = progress;
        }
        for set in [&mut self.peers, &mut self.leaving, &mut self.recorded] {
            names.set(set);
        }
        if let Some(transfer) = &mut self.transfer {
            names.node(&mut transfer.to);
        }
    }

    /// How far `server`'s log is known to equal the leader's.
    pub fn matched(&self, server: NodeId) -> Slot {
        self.progress.get(usize::from(server.0)).map_or(0, |progress| progress.matched)
    }

    /// Those that have answered heartbeats of this round or a later one.
    pub fn confirmed(&self, round: u32) -> NodeSet {
        let by = |&(_, progress): &(u8, &Progress)| progress.confirmed >= round;
        (0..).zip(&self.progress).filter(by).map(|(id, _)| NodeId(id)).collect()
    }
}

impl Server {
    /// Appends an entry of the leader's own and sends it on its way, before writing it: the followers' disks and its own work at the
    /// same time (dissertation §10.2.1).
    pub(super) fn append(&mut self, payload: Payload, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let term = self.disk.term;
        let entry = Entry { term, payload };
        let (prev_slot, prev_term) = (self.disk.log.last(), self.disk.log.last_term());
        let slot = self.disk.log.push(entry);
        let mut flowing = NodeSet::EMPTY;
        for peer in lead.peers.iter() {
            let progress = lead.track(peer);
            if progress.state == ProgressState::Replicate {
                progress.next = slot + 1;
                flowing.add(peer);
            }
        }
        out.because(LEADER_APPENDS);
        let entries = Entries::One(entry);
        out.broadcast(
            flowing,
            Message::AppendEntries(Append { term, prev_slot, prev_term, commit: self.commit, entries }),
        );
        out.save_entries(slot);
        out.send(self.me, Message::Written { term, slot });
    }

    /// The leader's own copy of an entry counts from now on.
    pub(super) fn on_written(&mut self, term: u32, slot: Slot, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        if term != self.disk.term {
            return;
        }
        let me = lead.track(self.me);
        let before = me.matched;
        me.matched = before.max(slot);
        self.advance_commit(before, slot, out);
    }

    /// Answers to AppendEntries, heartbeats and snapshots: up to `slot` the follower's log is the leader's; or, with a conflict, the
    /// entry in `slot` is not.
    pub(super) fn on_append_reply(
        &mut self,
        from: NodeId,
        term: u32,
        slot: Slot,
        conflict: Option<Conflict>,
        out: &mut Out,
    ) {
        let Role::Leader(lead) = &mut self.role else { return };
        if term != self.disk.term {
            return;
        }
        lead.recorded.add(from);
        match conflict {
            None => self.acknowledged(from, slot, out),
            Some(conflict) => self.refused(from, slot, conflict, out),
        }
    }

    fn acknowledged(&mut self, from: NodeId, slot: Slot, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.of(from) else { return };
        let before = progress.matched;
        progress.matched = before.max(slot);
        let go_on = match progress.state {
            ProgressState::Replicate => false,
            ProgressState::Probe => slot + 1 >= progress.next,
            ProgressState::Snapshot => slot >= progress.next,
        };
        if go_on {
            progress.next = progress.matched + 1;
            self.supply(from, out);
        }
        self.advance_commit(before, slot, out);
        self.mind_the_others(from, out);
    }

    /// Goes back to where the logs may agree, at least below the refused slot.
    fn refused(&mut self, from: NodeId, slot: Slot, conflict: Conflict, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.of(from) else { return };
        let log = &self.disk.log;
        let update = match progress.state {
            ProgressState::Replicate => slot > progress.matched,
            ProgressState::Probe => slot + 1 == progress.next.max(log.first()),
            ProgressState::Snapshot => slot + 1 == progress.next && progress.next >= log.first(),
        };
        if !update {
            return;
        }
        out.because(BACKTRACK);
        let agreed = match conflict.term {
            0 => conflict.slot,
            term => log.last_of_term(term).map_or(conflict.slot, |last| last + 1),
        };
        progress.next = agreed.min(slot).max(progress.matched + 1);
        progress.state = ProgressState::Probe;
        self.supply(from, out);
    }

    /// Sends what a follower lacks from nextIndex on: a snapshot, a batch, or all the rest; in the last case entries flow from now on.
    pub(super) fn supply(&mut self, to: NodeId, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.of(to) else { return };
        let (term, log, batch) = (self.disk.term, &self.disk.log, self.config.batch);
        progress.due = 0;
        if progress.next < log.first() {
            if let Some(snapshot) = &self.disk.snapshot {
                out.because(INSTALL_SNAPSHOT);
                progress.state = ProgressState::Snapshot;
                out.send(to, Message::InstallSnapshot { term, snapshot: snapshot.clone() });
            }
            return;
        }
        let prev_slot = progress.next - 1;
        let prev_term = log.term_at(prev_slot).unwrap_or(0);
        let missing = (log.last() + 1).saturating_sub(progress.next);
        if missing > 0 {
            let entries = log.entries(progress.next, batch);
            let append = Append { term, prev_slot, prev_term, commit: self.commit, entries };
            out.send(to, Message::AppendEntries(append));
        }
        if missing > batch {
            progress.state = ProgressState::Snapshot;
        } else {
            progress.state = ProgressState::Replicate;
            progress.next = log.last() + 1;
        }
    }

    /// Time for a round of heartbeats, and now and then to look for lost entries.
    pub(super) fn on_heartbeat_due(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        lead.ticks += 1;
        if lead.ticks >= self.config.retry_ticks {
            lead.ticks = 0;
            self.retry(out);
        }
        let peers = match &self.role {
            Role::Leader(lead) => lead.peers,
            _ => return,
        };
        self.beat(peers, false, out);
        self.extend_lease(out);
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// Whoever has acknowledged nothing since the last check, though something was under way then, will be asked again where its log ends.
    fn retry(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let last = self.disk.log.last();
        let term_start = lead.term_start;
        for peer in lead.peers.iter() {
            let progress = lead.track(peer);
            match progress.state {
                ProgressState::Replicate if progress.matched < progress.due => {
                    out.because(RETRY);
                    progress.state = ProgressState::Probe;
                    progress.next = if progress.matched > 0 { progress.matched + 1 } else { term_start };
                }
                ProgressState::Replicate => progress.due = last.min(progress.matched + 1),
                ProgressState::Snapshot if progress.due == progress.next => {
                    out.because(RETRY);
                    progress.state = ProgressState::Probe;
                }
                ProgressState::Snapshot => progress.due = progress.next,
                ProgressState::Probe => {}
            }
        }
    }

    /// Sends a new round of heartbeats to each of `to`.
    pub(super) fn beat(&mut self, to: NodeSet, read: bool, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        lead.round += 1;
        let round = lead.round;
        let (term, log, commit) = (self.disk.term, &self.disk.log, self.commit);
        for peer in to.iter() {
            let progress = lead.track(peer);
            // While entries flow, some are under way: ask only for what is known to have arrived.
            let at = if progress.state == ProgressState::Replicate { progress.matched } else { progress.next - 1 };
            let prev_slot = at.max(log.first() - 1);
            let prev_term = log.term_at(prev_slot).unwrap_or(0);
            out.send(peer, Message::Heartbeat(Heartbeat { term, prev_slot, prev_term, commit, round, read }));
        }
    }

    /// Commits what a quorum has, now that one server has come from `before` to `reached`: no other slots can be new.
    fn advance_commit(&mut self, before: Slot, reached: Slot, out: &mut Out) {
        if reached <= self.commit.max(before) {
            return;
        }
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &self.role else { return };
        let have = configuration.all().iter().filter(|&server| lead.matched(server) >= reached).collect();
        let slot = match configuration.quorum(have) {
            true => reached,
            false if reached - before == 1 => return,
            false => configuration.quorum_slot(|server| lead.matched(server)),
        };
        if slot <= self.commit {
            return;
        }
        if self.disk.log.term_at(slot) != Some(self.disk.term) && out.rule(COMMIT_OWN_TERM) {
            return;
        }
        out.because(COMMIT_BY_MAJORITY);
        self.commit_to(slot, out);
        self.after_commit(out);
    }

    /// What waits for commitment: the next configuration, and reads in a new term.
    fn after_commit(&mut self, out: &mut Out) {
        self.configuration_committed(out);
        self.change_on(out);
        // Fewer members may be enough now to confirm a round of heartbeats.
        self.answer_confirmed(out);
        self.read_on(out);
    }

    /// After an acknowledgement: servers that catch up or leave, and the target of a transfer.
    fn mind_the_others(&mut self, from: NodeId, out: &mut Out) {
        let Role::Leader(lead) = &self.role else { return };
        if lead.change.is_some() {
            self.caught_up(out);
        }
        if let Role::Leader(lead) = &self.role
            && lead.leaving.has(from)
        {
            self.dismiss(from, out);
        }
        self.try_transfer(out);
    }

    /// CheckQuorum. A leader without a majority steps down; a server that has left and does not answer is not waited for.
    pub(super) fn on_check_quorum(&mut self, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        let recorded = std::mem::take(&mut lead.recorded).with(self.me);
        if self.config.check_quorum && !configuration.quorum(recorded) {
            out.because(CHECK_QUORUM);
            return self.become_follower(out);
        }
        lead.peers = lead.peers.minus(lead.leaving.minus(recorded));
        lead.leaving = lead.leaving.and(recorded);
        out.set_timer(Timer::CheckQuorum, self.config.election_min, self.config.election_min);
    }

    /// What a leader owes when it stops leading: its timers end, and clients it cannot answer any more are sent away.
    pub(super) fn resign(&mut self, lead: Leadership, out: &mut Out) {
        out.cancel(Timer::Heartbeat);
        out.cancel(Timer::CheckQuorum);
        if lead.transfer.is_some() {
            out.cancel(Timer::Transfer);
        }
        if lead.change.is_some() {
            out.cancel(Timer::CatchUp);
        }
        if self.config.reads == Reads::Lease {
            out.cancel(Timer::Lease(0));
            out.cancel(Timer::Lease(1));
        }
        let (held, next) = lead.transfer.map_or((Vec::new(), None), |transfer| (transfer.held, Some(transfer.to)));
        let send_away =
            |command: Command, out: &mut Out| out.reply(command.client, command.seq, Answer::Redirect(next));
        held.into_iter().for_each(|command| send_away(command, out));
        lead.reads.into_commands().for_each(|command| send_away(command, out));
        self.leader = None;
        self.await_election(out);
    }
}

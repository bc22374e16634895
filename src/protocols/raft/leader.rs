//! Log replication at the leader: progress of followers, AppendEntries, retransmission, commitment, CheckQuorum (paper §5.3, §5.4.2;
//! dissertation §6.2, §10.2).

use super::Reads;
use super::configuration::Configuration;
use super::membership::Change;
use super::message::{Append, Conflict, Heartbeat, Message};
use super::progress::{Progress, ProgressState};
use super::reads::{Lease, PendingReads};
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use super::storage::{Entries, Entry, Payload};
use super::transfer::Transfer;
use crate::core::{Answer, Command, Micros, Names, NodeId, NodeSet, Slot};
use crate::facts;

/// Volatile state on leaders, reinitialised after election (paper, figure 2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// By server id.
    progress: Vec<Progress>,
    /// Whom it replicates to: the other members, new servers that catch up, and `leaving`.
    pub peers: NodeSet,
    /// Servers that were removed and do not know yet that this is committed.
    pub leaving: NodeSet,
    /// The slot of its no-op.
    pub term_start: Slot,
    /// Until when, by its clock, it commits nothing, because a deposed leader may hold a lease by its log, µs; 0 for not at all.
    pub defers_until: Micros,
    /// Who has answered since the last CheckQuorum (etcd: RecentActive).
    pub recently_active: NodeSet,
    /// The number of the latest round of heartbeats.
    pub round: u32,
    /// By client: the number of its latest command that this leader has appended.
    appended: Vec<u32>,
    pub reads: PendingReads,
    pub lease: Lease,
    pub transfer: Option<Transfer>,
    pub change: Option<Change>,
}

impl Leadership {
    /// A new leader's: every nextIndex is one past the end of its own log (paper, figure 2).
    pub fn new(me: NodeId, configuration: Configuration, next: Slot) -> Leadership {
        let mut lead = Leadership {
            progress: Vec::new(),
            peers: configuration.all().without(me),
            leaving: NodeSet::EMPTY,
            term_start: next,
            defers_until: 0,
            recently_active: NodeSet::EMPTY,
            round: 0,
            appended: Vec::new(),
            reads: PendingReads::default(),
            lease: Lease::default(),
            transfer: None,
            change: None,
        };
        for server in configuration.all().with(me).iter() {
            *lead.track(server) = Progress { next, state: ProgressState::Replicate, ..Progress::default() };
        }
        lead
    }

    /// Records that `command` is to be appended; tells whether this leader has not appended it before.
    pub fn is_new(&mut self, command: Command) -> bool {
        let client = usize::from(command.client.0);
        if self.appended.len() <= client {
            self.appended.resize(client + 1, 0);
        }
        let latest = &mut self.appended[client];
        let first = command.seq > *latest;
        *latest = command.seq.max(*latest);
        first
    }

    /// The progress of `server`, if it was ever a peer.
    pub fn progress_of(&mut self, server: NodeId) -> Option<&mut Progress> {
        self.progress.get_mut(usize::from(server.0))
    }

    /// The progress of `server`, which is tracked from now on.
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
        for set in [&mut self.peers, &mut self.leaving, &mut self.recently_active] {
            names.set(set);
        }
        if let Some(transfer) = &mut self.transfer {
            names.node(&mut transfer.to);
        }
    }

    /// matchIndex of `server`; 0 if it was never a peer.
    pub fn matched(&self, server: NodeId) -> Slot {
        self.progress.get(usize::from(server.0)).map_or(0, |progress| progress.matched)
    }

    /// Who has answered heartbeats of this round or a later one.
    pub fn confirmed(&self, round: u32) -> NodeSet {
        let by = |&(_, progress): &(u8, &Progress)| progress.confirmed >= round;
        (0..).zip(&self.progress).filter(by).map(|(id, _)| NodeId(id)).collect()
    }
}

impl Server {
    /// Appends an entry to the leader's log, and sends it before it is written, so that the followers' disks and the leader's own work in
    /// parallel (dissertation §10.2.1).
    pub(super) fn append(&mut self, payload: Payload, out: &mut Out) {
        let created = self.created_now(out);
        let Role::Leader(lead) = &mut self.role else { return };
        let term = self.disk.term;
        let entry = Entry { term, created, payload };
        let (prev_slot, prev_term) = (self.disk.log.last(), self.disk.log.last_term());
        let slot = self.disk.log.push(entry);
        let mut replicating = NodeSet::EMPTY;
        for peer in lead.peers.iter() {
            let progress = lead.track(peer);
            if progress.state == ProgressState::Replicate {
                progress.next = slot + 1;
                replicating.add(peer);
            }
        }
        out.because(APPENDS, facts![slot, term, replicating]);
        let entries = Entries::One(entry);
        out.broadcast(
            replicating,
            Message::AppendEntries(Append { term, prev_slot, prev_term, commit: self.commit, entries }),
        );
        out.save_entries(slot);
        out.send(self.me, Message::Written { term, slot });
    }

    /// The leader's own log is on its disk up to `slot`, and counts for commitment from now on.
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

    /// An answer to AppendEntries, a heartbeat or InstallSnapshot: the follower's log equals the leader's up to `slot` or, with a conflict, failed
    /// the consistency check there.
    pub(super) fn on_append_reply(
        &mut self,
        from: NodeId,
        term: u32,
        slot: Slot,
        conflict: Option<Conflict>,
        out: &mut Out,
    ) {
        if term != self.disk.term {
            return;
        }
        let Role::Leader(lead) = &mut self.role else {
            if term == self.led_term {
                self.patience.late();
            }
            return;
        };
        lead.recently_active.add(from);
        match conflict {
            None => self.on_acknowledged(from, slot, out),
            Some(conflict) => self.on_refused(from, slot, conflict, out),
        }
    }

    fn on_acknowledged(&mut self, from: NodeId, slot: Slot, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.progress_of(from) else { return };
        let before = progress.matched;
        progress.matched = before.max(slot);
        let go_on = match progress.state {
            ProgressState::Replicate => false,
            ProgressState::Probe => slot + 1 >= progress.next,
            ProgressState::Snapshot => progress.matched >= progress.sent,
        };
        if go_on {
            progress.next = progress.matched + 1;
            self.send_append(from, true, out);
        }
        self.advance_commit(before, slot, out);
        self.after_acknowledgement(from, out);
    }

    /// Moves nextIndex back to where the logs may agree, below the refused slot in any case (paper §5.3). A refusal that moves nothing back is left
    /// to the retransmission check: answered at once, it would come again at once.
    fn on_refused(&mut self, from: NodeId, slot: Slot, conflict: Conflict, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.progress_of(from) else { return };
        let log = &self.disk.log;
        let update = match progress.state {
            ProgressState::Replicate => slot > progress.matched,
            ProgressState::Probe => slot + 1 == progress.next.max(log.first()),
            ProgressState::Snapshot => slot + 1 == progress.next && progress.next >= log.first(),
        };
        let agreed = match conflict.term {
            0 => conflict.slot,
            term => log.last_of_term(term).map_or(conflict.slot, |last| last + 1),
        };
        let next = agreed.min(slot).max(progress.matched + 1);
        if !update || (progress.state == ProgressState::Snapshot && next >= progress.next) {
            return;
        }
        out.because(GOES_BACK, facts![from, slot, next]);
        progress.next = next;
        self.send_append(from, false, out);
    }

    /// Sends a follower what it lacks from nextIndex on: the snapshot, or a batch. If that is all the rest of the log and `pipeline`, what is
    /// appended later follows at once; if not, the acknowledgement is awaited first, because the refusal or loss of one message is that of all
    /// that follow it.
    pub(super) fn send_append(&mut self, to: NodeId, pipeline: bool, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.progress_of(to) else { return };
        let (term, log, batch) = (self.disk.term, &self.disk.log, self.config.batch);
        if progress.next < log.first() {
            if let Some(snapshot) = &self.disk.snapshot {
                out.because(SENDS_SNAPSHOT, facts![to, progress.next, log.first()]);
                progress.stop_and_wait(snapshot.last);
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
        if missing > batch || (missing > 0 && !pipeline) {
            progress.stop_and_wait(progress.next - 1 + missing.min(batch));
        } else {
            progress.state = ProgressState::Replicate;
            progress.next = log.last() + 1;
        }
    }

    /// The heartbeat interval is over: sends a round.
    pub(super) fn on_heartbeat_due(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let (peers, round, last) = (lead.peers, lead.round + 1, self.disk.log.last());
        for peer in peers.iter() {
            lead.track(peer).tick(last, round, self.config.retry_ticks);
        }
        self.send_heartbeats(peers, false, out);
        self.extend_lease(out);
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// Sends again, from the last known agreement, what was under way to a follower, if the answer to a heartbeat of this round shows that it was
    /// lost.
    pub(super) fn retry_if_lost(&mut self, to: NodeId, round: u32, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let term_start = lead.term_start;
        let Some(progress) = lead.progress_of(to) else { return };
        if !progress.is_lost(round, self.config.retry_ticks) {
            return;
        }
        progress.next = match progress.state {
            ProgressState::Replicate if progress.matched == 0 => term_start,
            ProgressState::Replicate => progress.matched + 1,
            _ => progress.next.max(progress.matched + 1),
        };
        out.because(RETRIES, facts![to, progress.next, round]);
        self.send_append(to, false, out);
    }

    /// The slot up to which entries may be compacted, though followers to which a snapshot or batch is under way need those after it.
    pub(super) fn needed_after(&self) -> Slot {
        let Role::Leader(lead) = &self.role else { return Slot::MAX };
        let first = self.disk.log.first();
        let needs = |peer: NodeId| lead.progress.get(usize::from(peer.0)).map_or(Slot::MAX, |p| p.needs_after(first));
        lead.peers.iter().map(needs).min().unwrap_or(Slot::MAX)
    }

    /// Sends a new round of heartbeats, with `read` one of ReadIndex, to each of `to`.
    pub(super) fn send_heartbeats(&mut self, to: NodeSet, read: bool, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        lead.round += 1;
        let round = lead.round;
        let (term, log, commit) = (self.disk.term, &self.disk.log, self.commit);
        for peer in to.iter() {
            let progress = lead.track(peer);
            // In `Replicate` the entries before `next` may still be under way: the check must not fail because of them.
            let at = if progress.state == ProgressState::Replicate { progress.matched } else { progress.next - 1 };
            let prev_slot = at.max(log.first() - 1);
            let prev_term = log.term_at(prev_slot).unwrap_or(0);
            let heartbeat = Heartbeat { term, prev_slot, prev_term, commit, round };
            out.send(peer, if read { Message::ReadIndex(heartbeat) } else { Message::Heartbeat(heartbeat) });
        }
    }

    /// Commits up to the highest slot that a quorum holds, after the matchIndex of one server has risen from `before` to `reached`.
    pub(super) fn advance_commit(&mut self, before: Slot, reached: Slot, out: &mut Out) {
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
        if self.disk.log.term_at(slot) != Some(self.disk.term)
            && out.rule(DOES_NOT_COUNT, facts![slot, self.disk.log.term_at(slot).unwrap_or(0), self.disk.term])
        {
            return;
        }
        if self.defers(slot, out) {
            return;
        }
        out.because(COMMITS, || {
            let holders: NodeSet = configuration.all().iter().filter(|&server| lead.matched(server) >= slot).collect();
            [slot.into(), holders.into()]
        });
        self.commit_to(slot, out);
        self.after_commit(out);
    }

    /// Continues what waits for commitment: configuration changes, and reads in a new term.
    fn after_commit(&mut self, out: &mut Out) {
        self.configuration_committed(out);
        self.advance_change(out);
        // A smaller configuration may be in force, under which a round of heartbeats is confirmed already.
        self.answer_confirmed(out);
        self.start_read_round(out);
    }

    /// Continues what waits for a follower's log: catching up, removal, leadership transfer.
    fn after_acknowledgement(&mut self, from: NodeId, out: &mut Out) {
        let Role::Leader(lead) = &self.role else { return };
        if lead.change.is_some() {
            self.check_catch_up(out);
        }
        if let Role::Leader(lead) = &self.role
            && lead.leaving.has(from)
        {
            self.notify_removed(from, out);
        }
        self.try_transfer(out);
    }

    /// CheckQuorum (dissertation §6.2): steps down unless a quorum has answered since the last check. Removed servers that have not answered are
    /// dropped from the peers.
    pub(super) fn on_check_quorum(&mut self, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        let active = std::mem::take(&mut lead.recently_active).with(self.me);
        if self.config.check_quorum && !configuration.quorum(active) {
            out.because(STEPS_DOWN, facts![active]);
            self.patience.give_up();
            return self.become_follower(out);
        }
        lead.peers = lead.peers.minus(lead.leaving.minus(active));
        lead.leaving = lead.leaving.and(active);
        self.schedule_quorum_check(out);
    }

    /// Sets the time by which a quorum should have answered.
    pub(super) fn schedule_quorum_check(&self, out: &mut Out) {
        let interval = self.patience.stretch(self.config.election_min);
        out.set_timer(Timer::CheckQuorum, interval, interval);
    }

    /// Ends a leadership: cancels its timers, and redirects the clients that it cannot answer any more.
    pub(super) fn resign(&mut self, lead: Leadership, out: &mut Out) {
        out.cancel(Timer::Heartbeat);
        out.cancel(Timer::CheckQuorum);
        if lead.transfer.is_some() {
            out.cancel(Timer::Transfer);
        }
        if lead.change.is_some() {
            out.cancel(Timer::CatchUp);
        }
        match self.config.reads {
            Reads::Lease => [0, 1].into_iter().for_each(|which| out.cancel(Timer::Lease(which))),
            Reads::LeaseGuard => out.cancel(Timer::DeferredCommit),
            _ => {}
        }
        let (pending, next) =
            lead.transfer.map_or((Vec::new(), None), |transfer| (transfer.pending, Some(transfer.to)));
        let redirect = |command: Command, out: &mut Out| out.reply(command.client, command.seq, Answer::Redirect(next));
        pending.into_iter().for_each(|command| redirect(command, out));
        lead.reads.into_commands().for_each(|command| redirect(command, out));
        self.leader = None;
        self.reset_election_timeout(out);
    }
}

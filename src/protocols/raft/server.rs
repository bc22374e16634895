//! A Raft server: its state, dispatch of messages, timers and requests, and applying committed entries (paper, figure 2, figure 4).

use super::configuration::Configuration;
use super::leader::Leadership;
use super::message::{Append, Message};
use super::rules::*;
use super::storage::{Disk, Payload, RaftLog};
use super::{Config, Reads};
use crate::core::{
    Answer, Blocked, Command, EntryStatus, Epoch, LogStatus, Node, NodeId, NodeSet, NodeStatus, Order, Patience, Slot,
    Tally,
};
use crate::facts;
use crate::services::Machine;
use std::collections::VecDeque;

/// The outbox of a server.
pub type Out = crate::core::Out<Server>;

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// The minimum election timeout since the server last heard from its leader (dissertation §4.2.3). While it runs,
        /// the server grants no votes.
        MinimumTimeout = {
            name: "minimum election timeout",
            says: "may vote for others again, and waits the random part of the election timeout",
            acts: false,
        };
        /// The random part of the election timeout; or all of it, where no leader was heard.
        ElectionTimeout = { name: "election timeout", says: "campaigns: no leader was heard in time", acts: true };
        /// Leader: the interval between two rounds of heartbeats.
        Heartbeat = { name: "heartbeat interval", says: "sends a heartbeat to all others", acts: true };
        /// Leader: the interval between two counts of those that answer (dissertation §6.2).
        CheckQuorum = { name: "CheckQuorum", says: "steps down unless a quorum has answered", acts: true };
        /// Leader: one of its two latest leases (dissertation §6.4.1).
        Lease(which: u8) = { name: "lease", says: "answers no more reads under this lease", acts: false };
        /// Leader: the time in which a deposed leader may hold a lease by its log (LeaseGuard).
        DeferredCommit = { name: "lease of a deposed leader", says: "commits what a quorum holds", acts: true };
        /// Leader: the time in which the target of a transfer should have been elected (dissertation §3.10).
        Transfer = { name: "transfer timeout", says: "gives up the transfer, and takes commands again", acts: true };
        /// Leader: the minimum election timeout, as the limit of a round in which new servers catch up (dissertation §4.2.1).
        CatchUp = { name: "catch-up round", says: "adds another round or, after ten, gives up on the new servers", acts: true };
    }
}

/// The role of a server (paper, figure 4; PreCandidate: dissertation §9.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Responds to leaders and candidates.
    Follower,
    /// Asks whether it would be elected, before it raises its term.
    PreCandidate {
        /// Who would vote for it.
        votes: NodeSet,
        /// Who would not because its log is more up-to-date.
        ahead: NodeSet,
    },
    /// Requests votes in its term.
    Candidate {
        /// Who has voted for it.
        votes: NodeSet,
    },
    /// Handles all clients.
    Leader(Box<Leadership>),
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    pub(super) me: NodeId,
    pub(super) config: Config,
    pub(super) disk: Disk,
    pub(super) role: Role,
    /// Who leads the current term, if known.
    pub(super) leader: Option<NodeId>,
    /// Whether it has heard from a current leader within the minimum election timeout: it grants no votes then (dissertation §4.2.3).
    pub(super) hears_leader: bool,
    /// Whether its log has passed the leader's consistency check in this term. If so, AppendEntries beyond its end have overtaken others, and
    /// are kept in `out_of_order`; if not, they are refused.
    pub(super) log_matched: bool,
    /// commitIndex. Entries are applied as soon as they are known to be committed, so it is lastApplied as well.
    pub(super) commit: Slot,
    /// The latest time of creation of a committed entry (LeaseGuard).
    pub(super) renewed: u32,
    pub(super) machine: Machine,
    /// The configurations in the log, each with its slot, after the one in force before them. Invariant: never empty.
    pub(super) configurations: Vec<(Slot, Configuration)>,
    /// AppendEntries of this term's leader that arrived before the one they follow on, by prevLogIndex. Invariant: empty unless `log_matched`.
    pub(super) out_of_order: VecDeque<Append>,
    /// The last term that this server led since it booted: it answers the clients of commands with that term.
    pub(super) led_term: u32,
    /// How much longer its timeouts are than configured.
    pub(super) patience: Patience,
}

impl Server {
    /// The configuration in force, and its slot: the latest in the log, committed or not (dissertation §4.1).
    pub(super) fn configuration(&self) -> (Slot, Configuration) {
        self.configurations.last().copied().unwrap_or_default()
    }

    /// Whether this server starts elections: it is in its latest configuration, or that is not committed and may be overwritten (dissertation
    /// §4.2.2).
    pub(super) fn may_campaign(&self) -> bool {
        let (slot, configuration) = self.configuration();
        !configuration.all().is_empty() && (configuration.all().has(self.me) || slot > self.commit)
    }

    /// Adopts a higher term, and becomes a follower in it (paper §5.1).
    pub(super) fn adopt(&mut self, term: u32, out: &mut Out) {
        out.because(ADOPTS_TERM, facts![term, self.disk.term]);
        self.become_follower(out);
        self.disk.term = term;
        self.disk.vote = None;
        self.leader = None;
        self.log_matched = false;
        self.out_of_order.clear();
        out.save();
    }

    /// Becomes a follower, whatever its role was.
    pub(super) fn become_follower(&mut self, out: &mut Out) {
        if let Role::Leader(lead) = std::mem::replace(&mut self.role, Role::Follower) {
            self.resign(*lead, out);
        }
    }

    /// A message from the leader of the current term arrived: follows it, and restarts the election timeout.
    pub(super) fn follow(&mut self, leader: NodeId, out: &mut Out) {
        if !matches!(self.role, Role::Follower) {
            self.become_follower(out);
        }
        self.leader = Some(leader);
        if !self.hears_leader {
            self.hears_leader = true;
            out.cancel(Timer::ElectionTimeout);
        }
        let shortest = self.patience.stretch(self.config.election_min);
        out.set_timer(Timer::MinimumTimeout, shortest, shortest);
    }

    /// Raises commitIndex to `slot`, and applies the entries up to it.
    pub(super) fn commit_to(&mut self, slot: Slot, out: &mut Out) {
        while self.commit < slot {
            let next = self.commit + 1;
            let Some(entry) = self.disk.log.get(next) else { break };
            let (term, command) = (entry.term, entry.command());
            self.renewed = self.renewed.max(entry.created);
            self.commit = next;
            let outcome = self.machine.apply_once(command, self.me, || out.rule(EXECUTES_ONCE, facts![command]));
            out.applied(next, command);
            if term == self.led_term {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
        }
        self.take_snapshot_if_due(out);
    }

    /// If it asked enough servers for votes, but too many of them have logs that are more up-to-date.
    fn blocked(&self) -> Option<Blocked> {
        let (_, configuration) = self.configuration();
        let Role::PreCandidate { votes, ahead } = self.role else { return None };
        (!ahead.is_empty() && configuration.quorum(votes.or(ahead))).then(|| Blocked {
            on: ahead,
            at: self.disk.log.last() + 1,
            because: "reaches enough servers to be elected, but their logs are more up-to-date, so they do not vote for it",
        })
    }

    fn tally(&self) -> Option<Tally> {
        let (_, configuration) = self.configuration();
        let tally = |of, slot, votes: NodeSet| {
            let from = configuration.all().and(votes);
            Some(Tally { of, slot, from, need: from.len() + configuration.missing(from) })
        };
        match &self.role {
            Role::Follower => None,
            Role::PreCandidate { votes, .. } => tally("promised votes", 0, *votes),
            Role::Candidate { votes } => tally("votes", 0, *votes),
            Role::Leader(lead) => {
                let slot = self.commit + 1;
                let reached = || configuration.all().iter().filter(|&id| lead.matched(id) >= slot).collect();
                (slot <= self.disk.log.last()).then(|| tally("acknowledgements", slot, reached())).flatten()
            }
        }
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Message;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out) -> Server {
        if disk.vote.is_some() && !out.rule(REMEMBERS_VOTE, facts![disk.vote, disk.term]) {
            disk.vote = None;
        }
        let (mut commit, mut machine) = (0, Machine::default());
        let mut configurations = vec![(0, Configuration::simple(config.members))];
        if let Some(snapshot) = &disk.snapshot {
            (commit, machine) = (snapshot.last, snapshot.machine.clone());
            configurations = vec![(snapshot.last, snapshot.configuration)];
            out.restored(commit);
        }
        if !disk.log.is_empty() && !out.rule(REMEMBERS_LOG, facts![disk.log.last()]) {
            disk.log = RaftLog::after(commit, disk.snapshot.as_ref().map_or(0, |snapshot| snapshot.term));
        }
        let mut server = Server {
            me,
            config: *config,
            role: Role::Follower,
            leader: None,
            hears_leader: false,
            log_matched: false,
            commit,
            renewed: disk.snapshot.as_ref().map_or(0, |snapshot| snapshot.created),
            machine,
            configurations,
            out_of_order: VecDeque::new(),
            led_term: 0,
            patience: Patience::default(),
            disk,
        };
        server.find_configurations(commit + 1);
        server.start_first_timeout(out);
        server
    }

    // WebAssembly only: see ARCHITECTURE.md, on speed.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    fn on_message(&mut self, from: NodeId, message: &Message, out: &mut Out) {
        if let Some(term) = message.term_to_adopt()
            && term > self.disk.term
        {
            self.adopt(term, out);
        }
        match *message {
            Message::AppendEntries(ref append) => self.on_append(from, append, out),
            Message::AppendEntriesReply { term, slot, conflict } => {
                self.on_append_reply(from, term, slot, conflict, out)
            }
            Message::Written { term, slot } => self.on_written(term, slot, out),
            Message::Heartbeat(heartbeat) => self.on_heartbeat(from, heartbeat, false, out),
            Message::ReadIndex(heartbeat) => self.on_heartbeat(from, heartbeat, true, out),
            Message::HeartbeatReply { term, slot, conflict, round }
            | Message::ReadIndexReply { term, slot, conflict, round } => {
                self.on_append_reply(from, term, slot, conflict, out);
                self.on_confirmed(from, term, round, out);
            }
            Message::PreVote { term, last_slot, last_term } => {
                self.on_pre_vote(from, term, (last_term, last_slot), out)
            }
            Message::PreVoteReply { term, granted, ahead } => self.on_pre_vote_reply(from, term, granted, ahead, out),
            Message::RequestVote { term, last_slot, last_term, transfer } => {
                self.on_request_vote(from, term, (last_term, last_slot), transfer, out);
            }
            Message::RequestVoteReply { term, granted } => self.on_vote(from, term, granted, out),
            Message::InstallSnapshot { term, ref snapshot } => self.on_install_snapshot(from, term, snapshot, out),
            Message::InstallSnapshotReply { term, slot } => self.on_append_reply(from, term, slot, None, out),
            Message::TimeoutNow { term } => self.on_timeout_now(term, out),
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::MinimumTimeout => self.on_minimum_timeout(out),
            Timer::ElectionTimeout => self.on_election_timeout(out),
            Timer::Heartbeat => self.on_heartbeat_due(out),
            Timer::CheckQuorum => self.on_check_quorum(out),
            Timer::Lease(which) => self.on_lease_end(which, out),
            Timer::DeferredCommit => self.on_deferred_commit(out),
            Timer::Transfer => self.on_transfer_timeout(out),
            Timer::CatchUp => self.on_catch_up_timeout(out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out) {
        if self.config.reads == Reads::AnyReplica && command.op.is_read() {
            out.because(READS_ANYWHERE, facts![command, self.commit]);
            return self.answer_read(command, out);
        }
        let Role::Leader(lead) = &mut self.role else {
            match self.leader {
                Some(leader) => out.because(REDIRECTS, facts![leader]),
                None => out.because(KNOWS_NO_LEADER, facts![]),
            }
            return out.reply(command.client, command.seq, Answer::Redirect(self.leader));
        };
        if let Some(transfer) = &mut lead.transfer {
            out.because(KEEPS_COMMAND, facts![command, transfer.to]);
            return transfer.pending.push(command);
        }
        if let Some(outcome) = self.machine.recall(command)
            && out.rule(ANSWERS_AGAIN, facts![command])
        {
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        if command.op.is_read() && self.config.reads != Reads::Log {
            return self.on_read(command, out);
        }
        if !lead.is_new(command) && out.rule(WAITS_FOR_FIRST, facts![command]) {
            // It is in the log already, and will be answered when it is committed.
            return;
        }
        self.append(Payload::Command(command), out);
    }

    fn on_order(&mut self, order: Order, out: &mut Out) {
        match order {
            Order::HandOver(to) => self.hand_over(to, out),
            Order::Reconfigure(members) => self.reconfigure(members, out),
        }
    }

    fn is_pending(&self, order: Order) -> bool {
        let Role::Leader(lead) = &self.role else { return false };
        let (slot, configuration) = self.configuration();
        match order {
            Order::HandOver(to) => lead.transfer.as_ref().is_some_and(|transfer| transfer.to == to),
            Order::Reconfigure(target) => {
                let open = configuration.is_joint() || slot > self.commit;
                configuration.voters == target && open
                    || lead.change.as_ref().is_some_and(|change| change.target == target)
            }
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let (_, configuration) = self.configuration();
        let target = match &self.role {
            Role::Leader(lead) => lead.change.as_ref().map(|change| change.target),
            _ => None,
        };
        NodeStatus {
            role: match self.role {
                Role::Follower if !configuration.all().has(self.me) => "non-voting",
                Role::Follower => "follower",
                Role::PreCandidate { .. } => "pre-candidate",
                Role::Candidate { .. } => "candidate",
                Role::Leader(_) => "leader",
            },
            leads: matches!(self.role, Role::Leader(_)),
            epoch: Epoch { number: self.disk.term, owner: None },
            leader: self.leader,
            tally: self.tally(),
            blocked: self.blocked(),
            log: LogStatus {
                first: self.disk.log.first(),
                last: self.disk.log.last(),
                committed: self.commit,
                applied: self.commit,
            },
            // Where a change is under way, the members once it is done.
            members: target.unwrap_or(configuration.voters),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        matches!(self.role, Role::Leader(_)).then_some(Epoch { number: self.disk.term, owner: None })
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let entry = self.disk.log.get(slot)?;
        Some(EntryStatus {
            epoch: Epoch { number: entry.term, owner: None },
            command: match entry.payload {
                Payload::Command(command) => Some(command),
                Payload::Configuration(_) => None,
            },
            chosen: slot <= self.commit,
        })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

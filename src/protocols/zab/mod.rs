//! Zab: atomic broadcast for a primary and its backups.
//!
//! *Junqueira, Reed and Serafini, "Zab: High-performance broadcast for primary-backup systems", DSN 2011* (the paper).
//!
//! A primary sends changes of its state, of which each rests on those before. So what an earlier primary proposed and left open must come before
//! everything a later one proposes, or never (*primary order*), and that although a primary has many proposals under way at once. Zab gives each
//! leader an epoch, numbers its proposals by *zxids* of epoch and counter, and lets nobody propose before a quorum has the same history:
//!
//! * **Phase 0, election.** A server is chosen that may well be alive and have the most recent history. Nothing rests on it.
//! * **Phase 1, discovery.** A quorum tells which epochs it has accepted (CEpoch); the leader proposes a later one (NewEpoch), and each follower
//!   accepts that only if it is, and tells its history (AckEpoch). The leader selects the most recent one.
//! * **Phase 2, synchronization.** The followers take that history over (NewLeader, AckLeader); once a quorum has it, it is committed (CommitLeader).
//! * **Phase 3, broadcast.** Propose, Ack of a quorum, Commit. Who comes later is led through phases 1 and 2 beside it.
//!
//! | file | what | paper |
//! |---|---|---|
//! | `election` | phase 0: votes for the most recent history | §V-A; ZooKeeper's FastLeaderElection |
//! | `leader` | the leader's steps of phases 1 to 3, commands | §V-A |
//! | `follower` | the follower's steps of phases 1 to 3, heartbeats | §V-A |
//! | `log` | execution, snapshots, ends of histories | |
//! | `message` | the messages | |
//! | `rules` | the rules one by one, and the settings | |
//! | `invariants` | what must hold after every event | §IV |
//!
//! The text of the paper was not at hand. Discovery, and synchronization up to NewLeader, were held against the TLA+ specification of the paper's protocol
//! that its users keep (apache/zookeeper, `zookeeper-specifications/protocol-spec/Zab.tla`); the other steps and the numbers of sections are from memory.
//!
//! Where it departs from the paper or fills it in:
//!
//! * **Links lose and reorder messages here**; the paper has FIFO channels (§II). So Propose carries its slot in the history, and what comes early is
//!   kept. Lost messages are found by the heartbeats, without a guess how long an answer may take: the leader goes on anew with a server that has
//!   answered a heartbeat sent later than a message that it has not answered; Pong tells what CEpoch and Ack do; Ping tells what Commit does, and the
//!   end of the history, so that a follower that lacks what an earlier Ping told of sends CEpoch again, as after a broken channel.
//! * **acceptedEpoch** is kept with the server it was accepted from. A follower answers NewEpoch of that one again, and of no other with the same epoch.
//! * **Only what differs is sent**, as ZooKeeper does (DIFF, TRUNC, SNAP): CEpoch, NewEpoch and AckEpoch tell how far a history goes, AckEpoch
//!   carries the history only as far as the leader lacks it, and NewLeader begins where the histories part. A follower whose history does not go on in
//!   the leader's drops what it does not know to be committed. One that has accepted the leader's epoch before is sent NewLeader at once.
//! * **A leader that meets a later epoch** looks for a leader again, so that the server that accepted it can take part; the paper leaves that open.
//! * **Notifications** are those of ZooKeeper, simplified: a server that looks for a leader follows any other that says that it leads.
//! * **A Commit** covers all slots before it. It goes to those that are synchronized; the others learn of it by CommitLeader.
//! * **Timeouts** double where answers come late. **lastCommitted** is written along with other things.
//! * Clients are sent to the leader; ZooKeeper's servers forward what they ask for.
//! * Left out: observers, reconfiguration.

mod election;
mod follower;
mod invariants;
mod leader;
mod log;
mod message;
mod rules;
#[cfg(test)]
mod tests;

pub use message::{Accepted, Msg, Report, Snapshot, Suffix, Transaction, Vote, Zxid};
pub use rules::*;

use crate::core::node::{Invariant, Node, Protocol, SettingError, Setup};
use crate::core::{
    Card, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, Log, LogStatus, Micros, NodeId,
    NodeSet, NodeStatus, Out, Patience, Promises, Rule, Sentence, Setting, Shots, Slot, Tally, TimingModel, majority,
};
use crate::facts;
use crate::services::Machine;
use election::Election;
use leader::{Leadership, Phase};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zab;

/// Settings of a server, with those left open derived from the longest round trip. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    replicas: u8,
    heartbeat: Micros,
    timeout: Micros,
    finalize_wait: Micros,
    snapshot_every: u32,
}

impl Config {
    const fn quorum(&self) -> u8 {
        majority(self.replicas)
    }
}

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// A leader was not heard, or a quorum of followers, or nobody was elected.
        Timeout = { name: "timeout", says: "looks for a leader if its own, or its followers, were silent; votes again if nobody is elected", acts: true };
        /// A quorum votes the same.
        Finalize = { name: "finalize wait", says: "ends the election, as no better vote has come", acts: true };
        /// The leader's heartbeats.
        Heartbeat = { name: "heartbeat", says: "sends Ping to all others", acts: true };
    }
}

/// Durable state (§V-A).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// acceptedEpoch.
    pub accepted: Accepted,
    /// currentEpoch: the epoch of the last NewLeader that was accepted.
    pub current: u32,
    /// The history from some slot within the snapshot on.
    pub log: Log<Transaction>,
    /// lastCommitted. May lag behind what the server knows.
    pub committed: Slot,
    /// The state after some committed slot.
    pub snapshot: Arc<Snapshot>,
}

/// A CEpoch that came before its receiver knew to be elected.
type Waiting = (NodeId, Accepted, Report);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    Looking(Election),
    Following(NodeId),
    Leading(Box<Leadership>),
}

/// One server. Everything but `disk` is lost in a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    role: Role,
    /// The number of the election round.
    round: u32,
    /// How many heartbeats it has sent.
    pings: u32,
    /// The latest epoch that a follower of its has told of, even if that ended its leadership: it proposes a later one next time.
    latest: u32,
    /// All up to this slot is committed, and executed.
    committed: Slot,
    machine: Machine,
    /// Transactions of the accepted epoch that came before earlier ones, or before NewLeader.
    early: BTreeMap<Slot, Transaction>,
    /// Up to where the leader of the accepted epoch has said that its history is committed.
    settled: Slot,
    /// The end of the leader's history in its latest Ping.
    told: Slot,
    /// The leader that it did not hear for a timeout.
    left: Option<NodeId>,
    /// How much longer timeouts are than configured.
    patience: Patience,
}

impl Server {
    fn peers(&self) -> NodeSet {
        NodeSet::first(self.config.replicas).without(self.me)
    }

    fn wait_for_timeout(&self, out: &mut Out<Server>) {
        let timeout = self.patience.stretch(self.config.timeout);
        out.set_timer(Timer::Timeout, timeout, timeout);
    }

    /// Who leads, as far as it knows.
    fn known_leader(&self) -> Option<NodeId> {
        match &self.role {
            Role::Looking(_) => None,
            Role::Following(leader) => Some(*leader),
            Role::Leading(leadership) => (leadership.phase == Phase::Broadcast).then_some(self.me),
        }
    }
}

/// An epoch as what everybody else shows of it.
fn epoch(number: u32) -> Epoch {
    Epoch { number, owner: None }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Server>) -> Server {
        let restarts = disk != Disk::default();
        let disk = if restarts && !out.rule(REMEMBERS, facts![disk.accepted.epoch, disk.log.last()]) {
            Disk::default()
        } else {
            disk
        };
        let known = disk.committed;
        let mut server = Server {
            me,
            config: *config,
            role: Role::Following(me),
            round: 0,
            pings: 0,
            latest: 0,
            committed: disk.snapshot.slot,
            machine: disk.snapshot.machine.clone(),
            early: BTreeMap::new(),
            settled: 0,
            told: 0,
            left: None,
            patience: Patience::default(),
            disk,
        };
        if server.committed > 0 {
            out.restored(server.committed);
        }
        server.execute_to(known, out);
        server.look(out);
        server
    }

    // WebAssembly only: see ARCHITECTURE.md, on speed.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Notification { round, vote, leads } => self.on_notification(from, round, vote, leads, out),
            Msg::CEpoch { accepted, report } => self.on_cepoch(from, accepted, report, out),
            Msg::NewEpoch { epoch, report } => self.on_new_epoch(from, epoch, report, out),
            Msg::AckEpoch { epoch, report, ref suffix } => self.on_ack_epoch(from, epoch, report, suffix, out),
            Msg::NewLeader { epoch, ref suffix } => self.on_new_leader(from, epoch, suffix, out),
            Msg::AckLeader { epoch, slot } => self.on_ack_leader(from, epoch, slot, out),
            Msg::CommitLeader { epoch, slot } | Msg::Commit { epoch, slot } => self.on_commit(epoch, slot, out),
            Msg::Propose { slot, zxid, command } => self.on_propose(from, slot, (zxid, command), out),
            Msg::Ack { epoch, slot } => self.on_ack(from, epoch, slot, out),
            Msg::Ping { round, epoch, committed, last } => self.on_ping(from, round, epoch, (committed, last), out),
            Msg::Pong { round, accepted, report } => self.on_pong(from, round, accepted, report, out),
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match (timer, &self.role) {
            (Timer::Finalize, _) => self.end_election(out),
            (Timer::Heartbeat, _) => self.ping(out),
            (Timer::Timeout, Role::Looking(_)) => self.vote_again(out),
            (Timer::Timeout, Role::Leading(_)) => self.check_quorum(out),
            (Timer::Timeout, Role::Following(leader)) => {
                self.left = Some(*leader);
                self.patience.give_up();
                out.because(GIVES_UP, facts![*leader]);
                self.look(out);
            }
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        self.on_command(command, out);
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let need = self.config.quorum();
        let phase = |of, from| Some(Tally { of, slot: 0, from, need });
        let (role, tally) = match &self.role {
            Role::Looking(election) => ("looking", phase("equal votes", election.agree)),
            Role::Following(_) => ("following", None),
            Role::Leading(leadership) => match leadership.phase {
                Phase::Discovery => ("discovery", phase("followers", leadership.followers)),
                Phase::NewEpoch => ("discovery", phase("acceptances of the epoch", leadership.accepted)),
                Phase::Synchronization => {
                    ("synchronization", phase("acceptances of the history", leadership.synchronized))
                }
                Phase::Broadcast => {
                    let slot = self.committed + 1;
                    let tally = Tally { of: "acknowledgements", slot, from: leadership.holders(slot), need };
                    ("leading", (slot <= self.disk.log.last()).then_some(tally))
                }
            },
        };
        NodeStatus {
            role,
            leads: self.leads().is_some(),
            epoch: epoch(self.disk.accepted.epoch),
            leader: self.known_leader(),
            tally,
            blocked: None,
            log: LogStatus {
                first: self.disk.log.first(),
                last: self.disk.log.last(),
                committed: self.committed,
                applied: self.committed,
            },
            members: NodeSet::first(self.config.replicas),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        let leads = matches!(&self.role, Role::Leading(leadership) if leadership.phase == Phase::Broadcast);
        leads.then(|| epoch(self.disk.accepted.epoch))
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let (zxid, command) = *self.disk.log.get(slot)?;
        Some(EntryStatus { epoch: epoch(zxid.epoch), command: Some(command), chosen: slot <= self.committed })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Protocol for Zab {
    const CARD: Card = Card {
        key: "zab",
        title: "Zab",
        says: "A leader takes over the most recent history of a majority, and makes theirs the same, before it proposes: nothing old comes behind something new.",
        paper: "Flavio Junqueira, Benjamin Reed and Marco Serafini, Zab: High-performance broadcast for primary-backup systems, DSN, 2011",
        epoch: "epoch",
        family: Family::Leader,
        optimises: "primary order",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::Elected,
        contact: Contact::Leader,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "3(n−1)",
            count: |n, _| Some(3 * (n - 1)),
            source: "Zab §V-A, phase 3: Propose to all others, an Ack of each, and Commit to all of them",
        }],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let heartbeat = settings.duration(HEARTBEAT, setup.rtt_max.max(HEARTBEAT_FLOOR));
        let config = Config {
            replicas: setup.replicas,
            heartbeat,
            timeout: settings.duration(TIMEOUT, 5 * heartbeat),
            finalize_wait: settings.duration(FINALIZE_WAIT, setup.rtt_max.max(1)),
            snapshot_every: settings.count(SNAPSHOT_EVERY),
        };
        if config.timeout <= heartbeat {
            return Err((SETTINGS[TIMEOUT.0 as usize].key, "more than heartbeat would do, better five times as much"));
        }
        Ok(vec![config; usize::from(setup.replicas)])
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::INVARIANTS
    }
}

/// Heartbeats are not sent more often than this unless a scenario says so, µs.
const HEARTBEAT_FLOOR: Micros = 10_000;

//! Omni-Paxos: a replicated log that goes on wherever one server reaches a majority.
//!
//! *Ng, Haridi and Carbone, "Omni-Paxos: Breaking the Barriers of Partial Connectivity", EuroSys 2023* (the paper).
//!
//! When links fail one by one, servers disagree on who is there. The paper shows three ways in which that stops other protocols: a leader that
//! has lost its majority is still heard by those who could elect another (*quorum loss*); the only server that reaches a majority may not
//! lead, because its log is behind or because those who would elect it reach no majority themselves (*constrained election*); and servers
//! that do not hear each other preempt each other through a third one (*chained*). So the paper takes the election apart from the log:
//!
//! * **Ballot Leader Election** elects the server of the highest ballot among those that are *quorum-connected*, that is, have heard from a
//!   majority in their last heartbeat round. Logs do not matter, nobody votes, and nobody passes ballots on.
//! * **Sequence Paxos** then has whoever is elected collect the promises of a majority with their logs, adopt the log of the highest accepted
//!   round, make the others' logs the same (AcceptSync), and go on from there: a log, and not a slot, is what is accepted in a round.
//!
//! | file | what | paper |
//! |---|---|---|
//! | `ballot_leader_election` | heartbeat rounds, the flag qc, checkLeader | §5.2, figure 4 |
//! | `leader` | Prepare phase, Accept phase, synchronizing followers | §4.1.1, §4.1.2, figure 3 |
//! | `follower` | Promise, AcceptSync, AcceptDecide, Decide, PrepareReq | §4.1, figure 3 |
//! | `log` | execution, snapshots, ends of logs | |
//! | `message` | the messages | |
//! | `rules` | the rules one by one, and the settings | |
//! | `invariants` | what must hold after every event | §4.2 |
//!
//! The text of the paper was not at hand: numbers of sections and the steps were checked against a reader's notes on it, and against the
//! authors' implementation, haraldng/omnipaxos, which also names AcceptDecide.
//!
//! Where it departs from the paper or fills it in:
//!
//! * **Links lose and reorder messages here**; the paper has sessions of FIFO links (§3) and is told when one drops. So AcceptDecide carries its slot,
//!   and what comes early is kept. Lost messages are found by the heartbeats, without a guess how long an answer may take: the leader prepares a
//!   server anew that has answered a heartbeat sent later than a Prepare or AcceptSync that it has not answered; and a Decide also tells the end
//!   of the log, so that a follower that lacks what an earlier Decide told of asks with PrepareReq. Both are the paper's way after a session drop.
//! * **An unanswered heartbeat is asked again** halfway through its round, so that one lost message does not look like a dead leader.
//! * **Decide** travels on the next AcceptDecide; alone it is sent when a leader had nothing to propose for a heartbeat round, or somebody lacks
//!   something.
//! * **A promise counts as an election.** A leader may die after a majority has promised its round and before they have heard its ballot in a
//!   heartbeat; everybody would stay with a leader whose lower ballot no majority follows any more. So a server raises its ballot if no
//!   candidate reaches the round it has promised. (Later versions of the authors' implementation also pass the promise to the election.)
//! * **The index to synchronize from** is no more than the length of the log adopted: who promises later may have more of that round.
//! * **T_delay** doubles when the answer of the leader, or one that was needed for a majority, comes late.
//! * **decidedIdx** is written along with other things.
//! * Clients are sent to the leader; the authors' implementation forwards what they propose.
//! * Left out: reconfiguration (§6: StopSign, migration of the log by the service layer), batching, flexible quorums.

mod ballot_leader_election;
mod follower;
mod invariants;
mod leader;
mod log;
mod message;
mod rules;
#[cfg(test)]
mod tests;

pub use message::{Ballot, LogState, Msg, Snapshot, Suffix};
pub use rules::*;

use crate::core::node::{Invariant, Node, Protocol, SettingError, Setup};
use crate::core::{
    Card, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, Log, LogStatus, Micros, NodeId,
    NodeSet, NodeStatus, Out, Patience, Promises, Rule, Sentence, Setting, Shots, Slot, Tally, TimingModel, majority,
};
use crate::facts;
use crate::services::Machine;
use ballot_leader_election::Election;
use leader::Leadership;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct OmniPaxos;

/// Settings of a server, with those left open derived from the longest round trip. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    replicas: u8,
    heartbeat: Micros,
    /// Number of the server that is preferred, from 1 on; 0 for none.
    priority: u8,
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
        /// The end of a heartbeat round (§5.2).
        Round = { name: "heartbeat round", says: "looks who has answered, elects or keeps a leader, and begins the next round", acts: true };
        /// Half of it.
        HalfRound = { name: "half a heartbeat round", says: "asks those again that have not answered in this round", acts: true };
    }
}

/// Durable state (figures 3 and 4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// l: the ballot of the leader elected last.
    pub leader: Ballot,
    /// promisedRnd.
    pub promised: Ballot,
    /// acceptedRnd: the round in which the log was accepted.
    pub accepted: Ballot,
    /// The log from some slot within the snapshot on.
    pub log: Log<Command>,
    /// decidedIdx. May lag behind what the server knows.
    pub decided: Slot,
    /// The state after some decided slot.
    pub snapshot: Arc<Snapshot>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    Follower,
    Leader(Box<Leadership>),
}

/// One server. Everything but `disk` is lost in a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    election: Election,
    role: Role,
    /// State (follower, recover): it has restarted or lost messages, and is not synchronized since.
    recovers: bool,
    /// decidedIdx: all up to this slot is decided, and executed.
    decided: Slot,
    machine: Machine,
    /// Commands of the promised round that came before earlier ones, or before AcceptSync.
    early: BTreeMap<Slot, Command>,
    /// The end of the leader's log in its latest Decide.
    told: Slot,
    /// How much longer heartbeat rounds are than configured.
    patience: Patience,
}

impl Server {
    fn peers(&self) -> NodeSet {
        NodeSet::first(self.config.replicas).without(self.me)
    }
}

/// A ballot as what everybody else shows of it.
fn epoch(ballot: Ballot) -> Epoch {
    Epoch { number: ballot.n, owner: (ballot.n > 0).then_some(ballot.pid) }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Server>) -> Server {
        let mut restarts = disk != Disk::default();
        let disk = if restarts && !out.rule(REMEMBERS, facts![disk.promised, disk.log.last()]) {
            restarts = false;
            Disk::default()
        } else {
            disk
        };
        // After a crash below every ballot that it may have led with: it elects the one who leads now, or raises it.
        let ballot = Ballot { n: u32::from(!restarts), priority: u8::from(config.priority == me.0 + 1), pid: me };
        let known = disk.decided;
        let mut server = Server {
            me,
            config: *config,
            election: Election::new(ballot),
            role: Role::Follower,
            recovers: restarts,
            decided: disk.snapshot.slot,
            machine: disk.snapshot.machine.clone(),
            early: BTreeMap::new(),
            told: 0,
            patience: Patience::default(),
            disk,
        };
        if server.decided > 0 {
            out.restored(server.decided);
        }
        server.execute_to(known, out);
        if restarts {
            out.because(RECOVERS, facts![server.disk.promised, server.disk.log.last()]);
            out.broadcast(server.peers(), Msg::PrepareReq {});
        }
        server.begin_heartbeat_round(out);
        server
    }

    // WebAssembly only: see ARCHITECTURE.md, on speed.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::HBRequest { round } => self.on_hb_request(from, round, out),
            Msg::HBReply { round, ballot, qc } => self.on_hb_reply(from, round, ballot, qc, out),
            Msg::Prepare { n, log } => self.on_prepare(from, n, log, out),
            Msg::Promise { n, log, ref suffix } => self.on_promise(from, n, log, suffix, out),
            Msg::AcceptSync { n, ref suffix, decided } => self.on_accept_sync(from, n, suffix, decided, out),
            Msg::AcceptDecide { n, slot, command, decided } => {
                self.on_accept_decide(from, n, (slot, command), decided, out);
            }
            Msg::Accepted { n, slot } => self.on_accepted(from, n, slot, out),
            Msg::Decide { n, decided, last } => self.on_decide(from, n, decided, last, out),
            Msg::PrepareReq {} => self.on_prepare_req(from, out),
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match timer {
            Timer::Round => self.end_heartbeat_round(out),
            Timer::HalfRound => self.ask_again(out),
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
        let (role, tally) = match &self.role {
            Role::Follower if self.recovers => ("recover", None),
            Role::Follower => ("follower", None),
            Role::Leader(leadership) if !leadership.accepts => {
                ("prepare", Some(Tally { of: "promises", slot: 0, from: leadership.promises, need }))
            }
            Role::Leader(leadership) => {
                let slot = self.decided + 1;
                let tally = Tally { of: "acknowledgements", slot, from: leadership.holders(slot), need };
                ("leader", (slot <= self.disk.log.last()).then_some(tally))
            }
        };
        NodeStatus {
            role,
            leads: self.leads().is_some(),
            epoch: epoch(self.disk.promised),
            leader: self.known_leader(),
            tally,
            blocked: None,
            log: LogStatus {
                first: self.disk.log.first(),
                last: self.disk.log.last(),
                committed: self.decided,
                applied: self.decided,
            },
            members: NodeSet::first(self.config.replicas),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        matches!(&self.role, Role::Leader(leadership) if leadership.accepts).then(|| epoch(self.disk.promised))
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let command = *self.disk.log.get(slot)?;
        let epoch = epoch(self.disk.accepted);
        Some(EntryStatus { epoch, command: Some(command), chosen: slot <= self.decided })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Protocol for OmniPaxos {
    const CARD: Card = Card {
        key: "omni-paxos",
        title: "Omni-Paxos",
        says: "Whoever reaches a majority may lead, however far its log is: it adopts the furthest log first. So one such server is enough to go on.",
        paper: "Harald Ng, Seif Haridi and Paris Carbone, Omni-Paxos: Breaking the Barriers of Partial Connectivity, EuroSys, 2023",
        epoch: "ballot",
        family: Family::Leader,
        optimises: "partial connectivity",
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
            text: "2(n−1)",
            count: |n, _| Some(2 * (n - 1)),
            source: "Omni-Paxos §4.1.2: AcceptDecide to all others and an Accepted of each, what is decided on the next AcceptDecide",
        }],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let priority = settings.count(PRIORITY);
        if priority > u32::from(setup.replicas) {
            return Err((SETTINGS[PRIORITY.0 as usize].key, "no more than the number of replicas would do"));
        }
        let config = Config {
            replicas: setup.replicas,
            heartbeat: settings.duration(HEARTBEAT, (3 * setup.rtt_max).max(HEARTBEAT_FLOOR)),
            priority: priority as u8,
            snapshot_every: settings.count(SNAPSHOT_EVERY),
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::INVARIANTS
    }
}

/// Heartbeat rounds are not shorter than this unless a scenario says so, µs.
const HEARTBEAT_FLOOR: Micros = 10_000;

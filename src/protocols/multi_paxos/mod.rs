//! Multi-Paxos: a log of commands, agreed on slot by slot under one stable leader.
//!
//! Single-decree Paxos ([`synod`](super::synod)) needs two phases to agree on one command. But phase 1 does not depend on what will be
//! proposed, so a proposer can carry it out once, for all slots of the log at the same time, and is then the *leader*: each further
//! command costs phase 2 alone, one round trip to a quorum. If the leader falls silent, somebody else wins a higher ballot, adopts
//! whatever may have been chosen already, fills the gaps with no-ops, and goes on. Two servers that think they lead slow each other
//! down, but never make different commands chosen in one slot: safety does not depend on who leads, or on time.
//!
//! The sources are Lamport's *Paxos Made Simple* (2001) and van Renesse and Altinbuken's *Paxos Made Moderately Complex* (2015). What the
//! first calls a leader is their leader with its commanders and scout; what they call replica is the learner here. Every server plays
//! all roles, each in a file of its own:
//!
//! | file | role | where it is in the papers |
//! |---|---|---|
//! | `acceptor` | promises, accepts, keeps both on disk | Simple §2.2, §2.5; Moderately Complex, Acceptor |
//! | `proposer` | wins a ballot, adopts, fills gaps, gives way | Simple §2.2, §2.4, §3; Moderately Complex, Scout and "When Paxos Works" |
//! | `leader` | phase 2, pipelining, heartbeats, sending again, handing over | Simple §3; Moderately Complex, Commander |
//! | `learner` | what is chosen, execution in order, catching up, snapshots | Simple §2.3, §3; Moderately Complex, Replica and "Paxos Made Pragmatic" |
//! | `message` | what they say to each other | |
//! | `rules` | the rules one by one, and the settings | |
//! | `invariants` | what must hold after every event | |
//!
//! Where the papers leave room:
//!
//! * **Learning.** Acceptors answer the leader only. The others learn from a commit index on the leader's next message ("piggyback") or
//!   from a Commit for each slot ("explicit"). The index speaks of commands chosen in, or proposed again in, the leader's own ballot, so
//!   a server may apply it only to what it accepted in that ballot.
//! * **Catching up** rides on heartbeats: the answer to one says what is missing, the next one brings it. So servers that a thrifty leader
//!   leaves aside cost no message of their own.
//! * **Failure detection** is a random time of silence. There are no leases: reads go through the log like any command. Whoever is preempted
//!   before its ballot was good for anything waits twice as long next time, and a leader without progress sends again half as often: where
//!   messages take longer than the time-outs allow, because there are so many of them, haste would make more of them for ever.
//! * **The leader's own vote** counts when its own disk has it, like everybody else's: it sends itself an Accepted after the save.

mod acceptor;
mod invariants;
mod leader;
mod learner;
mod message;
mod proposer;
mod rules;

pub use acceptor::Disk;
pub use message::{Msg, Proposal, Report, Snapshot};
pub use rules::*;

use crate::core::node::{Invariant, Node, Order, Protocol, SettingError, Setup};
use crate::core::{
    Ballot, Card, Command, EntryStatus, Epoch, Faults, Formula, LogStatus, Micros, NodeId, NodeSet, NodeStatus, Out,
    Rule, Setting, Settings, Shots, Slot, Tally, majority,
};
use crate::services::Machine;
use leader::{Clients, Leadership};
use learner::Open;
use proposer::Candidacy;
use std::collections::VecDeque;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiPaxos;

/// What a server is told before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    servers: u8,
    prepare_quorum: u8,
    accept_quorum: u8,
    explicit_commit: bool,
    thrifty: bool,
    pipeline: u32,
    snapshot_every: u32,
    heartbeat: Micros,
    election_min: Micros,
    election_max: Micros,
    resend: Micros,
    /// How long a leader goes on without hearing a quorum, or its successor.
    patience: Micros,
}

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// The election timeout: at an acceptor since it last heard from a leader, at a proposer since it last sent Prepare, at a leader since
        /// it last counted who answers its heartbeats.
        Election = {
            name: "election timeout",
            says: "prepares a higher ballot, asks again for promises or, as leader, resigns unless a quorum answers its heartbeats",
            acts: true,
        };
        /// Leader: the interval between two heartbeats.
        Heartbeat = { name: "heartbeat interval", says: "sends a heartbeat to all others", acts: true };
        /// Leader: the time in which the oldest open slot should have been chosen.
        Resend = { name: "retransmission timeout", says: "sends all open proposals again if none was chosen", acts: true };
        /// Leader: the time in which its successor should have taken over.
        HandOver = { name: "hand-over timeout", says: "gives up handing over, and leads on", acts: true };
    }
}

/// What a server does besides accepting and learning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    /// Nothing: somebody else leads, or nobody.
    Acceptor {
        /// Who leads, once it was heard.
        leader: Option<NodeId>,
        /// The commit index of the leader's last heartbeat.
        recorded: Slot,
    },
    /// Gathers promises.
    Proposer(Candidacy),
    /// Has them.
    Leader(Leadership),
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    role: Role,
    /// The highest ballot heard of, promised or not.
    seen: Ballot,
    /// How many of this server's ballots in a row came to nothing.
    preempted: u8,
    /// Slots up to this one are chosen, and executed.
    committed: Slot,
    /// One record for each slot after `committed` of which something is known or under way.
    open: VecDeque<Open>,
    machine: Machine,
    clients: Clients,
}

impl Server {
    fn peers(&self) -> NodeSet {
        NodeSet::first(self.config.servers).without(self.me)
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Server>) -> Server {
        let restarts = disk != Disk::default();
        let disk = if restarts && !out.rule(DURABLE_ACCEPTOR) { Disk::default() } else { disk };
        let known = disk.committed;
        let mut server = Server {
            me,
            config: *config,
            role: Role::Acceptor { leader: None, recorded: 0 },
            seen: disk.promised,
            preempted: 0,
            committed: disk.snapshot.slot,
            open: VecDeque::new(),
            machine: disk.snapshot.machine.clone(),
            clients: Clients::default(),
            disk,
        };
        if server.committed > 0 {
            out.restored(server.committed);
        }
        while server.committed < known
            && let Some(&Proposal { command, .. }) = server.proposal(server.committed + 1)
        {
            server.choose(server.committed + 1, command, out);
        }
        server.await_leader(out);
        server
    }

    // In WebAssembly, whatever is in registers has to be put away for a call, and this would be one for every message.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Prepare { ballot, from: first } => self.on_prepare(from, ballot, first, out),
            Msg::Promise { ballot, ref report } => self.on_promise(from, ballot, report, out),
            Msg::Accept { ballot, slot, command, committed } => {
                self.on_accept(from, (ballot, slot, command), committed, out);
            }
            Msg::Accepted { ballot, slot } => self.on_accepted(from, ballot, slot, out),
            Msg::Nack { promised } => self.on_nack(promised, out),
            Msg::Commit { ballot, slot, command } => self.on_commit(from, ballot, slot, command, out),
            Msg::Heartbeat { ballot, beat, committed } => {
                if self.heeds(from, ballot, out) {
                    self.on_heartbeat(from, ballot, beat, committed, out);
                }
            }
            Msg::HeartbeatReply { ballot, beat, missing_from } => {
                self.on_heartbeat_reply(from, ballot, beat, missing_from, out)
            }
            Msg::Learn { ballot, beat, first, ref chosen } => {
                if self.heeds(from, ballot, out) {
                    if self.learn(first, chosen.iter().copied(), out) {
                        self.save(out);
                    }
                    self.on_heartbeat(from, ballot, beat, first + chosen.len() as Slot - 1, out);
                }
            }
            Msg::Snapshot { ballot, beat, ref snapshot } => {
                if self.heeds(from, ballot, out) {
                    if self.install(snapshot, out) {
                        self.save(out);
                    }
                    self.on_heartbeat(from, ballot, beat, snapshot.slot, out);
                }
            }
            Msg::HandOver { ballot, committed } => self.on_hand_over(from, ballot, committed, out),
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match (timer, &self.role) {
            (Timer::Election, Role::Acceptor { .. }) => {
                out.because(STABLE_LEADER);
                self.prepare(out);
            }
            (Timer::Election, Role::Proposer(_)) => self.prepare_again(out),
            (Timer::Election, Role::Leader(_)) => self.look_for_quorum(out),
            (Timer::Heartbeat, _) => self.beat(out),
            (Timer::Resend, _) => self.resend(out),
            (Timer::HandOver, _) => self.keep_leading(out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        self.on_command(command, out);
    }

    fn on_order(&mut self, order: Order, out: &mut Out<Server>) {
        if let Order::HandOver(to) = order {
            self.hand_over(to, out);
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let (role, leader, tally) = match &self.role {
            Role::Acceptor { leader, .. } => ("acceptor", *leader, None),
            Role::Proposer(Candidacy { promises, .. }) => (
                "proposer",
                None,
                Some(Tally { of: "promises", slot: 0, from: *promises, need: self.config.prepare_quorum }),
            ),
            Role::Leader(_) => (
                "leader",
                Some(self.me),
                self.open.front().map(|open| Tally {
                    of: "acknowledgements",
                    slot: self.committed + 1,
                    from: open.votes,
                    need: self.config.accept_quorum,
                }),
            ),
        };
        NodeStatus {
            role,
            leads: matches!(self.role, Role::Leader(_)),
            epoch: epoch(self.disk.promised),
            leader,
            tally,
            log: LogStatus {
                first: self.disk.accepted.first(),
                last: self.disk.accepted.last(),
                committed: self.committed,
                applied: self.committed,
            },
            members: NodeSet::first(self.config.servers),
        }
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let proposal = self.proposal(slot)?;
        let open = self.place(slot).map(|place| self.open.get(place).copied().unwrap_or_default());
        Some(EntryStatus {
            epoch: epoch(proposal.ballot),
            command: Some(proposal.command),
            chosen: open.is_none_or(|open| open.chosen),
        })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

fn epoch(ballot: Ballot) -> Epoch {
    Epoch { number: ballot.round, owner: ballot.is_real().then_some(ballot.node) }
}

impl Protocol for MultiPaxos {
    const CARD: Card = Card {
        key: "multi-paxos",
        title: "Multi-Paxos",
        says: "A leader wins a ballot for the whole log once; from then on each command takes one round trip to a majority.",
        paper: "Leslie Lamport, Paxos Made Simple, ACM SIGACT News, 2001; Robbert van Renesse and Deniz Altinbuken, Paxos Made Moderately Complex, ACM Computing Surveys, 2015",
        epoch: "ballot",
        optimises: "messages, with a stable leader",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        shots: Shots::Log,
        transfer: true,
        membership: false,
        formulas: &[
            Formula {
                text: "2(q2−1) + (n−1)",
                count: |n, settings| {
                    let explicit = explicit_commit(settings) && settings.flag(SEND_THRIFTY);
                    explicit.then(|| 2 * (accept_quorum(n, settings) - 1) + n - 1)
                },
                source: "Paxos Made Simple §2.2: phase 2 to one quorum, and a Commit to everybody",
            },
            Formula {
                text: "2(q2−1)",
                count: |n, settings| settings.flag(SEND_THRIFTY).then(|| 2 * (accept_quorum(n, settings) - 1)),
                source: "Paxos Made Simple §2.2: phase 2 to one quorum",
            },
            Formula {
                text: "3(n−1)",
                count: |n, settings| explicit_commit(settings).then(|| 3 * (n - 1)),
                source: "Paxos Made Simple §3: phase 2, and a Commit to everybody",
            },
            Formula {
                text: "2(n−1)",
                count: |n, _| Some(2 * (n - 1)),
                source: "Paxos Made Simple §3: phase 2, the commit index on the next message",
            },
        ],
    };
    const RULES: &'static [Rule] = RULES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let (n, settings) = (setup.replicas, &setup.settings);
        let heartbeat = settings.duration(HEARTBEAT, (setup.rtt_max / 2).max(1));
        let election_min = settings.duration(ELECTION_TIMEOUT_MIN, 3 * heartbeat + setup.rtt_max);
        let election_max = settings.duration(ELECTION_TIMEOUT_MAX, 2 * election_min);
        let config = Config {
            servers: n,
            prepare_quorum: quorum(n, settings.count(PREPARE_QUORUM_SIZE)),
            accept_quorum: quorum(n, settings.count(ACCEPT_QUORUM_SIZE)),
            explicit_commit: explicit_commit(settings),
            thrifty: settings.flag(SEND_THRIFTY),
            pipeline: settings.count(ALPHA),
            snapshot_every: settings.count(SNAPSHOT_EVERY),
            heartbeat,
            election_min,
            election_max,
            patience: election_max.max(heartbeat + 2 * setup.rtt_max),
            // Longer than any answer takes, so that nothing is sent twice while all is well.
            resend: settings.duration(RESEND_AFTER, setup.rtt_max + setup.rtt_max / 2 + 1),
        };
        if config.prepare_quorum > n {
            return Err((SETTINGS[PREPARE_QUORUM_SIZE.0 as usize].key, "at most as many as there are servers"));
        }
        if config.accept_quorum > n {
            return Err((SETTINGS[ACCEPT_QUORUM_SIZE.0 as usize].key, "at most as many as there are servers"));
        }
        let intersect = config.prepare_quorum + config.accept_quorum > n;
        if !intersect && !setup.ablated.has(QUORUMS_INTERSECT) {
            return Err((SETTINGS[PREPARE_QUORUM_SIZE.0 as usize].key, "q1 + q2 must be more than all servers"));
        }
        if config.election_min <= config.heartbeat {
            return Err((SETTINGS[ELECTION_TIMEOUT_MIN.0 as usize].key, "more than the time between heartbeats"));
        }
        if config.election_max < config.election_min {
            return Err((SETTINGS[ELECTION_TIMEOUT_MAX.0 as usize].key, "at least election_timeout_min"));
        }
        Ok(vec![config; usize::from(n)])
    }

    fn live(setup: &Setup, healthy: u8) -> bool {
        let needed = |id| quorum(setup.replicas, setup.settings.count(id));
        healthy >= needed(PREPARE_QUORUM_SIZE).max(needed(ACCEPT_QUORUM_SIZE))
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::INVARIANTS
    }
}

fn explicit_commit(settings: &Settings) -> bool {
    settings.choice(COMMIT) == 1
}

fn quorum(n: u8, chosen: u32) -> u8 {
    if chosen == 0 { majority(n) } else { chosen as u8 }
}

fn accept_quorum(n: u32, settings: &Settings) -> u32 {
    u32::from(quorum(n as u8, settings.count(ACCEPT_QUORUM_SIZE)))
}

#[cfg(test)]
mod tests;

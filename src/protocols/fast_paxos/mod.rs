//! Fast Paxos: a command is chosen two message delays after its client has sent it, because acceptors vote for what clients send them
//! without hearing from a leader first.
//!
//! Leslie Lamport, *Fast Paxos*, MSR-TR-2005-112 (2005; Distributed Computing 19(2), 2006). In a *classic* round the coordinator picks the value
//! that acceptors vote for. In a *fast* round it may send them a special phase 2a message, *Any*, in place of a value: each acceptor then
//! votes for the first proposal that a client sends it. If different clients' proposals reach acceptors in different orders, votes *collide*,
//! and none may get a quorum; a further round then has to decide. For that round to find out what may have been chosen, fast quorums must be
//! larger than majorities: any quorum must share an acceptor with any two fast ones.
//!
//! Here there is a log, one instance of the algorithm for each slot. As in Multi-Paxos, the coordinator carries out phase 1 once for all
//! slots, and one Any message is for all slots after those in which somebody has voted. Every server is acceptor, learner and, perhaps,
//! coordinator; clients send their commands to all servers, and are answered by the first that knows the outcome.
//!
//! | file | what | where it is in the paper |
//! |---|---|---|
//! | `rounds` | round numbers, their coordinators and kinds | §2.2.1, §3.2 |
//! | `acceptor` | promises and votes, fast ones among them; disk | §2.2.1, §3.1 |
//! | `picking` | which values votes allow: Figure 2 with O4 | §2.2.2, §3.1 |
//! | `coordinator` | phases 1a and 2a, Any, coordinated recovery, failures | §3.1, §3.2, §3.3 |
//! | `learner` | counting votes, collisions, uncoordinated recovery, execution, catching up | §3.2 |
//! | `message`, `rules`, `invariants` | | |
//!
//! Where the paper leaves room:
//!
//! * **Which slot** a client's proposal is for, each acceptor decides itself: the one in which others have voted for it or, if it knows of
//!   none, the first without a vote that it knows of. A command that loses a slot is voted for in a later one.
//! * **Recovery** is coordinated or uncoordinated, a setting. Where any value may be picked, it is one of those that collided, another one in each
//!   slot in turn. When a collision is certain, nobody waits; when votes are missing for a time-out instead, the coordinator passes on
//!   what others may not have got, in the round that they are in, or recovers from the votes it has.
//! * **Failures.** A coordinator that falls silent is replaced after a random time-out. While fewer than a fast quorum answer heartbeats but a
//!   classic one does, rounds are classic, and become fast again afterwards.
//! * **Catching up** rides on heartbeats, in both directions: a coordinator may be the one that lacks chosen commands.

mod acceptor;
mod coordinator;
mod invariants;
mod learner;
mod message;
mod picking;
mod rounds;
mod rules;

pub use acceptor::{AnyMessage, Disk, Proposal};
pub use message::{Msg, Report, Vote};
pub use rounds::{Round, Rounds};
pub use rules::*;

use crate::core::node::{HistoryInvariant, Invariant, Node, Protocol, SettingError, Setup};
use crate::core::quorum::majority;
use crate::core::{
    Card, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, LogStatus, Micros, NodeId,
    NodeSet, NodeStatus, Out, Promises, QuorumSystem, Rule, Sentence, Setting, Settings, Shots, Slot, Tally,
    TimingModel,
};
use crate::facts;
use crate::services::Machine;
use coordinator::{Coordination, Phase1};
use learner::Open;
use std::collections::VecDeque;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastPaxos;

/// Settings of a server, with those left open derived from the longest round trip. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    rounds: Rounds,
    classic: QuorumSystem,
    fast: QuorumSystem,
    thrifty: bool,
    heartbeat: Micros,
    election_min: Micros,
    election_max: Micros,
}

impl Config {
    fn all(&self) -> NodeSet {
        NodeSet::first(self.rounds.replicas)
    }

    /// The quorums of a round.
    fn quorum(&self, round: Round) -> QuorumSystem {
        if self.rounds.is_fast(round) { self.fast } else { self.classic }
    }

    /// Whether any quorum shares an acceptor with any two fast quorums (§3.1, quorum requirement b).
    fn requirement_holds(&self) -> bool {
        2 * self.fast.need() + self.classic.need() > 2 * self.rounds.replicas
    }
}

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// At an acceptor, since it last heard from a coordinator; in phase 1, since that began.
        Election = {
            name: "election timeout",
            says: "begins a round of its own, or begins again if too few have promised",
            acts: true,
        };
        /// Coordinator: the interval between two heartbeats.
        Heartbeat = {
            name: "heartbeat interval",
            says: "sends a heartbeat to all others, and sends again what seems lost",
            acts: true,
        };
    }
}

/// The role of a server besides acceptor and learner, which all are at all times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    /// No other.
    Acceptor {
        /// The coordinator of the promised round, once a message of its came.
        coordinator: Option<NodeId>,
        /// The commit indices of the coordinator and of this server at its last heartbeat.
        heard: (Slot, Slot),
    },
    /// Phase 1 of its own round is under way.
    Preparing(Phase1),
    /// A quorum has promised its round.
    Coordinator(Coordination),
}

impl Role {
    /// An acceptor, and nothing else, from now on.
    const fn acceptor(coordinator: Option<NodeId>) -> Role {
        Role::Acceptor { coordinator, heard: (0, 0) }
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    role: Role,
    /// The highest round in any message received. Invariant: `disk.round <= seen`.
    seen: Round,
    /// The Any message last received; in force while its round is the one promised.
    any: AnyMessage,
    /// How often time-outs are doubled: rounds of this server that came to nothing.
    backoff: u8,
    /// The commit index: slots up to this one are chosen, and executed.
    committed: Slot,
    /// What is known of the slots after `committed`.
    open: VecDeque<Open>,
    machine: Machine,
    /// Clients' commands that are not executed.
    waiting: Vec<Proposal>,
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Server>) -> Server {
        let restarts = disk != Disk::default();
        let forgets = restarts && !out.rule(REMEMBERS, facts![disk.round, disk.log.last()]);
        let mut server = Server {
            me,
            config: *config,
            disk: if forgets { Disk::default() } else { disk },
            role: Role::acceptor(None),
            seen: 0,
            any: AnyMessage::default(),
            backoff: 0,
            committed: 0,
            open: VecDeque::new(),
            machine: Machine::default(),
            waiting: Vec::new(),
        };
        server.seen = server.disk.round;
        while server.committed < server.disk.committed
            && let Some(&Vote { command, .. }) = server.vote(server.committed + 1)
        {
            server.committed += 1;
            server.machine.apply_once(command, me, || out.rule(EXECUTES_ONCE, facts![command]));
            out.applied(server.committed, command);
        }
        server.reset_election_timeout(out);
        server
    }

    // WebAssembly only: see ARCHITECTURE.md, on speed.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Prepare { round, from: first } => self.on_prepare(from, round, first, out),
            Msg::Promise { round, ref report } => self.on_promise(from, round, report, out),
            Msg::Any { round, from: first, members } => {
                self.on_any(from, AnyMessage { round, from: first, members }, out);
            }
            Msg::Accept { round, slot, command } => self.on_accept(from, slot, Vote { round, command }, out),
            Msg::Accepted { round, slot, command } => self.on_accepted(from, slot, Vote { round, command }, out),
            Msg::Heartbeat { round, committed, from: first, members } => {
                self.on_heartbeat(from, AnyMessage { round, from: first, members }, committed, out);
            }
            Msg::HeartbeatReply { round, first_missing } => self.on_heartbeat_reply(from, round, first_missing, out),
            Msg::CatchUp { first, ref chosen } => {
                self.learn(first, chosen.iter().copied(), out);
                self.propose_waiting(out);
            }
            Msg::Nack { promised } => self.on_nack(promised, out),
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match timer {
            Timer::Election => self.on_election_timeout(out),
            Timer::Heartbeat => self.beat(out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        self.on_command(command, out);
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let (role, leader, tally) = match &self.role {
            Role::Acceptor { coordinator, .. } => ("acceptor", *coordinator, self.votes()),
            Role::Preparing(Phase1 { promises, .. }) => {
                let need = self.config.quorum(self.disk.round).need();
                ("phase 1", None, Some(Tally { of: "promises", slot: 0, from: *promises, need }))
            }
            Role::Coordinator(_) => ("coordinator", Some(self.me), self.votes()),
        };
        NodeStatus {
            role,
            leads: matches!(self.role, Role::Coordinator(_)),
            epoch: self.config.rounds.epoch(self.disk.round),
            leader,
            tally,
            blocked: None,
            log: LogStatus { first: 1, last: self.disk.log.last(), committed: self.committed, applied: self.committed },
            members: self.config.all(),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        matches!(self.role, Role::Coordinator(_)).then(|| self.config.rounds.epoch(self.disk.round))
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let open = self.place(slot).and_then(|place| self.open.get(place));
        let known = open.and_then(|open| open.chosen);
        let vote = self.vote(slot);
        let command = known.or(vote.map(|vote| vote.command))?;
        let round = vote.filter(|vote| vote.command == command).map_or(0, |vote| vote.round);
        let chosen = known.is_some() || slot <= self.committed;
        Some(EntryStatus { epoch: self.config.rounds.epoch(round), command: Some(command), chosen })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Server {
    /// The votes like its own in the first open slot.
    fn votes(&self) -> Option<Tally> {
        let open = self.open.front()?;
        let vote = self.vote(self.committed + 1)?;
        let need = self.config.quorum(vote.round).need();
        Some(Tally { of: "votes", slot: self.committed + 1, from: open.voters_for(*vote), need })
    }
}

/// The sizes of classic and of fast quorums (§3.4.1). Without the quorum requirement, fast quorums are majorities.
fn quorum_sizes(n: u8, settings: &Settings) -> (u8, u8) {
    match settings.choice(QUORUMS) {
        0 => (majority(n), (3 * n).div_ceil(4)),
        _ => (2 * n / 3 + 1, 2 * n / 3 + 1),
    }
}

impl Protocol for FastPaxos {
    const CARD: Card = Card {
        key: "fast-paxos",
        title: "Fast Paxos",
        says: "Acceptors vote for what clients send them, without a leader in between; where votes collide, another round decides.",
        paper: "Leslie Lamport, Fast Paxos, Distributed Computing, 2006 (Microsoft Research, MSR-TR-2005-112)",
        epoch: "round",
        family: Family::Leaderless,
        optimises: "one message delay less, while commands do not collide",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::Elected,
        contact: Contact::All,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "q(n−1), q a fast quorum",
                count: |n, settings| {
                    let (_, fast) = quorum_sizes(n as u8, settings);
                    settings.flag(SEND_THRIFTY).then(|| u32::from(fast) * (n - 1))
                },
                source: "Fast Paxos §3.4.3 counts N(⌊2N/3⌋+1): each of a fast quorum gets the client's proposal, which are no messages here, and sends its vote to all others",
            },
            Formula {
                text: "n(n−1)",
                count: |n, _| Some(n * (n - 1)),
                source: "Fast Paxos §3.1: every acceptor gets the client's proposal, and sends its vote to all others, which are the learners",
            },
        ],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let (settings, n) = (&setup.settings, setup.replicas);
        let (classic, fast) = match setup.ablated.has(QUORUM_REQUIREMENT) {
            true => (majority(n), majority(n)),
            false => quorum_sizes(n, settings),
        };
        // Longer than a round trip, so that nothing is sent again, or sent to catch up, that is still on its way.
        let heartbeat = settings.duration(HEARTBEAT, setup.rtt_max + 1);
        let election_min = settings.duration(ELECTION_TIMEOUT_MIN, 2 * heartbeat + setup.rtt_max);
        let config = Config {
            rounds: Rounds { replicas: n, series: 2 + settings.choice(RECOVERY) },
            classic: QuorumSystem::Threshold(classic),
            fast: QuorumSystem::Threshold(fast),
            thrifty: settings.flag(SEND_THRIFTY),
            heartbeat,
            election_min,
            election_max: settings.duration(ELECTION_TIMEOUT_MAX, 2 * election_min),
        };
        if config.election_min <= config.heartbeat {
            return Err((SETTINGS[ELECTION_TIMEOUT_MIN.0 as usize].key, "more than the time between heartbeats"));
        }
        if config.election_max < config.election_min {
            return Err((SETTINGS[ELECTION_TIMEOUT_MAX.0 as usize].key, "at least election_timeout_min"));
        }
        Ok(vec![config; usize::from(n)])
    }

    /// With a classic quorum: where there is no fast one, rounds are classic (§3.3).
    fn live(setup: &Setup, healthy: u8) -> bool {
        healthy >= quorum_sizes(setup.replicas, &setup.settings).0
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::INVARIANTS
    }

    fn history_invariants() -> &'static [HistoryInvariant<Server>] {
        invariants::HISTORY
    }
}

#[cfg(test)]
mod tests;

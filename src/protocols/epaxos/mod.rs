//! EPaxos, Egalitarian Paxos: any replica leads the commands of the clients near it, and commands are ordered only where they interfere.
//!
//! Iulian Moraru, David G. Andersen, Michael Kaminsky, *There Is More Consensus in Egalitarian Parliaments*, SOSP 2013. Each replica has a sequence
//! of instances of its own (a lane here). What is agreed on in an instance is a command together with its *attributes*: a sequence
//! number and the instances that it depends on. A command that interferes with no other one under way is committed after one round trip to a
//! fast-path quorum; another one takes a second round trip, to a majority. Replicas then execute the graph of dependencies in one order.
//!
//! | file | what | where it is in the papers |
//! |---|---|---|
//! | `record` | instances, attributes, interference | the basic protocol |
//! | `commit` | PreAccept, Accept, Commit | the commit protocol, figure 2 |
//! | `recovery` | explicit prepare, validation | figure 3; EPaxos*, the recovery protocol |
//! | `execution` | strongly connected components | the execution algorithm |
//! | `message`, `rules`, `invariants` | the messages, the rules and settings, what must hold after every event | |
//!
//! **Corrections.** The algorithm of 2013 has two errors in its recovery, and the version with the smaller fast-path quorum (optimized EPaxos) is stated
//! too shortly to be implemented without guessing. Here it is as later work has it:
//!
//! * Pierre Sutra, *On the correctness of Egalitarian Paxos*, arXiv 1906.10917 (2019): a replica needs two ballots an instance, the one
//!   promised and the one in which it accepted.
//! * Fedor Ryabinin, Alexey Gotsman, Pierre Sutra, *Making Democracy Work: Fixing and Simplifying Egalitarian Paxos*, OPODIS 2025, arXiv
//!   2511.02743 (EPaxos*): recovery by validation, with n ≥ max(2e+f−1, 2f+1), where f replicas may crash and the fast path works with up
//!   to e crashes. The fast-path quorum of n−e is that of optimized EPaxos, F+⌊(F+1)/2⌋, for n = 2F+1. The fast path asks that a quorum has pre-accepted
//!   the leader's attributes unchanged; then it is not needed that the dependencies are committed.
//!
//! Where the papers leave room:
//!
//! * **Dependencies** are one slot an owner, as in the authors' program: a command depends on all of that owner's instances up to it, interfering or
//!   not. That is never too few, also when the latest of them turns out to be a no-op.
//! * **Sequence numbers** are part of the value agreed on. EPaxos* has none, because an answer here comes after execution, when
//!   all that the command depends on is committed: nothing proposed later can come before it. They order commands that depend on each other.
//! * **The owner's own word.** That the owner has taken the fast path is known to it alone, so it tells nobody before it is on its disk.
//! * **State** is kept by object, each with its own memory of what clients were told: commands about different objects are in no common order, so
//!   nothing may depend on one.
//! * **Thrifty**: which quorum a command leader asks is the replicas after it, in place of those that do not answer in time any others.
//! * **Catching up**: a replica takes over whatever it misses and has to execute, or has pre-accepted. Who knows the commit tells it, and is then
//!   asked for what that depends on ([`Msg::Ask`]).
//!
//! Not here: *truncation*. What all have executed could be forgotten, once they tell each other; the paper says nothing of it.

mod commit;
mod execution;
mod invariants;
mod message;
mod record;
mod recovery;
mod rules;

pub use message::{Msg, Report};
pub use record::{Disk, Phase, Record, Value, interfere};
pub use rules::*;

use crate::core::node::{Invariant, Node, Protocol, SettingError, Setup};
use crate::core::{
    Answer, Ballot, Card, Command, Contact, EntryStatus, Family, Faults, Formula, Instance, LeaderModel, LogStatus,
    Micros, NodeId, NodeSet, NodeStatus, Out, Outcome, Promises, QuorumSystem, Rule, Sentence, Setting, Settings,
    Shots, Slot, Tally, TimingModel,
};
use crate::facts;
use crate::services::Machine;
use execution::Executed;
use record::Interference;
use std::sync::Arc;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct EPaxos;

/// What a replica is told before it starts. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    replicas: u8,
    /// e: with so many crashed replicas there still is a fast-path quorum.
    errors: u8,
    /// The fast-path quorum, n−e.
    fast: QuorumSystem,
    /// The majority of the slow path and of recovery, n−f.
    slow: QuorumSystem,
    thrifty: bool,
    fast_path: bool,
    timeout: Micros,
    recovery_timeout: Micros,
}

crate::timers! {
    /// A replica's timers, one for each instance that it takes care of or waits for.
    pub enum Timer {
        /// The time in which an instance should get on.
        Instance(number: u32) = {
            name: "instance timeout",
            says: "asks those again that have not answered or, if others lead the instance, takes it over",
            acts: true,
        };
    }
}

/// An instance as one number, for timers and as what a save has changed: its lane in the lowest 7 bits. Above 1, which stands for all.
fn number(at: Instance) -> u32 {
    at.slot << 7 | u32::from(at.lane)
}

/// The instance of a number.
fn instance(number: u32) -> Instance {
    Instance { lane: (number & 0x7f) as u16, slot: number >> 7 }
}

fn timer(at: Instance) -> Timer {
    Timer::Instance(number(at))
}

/// What speaks against the owner's attributes, in a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Validation {
    /// Q: the majority that has reported.
    quorum: NodeSet,
    /// |Rmax|: how many of it have pre-accepted the owner's attributes.
    support: u8,
    value: Arc<Value>,
    /// I: interfering instances, neither of which depends on the other.
    against: Vec<Instance>,
}

/// What a replica is doing about an instance that is not committed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// Waits for others to commit it.
    Awaiting,
    /// Phase 1: who has pre-accepted, whether all with the attributes proposed, and the union of what they know.
    PreAccepting { replies: NodeSet, unchanged: bool, merged: Arc<Value> },
    /// Phase 2: who has accepted.
    Accepting { acks: NodeSet, value: Arc<Value> },
    /// Commits it, once that is on its disk.
    Committing,
    /// Explicit prepare: who has reported what.
    Preparing { reports: Vec<(NodeId, Report)> },
    /// Who has looked for what speaks against the owner's attributes; whether some of that is committed.
    Validating { validation: Validation, replies: NodeSet, committed: bool },
    /// Waits until what may speak against them is decided.
    Waiting(Validation),
}

/// An instance that a replica takes care of or waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    /// The own ballot under way: 0 at the owner, and while waiting for others.
    ballot: Ballot,
    /// The highest ballot that others are said to have promised.
    seen: Ballot,
    /// How often it was begun again.
    tries: u8,
    stage: Stage,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    interference: Interference,
    /// The state, by object.
    machines: Vec<Machine>,
    /// By owner.
    executed: Vec<Executed>,
    /// In the order of instances.
    open: Vec<(Instance, Open)>,
    /// Committed instances that are not executed, each with one not committed that it depends on.
    blocked: Vec<(Instance, Instance)>,
    /// The fast-path quorum that a thrifty command leader asks.
    quorum: NodeSet,
    /// How much longer than usual it waits for any instance, in steps: where disks or queues make all of them slower than the timeouts, to ask
    /// again as early each time would only add to that.
    patience: u8,
    /// Whether it executes again what it had executed before a crash.
    restarting: bool,
}

/// The time until others are asked again doubles each time, up to this often; and that until an instance is taken over.
const DOUBLINGS: u8 = 5;
const RECOVERY_DOUBLINGS: u8 = 3;

/// In how many steps patience with all instances doubles: one instance that took too long adds so many, one that did not takes one away.
const STEPS: u8 = 16;

impl Server {
    fn all(&self) -> NodeSet {
        NodeSet::first(self.config.replicas)
    }

    /// The place of an instance among those that it takes care of, or where it would be.
    fn place(&self, at: Instance) -> Result<usize, usize> {
        self.open.binary_search_by_key(&at, |(at, _)| *at)
    }

    /// The ballot under way, and the stage.
    fn stage(&mut self, at: Instance) -> Option<(Ballot, &mut Stage)> {
        let place = self.place(at).ok()?;
        let open = &mut self.open[place].1;
        Some((open.ballot, &mut open.stage))
    }

    /// Begins with a ballot.
    fn begin(&mut self, at: Instance, ballot: Ballot, stage: Stage, out: &mut Out<Server>) {
        match self.place(at) {
            Ok(place) => {
                let open = &mut self.open[place].1;
                open.tries = (open.tries + 1).min(DOUBLINGS);
                (open.ballot, open.stage) = (ballot, stage);
            }
            Err(place) => self.open.insert(place, (at, Open { ballot, seen: ballot, tries: 0, stage })),
        }
        self.set_timer(at, out);
    }

    /// Waits for the commit of an instance, from now on, if it does not care for it already.
    fn expect(&mut self, at: Instance, out: &mut Out<Server>) {
        if self.place(at).is_err() && !self.is_learned(at) {
            self.begin(at, Ballot::ZERO, Stage::Awaiting, out);
        }
    }

    /// It is committed: nothing has to be done about it any more. Tells whether it had to go after the commit.
    fn end(&mut self, at: Instance, out: &mut Out<Server>) -> bool {
        let Ok(place) = self.place(at) else { return false };
        let (_, Open { tries, .. }) = self.open.remove(place);
        self.patience = self.patience.saturating_sub(u8::from(tries == 0));
        out.cancel(timer(at));
        tries > 0
    }

    fn set_timer(&mut self, at: Instance, out: &mut Out<Server>) {
        let Config { timeout, recovery_timeout, .. } = self.config;
        let Ok(place) = self.place(at) else { return };
        let open = &self.open[place].1;
        let doublings = open.tries + self.patience / STEPS;
        match open.stage {
            Stage::PreAccepting { .. } | Stage::Accepting { .. } => {
                let least = timeout << doublings.min(DOUBLINGS);
                out.set_timer(timer(at), least, least);
            }
            _ => {
                let least = recovery_timeout << doublings.min(RECOVERY_DOUBLINGS);
                out.set_timer(timer(at), least, 2 * least);
            }
        }
    }

    /// Asks all again that have not answered the own PreAccept or Accept.
    fn ask_again(&mut self, at: Instance, out: &mut Out<Server>) {
        let all = self.all();
        let initial = self.disk.get(at).and_then(|record| record.initial.clone());
        out.because(ASKS_AGAIN, facts![at.lane, at.slot]);
        match (self.stage(at), initial) {
            (Some((_, Stage::PreAccepting { replies, .. })), Some(value)) => {
                out.broadcast(all.minus(*replies), Msg::PreAccept { at, value });
            }
            (Some((ballot, Stage::Accepting { acks, value })), _) => {
                out.broadcast(all.minus(*acks), Msg::Accept { at, ballot, value: Arc::clone(value) });
            }
            _ => {}
        }
        if let Ok(place) = self.place(at) {
            let tries = &mut self.open[place].1.tries;
            *tries = (*tries + 1).min(DOUBLINGS);
        }
        self.set_timer(at, out);
    }

    fn tally(&self, at: Instance, stage: &Stage) -> Option<Tally> {
        let (fast, slow) = (self.config.fast.need(), self.config.slow.need());
        let tally = |of, from, need| Some(Tally { of, slot: at.slot, from, need });
        match stage {
            Stage::Awaiting | Stage::Committing | Stage::Waiting(_) => None,
            Stage::PreAccepting { replies, .. } => tally("pre-acceptances", *replies, fast),
            Stage::Accepting { acks, .. } => tally("acceptances", *acks, slow),
            Stage::Preparing { reports } => tally("reports", reports.iter().map(|(node, _)| *node).collect(), slow),
            Stage::Validating { validation, replies, .. } => tally("validations", *replies, validation.quorum.len()),
        }
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out<Server>) -> Server {
        if !disk.lanes.is_empty() && !out.rule(REMEMBERS, facts![]) {
            disk = Disk::default();
        }
        let mut server = Server {
            me,
            config: *config,
            disk,
            interference: Interference::default(),
            machines: Vec::new(),
            executed: vec![Executed::default(); usize::from(config.replicas)],
            open: Vec::new(),
            blocked: Vec::new(),
            quorum: config.fast.smallest_from(me, config.replicas),
            patience: 0,
            restarting: true,
        };
        for place in 0..server.disk.lanes.len() {
            for slot in 1..=server.disk.last(place) {
                let at = Instance { lane: place as u16 + 1, slot };
                let Some(Record { phase, value, initial, .. }) = server.disk.get(at).cloned() else { continue };
                for value in initial.iter().chain(&value) {
                    server.interference.note(at, value);
                }
                match phase {
                    Phase::Initial => {}
                    Phase::PreAccepted | Phase::Accepted => server.expect(at, out),
                    Phase::Committed => server.learn(at, out),
                }
            }
        }
        server.restarting = false;
        server
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::PreAccept { at, ref value } => self.on_pre_accept(from, at, value, out),
            Msg::PreAcceptReply { at, ref value } => self.on_pre_accept_reply(from, at, value, out),
            Msg::Accept { at, ballot, ref value } => self.on_accept(from, at, ballot, value, out),
            Msg::AcceptReply { at, ballot } => self.on_accept_reply(from, at, ballot, out),
            Msg::Commit { at, ref value } => self.on_commit(from, at, value, out),
            Msg::Prepare { at, ballot } => self.on_prepare(from, at, ballot, out),
            Msg::PrepareReply { at, ballot, ref report } => self.on_prepare_reply(from, (at, ballot), report, out),
            Msg::Validate { at, ballot, ref value } => self.on_validate(from, (at, ballot), value, out),
            Msg::ValidateReply { at, ballot, ref against, committed } => {
                self.on_validate_reply(from, (at, ballot), (against, committed), out);
            }
            Msg::Waiting { at, support } => self.on_waiting(at, support, out),
            Msg::Ask { at } => {
                self.tell_committed(from, at, out);
            }
            Msg::Nack { at, promised } => self.on_nack(at, promised),
        }
    }

    fn on_timer(&mut self, Timer::Instance(number): Timer, out: &mut Out<Server>) {
        let at = instance(number);
        let Ok(place) = self.place(at) else { return };
        let open = &self.open[place].1;
        let preempted = open.seen > open.ballot;
        if open.tries == 0 {
            self.patience = (self.patience + STEPS).min(DOUBLINGS * STEPS);
        }
        match open.stage {
            Stage::Committing => {}
            Stage::PreAccepting { .. } if !preempted => {
                self.count_replies(at, true, out);
                if let Some((_, Stage::PreAccepting { .. })) = self.stage(at) {
                    self.ask_again(at, out);
                }
            }
            Stage::Accepting { .. } if !preempted => self.ask_again(at, out),
            _ => self.recover(at, out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        // A command that is about nothing interferes with nothing, and there is nothing to execute.
        if command.op.object().is_none() {
            return out.reply(command.client, command.seq, Answer::Done(Outcome::Refused));
        }
        match self.outcome(command) {
            Some(outcome) if out.rule(HAS_EXECUTED, facts![command]) => {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
            _ if self.is_under_way(command) => {}
            _ => self.propose(command, out),
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Of the instances that it leads or recovers, the first.
    fn status(&self) -> NodeStatus {
        let mut busy = self.open.iter().filter(|(_, open)| open.stage != Stage::Awaiting);
        let first = busy.next();
        let role = match first {
            None => "replica",
            Some((_, Open { ballot: Ballot::ZERO, .. })) => "command leader",
            Some(_) => "recovering",
        };
        let place = usize::from(self.me.0);
        NodeStatus {
            role,
            leads: false,
            epoch: first.map_or(Ballot::ZERO, |(_, open)| open.ballot).epoch(),
            leader: None,
            tally: first.and_then(|(at, open)| self.tally(*at, &open.stage)),
            blocked: None,
            // Its own instances.
            log: LogStatus {
                first: 1,
                last: self.disk.last(place),
                committed: self.executed[place].upto,
                applied: self.executed[place].upto,
            },
            members: self.all(),
        }
    }

    /// One of its own instances.
    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let at = Instance { lane: u16::from(self.me.0) + 1, slot };
        let record = self.disk.get(at)?;
        let command = record.value.as_ref()?.command;
        Some(EntryStatus { epoch: record.accepted.epoch(), command: Some(command), chosen: self.is_learned(at) })
    }

    fn tallies(&self, see: &mut dyn FnMut(Tally)) {
        self.open.iter().filter_map(|(at, open)| self.tally(*at, &open.stage)).for_each(see);
    }
}

/// f and e: how many replicas of n may crash, and with how many crashed there still is a fast-path quorum. EPaxos*: n ≥ max(2e+f−1, 2f+1).
const fn crashes(n: u32) -> (u32, u32) {
    let f = (n - 1) / 2;
    let e = (n + 1 - f) / 2;
    (f, if e < f { e } else { f })
}

/// The messages of phase 1 and the Commit.
fn fast_count(n: u32, settings: &Settings) -> u32 {
    let asked = if settings.flag(SEND_THRIFTY) { n - crashes(n).1 - 1 } else { n - 1 };
    2 * asked + n - 1
}

/// The count on this path, with PreAccept to one quorum or to everybody.
fn count(n: u32, settings: &Settings, thrifty: bool, fast: bool) -> Option<u32> {
    let applies = settings.flag(SEND_THRIFTY) == thrifty && settings.flag(USE_FAST_PATH) == fast;
    applies.then(|| fast_count(n, settings) + if fast { 0 } else { 2 * (n / 2) })
}

impl Protocol for EPaxos {
    const CARD: Card = Card {
        key: "epaxos",
        title: "EPaxos",
        says: "Any replica orders the commands of the clients near it, in one round trip unless another command about the same thing is under way.",
        paper: "Iulian Moraru, David G. Andersen, Michael Kaminsky, There Is More Consensus in Egalitarian Parliaments, SOSP 2013; recovery: Fedor Ryabinin, Alexey Gotsman, Pierre Sutra, Making Democracy Work: Fixing and Simplifying Egalitarian Paxos, OPODIS 2025",
        epoch: "ballot",
        family: Family::Leaderless,
        optimises: "latency at every site",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Graph,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "2(fq−1) + (n−1)",
                count: |n, settings| count(n, settings, true, true),
                source: "EPaxos, figure 2 and the optimized protocol, the fast path: PreAccept to a fast-path quorum of fq = n−e, with its leader; replies; a Commit to everybody",
            },
            Formula {
                text: "3(n−1)",
                count: |n, settings| count(n, settings, false, true),
                source: "EPaxos, figure 2, the fast path: PreAccept to everybody, replies, a Commit to everybody",
            },
            Formula {
                text: "2(fq−1) + 2⌊n/2⌋ + (n−1)",
                count: |n, settings| count(n, settings, true, false),
                source: "EPaxos, figure 2, the slow path: also an Accept to ⌊n/2⌋ others, and replies",
            },
            Formula {
                text: "3(n−1) + 2⌊n/2⌋",
                count: |n, settings| count(n, settings, false, false),
                source: "EPaxos, figure 2, the slow path: also an Accept to ⌊n/2⌋ others, and replies",
            },
        ],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let n = u32::from(setup.replicas);
        let (f, e) = crashes(n);
        let config = Config {
            replicas: setup.replicas,
            errors: e as u8,
            fast: QuorumSystem::Threshold((n - e) as u8),
            slow: QuorumSystem::Threshold((n - f) as u8),
            thrifty: settings.flag(SEND_THRIFTY),
            fast_path: settings.flag(USE_FAST_PATH),
            timeout: settings.duration(TIMEOUT, setup.rtt_max + setup.rtt_max / 2 + 1),
            recovery_timeout: settings.duration(RECOVERY_TIMEOUT, 4 * setup.rtt_max.max(5_000)),
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::INVARIANTS
    }
}

#[cfg(test)]
mod tests;

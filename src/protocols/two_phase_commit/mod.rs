//! Two-phase commit: all nodes commit a transaction, or none does. It is atomic commitment, not replication: every node must say yes, so one
//! that is down stops everything, and when the coordinator dies at the wrong moment the others can neither commit nor abort.
//!
//! Jim Gray, *Notes on Data Base Operating Systems* (1978), §5.8.3.3; Lampson and Sturgis, *Crash Recovery in a Distributed Data Storage System*
//! (1976); Bernstein, Hadzilacos, Goodman, *Concurrency Control and Recovery in Database Systems* (1987), chapter 7 (time-outs, recovery,
//! cooperative termination); Mohan, Lindsay, Obermarck, *Transaction Management in the R\* Distributed Database Management System* (1986)
//! (acknowledgements, presumed abort, presumed commit).
//!
//! A client's command is a transaction in which every node takes part:
//!
//! * **Phase 1.** The **coordinator** (node 1, a participant itself) asks for votes ([`Msg::Prepare`]). A **participant** votes yes once that is on
//!   its disk ([`Msg::VoteYes`]), and from then on it is in doubt: what the transaction uses stays locked. Or it aborts, and votes no
//!   ([`Msg::VoteNo`]).
//! * **Phase 2.** With a yes from everybody the coordinator writes its commit record, which is the decision, executes the command, answers the client,
//!   and tells the others ([`Msg::Commit`]). With a no, or too few votes in time, it tells them [`Msg::Abort`]. Whoever has a commit on its disk
//!   says so ([`Msg::Ack`]), and when all have, the coordinator forgets the transaction.
//! * **In doubt** for too long, a participant asks the others ([`Msg::DecisionReq`]). One that knows the decision tells it; one that has not voted
//!   aborts; one in doubt says so ([`Msg::Uncertain`]). If all are in doubt and the coordinator is down, they are **blocked** until it is back.
//!
//! **What is counted.** Prepare, vote and decision for each of the n−1 others: 3(n−1), three message delays (Gray and Lamport, *Consensus on
//! Transaction Commit*, 2006, §3.2: 3N−1 with a transaction manager of its own, 3N−3 where it is with the first resource manager). The
//! acknowledgement is a fourth, off the critical path: the client has its answer by then, but only with it can the coordinator forget. Who
//! presumes commit needs none for commits.
//!
//! **What holds.** Agreement: no two nodes decide differently on a transaction (AC1), and no node changes its decision (AC2). An abort is told to the
//! judges as a no-op in that transaction's place. There is no one order: transactions on different keys are executed in different orders at different
//! nodes; those on one key in the same order, because of the locks. What clients see is linearizable, and not by virtue of two-phase commit: all commands,
//! reads as well, are transactions that one node executes and answers, at the moment of its decision. The other copies are behind, and nobody reads
//! them. Progress is not promised: it takes all nodes.
//!
//! **An aborted transaction** is not executed, and its client is told to ask again, which makes a new transaction: so a command takes effect
//! once, even if an abort was told by a coordinator that did not live to remember it.

mod coordinator;
mod invariants;
mod message;
mod participant;
mod rules;
#[cfg(test)]
mod tests;

pub use message::Msg;
pub use rules::*;

use crate::core::hash::Digest;
use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Blocked, Card, Command, Contact, EntryStatus, Epoch, Exchange, Family, Faults, Formula, LeaderModel, Log,
    LogStatus, Micros, NodeId, NodeSet, NodeStatus, Op, Out, Promises, Rule, Sentence, Setting, Shots, Slot, Tally,
    TimingModel,
};
use crate::facts;
use crate::services::Machine;
use coordinator::{Ending, Open};
use participant::Doubt;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct TwoPhaseCommit;

/// The coordinator of every transaction.
pub const COORDINATOR: NodeId = NodeId(0);

/// Decided transactions that a node keeps in its log for those who ask late.
const KEEP: Slot = 256;
/// Transaction numbers reserved on the coordinator's disk at a time.
const BLOCK: Slot = 16;
/// The time between two questions doubles up to this often.
const DOUBLINGS: u8 = 3;

crate::timers! {
    /// A node's timers, one for each transaction that is not settled.
    pub enum Timer {
        /// The coordinator misses votes.
        Votes(at: Slot) = { name: "vote timeout", says: "asks again for the votes that are missing, or aborts", acts: true };
        /// The coordinator misses acknowledgements.
        Acks(at: Slot) = { name: "acknowledgement timeout", says: "sends the decision again to those that have not acknowledged it", acts: true };
        /// A participant misses the decision.
        Doubt(at: Slot) = { name: "decision timeout", says: "asks what was decided", acts: true };
    }
}

/// What it means that the coordinator knows nothing of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Presume {
    /// It has aborted.
    Abort,
    /// Nothing: every decision is acknowledged before it is forgotten. A transaction of which nothing is known even so was never begun.
    Nothing,
    /// It has committed.
    Commit,
}

/// What a node is told before it starts. Times in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    nodes: u8,
    presume: Presume,
    cooperative: bool,
    refuse: u16,
    timeout: Micros,
    tries: u8,
}

impl Config {
    fn all(&self) -> NodeSet {
        NodeSet::first(self.nodes)
    }

    /// How long to wait for an answer after so many questions without one.
    fn patience(&self, asked: u8) -> Micros {
        self.timeout << asked.min(DOUBLINGS)
    }

    /// Whether a decision is kept until everybody has acknowledged it: unless it would be presumed anyway.
    fn acknowledged(&self, commit: bool) -> bool {
        match self.presume {
            Presume::Abort => commit,
            Presume::Nothing => true,
            Presume::Commit => !commit,
        }
    }
}

/// What a node's log says of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Record {
    /// Nothing: not begun, not voted for, or forgotten.
    #[default]
    Unknown,
    /// The coordinator's start record.
    Started(Command),
    /// A participant's yes.
    Prepared(Command),
    /// Committed, and executed.
    Committed {
        /// What.
        command: Command,
        /// Whether everybody is known to have it on disk; true at a participant.
        ended: bool,
    },
    /// Aborted.
    Aborted {
        /// Whether everybody is known to have it on disk, where that matters; true at a participant.
        ended: bool,
    },
}

impl Record {
    /// The decision, if there is one: whether to commit.
    fn decision(self) -> Option<bool> {
        match self {
            Record::Committed { .. } => Some(true),
            Record::Aborted { .. } => Some(false),
            Record::Unknown | Record::Started(_) | Record::Prepared(_) => None,
        }
    }
}

/// All that survives a crash: the log of transactions (by number), and the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    log: Log<Record>,
    /// The data, with all transactions executed that the log says are committed.
    data: Machine,
    /// One number for the set of transactions executed, whatever their order.
    executed: u64,
    /// The coordinator's: numbers up to this one may have been given.
    reserved: Slot,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    /// Log records that are not forced: written together with the next one that is.
    unforced: Vec<(Slot, Record)>,
    // The coordinator.
    /// The number given last.
    last: Slot,
    /// Transactions whose votes are being counted, or whose commit record is being written.
    open: Vec<Open>,
    /// Transactions decided whose acknowledgements are being counted.
    ending: Vec<Ending>,
    /// Commands that wait for a lock, first come first.
    waiting: Vec<Command>,
    // A participant.
    /// Transactions voted for, of which the decision is not known.
    doubts: Vec<Doubt>,
}

/// What an operation locks: a key of the store, or (`None`) all that is no store.
fn locked(op: Op) -> Option<u16> {
    match op {
        Op::Read { key } | Op::Write { key, .. } | Op::CompareAndSet { key, .. } | Op::WriteOwn { key } => Some(key),
        _ => None,
    }
}

/// Whether two commands must not be under way at once. Reads share a lock.
fn conflict(one: &Command, other: &Command) -> bool {
    locked(one.op) == locked(other.op) && !(one.op.is_read() && other.op.is_read())
}

impl Server {
    fn coordinates(&self) -> bool {
        self.me == COORDINATOR
    }

    fn others(&self) -> NodeSet {
        self.config.all().without(self.me)
    }

    /// What the log says of a transaction, unforced records included.
    fn record(&self, at: Slot) -> Record {
        let unforced = self.unforced.iter().rev().find(|(slot, _)| *slot == at).map(|(_, record)| *record);
        unforced.or_else(|| self.disk.log.get(at).copied()).unwrap_or_default()
    }

    /// Whether the log is cut off there: long decided.
    fn is_forgotten(&self, at: Slot) -> bool {
        at < self.disk.log.first()
    }

    /// Adds a record to the log that is written whenever the next one is forced.
    fn note(&mut self, at: Slot, record: Record) {
        self.unforced.push((at, record));
    }

    /// Adds a record to the log and writes it: what is sent from now on leaves when it is on the disk.
    fn force(&mut self, at: Slot, record: Record, out: &mut Out<Server>) {
        self.note(at, record);
        let mut first = at;
        for (at, record) in std::mem::take(&mut self.unforced) {
            first = first.min(at);
            self.write(at, record);
        }
        self.cut_off();
        out.save_entries(first);
    }

    fn write(&mut self, at: Slot, record: Record) {
        while self.disk.log.last() < at {
            self.disk.log.push(Record::Unknown);
        }
        let Some(place) = self.disk.log.get_mut(at) else { return };
        let before = std::mem::replace(place, record);
        if let Record::Committed { command, .. } = record
            && before.decision().is_none()
        {
            self.disk.data.apply_new(command, self.me);
            self.disk.executed = self.disk.executed.wrapping_add(Digest::of(&at));
        }
    }

    /// Forgets the oldest transactions in the log, as long as all is settled there.
    fn cut_off(&mut self) {
        if self.disk.log.last() < self.disk.log.first() + 2 * KEEP {
            return;
        }
        let unsettled = self.unsettled().map_or(Slot::MAX, |at| at - 1);
        self.disk.log.compact_to(unsettled.min(self.disk.log.last() - KEEP));
    }

    /// The first transaction that is not decided here.
    fn undecided(&self) -> Option<Slot> {
        let open = self.open.iter().map(|open| open.at);
        open.chain(self.doubts.iter().map(|doubt| doubt.at)).min()
    }

    /// The first transaction that is not settled here: not decided, or not acknowledged by everybody.
    fn unsettled(&self) -> Option<Slot> {
        let ending = self.ending.iter().map(|ending| ending.at);
        ending.chain(self.undecided()).min()
    }

    /// Notes that a transaction is aborted, and tells the judges.
    fn aborted(&mut self, at: Slot, ended: bool, forced: bool, out: &mut Out<Server>) {
        let record = Record::Aborted { ended };
        if forced {
            self.force(at, record, out)
        } else {
            self.note(at, record)
        }
        out.chosen(at, Command::NOOP);
    }

    /// Aborts by itself, before it has voted yes. That is on the disk before anybody hears of it, the judges included: until then a crash
    /// undoes it.
    fn abort_unilaterally(&mut self, at: Slot, out: &mut Out<Server>) {
        out.because(ABORTS_ALONE, facts![at]);
        out.because(SAVES_ABORT, facts![at]);
        self.force(at, Record::Aborted { ended: true }, out);
        out.send(self.me, Msg::Abort { at });
    }

    /// Whether it votes no for reasons of its own.
    fn refuses(&self, out: &mut Out<Server>) -> bool {
        self.config.refuse > 0 && out.chance(self.config.refuse)
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Server>) -> Server {
        let mut server = Server {
            me,
            config: *config,
            disk,
            unforced: Vec::new(),
            last: 0,
            open: Vec::new(),
            ending: Vec::new(),
            waiting: Vec::new(),
            doubts: Vec::new(),
        };
        if server.coordinates() {
            server.recover_coordinator(out)
        } else {
            server.recover_participant(out)
        }
        server
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match (*message, self.coordinates()) {
            (Msg::VoteYes { at }, true) => self.on_yes(from, at, out),
            (Msg::VoteNo { at }, true) => self.on_no(from, at, out),
            (Msg::Commit { at }, true) if from == self.me => self.announce(at, out),
            (Msg::Ack { at }, true) => self.on_ack(from, at, out),
            (Msg::DecisionReq { at }, true) => self.tell_decision(from, at, out),
            (Msg::Prepare { at, command }, false) => self.on_prepare(from, at, command, out),
            (Msg::Commit { at }, false) => self.on_commit(from, at, out),
            // What it decided by itself is on its disk now.
            (Msg::Abort { at }, false) if from == self.me => out.chosen(at, Command::NOOP),
            (Msg::Abort { at }, false) => self.on_abort(from, at, out),
            (Msg::DecisionReq { at }, false) => self.help(from, at, out),
            (Msg::Uncertain { at }, false) => self.on_uncertain(from, at),
            // Nobody says that to this one.
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match timer {
            Timer::Votes(at) => self.votes_missing(at, out),
            Timer::Acks(at) => self.acks_missing(at, out),
            Timer::Doubt(at) => self.decision_missing(at, out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        if self.coordinates() {
            return self.on_command(command, out);
        }
        out.because(SENDS_ON, facts![COORDINATOR]);
        out.reply(command.client, command.seq, Answer::Redirect(Some(COORDINATOR)));
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let unwritten = self.unforced.iter().map(|(at, _)| *at).chain(self.open.iter().map(|open| open.at));
        let last = unwritten.max().unwrap_or(0).max(self.disk.log.last());
        let decided = self.undecided().map_or(last, |at| at - 1);
        NodeStatus {
            role: match (self.coordinates(), self.doubts.is_empty()) {
                (true, _) => "coordinator",
                (false, true) => "participant",
                (false, false) => "participant in doubt",
            },
            leads: self.coordinates(),
            epoch: EPOCH,
            leader: Some(COORDINATOR),
            tally: self.open.iter().find(|open| !open.decided).map(|open| self.votes(open)),
            blocked: self.doubts.iter().find(|doubt| doubt.asked > 0).map(|doubt| self.blocked(doubt)),
            log: LogStatus { first: self.disk.log.first(), last, committed: decided, applied: decided },
            members: self.config.all(),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        self.coordinates().then_some(EPOCH)
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let open = || self.open.iter().find(|open| open.at == slot).map(|open| (Some(open.command), false));
        let (command, chosen) = match self.record(slot) {
            Record::Unknown => open()?,
            Record::Started(command) | Record::Prepared(command) => (Some(command), false),
            Record::Committed { command, .. } => (Some(command), true),
            Record::Aborted { .. } => (None, true),
        };
        Some(EntryStatus { epoch: EPOCH, command, chosen })
    }

    fn tallies(&self, see: &mut dyn FnMut(Tally)) {
        self.open.iter().filter(|open| !open.decided).for_each(|open| see(self.votes(open)));
        for ending in &self.ending {
            let (from, need) = (self.others().minus(ending.missing), self.config.nodes - 1);
            see(Tally { of: "acknowledgements", slot: ending.at, from, need });
        }
    }
}

/// There is one coordinator and no other.
const EPOCH: Epoch = Epoch { number: 1, owner: Some(COORDINATOR) };

impl Server {
    fn votes(&self, open: &Open) -> Tally {
        Tally { of: "votes", slot: open.at, from: open.yes, need: self.config.nodes }
    }

    fn blocked(&self, doubt: &Doubt) -> Blocked {
        let asked = if self.config.cooperative { self.others() } else { NodeSet::just(COORDINATOR) };
        let on = asked.minus(doubt.uncertain);
        Blocked { on, at: doubt.at, because: "has voted yes and may not decide alone" }
    }
}

/// A count that holds while no node votes no for reasons of its own.
fn if_willing(settings: &crate::core::Settings, count: u32) -> Option<u32> {
    (settings.count(REFUSE) == 0).then_some(count)
}

impl Protocol for TwoPhaseCommit {
    const CARD: Card = Card {
        key: "two-phase-commit",
        title: "Two-phase commit",
        says: "All nodes commit a transaction or none does: node 1 asks everybody to vote, and decides. It blocks when node 1 dies after the votes.",
        paper: "Jim Gray, Notes on Data Base Operating Systems, 1978; Bernstein, Hadzilacos, Goodman, Concurrency Control and Recovery in Database Systems, 1987, ch. 7",
        epoch: "epoch",
        family: Family::Foil,
        optimises: "few messages; every node may refuse",
        min_replicas: 2,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Transactions,
        leader: LeaderModel::Fixed,
        contact: Contact::Leader,
        promises: Promises::AGREEMENT.and(Promises::LINEARIZABLE).and(Promises::ONE_LEADER),
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "3(n−1)",
                count: |n, settings| {
                    if_willing(settings, 3 * (n - 1)).filter(|_| settings.choice(PRESUME) == Presume::Commit as u8)
                },
                source: "Gray, Lamport, Consensus on Transaction Commit (2006), §3.2; no acknowledgements: Mohan, Lindsay, Obermarck (1986), §4",
            },
            Formula {
                text: "3(n−1) + (n−1)",
                count: |n, settings| if_willing(settings, 4 * (n - 1)),
                source: "Gray, Lamport, Consensus on Transaction Commit (2006), §3.2; acknowledgements, off the critical path: Mohan, Lindsay, Obermarck (1986), §2 and §3",
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
        let config = Config {
            nodes: setup.replicas,
            presume: match settings.choice(PRESUME) {
                0 => Presume::Abort,
                1 => Presume::Nothing,
                _ => Presume::Commit,
            },
            cooperative: settings.flag(COOPERATIVE),
            refuse: settings.count(REFUSE) as u16,
            // A round trip, and time for disks: no protocol knows how long a forced write takes.
            timeout: settings.duration(TIMEOUT, setup.rtt_max + setup.rtt_max / 2 + 20_000),
            tries: settings.count(TRIES) as u8,
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    /// All must vote, so all must be there. Where they refuse more often than that, a transaction hardly ever finds all of them willing.
    fn live(setup: &Setup, healthy: u8) -> bool {
        healthy == setup.replicas && setup.settings.count(REFUSE) <= 100
    }

    fn exchange() -> Option<Exchange<Server>> {
        Some(Exchange {
            alike: |setup, asked| NodeSet::first(setup.replicas).without(COORDINATOR).minus(asked),
            node: |server, names| {
                names.node(&mut server.me);
                server.open.iter_mut().for_each(|open| names.set(&mut open.yes));
                server.ending.iter_mut().for_each(|ending| names.set(&mut ending.missing));
                server.doubts.iter_mut().for_each(|doubt| names.set(&mut doubt.uncertain));
            },
            disk: |_, _| {},
            message: |_, _| {},
        })
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::ALL
    }
}

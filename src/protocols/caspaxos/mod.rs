//! CASPaxos: a rewritable register for each key, without a leader and without a log.
//!
//! Denis Rystsov, *CASPaxos: Replicated State Machines without logs*, arXiv 1802.07000 (2018). It is the [Synod](super::synod) with one
//! change: the proposer does not send on the state that it found, but what a client's *change function* makes of it. Every node is
//! proposer and acceptor, for each register apart (§3): registers have nothing to do with each other.
//!
//! * A **proposer** takes a ballot (counter, ID) and asks the acceptors to promise it ([`Msg::Prepare`], [`Msg::Promise`]). From a quorum of
//!   promises it takes the state accepted in the highest ballot, applies the change, and asks to accept the new state ([`Msg::Accept`],
//!   [`Msg::Accepted`]). With a quorum the change is acknowledged, and the client is told.
//! * An **acceptor** keeps, for each register, the highest ballot it saw and the state it accepted last. It answers with a conflict
//!   ([`Msg::Conflict`]) to whoever comes with a lower ballot; that proposer sets its counter forward and tries again after a random pause.
//! * With the **one-round trip optimization** (§2.2.1, setting `one_round`) an accept message is also the prepare message of the proposer's
//!   next ballot. As long as no other proposer comes between, the next change of this register takes one round trip.
//!
//! **Versions.** The state counts the changes that led to it. A change that was accepted by a minority only may be the current state of the
//! next proposer, and then it is in all later states; or the next quorum does not hear of it, and it never happened. Either way
//! there is one chain: by the paper's theorem 1 all acknowledged states are descendants of each other, and each step of the
//! chain adds 1. So a register's versions 1, 2, 3, … are decided once each, like the slots of a log, although nobody keeps that log.
//! Whoever has a state acknowledged thereby knows all changes before it, and reports those that the state still tells of.
//!
//! **At most once.** A change function must not be applied twice to the same register, and it easily would be: a proposer that meets a
//! conflict in the accept phase does not know whether its state was accepted, begins again, and may find its own change in the current
//! state; and a client without an answer asks another proposer. The paper leaves it to clients to make a change conditional on the version. Here
//! the state itself carries what tells (the last command of each client, its outcome and its version), because there is nothing else that every
//! later proposer is sure to see: no log to look it up in, and no proposer that remembers. It must be part of the value agreed on, for a table
//! kept beside it at the acceptors might be older or newer than the value a proposer adopts. A change that is found is not made again, but
//! the state is written once more under the new ballot: that it was found with one acceptor does not mean that a quorum has it.
//!
//! **Any state machine will do** for one register, so a lock with the store that it guards, a queue, a barrier, an entry of the configuration
//! or a topic is a register, too. What they hold travels whole in every promise and accept message: small states suit CASPaxos best. And
//! since states are replicated, not commands, a change whose result differs from replica to replica does no harm here.
//!
//! Not here: *deletion* (§3.1), because no client of any service deletes a key, so there is never a tombstone to collect; its two
//! halves (identity to all nodes, then ages of proposers) would have no run in which they matter. *Membership change* (§2.2.2) is driven by
//! an operator who reconfigures every proposer in turn, without the cluster's own agreement.

mod invariants;
mod message;
mod rules;
mod state;

pub use message::Msg;
pub use rules::*;
pub use state::{Change, State};

use crate::core::node::{HistoryInvariant, Invariant, Node, Protocol, SettingError, Setup};
use crate::core::{
    Answer, Ballot, Card, Command, Contact, EntryStatus, Exchange, Family, Faults, Formula, Instance, LeaderModel,
    LogStatus, Micros, NodeId, NodeSet, NodeStatus, Out, Outcome, Promises, Quorums, Rule, Sentence, Setting, Shots,
    Slot, Tally, TimingModel,
};
use crate::facts;
use std::sync::Arc;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct CasPaxos;

/// Registers are counted from 0, slots from 1: where a picture has slots, it has registers here.
fn shown(register: u16) -> Slot {
    Slot::from(register) + 1
}

/// What a node is told before it starts. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    quorums: Quorums,
    one_round: bool,
    random_backoff: bool,
    backoff: Micros,
    timeout: Micros,
}

/// An acceptor's part of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Acceptor {
    /// The highest ballot seen. Invariant: `accepted <= promised`.
    promised: Ballot,
    /// The ballot in which `state` was accepted.
    accepted: Ballot,
    state: Arc<State>,
}

/// Durable state: all that survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The proposer's counter, one for all registers: the highest it has used.
    counter: u32,
    /// The acceptor, by register.
    registers: Vec<Acceptor>,
}

crate::timers! {
    /// A proposer's timers, one for each register.
    pub enum Timer {
        /// The time for a quorum to answer, or the pause after a conflict.
        Retry(register: u16) = { name: "retry", says: "asks those again that have not answered or, after a conflict, begins a higher ballot", acts: true };
    }
}

/// What a proposer is doing with a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Stage {
    /// Nothing.
    #[default]
    Idle,
    /// Phase 1: who has promised, and the state of the highest ballot they reported.
    Preparing { promises: NodeSet, accepted: Ballot, current: Arc<State> },
    /// Phase 2: who has accepted the new state, and promised the next ballot if it is real.
    Accepting { acceptances: NodeSet, next: Ballot, state: Arc<State> },
    /// There was a conflict: waits before its next ballot.
    Pausing,
}

/// What a proposer keeps of its last change (§2.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cache {
    /// The ballot in which `state` was accepted.
    accepted: Ballot,
    /// The ballot that was promised by whoever accepted it.
    next: Ballot,
    /// Those who did; nobody once a higher ballot was heard of.
    promises: NodeSet,
    state: Arc<State>,
}

/// A proposer's part of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Proposer {
    /// Changes that clients want, the one under way first: one at a time, each on the state that the one before gave.
    waiting: Vec<Command>,
    stage: Stage,
    /// The ballot under way, or the last one.
    ballot: Ballot,
    cache: Option<Cache>,
    /// How often there was a conflict, and how often no quorum answered in time, since the last change that was acknowledged. A timeout that knew nothing of how
    /// busy the others are would add copies as fast as they answer.
    conflicts: u8,
    late: u8,
    /// The highest version known to be acknowledged; all up to here was reported.
    known: Slot,
}

/// One node: proposer and acceptor of every register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    /// By register.
    proposers: Vec<Proposer>,
    /// The highest counter heard of.
    seen: u32,
}

/// A random pause doubles its longest span each time, and the time for a quorum to answer doubles, up to this often.
const DOUBLINGS: u8 = 6;

/// The place of `register` in a list that grows as needed.
fn place<T: Default + Clone>(list: &mut Vec<T>, register: u16) -> &mut T {
    let register = usize::from(register);
    if list.len() <= register {
        list.resize(register + 1, T::default());
    }
    &mut list[register]
}

impl Server {
    fn proposer(&mut self, register: u16) -> &mut Proposer {
        place(&mut self.proposers, register)
    }

    // The proposer (§2.2).

    /// A ballot that nobody has used, higher than any heard of.
    fn new_ballot(&mut self, register: u16, out: &mut Out<Server>) -> Ballot {
        self.disk.counter = self.disk.counter.max(self.seen) + 1;
        let round = self.disk.counter;
        let node = if out.rule(TAKES_BALLOT, facts![Ballot { round, node: self.me }]) { self.me } else { NodeId(0) };
        out.because(SAVES_COUNTER, facts![round]);
        out.save_entries(shown(register));
        Ballot { round, node }
    }

    /// Begins the first change that waits: with a prepare phase, unless the promises came with the last acceptances.
    fn begin(&mut self, register: u16, out: &mut Out<Server>) {
        let phase1 = self.config.quorums.phase1;
        match self.proposer(register).cache.take() {
            Some(Cache { next, promises, state, .. }) if phase1.is_quorum(promises) => {
                out.because(LEAVES_OUT_PREPARE, facts![next, promises]);
                self.proposer(register).ballot = next;
                self.accept(register, &state, out);
            }
            Some(Cache { state, .. }) if !out.rule(KEPT_STATE_IS_OLD, facts![register]) => {
                self.proposer(register).ballot = self.new_ballot(register, out);
                self.accept(register, &state, out);
            }
            _ => self.prepare(register, out),
        }
    }

    /// Phase 1 with a new ballot.
    fn prepare(&mut self, register: u16, out: &mut Out<Server>) {
        let ballot = self.new_ballot(register, out);
        let proposer = self.proposer(register);
        proposer.ballot = ballot;
        proposer.stage = Stage::Preparing { promises: NodeSet::EMPTY, accepted: Ballot::ZERO, current: Arc::default() };
        self.ask(register, out);
    }

    /// Phase 2: applies the first change that waits to the current state.
    fn accept(&mut self, register: u16, current: &Arc<State>, out: &mut Out<Server>) {
        let Some(&command) = self.proposer(register).waiting.first() else { return };
        out.because(APPLIES, facts![command, current.version]);
        let state = current.changed(command, self.me, out);
        let mut next = Ballot::ZERO;
        if self.config.one_round {
            out.because(ASKS_FOR_NEXT, facts![]);
            next = self.new_ballot(register, out);
        }
        self.proposer(register).stage = Stage::Accepting { acceptances: NodeSet::EMPTY, next, state };
        self.ask(register, out);
    }

    /// Sends what the phase under way has to ask to all who have not answered, this node's own acceptor among them.
    fn ask(&mut self, register: u16, out: &mut Out<Server>) {
        let (all, timeout) = (NodeSet::first(self.config.quorums.replicas), self.config.timeout);
        let Proposer { stage, ballot, late, .. } = self.proposer(register);
        let (ballot, timeout) = (*ballot, timeout << *late);
        match stage {
            Stage::Idle | Stage::Pausing => return,
            Stage::Preparing { promises, .. } => {
                out.broadcast(all.minus(*promises), Msg::Prepare { register, ballot });
            }
            Stage::Accepting { acceptances, next, state } => {
                let message = Msg::Accept { register, ballot, next: *next, state: Arc::clone(state) };
                out.broadcast(all.minus(*acceptances), message);
            }
        }
        out.set_timer(Timer::Retry(register), timeout, timeout);
    }

    fn on_promise(
        &mut self,
        from: NodeId,
        (register, ballot): (u16, Ballot),
        (reported, state): (Ballot, &Arc<State>),
        out: &mut Out<Server>,
    ) {
        let quorums = self.config.quorums;
        let Proposer { stage, ballot: own, .. } = self.proposer(register);
        let Stage::Preparing { promises, accepted, current } = stage else { return };
        let first = promises.is_empty();
        if ballot != *own || !promises.add(from) {
            return;
        }
        if reported > *accepted && (first || out.rule(PREFERS, facts![reported, *accepted])) {
            (*accepted, *current) = (reported, Arc::clone(state));
        }
        if !quorums.phase1.is_quorum(*promises) {
            return out.tell(COUNTS_PROMISES, facts![*promises, ballot]);
        }
        match accepted.is_real() {
            true => out.because(TAKES_STATE, facts![*accepted, *promises]),
            false => out.because(STARTS_EMPTY, facts![*promises]),
        }
        if quorums.intersect() {
            out.because(HEARS_OF_LAST_STATE, facts![]);
        }
        let current = Arc::clone(current);
        self.accept(register, &current, out);
    }

    fn on_accepted(&mut self, from: NodeId, register: u16, ballot: Ballot, out: &mut Out<Server>) {
        let phase2 = self.config.quorums.phase2;
        let Proposer { stage, ballot: own, cache, .. } = self.proposer(register);
        if let Some(cache) = cache
            && cache.accepted == ballot
            && !cache.promises.is_empty()
        {
            cache.promises.add(from);
        }
        let Stage::Accepting { acceptances, next, state } = stage else { return };
        if ballot != *own || !acceptances.add(from) {
            return;
        }
        if !phase2.is_quorum(*acceptances) {
            return out.tell(COUNTS_ACCEPTANCES, facts![*acceptances, ballot]);
        }
        let (promises, next, state) = (*acceptances, *next, Arc::clone(state));
        if next.is_real() {
            *cache = Some(Cache { accepted: ballot, next, promises, state: Arc::clone(&state) });
        }
        out.because(ACKNOWLEDGES, facts![state.version, register, ballot, promises]);
        self.acknowledged(register, &state, out);
    }

    /// A quorum has accepted `state`: it and all changes that led to it are for ever.
    fn acknowledged(&mut self, register: u16, state: &State, out: &mut Out<Server>) {
        let proposer = self.proposer(register);
        let mut new: Vec<Change> = state.changes.iter().copied().filter(|c| c.version > proposer.known).collect();
        new.sort_unstable_by_key(|change| change.version);
        for Change { command, version } in new {
            out.applied(Instance { lane: register, slot: version }, command);
        }
        proposer.known = state.version;
        (proposer.stage, proposer.conflicts, proposer.late) = (Stage::Idle, 0, 0);
        out.cancel(Timer::Retry(register));
        let done = proposer.waiting.remove(0);
        let waits = !proposer.waiting.is_empty();
        if let Some(outcome) = state.outcome(done) {
            out.reply(done.client, done.seq, Answer::Done(outcome));
        }
        if waits {
            self.begin(register, out);
        }
    }

    /// Somebody uses a higher ballot: what this proposer has under way cannot be accepted everywhere any more, and what it keeps may be old.
    fn on_higher_ballot(&mut self, register: u16, ballot: Ballot, out: &mut Out<Server>) {
        self.seen = self.seen.max(ballot.round);
        let (backoff, random) = (self.config.backoff, self.config.random_backoff);
        let proposer = self.proposer(register);
        if let Some(cache) = &mut proposer.cache
            && cache.next < ballot
        {
            cache.promises = NodeSet::EMPTY;
        }
        let under_way = matches!(proposer.stage, Stage::Preparing { .. } | Stage::Accepting { .. });
        if ballot <= proposer.ballot || !under_way {
            return;
        }
        out.because(GIVES_UP, facts![proposer.ballot, ballot, register]);
        proposer.stage = Stage::Pausing;
        proposer.conflicts = (proposer.conflicts + 1).min(DOUBLINGS);
        let longest = if random { backoff << (proposer.conflicts + 2) } else { backoff };
        out.set_timer(Timer::Retry(register), backoff, longest);
    }

    // The acceptor (§2.2).

    fn on_prepare(&mut self, from: NodeId, register: u16, ballot: Ballot, out: &mut Out<Server>) {
        let acceptor = place(&mut self.disk.registers, register);
        if ballot < acceptor.promised && out.rule(REFUSES_TO_PROMISE, facts![ballot, register, acceptor.promised]) {
            return out.send(from, Msg::Conflict { register, seen: acceptor.promised });
        }
        out.because(PROMISES, facts![ballot, register, acceptor.promised]);
        // A prepare message that comes again is answered again: the first promise may have been lost.
        if ballot != acceptor.promised {
            acceptor.promised = ballot;
            out.because(SAVES_PROMISE, facts![]);
            out.save_entries(shown(register));
        }
        let (accepted, state) = (acceptor.accepted, Arc::clone(&acceptor.state));
        out.send(from, Msg::Promise { register, ballot, accepted, state });
        if from != self.me {
            self.on_higher_ballot(register, ballot, out);
        }
    }

    fn on_accept(
        &mut self,
        from: NodeId,
        (register, ballot, next): (u16, Ballot, Ballot),
        state: &Arc<State>,
        out: &mut Out<Server>,
    ) {
        let acceptor = place(&mut self.disk.registers, register);
        // What was accepted already is confirmed again, even where the next ballot is promised by now.
        let again = ballot == acceptor.accepted && *state == acceptor.state;
        if !again {
            if ballot < acceptor.promised && out.rule(REFUSES_LOWER, facts![ballot, register, acceptor.promised]) {
                return out.send(from, Msg::Conflict { register, seen: acceptor.promised });
            }
            out.because(ACCEPTS, facts![state.version, register, ballot]);
            acceptor.promised = acceptor.promised.max(ballot).max(next);
            (acceptor.accepted, acceptor.state) = (ballot, Arc::clone(state));
            out.because(SAVES_STATE, facts![]);
            out.save_entries(shown(register));
        }
        out.send(from, Msg::Accepted { register, ballot });
        if from != self.me {
            self.on_higher_ballot(register, ballot.max(next), out);
        }
    }

    /// What it counts for a register, if anything.
    fn tally(&self, register: u16, proposer: &Proposer) -> Option<Tally> {
        let quorums = self.config.quorums;
        let tally = |of, from, need| Some(Tally { of, slot: shown(register), from, need });
        match proposer.stage {
            Stage::Idle | Stage::Pausing => None,
            Stage::Preparing { promises, .. } => tally("promises", promises, quorums.phase1.need()),
            Stage::Accepting { acceptances, .. } => tally("acknowledgements", acceptances, quorums.phase2.need()),
        }
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out<Server>) -> Server {
        if disk.counter > 0 && !out.rule(GOES_ON_ABOVE, facts![disk.counter]) {
            disk.counter = 0;
        }
        if !disk.registers.is_empty() && !out.rule(REMEMBERS, facts![]) {
            disk.registers.clear();
        }
        Server { me, config: *config, disk, proposers: Vec::new(), seen: 0 }
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Prepare { register, ballot } => self.on_prepare(from, register, ballot, out),
            Msg::Promise { register, ballot, accepted, ref state } => {
                self.on_promise(from, (register, ballot), (accepted, state), out);
            }
            Msg::Accept { register, ballot, next, ref state } => {
                self.on_accept(from, (register, ballot, next), state, out);
            }
            Msg::Accepted { register, ballot } => self.on_accepted(from, register, ballot, out),
            Msg::Conflict { register, seen } => self.on_higher_ballot(register, seen, out),
        }
    }

    fn on_timer(&mut self, Timer::Retry(register): Timer, out: &mut Out<Server>) {
        match self.proposer(register).stage {
            Stage::Idle => {}
            Stage::Pausing => self.begin(register, out),
            Stage::Preparing { .. } | Stage::Accepting { .. } => {
                let proposer = self.proposer(register);
                let ballot = proposer.ballot;
                proposer.late = (proposer.late + 1).min(DOUBLINGS);
                out.because(ASKS_AGAIN, facts![register, ballot]);
                self.ask(register, out);
            }
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        // A command that is about nothing has no register to change.
        let Some(register) = command.op.object() else {
            return out.reply(command.client, command.seq, Answer::Done(Outcome::Refused));
        };
        let proposer = self.proposer(register);
        if proposer.waiting.iter().any(|it| (it.client, it.seq) == (command.client, command.seq)) {
            return;
        }
        proposer.waiting.push(command);
        if proposer.stage == Stage::Idle {
            self.begin(register, out);
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Of the registers, the first that it proposes something for.
    fn status(&self) -> NodeStatus {
        let mut busy = (0..).zip(&self.proposers).filter(|(_, proposer)| proposer.stage != Stage::Idle);
        let first = busy.next();
        let promised = || self.disk.registers.iter().map(|acceptor| acceptor.promised).max().unwrap_or_default();
        NodeStatus {
            role: if first.is_some() { "proposer" } else { "acceptor" },
            leads: false,
            epoch: first.map_or_else(promised, |(_, proposer)| proposer.ballot).epoch(),
            leader: None,
            tally: first.and_then(|(register, proposer)| self.tally(register, proposer)),
            blocked: None,
            // There is no log.
            log: LogStatus::default(),
            members: NodeSet::first(self.config.quorums.replicas),
        }
    }

    /// The last change to a register, as its acceptor has accepted it; chosen if this node knows that a quorum has.
    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let register = slot.checked_sub(1)? as usize;
        let Acceptor { accepted, state, .. } = self.disk.registers.get(register)?;
        let command = state.last()?.command;
        let known = self.proposers.get(register).map_or(0, |proposer| proposer.known);
        Some(EntryStatus { epoch: accepted.epoch(), command: Some(command), chosen: state.version <= known })
    }

    fn tallies(&self, see: &mut dyn FnMut(Tally)) {
        (0..).zip(&self.proposers).filter_map(|(register, proposer)| self.tally(register, proposer)).for_each(see);
    }
}

impl Protocol for CasPaxos {
    const CARD: Card = Card {
        key: "caspaxos",
        title: "CASPaxos",
        says: "Each key is a register of its own: any node reads it from a quorum, changes it, and writes it back to a quorum.",
        paper: "Denis Rystsov, CASPaxos: Replicated State Machines without logs, arXiv 1802.07000, 2018",
        epoch: "ballot",
        family: Family::Leaderless,
        optimises: "no leader, no log",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Registers,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "2(n−1)",
                count: |n, settings| settings.flag(ONE_ROUND).then(|| 2 * (n - 1)),
                source: "CASPaxos §2.2.1: accept and its confirmation, for a proposer that goes on with a register",
            },
            Formula {
                text: "4(n−1)",
                count: |n, _| Some(4 * (n - 1)),
                source: "CASPaxos §2.2: prepare and accept, each confirmed",
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
            quorums: QUORUM_SETTINGS.checked(setup, QUORUMS_INTERSECT)?,
            one_round: settings.flag(ONE_ROUND),
            random_backoff: settings.choice(BACKOFF) == 0,
            backoff: settings.duration(BACKOFF_TIME, (setup.rtt_max / 4).max(1)),
            timeout: settings.duration(TIMEOUT, setup.rtt_max + setup.rtt_max / 2 + 1),
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    /// Not with fixed pauses: proposers that pause equally long may preempt each other for ever.
    fn live(setup: &Setup, healthy: u8) -> bool {
        setup.settings.choice(BACKOFF) == 0 && QUORUM_SETTINGS.live(setup, healthy)
    }

    fn quorums(setup: &Setup) -> Option<Quorums> {
        QUORUM_SETTINGS.checked(setup, QUORUMS_INTERSECT).ok()
    }

    fn exchange() -> Option<Exchange<Server>> {
        Some(Exchange {
            // Whoever proposes has its name in a ballot, and ballots are ordered.
            alike: |setup, asked| NodeSet::first(setup.replicas).minus(asked),
            node: |server, names| {
                names.node(&mut server.me);
                for Proposer { stage, cache, .. } in &mut server.proposers {
                    if let Stage::Preparing { promises: set, .. } | Stage::Accepting { acceptances: set, .. } = stage {
                        names.set(set);
                    }
                    if let Some(cache) = cache {
                        names.set(&mut cache.promises);
                    }
                }
            },
            disk: |_, _| {},
            message: |_, _| {},
        })
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

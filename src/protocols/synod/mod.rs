//! The Synod: single-decree Paxos, agreement on one value, once. All else in the Paxos family stands on it.
//!
//! Leslie Lamport, *Paxos Made Simple* (2001), §2. Every node plays all three roles:
//!
//! * A **proposer** takes a ballot of its own, higher than any it has heard of. Phase 1: it asks the acceptors to promise that ballot
//!   ([`Msg::Prepare`], [`Msg::Promise`]). With promises from a quorum it proposes a value: the one of the highest ballot that any of
//!   them reported as accepted, or, if none did, whatever its client wants. Phase 2: it asks the acceptors to accept that
//!   ([`Msg::Accept`], [`Msg::Accepted`]). With a quorum the value is chosen.
//! * An **acceptor** promises upwards only, accepts unless it has promised something higher, and saves both before it answers (§2.2, §2.5).
//! * A **learner** hears from the proposer that succeeded ([`Msg::Chosen`]; §2.3 with a distinguished learner that tells the others).
//!
//! Two proposers can preempt each other for ever (§2.4): each one's new ballot arrives between the other's two phases. No deterministic
//! rule can exclude that in an asynchronous network (Fischer, Lynch, Paterson 1985). A random pause before the next ballot makes
//! it end with probability 1; the setting `backoff = fixed` shows the duel.

mod rules;

pub use rules::*;

use crate::core::hash::Digest;
use crate::core::history::{Choice, HistoryVariables};
use crate::core::node::{Breach, HistoryInvariant, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Ballot, Card, ClientId, Command, Contact, EntryStatus, Exchange, Family, Faults, Formula, LeaderModel,
    LogStatus, Micros, NodeId, NodeSet, NodeStatus, Out, Outcome, Promises, QuorumSystem, Quorums, Rule, Sentence,
    Setting, Shots, Slot, Tally, TimingModel,
};
use crate::facts;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Synod;

/// A value proposed in a ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// In which ballot.
    pub ballot: Ballot,
    /// Which value.
    pub value: Command,
}

crate::messages! {
    /// What nodes send each other.
    #[derive(Copy)]
    #[allow(missing_docs)] // The variants say what their fields are.
    pub enum Msg {
        /// Phase 1a: asks for a promise.
        Prepare { ballot: Ballot } = {
            alias: "1a", letter: 'P', phase: Elect, says: "asks for a promise for its ballot",
            bytes: 5, slot: 1,
        };
        /// Phase 1b: promises, and reports the accepted proposal of the highest ballot.
        Promise { ballot: Ballot, accepted: Option<Proposal> } = {
            alias: "1b", letter: 'p', phase: Vote, says: "promises to ignore lower ballots, and reports what it has accepted",
            bytes: if accepted.is_some() { 10 } else { 5 },
            commands: u32::from(accepted.is_some()), values: |see| accepted.iter().for_each(|held| see(held.value.value())),
            slot: 1,
            tampered: accepted.map(|held| {
                let other = Proposal { value: held.value.tampered(), ..held };
                Msg::Promise { ballot: *ballot, accepted: Some(other) }
            }),
        };
        /// Phase 2a: asks to accept a value.
        Accept { ballot: Ballot, value: Command } = {
            alias: "2a", letter: 'A', phase: Propose, says: "asks to accept a value",
            bytes: 5, command: value, slot: 1,
        };
        /// Phase 2b: has accepted it.
        Accepted { ballot: Ballot } = {
            alias: "2b", letter: 'a', phase: Accept, says: "has accepted it",
            bytes: 5, slot: 1,
        };
        /// The value is chosen.
        Chosen { value: Command } = {
            letter: 'C', phase: Commit, says: "tells the chosen value",
            bytes: 0, command: value, slot: 1,
        };
        /// Refuses a Prepare or an Accept, because of a promise for a higher ballot.
        Nack { promised: Ballot } = {
            letter: 'N', phase: Refuse, says: "has promised a higher ballot",
            bytes: 5, slot: 1,
        };
    }
}

/// Settings of a node, with those left open derived from the longest round trip. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    quorums: Quorums,
    thrifty: bool,
    random_backoff: bool,
    backoff: Micros,
    timeout: Micros,
}

/// Durable state: all that survives a crash (§2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// Proposer: the highest round it has tried.
    round: u32,
    /// Acceptor: the highest ballot promised. Invariant: `accepted.ballot <= promised`, unless the rule accept-raises-promise is ablated.
    promised: Ballot,
    /// Acceptor: the proposal of the highest ballot accepted.
    accepted: Option<Proposal>,
}

crate::timers! {
    /// A proposer's timers.
    pub enum Timer {
        /// The time for a quorum to answer, or the pause of a preempted proposer (§2.4).
        Retry = { name: "retry", says: "asks those again that have not answered or, preempted, begins a higher ballot", acts: true };
    }
}

/// What the proposer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// No ballot under way.
    Idle,
    /// Phase 1: who has promised, and the proposal of the highest ballot they reported.
    Preparing { promises: NodeSet, highest: Option<Proposal> },
    /// Phase 2: who has accepted its value.
    Proposing { acceptances: NodeSet, value: Command },
    /// Preempted: waits before its next ballot.
    Pausing,
}

/// One node: proposer, acceptor and learner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    // The proposer.
    stage: Stage,
    ballot: Ballot,
    /// The highest ballot in any message received.
    seen: Ballot,
    /// Whether to send to all acceptors although thrifty: a quorum did not answer in time.
    ask_all: bool,
    /// Ballots preempted in a row, at most [`DOUBLINGS`].
    preempted: u8,
    /// The command of its first client: the value to propose if no promise reports an accepted one.
    wanted: Option<Command>,
    /// Clients that wait for the chosen value.
    clients: Vec<(ClientId, u32)>,
    // The learner.
    chosen: Option<Command>,
}

/// How often the longest random pause doubles at most.
const DOUBLINGS: u8 = 6;

impl Server {
    // The proposer (§2.2, §2.4).

    /// Phase 1a with a new ballot.
    fn prepare(&mut self, out: &mut Out<Server>) {
        self.disk.round = self.disk.round.max(self.seen.round) + 1;
        let round = self.disk.round;
        let owner = if out.rule(PREPARES, facts![Ballot { round, node: self.me }]) { self.me } else { NodeId(0) };
        out.because(SAVES_ROUND, facts![round]);
        out.save();
        self.ballot = Ballot { round, node: owner };
        self.stage = Stage::Preparing { promises: NodeSet::EMPTY, highest: None };
        self.ask(NodeSet::EMPTY, self.config.quorums.phase1, Msg::Prepare { ballot: self.ballot }, out);
    }

    /// Sends a request to all acceptors, or if thrifty to one quorum with this node's own acceptor in it; in either case only to those that
    /// have not `answered`.
    fn ask(&self, answered: NodeSet, quorum: QuorumSystem, message: Msg, out: &mut Out<Server>) {
        let mut to = NodeSet::first(self.config.quorums.replicas);
        if self.config.thrifty && !self.ask_all {
            to = quorum.smallest_from(self.me, self.config.quorums.replicas);
            out.because(ASKS_A_QUORUM, facts![to]);
        }
        out.broadcast(to.minus(answered), message);
        out.set_timer(Timer::Retry, self.config.timeout, self.config.timeout);
    }

    fn on_promise(&mut self, from: NodeId, ballot: Ballot, accepted: Option<Proposal>, out: &mut Out<Server>) {
        let Stage::Preparing { promises, highest } = &mut self.stage else { return };
        if ballot != self.ballot || !promises.add(from) {
            return;
        }
        if accepted.map(|proposal| proposal.ballot) > highest.map(|proposal| proposal.ballot) {
            *highest = accepted;
        }
        let promises = *promises;
        out.tell(COUNTS_PROMISES, facts![promises, ballot]);
        if !self.config.quorums.phase1.is_quorum(promises) {
            return;
        }
        if self.config.quorums.intersect() {
            out.because(HEARS_OF_CHOSEN, facts![]);
        }
        if highest.is_none() {
            out.tell(IS_FREE, facts![promises]);
        }
        let adopted = highest.filter(|highest| out.rule(ADOPTS, facts![highest.ballot])).map(|proposal| proposal.value);
        let Some(value) = adopted.or(self.wanted) else { return };
        self.stage = Stage::Proposing { acceptances: NodeSet::EMPTY, value };
        self.ask(NodeSet::EMPTY, self.config.quorums.phase2, Msg::Accept { ballot, value }, out);
    }

    fn on_accepted(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) {
        let Stage::Proposing { acceptances, value } = &mut self.stage else { return };
        if ballot != self.ballot || !acceptances.add(from) {
            return;
        }
        let (value, acceptances) = (*value, *acceptances);
        if !self.config.quorums.phase2.is_quorum(acceptances) {
            return out.tell(COUNTS_ACCEPTANCES, facts![acceptances, ballot]);
        }
        out.because(CHOOSES, facts![value, ballot, acceptances]);
        out.broadcast(NodeSet::first(self.config.quorums.replicas).without(self.me), Msg::Chosen { value });
        self.learn(value, out);
    }

    /// Gives up the ballot under way if `ballot` is higher (§2.2, last paragraph), and pauses before the next.
    fn on_higher_ballot(&mut self, ballot: Ballot, out: &mut Out<Server>) {
        self.seen = self.seen.max(ballot);
        if ballot <= self.ballot || !matches!(self.stage, Stage::Preparing { .. } | Stage::Proposing { .. }) {
            return;
        }
        out.because(GIVES_UP, facts![self.ballot, ballot]);
        self.stage = Stage::Pausing;
        self.preempted = (self.preempted + 1).min(DOUBLINGS);
        let shortest = self.config.backoff;
        let longest = if self.config.random_backoff { shortest << (self.preempted + 2) } else { shortest };
        out.set_timer(Timer::Retry, shortest, longest);
    }

    // The acceptor (§2.2, §2.5).

    fn on_prepare(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) {
        if ballot < self.disk.promised {
            out.because(REFUSES_TO_PROMISE, facts![ballot, self.disk.promised]);
            return out.send(from, Msg::Nack { promised: self.disk.promised });
        }
        // Equal ballots too: the first promise may have been lost.
        if ballot > self.disk.promised {
            out.because(PROMISES, facts![ballot, self.disk.promised]);
            self.disk.promised = ballot;
            out.because(SAVES_PROMISE, facts![]);
            out.save();
        } else {
            out.because(PROMISES_AGAIN, facts![ballot]);
        }
        if let Some(accepted) = self.disk.accepted {
            out.tell(REPORTS, facts![accepted.ballot]);
        }
        out.send(from, Msg::Promise { ballot, accepted: self.disk.accepted });
        self.on_higher_ballot(ballot, out);
    }

    fn on_accept(&mut self, from: NodeId, ballot: Ballot, value: Command, out: &mut Out<Server>) {
        if ballot < self.disk.promised && out.rule(REFUSES_LOWER, facts![ballot, self.disk.promised]) {
            return out.send(from, Msg::Nack { promised: self.disk.promised });
        }
        out.tell(ACCEPTS, facts![value, ballot]);
        if ballot > self.disk.promised && out.rule(PROMISES_BY_ACCEPTING, facts![ballot, self.disk.promised]) {
            self.disk.promised = ballot;
        }
        self.disk.accepted = Some(Proposal { ballot, value });
        out.because(SAVES_ACCEPTANCE, facts![]);
        out.save();
        out.send(from, Msg::Accepted { ballot });
        self.on_higher_ballot(ballot, out);
    }

    // The learner (§2.3).

    fn learn(&mut self, value: Command, out: &mut Out<Server>) {
        out.because(LEARNS, facts![value]);
        if self.chosen.is_none() {
            self.chosen = Some(value);
            out.applied(1, value);
        }
        self.stage = Stage::Idle;
        out.cancel(Timer::Retry);
        self.answer_clients(out);
    }

    fn answer_clients(&mut self, out: &mut Out<Server>) {
        let Some(Command { op, .. }) = self.chosen else { return };
        for (client, seq) in self.clients.drain(..) {
            out.because(ANSWERS, facts![Command { client, seq, op }]);
            out.reply(client, seq, Answer::Done(Outcome::Chosen(op)));
        }
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out<Server>) -> Server {
        if disk.round > 0 && !out.rule(GOES_ON_ABOVE, facts![disk.round]) {
            disk.round = 0;
        }
        if disk.promised.is_real() && !out.rule(REMEMBERS, facts![disk.promised]) {
            disk = Disk { round: disk.round, ..Disk::default() };
        }
        Server {
            me,
            config: *config,
            disk,
            stage: Stage::Idle,
            ballot: Ballot::ZERO,
            seen: Ballot::ZERO,
            ask_all: false,
            preempted: 0,
            wanted: None,
            clients: Vec::new(),
            chosen: None,
        }
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Prepare { ballot } => self.on_prepare(from, ballot, out),
            Msg::Promise { ballot, accepted } => self.on_promise(from, ballot, accepted, out),
            Msg::Accept { ballot, value } => self.on_accept(from, ballot, value, out),
            Msg::Accepted { ballot } => self.on_accepted(from, ballot, out),
            Msg::Nack { promised } => self.on_higher_ballot(promised, out),
            Msg::Chosen { value } => self.learn(value, out),
        }
    }

    fn on_timer(&mut self, Timer::Retry: Timer, out: &mut Out<Server>) {
        match self.stage {
            Stage::Idle => {}
            Stage::Pausing => self.prepare(out),
            Stage::Preparing { promises, .. } => {
                out.because(ASKS_AGAIN_TO_PROMISE, facts![self.ballot, promises]);
                self.ask_all = true;
                self.ask(promises, self.config.quorums.phase1, Msg::Prepare { ballot: self.ballot }, out);
            }
            Stage::Proposing { acceptances, value } => {
                out.because(ASKS_AGAIN_TO_ACCEPT, facts![self.ballot, acceptances]);
                self.ask_all = true;
                self.ask(acceptances, self.config.quorums.phase2, Msg::Accept { ballot: self.ballot, value }, out);
            }
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        let client = (command.client, command.seq);
        if !self.clients.contains(&client) {
            self.clients.push(client);
        }
        self.answer_clients(out);
        self.wanted.get_or_insert(command);
        if self.chosen.is_none() && self.stage == Stage::Idle {
            self.prepare(out);
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let known = Slot::from(self.chosen.is_some());
        let tally = match self.stage {
            Stage::Preparing { promises, .. } => {
                let need = self.config.quorums.phase1.need_with(promises);
                Some(Tally { of: "promises", slot: 1, from: promises, need })
            }
            Stage::Proposing { acceptances, .. } => Some(Tally {
                of: "acknowledgements",
                slot: 1,
                from: acceptances,
                need: self.config.quorums.phase2.need_with(acceptances),
            }),
            Stage::Idle | Stage::Pausing => None,
        };
        NodeStatus {
            role: match (self.stage, self.chosen) {
                (_, Some(_)) => "learner",
                (Stage::Idle, None) => "acceptor",
                (_, None) => "proposer",
            },
            leads: false,
            epoch: if tally.is_some() { self.ballot } else { self.disk.promised }.epoch(),
            leader: None,
            tally,
            blocked: None,
            log: LogStatus {
                first: 1,
                last: known.max(Slot::from(self.disk.accepted.is_some())),
                committed: known,
                applied: known,
            },
            members: NodeSet::first(self.config.quorums.replicas),
        }
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        if slot != 1 {
            return None;
        }
        let accepted = self.disk.accepted;
        let ballot = accepted.map_or(Ballot::ZERO, |proposal| proposal.ballot);
        let command = self.chosen.or(accepted.map(|proposal| proposal.value))?;
        Some(EntryStatus { epoch: ballot.epoch(), command: Some(command), chosen: self.chosen.is_some() })
    }
}

impl Protocol for Synod {
    const CARD: Card = Card {
        key: "synod",
        title: "Synod (single-decree Paxos)",
        says: "Nodes agree on one value, once: any of them may propose, and what may have been chosen is proposed again.",
        paper: "Leslie Lamport, Paxos Made Simple, ACM SIGACT News, 2001, §2",
        epoch: "ballot",
        family: Family::Leaderless,
        optimises: "nothing: all the others stand on it",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::None,
        contact: Contact::Leader,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "2(q1−1) + 2(q2−1) + (n−1)",
                count: |n, settings| {
                    let (q1, q2) = QUORUM_SETTINGS.sizes(n, settings);
                    settings.flag(ASK_THRIFTILY).then(|| 2 * (q1 + q2 - 2) + n - 1)
                },
                source: "Paxos Made Simple §2.2, both phases to one quorum, and §2.3",
            },
            Formula {
                text: "4(n−1) + (n−1)",
                count: |n, _| Some(5 * (n - 1)),
                source: "Paxos Made Simple §2.2, two phases to everybody, and §2.3: telling the learners",
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
            thrifty: settings.flag(ASK_THRIFTILY),
            random_backoff: settings.choice(BACKOFF) == 0,
            backoff: settings.duration(BACKOFF_TIME, (setup.rtt_max / 4).max(1)),
            timeout: settings.duration(TIMEOUT, setup.rtt_max + setup.rtt_max / 2 + 1),
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    /// Not with fixed pauses: proposers that pause for equal times may preempt each other for ever (§2.4).
    fn live(setup: &Setup, healthy: u8) -> bool {
        setup.settings.choice(BACKOFF) == 0 && QUORUM_SETTINGS.live(setup, healthy)
    }

    fn quorums(setup: &Setup) -> Option<Quorums> {
        QUORUM_SETTINGS.checked(setup, QUORUMS_INTERSECT).ok()
    }

    fn exchange() -> Option<Exchange<Server>> {
        Some(Exchange {
            // Whoever proposes has its name in a ballot, and ballots are ordered; a thrifty proposer asks those whose names follow its own; and in a
            // grid a node has its place.
            alike: |setup, asked| match setup.settings.flag(ASK_THRIFTILY) || setup.settings.choice(SHAPE) > 0 {
                true => NodeSet::EMPTY,
                false => NodeSet::first(setup.replicas).minus(asked),
            },
            node: |server, names| {
                names.node(&mut server.me);
                match &mut server.stage {
                    Stage::Preparing { promises: answered, .. } | Stage::Proposing { acceptances: answered, .. } => {
                        names.set(answered);
                    }
                    Stage::Idle | Stage::Pausing => {}
                }
            },
            disk: |_, _| {},
            message: |_, _| {},
        })
    }

    fn invariants() -> &'static [Invariant<Server>] {
        &[Invariant { name: P2.0, says: P2.1, holds: chosen_stays_chosen }]
    }

    fn history_invariants() -> &'static [HistoryInvariant<Server>] {
        &[HistoryInvariant { name: P2.0, says: P2.1, holds: ever_chosen_stays_chosen }]
    }
}

const P2: (&str, &str) = (
    "Chosen stays chosen (P2)",
    "All acceptances in one ballot are of one value; and if a quorum has accepted it, so are all in higher ballots.",
);

impl Choice for Server {
    fn is_quorum(&self, voters: NodeSet) -> bool {
        self.config.quorums.phase2.is_quorum(voters)
    }
}

/// Counts every vote that was ever on a disk, whatever its acceptor has accepted or lost since.
fn ever_chosen_stays_chosen(
    history: &mut HistoryVariables,
    nodes: &[Option<Server>],
    step: Step,
) -> Result<(), Breach> {
    let (server, result) = history.count_after(nodes, step.changed, |server| server);
    let (Some(server), Some(_)) = (server, step.log_from) else { return result };
    let Some(Proposal { ballot, value }) = server.disk.accepted else { return result };
    result.and(history.vote(1, (ballot.epoch(), Digest::of(&value), 0), step.changed, server))
}

fn chosen_stays_chosen(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let accepted = |node: &Option<Server>| node.as_ref().and_then(|node| node.disk.accepted);
    let Some(own) = nodes.get(usize::from(step.changed.0)).and_then(accepted) else { return Ok(()) };
    for (other, node) in (0..).zip(nodes) {
        let Some(its) = accepted(node).filter(|its| its.value != own.value) else { continue };
        // Of two different values, the one in the lower ballot must not have been chosen.
        let lower = if own.ballot < its.ballot { own } else { its };
        let holds = |&(_, node): &(u8, &Option<Server>)| accepted(node) == Some(lower);
        let holders: NodeSet = (0..).zip(nodes).filter(holds).map(|(id, _)| NodeId(id)).collect();
        let chosen = nodes.iter().flatten().next().is_some_and(|node| node.config.quorums.phase2.is_quorum(holders));
        if own.ballot == its.ballot || chosen {
            return Err(Breach { other: Some(NodeId(other)), slot: Some(1) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

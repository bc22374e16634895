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
//! Two proposers can preempted each other for ever (§2.4): each one's new ballot arrives between the other's two phases. No deterministic
//! rule can exclude that in an asynchronous network (Fischer, Lynch, Paterson 1985). A random pause before the next ballot makes
//! it end with probability 1; the setting `backoff = fixed` shows the duel.

mod rules;

pub use rules::*;

use crate::core::node::{Breach, Invariant, Kind, Message, Node, Phase, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Ballot, Card, ClientId, Command, EntryStatus, Epoch, Exchange, Faults, Formula, KindId, LogStatus, Micros,
    NodeId, NodeSet, NodeStatus, Out, Outcome, Rule, Setting, Shots, Slot, Tally, majority,
};

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

/// What nodes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants say what their fields are.
pub enum Msg {
    /// Phase 1a: asks for a promise.
    Prepare { ballot: Ballot },
    /// Phase 1b: promises, and reports the accepted proposal of the highest ballot.
    Promise { ballot: Ballot, accepted: Option<Proposal> },
    /// Phase 2a: asks to accept a value.
    Accept { ballot: Ballot, value: Command },
    /// Phase 2b: has accepted it.
    Accepted { ballot: Ballot },
    /// Refuses either, because of a promise for a higher ballot.
    Nack { promised: Ballot },
    /// This value is chosen.
    Chosen { value: Command },
}

impl Message for Msg {
    fn tampered(&self) -> Option<Msg> {
        Some(match *self {
            Msg::Accept { ballot, value } => Msg::Accept { ballot, value: value.tampered() },
            Msg::Chosen { value } => Msg::Chosen { value: value.tampered() },
            Msg::Promise { ballot, accepted: Some(Proposal { ballot: of, value }) } => {
                Msg::Promise { ballot, accepted: Some(Proposal { ballot: of, value: value.tampered() }) }
            }
            _ => return None,
        })
    }

    const KINDS: &'static [Kind] = &[
        Kind {
            name: "Prepare",
            alias: "1a",
            letter: 'P',
            phase: Phase::Elect,
            says: "asks for a promise for its ballot",
        },
        Kind {
            name: "Promise",
            alias: "1b",
            letter: 'p',
            phase: Phase::Vote,
            says: "promises to ignore lower ballots, and reports what it has accepted",
        },
        Kind { name: "Accept", alias: "2a", letter: 'A', phase: Phase::Propose, says: "asks to accept a value" },
        Kind { name: "Accepted", alias: "2b", letter: 'a', phase: Phase::Accept, says: "has accepted it" },
        Kind { name: "Chosen", alias: "", letter: 'C', phase: Phase::Commit, says: "tells the chosen value" },
        Kind { name: "Nack", alias: "", letter: 'N', phase: Phase::Refuse, says: "has promised a higher ballot" },
    ];

    #[inline(always)]
    fn kind(&self) -> KindId {
        KindId(match self {
            Msg::Prepare { .. } => 0,
            Msg::Promise { .. } => 1,
            Msg::Accept { .. } => 2,
            Msg::Accepted { .. } => 3,
            Msg::Chosen { .. } => 4,
            Msg::Nack { .. } => 5,
        })
    }

    #[inline(always)]
    fn bytes(&self) -> u32 {
        match self {
            Msg::Chosen { .. } => 0,
            Msg::Promise { accepted: Some(_), .. } => 10,
            _ => 5,
        }
    }

    #[inline(always)]
    fn commands(&self) -> u32 {
        match self {
            Msg::Accept { .. } | Msg::Chosen { .. } | Msg::Promise { accepted: Some(_), .. } => 1,
            _ => 0,
        }
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        if let Msg::Accept { value, .. }
        | Msg::Chosen { value }
        | Msg::Promise { accepted: Some(Proposal { value, .. }), .. } = self
        {
            see(value.value());
        }
    }

    #[inline(always)]
    fn slot(&self) -> Slot {
        1
    }
}

/// What a node is told before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    nodes: u8,
    prepare_quorum: u8,
    accept_quorum: u8,
    thrifty: bool,
    random_backoff: bool,
    backoff: Micros,
    timeout: Micros,
}

/// All that survives a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The proposer's highest round.
    round: u32,
    /// The acceptor's promise.
    promised: Ballot,
    /// What the acceptor has accepted in the highest ballot.
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
    /// Nothing.
    Idle,
    /// Phase 1: who has promised, and the proposal of the highest ballot they reported.
    Preparing { promises: NodeSet, highest: Option<Proposal> },
    /// Phase 2: who has accepted its value.
    Proposing { acceptances: NodeSet, value: Command },
    /// Outbid; waits before its next ballot.
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
    /// The highest ballot heard of.
    seen: Ballot,
    /// Whether to ask everybody, thrifty or not: somebody did not answer.
    ask_all: bool,
    /// How often in a row it was preempted.
    preempted: u8,
    /// What its first client wants; proposed if nothing else must be.
    wanted: Option<Command>,
    /// Clients to be told.
    clients: Vec<(ClientId, u32)>,
    // The learner.
    chosen: Option<Command>,
}

/// A random pause doubles its longest span each time, up to this often.
const DOUBLINGS: u8 = 6;

impl Server {
    // The proposer (§2.2, §2.4).

    /// Phase 1a with a new ballot.
    fn prepare(&mut self, out: &mut Out<Server>) {
        let owner = if out.rule(UNIQUE_BALLOTS) { self.me } else { NodeId(0) };
        self.disk.round = self.disk.round.max(self.seen.round) + 1;
        out.because(DURABLE_ROUND);
        out.save();
        self.ballot = Ballot { round: self.disk.round, node: owner };
        self.stage = Stage::Preparing { promises: NodeSet::EMPTY, highest: None };
        self.ask(NodeSet::EMPTY, self.config.prepare_quorum, Msg::Prepare { ballot: self.ballot }, out);
    }

    /// Sends to all who have not `answered`, or, thriftily, to no more than make a quorum; this node's own acceptor is always among them.
    fn ask(&self, answered: NodeSet, quorum: u8, message: Msg, out: &mut Out<Server>) {
        let mut to = NodeSet::first(self.config.nodes);
        if self.config.thrifty && !self.ask_all {
            out.because(THRIFTY);
            to = (0..quorum).map(|i| NodeId((self.me.0 + i) % self.config.nodes)).collect();
        }
        out.broadcast(NodeSet(to.0 & !answered.0), message);
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
        if promises.len() < self.config.prepare_quorum {
            return;
        }
        if self.config.prepare_quorum + self.config.accept_quorum > self.config.nodes {
            out.because(QUORUMS_INTERSECT);
        }
        let adopted = highest.filter(|_| out.rule(ADOPT_HIGHEST)).map(|proposal| proposal.value);
        let Some(value) = adopted.or(self.wanted) else { return };
        self.stage = Stage::Proposing { acceptances: NodeSet::EMPTY, value };
        self.ask(NodeSet::EMPTY, self.config.accept_quorum, Msg::Accept { ballot, value }, out);
    }

    fn on_accepted(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) {
        let Stage::Proposing { acceptances, value } = &mut self.stage else { return };
        if ballot != self.ballot || !acceptances.add(from) || acceptances.len() < self.config.accept_quorum {
            return;
        }
        let value = *value;
        out.because(CHOSEN_BY_QUORUM);
        out.broadcast(NodeSet::first(self.config.nodes).without(self.me), Msg::Chosen { value });
        self.learn(value, out);
    }

    /// Somebody uses a higher ballot: this one cannot win any more, or would spoil that one's second phase by trying.
    fn preempted_by(&mut self, ballot: Ballot, out: &mut Out<Server>) {
        self.seen = self.seen.max(ballot);
        if ballot <= self.ballot || !matches!(self.stage, Stage::Preparing { .. } | Stage::Proposing { .. }) {
            return;
        }
        out.because(ABANDON);
        self.stage = Stage::Pausing;
        self.preempted = (self.preempted + 1).min(DOUBLINGS);
        let shortest = self.config.backoff;
        let longest = if self.config.random_backoff { shortest << (self.preempted + 2) } else { shortest };
        out.set_timer(Timer::Retry, shortest, longest);
    }

    // The acceptor (§2.2, §2.5).

    fn on_prepare(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) {
        out.because(PROMISE_ONLY_HIGHER);
        if ballot < self.disk.promised {
            return out.send(from, Msg::Nack { promised: self.disk.promised });
        }
        // A Prepare that comes again is answered again: the first promise may have been lost.
        if ballot > self.disk.promised {
            self.disk.promised = ballot;
            out.because(DURABLE_ACCEPTOR);
            out.save();
        }
        out.send(from, Msg::Promise { ballot, accepted: self.disk.accepted });
        self.preempted_by(ballot, out);
    }

    fn on_accept(&mut self, from: NodeId, ballot: Ballot, value: Command, out: &mut Out<Server>) {
        if ballot < self.disk.promised && out.rule(ACCEPT_UNLESS_PROMISED) {
            return out.send(from, Msg::Nack { promised: self.disk.promised });
        }
        if ballot > self.disk.promised && out.rule(ACCEPT_RAISES_PROMISE) {
            self.disk.promised = ballot;
        }
        self.disk.accepted = Some(Proposal { ballot, value });
        out.because(DURABLE_ACCEPTOR);
        out.save();
        out.send(from, Msg::Accepted { ballot });
        self.preempted_by(ballot, out);
    }

    // The learner (§2.3).

    fn learn(&mut self, value: Command, out: &mut Out<Server>) {
        out.because(LEARN);
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
            out.because(LEARN);
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
        if disk.round > 0 && !out.rule(DURABLE_ROUND) {
            disk.round = 0;
        }
        if disk.promised.is_real() && !out.rule(DURABLE_ACCEPTOR) {
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
            Msg::Nack { promised } => self.preempted_by(promised, out),
            Msg::Chosen { value } => self.learn(value, out),
        }
    }

    fn on_timer(&mut self, Timer::Retry: Timer, out: &mut Out<Server>) {
        match self.stage {
            Stage::Idle => {}
            Stage::Pausing => self.prepare(out),
            Stage::Preparing { promises, .. } => {
                out.because(RESEND);
                self.ask_all = true;
                self.ask(promises, self.config.prepare_quorum, Msg::Prepare { ballot: self.ballot }, out);
            }
            Stage::Proposing { acceptances, value } => {
                out.because(RESEND);
                self.ask_all = true;
                self.ask(acceptances, self.config.accept_quorum, Msg::Accept { ballot: self.ballot, value }, out);
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
                Some(Tally { of: "promises", slot: 1, from: promises, need: self.config.prepare_quorum })
            }
            Stage::Proposing { acceptances, .. } => {
                Some(Tally { of: "acknowledgements", slot: 1, from: acceptances, need: self.config.accept_quorum })
            }
            Stage::Idle | Stage::Pausing => None,
        };
        NodeStatus {
            role: match (self.stage, self.chosen) {
                (_, Some(_)) => "learner",
                (Stage::Idle, None) => "acceptor",
                (_, None) => "proposer",
            },
            leads: false,
            epoch: epoch(if tally.is_some() { self.ballot } else { self.disk.promised }),
            leader: None,
            tally,
            log: LogStatus {
                first: 1,
                last: known.max(Slot::from(self.disk.accepted.is_some())),
                committed: known,
                applied: known,
            },
            members: NodeSet::first(self.config.nodes),
        }
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        if slot != 1 {
            return None;
        }
        let accepted = self.disk.accepted;
        let ballot = accepted.map_or(Ballot::ZERO, |proposal| proposal.ballot);
        let command = self.chosen.or(accepted.map(|proposal| proposal.value))?;
        Some(EntryStatus { epoch: epoch(ballot), command: Some(command), chosen: self.chosen.is_some() })
    }
}

fn epoch(ballot: Ballot) -> Epoch {
    Epoch { number: ballot.round, owner: ballot.is_real().then_some(ballot.node) }
}

impl Protocol for Synod {
    const CARD: Card = Card {
        key: "synod",
        title: "Synod (single-decree Paxos)",
        says: "Nodes agree on one value, once: any of them may propose, and what may have been chosen is proposed again.",
        paper: "Leslie Lamport, Paxos Made Simple, ACM SIGACT News, 2001, §2",
        epoch: "ballot",
        optimises: "nothing: all the others stand on it",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        shots: Shots::Single,
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "2(q1−1) + 2(q2−1) + (n−1)",
                count: |n, settings| {
                    let quorum = |id| u32::from(quorum(n as u8, settings.count(id)));
                    let asked = quorum(PREPARE_QUORUM_SIZE) + quorum(ACCEPT_QUORUM_SIZE);
                    settings.flag(ASK_THRIFTILY).then(|| 2 * (asked - 2) + n - 1)
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
    const SETTINGS: &'static [Setting] = SETTINGS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let (n, settings) = (setup.replicas, &setup.settings);
        let config = Config {
            nodes: n,
            prepare_quorum: quorum(n, settings.count(PREPARE_QUORUM_SIZE)),
            accept_quorum: quorum(n, settings.count(ACCEPT_QUORUM_SIZE)),
            thrifty: settings.flag(ASK_THRIFTILY),
            random_backoff: settings.choice(BACKOFF) == 0,
            backoff: settings.duration(BACKOFF_TIME, (setup.rtt_max / 4).max(1)),
            timeout: settings.duration(TIMEOUT, setup.rtt_max + setup.rtt_max / 2 + 1),
        };
        check_quorums(setup, config.prepare_quorum, config.accept_quorum)?;
        Ok(vec![config; usize::from(n)])
    }

    /// Proposers that pause for equal times may preempted each other for ever.
    fn live(setup: &Setup, healthy: u8) -> bool {
        let needed = |id| quorum(setup.replicas, setup.settings.count(id));
        setup.settings.choice(BACKOFF) == 0 && healthy >= needed(PREPARE_QUORUM_SIZE).max(needed(ACCEPT_QUORUM_SIZE))
    }

    fn exchange() -> Option<Exchange<Server>> {
        Some(Exchange {
            // Whoever proposes has its name in a ballot, and ballots are ordered; and a thrifty proposer asks those whose names follow its own.
            alike: |setup, asked| match setup.settings.flag(ASK_THRIFTILY) {
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
        &[Invariant {
            name: "Chosen stays chosen (P2)",
            says: "All acceptances in one ballot are of one value; and if a quorum has accepted it, so are all in higher ballots.",
            holds: chosen_stays_chosen,
        }]
    }
}

fn quorum(n: u8, chosen: u32) -> u8 {
    if chosen == 0 { majority(n) } else { chosen as u8 }
}

fn check_quorums(setup: &Setup, prepare: u8, accept: u8) -> Result<(), SettingError> {
    let n = setup.replicas;
    if prepare > n {
        return Err(("q1", "at most as many as there are nodes"));
    }
    if accept > n {
        return Err(("q2", "at most as many as there are nodes"));
    }
    if prepare + accept <= n && !setup.ablated.has(QUORUMS_INTERSECT) {
        return Err(("q1", "q1 + q2 must be more than all nodes, unless the rule quorums-intersect is taken away"));
    }
    Ok(())
}

fn chosen_stays_chosen(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let accepted = |node: &Option<Server>| node.as_ref().and_then(|node| node.disk.accepted);
    let Some(own) = nodes.get(usize::from(step.changed.0)).and_then(accepted) else { return Ok(()) };
    for (other, node) in (0..).zip(nodes) {
        let Some(its) = accepted(node).filter(|its| its.value != own.value) else { continue };
        // Of two different values, the one in the lower ballot must not have been chosen.
        let lower = if own.ballot < its.ballot { own } else { its };
        let holders = nodes.iter().filter(|node| accepted(node) == Some(lower)).count();
        let quorum = nodes.iter().flatten().next().map_or(u8::MAX, |node| node.config.accept_quorum);
        if own.ballot == its.ballot || holders >= usize::from(quorum) {
            return Err(Breach { other: Some(NodeId(other)), slot: Some(1) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

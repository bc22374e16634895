//! Ben-Or's protocol: agreement on one bit in an asynchronous network, without a leader and without a clock, by tossing coins.
//!
//! Michael Ben-Or, *Another Advantage of Free Choice: Completely Asynchronous Agreement Protocols* (PODC 1983), protocol A, for crashes of f of
//! n > 2f nodes, in the form of Ittai Abraham, Naama Ben-David, Sravya Yandamuri, *Asynchronous Agreement Part Two: Ben-Or's protocol*
//! (Decentralized Thoughts, 30 March 2022). The second was at hand, and of the proof (Aguilera and Toueg, *The correctness proof of Ben-Or's
//! randomized consensus algorithm*, Distributed Computing, 2012) the abstract and its algorithm as others give it; of the first, what these two say.
//!
//! A node goes through rounds with a value, at first its input. In round r:
//!
//! * it sends its value to all ([`Msg::Echo1`]) and waits for n−f of these;
//! * if all of them have the same value w, it sends that to all, otherwise ⊥ ([`Msg::Echo2`]), and waits for n−f of these;
//! * if all of them have the same value u, which is not ⊥, it **decides** u. If any of them has a value u, it **adopts** u for the next round. If all are ⊥,
//!   it takes what a **coin** shows.
//!
//! Agreement rests on two claims, both [invariants](Protocol::invariants) here. No two echo2 of one round have different values, since two sets of n−f
//! share a node. And if one node decides u, every other gets at least one echo2 of u in that round, so that all begin the next with u and decide.
//!
//! Nobody can know how many rounds it takes: with unlucky messages and coins, any number. But in every round all coins fall alike with some
//! probability, so it ends with probability 1: what Fischer, Lynch and Paterson (1985) show to be impossible without coins. How long it
//! takes depends on who chooses the order of messages: `docs/variants/ben-or.md` has it measured (`tests/ben_or.rs`).
//!
//! **It does not stop by itself**: who has decided must go on, or others would wait for its echoes. The source's *termination gadget*
//! ([`Msg::Decide`]) ends it: who decides tells all, and who is told decides too. The setting [`STOPS`] takes it away.
//!
//! **What is counted.** A round is n(n−1) echo1 and n(n−1) echo2, the gadget n(n−1) again. With one client all have the same input and decide in
//! round 1, after two message delays: 3n(n−1).
//!
//! **What is chosen here**, where the sources say nothing:
//!
//! * **Bits.** The sources agree on 0 or 1, each node with an input of its own. Here clients ask all nodes, and a node's input is the bit of the
//!   first command that it hears of: clients with odd numbers want 1, even ones 0. A node that hears an echo1 before any client takes the value
//!   in it, which is somebody's input. What is decided is a bit, shown as a write of 0 or 1 by nobody ([`decision`]): not a client's command, since two nodes
//!   may have heard of different commands with the same bit. Agreeing on commands takes a further protocol on top of this one.
//! * **Crashes and losses.** The sources' processes do not come back and their messages arrive. Here echoes are on the disk before they are sent, so a node that restarts
//!   goes on where it was, and a node that waits for long asks for echoes again.
//! * **Any n.** f is ⌊(n−1)/2⌋; with an even n it is the same protocol with n−f = n/2+1.

mod invariants;
mod message;
mod rules;
#[cfg(test)]
mod tests;

pub use message::Msg;
pub use rules::*;

use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Card, ClientId, Command, Contact, EntryStatus, Epoch, Exchange, Family, Faults, Formula, LeaderModel,
    LogStatus, Micros, NodeId, NodeSet, NodeStatus, Op, Out, Outcome, Promises, Rule, Sentence, Setting, Shots, Slot,
    Tally, TimingModel,
};
use crate::facts;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct BenOr;

/// What the cluster agrees on when it decides a bit: a write of that bit, by nobody.
pub const fn decision(bit: bool) -> Command {
    Command { client: ClientId::NOBODY, seq: bit as u32, op: Op::Write { key: 0, value: bit as u32 } }
}

/// The bit that a client wants: 1 if its number, counted from 1, is odd.
pub const fn wanted(client: ClientId) -> bool {
    client.0.is_multiple_of(2)
}

const fn word(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "1",
        Some(false) => "0",
        None => "⊥",
    }
}

crate::timers! {
    /// A node's timer.
    pub enum Timer {
        /// The time to wait for echoes.
        Repeat = { name: "repeat", says: "sends its echoes again, and asks for those that are missing", acts: true };
    }
}

/// Settings of a node. Times in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    nodes: u8,
    by_node: bool,
    stops: bool,
    repeat: Micros,
}

impl Config {
    /// n−f: of how many nodes echoes are waited for, the own among them.
    const fn quorum(&self) -> u8 {
        self.nodes - (self.nodes - 1) / 2
    }

    const fn all(&self) -> NodeSet {
        NodeSet::first(self.nodes)
    }
}

/// What a node has sent in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// Its value.
    echo1: bool,
    /// What it sent after that, if it is so far: a value, or ⊥.
    echo2: Option<Option<bool>>,
}

/// Durable state: all that a node has said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// What it has sent, by round, from 1 on; none if it has not begun. The first echo1 is its input. A round is kept for those who are still there.
    rounds: Vec<Sent>,
    /// What it has decided, and in which round; round 0 if it was told.
    decided: Option<(bool, u32)>,
}

/// Who sent what in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Heard {
    round: u32,
    /// By value.
    echo1: [NodeSet; 2],
    /// By value, ⊥ last.
    echo2: [NodeSet; 3],
}

fn union(sets: &[NodeSet]) -> NodeSet {
    sets.iter().fold(NodeSet::EMPTY, |all, set| all.or(*set))
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    /// Echoes of this round and of later ones, in no order.
    heard: Vec<Heard>,
    /// How often in a row it has sent its echoes again, at most [`DOUBLINGS`].
    repeated: u8,
    /// Clients that wait for the decision.
    clients: Vec<(ClientId, u32)>,
}

/// How often the wait before echoes are sent again doubles at most.
const DOUBLINGS: u8 = 4;

impl Server {
    /// The round it is in, from 1; 0: it has not begun.
    pub fn round(&self) -> u32 {
        self.disk.rounds.len() as u32
    }

    /// Its value in this round; its input in round 1.
    pub fn value(&self) -> Option<bool> {
        self.disk.rounds.last().map(|sent| sent.echo1)
    }

    /// What it has decided, and in which round; round 0 if it was told.
    pub fn decided(&self) -> Option<(bool, u32)> {
        self.disk.decided
    }

    /// Whether it takes part no more.
    fn stopped(&self) -> bool {
        self.disk.decided.is_some() && self.config.stops
    }

    fn sent(&self, round: u32) -> Option<Sent> {
        self.disk.rounds.get((round as usize).checked_sub(1)?).copied()
    }

    fn heard(&mut self, round: u32) -> &mut Heard {
        let at = self.heard.iter().position(|heard| heard.round == round).unwrap_or_else(|| {
            self.heard.push(Heard { round, echo1: [NodeSet::EMPTY; 2], echo2: [NodeSet::EMPTY; 3] });
            self.heard.len() - 1
        });
        &mut self.heard[at]
    }

    // A round.

    /// Begins the next round with `value`: r++, send echo1.
    fn enter(&mut self, value: bool, out: &mut Out<Server>) {
        self.disk.rounds.push(Sent { echo1: value, echo2: None });
        let round = self.round();
        self.heard.retain(|heard| heard.round >= round);
        self.say(Msg::Echo1 { round, value, asks: false }, out);
    }

    /// Sends an echo to all, itself among them, once it is on the disk.
    fn say(&mut self, echo: Msg, out: &mut Out<Server>) {
        out.because(SAVES, facts![]);
        out.save();
        out.broadcast(self.config.all(), echo);
        self.repeated = 0;
        self.wait(out);
    }

    fn wait(&self, out: &mut Out<Server>) {
        let longest = self.config.repeat << self.repeated;
        out.set_timer(Timer::Repeat, longest, longest);
    }

    /// Goes on as far as what it has heard allows.
    fn advance(&mut self, out: &mut Out<Server>) {
        while let Some(sent) = self.disk.rounds.last().copied().filter(|_| !self.stopped()) {
            let round = self.round();
            let heard = *self.heard(round);
            let (from, of) = match sent.echo2 {
                None => (union(&heard.echo1), "echo1"),
                Some(_) => (union(&heard.echo2), "echo2"),
            };
            let quorum = self.config.quorum();
            if from.len() < quorum {
                // Without the rule, f nodes (n−f−1) are enough.
                let enough = from.len() + 1 == quorum && quorum > 1 && !from.is_empty();
                if !enough || out.rule(WAITS, facts![from, of, round]) {
                    return;
                }
            }
            match sent.echo2 {
                None => self.second_half(sent.echo1, heard, out),
                Some(_) => self.end_round(sent.echo1, heard, out),
            }
        }
    }

    /// It has n−f echo1: sends echo2.
    fn second_half(&mut self, own: bool, heard: Heard, out: &mut Out<Server>) {
        let (round, from) = (heard.round, union(&heard.echo1));
        let value = match heard.echo1.map(|nodes| !nodes.is_empty()) {
            // Without the rule, its own value.
            [true, true] => (!out.rule(ECHOES_BOTTOM, facts![from, round])).then_some(own),
            [_, one] => {
                out.because(ECHOES_VALUE, facts![word(Some(one)), from, round]);
                Some(one)
            }
        };
        if let Some(sent) = self.disk.rounds.last_mut() {
            sent.echo2 = Some(value);
        }
        self.say(Msg::Echo2 { round, value }, out);
    }

    /// It has n−f echo2: decides, adopts or tosses a coin, and goes into the next round.
    fn end_round(&mut self, own: bool, heard: Heard, out: &mut Out<Server>) {
        let (round, from) = (heard.round, union(&heard.echo2));
        let [zero, one, bottom] = heard.echo2.map(|nodes| !nodes.is_empty());
        // At most one of the two values: claim 1.
        let value = (zero || one).then_some(!zero);
        if let Some(value) = value {
            let all = !bottom && zero != one;
            if all {
                out.because(DECIDES, facts![word(Some(value)), from, round]);
            }
            if all || !out.rule(DOES_NOT_DECIDE, facts![word(Some(value)), from, round]) {
                self.decide(value, round, out);
            }
        }
        if self.stopped() {
            return;
        }
        let adopted = value.filter(|value| out.rule(ADOPTS, facts![word(Some(*value)), round]));
        let next = match adopted {
            Some(value) => value,
            None if out.rule(TOSSES, facts![from, round]) => {
                let shows = out.coin();
                out.tell(SHOWS, facts![word(Some(shows))]);
                shows
            }
            None => own,
        };
        self.enter(next, out);
    }

    // Decisions.

    /// Decides, once; with the termination gadget it tells all and stops.
    fn decide(&mut self, value: bool, round: u32, out: &mut Out<Server>) {
        if self.disk.decided.is_some() {
            return;
        }
        self.disk.decided = Some((value, round));
        out.because(SAVES_DECISION, facts![]);
        out.save();
        out.applied(1, decision(value));
        if self.config.stops {
            out.because(TELLS_ALL, facts![word(Some(value))]);
            out.broadcast(self.config.all().without(self.me), Msg::Decide { value });
            out.cancel(Timer::Repeat);
            self.heard.clear();
        }
        self.answer_clients(out);
    }

    fn answer_clients(&mut self, out: &mut Out<Server>) {
        let Some((value, _)) = self.disk.decided else { return };
        for (client, seq) in self.clients.drain(..) {
            let op = decision(value).op;
            out.because(ANSWERS, facts![Command { client, seq, op }, word(Some(value))]);
            out.reply(client, seq, Answer::Done(Outcome::Chosen(op)));
        }
    }

    // Messages.

    /// The input, unless it has begun.
    fn begin(&mut self, value: bool, out: &mut Out<Server>) {
        let input = match self.config.by_node {
            true => self.me.0.is_multiple_of(2),
            false => value,
        };
        if self.config.by_node {
            out.because(TAKES_OWN, facts![word(Some(input))]);
        }
        self.enter(input, out);
    }

    fn on_echo1(&mut self, from: NodeId, round: u32, value: bool, asks: bool, out: &mut Out<Server>) {
        if asks && from != self.me {
            self.answer(from, round, out);
        }
        if self.stopped() {
            return;
        }
        if self.round() == 0 {
            if !self.config.by_node {
                out.because(TAKES_ECHO, facts![word(Some(value)), from]);
            }
            self.begin(value, out);
        }
        let Some(round) = self.counts_in(round, out) else { return };
        let echo1 = &mut self.heard(round).echo1;
        if !union(echo1).has(from) {
            echo1[usize::from(value)].add(from);
        }
        self.advance(out);
    }

    fn on_echo2(&mut self, from: NodeId, round: u32, value: Option<bool>, out: &mut Out<Server>) {
        if self.stopped() {
            return;
        }
        let Some(round) = self.counts_in(round, out) else { return };
        let echo2 = &mut self.heard(round).echo2;
        if !union(echo2).has(from) {
            echo2[value.map_or(2, usize::from)].add(from);
        }
        self.advance(out);
    }

    /// In which round an echo counts, if it does.
    fn counts_in(&self, round: u32, out: &mut Out<Server>) -> Option<u32> {
        match round < self.round() && out.rule(IGNORES_OLD, facts![round, self.round()]) {
            true => None,
            false => Some(round.max(self.round())),
        }
    }

    /// Sends a node that asks what it has sent in that round or, if it has stopped, what it has decided.
    fn answer(&self, to: NodeId, round: u32, out: &mut Out<Server>) {
        if let Some((value, _)) = self.disk.decided.filter(|_| self.config.stops) {
            out.tell(ANSWERS_DECISION, facts![to, word(Some(value))]);
            return out.send(to, Msg::Decide { value });
        }
        let Some(Sent { echo1, echo2 }) = self.sent(round) else { return };
        out.tell(ANSWERS_AGAIN, facts![to, round]);
        out.send(to, Msg::Echo1 { round, value: echo1, asks: false });
        if let Some(value) = echo2 {
            out.send(to, Msg::Echo2 { round, value });
        }
    }

    /// Sends its echoes of this round again to `to`, and asks for theirs.
    fn repeat(&self, to: NodeSet, out: &mut Out<Server>) {
        let (round, Some(Sent { echo1, echo2 })) = (self.round(), self.disk.rounds.last().copied()) else { return };
        out.broadcast(to, Msg::Echo1 { round, value: echo1, asks: true });
        if let Some(value) = echo2 {
            out.broadcast(to, Msg::Echo2 { round, value });
        }
        self.wait(out);
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out<Server>) -> Server {
        let round = disk.rounds.len() as u32;
        let remembers = match disk.decided {
            Some((value, _)) => out.rule(RESTARTS_DECIDED, facts![word(Some(value))]),
            None => round == 0 || out.rule(RESTARTS, facts![round]),
        };
        if !remembers {
            disk = Disk::default();
        }
        let server = Server { me, config: *config, disk, heard: Vec::new(), repeated: 0, clients: Vec::new() };
        if let Some((value, _)) = server.disk.decided {
            out.applied(1, decision(value));
        }
        if server.round() > 0 && !server.stopped() {
            // Its own echoes count again, too.
            server.repeat(config.all(), out);
        }
        server
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Echo1 { round, value, asks } => self.on_echo1(from, round, value, asks, out),
            Msg::Echo2 { round, value } => self.on_echo2(from, round, value, out),
            Msg::Decide { value } => {
                if self.disk.decided.is_none() {
                    out.because(IS_TOLD, facts![word(Some(value)), from]);
                }
                self.decide(value, 0, out);
            }
        }
    }

    fn on_timer(&mut self, Timer::Repeat: Timer, out: &mut Out<Server>) {
        let Some(sent) = self.disk.rounds.last().copied().filter(|_| !self.stopped()) else { return };
        let round = self.round();
        let heard = *self.heard(round);
        let from = if sent.echo2.is_none() { union(&heard.echo1) } else { union(&heard.echo2) };
        let missing = self.config.all().minus(from).without(self.me);
        if !missing.is_empty() && out.rule(ASKS_AGAIN, facts![round, missing]) {
            self.repeated = (self.repeated + 1).min(DOUBLINGS);
            self.repeat(missing, out);
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        let client = (command.client, command.seq);
        if !self.clients.contains(&client) {
            self.clients.push(client);
        }
        self.answer_clients(out);
        match self.disk.rounds.first() {
            Some(sent) => out.tell(KEEPS_INPUT, facts![word(Some(sent.echo1))]),
            None if self.stopped() => {}
            None => {
                let bit = wanted(command.client);
                if !self.config.by_node {
                    out.because(TAKES_COMMAND, facts![word(Some(bit)), command]);
                }
                self.begin(bit, out);
            }
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let decided = Slot::from(self.disk.decided.is_some());
        let sent = self.disk.rounds.last().filter(|_| !self.stopped());
        let heard = self.heard.iter().find(|heard| heard.round == self.round());
        let tally = sent.map(|sent| {
            let from = match sent.echo2 {
                None => heard.map(|heard| union(&heard.echo1)),
                Some(_) => heard.map(|heard| union(&heard.echo2)),
            };
            let of = if sent.echo2.is_none() { "echo1" } else { "echo2" };
            Tally { of, slot: 1, from: from.unwrap_or_default(), need: self.config.quorum() }
        });
        NodeStatus {
            role: match (self.disk.decided, sent) {
                (Some(_), _) => "decided",
                (None, Some(_)) => "participant",
                (None, None) => "without input",
            },
            leads: false,
            epoch: self.epoch(),
            leader: None,
            tally,
            blocked: None,
            log: LogStatus {
                first: 1,
                last: decided.max(Slot::from(self.round() > 0)),
                committed: decided,
                applied: decided,
            },
            members: self.config.all(),
        }
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let decided = self.disk.decided.map(|(value, _)| value);
        let value = decided.or(self.value()).filter(|_| slot == 1)?;
        Some(EntryStatus { epoch: self.epoch(), command: Some(decision(value)), chosen: decided.is_some() })
    }
}

impl Server {
    fn epoch(&self) -> Epoch {
        Epoch { number: self.round(), owner: None }
    }
}

impl Protocol for BenOr {
    const CARD: Card = Card {
        key: "ben-or",
        title: "Ben-Or",
        says: "Nodes agree on one bit without a leader and without clocks: rounds of two echoes, and a coin where the echoes are divided.",
        paper: "Michael Ben-Or, Another Advantage of Free Choice: Completely Asynchronous Agreement Protocols, PODC 1983; Abraham, Ben-David, Yandamuri, Asynchronous Agreement Part Two, Decentralized Thoughts, 2022-03-30",
        epoch: "round",
        family: Family::OtherModels,
        optimises: "assumptions: none about time",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::None,
        contact: Contact::All,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "2n(n−1) + n(n−1)",
            count: |n, settings| (settings.flag(STOPS) && settings.choice(INPUTS) == 0).then(|| 3 * n * (n - 1)),
            source: "Decentralized Thoughts (2022): one round, which is enough for equal inputs (weak validity), and the termination gadget",
        }],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        if setup.replicas == 1 && !settings.flag(STOPS) {
            return Err((
                "termination_gadget",
                "true with a single node, whose rounds take no time and would never end",
            ));
        }
        let config = Config {
            nodes: setup.replicas,
            by_node: settings.choice(INPUTS) == 1,
            stops: settings.flag(STOPS),
            // Two round trips: no echo is asked for that is only on its way.
            repeat: settings.duration(REPEAT_AFTER, 2 * setup.rtt_max + 1),
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    /// Without the gadget a node that comes back is not told what is decided: it goes through all rounds that it missed, so no time can be stated.
    fn promises(setup: &Setup) -> Promises {
        match setup.settings.flag(STOPS) {
            true => Self::CARD.promises,
            false => Self::CARD.promises.without(Promises::PROGRESS),
        }
    }

    fn exchange() -> Option<Exchange<Server>> {
        Some(Exchange {
            alike: |setup, asked| match setup.settings.choice(INPUTS) {
                0 => NodeSet::first(setup.replicas).minus(asked),
                _ => NodeSet::EMPTY,
            },
            node: |server, names| {
                names.node(&mut server.me);
                for heard in &mut server.heard {
                    heard.echo1.iter_mut().chain(&mut heard.echo2).for_each(|nodes| names.set(nodes));
                }
            },
            disk: |_, _| {},
            message: |_, _| {},
        })
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::ALL
    }
}

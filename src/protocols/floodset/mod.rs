//! FloodSet: agreement on one value in synchronous rounds, where processes may crash and stay down.
//!
//! Nancy Lynch, *Distributed Algorithms* (Morgan Kaufmann, 1996), chapter 6. Every process has a set W, which holds its input at first. In each of
//! f + 1 rounds it sends W to all others and adds to W all that arrives ([`Msg::Values`]). Then it decides from W alone: its only value, or the
//! default if there are several (§6.2.1); or its smallest, which makes the decision somebody's input whatever the inputs are.
//!
//! Of f + 1 rounds with at most f crashes, one is without a crash. In that round all that are alive send W to each other, so afterwards all hold the
//! same (Lemma 6.1), it stays so (6.2), and by the last round it is so (6.3). With f rounds only, a crash in each of them, in the middle of what the
//! process sends, hands a value from one process to one other, and the last of them decides what nobody else knows of. No protocol does with fewer
//! (§6.7).
//!
//! The book's model is kept: all processes begin at the same time, a round lasts longer than any message takes (so it ends by a timer), and nothing is
//! on disks: a process that crashes is gone. What the book leaves to its surroundings is done like this: a request of a client is the input of the
//! process that it reaches, if it comes before round 1; a process that no client asked has no input and begins with an empty W, which it floods all
//! the same; and decisions are told to clients. A value is a client's command, and values are in the order of clients.
//!
//! In the book a crash loses any of what a process sends in that round; here messages leave in the order of numbers, so the first few of them arrive. Who has
//! which input makes up for that in the model checker (`tests/explore/floodset.rs`). Not here: the form of §6.2.2 in which a process sends two values at most.
//!
//! The book itself was not at hand: the algorithm is held against a presentation that follows it (the FloodSet tutorial of the Veil verifier); numbers of
//! sections and lemmas are from memory.

mod rules;

pub use rules::*;

use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Card, ClientId, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, LogStatus,
    Micros, NodeId, NodeSet, NodeStatus, Out, Outcome, Promises, Rule, Sentence, Setting, Shots, Slot, TimingModel,
};
use crate::facts;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct FloodSet;

crate::messages! {
    /// What processes send each other.
    #[allow(missing_docs)] // The variant says what its field is.
    pub enum Msg {
        /// The sender's set W.
        Values { w: Vec<Command> } = {
            letter: 'W', phase: Propose, says: "sends all the values it knows", bytes: 2,
            commands: w.len() as u32, values: |see| w.iter().for_each(|value| see(value.value())), slot: 1,
            tampered: w.first().map(|first| {
                let mut w = w.clone();
                w[0] = first.tampered();
                Msg::Values { w }
            }),
        };
    }
}

/// Settings of a process. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    processes: u8,
    crashes: u8,
    smallest: bool,
    start: Micros,
    round: Micros,
}

crate::timers! {
    /// A process's timer.
    pub enum Timer {
        /// The time until round 1, and until the end of a round.
        Round = { name: "round", says: "ends the round, and begins the next or decides", acts: true };
    }
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    me: NodeId,
    config: Config,
    /// The round under way; 0 before the first.
    round: u8,
    input: Option<Command>,
    /// All values known, in order. Invariant: it changes no more once `decision` is there.
    w: Vec<Command>,
    decision: Option<Command>,
    /// Clients that wait for the decision.
    clients: Vec<(ClientId, u32)>,
}

impl Process {
    /// Adds a value to W; tells whether it is new there.
    fn add(&mut self, value: Command) -> bool {
        let order = |value: &Command| (value.client.0, value.seq);
        match self.w.binary_search_by_key(&order(&value), order) {
            Ok(_) => false,
            Err(place) => {
                self.w.insert(place, value);
                true
            }
        }
    }

    fn size(&self) -> u32 {
        self.w.len() as u32
    }

    /// Begins the next round, or decides after the last.
    fn go_on(&mut self, out: &mut Out<Process>) {
        let Config { crashes, .. } = self.config;
        let more = self.round < crashes || self.round == crashes && out.rule(GOES_ON, facts![self.round, crashes]);
        if more { self.begin_round(out) } else { self.decide(out) }
    }

    fn begin_round(&mut self, out: &mut Out<Process>) {
        self.round += 1;
        let w = match out.rule(FLOODS, facts![self.size(), self.round]) {
            true => self.w.clone(),
            false => self.input.into_iter().collect(),
        };
        out.broadcast(NodeSet::first(self.config.processes).without(self.me), Msg::Values { w });
        let whole = self.config.round;
        let round = if out.rule(WAITS, facts![self.round, whole]) { whole } else { whole / 4 };
        out.set_timer(Timer::Round, round, round);
    }

    fn decide(&mut self, out: &mut Out<Process>) {
        out.tell(HAS_ENOUGH, facts![self.round, self.config.crashes]);
        let size = self.size();
        let (by_rule, value) = match self.w[..] {
            [only] => (out.rule(DECIDES_ONLY, facts![only]), only),
            [first, ..] if self.config.smallest => (out.rule(DECIDES_SMALLEST, facts![first, size]), first),
            _ => (out.rule(DECIDES_DEFAULT, facts![size]), Command::NOOP),
        };
        let value = self.input.filter(|_| !by_rule).unwrap_or(value);
        self.decision = Some(value);
        out.applied(1, value);
        self.answer_clients(out);
    }

    fn answer_clients(&mut self, out: &mut Out<Process>) {
        let Some(Command { op, .. }) = self.decision else { return };
        for (client, seq) in self.clients.drain(..) {
            out.because(ANSWERS, facts![Command { client, seq, op }]);
            out.reply(client, seq, Answer::Done(Outcome::Chosen(op)));
        }
    }
}

impl Node for Process {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = ();

    fn boot(me: NodeId, config: &Config, (): (), out: &mut Out<Process>) -> Process {
        out.set_timer(Timer::Round, config.start, config.start);
        Process { me, config: *config, round: 0, input: None, w: Vec::new(), decision: None, clients: Vec::new() }
    }

    fn on_message(&mut self, from: NodeId, Msg::Values { w }: &Msg, out: &mut Out<Process>) {
        if self.decision.is_some() {
            return;
        }
        let new = w.iter().filter(|value| self.add(**value)).count() as u32;
        match new {
            0 => out.tell(HAS_ALL, facts![from]),
            _ => out.because(ADDS, facts![from, new]),
        }
    }

    fn on_timer(&mut self, Timer::Round: Timer, out: &mut Out<Process>) {
        self.go_on(out);
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Process>) {
        let client = (command.client, command.seq);
        if !self.clients.contains(&client) {
            self.clients.push(client);
        }
        match (self.decision, self.input) {
            (Some(_), _) => {}
            (None, Some(input)) => out.tell(HAS_INPUT, facts![command, input]),
            (None, None) => {
                if self.round > 0 && out.rule(COMES_LATE, facts![command, self.round]) {
                    return;
                }
                out.because(TAKES_INPUT, facts![command]);
                self.input = Some(command);
                self.add(command);
            }
        }
        self.answer_clients(out);
    }

    fn disk(&self) -> &() {
        &()
    }

    fn status(&self) -> NodeStatus {
        let decided = Slot::from(self.decision.is_some());
        NodeStatus {
            role: match (self.decision, self.round) {
                (Some(_), _) => "decided",
                (None, 0) => "waiting",
                (None, _) => "flooding",
            },
            leads: false,
            epoch: Epoch { number: u32::from(self.round), owner: None },
            leader: None,
            tally: None,
            blocked: None,
            log: LogStatus {
                first: 1,
                last: decided.max(Slot::from(!self.w.is_empty())),
                committed: decided,
                applied: decided,
            },
            members: NodeSet::first(self.config.processes),
        }
    }

    /// What it has decided or, so far, the smallest value in W.
    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let command = self.decision.or(self.w.first().copied()).filter(|_| slot == 1)?;
        let epoch = Epoch { number: u32::from(self.round), owner: None };
        Some(EntryStatus { epoch, command: Some(command), chosen: self.decision.is_some() })
    }
}

impl Protocol for FloodSet {
    const CARD: Card = Card {
        key: "floodset",
        title: "FloodSet",
        says: "In rounds by the clock, all tell all the values they know: after one round more than nodes may crash, all know the same.",
        paper: "Nancy Lynch, Distributed Algorithms, Morgan Kaufmann, 1996, §6.2",
        epoch: "round",
        family: Family::OtherModels,
        optimises: "crashes survived, if time can be trusted",
        min_replicas: 2,
        faults: Faults::CrashStop,
        timing: TimingModel::Synchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "(f+1)n(n−1)",
            count: |n, settings| Some((settings.count(CRASHES) + 1) * n * (n - 1)),
            source: "Lynch §6.2.1: f + 1 rounds, in each of which every process sends to all others",
        }],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Process;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let crashes = settings.count(CRASHES);
        if crashes >= u32::from(setup.replicas) {
            return Err(("f", "fewer than there are replicas would do: one must survive"));
        }
        let config = Config {
            processes: setup.replicas,
            crashes: crashes as u8,
            smallest: settings.choice(DECISION) == 0,
            start: settings.duration(START, 2 * setup.rtt_max),
            // Twice what one message takes: the rest is for what else takes time.
            round: settings.duration(ROUND, setup.rtt_max + 1),
        };
        // One way is half of the longest round trip, which has the greatest jitter in it.
        if config.round <= setup.rtt_max.div_ceil(2) && !setup.ablated.has(LOCK_STEP) {
            return Err((
                "round",
                "longer than half of the longest round trip would do: what is sent in a round must arrive in it",
            ));
        }
        Ok(vec![config; usize::from(setup.replicas)])
    }

    /// While no more than f have crashed.
    fn live(setup: &Setup, healthy: u8) -> bool {
        u32::from(healthy) + setup.settings.count(CRASHES) >= u32::from(setup.replicas)
    }

    /// All begin and end rounds together, so no clock may run faster than another.
    fn clocks(_setup: &Setup) -> Option<u32> {
        Some(0)
    }

    fn invariants() -> &'static [Invariant<Process>] {
        &[Invariant {
            name: "Same W (Lemma 6.3)",
            says: "Processes that have done all rounds hold the same set W.",
            holds: same_w,
        }]
    }
}

fn same_w(nodes: &[Option<Process>], step: Step) -> Result<(), Breach> {
    let decided = |node: &Option<Process>| node.as_ref().is_some_and(|process| process.decision.is_some());
    let changed = nodes.get(usize::from(step.changed.0)).filter(|node| decided(node));
    let Some(Some(own)) = changed else { return Ok(()) };
    for (other, node) in (0..).zip(nodes).filter(|(_, node)| decided(node)) {
        if node.as_ref().is_some_and(|process| process.w != own.w) {
            return Err(Breach { other: Some(NodeId(other)), slot: Some(1) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

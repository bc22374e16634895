//! OM(m): the Byzantine generals' algorithm with oral messages. All loyal generals act on the same order, though up to m of 3m + 1 are traitors.
//!
//! Leslie Lamport, Robert Shostak, Marshall Pease, *The Byzantine Generals Problem*, ACM TOPLAS 4(3), 1982, §3. One general is the commander, the others
//! are his lieutenants:
//!
//! * OM(0): the commander sends his order to all lieutenants, and each acts on what it receives, or on a default if nothing comes.
//! * OM(m), m > 0: (1) the commander sends his order to all lieutenants. (2) Each of them sends what it received to the other lieutenants, as the
//!   commander in OM(m − 1). (3) Each acts on the majority of what it received itself and what it finds out by (2) that each other one received.
//!
//! Unrolled, that is m + 1 rounds of messages, each with the way it came: the commander first, and then the lieutenants that passed it on
//! ([`Msg::Order`]). In round r a general sends what came to it by each way of r − 1 generals to all that are not on the way, so the rounds have
//! n − 1, (n − 1)(n − 2), … messages. After the last, (3) is done from the longest ways back to the commander's own word ([`General::find`]).
//!
//! What is demanded (§1): all loyal lieutenants act on the same order (IC1, checked as agreement), and on the commander's if he is loyal (IC2, an
//! invariant). It takes oral messages (§3): they arrive (A1), who sent one is known (A2), and its absence is noticed (A3); here by rounds that last longer
//! than any message takes, as in [`floodset`](super::floodset).
//!
//! The commander is node 1, his order is what a client first asks of him before round 1, and the default (the paper's "retreat") is the no-op. Clients ask
//! all generals, and believe m + 1 equal answers. Nothing is on disks: a general that crashes says nothing more, and counts as a traitor.
//!
//! The paper itself was not at hand: the algorithm is held against notes that quote it (IC1 and IC2, the steps of OM(m), the default); numbers of sections are
//! from memory.

mod rules;

pub use rules::*;

use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Card, ClientId, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, LogStatus,
    Micros, NodeId, NodeSet, NodeStatus, Op, Out, Outcome, Promises, Rule, RuleSet, Sentence, Setting, Shots, Slot,
    TimingModel,
};
use crate::facts;
use std::collections::BTreeMap;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct OralMessages;

/// The commander.
const COMMANDER: NodeId = NodeId(0);

/// The paper's "retreat": what counts if nothing comes, or nothing has a majority.
const RETREAT: Command = Command::NOOP;

/// Through whom an order came, in order: the commander first. All are different.
pub type Way = Vec<NodeId>;

/// What a traitor says in place of an order: another one in place of its value, or an order where there is none.
fn another(order: Command) -> Command {
    match order {
        RETREAT => Command { op: Op::Write { key: 0, value: u32::MAX }, ..RETREAT },
        Command { client: ClientId::NOBODY, .. } => RETREAT,
        order => order.tampered(),
    }
}

/// The value that an order writes, for sentences: a tampered order has the name of the true one.
fn written(order: Command) -> u32 {
    match order.op {
        Op::Write { value, .. } => value,
        _ => 0,
    }
}

crate::messages! {
    /// What generals send each other.
    #[allow(missing_docs)] // The variant says what its fields are.
    pub enum Msg {
        /// "The order is this, and came this way", the sender last.
        Order { way: Way, order: Command } = {
            letter: 'O', phase: Propose, says: "says what the order is, and through whom it came", bytes: 2 + way.len() as u32,
            commands: 1, values: |see| see(order.value()), slot: 1,
            tampered: Some(Msg::Order { way: way.clone(), order: another(*order) }),
        };
    }
}

/// Settings of a general. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    generals: u8,
    traitors: u8,
    start: Micros,
    round: Micros,
}

crate::timers! {
    /// A general's timer.
    pub enum Timer {
        /// The time until round 1, and until the end of a round.
        Round = { name: "round", says: "ends the round, and begins the next or decides", acts: true };
    }
}

/// One general.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct General {
    me: NodeId,
    config: Config,
    /// The round under way; 0 before the first.
    round: u8,
    /// The commander's order.
    order: Option<Command>,
    /// What came, by its way. Invariant: no way has this general in it.
    heard: BTreeMap<Way, Command>,
    decision: Option<Command>,
    /// Clients that wait for the decision.
    clients: Vec<(ClientId, u32)>,
}

impl General {
    /// What came this way, or else the default.
    fn said(&self, way: &Way) -> Command {
        self.heard.get(way).copied().unwrap_or(RETREAT)
    }

    /// All generals but those on the way and this one.
    fn others(&self, way: &[NodeId]) -> NodeSet {
        way.iter().fold(NodeSet::first(self.config.generals).without(self.me), |set, on_way| set.without(*on_way))
    }

    /// All ways of so many generals on which this one is not.
    fn ways(&self, length: u8) -> Vec<Way> {
        let longer = |ways: Vec<Way>, _| {
            let longer = ways.iter().flat_map(|way| self.others(way).iter().map(|next| [&way[..], &[next]].concat()));
            longer.collect()
        };
        (1..length).fold(vec![vec![COMMANDER]], longer)
    }

    /// Step 3: what the last general on the way has told the others, as far as this one can find out from ways of up to `longest` generals; and how
    /// many of how many values say so.
    fn find(&self, way: &mut Way, longest: usize) -> (Command, u32, u32) {
        let own = self.said(way);
        if way.len() >= longest {
            return (own, 1, 1);
        }
        let mut values = vec![own];
        for next in self.others(way).iter() {
            way.push(next);
            values.push(self.find(way, longest).0);
            way.pop();
        }
        let votes = |value: Command| values.iter().filter(|other| **other == value).count();
        let majority = values.iter().copied().find(|value| 2 * votes(*value) > values.len()).unwrap_or(RETREAT);
        (majority, votes(majority) as u32, values.len() as u32)
    }

    fn begin_round(&mut self, out: &mut Out<General>) {
        self.round += 1;
        match (self.me, self.order, self.round) {
            (COMMANDER, Some(order), 1) => {
                out.because(GIVES, facts![order]);
                out.broadcast(self.others(&[]), Msg::Order { way: vec![COMMANDER], order });
            }
            (COMMANDER, None, 1) => out.tell(GIVES_NOTHING, facts![]),
            (COMMANDER, ..) | (_, _, 1) => {}
            _ => self.pass_on(out),
        }
        let whole = self.config.round;
        let round = if out.rule(WAITS, facts![self.round, whole]) { whole } else { whole / 4 };
        out.set_timer(Timer::Round, round, round);
    }

    /// Step 2: as a commander, for each way by which the order can have come.
    fn pass_on(&mut self, out: &mut Out<General>) {
        let ways = self.ways(self.round - 1);
        let messages: u32 = ways.iter().map(|way| u32::from(self.others(way).len())).sum();
        out.because(PASSES_ON, facts![messages, self.round]);
        for way in ways {
            let (order, to) = (self.said(&way), self.others(&way));
            out.broadcast(to, Msg::Order { way: [&way[..], &[self.me]].concat(), order });
        }
    }

    fn decide(&mut self, out: &mut Out<General>) {
        let decision = match self.me {
            COMMANDER => self.order.unwrap_or(RETREAT),
            _ => {
                let (found, votes, values) = self.find(&mut vec![COMMANDER], usize::from(self.round));
                let by_majority = match found {
                    RETREAT => out.rule(RETREATS, facts![values]),
                    found => out.rule(OBEYS, facts![written(found), found, votes, values]),
                };
                if by_majority { found } else { self.said(&vec![COMMANDER]) }
            }
        };
        self.decision = Some(decision);
        out.applied(1, decision);
        self.answer_clients(out);
    }

    fn answer_clients(&mut self, out: &mut Out<General>) {
        let Some(Command { op, .. }) = self.decision else { return };
        for (client, seq) in self.clients.drain(..) {
            out.because(ANSWERS, facts![Command { client, seq, op }]);
            out.reply(client, seq, Answer::Done(Outcome::Chosen(op)));
        }
    }

    /// Whether an order from `from` with this way is one that counts now: the sender is last (A2), the way could be, and it is not of an earlier round
    /// (A3), nor said before. One of the next round may come a moment early.
    fn counts(&self, from: NodeId, way: &Way) -> bool {
        let different = way.iter().fold(NodeSet::EMPTY, |set, on_way| set.with(*on_way));
        let possible = usize::from(different.len()) == way.len() && !different.has(self.me);
        let in_time = self.decision.is_none() && way.len() >= usize::from(self.round);
        let from_commander = way.first() == Some(&COMMANDER) && way.last() == Some(&from);
        possible && in_time && from_commander && !self.heard.contains_key(way)
    }
}

impl Node for General {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = ();

    fn boot(me: NodeId, config: &Config, (): (), out: &mut Out<General>) -> General {
        if config.generals > 3 * config.traitors {
            out.because(ARE_ENOUGH, facts![config.generals, config.traitors]);
        }
        out.set_timer(Timer::Round, config.start, config.start);
        General {
            me,
            config: *config,
            round: 0,
            order: None,
            heard: BTreeMap::new(),
            decision: None,
            clients: Vec::new(),
        }
    }

    fn on_message(&mut self, from: NodeId, Msg::Order { way, order }: &Msg, out: &mut Out<General>) {
        if !self.counts(from, way) {
            return out.tell(OUT_OF_PLACE, facts![from]);
        }
        let through = way.len() as u32;
        match *order {
            RETREAT => out.because(HEARS_OF_NONE, facts![from, through]),
            order => out.because(HEARS, facts![from, written(order), order, through]),
        }
        self.heard.insert(way.clone(), *order);
    }

    fn on_timer(&mut self, Timer::Round: Timer, out: &mut Out<General>) {
        let Config { traitors, .. } = self.config;
        let goes_on = |out: &mut Out<General>| out.rule(GOES_ON, facts![self.round, traitors]);
        // The first round is there without traitors, too.
        let more = self.round == 0 || self.round < traitors || self.round == traitors && goes_on(out);
        if more { self.begin_round(out) } else { self.decide(out) }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<General>) {
        let client = (command.client, command.seq);
        if !self.clients.contains(&client) {
            self.clients.push(client);
        }
        if self.me == COMMANDER && self.decision.is_none() {
            if self.round == 0 && self.order.is_none() {
                out.because(TAKES_ORDER, facts![command]);
                self.order = Some(command);
            } else {
                out.tell(HAS_ORDER, facts![command]);
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
            role: if self.me == COMMANDER { "commander" } else { "lieutenant" },
            leads: self.me == COMMANDER,
            epoch: Epoch { number: u32::from(self.round), owner: None },
            leader: Some(COMMANDER),
            tally: None,
            blocked: None,
            log: LogStatus {
                first: 1,
                last: Slot::from(self.entry(1).is_some()),
                committed: decided,
                applied: decided,
            },
            members: NodeSet::first(self.config.generals),
        }
    }

    /// What it acts on or, so far, the commander's order or what that one told it.
    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let told = self.order.or_else(|| self.heard.get(&vec![COMMANDER]).copied());
        let command = self.decision.or(told).filter(|_| slot == 1)?;
        let epoch = Epoch { number: u32::from(self.round), owner: None };
        Some(EntryStatus { epoch, command: Some(command), chosen: self.decision.is_some() })
    }
}

impl Protocol for OralMessages {
    const CARD: Card = Card {
        key: "oral-messages",
        title: "Oral messages, OM(m)",
        says: "A commander's order, and what each general says it was, goes around in m + 1 rounds: m Byzantine generals of 3m + 1 cannot divide the others.",
        paper: "Lamport, Shostak, Pease, The Byzantine Generals Problem, ACM TOPLAS 4(3), 1982, §3",
        epoch: "round",
        family: Family::Byzantine,
        optimises: "Byzantine nodes survived, without signatures",
        min_replicas: 4,
        faults: Faults::Byzantine,
        timing: TimingModel::Synchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::Fixed,
        contact: Contact::All,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "(n−1) + (n−1)(n−2) + … + (n−1)(n−2)…(n−m−1)",
            count: |n, settings| {
                let rounds = 1..=settings.count(TRAITORS) + 1;
                Some(rounds.map(|round| (1..=round).map(|left| n.saturating_sub(left)).product::<u32>()).sum())
            },
            source: "Lamport, Shostak, Pease §3: each message of a round is passed on to all that it has not been through",
        }],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = General;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let traitors = settings.count(TRAITORS);
        if u32::from(setup.replicas) <= 3 * traitors && !setup.ablated.has(THREE_M_PLUS_ONE) {
            return Err(("m", "fewer than a third of the replicas would do: 1 of 4 to 6, 2 of 7 to 9, 3 of 10"));
        }
        // Otherwise no client would be answered, whatever the generals do.
        if u32::from(setup.replicas) <= 2 * traitors {
            return Err((
                "m",
                "fewer than half of the replicas would do: m + 1 must be loyal for a client to believe them",
            ));
        }
        let config = Config {
            generals: setup.replicas,
            traitors: traitors as u8,
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

    fn least_replicas(ablated: RuleSet) -> u8 {
        if ablated.has(THREE_M_PLUS_ONE) { 3 } else { Self::CARD.min_replicas }
    }

    /// While no more than m are traitors, or down.
    fn live(setup: &Setup, healthy: u8) -> bool {
        u32::from(healthy) + setup.settings.count(TRAITORS) >= u32::from(setup.replicas)
    }

    fn byzantine(setup: &Setup) -> u8 {
        setup.settings.count(TRAITORS) as u8
    }

    /// Of m + 1 generals that say the same one is loyal.
    fn answers(setup: &Setup) -> u8 {
        setup.settings.count(TRAITORS) as u8 + 1
    }

    /// All begin and end rounds together, so no clock may run faster than another.
    fn clocks(_setup: &Setup) -> Option<u32> {
        Some(0)
    }

    fn invariants() -> &'static [Invariant<General>] {
        &[Invariant {
            name: "A loyal commander is obeyed (IC2)",
            says: "If the commander is loyal, every loyal lieutenant acts on the order that he gave.",
            holds: commander_is_obeyed,
        }]
    }
}

/// A commander that is a traitor is not among the nodes, or a breach with it in it does not count.
fn commander_is_obeyed(nodes: &[Option<General>], step: Step) -> Result<(), Breach> {
    let general = |node: NodeId| nodes.get(usize::from(node.0)).and_then(Option::as_ref);
    let (Some(lieutenant), Some(commander)) = (general(step.changed), general(COMMANDER)) else { return Ok(()) };
    match lieutenant.decision {
        Some(decision) if commander.round > 0 && decision != commander.order.unwrap_or(RETREAT) => {
            Err(Breach { other: Some(COMMANDER), slot: Some(1) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! The interface between the explorer and a protocol: [`Model`], an object-safe trait that knows hosts, messages, timers and histories by number.
//!
//! Everything else in this folder is written against it and compiled once; a variant adds its one implementation,
//! [`ModelOf`](super::protocol_model::ModelOf).

use super::history::Violation;
use super::intern::Interner;
use crate::core::messages::MessageId;
use crate::core::node::{Reply, Step};
use crate::core::out::TimerId;
use crate::core::{
    Command, Effect, EntryStatus, Epoch, Names, NodeId, NodeSet, NodeStatus, RuleSet, Setup, Shots, Slot,
};
use std::any::Any;
use std::fmt::{Debug, Formatter, Result};

/// A protocol as the explorer sees it. Numbers are given in the order in which things are first met, and stay.
pub(super) trait Model: Debug {
    /// How many hosts there are in a cluster, newcomers included.
    fn replicas(&self) -> usize;

    /// The number of the host of `me` with an empty disk and nothing running.
    fn empty_host(&mut self, me: NodeId) -> u32;

    /// Handles one event, all that the node sends itself in the course of it included.
    fn handle(&mut self, host: u32, stimulus: Stimulus, choices: Choices) -> (Outcome, Report);

    /// Handles it once more, for a trace: what the node asks for, in order, and the rules it applies.
    fn replay(&mut self, host: u32, stimulus: Stimulus, choices: Choices) -> (Vec<TextEffect>, RuleSet);

    /// Bytes of hosts, messages and histories, by count.
    fn bytes(&self) -> u64;

    /// Different hosts so far.
    fn hosts(&self) -> u32;

    /// What the explorer must know of a host.
    fn host_facts(&self, host: u32) -> HostFacts;

    /// Different messages so far, told apart by sender and receiver, too.
    fn messages(&self) -> u32;

    /// From whom and to whom a message goes.
    fn endpoints(&self, message: u32) -> (NodeId, NodeId);

    /// The number of the message that a Byzantine sender could send in its place.
    fn tampered(&mut self, message: u32) -> Option<u32>;

    /// A message in words.
    fn message_text(&self, message: u32) -> MessageText;

    /// Whether it is no message but the order that turns its receiver off, which the network can neither lose nor duplicate.
    fn is_fence(&self, message: u32) -> bool;

    /// A timer as a simulator knows it.
    fn timer_id(&self, timer: u32) -> TimerId;

    /// A timer in words.
    fn timer_text(&self, timer: u32) -> TimerText;

    /// What can be seen of a host's node; `None` while it is down.
    fn status(&self, host: u32) -> Option<NodeStatus>;

    /// What a host's node holds in a slot of its log.
    fn entry(&self, host: u32, slot: Slot) -> Option<EntryStatus>;

    /// A host's node itself; `None` while it is down.
    fn node(&self, host: u32) -> Option<&dyn Any>;

    /// Chooses the protocol's invariants to check from now on, by name; tells whether there are any.
    fn select_invariants(&mut self, wanted: &dyn Fn(&str) -> bool) -> bool;

    /// Checks the selected invariants in a state with these hosts, after a step.
    fn check(&mut self, hosts: &[u32], step: Step) -> Option<Violation>;

    /// The number of the history in which nothing has happened yet.
    fn empty_history(&mut self) -> u32;

    /// The history after an outcome, and what that violates.
    fn observe(&mut self, history: u32, outcome: &Outcome) -> (u32, Vec<Violation>);

    /// What the events handled so far gave the properties to look at.
    fn exercised(&self) -> Exercised;

    /// Whether the protocol promises a property. Of its own invariants it does.
    fn promises(&self, property: &str) -> bool;

    /// The command that is chosen in a slot, by a history.
    fn chosen(&self, history: u32, slot: Slot) -> Option<Command>;

    /// Nodes that can be exchanged for each other, if clients ask those in `asked`; `None` if the protocol does not say how.
    fn interchangeable(&self, setup: &Setup, asked: NodeSet) -> Option<NodeSet>;

    /// The number of a host under other names.
    fn rename_host(&mut self, host: u32, names: &Names) -> u32;

    /// The number of a message under other names.
    fn rename_message(&mut self, message: u32, names: &Names) -> u32;

    /// The number of a history under other names.
    fn rename_history(&mut self, history: u32, names: &Names) -> u32;
}

/// Nodes that some event made do what a property is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exercised {
    /// Learned what is chosen.
    pub decided: NodeSet,
    /// Began to lead.
    pub led: NodeSet,
    /// Told a client something.
    pub told: NodeSet,
}

/// What the explorer must know of a host: a machine, its disk, its timers, and the node on it.
#[derive(Clone, Debug)]
pub(super) struct HostFacts {
    /// Whose it is.
    pub me: NodeId,
    /// Whether the node is running.
    pub up: bool,
    /// The epoch it leads.
    pub leads: Option<Epoch>,
    /// The number of the epoch it is in; 0 while it is down.
    pub epoch: u32,
    /// Numbers of the timers that are set, in order.
    pub timers: Box<[u32]>,
    /// How many timers have fired, where that is counted; see [`Machine::ticks`].
    pub ticks: u16,
}

/// An event that a node handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stimulus {
    /// The message with this number arrives, or the order that turns the node off.
    Message(u32),
    /// The timer with this number fires.
    Timer(u32),
    /// A client asks for the command with this number.
    Request(u32),
    /// The operator gives the order with this number.
    Order(u32),
    /// It loses everything but its disk.
    Crash,
    /// It boots from its disk.
    Boot,
}

/// Most coins that one event is explored with; later ones show tails, and [`Cut::Coins`](super::Cut::Coins) tells of it.
pub(super) const MOST_COINS: u8 = 8;

/// What a node's state and an event leave open: which sides the coins show, and whether it crashes in the middle of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// A bit for each coin, the first one lowest.
    pub coins: u8,
    /// How many coins are decided.
    pub decided: u8,
    /// After how many messages to others it crashes; 0: it does not.
    pub crash_after: u8,
}

impl Choices {
    /// With one more coin decided.
    pub fn with_coin(self, heads: bool) -> Choices {
        Choices { coins: self.coins | u8::from(heads) << self.decided, decided: self.decided + 1, ..self }
    }
}

/// What came of an event at a host, under some choices.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The host before.
    pub before: u32,
    /// The host afterwards.
    pub host: u32,
    /// The event.
    pub stimulus: Stimulus,
    /// The choices.
    pub choices: Choices,
    /// It changes nothing, sends nothing and matters to no history.
    pub idle: bool,
    /// It can matter to a history.
    pub observed: bool,
    /// Numbers of the messages that go through the network, in order.
    pub sent: Vec<u32>,
    /// What the node now knows to be chosen; slots are [instances](crate::core::Instance::number).
    pub decided: Vec<(Slot, Command)>,
    /// What it told clients.
    pub replies: Vec<Reply>,
    /// A slot executed out of order.
    pub out_of_order: Option<Slot>,
    /// The first slot of its log that may be different now.
    pub log_from: Option<Slot>,
}

impl Outcome {
    /// Nothing came of it so far.
    pub fn new(before: u32, stimulus: Stimulus, choices: Choices) -> Outcome {
        Outcome {
            before,
            host: before,
            stimulus,
            choices,
            idle: false,
            observed: false,
            sent: Vec::new(),
            decided: Vec::new(),
            replies: Vec::new(),
            out_of_order: None,
            log_from: None,
        }
    }

    /// Whether the node crashes in the middle of sending.
    pub fn crashes(&self) -> bool {
        self.choices.crash_after > 0
    }
}

/// What of a host is the same for every protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Machine {
    /// Whose it is.
    pub me: NodeId,
    /// Whether a node runs on it.
    pub up: bool,
    /// Numbers of the timers that are set, in order.
    timers: Vec<u32>,
    /// The last slot executed since it booted.
    applied: Slot,
    /// How many timers have fired, crashes or not. Counted in [lock-step](super::Bounds::lock_step) only; 0 otherwise, which keeps states equal.
    pub ticks: u16,
}

impl Machine {
    /// Nothing runs on it.
    pub fn new(me: NodeId) -> Machine {
        Machine { me, up: false, timers: Vec::new(), applied: 0, ticks: 0 }
    }

    /// Numbers of the timers that are set, in order.
    pub fn timers(&self) -> &[u32] {
        &self.timers
    }

    /// A timer fires: it is set no more.
    pub fn fire(&mut self, timer: u32) {
        self.timers.retain(|&set| set != timer);
    }

    /// Everything but the disk is lost.
    pub fn crash(&mut self) {
        *self = Machine { ticks: self.ticks, ..Machine::new(self.me) };
    }
}

/// An event being handled: what has come of it so far.
#[derive(Debug)]
pub(super) struct Handling {
    pub machine: Machine,
    pub outcome: Outcome,
    pub report: Report,
}

impl Handling {
    /// Takes in the rules that a handler applied, and the first slot of the log that it may have changed.
    pub fn settle(&mut self, (rules, log_from): (RuleSet, Option<Slot>)) {
        self.report.rules = self.report.rules.or(rules);
        self.outcome.log_from = match (self.outcome.log_from, log_from) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// Crashes: everything but the disk is lost.
    pub fn crash(&mut self) {
        self.machine.crash();
        self.outcome.log_from = Some(1);
    }

    /// Notes that a message goes through the network; tells whether the node crashes now.
    pub fn sent(&mut self, to: NodeId, message: u32) -> bool {
        self.outcome.sent.push(message);
        let to_other = to != self.machine.me;
        self.report.sent_to_others += u32::from(to_other);
        to_other && self.report.sent_to_others == u32::from(self.outcome.choices.crash_after)
    }

    /// Applies an effect that is neither a message, nor an order to turn a node off, nor a save.
    /// `ordered`: what is agreed on, if the protocol promises to execute that in order.
    pub fn apply(&mut self, effect: Effect, timers: &mut Interner<TimerId>, ordered: Option<Shots>) {
        let Handling { machine, outcome, .. } = self;
        match effect {
            Effect::Send(..) | Effect::Broadcast(..) | Effect::Save | Effect::Fence(_) => {}
            Effect::SetTimer(timer, _, _) => {
                let number = timers.put(timer);
                if let Err(place) = machine.timers.binary_search(&number) {
                    machine.timers.insert(place, number);
                }
            }
            Effect::Cancel(timer) => machine.fire(timers.put(timer)),
            Effect::Chosen(at, command) => outcome.decided.push((at.number(), command)),
            Effect::Applied(at, command) => {
                let slot = at.number();
                outcome.decided.push((slot, command));
                let in_order = match ordered {
                    Some(Shots::Registers) => slot > machine.applied,
                    // Lanes say nothing about the order of commands.
                    Some(Shots::Graph) | None => true,
                    Some(_) => slot == machine.applied + 1,
                };
                if at.lane == 0 && !in_order {
                    outcome.out_of_order.get_or_insert(slot);
                }
                machine.applied = slot;
            }
            Effect::Restored(slot) => machine.applied = slot,
            Effect::Reply(reply) => outcome.replies.push(reply),
        }
    }
}

/// What else is to be known of handling an event, once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    /// The rules the node applied.
    pub rules: RuleSet,
    /// How many coins it drew.
    pub coins: u8,
    /// Messages sent to others.
    pub sent_to_others: u32,
    /// A message to itself was handled at once.
    pub handled_own: bool,
    /// A message was lost for its kind.
    pub lost_kind: bool,
}

/// A message in words.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText {
    /// Its kind.
    pub kind: &'static str,
    /// All of it.
    pub text: String,
}

impl Debug for MessageText {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.text)
    }
}

/// A timer in words.
#[derive(Clone, PartialEq, Eq)]
pub struct TimerText(pub String);

impl Debug for TimerText {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.0)
    }
}

/// What a node asked for, with messages and timers in words.
pub type TextEffect = Effect<MessageText, TimerText>;

/// An effect with messages and timers in words.
pub(super) fn effect_text(
    effect: Effect,
    message: &dyn Fn(MessageId) -> Option<MessageText>,
    timer: &dyn Fn(TimerId) -> TimerText,
) -> Option<TextEffect> {
    Some(match effect {
        Effect::Send(to, id) => Effect::Send(to, message(id)?),
        Effect::Broadcast(to, id) => Effect::Broadcast(to, message(id)?),
        Effect::SetTimer(id, lo, hi) => Effect::SetTimer(timer(id), lo, hi),
        Effect::Cancel(id) => Effect::Cancel(timer(id)),
        Effect::Save => Effect::Save,
        Effect::Reply(reply) => Effect::Reply(reply),
        Effect::Chosen(slot, command) => Effect::Chosen(slot, command),
        Effect::Applied(slot, command) => Effect::Applied(slot, command),
        Effect::Restored(slot) => Effect::Restored(slot),
        Effect::Fence(node) => Effect::Fence(node),
    })
}

//! What a node does when something happens to it: computed once for each pair of a node's state and an event.

use super::bounds::{Bounds, Request};
use super::intern::Interner;
use super::past::Seen;
use super::table::Memo;
use crate::core::node::{Message, Node, Order, Protocol, Reply};
use crate::core::{Command, Effect, Epoch, Exchange, Names, NodeId, Out, Promises, RuleSet, Shots, Slot, TimerName};
use std::collections::VecDeque;

pub(super) type N<P> = <P as Protocol>::Node;
pub(super) type Msg<P> = <N<P> as Node>::Msg;
pub(super) type Timer<P> = <N<P> as Node>::Timer;

/// A message under way: from, to, what.
pub(super) type Envelope<P> = (NodeId, NodeId, Msg<P>);

/// A machine and the node on it: all that belongs to one replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Host<N: Node> {
    pub me: NodeId,
    /// `None` while it is down.
    pub node: Option<N>,
    pub disk: N::Disk,
    /// Numbers of the timers that are set, in order.
    pub timers: Vec<u32>,
    /// The last slot executed since it booted.
    applied: Slot,
}

/// What is asked often of a host and worth keeping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    /// The epoch it leads.
    pub leads: Option<Epoch>,
    /// The epoch it is in.
    pub epoch: u32,
    /// Whether it is running.
    pub up: bool,
}

/// What happens to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stimulus {
    /// The message with this number arrives.
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

impl Stimulus {
    fn key(self, host: u32) -> u64 {
        let (kind, number) = match self {
            Stimulus::Message(number) => (0, number),
            Stimulus::Timer(number) => (1, number),
            Stimulus::Request(number) => (2, number),
            Stimulus::Crash => (3, 0),
            Stimulus::Boot => (4, 0),
            Stimulus::Order(number) => (5, number),
        };
        u64::from(host) << 32 | u64::from(number) << 3 | kind
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The host before.
    pub before: u32,
    /// What happened to it.
    pub stimulus: Stimulus,
    /// The host afterwards.
    pub host: u32,
    /// Numbers of the messages sent to others.
    pub sent: Vec<u32>,
    /// What the node now knows to be chosen.
    pub learned: Vec<(Slot, Command)>,
    /// What it told clients.
    pub replies: Vec<Reply>,
    /// A slot executed out of order.
    pub disorder: Option<Slot>,
    /// The first slot of its log that may be different now.
    pub log_from: Option<Slot>,
    /// Nothing changes and nothing is sent.
    pub idle: bool,
    /// It can matter to what is remembered.
    pub noted: bool,
}

/// What a node asked for, in order, with the messages themselves.
pub(super) type Said<P> = Vec<Effect<Msg<P>, Timer<P>>>;

/// All hosts, messages and timers there ever were, and what follows from what.
#[derive(Debug)]
pub(super) struct Steps<P: Protocol> {
    configs: Vec<<N<P> as Node>::Config>,
    requests: Vec<Request>,
    orders: Vec<Order>,
    late_to_self: bool,
    lost_kinds: u64,
    cares: fn(&Seen<'_, P>) -> bool,
    pub hosts: Interner<Host<N<P>>>,
    pub facts: Vec<Fact>,
    pub messages: Interner<Envelope<P>>,
    /// From and to, for each letter.
    ends: Vec<(NodeId, NodeId)>,
    timers: Interner<Timer<P>>,
    outcomes: Vec<Outcome>,
    memo: Memo,
    out: Out<N<P>>,
    effects: Vec<Effect>,
    /// Rules applied at least once.
    pub used: RuleSet,
    /// Whether a message to oneself was handled at once.
    pub told_itself: bool,
    /// Whether a message got lost for its kind.
    pub lost_some: bool,
}

impl<P: Protocol> Steps<P> {
    pub fn new(
        configs: Vec<<N<P> as Node>::Config>,
        bounds: &Bounds,
        ablated: RuleSet,
        cares: fn(&Seen<'_, P>) -> bool,
    ) -> Steps<P> {
        Steps {
            configs,
            requests: bounds.requests.clone(),
            orders: bounds.orders.clone(),
            cares,
            late_to_self: bounds.late_to_self,
            lost_kinds: bounds.lost_kinds,
            hosts: Interner::default(),
            facts: Vec::new(),
            messages: Interner::default(),
            ends: Vec::new(),
            timers: Interner::default(),
            outcomes: Vec::new(),
            memo: Memo::default(),
            out: Out::new(ablated),
            effects: Vec::new(),
            used: RuleSet::EMPTY,
            told_itself: false,
            lost_some: false,
        }
    }

    /// A machine with an empty disk and nothing running on it.
    pub fn new_machine(&mut self, me: NodeId) -> u32 {
        let disk = <N<P> as Node>::Disk::default();
        self.keep(Host { me, node: None, disk, timers: Vec::new(), applied: 0 })
    }

    /// The timer with this number.
    pub fn timer(&self, number: u32) -> Timer<P> {
        *self.timers.get(number)
    }

    pub fn outcome(&self, number: u32) -> &Outcome {
        &self.outcomes[number as usize]
    }

    /// What `stimulus` does to `host`: the outcome's number.
    pub fn step(&mut self, host: u32, stimulus: Stimulus) -> u32 {
        let key = stimulus.key(host);
        if let Some(known) = self.memo.get(key) {
            return known;
        }
        let (mut outcome, rules) = self.apply_effects_and_rules(host, stimulus, None);
        self.used = self.used.or(rules);
        outcome.noted = (self.cares)(&self.seen(&outcome));
        outcome.idle = outcome.host == host && outcome.sent.is_empty() && !outcome.noted;
        let number = self.outcomes.len() as u32;
        self.outcomes.push(outcome);
        self.memo.set(key, number);
        number
    }

    /// What the judges see of it.
    pub fn seen<'a>(&'a self, outcome: &'a Outcome) -> Seen<'a, P> {
        Seen {
            node: self.hosts.get(outcome.before).me,
            changed: outcome.host != outcome.before,
            arrived: match outcome.stimulus {
                Stimulus::Message(number) => {
                    let (from, _, message) = self.messages.get(number);
                    Some((*from, message))
                }
                _ => None,
            },
            asked: match outcome.stimulus {
                Stimulus::Request(number) => Some(number as usize),
                _ => None,
            },
            sent: outcome.sent.iter().map(|&message| self.messages.get(message)).collect(),
            learned: &outcome.learned,
            disorder: outcome.disorder,
            replies: &outcome.replies,
            led: self.facts[outcome.before as usize].leads,
            leads: self.facts[outcome.host as usize].leads,
        }
    }

    /// Does it again, to hear what the node asks for and which rules it applies.
    pub fn listen(&mut self, host: u32, stimulus: Stimulus) -> (Said<P>, RuleSet) {
        let mut said = Vec::new();
        let (_, rules) = self.apply_effects_and_rules(host, stimulus, Some(&mut said));
        (said, rules)
    }

    fn apply_effects_and_rules(
        &mut self,
        before: u32,
        stimulus: Stimulus,
        mut said: Option<&mut Said<P>>,
    ) -> (Outcome, RuleSet) {
        let mut host = self.hosts.get(before).clone();
        let mut outcome = Outcome {
            before,
            stimulus,
            host: before,
            sent: Vec::new(),
            learned: Vec::new(),
            replies: Vec::new(),
            disorder: None,
            log_from: None,
            idle: false,
            noted: false,
        };
        let mut rules = RuleSet::EMPTY;
        match (stimulus, &mut host.node) {
            (Stimulus::Message(number), Some(node)) => {
                let (from, _, message) = self.messages.get(number);
                node.on_message(*from, message, &mut self.out);
            }
            (Stimulus::Timer(number), Some(node)) => {
                host.timers.retain(|&timer| timer != number);
                node.on_timer(*self.timers.get(number), &mut self.out);
            }
            (Stimulus::Request(number), Some(node)) => {
                node.on_request(self.requests[number as usize].command, &mut self.out);
            }
            (Stimulus::Order(number), Some(node)) => {
                node.on_order(self.orders[number as usize], &mut self.out);
            }
            (Stimulus::Crash, node) => {
                *node = None;
                host.timers.clear();
                host.applied = 0;
                outcome.log_from = Some(1);
            }
            (Stimulus::Boot, node) => {
                let config = &self.configs[usize::from(host.me.0)];
                *node = Some(N::<P>::boot(host.me, config, host.disk.clone(), &mut self.out));
                outcome.log_from = Some(1);
            }
            (_, None) => {}
        }
        let mut to_self = VecDeque::new();
        loop {
            rules = rules.or(self.gather(&mut host, &mut outcome, &mut to_self, said.as_deref_mut()));
            // What a node tells itself arrives at once, when it has saved what it wanted to save.
            let (Some(message), Some(node)) = (to_self.pop_front(), &mut host.node) else { break };
            node.on_message(host.me, &message, &mut self.out);
        }
        outcome.host = self.keep(host);
        (outcome, rules)
    }

    /// Takes what the handler asked for out of the outbox.
    fn gather(
        &mut self,
        host: &mut Host<N<P>>,
        outcome: &mut Outcome,
        to_self: &mut VecDeque<Msg<P>>,
        said: Option<&mut Said<P>>,
    ) -> RuleSet {
        let mut effects = std::mem::take(&mut self.effects);
        let (rules, log_from) = self.out.take(&mut effects);
        outcome.log_from = match (outcome.log_from, log_from) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if let Some(said) = said {
            let out = &self.out;
            said.extend(effects.iter().filter_map(|effect| effect.map(|id| out.message(id).cloned())));
        }
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(to, message_id) => self.send(host.me, to, message_id, outcome, to_self),
                Effect::Broadcast(to, message_id) => {
                    to.iter().for_each(|to| self.send(host.me, to, message_id, outcome, to_self));
                }
                Effect::SetTimer(timer, _, _) => {
                    let Some(timer) = Timer::<P>::from_index(timer) else { continue };
                    let number = self.timers.put(timer);
                    if let Err(place) = host.timers.binary_search(&number) {
                        host.timers.insert(place, number);
                    }
                }
                Effect::Cancel(timer) => {
                    let Some(timer) = Timer::<P>::from_index(timer) else { continue };
                    let number = self.timers.put(timer);
                    host.timers.retain(|&timer| timer != number);
                }
                Effect::Save => {
                    if let Some(node) = &host.node {
                        host.disk.clone_from(node.disk());
                    }
                }
                Effect::Chosen(at, command) => outcome.learned.push((at.number(), command)),
                Effect::Applied(at, command) => {
                    let slot = at.number();
                    outcome.learned.push((slot, command));
                    let in_order = match P::CARD.shots {
                        Shots::Registers | Shots::Graph => slot > host.applied,
                        _ => slot == host.applied + 1,
                    };
                    if P::CARD.promises.has(Promises::ORDER) && at.lane == 0 && !in_order {
                        outcome.disorder.get_or_insert(slot);
                    }
                    host.applied = slot;
                }
                Effect::Restored(slot) => host.applied = slot,
                Effect::Reply(reply) => outcome.replies.push(reply),
                // A node is turned off by a crash, which the search takes at any time where its bounds allow crashes.
                Effect::Fence(_) => {}
            }
        }
        self.effects = effects;
        rules
    }

    fn send(&mut self, me: NodeId, to: NodeId, message_id: u32, outcome: &mut Outcome, to_self: &mut VecDeque<Msg<P>>) {
        let Some(message) = self.out.take_message(message_id) else { return };
        if self.lost_kinds >> message.kind().0 & 1 == 1 {
            self.lost_some = true;
        } else if to == me && !self.late_to_self {
            self.told_itself = true;
            to_self.push_back(message);
        } else if usize::from(to.0) < self.configs.len() {
            outcome.sent.push(self.intern_message((me, to, message)));
        }
    }

    /// The number of a message.
    pub fn intern_message(&mut self, message: Envelope<P>) -> u32 {
        let (from, to, _) = message;
        let number = self.messages.put(message);
        if number as usize == self.ends.len() {
            self.ends.push((from, to));
        }
        number
    }

    /// The number of a host under other names.
    pub fn exchange_host(&mut self, host: u32, names: &Names, exchange: &Exchange<N<P>>) -> u32 {
        let mut host = self.hosts.get(host).clone();
        names.node(&mut host.me);
        (exchange.disk)(&mut host.disk, names);
        if let Some(node) = &mut host.node {
            (exchange.node)(node, names);
        }
        self.keep(host)
    }

    /// The number of a message under other names.
    pub fn exchange_message(&mut self, message: u32, names: &Names, exchange: &Exchange<N<P>>) -> u32 {
        let (mut from, mut to, mut message) = self.messages.get(message).clone();
        names.node(&mut from);
        names.node(&mut to);
        (exchange.message)(&mut message, names);
        self.intern_message((from, to, message))
    }

    /// Who sent the message with this number, and to whom.
    #[inline]
    pub fn ends(&self, message: u32) -> (NodeId, NodeId) {
        self.ends[message as usize]
    }

    /// The number of a host.
    pub fn keep(&mut self, host: Host<N<P>>) -> u32 {
        let number = self.hosts.put(host);
        if number as usize == self.facts.len() {
            let node = self.hosts.get(number).node.as_ref();
            let leads = node.and_then(|node| node.leads());
            let epoch = node.map_or(0, |node| node.status().epoch.number);
            self.facts.push(Fact { leads, epoch, up: node.is_some() });
        }
        number
    }
}

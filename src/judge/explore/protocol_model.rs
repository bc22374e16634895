//! [`ModelOf`]: the explorer's view of any protocol, the only code of the explorer that is compiled once a variant.

use super::bounds::Bounds;
use super::history::{Envelope, EventFacts, HistoryVariable, Msg, Observation, Violation};
use super::intern::Interner;
use super::model::{Choices, HostFacts, MessageText, Model, Outcome, Report, Stimulus, TextEffect, TimerText};
use crate::core::node::{Breach, Invariant, Message, Node, Protocol, SettingError, Step};
use crate::core::{
    Command, Effect, EntryStatus, Exchange, Names, NodeId, NodeSet, NodeStatus, Out, RuleSet, Setup, Slot,
};
use std::any::Any;
use std::collections::VecDeque;

type N<P> = <P as Protocol>::Node;
type Timer<P> = <N<P> as Node>::Timer;

/// A machine and the node on it: all that belongs to one replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Host<N: Node> {
    me: NodeId,
    /// `None` while it is down.
    node: Option<N>,
    disk: N::Disk,
    /// Numbers of the timers that are set, in order.
    timers: Vec<u32>,
    /// The last slot executed since it booted.
    applied: Slot,
}

impl<N: Node> Host<N> {
    fn crash(&mut self) {
        self.node = None;
        self.timers.clear();
        self.applied = 0;
    }
}

/// No host.
const NONE: u32 = u32::MAX;

/// All hosts, messages, timers and histories of a protocol that were met so far.
#[derive(Debug)]
pub(super) struct ModelOf<P: Protocol, H: HistoryVariable<P>> {
    configs: Vec<<N<P> as Node>::Config>,
    bounds: Bounds,
    exchange: Option<Exchange<N<P>>>,
    hosts: Interner<Host<N<P>>>,
    messages: Interner<Envelope<P>>,
    timers: Interner<Timer<P>>,
    histories: Interner<H>,
    out: Out<N<P>>,
    effects: Vec<Effect<u32, Timer<P>>>,
    /// The invariants to check.
    selected: Vec<&'static Invariant<N<P>>>,
    /// The nodes of one state in a row, as invariants want them: moved here from their hosts while they are checked.
    nodes: Vec<Option<N<P>>>,
    /// The hosts they belong to, or [`NONE`].
    owners: Vec<u32>,
}

/// One event being handled.
struct Handling<'a, P: Protocol> {
    host: Host<N<P>>,
    outcome: Outcome,
    report: Report,
    /// What the node sent itself and has not handled yet.
    to_self: VecDeque<Msg<P>>,
    /// Where to write down what it asks for.
    effects: Option<&'a mut Vec<TextEffect>>,
}

impl<P: Protocol, H: HistoryVariable<P>> ModelOf<P, H> {
    /// A cluster. The error names a setting and what would do.
    pub fn new(setup: &Setup, bounds: &Bounds) -> Result<ModelOf<P, H>, SettingError> {
        let mut configs = P::cluster(setup)?;
        let members = configs.len() as u8;
        configs.extend((0..bounds.newcomers).filter_map(|number| P::newcomer(setup, NodeId(members + number))));
        let replicas = configs.len();
        Ok(ModelOf {
            configs,
            bounds: bounds.clone(),
            exchange: P::exchange(),
            hosts: Interner::default(),
            messages: Interner::default(),
            timers: Interner::default(),
            histories: Interner::default(),
            out: Out::new(setup.ablated),
            effects: Vec::new(),
            selected: Vec::new(),
            nodes: vec![None; replicas],
            owners: vec![NONE; replicas],
        })
    }

    /// Handles an event, and then what the node sends itself, which arrives at once.
    fn run(
        &mut self,
        before: u32,
        stimulus: Stimulus,
        choices: Choices,
        effects: Option<&mut Vec<TextEffect>>,
    ) -> (Outcome, Report) {
        self.return_nodes();
        let mut run = Handling {
            host: self.hosts.get(before).clone(),
            outcome: Outcome::new(before, stimulus, choices),
            report: Report::default(),
            to_self: VecDeque::new(),
            effects,
        };
        self.out.set_coins(u64::from(choices.coins), choices.decided);
        let Handling::<P> { host, outcome, .. } = &mut run;
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
                node.on_request(self.bounds.requests[number as usize].command, &mut self.out);
            }
            (Stimulus::Order(number), Some(node)) => {
                node.on_order(self.bounds.orders[number as usize], &mut self.out);
            }
            (Stimulus::Crash, _) => {
                host.crash();
                outcome.log_from = Some(1);
            }
            (Stimulus::Boot, node) => {
                let config = &self.configs[usize::from(host.me.0)];
                *node = Some(N::<P>::boot(host.me, config, host.disk.clone(), &mut self.out));
                outcome.log_from = Some(1);
            }
            (_, None) => {}
        }
        loop {
            self.apply_effects(&mut run);
            // What a node sends itself arrives when it has saved what it wanted to save.
            let (Some(message), Some(node)) = (run.to_self.pop_front(), &mut run.host.node) else { break };
            node.on_message(run.host.me, &message, &mut self.out);
        }
        run.report.coins = self.out.coins_used();
        run.outcome.host = self.hosts.put(run.host);
        (run.outcome, run.report)
    }

    /// Carries out what a handler asked for, in order, up to where the node crashes.
    fn apply_effects(&mut self, run: &mut Handling<'_, P>) {
        let mut effects = std::mem::take(&mut self.effects);
        let (rules, log_from) = self.out.take(&mut effects);
        run.report.rules = run.report.rules.or(rules);
        run.outcome.log_from = match (run.outcome.log_from, log_from) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for effect in effects.drain(..) {
            let to = match effect {
                Effect::Send(to, _) => NodeSet::just(to),
                Effect::Broadcast(to, _) => to,
                _ => NodeSet::EMPTY,
            };
            let text = match &run.effects {
                Some(_) if run.host.node.is_some() => self.effect_text(&effect),
                _ => None,
            };
            let mut sent = NodeSet::EMPTY;
            match effect {
                Effect::Send(_, message) | Effect::Broadcast(_, message) => {
                    for to in to.iter() {
                        sent = if self.send(run, to, message) { sent.with(to) } else { sent };
                    }
                }
                // It crashed: nothing of what comes later takes place.
                _ if run.host.node.is_none() => {}
                Effect::SetTimer(timer, _, _) => {
                    let number = self.timers.put(timer);
                    if let Err(place) = run.host.timers.binary_search(&number) {
                        run.host.timers.insert(place, number);
                    }
                }
                Effect::Cancel(timer) => {
                    let number = self.timers.put(timer);
                    run.host.timers.retain(|&timer| timer != number);
                }
                Effect::Save => {
                    if let Some(node) = &run.host.node {
                        run.host.disk.clone_from(node.disk());
                    }
                }
                Effect::Chosen(slot, command) => run.outcome.decided.push((slot, command)),
                Effect::Applied(slot, command) => {
                    run.outcome.decided.push((slot, command));
                    if slot != run.host.applied + 1 {
                        run.outcome.out_of_order.get_or_insert(slot);
                    }
                    run.host.applied = slot;
                }
                Effect::Restored(slot) => run.host.applied = slot,
                Effect::Reply(reply) => run.outcome.replies.push(reply),
            }
            if let (Some(effects), Some(text)) = (&mut run.effects, text) {
                effects.push(match text {
                    Effect::Broadcast(_, message) => Effect::Broadcast(sent, message),
                    text => text,
                });
            }
        }
        self.effects = effects;
    }

    /// Sends one message to one node; tells whether it left.
    fn send(&mut self, run: &mut Handling<'_, P>, to: NodeId, message: u32) -> bool {
        let Handling { host, outcome, report, to_self, .. } = run;
        let Some(message) = self.out.messages.take(message) else { return false };
        if host.node.is_none() {
            return false;
        }
        if self.bounds.lost_kinds >> message.kind().0 & 1 == 1 {
            report.lost_kind = true;
        } else if to == host.me && !self.bounds.late_to_self {
            report.handled_own = true;
            to_self.push_back(message);
        } else if usize::from(to.0) < self.configs.len() {
            outcome.sent.push(self.messages.put((host.me, to, message)));
            report.sent_to_others += u32::from(to != host.me);
            if to != host.me && report.sent_to_others == u32::from(outcome.choices.crash_after) {
                self.crash(run);
            }
        }
        true
    }

    /// Crashes in the middle of sending. What it meant to send itself goes with it.
    fn crash(&mut self, run: &mut Handling<'_, P>) {
        let me = run.host.me;
        run.host.crash();
        run.to_self.clear();
        run.outcome.sent.retain(|&message| self.messages.get(message).1 != me);
        run.outcome.log_from = Some(1);
    }

    fn effect_text(&self, effect: &Effect<u32, Timer<P>>) -> Option<TextEffect> {
        let text = |message: &u32| self.out.messages.look(*message).map(text::<P>);
        Some(match effect {
            Effect::SetTimer(timer, lo, hi) => Effect::SetTimer(TimerText(format!("{timer:?}")), *lo, *hi),
            Effect::Cancel(timer) => Effect::Cancel(TimerText(format!("{timer:?}"))),
            Effect::Send(to, message) => Effect::Send(*to, text(message)?),
            Effect::Broadcast(to, message) => Effect::Broadcast(*to, text(message)?),
            Effect::Save => Effect::Save,
            Effect::Reply(reply) => Effect::Reply(*reply),
            Effect::Chosen(slot, command) => Effect::Chosen(*slot, *command),
            Effect::Applied(slot, command) => Effect::Applied(*slot, *command),
            Effect::Restored(slot) => Effect::Restored(*slot),
        })
    }

    fn observation<'a>(&'a self, outcome: &'a Outcome) -> Observation<'a, P> {
        let leads = |host| self.hosts.get(host).node.as_ref().and_then(Node::leads);
        Observation {
            node: self.hosts.get(outcome.before).me,
            changed: outcome.host != outcome.before,
            arrived: match outcome.stimulus {
                Stimulus::Message(number) => {
                    let (from, _, message) = self.messages.get(number);
                    Some((*from, message))
                }
                _ => None,
            },
            sent: outcome.sent.iter().map(|&message| self.messages.get(message)).collect(),
            facts: EventFacts {
                request: match outcome.stimulus {
                    Stimulus::Request(number) => Some(number as usize),
                    _ => None,
                },
                decided: &outcome.decided,
                out_of_order: outcome.out_of_order,
                replies: &outcome.replies,
                led: leads(outcome.before),
                leads: leads(outcome.host),
            },
        }
    }

    /// Moves the node of a host into the row, and returns the one that was there.
    #[inline]
    fn move_node(&mut self, index: usize, host: u32) {
        let owner = std::mem::replace(&mut self.owners[index], host);
        if owner != host {
            for owner in [owner, host].into_iter().filter(|&owner| owner != NONE) {
                std::mem::swap(&mut self.hosts.get_mut(owner).node, &mut self.nodes[index]);
            }
        }
    }

    /// Returns all nodes to their hosts.
    fn return_nodes(&mut self) {
        (0..self.owners.len()).for_each(|index| self.move_node(index, NONE));
    }

    fn node_of(&self, host: u32) -> Option<&N<P>> {
        match self.owners.iter().position(|&owner| owner == host) {
            Some(index) => self.nodes[index].as_ref(),
            None => self.hosts.get(host).node.as_ref(),
        }
    }
}

fn text<P: Protocol>(message: &Msg<P>) -> MessageText {
    MessageText { kind: Msg::<P>::KINDS[usize::from(message.kind().0)].name, text: format!("{message:?}") }
}

impl<P: Protocol, H: HistoryVariable<P>> Model for ModelOf<P, H> {
    fn replicas(&self) -> usize {
        self.configs.len()
    }

    fn empty_host(&mut self, me: NodeId) -> u32 {
        let disk = <N<P> as Node>::Disk::default();
        self.return_nodes();
        self.hosts.put(Host { me, node: None, disk, timers: Vec::new(), applied: 0 })
    }

    fn handle(&mut self, host: u32, stimulus: Stimulus, choices: Choices) -> (Outcome, Report) {
        let (mut outcome, report) = self.run(host, stimulus, choices, None);
        outcome.observed = H::is_relevant(&self.observation(&outcome));
        outcome.idle = outcome.host == host && outcome.sent.is_empty() && !outcome.observed;
        (outcome, report)
    }

    fn replay(&mut self, host: u32, stimulus: Stimulus, choices: Choices) -> (Vec<TextEffect>, RuleSet) {
        let mut effects = Vec::new();
        let (_, report) = self.run(host, stimulus, choices, Some(&mut effects));
        (effects, report.rules)
    }

    fn hosts(&self) -> u32 {
        self.hosts.len() as u32
    }

    fn host_facts(&self, host: u32) -> HostFacts {
        let node = self.node_of(host);
        let Host { me, timers, .. } = self.hosts.get(host);
        HostFacts {
            me: *me,
            up: node.is_some(),
            leads: node.and_then(Node::leads),
            epoch: node.map_or(0, |node| node.status().epoch.number),
            timers: timers.as_slice().into(),
        }
    }

    fn messages(&self) -> u32 {
        self.messages.len() as u32
    }

    fn endpoints(&self, message: u32) -> (NodeId, NodeId) {
        let (from, to, _) = self.messages.get(message);
        (*from, *to)
    }

    fn message_text(&self, message: u32) -> MessageText {
        text::<P>(&self.messages.get(message).2)
    }

    fn timer_text(&self, timer: u32) -> TimerText {
        TimerText(format!("{:?}", self.timers.get(timer)))
    }

    fn status(&self, host: u32) -> Option<NodeStatus> {
        self.node_of(host).map(Node::status)
    }

    fn entry(&self, host: u32, slot: Slot) -> Option<EntryStatus> {
        self.node_of(host).and_then(|node| node.entry(slot))
    }

    fn node(&self, host: u32) -> Option<&dyn Any> {
        self.node_of(host).map(|node| node as &dyn Any)
    }

    fn select_invariants(&mut self, wanted: &dyn Fn(&str) -> bool) -> bool {
        self.selected = P::invariants().iter().filter(|invariant| wanted(invariant.name)).collect();
        !self.selected.is_empty()
    }

    fn check(&mut self, hosts: &[u32], step: Step) -> Option<Violation> {
        hosts.iter().enumerate().for_each(|(index, &host)| self.move_node(index, host));
        self.selected.iter().find_map(|invariant| {
            let Breach { other, slot } = (invariant.holds)(&self.nodes, step).err()?;
            let nodes = other.into_iter().fold(NodeSet::just(step.changed), NodeSet::with);
            Some(Violation::new((invariant.name, invariant.says), nodes, slot))
        })
    }

    fn empty_history(&mut self) -> u32 {
        self.histories.put(H::new(&self.bounds.requests))
    }

    fn observe(&mut self, history: u32, outcome: &Outcome) -> (u32, Vec<Violation>) {
        self.return_nodes();
        let mut history = self.histories.get(history).clone();
        let violations = history.observe(&self.observation(outcome));
        (self.histories.put(history), violations)
    }

    fn chosen(&self, history: u32, slot: Slot) -> Option<Command> {
        self.histories.get(history).chosen(slot)
    }

    fn interchangeable(&self, setup: &Setup, asked: NodeSet) -> Option<NodeSet> {
        self.exchange.as_ref().map(|exchange| (exchange.alike)(setup, asked))
    }

    fn rename_host(&mut self, host: u32, names: &Names) -> u32 {
        self.return_nodes();
        let mut host = self.hosts.get(host).clone();
        if let Some(exchange) = &self.exchange {
            names.node(&mut host.me);
            (exchange.disk)(&mut host.disk, names);
            if let Some(node) = &mut host.node {
                (exchange.node)(node, names);
            }
        }
        self.hosts.put(host)
    }

    fn rename_message(&mut self, message: u32, names: &Names) -> u32 {
        let (mut from, mut to, mut message) = self.messages.get(message).clone();
        if let Some(exchange) = &self.exchange {
            names.node(&mut from);
            names.node(&mut to);
            (exchange.message)(&mut message, names);
        }
        self.messages.put((from, to, message))
    }

    fn rename_history(&mut self, history: u32, names: &Names) -> u32 {
        let mut history = self.histories.get(history).clone();
        history.exchange(names);
        self.histories.put(history)
    }
}

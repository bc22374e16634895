//! [`ModelOf`]: the explorer's view of any protocol, the only code of the explorer that is compiled once a variant.

use super::bounds::Bounds;
use super::history::{Envelope, EventFacts, HistoryVariable, Msg, Observation, Violation};
use super::intern::Interner;
use super::model::{
    Choices, Exercised, Handling, HostFacts, Machine, MessageText, Model, Outcome, Report, Stimulus, TextEffect,
    TimerText, effect_text,
};
use crate::core::messages::MessageId;
use crate::core::node::{Breach, Invariant, Message, Node, Protocol, SettingError, Step};
use crate::core::out::TimerId;
use crate::core::{
    Command, Effect, EntryStatus, Exchange, Names, NodeId, NodeSet, NodeStatus, Out, Promises, RuleSet, Setup, Slot,
    TimerName,
};
use crate::judge::safety::promise;
use std::any::Any;
use std::collections::VecDeque;

type N<P> = <P as Protocol>::Node;
type Timer<P> = <N<P> as Node>::Timer;

/// A machine, its disk, and the node on it: all that belongs to one replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Host<N: Node> {
    machine: Machine,
    /// `None` while it is down.
    node: Option<N>,
    disk: N::Disk,
}

/// What a host has outside of itself, bytes: logs and tables of a node and its disk, for the few commands of an exploration.
const NODE: usize = 1_000;
/// The same of a message, and of a history.
const MESSAGE: usize = 64;
const HISTORY: usize = 200;

/// No host.
const NONE: u32 = u32::MAX;

/// All hosts, messages, timers and histories of a protocol that were met so far.
#[derive(Debug)]
pub(super) struct ModelOf<P: Protocol, H: HistoryVariable<P>> {
    configs: Vec<<N<P> as Node>::Config>,
    bounds: Bounds,
    /// The properties guaranteed under these settings.
    promises: Promises,
    exchange: Option<Exchange<N<P>>>,
    hosts: Interner<Host<N<P>>>,
    messages: Interner<Envelope<P>>,
    timers: Interner<TimerId>,
    histories: Interner<H>,
    out: Out<N<P>>,
    effects: Vec<Effect>,
    /// The invariants to check.
    selected: Vec<&'static Invariant<N<P>>>,
    /// The nodes of one state in a row, as invariants want them: moved here from their hosts while they are checked.
    nodes: Vec<Option<N<P>>>,
    /// The hosts they belong to, or [`NONE`].
    owners: Vec<u32>,
    /// What the events handled so far gave the properties to look at.
    exercised: Exercised,
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
            promises: P::promises(setup),
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
            exercised: Exercised::default(),
        })
    }

    /// Handles an event, and then what the node sends itself, which arrives at once. Writes down what it asks for in `texts`.
    fn run(
        &mut self,
        before: u32,
        stimulus: Stimulus,
        choices: Choices,
        mut texts: Option<&mut Vec<TextEffect>>,
    ) -> (Outcome, Report) {
        self.return_nodes();
        let Host { machine, mut node, mut disk } = self.hosts.get(before).clone();
        let outcome = Outcome::new(before, stimulus, choices);
        let mut run = Handling { machine, outcome, report: Report::default() };
        self.out.draws().want(u64::from(choices.coins), choices.decided);
        match (stimulus, &mut node) {
            (Stimulus::Message(number), Some(node)) => match self.messages.get(number) {
                (from, _, Some(message)) => node.on_message(*from, message, &mut self.out),
                (_, _, None) => run.crash(),
            },
            (Stimulus::Timer(number), Some(node)) => {
                run.machine.fire(number);
                run.machine.ticks += u16::from(self.bounds.lock_step);
                if let Some(timer) = Timer::<P>::from_index(*self.timers.get(number)) {
                    node.on_timer(timer, &mut self.out);
                }
            }
            (Stimulus::Request(number), Some(node)) => {
                node.on_request(self.bounds.requests[number as usize].command, &mut self.out);
            }
            (Stimulus::Order(number), Some(node)) => {
                node.on_order(self.bounds.orders[number as usize], &mut self.out);
            }
            (Stimulus::Crash, _) => run.crash(),
            (Stimulus::Boot, node) => {
                let me = run.machine.me;
                *node = Some(N::<P>::boot(me, &self.configs[usize::from(me.0)], disk.clone(), &mut self.out));
                run.machine.up = true;
                run.outcome.log_from = Some(1);
            }
            (_, None) => {}
        }
        let mut to_self = VecDeque::new();
        loop {
            self.apply_effects(&mut run, node.as_ref(), &mut disk, &mut to_self, texts.as_deref_mut());
            node = node.filter(|_| run.machine.up);
            // What a node sends itself arrives when it has saved what it wanted to save.
            let (Some(message), Some(node)) = (to_self.pop_front(), &mut node) else { break };
            node.on_message(run.machine.me, &message, &mut self.out);
        }
        run.report.coins = self.out.draws().used();
        run.outcome.host = self.hosts.put(Host { machine: run.machine, node, disk });
        (run.outcome, run.report)
    }

    /// Applies what a handler asked for, in order, up to where the node crashes.
    fn apply_effects(
        &mut self,
        run: &mut Handling,
        node: Option<&N<P>>,
        disk: &mut <N<P> as Node>::Disk,
        to_self: &mut VecDeque<Msg<P>>,
        mut texts: Option<&mut Vec<TextEffect>>,
    ) {
        let mut effects = std::mem::take(&mut self.effects);
        run.settle(self.out.take(&mut effects));
        for effect in effects.drain(..) {
            let text = if texts.is_some() && run.machine.up { self.effect_text(effect) } else { None };
            let mut sent = NodeSet::EMPTY;
            match effect {
                Effect::Send(to, message) => {
                    self.send(run, to, message, to_self);
                }
                Effect::Broadcast(to, message) => {
                    sent = to.iter().filter(|&to| self.send(run, to, message, to_self)).collect();
                }
                // It crashed: nothing of what comes later takes place.
                _ if !run.machine.up => {}
                Effect::Fence(to) if usize::from(to.0) < self.configs.len() => {
                    run.outcome.sent.push(self.messages.put((run.machine.me, to, None)));
                }
                Effect::Save => node.into_iter().for_each(|node| disk.clone_from(node.disk())),
                _ => run.apply(
                    effect,
                    &mut self.timers,
                    P::CARD.promises.has(Promises::ORDER).then_some(P::CARD.agrees_on),
                ),
            }
            if let (Some(texts), Some(text)) = (&mut texts, text) {
                texts.push(match text {
                    Effect::Broadcast(_, message) => Effect::Broadcast(sent, message),
                    text => text,
                });
            }
        }
        self.effects = effects;
    }

    /// Sends one message to one node; tells whether it left.
    fn send(&mut self, run: &mut Handling, to: NodeId, message: MessageId, to_self: &mut VecDeque<Msg<P>>) -> bool {
        let me = run.machine.me;
        let Some(message) = self.out.take_message(message).filter(|_| run.machine.up) else { return false };
        if self.bounds.lost_kinds >> message.kind().0 & 1 == 1 {
            run.report.lost_kind = true;
        } else if to == me && !self.bounds.late_to_self {
            run.report.handled_own = true;
            to_self.push_back(message);
        } else if usize::from(to.0) < self.configs.len() {
            let crashes = run.sent(to, self.messages.put((me, to, Some(message))));
            if crashes {
                // What it meant to send itself is lost as well.
                run.crash();
                to_self.clear();
                run.outcome.sent.retain(|&message| self.messages.get(message).1 != me);
            }
        }
        true
    }

    fn effect_text(&self, effect: Effect) -> Option<TextEffect> {
        effect_text(effect, &|id| self.out.message(id).map(message_text::<P>), &timer_text::<P>)
    }

    fn observation<'a>(&'a self, outcome: &'a Outcome) -> Observation<'a, P> {
        let leads = |host| self.hosts.get(host).node.as_ref().and_then(Node::leads);
        Observation {
            node: self.hosts.get(outcome.before).machine.me,
            changed: outcome.host != outcome.before,
            arrived: match outcome.stimulus {
                Stimulus::Message(number) => {
                    let (from, _, message) = self.messages.get(number);
                    message.as_ref().map(|message| (*from, message))
                }
                _ => None,
            },
            sent: (outcome.sent.iter().map(|&message| self.messages.get(message)))
                .filter_map(|(from, to, message)| Some((*from, *to, message.as_ref()?)))
                .collect(),
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

fn message_text<P: Protocol>(message: &Msg<P>) -> MessageText {
    MessageText { kind: Msg::<P>::KINDS[usize::from(message.kind().0)].name, text: format!("{message:?}") }
}

fn timer_text<P: Protocol>(timer: TimerId) -> TimerText {
    let unknown = || format!("timer {timer}");
    TimerText(Timer::<P>::from_index(timer).map_or_else(unknown, |timer| format!("{timer:?}")))
}

impl<P: Protocol, H: HistoryVariable<P>> Model for ModelOf<P, H> {
    fn replicas(&self) -> usize {
        self.configs.len()
    }

    fn empty_host(&mut self, me: NodeId) -> u32 {
        let disk = <N<P> as Node>::Disk::default();
        self.return_nodes();
        self.hosts.put(Host { machine: Machine::new(me), node: None, disk })
    }

    fn handle(&mut self, host: u32, stimulus: Stimulus, choices: Choices) -> (Outcome, Report) {
        let (mut outcome, report) = self.run(host, stimulus, choices, None);
        let observation = self.observation(&outcome);
        let (me, facts, mut exercised) = (observation.node, observation.facts, self.exercised);
        for (done, nodes) in [
            (!facts.decided.is_empty(), &mut exercised.decided),
            (facts.leads.is_some() && facts.leads != facts.led, &mut exercised.led),
            (!facts.replies.is_empty(), &mut exercised.told),
        ] {
            if done {
                nodes.add(me);
            }
        }
        // Properties hold for honest nodes only.
        let honest = !self.bounds.byzantine.has(me);
        outcome.observed = honest && H::is_relevant(&observation);
        self.exercised = if honest { exercised } else { self.exercised };
        outcome.idle = outcome.host == host && outcome.sent.is_empty() && !outcome.observed;
        (outcome, report)
    }

    fn replay(&mut self, host: u32, stimulus: Stimulus, choices: Choices) -> (Vec<TextEffect>, RuleSet) {
        let mut effects = Vec::new();
        let (_, report) = self.run(host, stimulus, choices, Some(&mut effects));
        (effects, report.rules)
    }

    fn bytes(&self) -> u64 {
        self.hosts.bytes(NODE) + self.messages.bytes(MESSAGE) + self.histories.bytes(HISTORY)
    }

    fn hosts(&self) -> u32 {
        self.hosts.len() as u32
    }

    fn host_facts(&self, host: u32) -> HostFacts {
        let node = self.node_of(host);
        let machine = &self.hosts.get(host).machine;
        HostFacts {
            me: machine.me,
            up: machine.up,
            leads: node.and_then(Node::leads),
            epoch: node.map_or(0, |node| node.status().epoch.number),
            timers: machine.timers().into(),
            ticks: machine.ticks,
        }
    }

    fn messages(&self) -> u32 {
        self.messages.len() as u32
    }

    fn endpoints(&self, message: u32) -> (NodeId, NodeId) {
        let (from, to, _) = self.messages.get(message);
        (*from, *to)
    }

    fn tampered(&mut self, message: u32) -> Option<u32> {
        let (from, to, content) = self.messages.get(message);
        let other = (*from, *to, Some(content.as_ref()?.tampered()?));
        Some(self.messages.put(other))
    }

    fn message_text(&self, message: u32) -> MessageText {
        let turned_off = || MessageText { kind: "Fence", text: "the order to be turned off".to_owned() };
        self.messages.get(message).2.as_ref().map_or_else(turned_off, message_text::<P>)
    }

    fn is_fence(&self, message: u32) -> bool {
        self.messages.get(message).2.is_none()
    }

    fn timer_id(&self, timer: u32) -> TimerId {
        *self.timers.get(timer)
    }

    fn timer_text(&self, timer: u32) -> TimerText {
        timer_text::<P>(*self.timers.get(timer))
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
        if self.bounds.byzantine.has(step.changed) {
            return None;
        }
        let byzantine = self.bounds.byzantine;
        let honest = hosts.iter().enumerate().filter(|(index, _)| !byzantine.has(NodeId(*index as u8)));
        honest.for_each(|(index, &host)| self.move_node(index, host));
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

    fn exercised(&self) -> Exercised {
        self.exercised
    }

    fn promises(&self, property: &str) -> bool {
        promise(property).is_none_or(|promise| self.promises.has(promise))
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
            names.node(&mut host.machine.me);
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
            if let Some(message) = &mut message {
                (exchange.message)(message, names);
            }
        }
        self.messages.put((from, to, message))
    }

    fn rename_history(&mut self, history: u32, names: &Names) -> u32 {
        let mut history = self.histories.get(history).clone();
        history.exchange(names);
        self.histories.put(history)
    }
}

//! Test support: a cluster without a simulator, in which a test delivers each message and fires each timer itself, for interleavings that random
//! runs rarely reach.

use crate::core::node::{Message, Node, Protocol, Setup};
use crate::core::{Answer, ClientId, Command, Effect, NodeId, Op, Out, RuleId, RuleSet, SettingId, Settings, Slot};
use std::collections::BTreeMap;

type N<P> = <P as Protocol>::Node;
type Msg<P> = <N<P> as Node>::Msg;

/// The cluster. Nodes are numbered from 0.
pub struct ManualNetwork<P: Protocol> {
    pub nodes: Vec<Option<N<P>>>,
    config: <N<P> as Node>::Config,
    out: Out<N<P>>,
    disks: Vec<<N<P> as Node>::Disk>,
    /// Messages under way: sender, receiver, message.
    pub in_flight: Vec<(u8, u8, Msg<P>)>,
    /// The command that each node knows to be chosen in each slot.
    pub chosen: BTreeMap<(u8, Slot), Command>,
    pub answers: Vec<(ClientId, Answer)>,
}

/// A command that writes `n`, by a client of its own.
pub fn write(n: u16) -> Command {
    Command { client: ClientId(n), seq: 1, op: Op::Write { key: 0, value: u32::from(n) } }
}

impl<P: Protocol> ManualNetwork<P> {
    /// Boots `n` nodes with these settings, without this rule.
    pub fn new(n: u8, settings: &[(SettingId, u64)], without: Option<RuleId>) -> ManualNetwork<P> {
        let ablated = without.map_or(RuleSet::EMPTY, |rule| RuleSet(1 << rule.0));
        let mut chosen = Settings::defaults(P::SETTINGS);
        settings.iter().for_each(|(id, value)| chosen.set(*id, *value));
        let configs =
            P::cluster(&Setup { replicas: n, rtt_max: 100, settings: chosen, ablated }).expect("settings fit");
        let mut network = ManualNetwork {
            nodes: (0..n).map(|_| None).collect(),
            config: configs[0].clone(),
            out: Out::new(ablated),
            disks: vec![Default::default(); usize::from(n)],
            in_flight: Vec::new(),
            chosen: BTreeMap::new(),
            answers: Vec::new(),
        };
        (0..n).for_each(|id| network.boot(id));
        network
    }

    fn boot(&mut self, id: u8) {
        let disk = self.disks[usize::from(id)].clone();
        self.nodes[usize::from(id)] = Some(N::<P>::boot(NodeId(id), &self.config, disk, &mut self.out));
        self.collect(id);
    }

    /// Crashes and restarts a node.
    pub fn restart(&mut self, id: u8) {
        self.boot(id);
    }

    /// Calls a handler of a node, and collects its effects.
    pub fn act(&mut self, id: u8, act: impl FnOnce(&mut N<P>, &mut Out<N<P>>)) {
        act(self.nodes[usize::from(id)].as_mut().expect("it runs"), &mut self.out);
        self.collect(id);
    }

    /// A client sends a command to a node.
    pub fn ask(&mut self, id: u8, command: Command) {
        self.act(id, |node, out| node.on_request(command, out));
    }

    /// Fires one of a node's timers.
    pub fn time_out(&mut self, id: u8, timer: <N<P> as Node>::Timer) {
        self.act(id, |node, out| node.on_timer(timer, out));
    }

    /// Collects a node's effects. Messages to itself are delivered at once.
    fn collect(&mut self, from: u8) {
        let mut to_itself = Vec::new();
        for effect in self.out.drain() {
            match effect {
                Effect::Send(to, message) if to.0 == from => to_itself.push(message),
                Effect::Send(to, message) => self.in_flight.push((from, to.0, message)),
                Effect::Broadcast(to, message) => {
                    for to in to.iter() {
                        match to.0 == from {
                            true => to_itself.push(message.clone()),
                            false => self.in_flight.push((from, to.0, message.clone())),
                        }
                    }
                }
                Effect::Chosen(at, command) | Effect::Applied(at, command) => {
                    self.chosen.insert((from, at.slot), command);
                }
                Effect::Reply(reply) => self.answers.push((reply.client, reply.answer)),
                Effect::Save => {}
                Effect::SetTimer(..) | Effect::Cancel(_) | Effect::Restored(_) | Effect::Fence(_) => {}
            }
        }
        if let Some(node) = &self.nodes[usize::from(from)] {
            self.disks[usize::from(from)] = node.disk().clone();
        }
        for message in to_itself {
            self.act(from, |node, out| node.on_message(NodeId(from), &message, out));
        }
    }

    /// Delivers the messages under way for which `wanted` is true; returns how many.
    pub fn deliver_if(&mut self, wanted: impl Fn(u8, u8, &Msg<P>) -> bool) -> usize {
        let arriving: Vec<_> =
            self.in_flight.extract_if(.., |(from, to, message)| wanted(*from, *to, message)).collect();
        let number = arriving.len();
        for (from, to, message) in arriving {
            self.act(to, |node, out| node.on_message(NodeId(from), &message, out));
        }
        number
    }

    /// Delivers the messages of one kind from one node to another; there must be some.
    pub fn deliver(&mut self, kind: &str, from: u8, to: u8) {
        let delivered = self.deliver_if(|f, t, message| (f, t) == (from, to) && name::<P>(message) == kind);
        assert!(delivered > 0, "no {kind} is under way from {from} to {to}");
    }

    /// Delivers a request from `sender` to each of `others`, and its reply.
    pub fn round(&mut self, query: &str, answer: &str, sender: u8, others: &[u8]) {
        for &other in others {
            self.deliver(query, sender, other);
            self.deliver(answer, other, sender);
        }
    }

    /// Delivers messages among these nodes until none is under way among them.
    pub fn settle(&mut self, among: &[u8]) {
        while self.deliver_if(|from, to, _| among.contains(&from) && among.contains(&to)) > 0 {}
    }

    /// Loses all messages under way.
    pub fn lose_all(&mut self) {
        self.in_flight.clear();
    }

    /// Whether two nodes know different commands to be chosen in one slot.
    pub fn disagree(&self) -> bool {
        let mut pairs = self.chosen.iter().flat_map(|a| self.chosen.iter().map(move |b| (a, b)));
        pairs.any(|(((_, slot), command), ((_, other), its))| slot == other && command != its)
    }
}

fn name<P: Protocol>(message: &Msg<P>) -> &'static str {
    <Msg<P> as Message>::KINDS[usize::from(message.kind().0)].name
}

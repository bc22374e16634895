//! Membership by gossip, and the lowest member leads: the third case study of the SRE book's chapter 23.
//!
//! Nodes gossip heartbeat counters. Whose counter stands still is taken off the list, and the lowest on the list leads; a leader answers a write once all
//! of its list have it. Every node goes by a list of its own. So where the network is cut, each side takes the other off its list, has a
//! leader, and answers writes; when the cut heals, the lower leader's data replace the others', and what their side has answered is gone. Who
//! is a member is itself something to agree on, and gossip does not.

mod message;
mod rules;
#[cfg(test)]
mod tests;

pub use message::{Msg, Timer};
pub use rules::*;

use super::log_copy;
use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Card, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, Log, LogStatus, Micros,
    NodeId, NodeSet, NodeStatus, Out, Promises, Shots, Slot, Tally, TimingModel,
};
use crate::facts;
use crate::services::Machine;
use message::{Entry, View};

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct GossipLeader;

/// Settings of a node. Times are in µs.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    replicas: u8,
    gossip: Micros,
    timeout: Micros,
    /// Rounds in the timeout.
    rounds: u32,
}

/// Durable state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// How often it has booted.
    incarnation: u32,
    /// The highest view that it has heard of.
    highest: u32,
    log: Log<Entry>,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    /// The state after `executed` writes.
    machine: Machine,
    executed: Slot,
    /// By node: its incarnation and counter, the highest that were heard.
    counters: Vec<(u32, u32)>,
    /// By node: rounds since then.
    ages: Vec<u32>,
    /// Those whose counters go up, itself among them.
    list: NodeSet,
    /// To whom it gossips next.
    next: NodeId,
    leads: bool,
    /// The view that it leads, or has heard of from its leader.
    view: View,
    /// Of a leader: what it had when it began the view.
    start: Slot,
    /// Of a leader, by node: up to where that has the same writes.
    matched: Vec<Slot>,
    /// Of a leader, by node: what it had itself when it last heard that node's gossip.
    had: Vec<Slot>,
    /// Of a follower: up to where it has its leader's writes, and may have.
    own_match: Slot,
    probe: Slot,
    /// Commands that wait until everything up to a write is settled.
    waiting: Vec<(Slot, Command)>,
}

impl PartialEq for Server {
    fn eq(&self, other: &Server) -> bool {
        self.identity() == other.identity() && self.machine == other.machine
    }
}
impl Eq for Server {}
impl std::hash::Hash for Server {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
        self.machine.hash(state);
    }
}

impl Server {
    /// All that tells two states apart but the machine; the configuration never changes.
    fn identity(&self) -> impl std::hash::Hash + PartialEq + '_ {
        let slots = [self.executed, self.start, self.own_match, self.probe];
        let others = (&self.counters, &self.ages, &self.matched, &self.had, &self.waiting);
        (self.me, &self.disk, slots, others, self.list, self.next, self.leads, self.view)
    }

    fn last(&self) -> Slot {
        self.disk.log.last()
    }

    /// The view in which a write was taken; 0 for none.
    fn view_at(&self, slot: Slot) -> View {
        self.disk.log.get(slot).map_or((0, NodeId(0)), |(view, _)| *view)
    }

    /// Whom it takes for the leader.
    fn leader(&self) -> NodeId {
        self.list.lowest().unwrap_or(self.me)
    }

    /// One round: counts up, and gossips to the next node, whether that is on the list or not.
    fn round(&mut self, out: &mut Out<Server>) {
        let (me, n) = (usize::from(self.me.0), self.config.replicas);
        self.counters[me].1 += 1;
        self.ages.iter_mut().enumerate().filter(|(node, _)| *node != me).for_each(|(_, age)| *age += 1);
        self.look(out);
        if n > 1 {
            let message = Msg::Gossip {
                counters: self.counters.clone(),
                highest: self.disk.highest,
                view: self.view,
                matched: self.own_match,
                probe: self.probe,
                settled: self.executed,
            };
            out.send(self.next, message);
            let after = NodeId((self.next.0 + 1) % n);
            self.next = if after == self.me { NodeId((after.0 + 1) % n) } else { after };
        }
        out.set_timer(Timer::Round, self.config.gossip, self.config.gossip);
    }

    /// Looks whose counter stands still, and who leads by that.
    fn look(&mut self, out: &mut Out<Server>) {
        let alive = |node: &NodeId| self.ages[usize::from(node.0)] < self.config.rounds;
        let list: NodeSet = NodeSet::first(self.config.replicas).iter().filter(alive).collect();
        if list == self.list {
            return;
        }
        let (gone, back) = (self.list.minus(list), list.minus(self.list));
        if !gone.is_empty() {
            out.because(STRIKES_OFF, facts![gone, self.config.timeout]);
        }
        if !back.is_empty() {
            out.because(TAKES_BACK, facts![back]);
        }
        self.list = list;
        match self.leader() {
            leader if leader == self.me => self.lead(out),
            lower if self.leads && out.rule(STEPS_DOWN, facts![lower]) => {
                self.leads = false;
                self.waiting.clear();
            }
            _ => {}
        }
    }

    /// Begins a view with its present list, and replaces what the others have by what it has.
    fn lead(&mut self, out: &mut Out<Server>) {
        self.disk.highest += 1;
        out.save_entries(self.last() + 1);
        self.view = (self.disk.highest, self.me);
        out.because(LEADS, facts![self.view.0, self.list]);
        self.leads = true;
        self.start = self.last();
        let n = usize::from(self.config.replicas);
        (self.matched, self.had) = (vec![0; n], vec![self.start; n]);
        let others = self.list.without(self.me);
        let (view, first, before) = (self.view, self.last() + 1, self.view_at(self.last()));
        out.broadcast(others, Msg::Copy { view, first, before, entries: Vec::new(), settled: self.executed });
        self.acknowledge_own(out);
    }

    /// As leader: its own copy counts like the others, once it is on the disk.
    fn acknowledge_own(&self, out: &mut Out<Server>) {
        out.send(self.me, Msg::Ack { view: self.view, matched: self.last(), probe: self.last() });
    }

    /// As leader: a node of the list has the same writes up to one.
    fn on_matched(&mut self, from: NodeId, view: View, matched: Slot, out: &mut Out<Server>) {
        if self.leads && view == self.view {
            log_copy::raise(&mut self.matched, from, matched);
            self.execute(log_copy::on_all(&self.matched, self.list), out);
        }
    }

    /// As leader: sends what a node lacks, or has otherwise.
    fn copy(&self, to: NodeId, matched: Slot, probe: Slot, out: &mut Out<Server>) {
        let (first, entries) = log_copy::entries_for(&self.disk.log, matched, probe);
        let (view, before) = (self.view, self.view_at(first - 1));
        out.send(to, Msg::Copy { view, first, before, entries, settled: self.executed });
    }

    /// Executes all up to a write, and answers whoever waits for that.
    fn execute(&mut self, settled: Slot, out: &mut Out<Server>) {
        let state = (&mut self.machine, &mut self.executed);
        log_copy::execute(&self.disk.log, state, settled, self.me, out);
        for command in log_copy::no_longer_waiting(&mut self.waiting, self.executed) {
            if let Some(outcome) = self.machine.recall(command) {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
        }
    }

    /// As follower: takes in writes of the node that it takes for the leader.
    fn on_entries(
        &mut self,
        from: NodeId,
        view: View,
        (first, before): (Slot, View),
        entries: &[Entry],
        settled: Slot,
        out: &mut Out<Server>,
    ) {
        if self.leads || from != self.leader() || from != view.1 || self.view.1 == from && view.0 < self.view.0 {
            return;
        }
        if view != self.view {
            self.view = view;
            (self.own_match, self.probe) = (0, self.last());
        }
        if self.view_at(first - 1) == before && self.last() + 1 >= first {
            self.take_over(from, first, entries, out);
        } else {
            // The last write of a view before that of the one here, which is not the leader's.
            let differs = self.view_at(first - 1);
            self.probe = self.last().min(first - 1);
            while self.probe > self.own_match && self.view_at(self.probe) == differs {
                self.probe -= 1;
            }
        }
        self.execute(settled.min(self.own_match), out);
        out.send(from, Msg::Ack { view, matched: self.own_match, probe: self.probe });
    }

    /// Writes that begin where both have the same: what is here in their places goes, even if it was answered.
    fn take_over(&mut self, from: NodeId, first: Slot, entries: &[Entry], out: &mut Out<Server>) {
        if let Some((start, missing)) = log_copy::missing_from(&self.disk.log, first, entries) {
            if start <= self.last() {
                out.because(DROPS_WRITES, facts![start, from]);
                self.disk.log.truncate_from(start);
                self.undo(start - 1, out);
            }
            for (slot, entry) in (start..).zip(missing) {
                out.because(TAKES_WRITE, facts![slot, from]);
                self.disk.log.push(*entry);
            }
            out.save_entries(start);
        }
        self.own_match = self.own_match.max(first - 1 + entries.len() as Slot);
        self.probe = self.probe.max(self.own_match);
    }

    /// Goes back to the state after a write.
    fn undo(&mut self, to: Slot, out: &mut Out<Server>) {
        if to >= self.executed {
            return;
        }
        self.machine = Machine::default();
        for (_, (_, command)) in self.disk.log.iter() {
            self.machine.apply(*command, self.me);
        }
        self.executed = to;
        out.restored(to);
    }

    fn on_gossip(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        let Msg::Gossip { ref counters, highest, view, matched, probe, settled } = *message else { return };
        let heard = counters.iter().zip(self.counters.iter_mut().zip(&mut self.ages));
        for (theirs, (own, age)) in heard.filter(|(theirs, (own, _))| *theirs > own) {
            (*own, *age) = (*theirs, 0);
        }
        if highest > self.disk.highest {
            self.disk.highest = highest;
            out.save_entries(self.last() + 1);
        }
        self.look(out);
        if self.leads {
            self.on_matched(from, view, matched, out);
            // What this node had when it last heard from there has had the time to get there: it got lost.
            let last = self.last();
            let had = std::mem::replace(&mut self.had[usize::from(from.0)], last);
            let matched = if view == self.view { matched } else { 0 };
            if self.list.has(from) && (matched < had || matched < self.start) {
                self.copy(from, matched, probe, out);
            }
        } else if view == self.view && from == view.1 {
            self.execute(settled.min(self.own_match), out);
        }
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out<Server>) -> Server {
        let n = usize::from(config.replicas);
        let first = disk.incarnation == 0;
        disk.incarnation += 1;
        disk.highest = disk.highest.max(1);
        out.save_entries(disk.log.last() + 1);
        let mut counters = vec![(0, 0); n];
        counters[usize::from(me.0)] = (disk.incarnation, 0);
        let all = NodeSet::first(config.replicas);
        let mut server = Server {
            me,
            config: *config,
            machine: Machine::default(),
            executed: 0,
            counters,
            ages: vec![0; n],
            // Whoever comes back gives everybody the time to be heard.
            list: all,
            next: NodeId((me.0 + 1) % config.replicas),
            // All start together, and the lowest of all leads the first view.
            leads: first && me == NodeId(0),
            view: (1, NodeId(0)),
            start: 0,
            matched: vec![0; n],
            had: vec![0; n],
            own_match: 0,
            probe: disk.log.last(),
            waiting: Vec::new(),
            disk,
        };
        if !first && server.leader() == me {
            server.lead(out);
        }
        out.set_timer(Timer::Round, config.gossip, config.gossip);
        server
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Gossip { .. } => self.on_gossip(from, message, out),
            Msg::Write { view, slot, before, command, settled } => {
                self.on_entries(from, view, (slot, before), &[(view, command)], settled, out);
            }
            Msg::Copy { view, first, before, ref entries, settled } => {
                self.on_entries(from, view, (first, before), entries, settled, out);
            }
            Msg::Ack { view, matched, probe } => {
                self.on_matched(from, view, matched, out);
                if self.leads && view == self.view && matched < self.start {
                    self.copy(from, matched, probe, out);
                }
            }
        }
    }

    fn on_timer(&mut self, Timer::Round: Timer, out: &mut Out<Server>) {
        self.round(out);
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        let Command { client, seq, op } = command;
        if !self.leads {
            let leader = Some(self.leader()).filter(|leader| *leader != self.me);
            return out.reply(client, seq, Answer::Redirect(leader));
        }
        if self.waiting.iter().any(|(_, other)| (other.client, other.seq) == (client, seq)) {
            return;
        }
        if let Some(outcome) = self.machine.recall(command) {
            return out.reply(client, seq, Answer::Done(outcome));
        }
        if op.is_read() {
            return out.reply(client, seq, Answer::Done(self.machine.look(op)));
        }
        let (view, before) = (self.view, self.view_at(self.last()));
        let slot = self.disk.log.push((view, command));
        out.save_entries(slot);
        out.because(WAITS_FOR_LIST, facts![command, slot, self.list]);
        self.waiting.push((slot, command));
        let settled = self.executed;
        out.broadcast(self.list.without(self.me), Msg::Write { view, slot, before, command, settled });
        self.acknowledge_own(out);
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let waiting = self.waiting.first().map(|(slot, _)| *slot).filter(|_| self.leads);
        let have = |slot: Slot| self.list.iter().filter(move |node| self.matched[usize::from(node.0)] >= slot);
        NodeStatus {
            role: if self.leads { "leader" } else { "member" },
            leads: self.leads,
            epoch: Epoch { number: self.view.0, owner: None },
            leader: Some(self.leader()).filter(|leader| self.leads || *leader != self.me),
            tally: waiting.map(|slot| Tally { of: "copies", slot, from: have(slot).collect(), need: self.list.len() }),
            blocked: None,
            log: LogStatus { first: 1, last: self.last(), committed: self.executed, applied: self.executed },
            members: self.list,
        }
    }

    fn leads(&self) -> Option<Epoch> {
        self.leads.then_some(Epoch { number: self.view.0, owner: None })
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let ((number, _), command) = *self.disk.log.get(slot)?;
        let chosen = slot <= self.executed;
        Some(EntryStatus { epoch: Epoch { number, owner: None }, command: Some(command), chosen })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Protocol for GossipLeader {
    const CARD: Card = Card {
        key: "gossip-leader",
        title: "Leader by gossip",
        says: "Nodes gossip about who is alive, and the lowest one alive leads. Where the network is cut, each side has a leader and answers writes.",
        paper: "Site Reliability Engineering (Beyer, Jones, Petoff, Murphy), O'Reilly, 2016, ch. 23: Case Study 3, Faulty Group-Membership Algorithms",
        epoch: "view",
        family: Family::Foil,
        optimises: "nothing: it is here to fail",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Synchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::SelfAppointed,
        contact: Contact::Leader,
        promises: Promises::NOTHING,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "2(n−1)",
            count: |n, _| Some(2 * (n - 1)),
            source: "a write to each member, and its acknowledgement; the book gives no count",
        }],
    };
    const RULES: &'static [crate::core::Rule] = RULES;
    const SENTENCES: &'static [crate::core::Sentence] = SENTENCES;
    const SETTINGS: &'static [crate::core::Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let gossip = setup.settings.duration(SETTING_GOSSIP, setup.rtt_max.max(1_000));
        let timeout = setup.settings.duration(SETTING_TIMEOUT, 2 * Micros::from(setup.replicas) * gossip);
        let rounds = u32::try_from(timeout / gossip).unwrap_or(u32::MAX);
        // Each node is gossiped to in turn.
        if rounds < u32::from(setup.replicas) {
            return Err(("timeout", "at least as many rounds of gossip as there are nodes would do"));
        }
        Ok(vec![Config { replicas: setup.replicas, gossip, timeout, rounds }; usize::from(setup.replicas)])
    }

    /// Never: what one side has settled may be taken back.
    fn live(_setup: &Setup, _healthy: u8) -> bool {
        false
    }

    fn invariants() -> &'static [Invariant<Server>] {
        &[Invariant {
            name: "Lowest of its list",
            says: "A node leads only while nobody lower is on its own list.",
            holds: is_lowest,
        }]
    }
}

fn is_lowest(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    match nodes.get(usize::from(step.changed.0)) {
        Some(Some(server)) if server.leads && server.leader() != server.me => {
            Err(Breach { other: Some(server.leader()), slot: None })
        }
        _ => Ok(()),
    }
}

//! A primary with copies, and an operator who fails over by hand: the second case study of the SRE book's chapter 23.
//!
//! The primary answers a write once every copy that counts has it. No server takes over by itself: the console, which is the last node's, pages
//! the operator, who comes after a while, has the old primary's power cut, and appoints one whose copy is complete. So nothing diverges and nothing
//! is lost, and for as long as the operator takes nobody is served. A copy that fails stops all writes for that long as well. If the console is
//! down or cut off, there is no failover at all.
//!
//! With asynchronous copies the primary answers at once. Copies do not diverge then, either, but what was answered and not copied is lost.
//!
//! How it stays safe: all appointments are made at one console, each with a higher number. `copies` are those that every write waits for; `complete`
//! are those of them that have every settled write. Invariant: complete ⊆ copies. Only a complete one is appointed, and the next `copies` are complete
//! ones, or have ones added to them that are not complete until the primary says so.

mod message;
mod operator;
mod rules;
#[cfg(test)]
mod tests;

pub use message::{Msg, Timer};
pub use rules::*;

use super::log_copy;
use message::Entry;

use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Blocked, Card, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, Log, LogStatus,
    Micros, NodeId, NodeSet, NodeStatus, Out, Promises, Shots, Slot, Tally, TimingModel,
};
use crate::facts;
use crate::services::Machine;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManualFailover;

/// Settings of a server. Times are in µs.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    replicas: u8,
    synchronous: bool,
    heartbeat: Micros,
    alarm: Micros,
    operator: Micros,
    /// How long the operator waits until a server that is turned off certainly is.
    off: Micros,
    /// Where the operator's console is.
    console: NodeId,
}

/// An entry of the operator's book.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Appointment {
    /// From 1; 0 before a server first boots.
    number: u32,
    primary: NodeId,
    /// Writes wait for these, the primary among them.
    copies: NodeSet,
    /// Those that have every settled write. Up to date at the console only.
    complete: NodeSet,
    /// The primary before was turned off, or needed not to be.
    off: bool,
}

impl std::fmt::Debug for Appointment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Appointment { number, primary, copies, complete, .. } = self;
        let mut shown = f.debug_struct("Appointment");
        shown
            .field("number", number)
            .field("primary", primary)
            .field("copies", copies)
            .field("complete", complete)
            .finish()
    }
}

/// Durable state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The last appointment that it knows; at the console, the operator's book.
    appointment: Appointment,
    log: Log<Entry>,
}

/// One server.
#[derive(Clone, Debug)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    /// The state after `executed` writes, all of them settled.
    machine: Machine,
    executed: Slot,
    /// Of a primary with asynchronous copies: the state after all its writes.
    ahead: Machine,
    /// It is the primary of its appointment and has taken it up.
    serving: bool,
    /// It was appointed since it booted, or from the very first.
    called: bool,
    /// Of a primary: what it had when it took up its appointment.
    start: Slot,
    /// Of a primary, by server: up to where its copy is known to be equal.
    matched: Vec<Slot>,
    /// Of a primary, by server: what it had itself when it heard that server's last heartbeat.
    had: Vec<Slot>,
    /// Of a backup: up to where its copy is equal to that of its primary, and may be.
    own_match: Slot,
    probe: Slot,
    /// Commands that wait until everything up to a write is settled.
    waiting: Vec<(Slot, Command)>,
    /// Heard since the last look; at the last look.
    heard: NodeSet,
    present: NodeSet,
    /// A serving primary was heard since the last look; at the last look none was.
    primary_heard: bool,
    silent: bool,
    /// At the console: the operator is on the way.
    paged: bool,
    /// At the console: whom the operator appoints once the old primary is off.
    plan: Option<Appointment>,
}

impl PartialEq for Server {
    fn eq(&self, other: &Server) -> bool {
        self.identity() == other.identity() && self.machine == other.machine && self.ahead == other.ahead
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
    /// All that tells two states apart but the machines; the configuration never changes.
    fn identity(&self) -> impl std::hash::Hash + PartialEq + '_ {
        let flags = [self.serving, self.called, self.primary_heard, self.silent, self.paged];
        let slots = [self.executed, self.start, self.own_match, self.probe];
        let copies = (&self.matched, &self.had, &self.waiting);
        (self.me, &self.disk, flags, slots, copies, self.heard, self.present, self.plan)
    }

    fn number(&self) -> u32 {
        self.disk.appointment.number
    }

    fn last(&self) -> Slot {
        self.disk.log.last()
    }

    fn others(&self) -> NodeSet {
        NodeSet::first(self.config.replicas).without(self.me)
    }

    /// The appointment under which a write was taken; 0 for none.
    fn number_at(&self, slot: Slot) -> u32 {
        self.disk.log.get(slot).map_or(0, |(number, _)| *number)
    }

    /// The copies that have all that this primary had when it was appointed.
    fn in_sync(&self) -> NodeSet {
        let has = |node: &NodeId| self.matched[usize::from(node.0)] >= self.start;
        if self.serving { self.disk.appointment.copies.iter().filter(has).collect() } else { NodeSet::EMPTY }
    }

    fn send_heartbeat(&self, out: &mut Out<Server>) {
        let Server { serving, own_match: matched, probe, executed: settled, .. } = *self;
        let (appointment, in_sync) = (self.disk.appointment, self.in_sync());
        out.broadcast(self.others(), Msg::Heartbeat { appointment, serving, in_sync, matched, probe, settled });
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// Takes in an appointment that the operator has made.
    fn learn(&mut self, from: NodeId, appointment: Appointment, out: &mut Out<Server>) {
        let newer = appointment.number > self.number();
        if newer {
            self.enter(appointment, out);
        }
        let own = from == self.me && appointment.number == self.number();
        if (newer || own) && appointment.primary == self.me {
            self.take_up(out);
        }
    }

    /// Writes a newer appointment down; serves no more under the one before.
    fn enter(&mut self, appointment: Appointment, out: &mut Out<Server>) {
        let before = std::mem::replace(&mut self.disk.appointment, appointment);
        out.save_entries(self.last() + 1);
        self.serving = false;
        if appointment.primary != self.me {
            out.because(FOLLOWS, facts![appointment.primary, appointment.number]);
            self.waiting.clear();
        }
        if appointment.primary != before.primary {
            (self.own_match, self.probe) = (0, self.last());
        }
    }

    /// Serves as primary under its appointment, perhaps on.
    fn take_up(&mut self, out: &mut Out<Server>) {
        out.because(TAKES_UP, facts![self.number()]);
        if !self.config.synchronous {
            self.ahead = self.machine.clone();
            for (_, (_, command)) in self.disk.log.iter_from(self.executed + 1) {
                self.ahead.apply(*command, self.me);
            }
        }
        (self.serving, self.called, self.silent) = (true, true, false);
        self.start = self.last();
        let n = usize::from(self.config.replicas);
        (self.matched, self.had) = (vec![0; n], vec![self.start; n]);
        self.send_heartbeat(out);
        self.acknowledge_own(out);
    }

    /// As primary: its own copy counts like the others, once it is on the disk.
    fn acknowledge_own(&self, out: &mut Out<Server>) {
        out.send(self.me, Msg::Ack { number: self.number(), matched: self.last() });
    }

    /// As primary: executes what every copy that counts has.
    fn settle(&mut self, out: &mut Out<Server>) {
        let copies = self.disk.appointment.copies;
        let settled = log_copy::on_all(&self.matched, copies);
        if settled > self.executed {
            out.because(SETTLES, facts![settled, copies]);
        }
        self.execute(settled, out);
        if self.is_console() {
            self.note_complete(self.number(), self.in_sync(), out);
        }
    }

    /// Executes all up to a write, which is settled, and answers whoever waits for that.
    fn execute(&mut self, settled: Slot, out: &mut Out<Server>) {
        let state = (&mut self.machine, &mut self.executed);
        log_copy::execute(&self.disk.log, state, settled, self.me, out);
        for command in log_copy::no_longer_waiting(&mut self.waiting, self.executed) {
            let outcome = self.machine.recall(command).filter(|_| !command.op.is_read());
            let outcome = outcome.unwrap_or_else(|| self.machine.look(command.op));
            out.reply(command.client, command.seq, Answer::Done(outcome));
        }
    }

    /// As primary: a copy is equal to this one up to a write.
    fn on_matched(&mut self, from: NodeId, number: u32, matched: Slot, out: &mut Out<Server>) {
        if !self.serving || number != self.number() {
            return;
        }
        log_copy::raise(&mut self.matched, from, matched);
        self.settle(out);
    }

    /// As primary: looks whether a copy lacks what was there one heartbeat ago, and sends it.
    fn repair(&mut self, to: NodeId, matched: Slot, probe: Slot, out: &mut Out<Server>) {
        let last = self.last();
        let had = std::mem::replace(&mut self.had[usize::from(to.0)], last);
        // What this server had at the last heartbeat has had the time to get there: it got lost. And a copy that is not known to be equal is
        // asked whether it is.
        if matched < had || matched < self.start {
            let (first, entries) = log_copy::entries_for(&self.disk.log, matched, probe);
            let (number, before) = (self.number(), self.number_at(first - 1));
            out.send(to, Msg::Copy { number, first, before, entries, settled: self.executed });
        }
    }

    /// As backup: takes in writes of its primary.
    fn on_entries(
        &mut self,
        from: NodeId,
        number: u32,
        (first, before): (Slot, u32),
        entries: &[Entry],
        settled: Slot,
        out: &mut Out<Server>,
    ) {
        if number != self.number() || from != self.disk.appointment.primary || self.serving {
            return;
        }
        if self.number_at(first - 1) == before && self.last() + 1 >= first {
            if let Some((start, missing)) = log_copy::missing_from(&self.disk.log, first, entries) {
                if start <= self.last() {
                    out.because(DROPS_WRITES, facts![start]);
                    self.disk.log.truncate_from(start);
                }
                for (slot, entry) in (start..).zip(missing) {
                    out.because(TAKES_WRITE, facts![slot]);
                    self.disk.log.push(*entry);
                }
                out.save_entries(start);
            }
            self.own_match = self.own_match.max(first - 1 + entries.len() as Slot);
            self.probe = self.probe.max(self.own_match);
        } else {
            // The last write of an appointment before that of the one here, which is not the primary's.
            let differs = self.number_at(first - 1);
            self.probe = self.last().min(first - 1);
            while self.probe > self.own_match && differs > 0 && self.number_at(self.probe) >= differs {
                self.probe -= 1;
            }
        }
        self.execute(settled.min(self.own_match), out);
        if self.config.synchronous {
            out.send(from, Msg::Ack { number, matched: self.own_match });
        }
    }

    fn on_heartbeat(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        let Msg::Heartbeat { appointment, serving, in_sync, matched, probe, settled } = *message else { return };
        self.heard.add(from);
        self.learn(from, appointment, out);
        if appointment.number != self.number() {
            return;
        }
        if serving && from == appointment.primary {
            (self.primary_heard, self.silent) = (true, false);
            self.execute(settled.min(self.own_match), out);
            if self.is_console() {
                self.note_complete(appointment.number, in_sync, out);
            }
        }
        if self.serving {
            self.on_matched(from, appointment.number, matched, out);
            self.repair(from, matched, probe, out);
        }
    }

    fn write(&mut self, command: Command, out: &mut Out<Server>) {
        let (number, before) = (self.number(), self.number_at(self.last()));
        let slot = self.disk.log.push((number, command));
        out.save_entries(slot);
        let copies = self.disk.appointment.copies;
        if self.config.synchronous {
            out.because(WAITS_FOR_COPIES, facts![command, slot, copies]);
            self.waiting.push((slot, command));
        } else {
            out.because(ANSWERS_AT_ONCE, facts![command, slot]);
            let outcome = self.ahead.apply(command, self.me);
            out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        let settled = self.executed;
        out.broadcast(copies.without(self.me), Msg::Mirror { number, slot, before, command, settled });
        self.acknowledge_own(out);
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out<Server>) -> Server {
        let all = NodeSet::first(config.replicas);
        let first = Appointment { number: 1, primary: NodeId(0), copies: all, complete: all, off: true };
        let new = disk.appointment.number == 0;
        let forgets = !new && me == config.console && !out.rule(READS_BOOK, facts![disk.appointment.number]);
        if new || forgets {
            disk.appointment = first;
            out.save_entries(disk.log.last() + 1);
        }
        let mut server = Server {
            me,
            config: *config,
            machine: Machine::default(),
            executed: 0,
            ahead: Machine::default(),
            serving: false,
            called: new,
            start: 0,
            matched: Vec::new(),
            had: Vec::new(),
            own_match: 0,
            probe: disk.log.last(),
            waiting: Vec::new(),
            heard: all,
            present: all,
            primary_heard: true,
            silent: false,
            paged: false,
            plan: None,
            disk,
        };
        out.set_timer(Timer::Alarm, config.alarm, config.alarm);
        let primary = server.disk.appointment.primary == me;
        if primary && (new || !out.rule(RETURNS_AS_BACKUP, facts![server.number()])) {
            server.take_up(out);
            server.called = new;
        } else {
            server.send_heartbeat(out);
        }
        server
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Heartbeat { .. } => self.on_heartbeat(from, message, out),
            Msg::Appoint { appointment } => self.learn(from, appointment, out),
            Msg::Ordered => self.on_ordered(from, out),
            Msg::Mirror { number, slot, before, command, settled } => {
                self.on_entries(from, number, (slot, before), &[(number, command)], settled, out);
            }
            Msg::Ack { number, matched } => self.on_matched(from, number, matched, out),
            Msg::Copy { number, first, before, ref entries, settled } => {
                self.on_entries(from, number, (first, before), entries, settled, out);
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match timer {
            Timer::Heartbeat => self.send_heartbeat(out),
            Timer::Alarm => self.on_alarm(out),
            Timer::Operator => self.on_operator(out),
            Timer::Off => self.on_off(out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        let Command { client, seq, op } = command;
        if !self.serving {
            let primary = Some(self.disk.appointment.primary).filter(|node| *node != self.me && !self.silent);
            out.because(SENDS_ON, facts![primary]);
            return out.reply(client, seq, Answer::Redirect(primary));
        }
        if self.waiting.iter().any(|(_, other)| (other.client, other.seq) == (client, seq)) {
            return;
        }
        let state = if self.config.synchronous { &self.machine } else { &self.ahead };
        if let Some(outcome) = state.recall(command) {
            return out.reply(client, seq, Answer::Done(outcome));
        }
        match op.is_read() {
            false => self.write(command, out),
            // What it had when it was appointed may have been answered by another primary.
            true if self.config.synchronous && self.executed < self.start => self.waiting.push((self.start, command)),
            true => out.reply(client, seq, Answer::Done(state.look(op))),
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let Appointment { number, primary, copies, .. } = self.disk.appointment;
        let (console, has) = (self.config.console, |node: &NodeId| self.has_first_waiting(*node));
        let waiting = self.waiting.first().map(|(slot, _)| *slot).filter(|_| self.serving);
        let blocked = (self.silent && !self.serving && self.me != console).then(|| Blocked {
            on: NodeSet::just(console),
            at: self.executed + 1,
            because: "may not take over by itself: the operator, at that console, must appoint somebody",
        });
        NodeStatus {
            role: if self.serving { "primary" } else { "backup" },
            leads: self.serving,
            epoch: Epoch { number, owner: None },
            leader: Some(primary).filter(|_| self.serving || !self.silent),
            tally: waiting.map(|slot| Tally {
                of: "copies",
                slot,
                from: copies.iter().filter(has).collect(),
                need: copies.len(),
            }),
            blocked,
            log: LogStatus { first: 1, last: self.last(), committed: self.executed, applied: self.executed },
            members: NodeSet::first(self.config.replicas),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        self.serving.then_some(Epoch { number: self.number(), owner: None })
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let (number, command) = *self.disk.log.get(slot)?;
        let chosen = slot <= self.executed;
        Some(EntryStatus { epoch: Epoch { number, owner: None }, command: Some(command), chosen })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Server {
    /// Whether a server has the first write that waits.
    fn has_first_waiting(&self, node: NodeId) -> bool {
        let first = self.waiting.first().map_or(0, |(slot, _)| *slot);
        node == self.me || self.matched.get(usize::from(node.0)).is_some_and(|matched| *matched >= first)
    }
}

impl Protocol for ManualFailover {
    const CARD: Card = Card {
        key: "manual-failover",
        title: "Failover by hand",
        says: "A primary copies every write to all others. When it fails, an operator is paged, turns it off and appoints another; until then nobody is served.",
        paper: "Site Reliability Engineering (Beyer, Jones, Petoff, Murphy), O'Reilly, 2016, ch. 23: Case Study 2, Failover Requires Human Intervention",
        epoch: "appointment",
        family: Family::Foil,
        optimises: "nothing diverges; downtime is the operator's",
        min_replicas: 2,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::Elected,
        contact: Contact::Leader,
        promises: Promises::AGREEMENT.and(Promises::ORDER).and(Promises::ONE_LEADER),
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "n−1",
                count: |n, settings| (settings.choice(SETTING_COPIES) == 1).then(|| n - 1),
                source: "a write to each copy, which confirms it with its next heartbeat; the book gives no count",
            },
            Formula {
                text: "2(n−1)",
                count: |n, _| Some(2 * (n - 1)),
                source: "a write to each copy, and its acknowledgement; the book gives no count",
            },
        ],
    };
    const RULES: &'static [crate::core::Rule] = RULES;
    const SENTENCES: &'static [crate::core::Sentence] = SENTENCES;
    const SETTINGS: &'static [crate::core::Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let heartbeat = setup.settings.duration(SETTING_HEARTBEAT, (2 * setup.rtt_max).max(1_000));
        let alarm = setup.settings.duration(SETTING_ALARM, 4 * heartbeat);
        if alarm <= heartbeat {
            return Err(("alarm", "more than the time between two heartbeats would do"));
        }
        let config = Config {
            replicas: setup.replicas,
            synchronous: setup.settings.choice(SETTING_COPIES) == 0,
            heartbeat,
            alarm,
            operator: setup.settings.duration(SETTING_OPERATOR, 3 * alarm),
            off: 2 * setup.rtt_max,
            console: NodeId(setup.replicas - 1),
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    /// Never: a false alarm turns off a server that is well, and nobody turns it on again.
    fn live(_setup: &Setup, _healthy: u8) -> bool {
        false
    }

    fn invariants() -> &'static [Invariant<Server>] {
        &[
            Invariant {
                name: "Off before promotion",
                says: "Who serves after another primary does so only once the operator has had that one turned off.",
                holds: |nodes, step| check(nodes, step, |server| server.disk.appointment.off),
            },
            Invariant {
                name: "Only by appointment",
                says: "A server is primary only if the operator has appointed it since it started, or from the very first.",
                holds: |nodes, step| check(nodes, step, |server| server.called),
            },
        ]
    }
}

/// Whether the changed server, if it serves, is as it should be.
fn check(nodes: &[Option<Server>], step: Step, holds: fn(&Server) -> bool) -> Result<(), Breach> {
    match nodes.get(usize::from(step.changed.0)) {
        Some(Some(server)) if server.serving && !holds(server) => Err(Breach::default()),
        _ => Ok(()),
    }
}

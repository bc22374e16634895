//! Replicated registers that always answer, where the last writer wins by timestamp, and anti-entropy: the eventually consistent store that the SRE book's
//! chapter 23 begins with.
//!
//! Every replica answers at once from what it has. A write gets a timestamp from the replica's own clock and goes to all others; of two writes
//! to a register the one with the later timestamp wins, everywhere. What gets lost on the way, anti-entropy brings: each replica compares its
//! timestamps with one other at a time. So replicas that can talk agree in the end. But clients read old values meanwhile; of two
//! writes at once one is lost, though both were answered; and where clocks differ, the later one can be the one that is lost.

use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Card, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, Instance, LeaderModel, LogStatus,
    Micros, NodeId, NodeSet, NodeStatus, Out, Outcome, Promises, SettingKind, Shots, Slot, TimingModel,
};
use crate::facts;
use crate::services::Machine;
use std::sync::Arc;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastWriterWins;

crate::rules! {
    /// Availability before consistency.
    ALWAYS_ANSWERS = {
        key: "always-answers",
        title: "every replica answers at once",
        source: "SRE book ch. 23: BASE, basically available",
        says: "A replica answers reads and writes from what it has, and asks nobody.",
        without: None,
    } tells {
        ANSWERS(command) = "answers {command} from what it has, and tells the others afterwards";
    };
    /// Where timestamps come from.
    LOCAL_CLOCK = {
        key: "local-clock",
        title: "timestamps of the local clock",
        source: "Johnson, Thomas, The Maintenance of Duplicate Databases (RFC 677, 1975)",
        says: "A write has the time by the clock of the replica that took it. Other clocks may be ahead of it or behind.",
        without: None,
    } tells {
        STAMPS(command, clock) = "gives {command} the timestamp {clock}, by its own clock";
        LOSES_AT_ONCE(command, held) = "answers that {command} is done, and drops it: what it holds already has a later timestamp, {held}";
    };
    /// Uniqueness.
    NEVER_REPEAT = {
        key: "stamps-never-repeat",
        title: "no replica gives a timestamp twice",
        source: "RFC 677: no two updates of one site have the same time",
        says: "Where its clock shows no later time than its last timestamp, a replica adds the smallest step to that.",
        without: Some("two writes have the same timestamp, and replicas keep different ones for ever"),
    } tells {
        GOES_ON_FROM(last) = "goes on from its last timestamp, {last}, which its clock has not passed";
    };
    /// The merge rule.
    LAST_WINS = {
        key: "last-writer-wins",
        title: "the last writer wins",
        source: "RFC 677; Shapiro, Preguiça, Baquero, Zawirski (2011), §3.2.1: LWW register",
        says: "Of two writes to a register, the one with the later timestamp is kept, and the other is gone.",
        without: Some("each replica keeps what arrived last, and they never agree"),
    } tells {
        TAKES_FIRST(register, clock) = "keeps the write of {clock}, the first to register {register} that it has heard of";
        TAKES(register, clock, held) = "keeps the write of {clock} to register {register}, and gives up the one of {held}";
        DROPS(register, clock, held) = "drops the write of {clock} to register {register}: the one of {held}, which it holds, wins";
    };
    /// Ties.
    TIES = {
        key: "ties-by-node",
        title: "equal times are told apart by replica",
        source: "RFC 677: the pair of time and site",
        says: "Of two writes of the same time, that of the higher replica wins.",
        without: Some("of two writes at the same time each replica keeps the one that it heard of first"),
    } tells {
        DECIDES_TIE(other, holder) = "compares replicas, for the times are equal: {other} against {holder}";
    };
    /// Repair.
    ANTI_ENTROPY = {
        key: "anti-entropy",
        title: "anti-entropy",
        source: "Demers et al., Epidemic Algorithms for Replicated Database Maintenance (PODC 1987), §1.3",
        says: "Now and then a replica sends its timestamps to another, to each in turn, and both send what the other lacks.",
        without: None,
    } tells {
        SENDS_NEWER(to) = "sends {to} the registers that are newer here";
        ASKS_FOR_NEWER(from) = "sends {from} its timestamps: some registers are newer there";
    };
}

crate::settings! {
    /// Time between rounds of anti-entropy.
    SETTING_ANTI_ENTROPY = {
        key: "anti_entropy",
        says: "Time between two rounds of anti-entropy; four of the longest round trips if left out",
        kind: SettingKind::Duration { min: 1, max: 3_600_000_000 },
    };
}

/// Settings of a replica. Times are in µs.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    replicas: u8,
    anti_entropy: Micros,
}

/// A timestamp. Invariant, as long as clocks advance from one write to the next: no two writes have the same.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// By the clock of the replica that took the write, µs; 0 for a register that was never written.
    clock: Micros,
    /// That replica.
    node: NodeId,
}

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("").field(&self.clock).field(&self.node).finish()
    }
}

impl Stamp {
    /// To the millisecond, as pictures show it.
    fn epoch(self) -> Epoch {
        Epoch { number: u32::try_from(self.clock / 1_000).unwrap_or(u32::MAX), owner: Some(self.node) }
    }
}

/// What a register holds, and the write that made it so. It is replicated whole.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct State {
    machine: Machine,
    command: Command,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.command.fmt(f)
    }
}

impl State {
    /// The state after a command.
    fn after(mut machine: Machine, command: Command, me: NodeId) -> (Arc<State>, Outcome) {
        let outcome = machine.apply(command, me);
        (Arc::new(State { machine, command }), outcome)
    }

    /// With another write in place of its last: what a Byzantine node makes of it.
    fn tampered(&self) -> Arc<State> {
        let mut machine = self.machine.clone();
        machine.forget(self.command.client);
        State::after(machine, self.command.tampered(), NodeId(0)).0
    }
}

/// A register at one replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Register {
    stamp: Stamp,
    state: Option<Arc<State>>,
    /// How many writes it has held here.
    version: Slot,
    /// The latest timestamp that this replica has heard of.
    newest: Stamp,
}

/// A register's state on its way to another replica.
type Newer = (u16, Stamp, Arc<State>);

crate::messages! {
    /// What the replicas send each other.
    pub enum Msg {
        /// A write.
        Update {
            /// The register.
            register: u16,
            /// Its timestamp.
            stamp: Stamp,
            /// What the register holds by it.
            state: Arc<State>,
        } = {
            letter: 'U', phase: Propose, says: "tells of a write", bytes: 11 + state.machine.bytes(),
            commands: 1, values: |see| see(state.command.value()), slot: u32::from(*register) + 1,
            tampered: Some(Msg::Update { register: *register, stamp: *stamp, state: state.tampered() })
        };
        /// Timestamps of all registers.
        Digest {
            /// By register.
            stamps: Vec<Stamp>,
            /// It answers another one, and asks for what is newer there.
            asks: bool,
        } = { letter: 'D', phase: Heartbeat, says: "compares timestamps", bytes: 1 + 9 * stamps.len() as u32 };
        /// Registers that the receiver lacks, or has older.
        Repair {
            /// Those.
            registers: Vec<Newer>,
        } = {
            letter: 'R', phase: Transfer, says: "sends what is newer here", bytes: 11 * registers.len() as u32,
            commands: registers.len() as u32, values: |see| registers.iter().for_each(|(_, _, it)| see(it.command.value()))
        };
    }
}

crate::timers! {
    /// A replica's timer.
    pub enum Timer {
        /// The time until the next round of anti-entropy.
        AntiEntropy = { name: "anti-entropy", says: "compares timestamps with another replica", acts: true };
    }
}

/// Durable state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// By register.
    registers: Vec<Register>,
    /// Its own last timestamp, µs.
    last: Micros,
}

/// One replica.
#[derive(Clone, Debug)]
pub struct Replica {
    me: NodeId,
    config: Config,
    disk: Disk,
    /// With whom it compares next.
    next: NodeId,
}

impl PartialEq for Replica {
    fn eq(&self, other: &Replica) -> bool {
        (self.me, &self.disk, self.next) == (other.me, &other.disk, other.next)
    }
}
impl Eq for Replica {}
impl std::hash::Hash for Replica {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.me, &self.disk, self.next).hash(state);
    }
}

impl Replica {
    fn others(&self) -> NodeSet {
        NodeSet::first(self.config.replicas).without(self.me)
    }

    fn held(&self, register: u16) -> Option<&Register> {
        self.disk.registers.get(usize::from(register))
    }

    /// Takes in a write, its own or another's; drops it if what it holds is later.
    fn take(&mut self, register: u16, stamp: Stamp, state: &Arc<State>, out: &mut Out<Replica>) {
        let place = usize::from(register);
        if self.disk.registers.len() <= place {
            self.disk.registers.resize(place + 1, Register::default());
        }
        let held = &mut self.disk.registers[place];
        if stamp == held.stamp {
            return;
        }
        if stamp > held.newest {
            held.newest = stamp;
            out.save_entries(u32::from(register) + 1);
        }
        let before = held.stamp;
        let wins = match stamp.clock.cmp(&before.clock) {
            std::cmp::Ordering::Equal => {
                out.rule(DECIDES_TIE, facts![stamp.node, before.node]) && stamp.node > before.node
            }
            order => order.is_gt(),
        };
        if !wins && out.rule(DROPS, facts![register, stamp.clock, before.clock]) {
            return;
        }
        match before.clock {
            0 => out.because(TAKES_FIRST, facts![register, stamp.clock]),
            _ if wins => out.because(TAKES, facts![register, stamp.clock, before.clock]),
            _ => {}
        }
        out.save_entries(u32::from(register) + 1);
        (held.stamp, held.state) = (stamp, Some(Arc::clone(state)));
        held.version += 1;
        out.applied(Instance { lane: register, slot: held.version }, state.command);
    }

    /// A timestamp for a write of its own.
    fn stamp(&mut self, command: Command, out: &mut Out<Replica>) -> Stamp {
        let (mut clock, last) = (out.local_clock().max(1), self.disk.last);
        if clock <= last && out.rule(GOES_ON_FROM, facts![last]) {
            clock = last + 1;
        }
        out.because(STAMPS, facts![command, clock]);
        self.disk.last = last.max(clock);
        Stamp { clock, node: self.me }
    }

    fn write(&mut self, register: u16, command: Command, out: &mut Out<Replica>) {
        let held = self.held(register).cloned().unwrap_or_default();
        let machine = held.state.map_or_else(Machine::default, |state| state.machine.clone());
        if let Some(outcome) = machine.recall(command) {
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        out.because(ANSWERS, facts![command]);
        let stamp = self.stamp(command, out);
        if stamp < held.stamp {
            out.because(LOSES_AT_ONCE, facts![command, held.stamp.clock]);
        }
        let (state, outcome) = State::after(machine, command, self.me);
        self.take(register, stamp, &state, out);
        out.save_entries(u32::from(register) + 1);
        out.reply(command.client, command.seq, Answer::Done(outcome));
        out.broadcast(self.others(), Msg::Update { register, stamp, state });
    }

    fn stamps(&self) -> Vec<Stamp> {
        self.disk.registers.iter().map(|register| register.stamp).collect()
    }

    /// Another's timestamps: sends what is newer here, and asks for what is newer there.
    fn on_digest(&self, from: NodeId, stamps: &[Stamp], asks: bool, out: &mut Out<Replica>) {
        let theirs = |register: u16| stamps.get(usize::from(register)).copied().unwrap_or_default();
        let own = (0..).zip(&self.disk.registers);
        let newer = own.filter(|(register, held)| held.stamp > theirs(*register));
        let newer = newer.filter_map(|(register, held)| Some((register, held.stamp, held.state.clone()?)));
        let registers: Vec<Newer> = newer.collect();
        if !registers.is_empty() {
            out.because(SENDS_NEWER, facts![from]);
            out.send(from, Msg::Repair { registers });
        }
        let stamp = |register: u16| self.held(register).map_or(Stamp::default(), |held| held.stamp);
        if !asks && (0..).zip(stamps).any(|(register, theirs)| *theirs > stamp(register)) {
            out.because(ASKS_FOR_NEWER, facts![from]);
            out.send(from, Msg::Digest { stamps: self.stamps(), asks: true });
        }
    }
}

impl Node for Replica {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Replica>) -> Replica {
        out.set_timer(Timer::AntiEntropy, config.anti_entropy, config.anti_entropy);
        Replica { me, config: *config, disk, next: NodeId((me.0 + 1) % config.replicas) }
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Replica>) {
        match message {
            Msg::Update { register, stamp, state } => self.take(*register, *stamp, state, out),
            Msg::Digest { stamps, asks } => self.on_digest(from, stamps, *asks, out),
            Msg::Repair { registers } => {
                for (register, stamp, state) in registers {
                    self.take(*register, *stamp, state, out);
                }
            }
        }
    }

    fn on_timer(&mut self, Timer::AntiEntropy: Timer, out: &mut Out<Replica>) {
        let n = self.config.replicas;
        if n > 1 {
            out.send(self.next, Msg::Digest { stamps: self.stamps(), asks: false });
            let after = NodeId((self.next.0 + 1) % n);
            self.next = if after == self.me { NodeId((after.0 + 1) % n) } else { after };
        }
        out.set_timer(Timer::AntiEntropy, self.config.anti_entropy, self.config.anti_entropy);
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Replica>) {
        let Command { client, seq, op } = command;
        match op.object() {
            // A command that is about nothing has no register to change.
            None => out.reply(client, seq, Answer::Done(Outcome::Refused)),
            Some(register) if op.is_read() => {
                let state = self.held(register).and_then(|held| held.state.as_deref());
                let outcome = state.map_or_else(|| Machine::default().look(op), |state| state.machine.look(op));
                out.reply(client, seq, Answer::Done(outcome));
            }
            Some(register) => self.write(register, command, out),
        }
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let latest = self.disk.registers.iter().map(|register| register.stamp).max().unwrap_or_default();
        NodeStatus {
            role: "replica",
            leads: false,
            epoch: latest.epoch(),
            leader: None,
            tally: None,
            blocked: None,
            // There is no log.
            log: LogStatus::default(),
            members: NodeSet::first(self.config.replicas),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        None
    }

    /// The write that a register holds.
    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let Register { stamp, state, .. } = self.disk.registers.get(slot.checked_sub(1)? as usize)?;
        Some(EntryStatus { epoch: stamp.epoch(), command: Some(state.as_ref()?.command), chosen: true })
    }
}

impl Protocol for LastWriterWins {
    const CARD: Card = Card {
        key: "last-writer-wins",
        title: "Last writer wins",
        says: "Every replica answers at once; of two writes the one with the later timestamp stays. All agree in the end, and writes that were answered get lost.",
        paper: "Paul R. Johnson and Robert H. Thomas, The Maintenance of Duplicate Databases, RFC 677, 1975; anti-entropy: Demers et al., Epidemic Algorithms for Replicated Database Maintenance, PODC 1987",
        epoch: "timestamp",
        family: Family::Foil,
        optimises: "always answers, at once",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Registers,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: Promises::PROGRESS,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "n−1",
            count: |n, _| Some(n - 1),
            source: "RFC 677: a write is told to every other site",
        }],
    };
    const RULES: &'static [crate::core::Rule] = RULES;
    const SENTENCES: &'static [crate::core::Sentence] = SENTENCES;
    const SETTINGS: &'static [crate::core::Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Replica;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let anti_entropy = setup.settings.duration(SETTING_ANTI_ENTROPY, (4 * setup.rtt_max).max(1_000));
        Ok(vec![Config { replicas: setup.replicas, anti_entropy }; usize::from(setup.replicas)])
    }

    /// With any one replica.
    fn live(_setup: &Setup, healthy: u8) -> bool {
        healthy > 0
    }

    fn invariants() -> &'static [Invariant<Replica>] {
        &[
            Invariant {
                name: "Newest wins",
                says: "A register holds the write with the latest timestamp that its replica has heard of; so replicas that have heard of the same writes hold the same.",
                holds: newest_wins,
            },
            Invariant {
                name: "One timestamp, one write",
                says: "Registers with the same timestamp hold the same write.",
                holds: one_stamp_one_write,
            },
        ]
    }
}

fn newest_wins(nodes: &[Option<Replica>], step: Step) -> Result<(), Breach> {
    let Some(Some(replica)) = nodes.get(usize::from(step.changed.0)) else { return Ok(()) };
    match (1..).zip(&replica.disk.registers).find(|(_, register)| register.stamp != register.newest) {
        Some((slot, _)) => Err(Breach { other: None, slot: Some(slot) }),
        None => Ok(()),
    }
}

fn one_stamp_one_write(nodes: &[Option<Replica>], step: Step) -> Result<(), Breach> {
    let Some(Some(replica)) = nodes.get(usize::from(step.changed.0)) else { return Ok(()) };
    for other in nodes.iter().flatten().filter(|other| other.me != replica.me) {
        let pairs = replica.disk.registers.iter().zip(&other.disk.registers);
        let differ = |(a, b): (&Register, &Register)| a.stamp == b.stamp && a.state != b.state;
        if let Some((slot, _)) = (1..).zip(pairs).find(|(_, pair)| differ(*pair)) {
            return Err(Breach { other: Some(other.me), slot: Some(slot) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ClientId, Op};
    use crate::protocols::manual_network::{ManualNetwork, write};

    type Network = ManualNetwork<LastWriterWins>;

    fn held(network: &Network, node: u8) -> Option<Command> {
        let replica = network.nodes[usize::from(node)].as_ref().expect("it runs");
        replica.held(0)?.state.as_ref().map(|state| state.command)
    }

    /// A write with this timestamp: there is no clock without a simulator, so it goes on from the one before.
    fn write_at(network: &mut Network, node: u8, clock: Micros, command: Command) {
        network.act(node, |replica, out| {
            replica.disk.last = clock - 1;
            replica.on_request(command, out);
        });
    }

    #[test]
    fn write_is_answered_before_anybody_else_has_it() {
        let mut run = Network::new(3, &[], None);
        run.ask(0, write(7));
        assert_eq!(run.answers, [(ClientId(7), Answer::Done(Outcome::Done))]);
        assert_eq!((held(&run, 0), held(&run, 1)), (Some(write(7)), None));
        run.settle(&[0, 1, 2]);
        assert_eq!([0, 1, 2].map(|node| held(&run, node)), [Some(write(7)); 3]);
    }

    #[test]
    fn of_two_writes_at_once_the_later_timestamp_stays_everywhere_in_whatever_order_they_arrive() {
        let mut run = Network::new(3, &[], None);
        write_at(&mut run, 0, 100, write(7));
        write_at(&mut run, 1, 200, write(8));
        run.deliver("Update", 1, 2);
        run.deliver("Update", 0, 2);
        run.settle(&[0, 1, 2]);
        assert_eq!([0, 1, 2].map(|node| held(&run, node)), [Some(write(8)); 3]);
    }

    #[test]
    fn equal_times_are_decided_by_replica() {
        let mut run = Network::new(2, &[], None);
        write_at(&mut run, 0, 100, write(7));
        write_at(&mut run, 1, 100, write(8));
        run.settle(&[0, 1]);
        assert_eq!([0, 1].map(|node| held(&run, node)), [Some(write(8)); 2]);
    }

    #[test]
    fn later_write_by_a_slow_clock_is_answered_and_dropped() {
        let mut run = Network::new(2, &[], None);
        write_at(&mut run, 0, 500, write(7));
        run.settle(&[0, 1]);
        write_at(&mut run, 1, 300, write(8));
        run.settle(&[0, 1]);
        assert_eq!(run.answers.last(), Some(&(ClientId(8), Answer::Done(Outcome::Done))));
        assert_eq!([0, 1].map(|node| held(&run, node)), [Some(write(7)); 2]);
    }

    #[test]
    fn register_that_holds_an_older_write_than_it_has_heard_of_breaks_newest_wins() {
        let mut run = Network::new(2, &[], None);
        write_at(&mut run, 0, 100, write(7));
        let step = Step { changed: NodeId(0), log_from: None, unaware: NodeSet::EMPTY };
        assert_eq!(newest_wins(&run.nodes, step), Ok(()));
        run.nodes[0].as_mut().expect("it runs").disk.registers[0].newest.clock += 1;
        assert_eq!(newest_wins(&run.nodes, step), Err(Breach { other: None, slot: Some(1) }));
    }

    #[test]
    fn anti_entropy_brings_in_both_directions_what_got_lost() {
        let mut run = Network::new(2, &[], None);
        run.ask(0, write(7));
        run.ask(1, Command { op: Op::Write { key: 1, value: 9 }, ..write(8) });
        run.lose_all();
        run.time_out(0, Timer::AntiEntropy);
        run.settle(&[0, 1]);
        let stamps = |node: usize| run.nodes[node].as_ref().map(Replica::stamps);
        assert_eq!(stamps(0), stamps(1));
        assert_eq!(held(&run, 1), Some(write(7)));
    }
}

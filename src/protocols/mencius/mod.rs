//! Mencius: the instances of one log are shared out in turn, so that every server is the leader of its own ones, and an idle one skips its turns.
//!
//! Yanhua Mao, Flavio P. Junqueira, Keith Marzullo, *Mencius: Building Efficient Replicated State Machines for WANs*, OSDI 2008. Instance c·n+p
//! is coordinated by server p. In each instance runs *simple consensus*: its coordinator may propose any command, everybody else nothing but a
//! no-op. So the coordinator needs no phase 1 for its round 0, and one word of its own is enough to learn a no-op. *Coordinated Paxos* has three
//! actions: *suggest* a command, *skip* an instance, and *revoke* the instances of a coordinator that is suspected.
//!
//! | file | what | where it is in the paper |
//! |---|---|---|
//! | `coordinator` | Suggest, Accept, Learn, Skip | §4.2, Rules 1, 2; §4.3, Optimizations 1 and 2, Accelerator 1 |
//! | `revocation` | suspicion, Prepare, Ack, Propose | §4.2, Rule 3; §4.3, Optimization 3 |
//! | `learner` | outcomes, execution in order, catching up, snapshots | §4.1; Rule 4; §5 |
//! | `record` | instances, durable state | |
//! | `message`, `rules`, `invariants` | the messages, the rules and settings, what must hold after every event | |
//!
//! **Sources.** What is said of the rules, the optimizations and their parameters (α = 20, τ = 50 ms, β = 100,000 in the paper's evaluation), of the
//! counts 3n−3 and n²−1 and of delayed commits was checked against published summaries of the paper, not against its full text; the numbers of
//! sections are from memory. The authors of EPaxos have published a program, which was read for comparison: it sends skips with Accept replies
//! and by themselves after 50 ms, as here.
//!
//! Where the paper leaves room, or the world here is rougher than its own:
//!
//! * **Channels.** The paper has FIFO channels that lose nothing, so that a Suggest for instance i says by itself that what its sender
//!   owns before i, and has not suggested, is skipped. Messages here are lost and overtake each other, so each says it in two numbers: between
//!   its sender's last suggestion (`after`) and its index or this suggestion (`upto`), all is skipped. Each gap has a suggestion at its end
//!   that tells of it, or the present index. No order of messages is needed, and there are as many messages.
//! * **Slots** are counted from 1, so instance c·n+p is slot c·n+p+1, and the node shown as 1 owns the first.
//! * **Stable storage.** A server saves its index before anybody hears of a skip, itself included: otherwise it could take an instance for a no-op,
//!   crash, and suggest a command there. A Suggest waits for the disk for the same reason: round 0 cannot be begun anew. What is learned
//!   is saved, too, but nothing waits for that.
//! * **Who revokes.** The paper lets every server revoke that suspects another. Here the next one after it does so at once and the others
//!   only if that does not help in time, as else they preempt each other.
//! * **False suspicion.** An owner that hears of a higher round for its instances skips to behind them (those it did not use are no-ops, whatever
//!   becomes of the revocation). For a suggestion that is refused it waits for the outcome; if none comes, it begins a higher round
//!   itself, in which it may propose its own command, as the coordinator may in any round. Rule 4 does the rest. It is trusted again as soon as
//!   anything is heard of it, and suspected later the next time.
//! * **The failure detector** is a timeout on heartbeats, which also say what was skipped and executed.
//! * **Who counts the acceptances.** The owner, who then tells all others (3n−3 messages); with `accepts = everybody`, all servers (n²−1,
//!   the owner's own Accept among them), and nobody has to be told.
//! * **Reads** are commands like others.
//!
//! Not here: *out-of-order commit*, by which the paper's implementation executes a learned command before earlier instances are learned if it
//! commutes with all that may come there (§5). So a command waits for all instances before it, and replicas execute one log in one order. Nor the extension
//! that lets only the fastest f+1 servers coordinate, which the paper names as future work.

mod coordinator;
mod invariants;
mod learner;
mod message;
mod record;
mod revocation;
mod rules;

pub use message::{Msg, Range, Report, Values};
pub use record::{Disk, Record, Snapshot};
pub use rules::*;

use crate::core::node::{Invariant, Node, Protocol, SettingError, Setup};
use crate::core::{
    Answer, Ballot, Blocked, Card, Command, Contact, EntryStatus, Family, Faults, Formula, LeaderModel, LogStatus,
    Micros, NodeId, NodeSet, NodeStatus, Out, Promises, QuorumSystem, Rule, Sentence, Setting, Settings, Shots, Slot,
    Tally, TimingModel,
};
use crate::facts;
use crate::services::Machine;
use coordinator::Open;
use revocation::{Phase, Revocation};

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mencius;

/// What a server is told before it starts. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    replicas: u8,
    /// A majority.
    quorum: QuorumSystem,
    /// Whether Accept goes to everybody.
    broadcast: bool,
    alpha: u32,
    tau: Micros,
    beta: Slot,
    snapshot_every: u32,
    heartbeat: Micros,
    suspicion: Micros,
    resend: Micros,
}

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// The interval between two heartbeats.
        Heartbeat = { name: "heartbeat interval", says: "sends a heartbeat to all others", acts: true };
        /// Since a heartbeat of this server came.
        Suspicion(node: u32) = { name: "suspicion", says: "suspects a server that is silent", acts: true };
        /// τ: since a skip was deferred.
        Skip = { name: "deferred skips (τ)", says: "announces its skips", acts: true };
        /// The time in which an instance should have been executed.
        Repair = { name: "retransmission timeout", says: "sends its suggestions again and asks for instances that it lacks", acts: true };
        /// The time in which a revocation, its own or somebody else's, should have got on.
        Revocation = { name: "revocation timeout", says: "revokes what a suspected server owns, or asks again for that", acts: true };
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    machine: Machine,
    /// Instances up to this one are executed.
    executed: Slot,
    /// The last instance that is known to have a command, or to be executed by somebody.
    top: Slot,
    /// Instances under way that this server counts acceptances for, in order. Invariant: they are not learned.
    open: Vec<Open>,
    /// By server, the index up to which it was told what was skipped here.
    told: Vec<Slot>,
    /// Whether a deferred skip waits for its time.
    skips_wait: bool,
    suspected: NodeSet,
    /// By server, how often it was suspected wrongly, at most [`DOUBTS`].
    doubts: Vec<u8>,
    /// By server, how far it has executed, as far as is known.
    reached: Vec<Slot>,
    /// By server, an own instance of it before which all of its own are learned.
    learned_before: Vec<Slot>,
    revocation: Option<Revocation>,
    /// Whether the timer for it is set.
    revocation_waits: bool,
    /// How often in a row a revocation did not get on, at most [`DOUBLINGS`].
    preempted: u8,
    /// The highest round in any message.
    seen: Ballot,
    /// Whether the retransmission timeout is set, and what was executed then.
    watching: bool,
    watched: Slot,
    /// How often in a row it did not help, at most [`DOUBLINGS`].
    tries: u8,
    /// How many were asked for the same instance.
    asked: u8,
    /// Whether the last one passed without progress.
    stalled: bool,
    /// The first instance learned in this step and not saved yet; `Slot::MAX` if there is none, as between steps.
    unsaved: Slot,
    /// Whether it executes again what it had executed before a crash.
    restarting: bool,
}

/// Timeouts double at most this often; that of the failure detector, [`DOUBTS`] times.
const DOUBLINGS: u8 = 3;
const DOUBTS: u8 = 5;

/// Messages about instances so far beyond what is executed are ignored, as if lost.
const WINDOW: Slot = 16_384;

impl Server {
    fn others(&self) -> NodeSet {
        NodeSet::first(self.config.replicas).without(self.me)
    }

    /// The coordinator of an instance.
    fn owner(&self, slot: Slot) -> NodeId {
        NodeId(((slot - 1) % Slot::from(self.config.replicas)) as u8)
    }

    /// The first instance of `owner` after `slot`.
    fn next_of(&self, owner: NodeId, slot: Slot) -> Slot {
        let n = Slot::from(self.config.replicas);
        slot + 1 + (Slot::from(owner.0) + n - slot % n) % n
    }

    /// The instances of `owner` between these two.
    fn of(&self, owner: NodeId, after: Slot, upto: Slot) -> impl Iterator<Item = Slot> + use<> {
        (self.next_of(owner, after)..upto).step_by(usize::from(self.config.replicas))
    }

    /// The own next instance, Iₚ.
    fn index(&self) -> Slot {
        self.disk.index.max(Slot::from(self.me.0) + 1)
    }

    fn send_heartbeat(&mut self, out: &mut Out<Server>) {
        let (after, upto) = (self.disk.suggested, self.index());
        self.told.fill(self.disk.index);
        out.broadcast(self.others(), Msg::Heartbeat { after, upto, executed: self.executed });
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    fn tally(&self, open: &Open) -> Tally {
        Tally { of: "acceptances", slot: open.slot, from: open.votes, need: self.config.quorum.need() }
    }

    /// Own instances that were suggested and are not learned are under way again after a restart; the others before the index were skipped.
    fn take_up_own(&mut self, out: &mut Out<Server>) {
        // What was suggested before this is not held for certain, so nothing is claimed of it.
        let (me, mut after) = (self.me, self.executed);
        for slot in self.of(self.me, self.executed, self.disk.index) {
            let Some(&Record { promised, value, learned, .. }) = self.disk.records.get(slot) else {
                self.learn(slot, Command::NOOP, out);
                continue;
            };
            match value {
                None => self.learn(slot, Command::NOOP, out),
                Some(command) if !learned => {
                    self.top = self.top.max(slot);
                    let open = self.open(slot);
                    (open.command, open.contested, open.after) = (Some(command), promised.is_real(), after);
                    // Its own acceptance is on the disk.
                    if !open.contested {
                        open.votes.add(me);
                    }
                }
                Some(_) => {}
            }
            if value.is_some_and(|command| !learned || command != Command::NOOP) {
                after = slot;
            }
        }
        // Alone, it is a majority.
        let own: Vec<Slot> = self.own_open().map(|open| open.slot).collect();
        own.into_iter().for_each(|slot| self.count(slot, out));
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, mut disk: Disk, out: &mut Out<Server>) -> Server {
        if disk != Disk::default() && !out.rule(REMEMBERS, facts![disk.index]) {
            disk = Disk::default();
        }
        let n = usize::from(config.replicas);
        let mut server = Server {
            me,
            config: *config,
            machine: disk.snapshot.machine.clone(),
            executed: disk.snapshot.slot,
            top: 0,
            open: Vec::new(),
            told: vec![0; n],
            skips_wait: false,
            suspected: NodeSet::EMPTY,
            doubts: vec![0; n],
            reached: vec![0; n],
            learned_before: vec![0; n],
            revocation: None,
            revocation_waits: false,
            preempted: 0,
            seen: disk.records.iter().map(|(_, record)| record.promised).max().unwrap_or_default(),
            watching: false,
            watched: 0,
            tries: 0,
            asked: 0,
            stalled: false,
            unsaved: Slot::MAX,
            restarting: true,
            disk,
        };
        if server.executed > 0 {
            out.restored(server.executed);
        }
        server.execute(out);
        let commands =
            server.disk.records.iter().filter(|(_, record)| record.value.is_some_and(|v| v != Command::NOOP));
        server.top = commands.map(|(slot, _)| slot).max().unwrap_or(0);
        server.take_up_own(out);
        server.restarting = false;
        server.others().iter().for_each(|node| server.expect(node, out));
        out.set_timer(Timer::Heartbeat, config.heartbeat, config.heartbeat);
        server.finish(out);
        server
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        if self.suspected.has(from) {
            self.trust(from, out);
        }
        match *message {
            Msg::Suggest { slot, command, after } => self.on_suggest(from, slot, command, after, out),
            Msg::Accept { slot, after, upto } => self.on_accept(from, slot, after, upto, out),
            Msg::Learn { slot, command } => self.learn(slot, command, out),
            Msg::Skip { after, upto } => self.take_skips(from, after, upto, out),
            Msg::Prepare { ballot, range } => self.on_prepare(from, ballot, range, out),
            Msg::Ack { ballot, ref reports, .. } => self.on_ack(from, ballot, reports, out),
            Msg::Propose { ballot, range, ref values } => self.on_propose(from, ballot, range, values, out),
            Msg::AcceptProposal { ballot, .. } => self.on_accept_proposal(from, ballot, out),
            Msg::LearnRange { range, ref values } => {
                if range.last <= self.executed + WINDOW {
                    self.learn_range(range, values, out);
                }
            }
            Msg::Nack { ballot, slot, promised, upto } => self.on_nack(ballot, slot, promised, upto, out),
            Msg::Heartbeat { after, upto, executed } => {
                self.take_skips(from, after, upto, out);
                let reached = &mut self.reached[usize::from(from.0)];
                *reached = (*reached).max(executed);
                self.top = self.top.max(executed);
                self.expect(from, out);
            }
            Msg::Ask { first, upto } => self.on_ask(from, first, upto, out),
            Msg::CatchUp { ref chosen, executed } => self.on_catch_up(from, chosen, executed, out),
            Msg::Snapshot { ref snapshot } => self.install(snapshot, out),
        }
        self.finish(out);
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match timer {
            Timer::Heartbeat => self.send_heartbeat(out),
            Timer::Suspicion(node) => self.suspect(NodeId(node as u8), out),
            Timer::Skip => {
                self.skips_wait = false;
                self.announce_skips(out);
            }
            Timer::Repair => self.repair(out),
            Timer::Revocation => self.on_revocation_timer(out),
        }
        self.finish(out);
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        match self.machine.recall(command) {
            Some(outcome) if out.rule(HAS_EXECUTED, facts![command]) => {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
            _ if self.is_under_way(command) => {}
            _ => self.suggest(command, out),
        }
        self.finish(out);
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let first = self.own_open().next();
        let (role, epoch) = match &self.revocation {
            Some(Revocation { ballot, range, .. }) if range.owner != self.me => ("revoking", *ballot),
            Some(Revocation { ballot, .. }) => ("coordinator", *ballot),
            None if first.is_some() => ("coordinator", Ballot::ZERO),
            None => ("server", Ballot::ZERO),
        };
        let next = self.executed + 1;
        let owner = self.owner(next);
        let waits = self.executed < self.top && owner != self.me && (self.stalled || self.suspected.has(owner));
        NodeStatus {
            role,
            leads: false,
            epoch: epoch.epoch(),
            leader: None,
            tally: match &self.revocation {
                Some(Revocation { range, answers, phase, .. }) => Some(Tally {
                    of: if matches!(phase, Phase::Prepare(_)) { "reports" } else { "acceptances" },
                    slot: range.first,
                    from: *answers,
                    need: self.config.quorum.need(),
                }),
                None => first.map(|open| self.tally(open)),
            },
            blocked: waits.then(|| Blocked {
                // Whoever revokes it or has learned it can tell, too.
                on: self.others(),
                at: next,
                because: "knows of later commands and waits for this one, whose owner is silent",
            }),
            log: LogStatus {
                first: self.disk.records.first(),
                last: self.disk.records.last(),
                committed: self.executed,
                applied: self.executed,
            },
            members: NodeSet::first(self.config.replicas),
        }
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let record = self.disk.records.get(slot)?;
        Some(EntryStatus { epoch: record.accepted.epoch(), command: Some(record.value?), chosen: record.learned })
    }

    fn tallies(&self, see: &mut dyn FnMut(Tally)) {
        self.own_open().map(|open| self.tally(open)).for_each(&mut *see);
        if self.revocation.is_some() {
            self.status().tally.into_iter().for_each(see);
        }
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

fn broadcasts(settings: &Settings) -> bool {
    settings.choice(ACCEPTS_TO) == 1
}

impl Protocol for Mencius {
    const CARD: Card = Card {
        key: "mencius",
        title: "Mencius",
        says: "Servers take turns with the instances of one log: each leads its own, an idle one skips them, and those of a failed one are revoked.",
        paper: "Yanhua Mao, Flavio P. Junqueira, Keith Marzullo, Mencius: Building Efficient Replicated State Machines for WANs, OSDI 2008",
        epoch: "round",
        family: Family::Leaderless,
        optimises: "shared load, all sites writing",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[
            Formula {
                text: "n²−1",
                count: |n, settings| broadcasts(settings).then(|| n * n - 1),
                source: "Mencius, on delayed commits: n−1 Suggest, n(n−1) Accept; skips travel with them, or by themselves to bring idle servers up to date, which is left out",
            },
            Formula {
                text: "3(n−1)",
                count: |n, _| Some(3 * (n - 1)),
                source: "Mencius §4.3: n−1 each of Suggest, Accept and Learn; skips travel with them, or by themselves to bring idle servers up to date, which is left out",
            },
        ],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let rtt = setup.rtt_max.max(1);
        let heartbeat = settings.duration(HEARTBEAT, rtt);
        let config = Config {
            replicas: setup.replicas,
            quorum: QuorumSystem::Threshold(setup.replicas / 2 + 1),
            broadcast: broadcasts(settings),
            alpha: settings.count(ALPHA),
            tau: settings.duration(TAU, (rtt / 2).max(1)),
            beta: settings.count(BETA),
            snapshot_every: settings.count(SNAPSHOT_EVERY),
            heartbeat,
            suspicion: settings.duration(SUSPICION, 3 * heartbeat + rtt / 2),
            resend: settings.duration(RESEND_AFTER, 3 * rtt + 1),
        };
        if config.suspicion <= config.heartbeat {
            return Err((SETTINGS[SUSPICION.0 as usize].key, "more than the time between heartbeats"));
        }
        Ok(vec![config; usize::from(setup.replicas)])
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::INVARIANTS
    }
}

#[cfg(test)]
mod tests;

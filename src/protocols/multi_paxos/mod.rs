//! Multi-Paxos: a log of commands, agreed on slot by slot under one stable leader.
//!
//! Single-decree Paxos ([`synod`](super::synod)) needs two phases to agree on one command. But phase 1 does not depend on what will be
//! proposed, so a proposer can carry it out once, for all slots of the log at the same time, and is then the *leader*: each further
//! command costs phase 2 alone, one round trip to a quorum. If the leader falls silent, somebody else wins a higher ballot, adopts
//! whatever may have been chosen already, fills the gaps with no-ops, and goes on. Two servers that think they lead slow each other
//! down, but never get different commands chosen in one slot: safety depends neither on who leads nor on time.
//!
//! The sources are Lamport's *Paxos Made Simple* (2001) and van Renesse and Altinbuken's *Paxos Made Moderately Complex* (2015). What the
//! first calls a leader is their leader with its commanders and scout; what they call replica is the learner here. Every server plays
//! all roles, each in a file of its own:
//!
//! | file | role | where it is in the papers |
//! |---|---|---|
//! | `acceptor` | promises, accepts, keeps both on disk | Simple §2.2, §2.5; Moderately Complex, Acceptor |
//! | `proposer` | phase 1, value adoption, no-ops for gaps, giving way to higher ballots | Simple §2.2, §2.4, §3; Moderately Complex, Scout and "When Paxos Works" |
//! | `leader` | phase 2, pipelining, heartbeats, retransmission, leadership transfer | Simple §3; Moderately Complex, Commander |
//! | `learner` | what is chosen, execution in order, catching up, snapshots | Simple §2.3, §3; Moderately Complex, Replica and "Paxos Made Pragmatic" |
//! | `reads` | reads without the log: at any replica, at a leader that does not check | |
//! | `quorum_leases` | leases of holders, which read at once | Paxos Quorum Leases (2014) |
//! | `quorum_reads` | reads of a quorum, and the rinse | Linearizable Quorum Reads in Paxos (2019) |
//! | `message` | the messages | |
//! | `rules` | the rules one by one, and the settings | |
//! | `invariants` | what must hold after every event | |
//!
//! Where the papers leave room:
//!
//! * **Learning.** Acceptors answer the leader only. The others learn from a commit index on the leader's next message ("piggyback") or
//!   from a Commit for each slot ("explicit"). The index speaks of commands chosen in, or proposed again in, the leader's own ballot, so
//!   a server may apply it only to what it accepted in that ballot.
//! * **Catching up** rides on heartbeats: the answer to one has the first missing slot, the next one the missing commands, or a snapshot. One of
//!   those is under way to a server at a time. So servers outside of a thrifty quorum cost no messages of their own: they get many
//!   commands with one message instead of one each.
//! * **Giving way.** A proposer that lacks commands which the others have compacted would need a snapshot from one of them before it can go on.
//!   It lets the first that says so lead instead, and that one brings it up to date. Only if that comes to nothing, its next Prepare asks that one for
//!   its state.
//! * **Retransmission** needs no guess how long an answer may take: what a server has not answered is sent again once it has answered a heartbeat
//!   that was sent later, which waits in the same queues and for the same disk.
//! * **Stability.** Before it prepares, a server asks whether the others still hear from a leader. So a leader whose heartbeats reach a quorum
//!   of phase 2 is not deposed by a server that cannot hear it, however often that one tries.
//! * **Failure detection** is a randomised election timeout. Reads go
//!   through the log like any command, unless the setting `reads` says otherwise. A proposer
//!   preempted before anything was chosen in its ballot doubles its timeout, and a leader without progress doubles its retransmission
//!   timeout: where the load itself makes messages slower than the timeouts, shorter ones would add to the load for ever.
//! * **The leader's own vote** counts when it is on its disk, as every vote does: it sends itself an Accepted, which waits for the write.

mod acceptor;
mod invariants;
mod leader;
mod learner;
mod message;
mod proposer;
mod quorum_leases;
mod quorum_reads;
mod reads;
mod rules;

pub use acceptor::Disk;
pub use message::{Msg, Proposal, Report, Snapshot};
pub use reads::Reads;
pub use rules::*;

use crate::core::node::{HistoryInvariant, Invariant, Node, Order, Protocol, SettingError, Setup};
use crate::core::{
    Ballot, Card, Command, Contact, EntryStatus, Family, Faults, Formula, LeaderModel, LogStatus, Micros, NodeId,
    NodeSet, NodeStatus, Out, Patience, Promises, Quorums, Rule, Sentence, Setting, Settings, Shots, Slot, Tally,
    TimingModel, majority,
};
use crate::facts;
use crate::services::Machine;
use leader::{Clients, Leadership};
use learner::Open;
use proposer::Phase1;
use reads::ReadState;
use std::collections::VecDeque;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiPaxos;

/// Settings of a server, with those left open derived from the longest round trip. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    quorums: Quorums,
    explicit_commit: bool,
    thrifty: bool,
    pipeline: u32,
    snapshot_every: u32,
    heartbeat: Micros,
    election_min: Micros,
    election_max: Micros,
    resend: Micros,
    /// How long a leader waits for a quorum to answer its heartbeats, or for the target of a transfer to take over.
    quorum_timeout: Micros,
    /// A longest round trip, in heartbeats, rounded up.
    patience: u32,
    /// Whether a server asks the others before it prepares.
    poll: bool,
    /// How reads are served.
    reads: Reads,
    /// The holders of leases, where there are any.
    holders: NodeSet,
    /// How long a lease lasts.
    lease: Micros,
    /// For how long a guard holds.
    guard: Micros,
    /// How much faster one clock may run than another.
    drift_permille: u32,
    /// The pause between two polls of a rinse.
    rinse: Micros,
}

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// The election timeout: at an acceptor since it last heard from a leader, at a proposer since it last sent Prepare, at a leader since
        /// it last counted who answers its heartbeats.
        Election = {
            name: "election timeout",
            says: "prepares a higher ballot, asks again for promises or, as leader, resigns unless a quorum answers its heartbeats",
            acts: true,
        };
        /// The shortest election timeout since an acceptor last heard from its leader. While it runs, the server agrees to no poll.
        MinimumTimeout = {
            name: "shortest election timeout",
            says: "agrees to polls again, and waits the random part of the election timeout",
            acts: false,
        };
        /// Leader: the interval between two heartbeats.
        Heartbeat = { name: "heartbeat interval", says: "sends a heartbeat to all others", acts: true };
        /// Leader: the time in which the oldest open slot should have been chosen.
        Resend = { name: "retransmission timeout", says: "sends all open proposals again if none was chosen", acts: true };
        /// The time between two renewals of the leases that a server grants.
        Renew = { name: "renewal of leases", says: "renews the leases that it grants", acts: true };
        /// The pause of reads under way: between two polls of a rinse, or before it asks again.
        Read = { name: "pause of a read", says: "polls again for reads under way", acts: true };
        /// Leader: the time in which its successor should have taken over.
        HandOver = { name: "hand-over timeout", says: "gives up handing over, and leads on", acts: true };
    }
}

/// The role of a server besides acceptor and learner, which all are at all times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    /// No other: follows a leader, if there is one.
    Acceptor {
        /// The leader of the promised ballot, once a message of its came.
        leader: Option<NodeId>,
        /// The commit index of the leader's last heartbeat.
        leader_committed: Slot,
        /// Whether a heartbeat came within the shortest election timeout.
        hears_leader: bool,
        /// Who agreed to the poll under way, this server among them; nobody if none is.
        consents: NodeSet,
    },
    /// Phase 1 of its own ballot is under way.
    Proposer(Phase1),
    /// A quorum has promised its ballot.
    Leader(Leadership),
}

impl Role {
    /// An acceptor, and nothing else, from now on.
    const fn acceptor(leader: Option<NodeId>) -> Role {
        Role::Acceptor { leader, leader_committed: 0, hears_leader: false, consents: NodeSet::EMPTY }
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    me: NodeId,
    config: Config,
    disk: Disk,
    role: Role,
    /// The highest ballot in any message received, promised or not. Invariant: `disk.promised <= seen`.
    seen: Ballot,
    /// Ballots of this server preempted in a row before anything was chosen in them, at most [`leader::DOUBLINGS`]: timeouts are longer.
    preempted: u8,
    /// Whom it last let lead because that one had compacted what it lacks; asked for its state if it did not lead after all.
    gave_way: Option<NodeId>,
    /// How much longer timeouts are, because answers were late.
    patience: Patience,
    /// The commit index: slots up to this one are chosen, and executed.
    committed: Slot,
    /// Records of the slots after `committed` in which something is chosen or proposed.
    open: VecDeque<Open>,
    machine: Machine,
    clients: Clients,
    reads: ReadState,
}

impl Server {
    fn peers(&self) -> NodeSet {
        NodeSet::first(self.config.quorums.replicas).without(self.me)
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Server>) -> Server {
        let restarts = disk != Disk::default();
        let disk = if restarts && !out.rule(REMEMBERS, facts![disk.promised, disk.accepted.last()]) {
            Disk::default()
        } else {
            disk
        };
        let known = disk.committed;
        let mut server = Server {
            me,
            config: *config,
            role: Role::acceptor(None),
            seen: disk.promised,
            preempted: 0,
            gave_way: None,
            patience: Patience::default(),
            committed: disk.snapshot.slot,
            open: VecDeque::new(),
            machine: disk.snapshot.machine.clone(),
            clients: Clients::default(),
            reads: ReadState::default(),
            disk,
        };
        if server.committed > 0 {
            out.restored(server.committed);
        }
        while server.committed < known
            && let Some(&Proposal { command, .. }) = server.proposal(server.committed + 1)
        {
            server.choose(server.committed + 1, command, out);
        }
        server.reset_election_timeout(out);
        server.start_leases(restarts, out);
        server
    }

    // WebAssembly only: see ARCHITECTURE.md, on speed.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match *message {
            Msg::Poll { ballot } => self.on_poll(from, ballot, out),
            Msg::PollReply { ballot, granted } => self.on_poll_reply(from, ballot, granted, out),
            Msg::Prepare { ballot, from: first, state } => self.on_prepare(from, ballot, first, state, out),
            Msg::Promise { ballot, ref report } => self.on_promise(from, ballot, report, out),
            Msg::Accept { ballot, slot, command, committed } => {
                self.on_accept(from, (ballot, slot, command), committed, out);
            }
            Msg::Accepted { ballot, slot } => self.on_accepted(from, (ballot, slot), NodeSet::EMPTY, out),
            Msg::AcceptedIf { ballot, slot, holders } => self.on_accepted(from, (ballot, slot), holders, out),
            Msg::Nack { promised } => self.on_nack(promised, out),
            Msg::Commit { ballot, slot, command } => self.on_commit(from, ballot, slot, command, out),
            Msg::Heartbeat { ballot, round, committed } => {
                if self.check_ballot(from, ballot, out) {
                    self.on_heartbeat(from, ballot, round, committed, out);
                }
            }
            Msg::HeartbeatReply { ballot, round, first_missing } => {
                self.on_heartbeat_reply(from, ballot, round, first_missing);
            }
            Msg::CatchUp { ballot, round, first, ref chosen } => {
                if self.check_ballot(from, ballot, out) {
                    if self.learn(first, chosen.iter().copied(), out) {
                        self.save(out);
                    }
                    self.on_heartbeat(from, ballot, round, first + chosen.len() as Slot - 1, out);
                }
            }
            Msg::Snapshot { ballot, round, ref snapshot } => {
                if self.check_ballot(from, ballot, out) {
                    if self.install(snapshot, out) {
                        self.save(out);
                    }
                    self.on_heartbeat(from, ballot, round, snapshot.slot, out);
                }
            }
            Msg::QuorumRead { command } | Msg::Rinse { command, .. } => self.on_quorum_read(from, command, out),
            Msg::QuorumReadReply { client, seq, last_write, executed, outcome } => {
                self.on_quorum_read_reply(from, (client, seq), (last_write, executed, outcome), out);
            }
            Msg::Silent { ballot, holders } if ballot == self.disk.promised => self.reads.silent = holders,
            Msg::Silent { .. } => {}
            Msg::Guard {} => self.on_guard(from, out),
            Msg::GuardAck { clock } => self.on_guard_ack(from, clock, out),
            Msg::LeasePromise { guarded, round, slot } => self.on_lease_promise(from, (guarded, round), slot, out),
            Msg::LeasePromiseAck { guarded, round } => self.on_lease_promise_ack(from, (guarded, round), out),
            Msg::HandOver { ballot, committed } => self.on_hand_over(from, ballot, committed, out),
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match (timer, &self.role) {
            (Timer::Election, Role::Acceptor { .. }) => {
                self.patience.give_up();
                out.because(LOSES_PATIENCE, facts![]);
                match self.config.poll {
                    true => self.poll(out),
                    false => self.prepare(out),
                }
            }
            (Timer::Election, Role::Proposer(_)) => self.prepare_again(out),
            (Timer::Election, Role::Leader(_)) => self.check_quorum(out),
            (Timer::MinimumTimeout, _) => self.on_minimum_timeout(out),
            (Timer::Heartbeat, _) => self.send_heartbeats(out),
            (Timer::Resend, _) => self.resend(out),
            (Timer::Renew, _) => self.renew_leases(out),
            (Timer::Read, _) => self.on_read_timer(out),
            (Timer::HandOver, _) => self.abort_hand_over(out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        self.on_command(command, out);
    }

    fn on_order(&mut self, order: Order, out: &mut Out<Server>) {
        if let Order::HandOver(to) = order {
            self.hand_over(to, out);
        }
    }

    fn is_pending(&self, order: Order) -> bool {
        matches!((order, &self.role), (Order::HandOver(to), Role::Leader(leadership)) if leadership.is_handing_over_to(to))
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let (role, leader, tally) = match &self.role {
            Role::Acceptor { leader, consents, .. } => {
                let Quorums { phase1, phase2, .. } = self.config.quorums;
                let need = phase1.need_with(*consents).max(phase2.need_with(*consents));
                let tally = Tally { of: "consents", slot: 0, from: *consents, need };
                ("acceptor", *leader, (!consents.is_empty()).then_some(tally))
            }
            Role::Proposer(Phase1 { promises, .. }) => {
                let need = self.config.quorums.phase1.need_with(*promises);
                ("proposer", None, Some(Tally { of: "promises", slot: 0, from: *promises, need }))
            }
            Role::Leader(_) => (
                "leader",
                Some(self.me),
                self.open.front().map(|open| Tally {
                    of: "acknowledgements",
                    slot: self.committed + 1,
                    from: open.votes,
                    need: self.config.quorums.phase2.need_with(open.votes),
                }),
            ),
        };
        NodeStatus {
            role,
            leads: matches!(self.role, Role::Leader(_)),
            epoch: self.disk.promised.epoch(),
            leader,
            tally,
            blocked: None,
            log: LogStatus {
                first: self.disk.accepted.first(),
                last: self.disk.accepted.last(),
                committed: self.committed,
                applied: self.committed,
            },
            members: NodeSet::first(self.config.quorums.replicas),
        }
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let proposal = self.proposal(slot)?;
        let open = self.place(slot).map(|place| self.open.get(place).copied().unwrap_or_default());
        Some(EntryStatus {
            epoch: proposal.ballot.epoch(),
            command: Some(proposal.command),
            chosen: open.is_none_or(|open| open.chosen),
        })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Protocol for MultiPaxos {
    const CARD: Card = Card {
        key: "multi-paxos",
        title: "Multi-Paxos",
        says: "A leader wins a ballot for the whole log once; from then on each command takes one round trip to a majority.",
        paper: "Leslie Lamport, Paxos Made Simple, ACM SIGACT News, 2001; Robbert van Renesse and Deniz Altinbuken, Paxos Made Moderately Complex, ACM Computing Surveys, 2015",
        epoch: "ballot",
        family: Family::Leader,
        optimises: "messages, with a stable leader",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::Elected,
        contact: Contact::Leader,
        promises: Promises::CONSENSUS,
        transfer: true,
        membership: false,
        formulas: &[
            Formula {
                text: "2(q2−1) + (n−1)",
                count: |n, settings| {
                    let explicit = explicit_commit(settings) && settings.flag(SEND_THRIFTY);
                    explicit.then(|| 2 * (phase2_size(n, settings) - 1) + n - 1)
                },
                source: "Paxos Made Simple §2.2: phase 2 to one quorum, and a Commit to everybody; what a server outside of the quorum lacks all the same is left out",
            },
            Formula {
                text: "2(q2−1)",
                count: |n, settings| settings.flag(SEND_THRIFTY).then(|| 2 * (phase2_size(n, settings) - 1)),
                source: "Paxos Made Simple §2.2: phase 2 to one quorum; how servers outside of it learn what is chosen is left out",
            },
            Formula {
                text: "3(n−1)",
                count: |n, settings| explicit_commit(settings).then(|| 3 * (n - 1)),
                source: "Paxos Made Simple §3: phase 2, and a Commit to everybody",
            },
            Formula {
                text: "2(n−1)",
                count: |n, _| Some(2 * (n - 1)),
                source: "Paxos Made Simple §3: phase 2, the commit index on the next message",
            },
        ],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const UNPROMISED: &'static [crate::core::RuleId] = &[UNCHECKED_READ];
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let heartbeat = settings.duration(HEARTBEAT, (setup.rtt_max / 2).max(1));
        let election_min = settings.duration(ELECTION_TIMEOUT_MIN, 3 * heartbeat + setup.rtt_max);
        let election_max = settings.duration(ELECTION_TIMEOUT_MAX, 2 * election_min);
        let config = Config {
            quorums: QUORUM_SETTINGS.checked(setup, QUORUMS_INTERSECT)?,
            explicit_commit: explicit_commit(settings),
            thrifty: settings.flag(SEND_THRIFTY),
            pipeline: settings.count(ALPHA),
            snapshot_every: settings.count(SNAPSHOT_EVERY),
            heartbeat,
            election_min,
            election_max,
            quorum_timeout: election_max.max(heartbeat + 2 * setup.rtt_max),
            patience: u32::try_from(setup.rtt_max / heartbeat + 1).unwrap_or(u32::MAX >> leader::DOUBLINGS),
            poll: settings.flag(POLL),
            // Longer than any answer takes, so that nothing is sent twice while all is well.
            resend: settings.duration(RESEND_AFTER, setup.rtt_max + setup.rtt_max / 2 + 1),
            reads: reads(settings),
            holders: holders(setup)?,
            lease: settings.duration(LEASE_DURATION, (8 * setup.rtt_max).max(LEASE_FLOOR)),
            guard: settings.duration(GUARD, 2 * setup.rtt_max),
            drift_permille: settings.count(CLOCK_DRIFT),
            rinse: settings.duration(RINSE_PAUSE, (setup.rtt_max / 2).max(RINSE_FLOOR)),
        };
        if config.reads == Reads::QuorumLeases && config.lease < 4 * setup.rtt_max {
            return Err((
                SETTINGS[LEASE_DURATION.0 as usize].key,
                "at least four of the longest round trips: it is renewed four times in that time",
            ));
        }
        if config.reads == Reads::QuorumLeases && config.guard < setup.rtt_max {
            return Err((
                SETTINGS[GUARD.0 as usize].key,
                "at least the longest round trip: the promise arrives that long after the guard was answered",
            ));
        }
        if config.election_min <= config.heartbeat {
            return Err((SETTINGS[ELECTION_TIMEOUT_MIN.0 as usize].key, "more than the time between heartbeats"));
        }
        if config.election_max < config.election_min {
            return Err((SETTINGS[ELECTION_TIMEOUT_MAX.0 as usize].key, "at least election_timeout_min"));
        }
        Ok(vec![config; usize::from(setup.replicas)])
    }

    fn live(setup: &Setup, healthy: u8) -> bool {
        QUORUM_SETTINGS.live(setup, healthy)
    }

    fn quorums(setup: &Setup) -> Option<Quorums> {
        QUORUM_SETTINGS.checked(setup, QUORUMS_INTERSECT).ok()
    }

    fn stable(setup: &Setup) -> bool {
        setup.settings.flag(POLL)
    }

    fn clocks(setup: &Setup) -> Option<u32> {
        (reads(&setup.settings) == Reads::QuorumLeases).then(|| 1_000 * setup.settings.count(CLOCK_DRIFT))
    }

    fn contact(setup: &Setup) -> Contact {
        match reads(&setup.settings) {
            Reads::Log | Reads::LeaderUnchecked => Contact::Leader,
            Reads::AnyReplica | Reads::QuorumLeases | Reads::QuorumReads => Contact::NearestToRead,
        }
    }

    fn promises(setup: &Setup) -> Promises {
        match reads(&setup.settings) {
            Reads::AnyReplica | Reads::LeaderUnchecked => Self::CARD.promises.without(Promises::LINEARIZABLE),
            _ => Self::CARD.promises,
        }
    }

    fn invariants() -> &'static [Invariant<Server>] {
        invariants::INVARIANTS
    }

    fn history_invariants() -> &'static [HistoryInvariant<Server>] {
        invariants::HISTORY
    }
}

/// Leases are not shorter, and rinses do not poll more often, unless a scenario says so, µs.
const LEASE_FLOOR: Micros = 80_000;
const RINSE_FLOOR: Micros = 1_000;

/// The way of reading that the settings choose.
fn reads(settings: &Settings) -> Reads {
    use Reads::*;
    [Log, AnyReplica, LeaderUnchecked, QuorumLeases, QuorumReads][usize::from(settings.choice(READS))]
}

/// The holders of leases; none where reads do without.
fn holders(setup: &Setup) -> Result<NodeSet, SettingError> {
    let n = setup.replicas;
    let holders = match u8::try_from(setup.settings.count(LEASE_HOLDERS)) {
        Ok(0) => majority(n),
        Ok(holders) if holders <= n => holders,
        _ => return Err((SETTINGS[LEASE_HOLDERS.0 as usize].key, "at most as many as there are replicas")),
    };
    Ok(if reads(&setup.settings) == Reads::QuorumLeases { NodeSet::first(holders) } else { NodeSet::EMPTY })
}

fn explicit_commit(settings: &Settings) -> bool {
    settings.choice(COMMIT) == 1
}

fn phase2_size(n: u32, settings: &Settings) -> u32 {
    QUORUM_SETTINGS.sizes(n, settings).1
}

#[cfg(test)]
mod tests;

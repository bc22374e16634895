//! Raft: consensus on a log, arranged so that people can understand it.
//!
//! *Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014* (the paper), and
//! *Ongaro, "Consensus: Bridging Theory and Practice", PhD dissertation, Stanford, 2014*.
//!
//! # What it is
//!
//! Servers agree on a log of commands, and each executes the log on its own copy of a state machine. Time is divided into *terms*. A term begins
//! with an election: a server that has not heard from a leader for a while asks the others for their votes, and with a majority of
//! them leads the term. From then on everything flows from the leader to the others: it appends each command to its log and sends
//! it on; once a majority has it on disk, it is *committed*, the leader executes it and answers the client.
//!
//! Two majorities always share a server, and Raft's safety rests on what that server refuses. It votes once a term, so a term has
//! one leader at most. It takes an entry only if it holds the entry before, so two logs that agree on one entry agree on all before
//! it. And it votes only for a candidate whose log is at least as far as its own, so whoever is elected already holds every committed
//! entry: entries never flow towards a leader.
//!
//! # Where everything is
//!
//! | file | what | paper | dissertation |
//! |---|---|---|---|
//! | `server.rs` | a server's state; dispatch; applying | figure 2, figure 4 | ch. 3 |
//! | `message.rs` | the messages | figure 2, figure 13 | |
//! | `storage.rs` | persistent state: term, vote, log, snapshot | figure 2 | |
//! | `election.rs` | timeouts, PreVote, votes, becoming leader | §5.2, §5.4.1 | §4.2.3, §9.6 |
//! | `progress.rs` | matchIndex and nextIndex of a follower, and how entries are sent to it | figure 2 | §10.2 |
//! | `leader.rs` | AppendEntries, retransmission, commitment; CheckQuorum | §5.3, §5.4.2 | §6.2, §10.2 |
//! | `follower.rs` | the consistency check, appending entries | §5.3 | §10.2.2 |
//! | `snapshot.rs` | taking and installing snapshots | §7 | ch. 5 |
//! | `reads.rs` | ReadIndex, leases | §8 | §6.4 |
//! | `lease_guard.rs` | the log as the lease (LeaseGuard) | | |
//! | `configuration.rs` | who votes, what a quorum is | §6 | §4.3 |
//! | `membership.rs` | changing the members | §6 | ch. 4 |
//! | `transfer.rs` | leadership transfer | | §3.10 |
//! | `exchange.rs` | symmetry of servers, for the explorer | | |
//! | `rules.rs` | the rules, by name | | |
//! | `invariants.rs` | invariants, checked after every event | figure 3 | §3.6 |
//!
//! # What it costs
//!
//! For n servers, in the failure-free case: 2(n−1) messages a command (AppendEntries to all others, and their answers); followers
//! learn of the commitment with the next message. 2(n−1) for an election, and as many again for PreVote. 2(n−1) for all the reads
//! that one ReadIndex round serves; none for a read under a lease, be that the log, or without a check. Two one-way delays from the leader's receipt of a command to its
//! commitment, the followers' and the leader's own disk working at the same time.
//!
//! # Choices the sources leave open
//!
//! * The election timeout has a fixed part, the minimum election timeout, and a random part, one timer each. While the fixed one runs a server
//!   grants no votes (leader stickiness, dissertation §4.2.3); so stickiness, and the lease that rests on it, needs no clock. Where leases are in
//!   use the fixed part also runs after a restart: the server may have answered its leader just before it crashed.
//! * A new command goes to every follower at once. A follower whose log agrees with the leader's keeps AppendEntries that arrive out of order;
//!   so every AppendEntries has exactly one answer.
//! * The leader's own copy of an entry counts once it is on its disk: the leader sends itself a message that waits for the write.
//! * After it has sent TimeoutNow the leader holds no lease for the rest of its term: the target may start an election however late the message
//!   arrives, and leader stickiness does not apply to that election.
//! * Snapshots are sent in one piece, one at a time to a follower. The log is not compacted beyond one that is under way, within limits.
//! * Retransmission needs no clock, and no guess how long an answer may take: see `progress::LossCheck`.

mod configuration;
mod election;
mod exchange;
mod follower;
mod invariants;
mod leader;
mod lease_guard;
mod membership;
mod message;
mod progress;
mod reads;
mod rules;
mod server;
mod snapshot;
mod storage;
#[cfg(test)]
mod tests;
mod transfer;

pub use configuration::Configuration;
pub use message::{Append, Conflict, Heartbeat, Message};
pub use rules::*;
pub use server::{Server, Timer};
pub use storage::{Disk, Entries, Entry, Payload, Snapshot};

use crate::core::node::{HistoryInvariant, Invariant, Protocol, SettingError, Setup};
use crate::core::{
    Card, Contact, Edition, Exchange, Family, Faults, Formula, LeaderModel, Micros, NodeId, NodeSet, Promises, Rule,
    Sentence, Setting, SettingKind, Settings, Shots, TimingModel,
};
use std::hash::{Hash, Hasher};

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raft;

const HOUR: Micros = 3_600_000_000;

crate::settings! {
    /// Lower bound of the election timeout.
    SETTING_ELECTION_MIN = {
        key: "election_timeout_min",
        says: "Shortest time without a leader after which a server starts an election",
        kind: SettingKind::Duration { min: 1, max: HOUR },
    };
    /// Upper bound of the election timeout.
    SETTING_ELECTION_MAX = {
        key: "election_timeout_max",
        says: "Longest time without a leader after which a server starts an election",
        kind: SettingKind::Duration { min: 1, max: HOUR },
    };
    /// Interval of heartbeats.
    SETTING_HEARTBEAT = {
        key: "heartbeat",
        says: "Time between two rounds of heartbeats",
        kind: SettingKind::Duration { min: 1, max: HOUR },
    };
    /// Whether candidates ask first.
    SETTING_PRE_VOTE = {
        key: "pre_vote",
        says: "PreVote: ask whether one would be elected before raising the term",
        kind: SettingKind::Flag { default: true },
    };
    /// Whether a leader without a majority steps down.
    SETTING_CHECK_QUORUM = {
        key: "check_quorum",
        says: "CheckQuorum: a leader that does not hear from a majority steps down",
        kind: SettingKind::Flag { default: true },
    };
    /// How reads are served.
    SETTING_READS = {
        key: "reads",
        says: "How reads are served: as entries of the log, after a round of heartbeats, under a lease, under the lease that the log is, by a leader that does not check whether it still leads, or by any replica; with the last two a read may be old",
        kind: SettingKind::Choice {
            options: &["log", "read-index", "lease", "leaseguard", "leader-unchecked", "any-replica"],
            default: 0,
        },
    };
    /// How long a committed entry is a lease.
    SETTING_LOG_LEASE = {
        key: "lease_duration",
        says: "LeaseGuard: for how long a committed entry is a lease; derived: the longest election timeout",
        kind: SettingKind::Duration { min: 1, max: HOUR },
    };
    /// How far clocks may be apart.
    SETTING_CLOCK_ERROR = {
        key: "clock_error",
        says: "LeaseGuard: by how much the clocks of two servers may differ; a new leader waits as much longer; derived: a quarter of the longest round trip",
        kind: SettingKind::Duration { min: 0, max: HOUR },
    };
    /// How far clocks may run apart.
    SETTING_DRIFT = {
        key: "clock_drift_permille",
        says: "How much faster one clock may run than another, in thousandths; leases are shorter by as much",
        kind: SettingKind::Count { min: 0, max: 1000, default: 100 },
    };
    /// How the members change.
    SETTING_MEMBERSHIP = {
        key: "membership",
        says: "How members change: through a joint configuration, or one server at a time",
        kind: SettingKind::Choice { options: &["joint", "single-server"], default: 0 },
    };
    /// How often snapshots are taken.
    SETTING_SNAPSHOT_EVERY = {
        key: "snapshot_every",
        says: "Entries applied between two snapshots; 0 for none",
        kind: SettingKind::Count { min: 0, max: 1_000_000, default: 1000 },
    };
    /// How much a server that is behind gets at a time.
    SETTING_BATCH = {
        key: "batch",
        says: "Most entries in one AppendEntries to a server that has fallen behind; it gets the next when it has acknowledged these",
        kind: SettingKind::Count { min: 1, max: 4096, default: 256 },
    };
    /// How it was before.
    SETTING_EDITION = {
        key: "edition",
        says: "Raft as it was: paper-2014 has neither PreVote nor CheckQuorum, pre-vote has the first, check-quorum has both; single-server-2014 changes members as the dissertation was printed, with its fault. Settings chosen beside it take precedence",
        kind: SettingKind::Choice {
            options: &["today", "paper-2014", "pre-vote", "check-quorum", "single-server-2014"],
            default: 0,
        },
    };
}

/// What the editions set, in the order of the options above.
const EDITIONS: &[Edition] = &[
    Edition { settings: &[], without: &[] },
    Edition { settings: &[(SETTING_PRE_VOTE, 0), (SETTING_CHECK_QUORUM, 0)], without: &[] },
    Edition { settings: &[(SETTING_PRE_VOTE, 1), (SETTING_CHECK_QUORUM, 0)], without: &[] },
    Edition { settings: &[(SETTING_PRE_VOTE, 1), (SETTING_CHECK_QUORUM, 1)], without: &[] },
    // Dissertation chapter 4 before the correction of July 2015 (raft-dev).
    Edition { settings: &[(SETTING_MEMBERSHIP, 1)], without: &[CHANGE_AFTER_OWN_COMMIT] },
];

/// How reads are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    /// Like writes.
    Log,
    /// After a round of heartbeats.
    ReadIndex,
    /// At once while the leader holds a lease, else after a round of heartbeats.
    Lease,
    /// At once while the newest committed entry is a lease, else when another is committed.
    LeaseGuard,
    /// At once by whoever leads, or takes itself for the leader.
    LeaderUnchecked,
    /// At once by any replica.
    AnyReplica,
}

/// How the members change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// Through C_old,new.
    Joint,
    /// One server at a time.
    SingleServer,
}

/// Settings of a server, with those left open derived from the longest round trip. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The first configuration; empty for a server that joins later.
    pub members: NodeSet,
    /// Shortest election timeout.
    pub election_min: Micros,
    /// Longest election timeout.
    pub election_max: Micros,
    /// Interval of heartbeats.
    pub heartbeat: Micros,
    /// The longest round trip, in heartbeat intervals, rounded up: how long a check for entries to retransmit waits at least.
    pub retry_ticks: u32,
    /// How long a lease lasts from the moment the heartbeats for it are sent.
    pub lease: Micros,
    /// For how long a committed entry is a lease.
    pub log_lease: Micros,
    /// By how much two clocks may differ.
    pub clock_error: Micros,
    /// How reads are served.
    pub reads: Reads,
    /// How the members change.
    pub membership: Membership,
    /// Whether candidates ask first.
    pub pre_vote: bool,
    /// Whether a leader without a majority steps down.
    pub check_quorum: bool,
    /// Entries between two snapshots; 0 for none.
    pub snapshot_every: u32,
    /// Most entries in one AppendEntries.
    pub batch: u32,
}

impl Hash for Config {
    /// Nothing: it never changes, so it does not distinguish states of a server.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Heartbeats are not sent more often than this unless a scenario says so, µs.
const HEARTBEAT_FLOOR: Micros = 10_000;

/// Heartbeat intervals in the shortest election timeout: two lost heartbeats and a slow third do not start an election.
const HEARTBEATS_TO_TIMEOUT: Micros = 5;

impl Config {
    /// Derives from the longest round trip what the scenario leaves open: heartbeats no further apart than that, and timeouts that survive
    /// a few of them getting lost.
    fn new(members: NodeSet, setup: &Setup) -> Result<Config, SettingError> {
        let Setup { settings, rtt_max, .. } = setup;
        let interval = (*rtt_max).max(HEARTBEAT_FLOOR);
        let given = |id| Some(settings.duration(id, 0)).filter(|&micros| micros > 0);
        let election_min = match (given(SETTING_ELECTION_MIN), given(SETTING_ELECTION_MAX), given(SETTING_HEARTBEAT)) {
            (Some(min), _, _) => min,
            (None, Some(max), _) => max.div_ceil(2),
            (None, None, heartbeat) => HEARTBEATS_TO_TIMEOUT * interval.max(heartbeat.unwrap_or(0)),
        };
        let election_max = settings.duration(SETTING_ELECTION_MAX, 2 * election_min);
        let heartbeat = settings.duration(SETTING_HEARTBEAT, interval.min(election_min / HEARTBEATS_TO_TIMEOUT).max(1));
        if election_max < election_min {
            return Err(("election_timeout_max", "at least election_timeout_min would do"));
        }
        if heartbeat >= election_min {
            return Err(("heartbeat", "less than election_timeout_min would do, better a fifth of it"));
        }
        let reads = reads(settings);
        let log_lease = settings.duration(SETTING_LOG_LEASE, election_max.max(2 * rtt_max));
        let clock_error = clock_error(setup);
        if reads == Reads::LeaseGuard && log_lease < *rtt_max {
            return Err((
                "lease_duration",
                "at least the longest round trip between replicas would do: an entry is committed no sooner",
            ));
        }
        if reads == Reads::LeaseGuard && clock_error >= log_lease {
            return Err(("clock_error", "less than lease_duration would do"));
        }
        Ok(Config {
            members,
            election_min,
            election_max,
            heartbeat,
            retry_ticks: u32::try_from(rtt_max / heartbeat + 1).unwrap_or(u32::MAX),
            lease: election_min * 1000 / (1000 + Micros::from(settings.count(SETTING_DRIFT))),
            log_lease,
            clock_error,
            reads,
            membership: [Membership::Joint, Membership::SingleServer][usize::from(settings.choice(SETTING_MEMBERSHIP))],
            pre_vote: settings.flag(SETTING_PRE_VOTE),
            check_quorum: settings.flag(SETTING_CHECK_QUORUM),
            snapshot_every: settings.count(SETTING_SNAPSHOT_EVERY),
            batch: settings.count(SETTING_BATCH),
        })
    }
}

/// The way of reading that the settings choose.
fn reads(settings: &Settings) -> Reads {
    use Reads::*;
    [Log, ReadIndex, Lease, LeaseGuard, LeaderUnchecked, AnyReplica][usize::from(settings.choice(SETTING_READS))]
}

fn clock_error(setup: &Setup) -> Micros {
    setup.settings.duration(SETTING_CLOCK_ERROR, setup.rtt_max / 4)
}

fn two_for_each_other(n: u32, _: &Settings) -> Option<u32> {
    Some(2 * (n - 1))
}

impl Protocol for Raft {
    const CARD: Card = Card {
        key: "raft",
        title: "Raft",
        says: "One elected leader a term takes all commands and replicates its log; a majority commits.",
        paper: "Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (Extended Version), 2014; Ongaro, Consensus: Bridging Theory and Practice, PhD dissertation, Stanford, 2014",
        epoch: "term",
        family: Family::Leader,
        optimises: "understandability",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::Elected,
        contact: Contact::Leader,
        promises: Promises::CONSENSUS,
        transfer: true,
        membership: true,
        formulas: &[Formula {
            text: "2(n−1)",
            count: two_for_each_other,
            source: "paper §5.3: AppendEntries to every other server, and its answer; commitment is learnt with the next message",
        }],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const UNPROMISED: &'static [crate::core::RuleId] = &[UNCHECKED_READ];
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    const EDITIONS: &'static [Edition] = EDITIONS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let config = Config::new(NodeSet::first(setup.replicas), setup)?;
        Ok(vec![config; usize::from(setup.replicas)])
    }

    fn newcomer(setup: &Setup, _me: NodeId) -> Option<Config> {
        Config::new(NodeSet::EMPTY, setup).ok()
    }

    fn exchange() -> Option<Exchange<Server>> {
        Some(exchange::EXCHANGE)
    }

    /// Without PreVote a server that cannot hear the leader raises its term, and the leader gives way to that (dissertation §9.6). Without
    /// CheckQuorum a leader that hears too few keeps those from electing another.
    fn stable(setup: &Setup) -> bool {
        setup.settings.flag(SETTING_PRE_VOTE) && setup.settings.flag(SETTING_CHECK_QUORUM)
    }

    fn clocks(setup: &Setup) -> Option<u32> {
        match reads(&setup.settings) {
            Reads::Lease => Some(1_000 * setup.settings.count(SETTING_DRIFT)),
            // The times in the log are compared with clocks, which have to go on showing nearly the same.
            Reads::LeaseGuard => Some(0),
            _ => None,
        }
    }

    fn clock_error(setup: &Setup) -> Micros {
        if reads(&setup.settings) == Reads::LeaseGuard { clock_error(setup) } else { 0 }
    }

    fn contact(setup: &Setup) -> Contact {
        match reads(&setup.settings) {
            Reads::AnyReplica => Contact::NearestToRead,
            _ => Self::CARD.contact,
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

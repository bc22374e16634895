//! Viewstamped Replication Revisited: a replicated log under a primary that changes with the view, without a disk on the way of a request.
//!
//! *Liskov and Cowling, "Viewstamped Replication Revisited", MIT-CSAIL-TR-2012-021, 2012* (the paper).
//!
//! Replicas go through numbered *views*; the primary of a view follows from its number, each replica having its turn. The primary gives
//! requests their op-numbers and sends them to the backups; once f of them hold a request, it is committed. If the primary falls silent,
//! the replicas change to the next view, whose primary collects the logs of f + 1 replicas and begins with one of the latest normal view.
//!
//! What sets it apart is that nothing is written to disk on the way: a request is safe because f + 1 replicas have it in memory. So a
//! replica that crashes forgets everything, what it has acknowledged as well, and must not act on that: it *recovers* its state from
//! f + 1 others, the primary among them, before it takes part again. **If more than f of 2f + 1 replicas crash before the first of them
//! has recovered, the state is gone**: that is outside the model, and no replica then comes back by itself.
//!
//! | file | what | paper |
//! |---|---|---|
//! | `normal` | requests, Prepare, PrepareOk, Commit, execution, checkpoints | §4.1, §5.1 |
//! | `view_change` | StartViewChange, DoViewChange, StartView | §4.2 |
//! | `recovery` | Recovery and RecoveryResponse, the crash vector | §4.3 |
//! | `state_transfer` | GetState and NewState | §5.2 |
//! | `message` | the messages | |
//! | `rules` | the rules one by one, and the settings | |
//! | `invariants` | what must hold after every event | §8 |
//!
//! The text of the paper was not at hand in full: numbers of sections and steps are partly from memory, and the steps were checked against Vanlightly's
//! specification in TLA+.
//!
//! Where it departs from the paper or fills it in:
//!
//! * **State transfer keeps the log** until the new one is there. The paper (§5.2) has the replica remove what it does not know to be
//!   committed before it asks; Vanlightly showed with TLA+ that this can lose a committed request (2022).
//! * **Messages from before a crash do not count.** A replica that has recovered has forgotten that it once reported its log for a view
//!   change, and that report may still be under way. Michael, Ports, Sharma and Szekeres (DISC 2017) showed that protocols without a disk
//!   lose state in this way, and gave the crash vector. The edition `paper-2012` has both as the paper has them.
//! * **The nonce** is a counter on disk, one of the ways that the paper offers. It is written when a replica starts, and at no other time.
//! * **An even number of replicas.** With q = ⌊n/2⌋ + 1 and f = n − q: q replicas for all that the paper wants of f + 1, q − 1 StartViewChanges
//!   of others, and f + 1 answers to a recovery, of which one is in every set of q.
//! * **What is lost is fetched, not sent again.** Commit also tells the primary's op-number. A backup that lacks what an earlier Commit told of
//!   asks for it by state transfer, and one that has it, though nothing more is committed, acknowledges it again. A Commit is sent by a
//!   primary that was idle, and to backups that have not acknowledged what was there one Commit before.
//! * **Whole logs** are sent when views change and in recovery, from the last checkpoint on; the paper (§5.3, §5.1) trims them further.
//! * **The setting `ring`** is the normal case of TigerBeetle (*docs/internals/vsr.md*): Prepare goes from replica to replica, r replicas commit a request
//!   where r = min(3, ⌈n/2⌉), n − r + 1 change the view, and a reported log goes to all. From TigerBeetle are these alone: it keeps its
//!   state on disk and has no recovery protocol, keeps the status normal until enough want to change the view, and sends again what the ring has
//!   lost. Here recovery, StartViewChange and state transfer are as above, with answers of r to a recovery: one of them is in every set of
//!   n − r + 1. A dead replica cuts the ring, and those behind it fetch what they lack at the second Commit. A *nack quorum* (n − r + 1) drops a
//!   request whose content is damaged; logs here are whole, so a request that is in no log reported has as many against it.
//! * Left out: reconfiguration (§7), batching, leases for reads at the primary and reads at backups (§6), and witnesses (§6.1).

mod invariants;
mod message;
mod normal;
mod recovery;
mod rules;
mod state_transfer;
#[cfg(test)]
mod tests;
mod view_change;

pub use message::{Checkpoint, CrashVector, Entry, Msg, Report, State};
pub use rules::*;

use crate::core::node::{HistoryInvariant, Invariant, Node, Protocol, SettingError, Setup};
use crate::core::status::RECOVERING;
use crate::core::{
    Card, Command, Contact, Edition, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, Log, LogStatus, Micros,
    NodeId, NodeSet, NodeStatus, Out, Patience, Promises, Rule, Sentence, Setting, Shots, Slot, Tally, TimingModel,
    majority,
};
use crate::facts;
use crate::services::Machine;
use recovery::Responses;
use std::collections::BTreeMap;
use std::sync::Arc;
use view_change::Changing;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vrr;

/// Settings of a replica, with those left open derived from the longest round trip. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    replicas: u8,
    /// Whether Prepare goes from replica to replica.
    ring: bool,
    /// How many change the view.
    view_quorum: u8,
    heartbeat: Micros,
    view_min: Micros,
    view_max: Micros,
    /// How long a recovering replica waits before it asks again.
    ask_again: Micros,
    checkpoint_every: u32,
}

impl Config {
    /// How many replicas, the primary included, commit a request: f + 1 of 2f + 1. With `ring`: TigerBeetle's replication quorum, from 3 replicas on.
    const fn commit_quorum(&self) -> u8 {
        match (self.ring, self.replicas) {
            (false, n) => majority(n),
            (true, 0..=4) => 2,
            (true, _) => 3,
        }
    }

    /// How many replicas may fail at a time: fewer than commit, and the others can still change the view.
    const fn f(&self) -> u8 {
        match self.ring {
            true => self.commit_quorum() - 1,
            false => self.replicas - self.commit_quorum(),
        }
    }

    /// The primary of a view (§4: round-robin).
    #[allow(clippy::cast_possible_truncation)] // Less than the number of replicas.
    fn primary(&self, view: u32) -> NodeId {
        NodeId((view % u32::from(self.replicas)) as u8)
    }
}

crate::timers! {
    /// A replica's timers.
    pub enum Timer {
        /// Primary: the time between two looks whether a Commit is due.
        Commit = { name: "commit interval", says: "sends Commit, if it had nothing to prepare or somebody lacks something", acts: true };
        /// Nothing came from the primary, or the view that it changes to does not begin.
        ViewChange = { name: "view-change timeout", says: "wants to change to the next view", acts: true };
        /// Recovering: not enough answers yet.
        Recovery = { name: "recovery timeout", says: "asks the others for their state again", acts: true };
    }
}

/// What is on a replica's disk. It is written when the replica starts, and never on the way of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// How often it has started: the nonce of its recovery.
    pub starts: u32,
}

/// The status of a replica (§4), with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Status {
    Normal,
    ViewChange(Changing),
    Recovering(Responses),
}

/// One replica. Everything but `disk` is lost in a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    config: Config,
    disk: Disk,
    status: Status,
    /// view-number.
    view: u32,
    /// The latest view in which the status was normal.
    last_normal: u32,
    /// The log. Its last slot is the op-number.
    log: Log<Entry>,
    /// commit-number: all up to this one is committed, and executed.
    commit: Slot,
    /// The application state, with the executed part of the client table.
    machine: Machine,
    checkpoint: Arc<Checkpoint>,
    /// The client table of what is in the log and not executed: by client, its latest request. Kept by the primary only.
    latest: Vec<u32>,
    /// Primary: for each replica, up to which op-number it has acknowledged the log of this view.
    acknowledged: Vec<Slot>,
    /// Backup: Prepares that came before earlier ones.
    early: BTreeMap<Slot, Command>,
    /// Backup: the op-number in the latest Commit of this view. Primary: that at its last look.
    told: Slot,
    /// Primary: whether it has prepared anything since its last look.
    prepared: bool,
    /// Primary: number of its last Commit.
    round: u32,
    /// The view in which it has asked for state, Commits heard since, and how long to wait before it asks again.
    asked: Asked,
    crashes: CrashVector,
    patience: Patience,
}

/// A state transfer under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Asked {
    /// Of which view, plus 1; 0 if none is under way.
    view: u32,
    /// Messages of the primary that would have made it ask again.
    skipped: u8,
    /// How often the wait was doubled.
    doublings: u8,
}

impl Replica {
    fn peers(&self) -> NodeSet {
        NodeSet::first(self.config.replicas).without(self.me)
    }

    fn is_normal(&self) -> bool {
        matches!(self.status, Status::Normal)
    }

    fn is_primary(&self) -> bool {
        self.is_normal() && self.config.primary(self.view) == self.me
    }

    /// Waits anew for the primary, or for the view to begin.
    fn reset_view_timeout(&self, out: &mut Out<Replica>) {
        let [shortest, longest] = [self.config.view_min, self.config.view_max].map(|time| self.patience.stretch(time));
        out.set_timer(Timer::ViewChange, shortest, longest);
    }

    /// The status is normal from now on, in `view`.
    fn become_normal(&mut self, view: u32, out: &mut Out<Replica>) {
        (self.view, self.last_normal, self.status) = (view, view, Status::Normal);
        self.early.clear();
        self.told = 0;
        self.asked = Asked::default();
        self.prepared = false;
        if self.is_primary() {
            self.round = 0;
            self.acknowledged = vec![0; usize::from(self.config.replicas)];
            self.rebuild_client_table();
            out.cancel(Timer::ViewChange);
            out.set_timer(Timer::Commit, self.config.heartbeat, self.config.heartbeat);
        } else {
            out.cancel(Timer::Commit);
            self.reset_view_timeout(out);
        }
    }
}

impl Node for Replica {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;

    fn boot(me: NodeId, config: &Config, disk: Disk, out: &mut Out<Replica>) -> Replica {
        let starts = disk.starts + 1;
        let mut replica = Replica {
            me,
            config: *config,
            disk: Disk { starts },
            status: Status::Normal,
            view: 0,
            last_normal: 0,
            log: Log::default(),
            commit: 0,
            machine: Machine::default(),
            checkpoint: Arc::default(),
            latest: Vec::new(),
            acknowledged: Vec::new(),
            early: BTreeMap::new(),
            told: 0,
            prepared: false,
            round: 0,
            asked: Asked::default(),
            crashes: CrashVector(vec![1; usize::from(config.replicas)]),
            patience: Patience::default(),
        };
        replica.crashes.note(me, starts);
        out.save();
        if starts > 1 && out.rule(RECOVERS, facts![starts]) {
            replica.begin_recovery(out);
        } else {
            replica.become_normal(0, out);
        }
        replica
    }

    // WebAssembly only: see ARCHITECTURE.md, on speed.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Replica>) {
        if let Status::Recovering(_) = self.status {
            if let Msg::RecoveryResponse { view, nonce, ref crashes, ref state } = *message {
                self.on_recovery_response(from, (view, nonce), crashes, state.as_ref(), out);
            }
            return;
        }
        match *message {
            Msg::Prepare { view, op, command, commit } => self.on_prepare(from, view, (op, command), commit, out),
            Msg::PrepareOk { view, op } => self.on_prepare_ok(from, view, op, out),
            Msg::Commit { view, round, commit, op } => self.on_commit(from, (view, round), commit, op, out),
            Msg::StartViewChange { view, ref crashes } => self.on_start_view_change(from, view, crashes, out),
            Msg::DoViewChange { view, ref report } => self.on_do_view_change(from, view, report, out),
            Msg::StartView { view, ref state } => self.on_start_view(view, state, out),
            Msg::GetState { view, op } => self.on_get_state(from, view, op, out),
            Msg::NewState { view, ref state } => self.on_new_state(view, state, out),
            Msg::Recovery { nonce } => self.on_recovery(from, nonce, out),
            Msg::RecoveryResponse { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Replica>) {
        match timer {
            Timer::Commit => self.on_commit_timer(out),
            Timer::ViewChange => self.on_view_timeout(out),
            Timer::Recovery => self.ask_again(out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Replica>) {
        self.on_client_request(command, out);
    }

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        let (role, tally) = match &self.status {
            Status::Normal if self.is_primary() => {
                let slot = self.commit + 1;
                let open = slot <= self.log.last();
                let need = self.config.commit_quorum();
                let tally = Tally { of: "acknowledgements", slot, from: self.holders(slot), need };
                ("primary", open.then_some(tally))
            }
            Status::Normal => ("backup", None),
            Status::ViewChange(changing) => ("view change", Some(changing.tally(self.me, self.config.view_quorum))),
            Status::Recovering(responses) => (RECOVERING, Some(responses.tally(self.config.f() + 1))),
        };
        NodeStatus {
            role,
            leads: self.is_primary(),
            epoch: self.epoch(self.view),
            leader: self.is_normal().then(|| self.config.primary(self.view)),
            tally,
            blocked: None,
            log: LogStatus {
                first: self.log.first(),
                last: self.log.last(),
                committed: self.commit,
                applied: self.commit,
            },
            members: NodeSet::first(self.config.replicas),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        self.is_primary().then(|| self.epoch(self.view))
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let entry = self.log.get(slot)?;
        Some(EntryStatus { epoch: self.epoch(entry.view), command: Some(entry.command), chosen: slot <= self.commit })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Replica {
    /// A view as what everybody else shows of it. Its number says whose it is.
    const fn epoch(&self, view: u32) -> Epoch {
        Epoch { number: view, owner: None }
    }
}

impl Protocol for Vrr {
    const CARD: Card = Card {
        key: "vrr",
        title: "Viewstamped Replication",
        says: "A primary that changes with the view replicates in memory alone: a replica that crashes forgets everything, and recovers it from the others.",
        paper: "Barbara Liskov and James Cowling, Viewstamped Replication Revisited, MIT-CSAIL-TR-2012-021, 2012",
        epoch: "view",
        family: Family::Leader,
        optimises: "no disk on the way of a request",
        min_replicas: 3,
        faults: Faults::CrashForget,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::Elected,
        contact: Contact::Leader,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "2(n−1)",
            count: |n, _| Some(2 * (n - 1)),
            source: "Viewstamped Replication Revisited §4.1: Prepare to all backups and a PrepareOk of each, the commit-number on the next Prepare",
        }],
    };
    const RULES: &'static [Rule] = RULES;
    const SENTENCES: &'static [Sentence] = SENTENCES;
    const SETTINGS: &'static [Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    const EDITIONS: &'static [Edition] = EDITIONS;
    type Node = Replica;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let heartbeat = settings.duration(HEARTBEAT, setup.rtt_max.max(HEARTBEAT_FLOOR));
        let view_min = settings.duration(VIEW_TIMEOUT_MIN, 3 * heartbeat + setup.rtt_max);
        let view_max = settings.duration(VIEW_TIMEOUT_MAX, 2 * view_min);
        if view_min <= heartbeat {
            return Err((SETTINGS[VIEW_TIMEOUT_MIN.0 as usize].key, "more than heartbeat, better three times that"));
        }
        if view_max < view_min {
            return Err((SETTINGS[VIEW_TIMEOUT_MAX.0 as usize].key, "at least view_timeout_min"));
        }
        let mut config = Config {
            replicas: setup.replicas,
            ring: settings.flag(RING),
            view_quorum: 0,
            heartbeat,
            view_min,
            view_max,
            ask_again: setup.rtt_max + heartbeat,
            checkpoint_every: settings.count(CHECKPOINT_EVERY),
        };
        // Of the commit quorums' size, unless that does not meet every one of them.
        let meet = !setup.ablated.has(QUORUMS_MEET);
        config.view_quorum = if meet { setup.replicas - config.f() } else { config.commit_quorum() };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    fn live(setup: &Setup, healthy: u8) -> bool {
        let config = Vrr::cluster(setup).ok().and_then(|configs| configs.first().copied());
        config.is_some_and(|config| setup.replicas - healthy <= config.f())
    }

    fn invariants() -> &'static [Invariant<Replica>] {
        invariants::INVARIANTS
    }

    fn history_invariants() -> &'static [HistoryInvariant<Replica>] {
        invariants::HISTORY
    }
}

/// Commits are not sent more often than this unless a scenario says so, µs.
const HEARTBEAT_FLOOR: Micros = 1_000;

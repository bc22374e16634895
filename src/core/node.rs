//! Protocol traits: [`Message`], [`Node`] (a deterministic state machine driven by events) and [`Protocol`] (card, rules, settings, invariants).

use super::{
    Answer, Card, Command, Contact, Edition, EntryStatus, Epoch, Exchange, HistoryVariables, Micros, NodeId, NodeSet,
    NodeStatus, Out, Promises, Quorums, Rule, RuleId, RuleSet, Sentence, Setting, Settings, Slot, TimerName,
};
use serde::Serialize;
use std::fmt::Debug;
use std::hash::Hash;

/// Kind of message: name, letter, phase and description, for display.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The paper's verb: `Promise`.
    pub name: &'static str,
    /// Alternative name in the literature: `1b`. Empty if none.
    pub alias: &'static str,
    /// Letter shown on the message's dot, so that colour is never the only distinction.
    pub letter: char,
    /// Role in the protocol; selects the colour.
    pub phase: Phase,
    /// Plain description as a predicate of the sender: `votes for the candidate`.
    pub says: &'static str,
}

/// Purpose of a message, common to all protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Requests leadership, a vote or a promise.
    Elect,
    /// Reply to [`Phase::Elect`].
    Vote,
    /// Proposes commands for acceptance.
    Propose,
    /// Reply to [`Phase::Propose`].
    Accept,
    /// Announces chosen commands.
    Commit,
    /// Heartbeat or idle traffic. Not counted in a command's message cost.
    Heartbeat,
    /// State transfer: catch-up, snapshots, leadership transfer.
    Transfer,
    /// Serves a read without the log.
    Read,
    /// Negative acknowledgement.
    Refuse,
}

/// Id of a message kind: its index in [`Message::KINDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u8);

/// Messages between replicas. The methods for the [`Header`](super::Header) should be inlined, since the kind is known where a message is
/// constructed.
pub trait Message: Clone + Debug + Hash + Eq {
    /// All kinds, in display order.
    const KINDS: &'static [Kind];

    /// The kind.
    fn kind(&self) -> KindId;

    /// Size on the wire, bytes, without its commands and the transport's headers.
    fn bytes(&self) -> u32;

    /// Number of commands it carries.
    fn commands(&self) -> u32 {
        0
    }

    /// Visits the values of these commands: [`Command::value`], or the value itself where the command is gone (snapshots).
    fn each_value(&self, _see: &mut dyn FnMut(u32)) {}

    /// The slot concerned, for labels; 0 if none.
    fn slot(&self) -> Slot {
        0
    }

    /// Byzantine variant of the message, with another command. `None` if it carries no command, or only signed ones.
    fn tampered(&self) -> Option<Self> {
        None
    }
}

/// One replica: a deterministic state machine driven by events, whose only output is [`Out`].
pub trait Node: Clone + Debug + Hash + Eq {
    /// Static configuration.
    type Config: Clone + Debug;
    /// Messages between replicas.
    type Msg: Message;
    /// Timers. Setting one again replaces its deadline.
    type Timer: TimerName;
    /// Durable state: survives a crash.
    type Disk: Clone + Debug + Default + Hash + Eq;

    /// Boots: for the first time (default disk) or after a crash.
    fn boot(me: NodeId, config: &Self::Config, disk: Self::Disk, out: &mut Out<Self>) -> Self;

    /// Handles one message. Messages may be delayed, duplicated, reordered or lost.
    fn on_message(&mut self, from: NodeId, message: &Self::Msg, out: &mut Out<Self>);

    /// Handles the expiry of a timer.
    fn on_timer(&mut self, timer: Self::Timer, out: &mut Out<Self>);

    /// Handles a client's command, possibly a retry.
    fn on_request(&mut self, command: Command, out: &mut Out<Self>);

    /// Handles an operator's order. Precondition, checked by the simulator: the card says that the protocol supports it.
    fn on_order(&mut self, _order: Order, _out: &mut Out<Self>) {}

    /// Whether it is carrying out this order as leader; also one that an earlier leader has left unfinished.
    fn is_pending(&self, _order: Order) -> bool {
        false
    }

    /// Durable state as of the last [`Out::save`]. Invariant: it changes only in handlers that call it.
    fn disk(&self) -> &Self::Disk;

    /// Protocol-independent status.
    fn status(&self) -> NodeStatus;

    /// The term or ballot it leads, if any: a cheaper form of [`Node::status`] for checks after every event.
    fn leads(&self) -> Option<Epoch> {
        let status = self.status();
        status.leads.then_some(status.epoch)
    }

    /// One slot of its log, if held.
    fn entry(&self, slot: Slot) -> Option<EntryStatus>;

    /// Visits the quorum tallies in progress: [`NodeStatus::tally`], unless it counts for several instances at once.
    fn tallies(&self, see: &mut dyn FnMut(super::Tally)) {
        self.status().tally.into_iter().for_each(see);
    }

    /// Digest of the replicated state machine after [`LogStatus::applied`](super::LogStatus::applied) commands, if the protocol has one.
    fn machine_digest(&self) -> Option<u64> {
        None
    }
}

/// Operator's order to a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Leadership transfer to this node.
    HandOver(NodeId),
    /// Membership change to this set.
    Reconfigure(NodeSet),
}

/// Parameters of a new cluster.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Number of initial replicas n: ids 0 to n−1.
    pub replicas: u8,
    /// Maximum round trip between two replicas, jitter included, µs. Default timeouts are derived from it.
    pub rtt_max: Micros,
    /// Values of the protocol's settings.
    pub settings: Settings,
    /// Ablated rules: a setting that violates a rule is valid only if that rule is among them.
    pub ablated: RuleSet,
}

/// Invalid setting: its key, and its valid values. The key `replicas` stands for the number of replicas.
pub type SettingError = (&'static str, &'static str);

/// A protocol variant: card, rules, settings, node and invariants.
pub trait Protocol: Copy + Clone + Debug + Default + 'static {
    /// Description and assumptions.
    const CARD: Card;
    /// The paper's rules, each of which a run can ablate.
    const RULES: &'static [Rule];
    /// The sentences of the rules; [`rules!`](crate::rules) makes the list.
    const SENTENCES: &'static [Sentence];
    /// Settings that a scenario may choose.
    const SETTINGS: &'static [Setting];
    /// What each of them does, in plain words, in the same order; [`settings!`](crate::settings) makes both.
    const SETTING_TEXTS: &'static [&'static str];
    /// Its editions, one for each option of the setting `edition`; none if it has no such setting.
    const EDITIONS: &'static [Edition] = &[];
    /// Its replica.
    type Node: Node;

    /// One configuration for each replica of a new cluster; the error names an invalid setting.
    fn cluster(setup: &Setup) -> Result<Vec<<Self::Node as Node>::Config>, SettingError>;

    /// The configuration of a replica that will join a running cluster by a membership change; `None`: not supported.
    fn newcomer(_setup: &Setup, _me: NodeId) -> Option<<Self::Node as Node>::Config> {
        None
    }

    /// Symmetry under permutation of node ids, where the protocol has it; for the model checker.
    fn exchange() -> Option<Exchange<Self::Node>> {
        None
    }

    /// The fewest replicas that a scenario may have, without these rules: a rule about that may be among them.
    fn least_replicas(_ablated: RuleSet) -> u8 {
        Self::CARD.min_replicas
    }

    /// Liveness condition: whether it must make progress under these settings while `healthy` of its replicas are up and connected.
    fn live(setup: &Setup, healthy: u8) -> bool {
        healthy > setup.replicas / 2
    }

    /// Stability condition: whether under these settings a leader that a quorum hears stays in office, whatever others try.
    fn stable(_setup: &Setup) -> bool {
        false
    }

    /// Rules that apply only under settings with fewer promises than the card's. Random runs do not draw these settings, so they reach none of them.
    const UNPROMISED: &'static [RuleId] = &[];

    /// Which replicas clients contact under these settings; the card says it for the default ones.
    fn contact(_setup: &Setup) -> Contact {
        Self::CARD.contact
    }

    /// The properties guaranteed under these settings: those of the card, or fewer.
    fn promises(_setup: &Setup) -> Promises {
        Self::CARD.promises
    }

    /// Quorum systems of its phases, where there are two that settings choose.
    fn quorums(_setup: &Setup) -> Option<Quorums> {
        None
    }

    /// Number of equal replies from different replicas that complete a client's command: more than one where replicas may be Byzantine.
    fn answers(_setup: &Setup) -> u8 {
        1
    }

    /// How many of its replicas may be Byzantine.
    fn byzantine(setup: &Setup) -> u8 {
        match Self::CARD.faults {
            super::Faults::Byzantine => setup.replicas.saturating_sub(1) / 3,
            _ => 0,
        }
    }

    /// If safety depends on clocks, as with leases: maximum relative clock drift, parts per million; clocks must not jump, either.
    fn clocks(_setup: &Setup) -> Option<u32> {
        None
    }

    /// If safety depends on comparing readings of different nodes' clocks: by how much those may differ at one time, µs. Where this is not 0,
    /// clocks may jump within it.
    fn clock_error(_setup: &Setup) -> Micros {
        0
    }

    /// The protocol's own invariants, beyond those of every protocol (agreement, applied prefix, one leader an epoch).
    fn invariants() -> &'static [Invariant<Self::Node>];

    /// Invariants of a run's whole history. In a run they replace those of [`invariants`](Protocol::invariants) that have the same names, which
    /// see only what nodes hold now; the model checker, which visits every state, has those alone.
    fn history_invariants() -> &'static [HistoryInvariant<Self::Node>] {
        &[]
    }
}

/// Invariant: a predicate over all nodes that holds after every event.
#[derive(Debug)]
pub struct Invariant<N: 'static> {
    /// The paper's name for it: `Log Matching`.
    pub name: &'static str,
    /// Statement.
    pub says: &'static str,
    /// Incremental check, given that it held before the step. Crashed nodes are `None`.
    pub holds: fn(nodes: &[Option<N>], step: Step) -> Result<(), Breach>,
}

/// Invariant of a run's history: a predicate over all nodes and what they did before.
#[derive(Debug)]
pub struct HistoryInvariant<N: 'static> {
    /// The paper's name for it.
    pub name: &'static str,
    /// Statement.
    pub says: &'static str,
    /// Incremental check, given that it held before the step; takes the step into the history. Crashed nodes are `None`. Called for every
    /// step of a node that was never Byzantine.
    pub holds: CheckHistory<N>,
}

/// Check of a [`HistoryInvariant`].
pub type CheckHistory<N> = fn(history: &mut HistoryVariables, nodes: &[Option<N>], step: Step) -> Result<(), Breach>;

/// Scope of a step, for incremental invariant checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node that handled an event.
    pub changed: NodeId,
    /// The first slot of its log that may have changed; `None` if the log is unchanged.
    pub log_from: Option<Slot>,
    /// Nodes that are paused, or have overdue timers which they will handle before anything else: their belief about leases may be stale.
    pub unaware: NodeSet,
}

/// Location of an invariant violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// A second node, if two are involved.
    pub other: Option<NodeId>,
    /// The slot concerned, if any.
    pub slot: Option<Slot>,
}

/// Effect: a node's answer to a client's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The command's client.
    pub client: super::ClientId,
    /// The command's number.
    pub seq: u32,
    /// The answer.
    pub answer: Answer,
}

/// The rules ablated in a run.
pub type Ablated = RuleSet;

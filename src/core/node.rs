//! What a protocol is: messages, nodes, rules and a card.

use super::{
    Answer, Card, Command, EntryStatus, Epoch, Exchange, Micros, NodeId, NodeSet, NodeStatus, Out, Rule, RuleSet,
    Setting, Settings, Slot, TimerName,
};
use serde::Serialize;
use std::fmt::Debug;
use std::hash::Hash;

/// A kind of message: everything a picture or a table needs to know about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The paper's verb: `Promise`.
    pub name: &'static str,
    /// Another name in use: `1b`. Empty if none.
    pub alias: &'static str,
    /// One letter for the dot. Colour is never the only sign.
    pub letter: char,
    /// What it does in the protocol; gives the colour.
    pub phase: Phase,
    /// What the sender means by it, in plain words: `votes for the candidate`.
    pub says: &'static str,
}

/// What a message is for, the same in all protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Asks for leadership or a promise.
    Elect,
    /// Answers that.
    Vote,
    /// Carries a command to be accepted.
    Propose,
    /// Answers that.
    Accept,
    /// Tells what is chosen.
    Commit,
    /// Keeps things going when there is nothing to say. Not part of a command's cost.
    Heartbeat,
    /// Brings a node up to date: catch-up, snapshots, hand-over.
    Transfer,
    /// Serves a read without the log.
    Read,
    /// Says no.
    Refuse,
}

/// A kind of message of the protocol at hand: its place in [`Message::KINDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u8);

/// What replicas send each other. What its [`Header`](super::Header) says is best inlined: where a message is made, it is known already.
pub trait Message: Clone + Debug + Hash + Eq {
    /// All kinds, in the order in which a picture should list them.
    const KINDS: &'static [Kind];

    /// Which kind this one is.
    fn kind(&self) -> KindId;

    /// Bytes on the wire, apart from the commands it carries and the transport's header.
    fn bytes(&self) -> u32;

    /// How many commands it carries.
    fn commands(&self) -> u32 {
        0
    }

    /// Shows the values of these commands, one by one: [`Command::value`], or the value itself where nothing else is left.
    fn each_value(&self, _see: &mut dyn FnMut(u32)) {}

    /// The slot it is about, for labels; 0 if none.
    fn slot(&self) -> Slot {
        0
    }

    /// What a node that lies could say instead: the same with another command in it. `None` if there is no command in it, or only such as
    /// others have signed.
    fn tampered(&self) -> Option<Self> {
        None
    }
}

/// One replica: a pure function of events. It acts on the world through [`Out`] alone.
pub trait Node: Clone + Debug + Hash + Eq {
    /// What it is told once, before it first boots.
    type Config: Clone + Debug;
    /// What it says to other replicas.
    type Msg: Message;
    /// Its timers. Setting one again replaces it.
    type Timer: TimerName;
    /// All that survives a crash.
    type Disk: Clone + Debug + Default + Hash + Eq;

    /// Starts, for the first time (the default disk) or after a crash.
    fn boot(me: NodeId, config: &Self::Config, disk: Self::Disk, out: &mut Out<Self>) -> Self;

    /// Handles one message. Messages may come late, twice, in any order, or never.
    fn on_message(&mut self, from: NodeId, message: &Self::Msg, out: &mut Out<Self>);

    /// Handles a timer it set.
    fn on_timer(&mut self, timer: Self::Timer, out: &mut Out<Self>);

    /// Handles a client's command, perhaps not for the first time.
    fn on_request(&mut self, command: Command, out: &mut Out<Self>);

    /// Handles an operator's order. The world checks the card before it passes one on.
    fn on_order(&mut self, _order: Order, _out: &mut Out<Self>) {}

    /// What is, or by now should be, on the disk. Taken after [`Out::save`].
    fn disk(&self) -> &Self::Disk;

    /// What can be seen of it.
    fn status(&self) -> NodeStatus;

    /// The term or ballot it leads, if it does: [`Node::status`] in short, for those who ask after every event.
    fn leads(&self) -> Option<Epoch> {
        let status = self.status();
        status.leads.then_some(status.epoch)
    }

    /// One slot of its log, if held.
    fn entry(&self, slot: Slot) -> Option<EntryStatus>;

    /// All that it is counting at present: [`NodeStatus::tally`], unless it counts for several instances at once.
    fn tallies(&self, see: &mut dyn FnMut(super::Tally)) {
        self.status().tally.into_iter().for_each(see);
    }

    /// Digest of the replicated state machine after [`LogStatus::applied`](super::LogStatus::applied) commands, if the protocol has one.
    fn machine_digest(&self) -> Option<u64> {
        None
    }
}

/// What an operator may ask of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The leader is to hand its leadership to this node.
    HandOver(NodeId),
    /// The leader is to change the membership to this.
    Reconfigure(NodeSet),
}

/// What a cluster is built from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Replicas at the start: ids 0 to n−1.
    pub replicas: u8,
    /// The longest round trip between two replicas, jitter included, µs. Timeouts are derived from it.
    pub rtt_max: Micros,
    /// The scenario's choices.
    pub settings: Settings,
    /// The rules this run takes away: a setting that breaks one of them is fine only then.
    pub ablated: RuleSet,
}

/// A setting that does not fit: its key, and what would do.
pub type SettingError = (&'static str, &'static str);

/// A variant. One implementation per file; the file's card, rules and invariants are all that others know of it.
pub trait Protocol: Copy + Clone + Debug + Default + 'static {
    /// What it is.
    const CARD: Card;
    /// What it demands.
    const RULES: &'static [Rule];
    /// What a scenario may choose.
    const SETTINGS: &'static [Setting];
    /// A replica of it.
    type Node: Node;

    /// One configuration for each replica of a new cluster, or the setting that does not fit.
    fn cluster(setup: &Setup) -> Result<Vec<<Self::Node as Node>::Config>, SettingError>;

    /// The configuration of a replica that will join a running cluster by a membership change.
    fn newcomer(_setup: &Setup, _me: NodeId) -> Option<<Self::Node as Node>::Config> {
        None
    }

    /// How the names of nodes can be exchanged, where that changes nothing.
    fn exchange() -> Option<Exchange<Self::Node>> {
        None
    }

    /// Whether it must make progress under these settings while `healthy` of its replicas run and reach each other, and nothing fails.
    fn live(setup: &Setup, healthy: u8) -> bool {
        healthy > setup.replicas / 2
    }

    /// How many replicas must tell a client the same before it believes them: more than one where replicas may be Byzantine.
    fn answers(_setup: &Setup) -> u8 {
        1
    }

    /// Whether it must make progress while just these of its replicas run and reach each other, and nothing fails. Where it does not matter
    /// which ones, [`Protocol::live`] says how many.
    fn live_with(setup: &Setup, healthy: NodeSet) -> bool {
        Self::live(setup, healthy.len())
    }

    /// If safety counts on clocks, as leases do: how much faster one may run than another, in millionths. They must not jump, either.
    fn clocks(_setup: &Setup) -> Option<u32> {
        None
    }

    /// What must hold after every event, beyond what holds for every protocol (agreement, applied prefix, one leader an epoch).
    fn invariants() -> &'static [Invariant<Self::Node>];
}

/// A statement about all nodes that must hold after every event.
#[derive(Debug)]
pub struct Invariant<N: 'static> {
    /// The paper's name for it: `Log Matching`.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Checks it, given that it held before the step. Crashed nodes are `None`.
    pub holds: fn(nodes: &[Option<N>], step: Step) -> Result<(), Breach>,
}

/// What a step may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node that handled an event.
    pub changed: NodeId,
    /// The first slot of its log that may be different now; `None` if the log is as it was.
    pub log_from: Option<Slot>,
    /// Nodes that were paused and have not looked at their timers since: what those end, they do not know to be over yet, and they do nothing
    /// before they know.
    pub unaware: NodeSet,
}

/// Where an invariant failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// A second node, if it takes two.
    pub other: Option<NodeId>,
    /// The slot, if it is about one.
    pub slot: Option<Slot>,
}

/// A node's answer to a client's command, as an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The command's client.
    pub client: super::ClientId,
    /// The command's number.
    pub seq: u32,
    /// What it is told.
    pub answer: Answer,
}

/// The rules a run takes away.
pub type Ablated = RuleSet;

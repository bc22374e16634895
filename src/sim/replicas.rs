//! Type-erased interface between simulator and protocol: the replicas of one cluster behind an object-safe trait.
//!
//! The simulator refers to nodes, messages and timers by number. [`Replicas`] is the interface of a run, [`FullReplicas`] that of faults,
//! copies and records; [`ReplicasOf`] is their only implementation, generic over [`Protocol`]. So the simulator is compiled once, and a variant adds little more than its own algorithm.
//!
//! Path of a message: `Out::send` in a handler → effects in the [`Outbox`] → `World::apply_effects` → `World::send` → event queue →
//! `World::dispatch` → [`Replicas::deliver`] → `Node::on_message`.

mod full;

#[cfg(feature = "cli")]
use super::recording::{HandlerCall, Stimulus};
use super::recording::{Text, as_text};
use crate::core::node::{Message, Node, Order, Protocol, SettingError, Setup, Step};
use crate::core::{
    Card, Command, Contact, Effect, EntryStatus, Epoch, HistoryVariables, Kind, MessageId, NodeId, NodeStatus, Out,
    Outbox, Slot, Tally, TimerId, TimerKind, TimerName,
};
use std::any::Any;
use std::fmt::Debug;

pub use full::{FullCode, FullReplicas, WorldReplicas};

/// Operation on the disk image of a node. The simulator decides when a write is done and which faults it suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOp {
    /// Write of the node's durable state, done at once.
    Write {
        /// Torn-write fault: the next crash leaves the state before this write.
        tears: bool,
    },
    /// Begin of a write of the node's current durable state.
    Begin,
    /// Group commit: the write begun last now holds the current durable state.
    Join,
    /// The oldest pending write is done.
    Complete {
        /// Torn-write fault: the next crash leaves the state before this write.
        tears: bool,
    },
    /// All pending writes are lost.
    Abort,
    /// The disk is replaced by an empty one.
    Wipe,
    /// Lost fsync: the next crash leaves what is on the disk now, regardless of later writes.
    Freeze,
    /// Undoes [`DiskOp::Freeze`].
    Thaw,
    /// Crash: the disk holds what the crash leaves.
    Crash,
}

/// Operation on twins (second copies of nodes under the same id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwinOp {
    /// Appends a twin: a copy of this node's current state and disk.
    Copy(NodeId),
    /// Appends a twin of this node with an empty disk, not booted.
    Empty(NodeId),
    /// Swaps the twin at this index with this node.
    Swap(usize, NodeId),
    /// Removes the twin at this index; later ones move up.
    Remove(usize),
}

/// Callback for violated invariants: name, statement, and the nodes and slot concerned.
pub type Broken<'a> = &'a mut dyn FnMut(&'static str, &'static str, crate::core::node::Breach);

/// The replicas of one cluster of some protocol, by number: what a run without faults needs of them. Handlers leave their effects in the
/// outbox.
pub trait Replicas {
    /// The protocol's card.
    fn card(&self) -> &'static Card;
    /// The protocol's kinds of messages.
    fn kinds(&self) -> &'static [Kind];
    /// Bytes of the contents of messages in flight and of writes under way, by count, not by the allocator.
    fn bytes_under_way(&self) -> u64;
    /// The protocol's kinds of timers; a timer's is the one whose place is the lowest byte of its number.
    fn timers(&self) -> &'static [TimerKind];
    /// Whether the protocol has durable state.
    fn is_durable(&self) -> bool;
    /// Downcast to [`ReplicasOf`].
    fn as_any(&self) -> &dyn Any;
    /// The same, mutably.
    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// Boots a node from its disk.
    fn boot(&mut self, node: NodeId, outbox: &mut Box<Outbox>);
    /// Delivers a message to a node; the content is kept for further receivers if `shared`. False: the node is down.
    fn deliver(&mut self, from: NodeId, to: NodeId, message: MessageId, shared: bool, outbox: &mut Box<Outbox>)
    -> bool;
    /// Fires a timer at a running node.
    fn timer(&mut self, node: NodeId, timer: TimerId, outbox: &mut Box<Outbox>);
    /// Delivers a client's command to a running node.
    fn request(&mut self, node: NodeId, command: Command, outbox: &mut Box<Outbox>);

    /// Status of a node; `None` while it is down.
    fn status(&self, node: NodeId) -> Option<NodeStatus>;
    /// Whether a node is carrying out an operator's order.
    fn is_pending(&self, node: NodeId, order: Order) -> bool;
    /// The term or ballot that a node leads, if any.
    fn leads(&self, node: NodeId) -> Option<Epoch>;
    /// One slot of a node's log, if held.
    fn entry(&self, node: NodeId, slot: Slot) -> Option<EntryStatus>;
    /// Digest of a node's state machine, if the protocol has one.
    fn machine_digest(&self, node: NodeId) -> Option<u64>;
    /// Quorum tallies of a node at present.
    fn tallies(&self, node: NodeId) -> Vec<Tally>;
    /// Number of equal replies from different replicas that complete a command.
    fn answers(&self, setup: &Setup) -> u8;
    /// Which replicas clients contact.
    fn contact(&self, setup: &Setup) -> Contact;
    /// The protocol's own invariants: name and statement.
    fn invariants(&self) -> Vec<(&'static str, &'static str)>;
    /// Checks the protocol's own invariants after a step, and takes the step into the history.
    fn check(&self, step: Step, history: &mut HistoryVariables, broken: Broken<'_>);
}

/// An effect of a node, with its message or timer as text.
pub type EffectText = (NodeId, Effect<Text, Text>);

/// States, messages and effects of a protocol as text. Functions and no methods of [`Replicas`]: whatever formats a protocol's types is
/// linked only where these are named, which keeps it out of the chunk that runs the protocol.
#[derive(Clone, Copy, Debug)]
pub struct AsText {
    /// All of a node's state; `None` while it is down.
    pub state: fn(&dyn Replicas, NodeId) -> Option<Text>,
    /// A node's durable state: its own while it is up, and otherwise what is on its disk.
    pub durable: fn(&dyn Replicas, NodeId) -> Option<Text>,
    /// The content of a message in flight.
    pub message: fn(&dyn Replicas, MessageId) -> Option<Text>,
    /// The recorded effects of the last step, with messages and timers as text.
    pub effects: fn(&dyn Replicas) -> Vec<EffectText>,
}

impl AsText {
    /// Those of a protocol. Of replicas of another one they give nothing.
    pub const fn of<P: Protocol>() -> AsText {
        AsText { state: state::<P>, durable: durable::<P>, message: message::<P>, effects: effects::<P> }
    }
}

fn replicas_of<P: Protocol>(replicas: &dyn Replicas) -> Option<&ReplicasOf<P>> {
    replicas.as_any().downcast_ref()
}

fn state<P: Protocol>(replicas: &dyn Replicas, node: NodeId) -> Option<Text> {
    replicas_of::<P>(replicas)?.running(node).map(Text::of)
}

fn durable<P: Protocol>(replicas: &dyn Replicas, node: NodeId) -> Option<Text> {
    let replicas = replicas_of::<P>(replicas)?;
    match replicas.running(node) {
        Some(node) => Some(Text::of(node.disk())),
        None => replicas.disks.get(usize::from(node.0)).map(|disk| Text::of(&disk.kept)),
    }
}

fn message<P: Protocol>(replicas: &dyn Replicas, id: MessageId) -> Option<Text> {
    replicas_of::<P>(replicas)?.out.message(id).map(Text::of)
}

fn effects<P: Protocol>(replicas: &dyn Replicas) -> Vec<EffectText> {
    let effects = replicas_of::<P>(replicas).map_or(&[][..], |replicas| replicas.effects());
    effects.iter().map(|(node, effect)| (*node, as_text(effect))).collect()
}

/// An effect with the protocol's own messages and timers.
pub type EffectOf<P> = Effect<Msg<P>, Timer<P>>;

type Config<P> = <<P as Protocol>::Node as Node>::Config;
type Msg<P> = <<P as Protocol>::Node as Node>::Msg;
type Timer<P> = <<P as Protocol>::Node as Node>::Timer;
type Disk<P> = <<P as Protocol>::Node as Node>::Disk;

/// What a write under way holds of its own, beside what it shares with others, bytes: the last part of a log.
const PENDING: usize = 2_000;

/// Disk image of one node: durable state and pending writes.
#[derive(Clone, Debug)]
struct DiskImage<D> {
    /// Durable contents. Maintained only where they can differ from the node's own durable state.
    kept: D,
    /// Pending writes, oldest first.
    pending: Vec<D>,
    /// What a crash leaves, where a disk fault makes that differ from `kept`; one at most. A list as `pending` is, so that each variant brings
    /// the code for copying one kind of list.
    frozen: Vec<D>,
}

impl<D: Default> Default for DiskImage<D> {
    fn default() -> DiskImage<D> {
        DiskImage { kept: D::default(), pending: Vec::new(), frozen: Vec::new() }
    }
}

/// Twin of a node.
#[derive(Clone, Debug)]
struct Twin<P: Protocol> {
    node: Option<P::Node>,
    disk: DiskImage<Disk<P>>,
}

/// The replicas of one cluster of `P`: the only implementation of [`Replicas`].
#[derive(Clone, Debug)]
pub struct ReplicasOf<P: Protocol> {
    /// The replicas; a crashed one is `None`.
    nodes: Vec<Option<P::Node>>,
    configs: Vec<Config<P>>,
    disks: Vec<DiskImage<Disk<P>>>,
    twins: Vec<Twin<P>>,
    /// Which of the protocol's invariants are replaced by invariants of histories, one bit each. The list itself stays a constant, so that its
    /// checks are compiled in place.
    replaced: u64,
    /// The outbox, with the contents of all messages in flight.
    out: Out<P::Node>,
    /// Effects of the last step, if recording is on.
    recorded: Option<Vec<(NodeId, EffectOf<P>)>>,
    /// The handler calls of the last step, if they are kept.
    #[cfg(feature = "cli")]
    calls: Option<Vec<HandlerCall>>,
}

impl<P: Protocol> ReplicasOf<P> {
    /// The replicas of a new cluster, none of them booted. The error names a setting and its valid values.
    pub fn new(setup: &Setup) -> Result<ReplicasOf<P>, SettingError> {
        let configs = P::cluster(setup)?;
        let n = configs.len();
        Ok(ReplicasOf {
            nodes: (0..n).map(|_| None).collect(),
            disks: (0..n).map(|_| DiskImage::default()).collect(),
            configs,
            twins: Vec::new(),
            replaced: replaced::<P>(),
            out: Out::new(setup.ablated),
            recorded: None,
            #[cfg(feature = "cli")]
            calls: None,
        })
    }

    /// The replicas; a crashed one is `None`.
    pub fn nodes(&self) -> &[Option<P::Node>] {
        &self.nodes
    }

    /// Effects of the last step or action, if recording is on.
    pub fn effects(&self) -> &[(NodeId, EffectOf<P>)] {
        self.recorded.as_deref().unwrap_or_default()
    }

    fn running(&self, node: NodeId) -> Option<&P::Node> {
        self.nodes.get(usize::from(node.0))?.as_ref()
    }

    /// Starts the record of a handler call, if calls are recorded.
    #[cfg(feature = "cli")]
    fn begin_call(&mut self, node: NodeId, stimulus: impl FnOnce(&Self) -> Option<Stimulus>) {
        if self.calls.is_some()
            && let Some(stimulus) = stimulus(self)
            && let Some(calls) = &mut self.calls
        {
            let (durable, state) = (Text(String::new()), None);
            calls.push(HandlerCall { node, stimulus, effects: Vec::new(), told: Vec::new(), durable, state });
        }
    }

    /// Completes the last record by the effects and the state after the call.
    #[cfg(feature = "cli")]
    fn end_call(&mut self, effects: Vec<Effect<Text, Text>>) {
        let Some(call) = self.calls.as_mut().and_then(|calls| calls.last_mut()) else { return };
        let index = usize::from(call.node.0);
        call.effects.extend(effects);
        let node = self.nodes.get(index).and_then(Option::as_ref);
        call.durable = node.map_or_else(|| Text::of(&self.disks[index].kept), |node| Text::of(node.disk()));
        call.state = node.map(Text::of);
    }

    /// Calls a handler of a running node with the simulator's outbox.
    #[inline(always)]
    fn handle(
        &mut self,
        node: NodeId,
        outbox: &mut Box<Outbox>,
        handler: impl FnOnce(&mut P::Node, &mut Out<P::Node>),
    ) {
        let Some(node) = &mut self.nodes[usize::from(node.0)] else { return };
        self.out.exchange(outbox);
        handler(node, &mut self.out);
        self.out.exchange(outbox);
    }
}

/// The protocol's invariants that an invariant of histories replaces, one bit each.
fn replaced<P: Protocol>() -> u64 {
    let is_replaced = |name| P::history_invariants().iter().any(|invariant| invariant.name == name);
    let replaced = (0..).zip(P::invariants()).filter(|(_, invariant)| is_replaced(invariant.name));
    replaced.fold(0, |bits, (index, _): (u32, _)| bits | 1 << index)
}

/// A call of its own natively: merged with its caller, the message would be taken out of its place field by field instead of in whole words. In
/// WebAssembly a call costs more than that.
#[cfg_attr(not(target_arch = "wasm32"), inline(never))]
#[cfg_attr(target_arch = "wasm32", inline(always))]
fn handle_message<P: Protocol>(node: &mut P::Node, from: NodeId, message: &Msg<P>, out: &mut Out<P::Node>) {
    node.on_message(from, message, out);
}

impl<P: Protocol> Replicas for ReplicasOf<P> {
    fn card(&self) -> &'static Card {
        &P::CARD
    }

    fn kinds(&self) -> &'static [Kind] {
        Msg::<P>::KINDS
    }

    fn bytes_under_way(&self) -> u64 {
        let pending: usize = self.disks.iter().map(|disk| disk.pending.len()).sum();
        self.out.content_bytes() + (pending * (size_of::<Disk<P>>() + PENDING)) as u64
    }

    fn timers(&self) -> &'static [TimerKind] {
        <P::Node as Node>::Timer::TIMERS
    }

    fn is_durable(&self) -> bool {
        size_of::<Disk<P>>() > 0
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn boot(&mut self, node: NodeId, outbox: &mut Box<Outbox>) {
        let index = usize::from(node.0);
        #[cfg(feature = "cli")]
        self.begin_call(node, |replicas| Some(Stimulus::Boot(Text::of(&replicas.disks[index].kept))));
        self.out.exchange(outbox);
        let booted = P::Node::boot(node, &self.configs[index], self.disks[index].kept.clone(), &mut self.out);
        self.out.exchange(outbox);
        self.nodes[index] = Some(booted);
    }

    fn deliver(
        &mut self,
        from: NodeId,
        to: NodeId,
        message: MessageId,
        shared: bool,
        outbox: &mut Box<Outbox>,
    ) -> bool {
        #[cfg(feature = "cli")]
        self.begin_call(to, |replicas| {
            replicas.running(to)?;
            Some(Stimulus::Message { id: message, from, content: Text::of(replicas.out.message(message)?) })
        });
        let Some(node) = &mut self.nodes[usize::from(to.0)] else { return false };
        let mut content = self.out.open_message(message);
        if let Some(content) = &content {
            self.out.exchange(outbox);
            handle_message::<P>(node, from, content, &mut self.out);
            self.out.exchange(outbox);
        }
        if shared {
            self.out.put_back(message, &mut content);
        }
        true
    }

    fn timer(&mut self, node: NodeId, timer: TimerId, outbox: &mut Box<Outbox>) {
        if let Some(timer) = Timer::<P>::from_index(timer) {
            #[cfg(feature = "cli")]
            self.begin_call(node, |replicas| replicas.running(node).map(|_| Stimulus::Timer(Text::of(&timer))));
            self.handle(node, outbox, |node, out| node.on_timer(timer, out));
        }
    }

    fn request(&mut self, node: NodeId, command: Command, outbox: &mut Box<Outbox>) {
        #[cfg(feature = "cli")]
        self.begin_call(node, |replicas| replicas.running(node).map(|_| Stimulus::Request(command)));
        self.handle(node, outbox, |node, out| node.on_request(command, out));
    }

    fn status(&self, node: NodeId) -> Option<NodeStatus> {
        self.running(node).map(Node::status)
    }

    fn is_pending(&self, node: NodeId, order: Order) -> bool {
        self.running(node).is_some_and(|node| node.is_pending(order))
    }

    fn leads(&self, node: NodeId) -> Option<Epoch> {
        self.running(node)?.leads()
    }

    fn entry(&self, node: NodeId, slot: Slot) -> Option<EntryStatus> {
        self.running(node)?.entry(slot)
    }

    fn machine_digest(&self, node: NodeId) -> Option<u64> {
        self.running(node)?.machine_digest()
    }

    fn tallies(&self, node: NodeId) -> Vec<Tally> {
        let mut tallies = Vec::new();
        if let Some(node) = self.running(node) {
            node.tallies(&mut |tally| tallies.push(tally));
        }
        tallies
    }

    fn answers(&self, setup: &Setup) -> u8 {
        P::answers(setup)
    }

    fn contact(&self, setup: &Setup) -> Contact {
        P::contact(setup)
    }

    fn invariants(&self) -> Vec<(&'static str, &'static str)> {
        let kept = (0..).zip(P::invariants()).filter(|(index, _): &(u32, _)| self.replaced >> index & 1 == 0);
        let own = kept.map(|(_, invariant)| (invariant.name, invariant.says));
        own.chain(P::history_invariants().iter().map(|invariant| (invariant.name, invariant.says))).collect()
    }

    fn check(&self, step: Step, history: &mut HistoryVariables, broken: Broken<'_>) {
        for (index, invariant) in P::invariants().iter().enumerate() {
            if self.replaced >> index & 1 == 0
                && let Err(breach) = (invariant.holds)(&self.nodes, step)
            {
                broken(invariant.name, invariant.says, breach);
            }
        }
        if history.byzantine.has(step.changed) {
            return;
        }
        for invariant in P::history_invariants() {
            if let Err(breach) = (invariant.holds)(history, &self.nodes, step) {
                broken(invariant.name, invariant.says, breach);
            }
        }
    }
}

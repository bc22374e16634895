//! Type-erased interface between simulator and protocol: the replicas of one cluster behind an object-safe trait.
//!
//! The simulator refers to nodes, messages and timers by number. [`Replicas`] is the whole interface; [`ReplicasOf`] is its only
//! implementation, generic over [`Protocol`]. So the simulator is compiled once, and a variant adds little more than its own algorithm.
//!
//! Path of a message: `Out::send` in a handler → effects in the [`Outbox`] → `World::apply_effects` → `World::send` → event queue →
//! `World::dispatch` → [`Replicas::deliver`] → `Node::on_message`.

#[cfg(feature = "cli")]
use super::recording::{HandlerCall, Stimulus};
use super::recording::{Text, as_text};
use crate::core::node::{Message, Node, Order, Protocol, SettingError, Setup, Step};
use crate::core::{
    Card, Command, Effect, EntryStatus, Epoch, Kind, MessageId, NodeId, NodeStatus, Out, Outbox, Slot, Tally, TimerId,
    TimerName,
};
use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

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

/// The replicas of one cluster of some protocol, by number. Handlers leave their effects in the outbox.
pub trait Replicas {
    /// The protocol's card.
    fn card(&self) -> &'static Card;
    /// The protocol's kinds of messages.
    fn kinds(&self) -> &'static [Kind];
    /// Whether the protocol has durable state.
    fn is_durable(&self) -> bool;
    /// An independent copy.
    fn fork(&self) -> Box<dyn Replicas>;
    /// Downcast to [`ReplicasOf`].
    fn as_any(&self) -> &dyn Any;

    /// Replaces the configuration of a replica by the one it has in a cluster of `setup`; to be called before it boots. The error names a
    /// setting and its valid values.
    fn configure(&mut self, node: NodeId, setup: &Setup) -> Result<(), SettingError>;
    /// Adds a replica that will join a running cluster, not booted. `false`: the protocol has no such configuration.
    fn add(&mut self, setup: &Setup) -> bool;
    /// Boots a node from its disk.
    fn boot(&mut self, node: NodeId, outbox: &mut Box<Outbox>);
    /// Stops a node; with `saved`, its current durable state is on its disk.
    fn stop(&mut self, node: NodeId, saved: bool);
    /// Delivers a message to a node; the content is kept for further receivers if `shared`. False: the node is down.
    fn deliver(&mut self, from: NodeId, to: NodeId, message: MessageId, shared: bool, outbox: &mut Box<Outbox>)
    -> bool;
    /// Fires a timer at a running node.
    fn timer(&mut self, node: NodeId, timer: TimerId, outbox: &mut Box<Outbox>);
    /// Delivers a client's command to a running node.
    fn request(&mut self, node: NodeId, command: Command, outbox: &mut Box<Outbox>);
    /// Delivers an operator's order to a running node.
    fn order(&mut self, node: NodeId, order: Order, outbox: &mut Box<Outbox>);

    /// Applies an operation to a node's disk image.
    fn disk(&mut self, node: NodeId, op: DiskOp);
    /// Whether a running node's durable state equals its disk image.
    fn is_saved(&self, node: NodeId) -> bool;
    /// Applies an operation to the twins.
    fn twin(&mut self, op: TwinOp);

    /// Stores a copy of a message, for one receiver; returns its id.
    fn copy_message(&mut self, message: MessageId, outbox: &mut Box<Outbox>) -> Option<MessageId>;
    /// Replaces a message by a tampered one, for one receiver; returns its id. `None`: there is no command to replace, and the message is
    /// unchanged.
    fn tamper_message(&mut self, message: MessageId, outbox: &mut Box<Outbox>) -> Option<MessageId>;
    /// Visits the values of the commands in a message.
    fn each_value(&self, message: MessageId, see: &mut dyn FnMut(u32));

    /// Status of a node; `None` while it is down.
    fn status(&self, node: NodeId) -> Option<NodeStatus>;
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
    /// The protocol's own invariants: name and statement.
    fn invariants(&self) -> Vec<(&'static str, &'static str)>;
    /// Hashes the state of all nodes.
    fn hash_nodes(&self, hasher: &mut dyn Hasher);
    /// Checks the protocol's own invariants after a step.
    fn check(&self, step: Step, broken: Broken<'_>);

    /// Records the effects of handlers from now on, for [`AsText::effects`].
    fn record_effects(&mut self);
    /// Records every handler call from now on, with its effects, for [`Replicas::calls`].
    #[cfg(feature = "cli")]
    fn record_calls(&mut self);
    /// The recorded handler calls of the last step, in order. Empty unless recorded.
    #[cfg(feature = "cli")]
    fn calls(&self) -> &[HandlerCall];
    /// Clears the recorded effects and calls.
    fn clear_recorded(&mut self);
    /// Records the effects in the outbox as those of `node`, if recording is on.
    fn record(&mut self, node: NodeId, outbox: &Outbox);
    /// Removes the last `effects` recorded effects: they were not applied.
    fn unrecord(&mut self, effects: usize);
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

/// Disk image of one node: durable state and pending writes.
#[derive(Clone, Debug)]
struct DiskImage<D> {
    /// Durable contents. Maintained only where they can differ from the node's own durable state.
    kept: D,
    /// Pending writes, oldest first.
    pending: VecDeque<D>,
    /// What a crash leaves, where a disk fault makes that differ from `kept`.
    frozen: Option<D>,
}

impl<D: Default> Default for DiskImage<D> {
    fn default() -> DiskImage<D> {
        DiskImage { kept: D::default(), pending: VecDeque::new(), frozen: None }
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
            nodes: vec![None; n],
            disks: (0..n).map(|_| DiskImage::default()).collect(),
            configs,
            twins: Vec::new(),
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

    fn is_durable(&self) -> bool {
        size_of::<Disk<P>>() > 0
    }

    fn fork(&self) -> Box<dyn Replicas> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn configure(&mut self, node: NodeId, setup: &Setup) -> Result<(), SettingError> {
        let configs = P::cluster(setup)?;
        if let (Some(own), Some(config)) = (self.configs.get_mut(usize::from(node.0)), configs.get(usize::from(node.0)))
        {
            own.clone_from(config);
        }
        Ok(())
    }

    fn add(&mut self, setup: &Setup) -> bool {
        let Some(config) = P::newcomer(setup, NodeId(self.nodes.len() as u8)) else { return false };
        self.nodes.push(None);
        self.configs.push(config);
        self.disks.push(DiskImage::default());
        true
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

    fn stop(&mut self, node: NodeId, saved: bool) {
        let index = usize::from(node.0);
        let stopped = self.nodes[index].take();
        if let Some(stopped) = stopped.as_ref().filter(|_| saved) {
            self.disks[index].kept = stopped.disk().clone();
        }
        #[cfg(feature = "cli")]
        if self.calls.is_some() && stopped.is_some() {
            self.begin_call(node, |_| Some(Stimulus::Crash));
            self.end_call(Vec::new());
        }
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

    fn order(&mut self, node: NodeId, order: Order, outbox: &mut Box<Outbox>) {
        #[cfg(feature = "cli")]
        self.begin_call(node, |replicas| replicas.running(node).map(|_| Stimulus::Order(order)));
        self.handle(node, outbox, |node, out| node.on_order(order, out));
    }

    fn disk(&mut self, node: NodeId, op: DiskOp) {
        let index = usize::from(node.0);
        let current = self.nodes[index].as_ref().map(|node| node.disk());
        let DiskImage { kept, pending, frozen } = &mut self.disks[index];
        match (op, current) {
            (DiskOp::Write { tears }, Some(now)) => {
                if tears {
                    *frozen = Some(kept.clone());
                }
                kept.clone_from(now);
            }
            (DiskOp::Begin, Some(now)) => pending.push_back(now.clone()),
            (DiskOp::Join, Some(now)) => {
                if let Some(last) = pending.back_mut() {
                    last.clone_from(now);
                }
            }
            (DiskOp::Write { .. } | DiskOp::Begin | DiskOp::Join, None) => {}
            (DiskOp::Complete { tears }, _) => {
                if let Some(written) = pending.pop_front() {
                    let before = std::mem::replace(kept, written);
                    if tears {
                        *frozen = Some(before);
                    }
                }
            }
            (DiskOp::Abort, _) => pending.clear(),
            (DiskOp::Wipe, _) => (*kept, *frozen) = (Disk::<P>::default(), None),
            (DiskOp::Freeze, _) => *frozen = Some(kept.clone()),
            (DiskOp::Thaw, _) => *frozen = None,
            (DiskOp::Crash, _) => {
                if let Some(left) = frozen {
                    kept.clone_from(left);
                }
                #[cfg(feature = "cli")]
                if let Some(call) = self.calls.as_mut().and_then(|calls| calls.last_mut())
                    && (call.node, &call.stimulus) == (node, &Stimulus::Crash)
                {
                    call.durable = Text::of(kept);
                }
            }
        }
    }

    fn is_saved(&self, node: NodeId) -> bool {
        self.running(node).is_none_or(|running| *running.disk() == self.disks[usize::from(node.0)].kept)
    }

    fn twin(&mut self, op: TwinOp) {
        match op {
            TwinOp::Copy(node) => {
                let index = usize::from(node.0);
                self.twins.push(Twin { node: self.nodes[index].clone(), disk: self.disks[index].clone() });
            }
            TwinOp::Empty(_) => self.twins.push(Twin { node: None, disk: DiskImage::default() }),
            TwinOp::Swap(place, node) => {
                let twin = &mut self.twins[place];
                std::mem::swap(&mut twin.node, &mut self.nodes[usize::from(node.0)]);
                std::mem::swap(&mut twin.disk, &mut self.disks[usize::from(node.0)]);
            }
            TwinOp::Remove(place) => drop(self.twins.remove(place)),
        }
    }

    fn copy_message(&mut self, message: MessageId, outbox: &mut Box<Outbox>) -> Option<MessageId> {
        let copy = self.out.message(message)?.clone();
        self.out.exchange(outbox);
        let id = self.out.put_message(copy, 1);
        self.out.exchange(outbox);
        Some(id)
    }

    fn tamper_message(&mut self, message: MessageId, outbox: &mut Box<Outbox>) -> Option<MessageId> {
        let tampered = self.out.message(message)?.tampered()?;
        self.out.exchange(outbox);
        self.out.take_message(message);
        let id = self.out.put_message(tampered, 1);
        self.out.exchange(outbox);
        Some(id)
    }

    fn each_value(&self, message: MessageId, see: &mut dyn FnMut(u32)) {
        if let Some(message) = self.out.message(message) {
            message.each_value(see);
        }
    }

    fn status(&self, node: NodeId) -> Option<NodeStatus> {
        self.running(node).map(Node::status)
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

    fn invariants(&self) -> Vec<(&'static str, &'static str)> {
        P::invariants().iter().map(|invariant| (invariant.name, invariant.says)).collect()
    }

    fn hash_nodes(&self, mut hasher: &mut dyn Hasher) {
        self.nodes.hash(&mut hasher);
    }

    fn check(&self, step: Step, broken: Broken<'_>) {
        for invariant in P::invariants() {
            if let Err(breach) = (invariant.holds)(&self.nodes, step) {
                broken(invariant.name, invariant.says, breach);
            }
        }
    }

    fn record_effects(&mut self) {
        self.recorded = Some(Vec::new());
    }

    #[cfg(feature = "cli")]
    fn record_calls(&mut self) {
        self.calls = Some(Vec::new());
    }

    #[cfg(feature = "cli")]
    fn calls(&self) -> &[HandlerCall] {
        self.calls.as_deref().unwrap_or_default()
    }

    fn clear_recorded(&mut self) {
        #[cfg(feature = "cli")]
        if let Some(calls) = &mut self.calls {
            calls.clear();
        }
        if let Some(recorded) = &mut self.recorded {
            recorded.clear();
        }
    }

    fn record(&mut self, node: NodeId, outbox: &Outbox) {
        #[cfg(feature = "cli")]
        if self.calls.is_some() {
            let with_content =
                |effect: &Effect| -> Option<EffectOf<P>> { effect.map(|id| self.out.message(id).cloned()) };
            let effects: Vec<_> =
                outbox.effects().iter().filter_map(with_content).map(|effect| as_text(&effect)).collect();
            self.end_call(effects);
            if let Some(call) = self.calls.as_mut().and_then(|calls| calls.last_mut()) {
                call.told.extend_from_slice(outbox.told());
            }
        }
        let Some(recorded) = &mut self.recorded else { return };
        let out = &self.out;
        let effects = outbox.effects().iter().filter_map(|effect| effect.map(|id| out.message(id).cloned()));
        recorded.extend(effects.map(|effect| (node, effect)));
    }

    fn unrecord(&mut self, effects: usize) {
        #[cfg(feature = "cli")]
        if let Some(call) = self.calls.as_mut().and_then(|calls| calls.last_mut()) {
            call.effects.truncate(call.effects.len().saturating_sub(effects));
        }
        if let Some(recorded) = &mut self.recorded {
            recorded.truncate(recorded.len().saturating_sub(effects));
        }
    }
}

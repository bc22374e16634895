//! The seam between the simulator and a protocol: the replicas of one cluster, without the protocol's types.
//!
//! The simulator knows nodes, messages and timers by number. [`Replicas`] is all that it asks of a protocol; [`ReplicasOf`] is its one
//! implementation, for any [`Protocol`]. So the simulator is compiled once, and a variant adds its own algorithm and little else.
//!
//! A message's way: `Out::send` in a handler → effects in the [`Outbox`] → `World::apply_effects` → `network::routes` → event queue →
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

/// What is to be done to the image of a node's disk. When a write is done, and what goes wrong with it, the simulator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOp {
    /// The node's durable state is written at once. If the disk `tears`, the next crash leaves what was there before.
    Write {
        /// Whether it does.
        tears: bool,
    },
    /// A write of the node's durable state, as it is now, begins.
    Begin,
    /// The write that began last holds the durable state as it is now, too (group commit).
    Join,
    /// The oldest write under way is done. If the disk `tears`, the next crash leaves what was there before.
    Complete {
        /// Whether it does.
        tears: bool,
    },
    /// All writes under way are lost.
    Abort,
    /// Everything on the disk and under way is lost.
    Wipe,
    /// What is on the disk now is what the next crash leaves, whatever is written until then.
    Freeze,
    /// Undoes [`DiskOp::Freeze`].
    Thaw,
    /// The node has crashed: the disk holds what the crash leaves.
    Crash,
}

/// What is to be done with the second copy of a node (a twin: two honest nodes under one name).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwinOp {
    /// A copy of this node as it is now becomes the last twin.
    Copy(NodeId),
    /// A copy of this node with an empty disk, not booted, becomes the last twin.
    Empty(NodeId),
    /// The twin in this place and this node change places.
    Swap(usize, NodeId),
    /// The twin in this place is gone; those after it move up.
    Remove(usize),
}

/// Receives what broke: the property, what it says, the node whose step broke it and what else it takes to see it.
pub type Broken<'a> = &'a mut dyn FnMut(&'static str, &'static str, crate::core::node::Breach);

/// The replicas of one cluster of some protocol, by number. Handlers leave what the node asked for in the outbox.
pub trait Replicas {
    /// The protocol's card.
    fn card(&self) -> &'static Card;
    /// The protocol's kinds of messages.
    fn kinds(&self) -> &'static [Kind];
    /// Whether the protocol has durable state at all.
    fn is_durable(&self) -> bool;
    /// A copy that goes its own way.
    fn fork(&self) -> Box<dyn Replicas>;
    /// For typed access; see [`ReplicasOf`].
    fn as_any(&self) -> &dyn Any;
    /// The same, mutable.
    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// Replaces the configuration of a replica by the one it has in a cluster of `setup`; to be called before it boots. The error names a
    /// setting and what would do.
    fn configure(&mut self, node: NodeId, setup: &Setup) -> Result<(), SettingError>;
    /// Adds a replica that will join a running cluster; it is not booted. `false`: the protocol cannot take in another.
    fn add(&mut self, setup: &Setup) -> bool;
    /// A node starts, with what is on its disk.
    fn boot(&mut self, node: NodeId, outbox: &mut Box<Outbox>);
    /// A node ends; its durable state, as it is now, is on its disk if `saved`.
    fn stop(&mut self, node: NodeId, saved: bool);
    /// A node handles a message, whose content is kept if other receivers still wait for it (`shared`). False: the node is down.
    fn deliver(&mut self, from: NodeId, to: NodeId, message: MessageId, shared: bool, outbox: &mut Box<Outbox>)
    -> bool;
    /// A running node handles a timer.
    fn timer(&mut self, node: NodeId, timer: TimerId, outbox: &mut Box<Outbox>);
    /// A running node handles a client's command.
    fn request(&mut self, node: NodeId, command: Command, outbox: &mut Box<Outbox>);
    /// A running node handles an operator's order.
    fn order(&mut self, node: NodeId, order: Order, outbox: &mut Box<Outbox>);

    /// Does something to the image of a node's disk.
    fn disk(&mut self, node: NodeId, op: DiskOp);
    /// Whether a running node's durable state is what is on its disk.
    fn is_saved(&self, node: NodeId) -> bool;
    /// Does something with the second copies of nodes.
    fn twin(&mut self, op: TwinOp);

    /// Enters a second message with the same content, for one receiver.
    fn copy_message(&mut self, message: MessageId, outbox: &mut Box<Outbox>) -> Option<MessageId>;
    /// Replaces a message by one with another command in it, for one receiver; `None`: it has none that could be replaced, and is as it was.
    fn tamper_message(&mut self, message: MessageId, outbox: &mut Box<Outbox>) -> Option<MessageId>;
    /// Shows the values of the commands in a message.
    fn each_value(&self, message: MessageId, see: &mut dyn FnMut(u32));

    /// What can be seen of a node; `None` while it is down.
    fn status(&self, node: NodeId) -> Option<NodeStatus>;
    /// The term or ballot it leads, if it does.
    fn leads(&self, node: NodeId) -> Option<Epoch>;
    /// One slot of its log, if held.
    fn entry(&self, node: NodeId, slot: Slot) -> Option<EntryStatus>;
    /// Digest of its replicated state machine, if the protocol has one.
    fn machine_digest(&self, node: NodeId) -> Option<u64>;
    /// All that a node is counting at present.
    fn tallies(&self, node: NodeId) -> Vec<Tally>;
    /// How many replicas must tell a client the same before it believes them.
    fn answers(&self, setup: &Setup) -> u8;
    /// The protocol's own invariants: name, and what it says.
    fn invariants(&self) -> Vec<(&'static str, &'static str)>;
    /// Hashes the state of all nodes.
    fn hash_nodes(&self, hasher: &mut dyn Hasher);
    /// Checks the protocol's own invariants after a step.
    fn check(&self, step: Step, broken: Broken<'_>);

    /// Keeps the effects of handlers from now on, for [`Replicas::effects_in_words`].
    fn record_effects(&mut self);
    /// Keeps every handler call from now on, with its effects, for [`Replicas::calls`].
    #[cfg(feature = "cli")]
    fn record_calls(&mut self);
    /// The handler calls kept, in order. Empty unless they are kept.
    #[cfg(feature = "cli")]
    fn calls(&self) -> &[HandlerCall];
    /// Forgets the effects and calls kept so far.
    fn clear_recorded(&mut self);
    /// Keeps the effects in the outbox as those of `node`, if effects are kept.
    fn record(&mut self, node: NodeId, outbox: &Outbox);
    /// Forgets the last `effects` kept: they were not applied.
    fn unrecord(&mut self, effects: usize);
    /// The effects kept, with messages and timers as text.
    fn recorded(&self) -> Vec<(NodeId, Effect<Text, Text>)>;
    /// A timer as text.
    fn timer_name(&self, timer: TimerId) -> String;
}

/// An effect with the protocol's own messages and timers.
pub type EffectOf<P> = Effect<Msg<P>, Timer<P>>;

type Config<P> = <<P as Protocol>::Node as Node>::Config;
type Msg<P> = <<P as Protocol>::Node as Node>::Msg;
type Timer<P> = <<P as Protocol>::Node as Node>::Timer;
type Disk<P> = <<P as Protocol>::Node as Node>::Disk;

/// What is and what will be on the disk of one node.
#[derive(Clone, Debug)]
struct DiskImage<D> {
    /// What would be read back now. Kept up to date only when it can differ from what the node thinks it wrote.
    kept: D,
    /// Writes under way, oldest first.
    pending: VecDeque<D>,
    /// What a crash leaves, where that is not `kept`.
    frozen: Option<D>,
}

impl<D: Default> Default for DiskImage<D> {
    fn default() -> DiskImage<D> {
        DiskImage { kept: D::default(), pending: VecDeque::new(), frozen: None }
    }
}

/// The second copy of a node.
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
    /// The effects of the last step, if they are kept.
    recorded: Option<Vec<(NodeId, EffectOf<P>)>>,
    /// The handler calls of the last step, if they are kept.
    #[cfg(feature = "cli")]
    calls: Option<Vec<HandlerCall>>,
}

impl<P: Protocol> ReplicasOf<P> {
    /// The replicas of a new cluster, none of them booted. The error names a setting and what would do.
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

    /// What nodes asked for in the last step or action, if effects are kept.
    pub fn effects(&self) -> &[(NodeId, EffectOf<P>)] {
        self.recorded.as_deref().unwrap_or_default()
    }

    fn running(&self, node: NodeId) -> Option<&P::Node> {
        self.nodes.get(usize::from(node.0))?.as_ref()
    }

    /// Keeps a handler call that is about to happen, if calls are kept.
    #[cfg(feature = "cli")]
    fn begin_call(&mut self, node: NodeId, stimulus: impl FnOnce(&Self) -> Option<Stimulus>) {
        if self.calls.is_some()
            && let Some(stimulus) = stimulus(self)
            && let Some(calls) = &mut self.calls
        {
            let (durable, state) = (Text(String::new()), None);
            calls.push(HandlerCall { node, stimulus, effects: Vec::new(), durable, state });
        }
    }

    /// Completes the last call by its effects and the state after it.
    #[cfg(feature = "cli")]
    fn end_call(&mut self, effects: Vec<Effect<Text, Text>>) {
        let Some(call) = self.calls.as_mut().and_then(|calls| calls.last_mut()) else { return };
        let index = usize::from(call.node.0);
        call.effects.extend(effects);
        let node = self.nodes.get(index).and_then(Option::as_ref);
        call.durable = node.map_or_else(|| Text::of(&self.disks[index].kept), |node| Text::of(node.disk()));
        call.state = node.map(Text::of);
    }

    /// Has a running node handle something.
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

    fn as_any_mut(&mut self) -> &mut dyn Any {
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

    fn recorded(&self) -> Vec<(NodeId, Effect<Text, Text>)> {
        self.effects().iter().map(|(node, effect)| (*node, as_text(effect))).collect()
    }

    fn timer_name(&self, timer: TimerId) -> String {
        Timer::<P>::from_index(timer).map_or_else(String::new, |timer| format!("{timer:?}"))
    }
}

//! What faults, copies, orders and records ask of the replicas of a cluster, beyond what runs them.
//!
//! A trait of its own, which a world reaches through a [`FullCode`]: the page shows its first run before it has loaded this code.

#[cfg(feature = "cli")]
use super::EffectOf;
use super::{Disk, DiskImage, DiskOp, Msg, Replicas, ReplicasOf, Twin, TwinOp};
#[cfg(feature = "cli")]
use crate::core::Effect;
use crate::core::node::{Message, Node, Order, Protocol, SettingError, Setup};
use crate::core::{MessageId, NodeId, Outbox};
#[cfg(feature = "cli")]
use crate::sim::recording::{HandlerCall, Stimulus, Text, as_text};
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// All that can be done to the replicas of one cluster, by number.
pub trait FullReplicas: Replicas {
    /// An independent copy.
    fn fork(&self) -> Box<dyn Replicas>;
    /// Replaces the configuration of a replica by the one it has in a cluster of `setup`; to be called before it boots. The error names a
    /// setting and its valid values.
    fn configure(&mut self, node: NodeId, setup: &Setup) -> Result<(), SettingError>;
    /// Adds a replica that will join a running cluster, not booted. `false`: the protocol has no such configuration.
    fn add(&mut self, setup: &Setup) -> bool;
    /// Stops a node; with `saved`, its current durable state is on its disk.
    fn stop(&mut self, node: NodeId, saved: bool);
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
    /// Hashes the state of all nodes.
    fn hash_nodes(&self, hasher: &mut dyn Hasher);
    /// Records the effects of handlers from now on, for [`World::effects_of`](crate::sim::World::effects_of).
    fn record_effects(&mut self);
    /// Records every handler call from now on, with its effects, for [`FullReplicas::calls`].
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
    /// The recorded effects, with messages and timers as text.
    #[cfg(feature = "cli")]
    fn recorded(&self) -> Vec<(NodeId, Effect<Text, Text>)>;
}

/// How to get at the [`FullReplicas`] behind [`Replicas`] of some protocol. Whoever names one links its code.
#[derive(Clone, Copy, Debug)]
pub struct FullCode {
    of: fn(&dyn Replicas) -> &dyn FullReplicas,
    of_mut: fn(&mut dyn Replicas) -> &mut dyn FullReplicas,
}

impl FullCode {
    /// That of a protocol.
    pub const fn of<P: Protocol>() -> FullCode {
        FullCode {
            of: |replicas| replicas.as_any().downcast_ref::<ReplicasOf<P>>().expect("replicas of this protocol"),
            of_mut: |replicas| {
                replicas.as_any_mut().downcast_mut::<ReplicasOf<P>>().expect("replicas of this protocol")
            },
        }
    }
}

/// The replicas of a world.
pub struct WorldReplicas {
    replicas: Box<dyn Replicas>,
    code: Option<FullCode>,
}

impl WorldReplicas {
    /// These; without code, [`WorldReplicas::full`] panics until [`WorldReplicas::allow_all`] was called.
    pub fn new(replicas: Box<dyn Replicas>, code: Option<FullCode>) -> WorldReplicas {
        WorldReplicas { replicas, code }
    }

    /// Installs the code for all that can be done to them.
    pub fn allow_all(&mut self, code: FullCode) {
        self.code = Some(code);
    }

    /// Whether the code for all that can be done to them is there.
    pub fn allows_all(&self) -> bool {
        self.code.is_some()
    }

    /// All that can be seen of them.
    pub fn full(&self) -> &dyn FullReplicas {
        (self.code().of)(&*self.replicas)
    }

    /// All that can be done to them.
    pub fn full_mut(&mut self) -> &mut dyn FullReplicas {
        (self.code().of_mut)(&mut *self.replicas)
    }

    /// An independent copy.
    pub fn fork(&self) -> WorldReplicas {
        WorldReplicas { replicas: self.full().fork(), code: self.code }
    }

    fn code(&self) -> FullCode {
        self.code.expect("a world made without faults has none")
    }
}

impl Deref for WorldReplicas {
    type Target = dyn Replicas;

    #[inline(always)]
    fn deref(&self) -> &(dyn Replicas + 'static) {
        &*self.replicas
    }
}

impl DerefMut for WorldReplicas {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut (dyn Replicas + 'static) {
        &mut *self.replicas
    }
}

impl<P: Protocol> ReplicasOf<P> {
    /// Stores a message for one receiver, in place of one receiver's share of another.
    #[inline(never)]
    fn put(&mut self, instead_of: Option<MessageId>, message: Msg<P>, outbox: &mut Box<Outbox>) -> MessageId {
        self.out.exchange(outbox);
        if let Some(old) = instead_of {
            self.out.release_message(old);
        }
        let id = self.out.put_message(message, 1);
        self.out.exchange(outbox);
        id
    }
}

impl<P: Protocol> FullReplicas for ReplicasOf<P> {
    fn fork(&self) -> Box<dyn Replicas> {
        Box::new(self.clone())
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
                    *frozen = vec![kept.clone()];
                }
                *kept = now.clone();
            }
            (DiskOp::Begin, Some(now)) => pending.push(now.clone()),
            (DiskOp::Join, Some(now)) => {
                if let Some(last) = pending.last_mut() {
                    *last = now.clone();
                }
            }
            (DiskOp::Write { .. } | DiskOp::Begin | DiskOp::Join, None) => {}
            (DiskOp::Complete { tears }, _) => {
                if !pending.is_empty() {
                    let before = std::mem::replace(kept, pending.remove(0));
                    if tears {
                        *frozen = vec![before];
                    }
                }
            }
            (DiskOp::Abort, _) => pending.clear(),
            (DiskOp::Wipe, _) => (*kept, *frozen) = (Disk::<P>::default(), Vec::new()),
            (DiskOp::Freeze, _) => *frozen = vec![kept.clone()],
            (DiskOp::Thaw, _) => frozen.clear(),
            (DiskOp::Crash, _) => {
                if let [left] = frozen.as_slice() {
                    *kept = left.clone();
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
        Some(self.put(None, copy, outbox))
    }

    fn tamper_message(&mut self, message: MessageId, outbox: &mut Box<Outbox>) -> Option<MessageId> {
        let tampered = self.out.message(message)?.tampered()?;
        Some(self.put(Some(message), tampered, outbox))
    }

    fn each_value(&self, message: MessageId, see: &mut dyn FnMut(u32)) {
        if let Some(message) = self.out.message(message) {
            message.each_value(see);
        }
    }

    fn hash_nodes(&self, mut hasher: &mut dyn Hasher) {
        self.nodes.hash(&mut hasher);
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

    #[cfg(feature = "cli")]
    fn recorded(&self) -> Vec<(NodeId, Effect<Text, Text>)> {
        self.effects().iter().map(|(node, effect)| (*node, as_text(effect))).collect()
    }
}

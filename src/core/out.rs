//! Outbox: effects of a handler call (sends, timers, saves, replies, observations).
//!
//! A handler requests [`Effect`]s through [`Out`]; the simulator applies them in order once the handler has returned. [`Outbox`] is the
//! protocol-independent part and is owned by the simulator; [`Out`] borrows it for one handler call and adds the contents of messages.

use super::messages::{Header, MessageId, MessageTable};
use super::node::Reply;
use super::timer::TimerName;
use super::{Answer, ClientId, Command, Instance, Message, Micros, Node, NodeId, NodeSet, RuleId, RuleSet, Slot};

/// Id of a protocol's timer; see [`TimerName::index`].
pub type TimerId = u64;

/// Effect requested by a handler. `M` is a message or its id, `T` a timer or its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<M = MessageId, T = TimerId> {
    /// Send to one replica. A message to itself is an event of its own, takes no time and is not counted.
    Send(NodeId, M),
    /// Send the same message to several replicas.
    Broadcast(NodeSet, M),
    /// Set a one-shot timer to a deadline between `lo` and `hi` µs from now, drawn by the simulator. Replaces an earlier deadline.
    SetTimer(T, Micros, Micros),
    /// Cancel the timer.
    Cancel(T),
    /// Write [`Node::disk`] to the disk. Messages sent later leave when the write is done.
    Save,
    /// Reply to a client.
    Reply(Reply),
    /// Observation: this node knows that the instance's command is chosen, and cannot execute it yet.
    Chosen(Instance, Command),
    /// Observation: this node executed the instance's command, known to be chosen. Slots of a log are applied in order.
    Applied(Instance, Command),
    /// Observation: this node installed a snapshot that covers all slots up to this one.
    Restored(Slot),
    /// Fence: turn another node off, over a channel unaffected by network faults. It stays off until it is restarted by an action.
    Fence(NodeId),
}

impl Effect {
    /// Replaces the ids by the message and the timer themselves; `None` if `message` returns `None`.
    pub fn map<M, T: TimerName>(&self, message: impl FnOnce(MessageId) -> Option<M>) -> Option<Effect<M, T>> {
        Some(match *self {
            Effect::Send(to, id) => Effect::Send(to, message(id)?),
            Effect::Broadcast(to, id) => Effect::Broadcast(to, message(id)?),
            Effect::SetTimer(timer, lo, hi) => Effect::SetTimer(T::from_index(timer)?, lo, hi),
            Effect::Cancel(timer) => Effect::Cancel(T::from_index(timer)?),
            Effect::Save => Effect::Save,
            Effect::Reply(reply) => Effect::Reply(reply),
            Effect::Chosen(slot, command) => Effect::Chosen(slot, command),
            Effect::Applied(slot, command) => Effect::Applied(slot, command),
            Effect::Restored(slot) => Effect::Restored(slot),
            Effect::Fence(node) => Effect::Fence(node),
        })
    }
}

/// Value of [`Outbox::saved`] without a save: above every slot.
const UNSAVED: Slot = Slot::MAX;

/// Protocol-independent part of [`Out`]: effects, and headers of all messages in flight.
#[derive(Clone, Debug)]
pub struct Outbox {
    effects: Vec<Effect>,
    /// Headers of messages to be sent and, in a simulation, of all in flight.
    pub messages: MessageTable,
    /// First log slot changed by the save among the effects; [`UNSAVED`] if there is no save.
    saved: Slot,
    /// Whether saves are recorded as effects.
    records_saves: bool,
    ablated: RuleSet,
    used: RuleSet,
    /// Random draws of handlers.
    pub draws: Draws,
    /// Local clock of the node that handles the current event, µs.
    pub clock: Micros,
}

/// Source of [`Out::chance`]: a SplitMix64 generator, or scripted results.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    /// Generator state; 0 selects the scripted results. See [`Draws::seed`].
    state: u64,
    /// Scripted results, one a bit, the first lowest.
    scripted: u64,
    given: u8,
    /// Number of draws since the last [`Draws::want`].
    used: u8,
}

impl Draws {
    /// Draws from a generator in this state, not 0, from now on.
    pub fn seed(&mut self, state: u64) {
        *self = Draws { state, ..Draws::default() };
    }

    /// Scripts the results of the next draws, one a bit, the lowest first; draws beyond the `given` ones are false.
    pub fn want(&mut self, results: u64, given: u8) {
        *self = Draws { state: 0, scripted: results, given, used: 0 };
    }

    /// Number of draws since [`Draws::want`].
    pub fn used(&self) -> u8 {
        self.used
    }

    /// The generator state, to resume from with [`Draws::seed`].
    pub fn state(&self) -> u64 {
        self.state
    }

    fn draw(&mut self, permille: u16) -> bool {
        self.used = self.used.saturating_add(1);
        if self.state == 0 {
            let result = self.used <= self.given && self.scripted >> (self.used - 1) & 1 == 1;
            return result && permille > 0 || permille >= 1000;
        }
        // SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % 1000 < u64::from(permille)
    }
}

impl Outbox {
    /// An empty outbox of a run in which the rules in `ablated` are not in force.
    pub fn new(ablated: RuleSet) -> Outbox {
        Outbox {
            effects: Vec::new(),
            messages: MessageTable::default(),
            saved: UNSAVED,
            records_saves: true,
            ablated,
            used: RuleSet::EMPTY,
            draws: Draws::default(),
            clock: 0,
        }
    }

    /// Sets whether saves are recorded as effects: where a write takes no time and loses nothing, a save has no effect.
    pub fn record_saves(&mut self, tell: bool) {
        self.records_saves = tell;
    }

    /// Whether no rule is ablated.
    pub fn all_rules_in_force(&self) -> bool {
        self.ablated.is_empty()
    }

    /// The requested effects, in order.
    #[inline]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Clears the effects, once they are applied.
    #[inline]
    pub fn clear(&mut self) {
        self.effects.clear();
    }

    /// Takes the rules applied since the last call, and the first log slot that may have changed, if any.
    #[inline]
    pub fn settle(&mut self) -> (RuleSet, Option<Slot>) {
        let saved = std::mem::replace(&mut self.saved, UNSAVED);
        (std::mem::take(&mut self.used), (saved != UNSAVED).then_some(saved))
    }
}

/// Output interface of handlers: collects effects and message contents. Reused for every event.
#[derive(Debug)]
pub struct Out<N: Node> {
    outbox: Box<Outbox>,
    /// Contents of the messages in flight, by id. Invariant: every id of the outbox's table that is not free has its content here, except
    /// while its receiver reads it.
    contents: Vec<Option<N::Msg>>,
}

impl<N: Node> Clone for Out<N> {
    fn clone(&self) -> Out<N> {
        Out { outbox: self.outbox.clone(), contents: self.contents.clone() }
    }
}

impl<N: Node> Out<N> {
    /// An empty outbox of a run in which the rules in `ablated` are not in force.
    pub fn new(ablated: RuleSet) -> Out<N> {
        Out { outbox: Box::new(Outbox::new(ablated)), contents: Vec::new() }
    }

    /// Swaps the protocol-independent part with `outbox`: the simulator passes in its own for one handler call.
    #[inline(always)]
    pub fn exchange(&mut self, outbox: &mut Box<Outbox>) {
        std::mem::swap(&mut self.outbox, outbox);
    }

    /// Stores a message for `receivers` receivers; returns its id.
    #[inline(always)]
    pub fn put_message(&mut self, message: N::Msg, receivers: u32) -> MessageId {
        let id = self.outbox.messages.put(Header::of(&message), receivers);
        if id as usize == self.contents.len() {
            self.grow();
        }
        self.contents[id as usize] = Some(message);
        id
    }

    #[cold]
    fn grow(&mut self) {
        self.contents.push(None);
    }

    /// The content of a message in flight.
    #[inline]
    pub fn message(&self, id: MessageId) -> Option<&N::Msg> {
        self.contents[id as usize].as_ref()
    }

    /// Bytes of the contents of all messages in flight, with the commands that they carry.
    pub fn content_bytes(&self) -> u64 {
        let commands: u64 = self.contents.iter().flatten().map(|content| u64::from(content.commands())).sum();
        (self.contents.len() * size_of::<Option<N::Msg>>()) as u64 + commands * size_of::<Command>() as u64
    }

    /// Takes the content out for one receiver to read; for further receivers, [`Out::put_back`] returns it.
    #[inline(always)]
    pub fn open_message(&mut self, id: MessageId) -> Option<N::Msg> {
        self.contents[id as usize].take()
    }

    /// Returns a content for its further receivers.
    // By reference: moved, the content would be copied once more in WebAssembly.
    #[inline(always)]
    pub fn put_back(&mut self, id: MessageId, content: &mut Option<N::Msg>) {
        // The entry is empty, so nothing needs dropping.
        std::mem::forget(std::mem::replace(&mut self.contents[id as usize], content.take()));
    }

    /// Removes a message for one of its receivers; returns the content.
    pub fn take_message(&mut self, id: MessageId) -> Option<N::Msg> {
        let shared = self.outbox.messages.is_shared(id);
        self.outbox.messages.release(id);
        if shared { self.contents[id as usize].clone() } else { self.contents[id as usize].take() }
    }

    /// Removes a message for one of its receivers.
    pub fn release_message(&mut self, id: MessageId) {
        if !self.outbox.messages.is_shared(id) {
            self.contents[id as usize] = None;
        }
        self.outbox.messages.release(id);
    }

    /// Sends to one replica. A message to the node itself arrives at once, after any pending save.
    #[inline(always)]
    pub fn send(&mut self, to: NodeId, message: N::Msg) {
        let id = self.put_message(message, 1);
        self.outbox.effects.push(Effect::Send(to, id));
    }

    /// Sends the same message to each of `to`.
    #[inline(always)]
    pub fn broadcast(&mut self, to: NodeSet, message: N::Msg) {
        if !to.is_empty() {
            let id = self.put_message(message, u32::from(to.len()));
            self.outbox.effects.push(Effect::Broadcast(to, id));
        }
    }

    /// Sets a one-shot `timer` to a deadline between `lo` and `hi` µs from now.
    #[inline]
    pub fn set_timer(&mut self, timer: N::Timer, lo: Micros, hi: Micros) {
        self.outbox.effects.push(Effect::SetTimer(timer.index(), lo, hi));
    }

    /// Cancels `timer`.
    #[inline]
    pub fn cancel(&mut self, timer: N::Timer) {
        self.outbox.effects.push(Effect::Cancel(timer.index()));
    }

    /// Writes [`Node::disk`], as of the end of the handler, to the disk. Messages sent after this call leave when the write is done. Further
    /// saves in the same handler have no additional effect.
    #[inline]
    pub fn save(&mut self) {
        self.save_entries(1);
    }

    /// [`Out::save`], stating that no log slot below `slot` has changed, so that the checkers can skip those.
    #[inline]
    pub fn save_entries(&mut self, slot: Slot) {
        if self.outbox.saved == UNSAVED && self.outbox.records_saves {
            self.outbox.effects.push(Effect::Save);
        }
        self.outbox.saved = self.outbox.saved.min(slot);
    }

    /// Replies to a client's command.
    #[inline]
    pub fn reply(&mut self, client: ClientId, seq: u32, answer: Answer) {
        if client != ClientId::NOBODY {
            self.outbox.effects.push(Effect::Reply(Reply { client, seq, answer }));
        }
    }

    /// Observation: this node knows `command` to be chosen in an instance, and cannot execute it yet.
    #[inline]
    pub fn chosen(&mut self, at: impl Into<Instance>, command: Command) {
        self.outbox.effects.push(Effect::Chosen(at.into(), command));
    }

    /// Observation: this node executed `command`, which it knows to be chosen in an instance.
    #[inline]
    pub fn applied(&mut self, at: impl Into<Instance>, command: Command) {
        self.outbox.effects.push(Effect::Applied(at.into(), command));
    }

    /// Fences another node: turns it off through a power switch, unaffected by network faults. Takes as long as a message.
    #[inline]
    pub fn fence(&mut self, node: NodeId) {
        self.outbox.effects.push(Effect::Fence(node));
    }

    /// Random draw: true with probability `permille`/1000. The simulator draws from a random stream; the model checker explores both results.
    #[inline]
    pub fn chance(&mut self, permille: u16) -> bool {
        self.outbox.draws.draw(permille)
    }

    /// Fair coin; see [`Out::chance`].
    #[inline]
    pub fn coin(&mut self) -> bool {
        self.chance(500)
    }

    /// The source of [`Out::chance`], for the driver of the node.
    #[inline]
    pub fn draws(&mut self) -> &mut Draws {
        &mut self.outbox.draws
    }

    /// The node's local clock, µs. Subject to drift and jumps; clocks of different nodes need not agree.
    #[inline]
    pub fn local_clock(&self) -> Micros {
        self.outbox.clock
    }

    /// Observation: this node installed a snapshot that covers all slots up to `slot`.
    #[inline]
    pub fn restored(&mut self, slot: Slot) {
        self.outbox.effects.push(Effect::Restored(slot));
    }

    /// Records that the handler applies a rule, unless the rule is ablated.
    #[inline]
    pub fn because(&mut self, rule: RuleId) {
        self.rule(rule);
    }

    /// Whether a rule is in force, to be called where it makes a difference: `if ballot < promised && out.rule(PROMISE) { refuse }`. Records
    /// the rule as applied, unless it is ablated.
    #[inline]
    pub fn rule(&mut self, rule: RuleId) -> bool {
        // Branch-free: see "Speed" in `ARCHITECTURE.md`.
        let in_force = RuleSet::just(rule).minus(self.outbox.ablated);
        self.outbox.used = self.outbox.used.or(in_force);
        !in_force.is_empty()
    }

    /// The requested effects, in order.
    #[inline]
    pub fn effects(&self) -> &[Effect] {
        &self.outbox.effects
    }

    /// Takes the effects, leaving the outbox ready for the next event; returns the rules applied, and the first log slot that may have changed,
    /// if any. `effects` is cleared first; the two buffers are swapped, so nothing is allocated.
    #[inline]
    pub fn take(&mut self, effects: &mut Vec<Effect>) -> (RuleSet, Option<Slot>) {
        effects.clear();
        std::mem::swap(&mut self.outbox.effects, effects);
        self.outbox.settle()
    }

    /// Takes the effects with copies of the messages, for tests of a node without a simulator. The stored messages are not released.
    pub fn drain(&mut self) -> Vec<Effect<N::Msg, N::Timer>> {
        let mut effects = Vec::new();
        self.take(&mut effects);
        effects.iter().filter_map(|effect| effect.map(|id| self.message(id).cloned())).collect()
    }
}

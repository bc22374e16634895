//! The outbox: all that a node can do to the world.
//!
//! A handler asks for [`Effect`]s through [`Out`]; the simulator applies them in order once the handler has returned. [`Outbox`] is the part
//! that is the same for every protocol and is the simulator's own; [`Out`] borrows it for one handler call and adds the contents of messages.

use super::messages::{Header, MessageId, MessageTable};
use super::node::Reply;
use super::timer::TimerName;
use super::{Answer, ClientId, Command, Instance, Micros, Node, NodeId, NodeSet, RuleId, RuleSet, Slot};

/// A timer of the protocol at hand as a number; see [`TimerName::index`].
pub type TimerId = u64;

/// What a handler asked for. `M` is a message or its id, `T` a timer or its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<M = MessageId, T = TimerId> {
    /// Send to one replica (itself included: such a message goes through the world, takes no time and is not counted).
    Send(NodeId, M),
    /// Send the same to each of several.
    Broadcast(NodeSet, M),
    /// Fire the timer once, somewhere between `lo` and `hi` µs from now; the world draws. Replaces an earlier one.
    SetTimer(T, Micros, Micros),
    /// Cancel the timer.
    Cancel(T),
    /// Write [`Node::disk`] to the disk. Everything sent later leaves when the write is done.
    Save,
    /// Answer a client.
    Reply(Reply),
    /// This node knows that the instance's command is chosen, and cannot execute it yet.
    Chosen(Instance, Command),
    /// This node knows that the instance's command is chosen, and executed it. Slots of a log come in order.
    Applied(Instance, Command),
    /// This node's state machine jumped to a snapshot that covers all slots up to this one.
    Restored(Slot),
    /// Turn another node off, over a channel of its own that no network fault touches. It stays off until somebody restarts it.
    Fence(NodeId),
}

impl Effect {
    /// The same effect with the message and the timer themselves in place of their ids; `None` if `message` does not find it.
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

/// Beyond every slot.
const UNSAVED: Slot = Slot::MAX;

/// What handlers asked for and the headers of all messages in flight: the part of [`Out`] that is the same for every protocol.
#[derive(Clone, Debug)]
pub struct Outbox {
    effects: Vec<Effect>,
    /// Messages asked to be sent and, in a world, all that are in flight.
    pub messages: MessageTable,
    /// The first log slot that the save among the effects may have changed; [`UNSAVED`] if there is no save.
    saved: Slot,
    /// Whether a save is an effect.
    tells_saves: bool,
    ablated: RuleSet,
    used: RuleSet,
    /// Where [`Out::chance`] comes from.
    pub draws: Draws,
    /// What the clock of the node that handles an event shows, µs.
    pub clock: Micros,
}

/// Where the chance in a handler comes from.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    /// The state of the generator from which a world draws; see [`Draws::seed`].
    state: u64,
    /// Results that a search wants, one a bit, the first lowest; then the generator is not asked.
    wanted: u64,
    given: u8,
    /// How many were drawn since the last [`Draws::want`].
    used: u8,
}

impl Draws {
    /// Draws from a generator in this state from now on.
    pub fn seed(&mut self, state: u64) {
        *self = Draws { state, ..Draws::default() };
    }

    /// The next draws give these results, one a bit, the lowest first; draws beyond the `given` ones give false.
    pub fn want(&mut self, results: u64, given: u8) {
        *self = Draws { state: 0, wanted: results, given, used: 0 };
    }

    /// How many were drawn since [`Draws::want`].
    pub fn used(&self) -> u8 {
        self.used
    }

    /// The state of the generator, to go on from later.
    pub fn state(&self) -> u64 {
        self.state
    }

    fn draw(&mut self, permille: u16) -> bool {
        self.used = self.used.saturating_add(1);
        if self.state == 0 {
            let result = self.used <= self.given && self.wanted >> (self.used - 1) & 1 == 1;
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
    /// An empty outbox under which the rules in `ablated` are not in force.
    pub fn new(ablated: RuleSet) -> Outbox {
        Outbox {
            effects: Vec::new(),
            messages: MessageTable::default(),
            saved: UNSAVED,
            tells_saves: true,
            ablated,
            used: RuleSet::EMPTY,
            draws: Draws::default(),
            clock: 0,
        }
    }

    /// Leaves saves out of the effects, or puts them in: where a disk takes no time and loses nothing, a save has no effect.
    pub fn tell_saves(&mut self, tell: bool) {
        self.tells_saves = tell;
    }

    /// Whether all rules are in force.
    pub fn intact(&self) -> bool {
        self.ablated.is_empty()
    }

    /// What was asked for, in order.
    #[inline]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Empties the effects, once they are applied.
    #[inline]
    pub fn clear(&mut self) {
        self.effects.clear();
    }

    /// The rules applied since the last call, and the first log slot that may have changed, if any.
    #[inline]
    pub fn settle(&mut self) -> (RuleSet, Option<Slot>) {
        let saved = std::mem::replace(&mut self.saved, UNSAVED);
        (std::mem::take(&mut self.used), (saved != UNSAVED).then_some(saved))
    }
}

/// Collects what a handler does. Used again for every event.
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
    /// An empty outbox under which the rules in `ablated` are not in force.
    pub fn new(ablated: RuleSet) -> Out<N> {
        Out { outbox: Box::new(Outbox::new(ablated)), contents: Vec::new() }
    }

    /// Exchanges the protocol-independent part with `outbox`: the simulator lends its own for one handler call.
    #[inline(always)]
    pub fn exchange(&mut self, outbox: &mut Box<Outbox>) {
        std::mem::swap(&mut self.outbox, outbox);
    }

    /// Enters a message for `receivers`; returns its id.
    // Inlined so that the message is written here at once, not built elsewhere and copied.
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

    /// Takes the content out for one of its receivers to read; where others wait for it, [`Out::put_back`] returns it.
    #[inline(always)]
    pub fn open_message(&mut self, id: MessageId) -> Option<N::Msg> {
        self.contents[id as usize].take()
    }

    /// Puts a content back for its other receivers.
    // The content stays where it is unless it is put back: handed over, it would be copied once more in WebAssembly.
    #[inline(always)]
    pub fn put_back(&mut self, id: MessageId, content: &mut Option<N::Msg>) {
        // The place is empty: nothing is dropped there.
        std::mem::forget(std::mem::replace(&mut self.contents[id as usize], content.take()));
    }

    /// Hands a message to one of its receivers, for good.
    pub fn take_message(&mut self, id: MessageId) -> Option<N::Msg> {
        let shared = self.outbox.messages.is_shared(id);
        self.outbox.messages.release(id);
        if shared { self.contents[id as usize].clone() } else { self.contents[id as usize].take() }
    }

    /// Sends to one replica. To oneself is allowed: it arrives at once, after any pending save.
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

    /// Fires `timer` once, between `lo` and `hi` µs from now.
    #[inline]
    pub fn set_timer(&mut self, timer: N::Timer, lo: Micros, hi: Micros) {
        self.outbox.effects.push(Effect::SetTimer(timer.index(), lo, hi));
    }

    /// Cancels `timer`.
    #[inline]
    pub fn cancel(&mut self, timer: N::Timer) {
        self.outbox.effects.push(Effect::Cancel(timer.index()));
    }

    /// Writes [`Node::disk`], as it is when the handler returns, to the disk. All that is sent after this call waits for it.
    /// Saving again in the same handler adds nothing: the one write holds it all, and what comes later waits for it already.
    #[inline]
    pub fn save(&mut self) {
        self.save_entries(1);
    }

    /// The same, stating that of the log nothing below `slot` has changed, so that the checkers need not look there.
    #[inline]
    pub fn save_entries(&mut self, slot: Slot) {
        if self.outbox.saved == UNSAVED && self.outbox.tells_saves {
            self.outbox.effects.push(Effect::Save);
        }
        self.outbox.saved = self.outbox.saved.min(slot);
    }

    /// Answers a client's command.
    #[inline]
    pub fn reply(&mut self, client: ClientId, seq: u32, answer: Answer) {
        if client != ClientId::NOBODY {
            self.outbox.effects.push(Effect::Reply(Reply { client, seq, answer }));
        }
    }

    /// States that this node knows `command` to be chosen in an instance, though it cannot execute it yet.
    #[inline]
    pub fn chosen(&mut self, at: impl Into<Instance>, command: Command) {
        self.outbox.effects.push(Effect::Chosen(at.into(), command));
    }

    /// States that this node executed `command`, which it knows to be chosen in an instance.
    #[inline]
    pub fn applied(&mut self, at: impl Into<Instance>, command: Command) {
        self.outbox.effects.push(Effect::Applied(at.into(), command));
    }

    /// Turns another node off, over a channel of its own (a power switch) that no network fault touches. The order takes as long as a message.
    #[inline]
    pub fn fence(&mut self, node: NodeId) {
        self.outbox.effects.push(Effect::Fence(node));
    }

    /// Draws: true with a chance of `permille` in a thousand. The simulator draws from the node's own stream; a search takes both ways.
    #[inline]
    pub fn chance(&mut self, permille: u16) -> bool {
        self.outbox.draws.draw(permille)
    }

    /// Tosses a fair coin; see [`Out::chance`].
    #[inline]
    pub fn coin(&mut self) -> bool {
        self.chance(500)
    }

    /// Where [`Out::chance`] comes from, for who runs the node.
    #[inline]
    pub fn draws(&mut self) -> &mut Draws {
        &mut self.outbox.draws
    }

    /// What this node's own clock shows, µs. It drifts and jumps as the node's clock does, and no two nodes need agree.
    #[inline]
    pub fn local_clock(&self) -> Micros {
        self.outbox.clock
    }

    /// States that this node took over a snapshot covering all slots up to `slot`.
    #[inline]
    pub fn restored(&mut self, slot: Slot) {
        self.outbox.effects.push(Effect::Restored(slot));
    }

    /// Names the rule that the handler is applying, unless this run takes it away.
    #[inline]
    pub fn because(&mut self, rule: RuleId) {
        self.rule(rule);
    }

    /// Asks for a rule at the moment at which it makes a difference: `if ballot < promised && out.rule(PROMISE) { refuse }`.
    /// Names it as applied, unless this run takes it away.
    #[inline]
    pub fn rule(&mut self, rule: RuleId) -> bool {
        // Without a branch, and with a mask that the compiler does not know: a write of one byte before a read of the whole word stalls.
        let in_force = RuleSet::just(rule).minus(self.outbox.ablated);
        self.outbox.used = self.outbox.used.or(in_force);
        !in_force.is_empty()
    }

    /// What was asked for, in order.
    #[inline]
    pub fn effects(&self) -> &[Effect] {
        &self.outbox.effects
    }

    /// Takes what was asked for, leaving the outbox ready for the next event; returns the rules applied, and the first log slot that may
    /// have changed, if any. `effects` is emptied first; the two buffers swap, so nothing is allocated.
    #[inline]
    pub fn take(&mut self, effects: &mut Vec<Effect>) -> (RuleSet, Option<Slot>) {
        effects.clear();
        std::mem::swap(&mut self.outbox.effects, effects);
        self.outbox.settle()
    }

    /// Takes what was asked for with the messages themselves, for tests of a node without a world. The messages are left behind.
    pub fn drain(&mut self) -> Vec<Effect<N::Msg, N::Timer>> {
        let mut effects = Vec::new();
        self.take(&mut effects);
        effects.iter().filter_map(|effect| effect.map(|id| self.message(id).cloned())).collect()
    }
}

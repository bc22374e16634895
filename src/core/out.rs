//! The outbox: all that a node can do to the world.
//!
//! A handler asks for [`Effect`]s through [`Out`]; the simulator applies them in order once the handler has returned. [`Outbox`] is the part
//! that is the same for every protocol and is the simulator's own; [`Out`] borrows it for one handler call and adds the contents of messages.

use super::messages::{Header, MessageId, MessageTable};
use super::node::Reply;
use super::timer::TimerName;
use super::{Answer, ClientId, Command, Micros, Node, NodeId, NodeSet, RuleId, RuleSet, Slot};

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
    /// This node knows that the slot's command is chosen, and cannot execute it yet.
    Chosen(Slot, Command),
    /// This node knows that the slot's command is chosen, and executed it; slots come in order.
    Applied(Slot, Command),
    /// This node's state machine jumped to a snapshot that covers all slots up to this one.
    Restored(Slot),
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

    /// Takes the content out for one of its receivers to read; [`Out::close_message`] it afterwards.
    #[inline(always)]
    pub fn open_message(&mut self, id: MessageId) -> Option<N::Msg> {
        self.contents[id as usize].take()
    }

    /// One receiver has read the message: puts the content back for the others, if any are left, and returns its header.
    // The content stays where it is unless it is put back: handed over, it would be copied once more in WebAssembly.
    #[inline(always)]
    pub fn close_message(&mut self, id: MessageId, content: &mut Option<N::Msg>) -> Header {
        if self.outbox.messages.is_shared(id) {
            // The place is empty: nothing is dropped there.
            std::mem::forget(std::mem::replace(&mut self.contents[id as usize], content.take()));
        }
        let header = self.outbox.messages.header(id);
        self.outbox.messages.release(id);
        header
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

    /// States that this node knows `command` to be chosen in `slot`, though it cannot execute it yet.
    #[inline]
    pub fn chosen(&mut self, slot: Slot, command: Command) {
        self.outbox.effects.push(Effect::Chosen(slot, command));
    }

    /// States that this node executed `command`, which it knows to be chosen in `slot`.
    #[inline]
    pub fn applied(&mut self, slot: Slot, command: Command) {
        self.outbox.effects.push(Effect::Applied(slot, command));
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

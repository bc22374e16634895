//! The outbox: all that a node can do to the world.

use super::node::Reply;
use super::{Answer, ClientId, Command, Header, MessageStore, Micros, Node, NodeId, NodeSet, RuleId, RuleSet, Slot};

/// What a handler asked for. `M` is a message or, in the outbox, the number of the message that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<M, T> {
    /// Send to one replica (itself included: such a message goes through the world, takes no time and is not counted).
    Send(NodeId, M),
    /// Send the same to each of several.
    Broadcast(NodeSet, M),
    /// Fire the timer once, somewhere between `lo` and `hi` µs from now; the world draws. Replaces an earlier one.
    SetTimer(T, Micros, Micros),
    /// Forget the timer.
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

impl<M, T: Copy> Effect<M, T> {
    /// The same effect with another form of the message.
    pub fn map<L>(&self, form: impl FnOnce(&M) -> Option<L>) -> Option<Effect<L, T>> {
        Some(match *self {
            Effect::Send(to, ref message) => Effect::Send(to, form(message)?),
            Effect::Broadcast(to, ref message) => Effect::Broadcast(to, form(message)?),
            Effect::SetTimer(timer, lo, hi) => Effect::SetTimer(timer, lo, hi),
            Effect::Cancel(timer) => Effect::Cancel(timer),
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

/// Collects what a handler does. Owned by the world and used again for every event.
#[derive(Debug)]
pub struct Out<N: Node> {
    effects: Vec<Effect<u32, N::Timer>>,
    /// Messages asked to be sent and, in a world, all that are under way.
    pub messages: MessageStore<N::Msg, Header>,
    /// The first log slot that the save among the effects may have changed; [`UNSAVED`] if there is no save.
    saved: Slot,
    /// Whether a save is an effect.
    tells_saves: bool,
    ablated: RuleSet,
    used: RuleSet,
}

impl<N: Node> Clone for Out<N> {
    fn clone(&self) -> Out<N> {
        Out { effects: self.effects.clone(), messages: self.messages.clone(), ..*self }
    }
}

impl<N: Node> Out<N> {
    /// An empty outbox under which the rules in `ablated` are not in force.
    pub fn new(ablated: RuleSet) -> Out<N> {
        Out {
            effects: Vec::new(),
            messages: MessageStore::default(),
            saved: UNSAVED,
            tells_saves: true,
            ablated,
            used: RuleSet::EMPTY,
        }
    }

    /// Sends to one replica. To oneself is allowed: it arrives at once, after any pending save.
    #[inline(always)]
    pub fn send(&mut self, to: NodeId, message: N::Msg) {
        let header = Header::of(&message);
        let message_id = self.messages.put(message, header, 1);
        self.effects.push(Effect::Send(to, message_id));
    }

    /// Sends the same message to each of `to`.
    #[inline(always)]
    pub fn broadcast(&mut self, to: NodeSet, message: N::Msg) {
        if !to.is_empty() {
            let header = Header::of(&message);
            let message_id = self.messages.put(message, header, u32::from(to.len()));
            self.effects.push(Effect::Broadcast(to, message_id));
        }
    }

    /// Fires `timer` once, between `lo` and `hi` µs from now.
    #[inline]
    pub fn set_timer(&mut self, timer: N::Timer, lo: Micros, hi: Micros) {
        self.effects.push(Effect::SetTimer(timer, lo, hi));
    }

    /// Forgets `timer`.
    #[inline]
    pub fn cancel(&mut self, timer: N::Timer) {
        self.effects.push(Effect::Cancel(timer));
    }

    /// Writes [`Node::disk`], as it is when the handler returns, to the disk. All that is sent after this call waits for it.
    /// Saving again in the same handler adds nothing: the one write holds it all, and what comes later waits for it already.
    #[inline]
    pub fn save(&mut self) {
        self.save_entries(1);
    }

    /// The same, telling that of the log nothing below `slot` has changed, so that the judges need not look there.
    #[inline]
    pub fn save_entries(&mut self, slot: Slot) {
        if self.saved == UNSAVED && self.tells_saves {
            self.effects.push(Effect::Save);
        }
        self.saved = self.saved.min(slot);
    }

    /// Answers a client's command.
    #[inline]
    pub fn reply(&mut self, client: ClientId, seq: u32, answer: Answer) {
        if client != ClientId::NOBODY {
            self.effects.push(Effect::Reply(Reply { client, seq, answer }));
        }
    }

    /// Tells that this node knows `command` to be chosen in `slot`, though it cannot execute it yet.
    #[inline]
    pub fn chosen(&mut self, slot: Slot, command: Command) {
        self.effects.push(Effect::Chosen(slot, command));
    }

    /// Tells that this node executed `command`, which it knows to be chosen in `slot`.
    #[inline]
    pub fn applied(&mut self, slot: Slot, command: Command) {
        self.effects.push(Effect::Applied(slot, command));
    }

    /// Tells that this node took over a snapshot covering all slots up to `slot`.
    #[inline]
    pub fn restored(&mut self, slot: Slot) {
        self.effects.push(Effect::Restored(slot));
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
        // Without a branch, and with a mask that the compiler does not know: it would set the bit by writing one byte, and reading the
        // whole word right after that stalls the processor.
        let in_force = RuleSet::just(rule).minus(self.ablated);
        self.used = self.used.or(in_force);
        !in_force.is_empty()
    }

    /// Leaves saves out of the effects, or puts them in: where a disk takes no time and loses nothing, nobody has to hear of them.
    pub fn tell_saves(&mut self, tell: bool) {
        self.tells_saves = tell;
    }

    /// Whether all rules are in force.
    pub fn intact(&self) -> bool {
        self.ablated.is_empty()
    }

    /// What was asked for, in order.
    #[inline]
    pub fn effects(&self) -> &[Effect<u32, N::Timer>] {
        &self.effects
    }

    /// Forgets what was asked for, once it is carried out.
    #[inline]
    pub fn clear(&mut self) {
        self.effects.clear();
    }

    /// Tells the rules applied, and the first log slot that may have changed, if any; forgets both.
    #[inline]
    pub fn settle(&mut self) -> (RuleSet, Option<Slot>) {
        let saved = std::mem::replace(&mut self.saved, UNSAVED);
        (std::mem::take(&mut self.used), (saved != UNSAVED).then_some(saved))
    }

    /// Takes what was asked for, leaving the outbox ready for the next event; tells the rules applied, and the first log slot that may
    /// have changed, if any. `effects` is emptied first; the two buffers swap, so nothing is allocated.
    #[inline]
    pub fn take(&mut self, effects: &mut Vec<Effect<u32, N::Timer>>) -> (RuleSet, Option<Slot>) {
        effects.clear();
        std::mem::swap(&mut self.effects, effects);
        self.settle()
    }

    /// Takes what was asked for with the messages themselves, for tests of a node without a world. The messages are left behind.
    pub fn drain(&mut self) -> Vec<Effect<N::Msg, N::Timer>> {
        let mut effects = Vec::new();
        self.take(&mut effects);
        effects.iter().filter_map(|effect| effect.map(|message_id| self.messages.look(*message_id).cloned())).collect()
    }
}

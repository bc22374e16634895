//! Records of handler calls for transcripts: stimuli, effects and states, with the protocol's own types as text.

#[cfg(feature = "cli")]
use crate::core::Effect;
#[cfg(feature = "cli")]
use crate::core::node::Order;
#[cfg(feature = "cli")]
use crate::core::{Command, MessageId, NodeId};
use std::fmt::Debug;

/// One call of a node's handler, or the crash of a node, with everything as text.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerCall {
    /// The node.
    pub node: NodeId,
    /// Why the handler was called.
    pub stimulus: Stimulus,
    /// The effects, in order. Those of a node that stopped because it could not save end there.
    pub effects: Vec<Effect<Text, Text>>,
    /// The node's durable state after the call, be it on the disk yet or not; after a crash, what is on the disk.
    pub durable: Text,
    /// The whole node after the call, its durable state included; `None` after a crash.
    pub state: Option<Text>,
}

/// Why a handler was called.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// The node starts with this on its disk.
    Boot(Text),
    /// The node crashes; no handler is called.
    Crash,
    /// A timer fires.
    Timer(Text),
    /// A client's command.
    Request(Command),
    /// An operator's order.
    Order(Order),
    /// A message of another replica, or of the node itself.
    Message {
        /// Its number while it is in flight; numbers are used again.
        id: MessageId,
        /// Its sender.
        from: NodeId,
        /// All that is in it.
        content: Text,
    },
}

/// The `Debug` form of a value.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(pub String);

#[cfg(feature = "cli")]
impl Text {
    pub(super) fn of(value: &impl Debug) -> Text {
        Text(format!("{value:?}"))
    }
}

impl Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An effect with its message or timer as text.
#[cfg(feature = "cli")]
pub(super) fn as_text<M: Debug, T: Debug>(effect: &Effect<M, T>) -> Effect<Text, Text> {
    match effect {
        Effect::Send(to, message) => Effect::Send(*to, Text::of(message)),
        Effect::Broadcast(to, message) => Effect::Broadcast(*to, Text::of(message)),
        Effect::SetTimer(timer, lo, hi) => Effect::SetTimer(Text::of(timer), *lo, *hi),
        Effect::Cancel(timer) => Effect::Cancel(Text::of(timer)),
        Effect::Save => Effect::Save,
        Effect::Reply(reply) => Effect::Reply(*reply),
        Effect::Chosen(at, command) => Effect::Chosen(*at, *command),
        Effect::Applied(at, command) => Effect::Applied(*at, *command),
        Effect::Fence(node) => Effect::Fence(*node),
        Effect::Restored(slot) => Effect::Restored(*slot),
    }
}

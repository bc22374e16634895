//! What is out of the ordinary in a world. Most worlds have none of it, so all of it lies behind one pointer.

use super::pause::Pause;
use super::{Event, World};
use crate::core::NodeId;
use crate::core::node::Protocol;
use crate::sim::domains::DomainId;

/// All that is out of the ordinary.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// The paused nodes, by node.
    pub pauses: Vec<Option<Pause>>,
    /// The domains that are cut off.
    pub severed: Vec<DomainId>,
}

impl<P: Protocol> World<P> {
    /// The trouble there is, from now on.
    pub(super) fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    /// What becomes of an event in a troubled world: itself, or nothing for now.
    #[cold]
    pub(super) fn divert(&mut self, event: Event) -> Option<Event> {
        self.let_wait(event)
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.nodes[usize::from(node.0)].is_some()
    }
}

//! Step outcome: summary of one event for the checkers.

use crate::core::{NodeId, Slot};
use crate::sim::trace::What;
use std::num::NonZeroU64;

/// Outcome of one event: its type, its node, and what may have changed. One word, since it is returned after every event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StepOutcome(
    /// Bit 0 is always set, so that `Option` fits the word; then, from bit 8 on, event type, node, handled flag, and the slot in the upper half.
    NonZeroU64,
);

const HANDLED: u64 = 1 << 24;

impl StepOutcome {
    #[inline]
    fn pack(what: What, node: NodeId, rest: u64) -> StepOutcome {
        let word = u64::from(what as u8) << 8 | u64::from(node.0) << 16 | rest;
        StepOutcome(NonZeroU64::MIN | word)
    }

    /// Outcome of an event that a node handled.
    #[inline]
    pub(super) fn handled(what: What, node: NodeId, log_from: Option<Slot>) -> StepOutcome {
        StepOutcome::pack(what, node, HANDLED | u64::from(log_from.unwrap_or(0)) << 32)
    }

    /// Outcome of an event that changed no node's state.
    #[inline]
    pub(super) fn passed(what: What, node: NodeId) -> StepOutcome {
        StepOutcome::pack(what, node, 0)
    }

    /// Event type.
    #[inline]
    pub fn what(self) -> What {
        What::ALL[usize::from((self.0.get() >> 8) as u8) % What::ALL.len()]
    }

    /// The node concerned.
    #[inline]
    pub fn node(self) -> NodeId {
        NodeId((self.0.get() >> 16) as u8)
    }

    /// Whether the node's state may have changed.
    #[inline]
    pub fn is_handled(self) -> bool {
        self.0.get() & HANDLED != 0
    }

    /// The first slot of its log that may have changed; `None` if the log is unchanged.
    #[inline]
    pub fn log_from(self) -> Option<Slot> {
        let slot = (self.0.get() >> 32) as Slot;
        (slot > 0).then_some(slot)
    }
}

impl std::fmt::Debug for StepOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?}, log from {:?}", self.what(), self.node(), self.log_from())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_outcome_packing_round_trips() {
        for (number, what) in What::ALL.into_iter().enumerate() {
            assert_eq!(what as usize, number);
            for log_from in [None, Some(1), Some(2), Some(Slot::MAX)] {
                let outcome = StepOutcome::handled(what, NodeId(31), log_from);
                assert_eq!((outcome.what(), outcome.node(), outcome.log_from()), (what, NodeId(31), log_from));
                assert!(outcome.is_handled());
            }
            let outcome = StepOutcome::passed(what, NodeId(0));
            assert_eq!((outcome.what(), outcome.node(), outcome.log_from()), (what, NodeId(0), None));
            assert!(!outcome.is_handled());
        }
    }
}

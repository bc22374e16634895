//! Timer state of a node: deadlines and their events in the queue.

use crate::core::{Micros, TimerId};

/// Time of a timer that is not set or not queued.
pub(in crate::sim) const NEVER: Micros = Micros::MAX;

/// One timer of one node. Invariant: at most one valid event in the queue, at `queued` ≤ `deadline`; an event that fires before the deadline
/// is requeued.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct TimerState {
    pub timer: TimerId,
    /// When it was last set.
    pub set: Micros,
    pub deadline: Micros,
    pub queued: Micros,
}

//! Timers of a node, as its machine keeps them.

use crate::core::{Micros, TimerId};

/// No deadline: a time that never comes.
pub(in crate::sim) const NEVER: Micros = Micros::MAX;

/// One timer of one node. At most one event of the wheel stands for it; when that comes too early it is put back.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct TimerState {
    pub timer: TimerId,
    pub deadline: Micros,
    pub queued: Micros,
}

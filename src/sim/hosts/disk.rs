//! Disks, sound and bad.
//!
//! A disk holds a journal of records, each with a checksum; a save appends one. What is sent after a save leaves when the write is done,
//! so nobody relies on a record that is not there. What a node finds when it starts again:
//!
//! * Nothing of a write that was under way: its record is torn, its checksum wrong, and it is taken for the missing tail that it is.
//! * If the disk *forgets*, nothing of what was written since it began to: it said "done" when the data was only in its cache.
//! * If it *tears*, all but the last record. That one was reported as done, but looks like the torn record of a write that was under way,
//!   and is dropped like one. (Alagappan et al., Protocol-Aware Recovery for Consensus-Based Storage, FAST 2018, call this "truncate", and
//!   show that it breaks safety.)
//! * If a record *rots*, its checksum is wrong and it is not the last one, so it cannot be a torn write. The node does not start
//!   ("crash" in the same paper); it can be started anew with an empty disk ("delete and rebuild"), which breaks safety as well.
//!
//! A write that does not fit a *full* disk fails, and the node stops: what it promised rests on being able to save.

use crate::core::Micros;
use std::collections::VecDeque;

/// The timing and the faults of one node's disk. What is on it, the replicas keep: see [`DiskOp`].
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Storage {
    /// Writing until then, µs since the start.
    pub busy_until: Micros,
    /// Writes under way, in order.
    pub writes: VecDeque<Write>,
    /// What is wrong with it; nothing, mostly.
    pub faults: Option<Box<DiskState>>,
}

/// A write under way, µs since the start.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Write {
    pub begins: Micros,
    pub done: Micros,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskState {
    /// Time one write takes, µs, if not what the scenario says.
    pub write: Option<u32>,
    /// Nothing more fits.
    pub full: bool,
    /// A crash will lose all that was written since.
    pub forgets: bool,
    /// A crash will lose the last record.
    pub tears: bool,
    /// A record is corrupted.
    pub rotten: bool,
}

impl Storage {
    pub fn state(&self) -> DiskState {
        self.faults.as_deref().copied().unwrap_or_default()
    }

    /// Whether what is saved is written at once, as far as it depends on this disk.
    pub fn is_prompt(&self) -> bool {
        self.writes.is_empty() && self.state().write.is_none()
    }
}

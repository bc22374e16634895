//! Disk fault model: write latency, lost fsync, torn write, corrupted record, full disk.
//!
//! A disk holds a journal of checksummed records; a save appends one. Messages sent after a save leave when the write is done, so no other
//! node depends on a record that is not durable. State after a crash and restart:
//!
//! * A write in progress is lost: its record is torn, fails its checksum at the end of the journal, and is dropped.
//! * Lost fsync (`forgets`): all writes since the fault are lost; they were acknowledged when the data was only in the disk's cache.
//! * Torn write (`tears`): the last record is lost as well. It was acknowledged, but looks like the torn record of a write in progress, and is
//!   dropped like one ("truncate" in Alagappan et al., Protocol-Aware Recovery for Consensus-Based Storage, FAST 2018, who show that it
//!   breaks safety).
//! * Corrupted record (`rotten`): a checksum fails before the end of the journal, which no torn write explains. The node refuses to start
//!   ("crash" in the same paper); restarting it with an empty disk ("delete and rebuild") breaks safety as well.
//!
//! A write to a `full` disk fails, and the node stops: its guarantees depend on being able to save.

use crate::core::Micros;
use std::collections::VecDeque;

/// Write schedule and faults of one node's disk. Its contents are kept by the replicas: see [`DiskOp`](crate::sim::replicas::DiskOp).
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Storage {
    /// End of the last scheduled write, µs since the start.
    pub busy_until: Micros,
    /// Writes scheduled and not known to be done, oldest first.
    pub writes: VecDeque<Write>,
    /// Active disk faults, if any.
    pub faults: Option<Box<DiskState>>,
}

/// A scheduled write: begin and end, µs since the start.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Write {
    pub begins: Micros,
    pub done: Micros,
}

/// Active faults of a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskState {
    /// Slow disk: duration of one write, µs, in place of the topology's.
    pub write: Option<u32>,
    /// Disk full: saves fail.
    pub full: bool,
    /// Lost fsync: a crash loses all writes since the fault.
    pub forgets: bool,
    /// Torn write: a crash loses the last record.
    pub tears: bool,
    /// Corrupted record: the node does not start.
    pub rotten: bool,
}

impl Storage {
    pub fn state(&self) -> DiskState {
        self.faults.as_deref().copied().unwrap_or_default()
    }

    /// Whether a save is durable at once, as far as this disk is concerned: no write pending, and not slowed down.
    pub fn writes_immediately(&self) -> bool {
        self.writes.is_empty() && self.state().write.is_none()
    }
}

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

use super::World;
use crate::core::{Effect, Micros, NodeId, RuleSet};
use crate::sim::action::DiskFault;
use crate::sim::replicas::DiskOp;
use crate::sim::trace::What;
use std::collections::VecDeque;

/// The timing and the faults of one node's disk. What is on it, the replicas keep: see [`DiskOp`].
#[derive(Clone, Debug, Default)]
pub(super) struct Storage {
    /// Writing until then, µs since the start.
    pub busy_until: Micros,
    /// Writes under way, in order.
    writes: VecDeque<Write>,
    /// What is wrong with it; nothing, mostly.
    faults: Option<Box<DiskState>>,
}

/// A write under way, µs since the start.
#[derive(Clone, Copy, Debug)]
struct Write {
    begins: Micros,
    done: Micros,
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
    fn state(&self) -> DiskState {
        self.faults.as_deref().copied().unwrap_or_default()
    }

    /// Whether what is saved is written at once, as far as it depends on this disk.
    fn is_prompt(&self) -> bool {
        self.writes.is_empty() && self.state().write.is_none()
    }
}

impl World {
    /// What is wrong with a node's disk.
    pub fn disk_state(&self, node: NodeId) -> DiskState {
        self.hosts[usize::from(node.0)].storage.state()
    }

    pub(super) fn inject_disk_fault(&mut self, node: NodeId, fault: DiskFault) {
        if !self.strict_disks {
            // Up to now every save was done at once, so that what a node holds is what it wrote.
            self.strict_disks = true;
            self.outbox.tell_saves(true);
            for id in (0..self.hosts.len() as u8).map(NodeId) {
                self.replicas.disk(id, DiskOp::Write { tears: false });
            }
        }
        self.complete_writes(node);
        let mut state = self.disk_state(node);
        match fault {
            DiskFault::Wipe => {
                self.replicas.disk(node, DiskOp::Wipe);
                state.rotten = false;
            }
            DiskFault::Slow(write) => state.write = Some(write),
            DiskFault::Fill => state.full = true,
            DiskFault::Forget => {
                self.replicas.disk(node, DiskOp::Freeze);
                (state.forgets, state.tears) = (true, false);
            }
            DiskFault::Tear => {
                self.replicas.disk(node, DiskOp::Freeze);
                (state.tears, state.forgets) = (true, false);
            }
            DiskFault::Rot => state.rotten = true,
            DiskFault::Repair => {
                self.replicas.disk(node, DiskOp::Thaw);
                state = DiskState { rotten: state.rotten, ..DiskState::default() };
            }
        }
        let faulty = state != DiskState::default();
        self.hosts[usize::from(node.0)].storage.faults = faulty.then(|| Box::new(state));
    }

    /// What was written by now is on the disk.
    fn complete_writes(&mut self, node: NodeId) {
        let storage = &mut self.hosts[usize::from(node.0)].storage;
        let tears = storage.state().tears;
        while storage.writes.front().is_some_and(|write| write.done <= self.time) {
            storage.writes.pop_front();
            self.replicas.disk(node, DiskOp::Complete { tears });
        }
    }

    /// The node has ended: writes under way are lost, and with them what a faulty disk does not keep.
    pub(super) fn crash_disk(&mut self, node: NodeId) {
        self.complete_writes(node);
        self.replicas.disk(node, DiskOp::Abort);
        self.replicas.disk(node, DiskOp::Crash);
        let storage = &mut self.hosts[usize::from(node.0)].storage;
        storage.writes.clear();
        storage.busy_until = 0;
    }

    /// Writes what a node asks to save. False if it does not fit.
    #[inline(always)]
    pub(super) fn save(&mut self, me: NodeId) -> bool {
        !self.strict_disks || self.write(me)
    }

    fn write(&mut self, me: NodeId) -> bool {
        let storage = &mut self.hosts[usize::from(me.0)].storage;
        let (mut takes, mut tears) = (self.topology.disk, false);
        if let Some(state) = storage.faults.as_deref() {
            if state.full {
                return false;
            }
            takes = state.write.map_or(takes, Micros::from);
            tears = state.tears;
        }
        if takes == 0 && storage.writes.is_empty() {
            self.replicas.disk(me, DiskOp::Write { tears });
            return true;
        }
        self.complete_writes(me);
        let storage = &mut self.hosts[usize::from(me.0)].storage;
        // One write at a time. What is saved until the next one begins goes into that one together (group commit).
        if storage.writes.back().is_some_and(|write| write.begins >= self.time) {
            self.replicas.disk(me, DiskOp::Join);
        } else {
            let begins = storage.busy_until.max(self.time);
            storage.busy_until = begins + takes;
            storage.writes.push_back(Write { begins, done: storage.busy_until });
            self.replicas.disk(me, DiskOp::Begin);
        }
        true
    }

    /// A node could not save: it stops, and what it still wanted to do (the effects from `next` on) is not done.
    #[cold]
    pub(super) fn stop_at_full_disk(&mut self, me: NodeId, next: usize) {
        let undone: Vec<_> = self.outbox.effects()[next..].to_vec();
        for effect in &undone {
            match effect {
                Effect::Send(_, message_id) => self.outbox.messages.release(*message_id),
                Effect::Broadcast(to, message_id) => to.iter().for_each(|_| self.outbox.messages.release(*message_id)),
                _ => {}
            }
        }
        // Kept before they were applied; the save itself was not, either.
        self.replicas.unrecord(undone.len() + 1);
        self.crash(me);
        self.record(What::Stopped, me, me, 0, 0, 0, RuleSet::EMPTY);
    }

    /// What a node has to keep, it must have saved.
    pub(super) fn assert_saved(&self, me: NodeId) {
        let storage = &self.hosts[usize::from(me.0)].storage;
        let prompt = self.topology.disk == 0 && storage.is_prompt();
        assert!(
            !prompt || !self.outbox.intact() || self.replicas.is_saved(me),
            "node {me:?} changed its durable state without saving it"
        );
    }

    /// When a write that a node asked for last is done; now if there is none.
    #[inline(always)]
    pub(super) fn saved_at(&self, node: NodeId) -> Micros {
        match self.strict_disks {
            true => self.time.max(self.hosts[usize::from(node.0)].storage.busy_until),
            false => self.time,
        }
    }
}

//! Saving, disk faults, and what a crash leaves on a disk.

use super::World;
use crate::core::{Micros, NodeId};
use crate::sim::action::DiskFault;
use crate::sim::hosts::disk::{DiskState, Write};
use crate::sim::replicas::DiskOp;

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

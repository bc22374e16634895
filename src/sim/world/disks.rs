//! Disk writes with group commit, disk faults, and the durable state after a crash.

use super::World;
use crate::core::{Micros, NodeId};
use crate::sim::action::DiskFault;
use crate::sim::hosts::disk::{DiskState, Write};
use crate::sim::replicas::DiskOp;

impl World {
    /// Active faults of a node's disk.
    pub fn disk_state(&self, node: NodeId) -> DiskState {
        self.hosts[usize::from(node.0)].storage.state()
    }

    pub(super) fn inject_disk_fault(&mut self, node: NodeId, fault: DiskFault) {
        if !self.strict_disks {
            // So far every save was durable at once, so the node's current state is what its disk holds.
            self.strict_disks = true;
            self.outbox.record_saves(true);
            for id in (0..self.hosts.len() as u8).map(NodeId) {
                self.replicas.full_mut().disk(id, DiskOp::Write { tears: false });
            }
        }
        self.complete_writes(node);
        let mut state = self.disk_state(node);
        match fault {
            DiskFault::Wipe => {
                self.replicas.full_mut().disk(node, DiskOp::Wipe);
                state.rotten = false;
            }
            DiskFault::Slow(write) => state.write = Some(write),
            DiskFault::Fill => state.full = true,
            DiskFault::Forget => {
                self.replicas.full_mut().disk(node, DiskOp::Freeze);
                (state.forgets, state.tears) = (true, false);
            }
            DiskFault::Tear => {
                self.replicas.full_mut().disk(node, DiskOp::Freeze);
                (state.tears, state.forgets) = (true, false);
            }
            DiskFault::Rot => state.rotten = true,
            DiskFault::Repair => {
                self.replicas.full_mut().disk(node, DiskOp::Thaw);
                state = DiskState { rotten: state.rotten, ..DiskState::default() };
            }
        }
        let faulty = state != DiskState::default();
        self.hosts[usize::from(node.0)].storage.faults = faulty.then(|| Box::new(state));
    }

    /// Moves writes that are done by now from pending to durable.
    fn complete_writes(&mut self, node: NodeId) {
        let storage = &mut self.hosts[usize::from(node.0)].storage;
        let tears = storage.state().tears;
        while storage.writes.front().is_some_and(|write| write.done <= self.time) {
            storage.writes.pop_front();
            self.replicas.full_mut().disk(node, DiskOp::Complete { tears });
        }
    }

    /// Crash: pending writes are lost, and what a faulty disk does not keep.
    pub(super) fn crash_disk(&mut self, node: NodeId) {
        self.complete_writes(node);
        self.replicas.full_mut().disk(node, DiskOp::Abort);
        self.replicas.full_mut().disk(node, DiskOp::Crash);
        let storage = &mut self.hosts[usize::from(node.0)].storage;
        storage.writes.clear();
        storage.busy_until = 0;
    }

    /// Schedules the write of a node's durable state. False: the disk is full.
    #[inline(always)]
    pub(super) fn save(&mut self, me: NodeId) -> bool {
        !self.strict_disks || (self.fault_code().write)(self, me)
    }

    pub(super) fn write(&mut self, me: NodeId) -> bool {
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
            self.replicas.full_mut().disk(me, DiskOp::Write { tears });
            return true;
        }
        self.complete_writes(me);
        let storage = &mut self.hosts[usize::from(me.0)].storage;
        // Group commit: one write at a time, and saves until the next one begins share that one.
        if storage.writes.back().is_some_and(|write| write.begins >= self.time) {
            self.replicas.full_mut().disk(me, DiskOp::Join);
        } else {
            let begins = storage.busy_until.max(self.time);
            storage.busy_until = begins + takes;
            storage.writes.push_back(Write { begins, done: storage.busy_until });
            self.replicas.full_mut().disk(me, DiskOp::Begin);
        }
        true
    }

    /// Asserts that durable state did not change without a save, where saves are kept, immediate, and all rules in force.
    pub(super) fn assert_saved(&self, me: NodeId) {
        let storage = &self.hosts[usize::from(me.0)].storage;
        let prompt = self.strict_disks && self.topology.disk == 0 && storage.writes_immediately();
        assert!(
            !prompt || !self.outbox.all_rules_in_force() || self.replicas.full().is_saved(me),
            "node {me:?} changed its durable state without saving it"
        );
    }

    /// When the node's last scheduled write is done, µs; now if there is none.
    #[inline(always)]
    pub fn saved_at(&self, node: NodeId) -> Micros {
        match self.strict_disks {
            true => self.time.max(self.hosts[usize::from(node.0)].storage.busy_until),
            false => self.time,
        }
    }
}

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

use super::{Disk, World};
use crate::core::node::{Node, Protocol};
use crate::core::{Effect, Micros, NodeId, RuleSet};
use crate::sim::action::DiskFault;
use crate::sim::trace::What;

/// The disk of one node.
#[derive(Clone, Debug)]
pub(super) struct Storage<P: Protocol> {
    /// What would be read back now; kept up to date only when it can differ from what the node thinks it wrote.
    pub kept: Disk<P>,
    /// Writing until then.
    pub busy_until: Micros,
    /// Writes under way, in order.
    writes: std::collections::VecDeque<Write<P>>,
    /// What is wrong with it; nothing, mostly.
    faults: Option<Box<DiskFaults<P>>>,
}

/// A write under way.
#[derive(Clone, Debug)]
struct Write<P: Protocol> {
    begins: Micros,
    done: Micros,
    disk: Disk<P>,
}

/// A disk that is not as it should be.
#[derive(Clone, Debug)]
struct DiskFaults<P: Protocol> {
    state: DiskState,
    /// What a crash leaves, where that is not what was written.
    leaves: Option<Disk<P>>,
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

impl<P: Protocol> Default for Storage<P> {
    fn default() -> Storage<P> {
        Storage { kept: Disk::<P>::default(), busy_until: 0, writes: Default::default(), faults: None }
    }
}

impl<P: Protocol> Storage<P> {
    pub fn state(&self) -> DiskState {
        self.faults.as_ref().map_or(DiskState::default(), |faults| faults.state)
    }

    /// Whether what is saved is written at once, as far as it depends on this disk.
    pub fn is_prompt(&self) -> bool {
        self.writes.is_empty() && self.state().write.is_none()
    }

    /// A write is done.
    fn written(&mut self, disk: Disk<P>) {
        let before = std::mem::replace(&mut self.kept, disk);
        if let Some(faults) = &mut self.faults
            && faults.state.tears
        {
            faults.leaves = Some(before);
        }
    }

    /// Moves on to `now`.
    fn settle(&mut self, now: Micros) {
        while self.writes.front().is_some_and(|write| write.done <= now) {
            if let Some(write) = self.writes.pop_front() {
                self.written(write.disk);
            }
        }
    }

    /// The node has stopped.
    pub fn crash(&mut self, now: Micros) {
        self.settle(now);
        self.writes.clear();
        self.busy_until = 0;
        if let Some(faults) = &mut self.faults
            && let Some(left) = &faults.leaves
        {
            self.kept = left.clone();
        }
    }

    fn inject(&mut self, fault: DiskFault, now: Micros) {
        self.settle(now);
        let faults =
            self.faults.get_or_insert_with(|| Box::new(DiskFaults { state: DiskState::default(), leaves: None }));
        let state = &mut faults.state;
        match fault {
            DiskFault::Wipe => {
                self.kept = Disk::<P>::default();
                (state.rotten, faults.leaves) = (false, None);
            }
            DiskFault::Slow(write) => state.write = Some(write),
            DiskFault::Fill => state.full = true,
            DiskFault::Forget => (state.forgets, state.tears, faults.leaves) = (true, false, Some(self.kept.clone())),
            DiskFault::Tear => (state.tears, state.forgets, faults.leaves) = (true, false, Some(self.kept.clone())),
            DiskFault::Rot => state.rotten = true,
            DiskFault::Repair => {
                *state = DiskState { rotten: state.rotten, ..DiskState::default() };
                faults.leaves = None;
            }
        }
        if *state == DiskState::default() {
            self.faults = None;
        }
    }
}

impl<P: Protocol> World<P> {
    /// What is wrong with a node's disk.
    pub fn disk_state(&self, node: NodeId) -> DiskState {
        self.hosts[usize::from(node.0)].storage.state()
    }

    pub(super) fn inject_disk_fault(&mut self, node: NodeId, fault: DiskFault) {
        if !self.strict_disks {
            // Up to now every save was done at once, so that what a node holds is what it wrote.
            self.strict_disks = true;
            self.out.tell_saves(true);
            for (host, node) in self.hosts.iter_mut().zip(&self.nodes) {
                if let Some(node) = node {
                    host.storage.kept = node.disk().clone();
                }
            }
        }
        let now = self.time;
        self.hosts[usize::from(node.0)].storage.inject(fault, now);
    }

    /// Writes what a node asks to save. False if it does not fit.
    #[inline(always)]
    pub(super) fn save(&mut self, me: NodeId) -> bool {
        !self.strict_disks || self.write(me)
    }

    fn write(&mut self, me: NodeId) -> bool {
        let Some(node) = &self.nodes[usize::from(me.0)] else { return true };
        let storage = &mut self.hosts[usize::from(me.0)].storage;
        let mut takes = self.topology.disk;
        if let Some(DiskFaults { state, .. }) = storage.faults.as_deref() {
            if state.full {
                return false;
            }
            takes = state.write.map_or(takes, Micros::from);
        }
        if takes == 0 && storage.writes.is_empty() {
            storage.written(node.disk().clone());
            return true;
        }
        storage.settle(self.time);
        // One write at a time. What is saved until the next one begins goes into that one together (group commit).
        match storage.writes.back_mut() {
            Some(write) if write.begins >= self.time => write.disk.clone_from(node.disk()),
            _ => {
                let begins = storage.busy_until.max(self.time);
                storage.busy_until = begins + takes;
                let write = Write { begins, done: storage.busy_until, disk: node.disk().clone() };
                storage.writes.push_back(write);
            }
        }
        true
    }

    /// A node could not save: it stops, and what it still wanted to do (the effects from `next` on) is not done.
    #[cold]
    pub(super) fn stop_at_full_disk(&mut self, me: NodeId, next: usize) {
        let undone: Vec<_> = self.out.effects()[next..].to_vec();
        for effect in &undone {
            match effect {
                Effect::Send(_, message_id) => drop(self.out.messages.take(*message_id)),
                Effect::Broadcast(to, message_id) => to.iter().for_each(|_| drop(self.out.messages.take(*message_id))),
                _ => {}
            }
        }
        if let Some(said) = &mut self.said {
            // Told before they were done; the save itself was not, either.
            said.truncate(said.len().saturating_sub(undone.len() + 1));
        }
        self.crash(me);
        self.record(What::Stopped, me, me, 0, 0, 0, RuleSet::EMPTY);
    }

    /// What a node has to keep, it must have saved.
    pub(super) fn assert_saved(&self, me: NodeId) {
        let storage = &self.hosts[usize::from(me.0)].storage;
        let prompt = self.topology.disk == 0 && storage.is_prompt();
        let node = self.nodes[usize::from(me.0)].as_ref();
        assert!(
            !prompt || !self.out.intact() || node.is_none_or(|node| *node.disk() == storage.kept),
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

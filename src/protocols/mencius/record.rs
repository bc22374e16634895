//! What a server keeps of each instance, and all of its durable state.

use crate::core::{Ballot, Command, Log, Slot};
use crate::services::Machine;
use std::sync::Arc;

/// One instance of simple consensus, at an acceptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// The highest round promised. The round of the coordinator itself is 0, below all others. Invariant: `accepted <= promised`.
    pub promised: Ballot,
    /// The round in which `value` was accepted.
    pub accepted: Ballot,
    /// What is accepted or learned; `None` before that.
    pub value: Option<Command>,
    /// Whether it is known to be chosen. Invariant: then there is a value.
    pub learned: bool,
}

/// The state machine after a prefix of the instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The last instance it covers.
    pub slot: Slot,
    /// The state machine after all instances up to that one.
    pub machine: Machine,
}

/// Durable state: all that survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The paper's Iₚ: the next own instance. The own instances before it are suggested, or skipped for ever. 0: the first one.
    pub index: Slot,
    /// The last own instance in which a command was suggested; 0 if there is none.
    pub suggested: Slot,
    /// The instances after the last but one snapshot.
    pub records: Log<Record>,
    /// The state after all instances up to some earlier one.
    pub snapshot: Arc<Snapshot>,
}

impl Disk {
    /// An instance, to be changed; `None` if a snapshot covers it.
    pub fn record(&mut self, slot: Slot) -> Option<&mut Record> {
        while self.records.last() < slot {
            self.records.push(Record::default());
        }
        self.records.get_mut(slot)
    }

    /// Whether an instance is known to be chosen.
    pub fn is_learned(&self, slot: Slot) -> bool {
        slot < self.records.first() || self.records.get(slot).is_some_and(|record| record.learned)
    }

    /// The command of an instance, if it is known to be chosen and still held.
    pub fn learned(&self, slot: Slot) -> Option<Command> {
        self.records.get(slot).filter(|record| record.learned)?.value
    }
}

//! Instances: what one decision of a cluster is about.

use super::Slot;

/// One decision: a slot of a lane. A lane is a sequence of decisions of its own: a register (CASPaxos), the instances that one replica owns
/// (EPaxos, Mencius); protocols with one log have lane 0 only.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    /// Which sequence.
    pub lane: u16,
    /// Which decision of it, from 1.
    pub slot: Slot,
}

impl Instance {
    /// One number for lane and slot, for tables that know numbers only: the slot itself in lane 0. Slots from 2^20 on run into the lanes.
    pub const fn number(self) -> u32 {
        (self.lane as u32) << 20 | self.slot
    }
}

impl From<Slot> for Instance {
    /// A slot of the one log.
    fn from(slot: Slot) -> Instance {
        Instance { lane: 0, slot }
    }
}

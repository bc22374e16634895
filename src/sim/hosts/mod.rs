//! Host model: disk, clock, processor and timers of the machine under a node. Independent of the rest of the simulator.

pub mod clock;
pub mod disk;
pub mod processor;
pub mod timers;

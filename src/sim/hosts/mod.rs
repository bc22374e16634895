//! The machine a node runs on: disk, clock, processor, timers. None of it knows the world around it.

pub mod clock;
pub mod disk;
pub mod processor;
pub mod timers;

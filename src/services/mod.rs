//! What runs on top of an agreed log: deterministic state machines.

mod machine;

pub use machine::Machine;

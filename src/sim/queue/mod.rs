//! Event queue: future event list of the simulator, a hierarchical timing wheel.

pub mod event;
pub mod wheel;

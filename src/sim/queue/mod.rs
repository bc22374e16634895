//! The event queue: what will happen, in a hierarchical time wheel.

pub mod event;
pub mod wheel;

//! The network between nodes: sites and delays, link conditions, failure domains, timing models. None of it knows a node's state.

pub mod domains;
pub mod jitter;
pub mod links;
pub mod sizes;
pub mod timing;
pub mod topology;

pub use topology::{Cost, Topology};

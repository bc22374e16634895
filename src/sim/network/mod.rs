//! Network model: topology (sites and delays), link conditions, failure domains, timing models. Independent of node state.

pub mod domains;
pub mod jitter;
pub mod links;
pub mod sizes;
pub mod timing;
pub mod topology;

pub use topology::{Cost, Topology};

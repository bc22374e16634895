//! Checkers: safety, liveness, linearizability, queue delivery, and an explicit-state model checker. None of them changes the world.

#[cfg(feature = "search")]
pub mod delivery;
pub mod explore;
mod graph_order;
pub mod linearizability;
pub mod liveness;
pub mod orders;
pub mod safety;

pub use graph_order::{MakeOrder, order_of};
pub use safety::{Finding, LeadershipInterval, PropertyFinding, SafetyChecker, Violation};

//! Judges: they watch a world and miss nothing. None of them changes it.

#[cfg(feature = "cli")]
pub mod delivery;
pub mod explore;
pub mod linearizability;
pub mod liveness;
pub mod safety;

pub use safety::{Finding, LeadershipInterval, PropertyFinding, SafetyChecker, Violation};

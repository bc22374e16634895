//! From a scenario document to runs and figures.
//!
//! * [`document`]: the scenario document, its text, its checks and the blueprint of a simulation it stands for.
//! * [`run`]: one run and its report, many seeds, interactive sessions, comparisons of variants, divergence of two runs.
//! * [`fuzz`]: random scenarios with fault injection, one for each seed.
//! * [`shrink`]: the smallest scenario that still violates a property.
//! * [`explore`]: requests to the model checker.
//! * [`counterexample`]: what the model checker found, as an ordinary run.
//! * [`export`]: a run in formats that other tools read.
//! * [`job`]: long work in slices, for a worker.
//! * [`lesson`]: two runs that differ in one thing, a question about them, and what the runs say.
//!
//! Folders depend on those listed before them only. No variant is named here: what there is to choose comes from
//! [`universe::variants`](crate::universe::variants).

#[cfg(feature = "search")]
pub mod counterexample;
pub mod document;
#[cfg(feature = "search")]
pub mod explore;
#[cfg(feature = "link")]
pub mod export;
#[cfg(feature = "search")]
pub mod fuzz;
#[cfg(feature = "link")]
pub mod job;
#[cfg(feature = "link")]
pub mod lesson;
pub mod run;
#[cfg(feature = "search")]
pub mod shrink;

pub use document::fault::words as verbs;
#[cfg(feature = "link")]
pub use document::link;
pub use document::read::{REPLICAS, read};
pub use document::scenario::{Clients, Network, NodeSettings, Recovery, Scenario, Site, Stability, Value, ValueBytes};
#[cfg(feature = "toml-text")]
pub use document::toml_text;
pub use document::{Checked, Fault, Intervention, Moment, Place, Problem, Problems, Quantity, RecordedRun as Document};
pub use document::{atlas, check, fault, presets, problem, quantity, scenario, workload};
#[cfg(feature = "cli")]
pub use document::{history, round_trips, text};
pub use run::compare::{Cell, CompareJob, Measured};
#[cfg(feature = "search")]
pub use run::consistency;
#[cfg(feature = "cli")]
pub use run::divergence;
pub use run::{Report, Run, compare, outage, session};
pub use session::{Replay, Session};

//! The scenario document: its text, its checks, and the simulation it describes.
//!
//! Text (TOML, JSON, a link) is read into a [`Scenario`], and [`Scenario::check`] turns that into a [`Checked`] scenario, whose
//! [`Blueprint`](crate::sim::Blueprint) the simulator takes, or into [`Problems`]: every field that makes no sense, its value, and
//! what would be accepted. A [`RecordedRun`] is a scenario with the interventions of a run and the moment it stands at.

#[cfg(feature = "link")]
pub mod assignment;
pub mod atlas;
pub mod check;
pub mod fault;
#[cfg(feature = "cli")]
pub mod history;
#[cfg(feature = "link")]
pub mod lines;
#[cfg(feature = "link")]
pub mod link;
mod places;
pub mod presets;
pub mod problem;
pub mod quantity;
pub mod read;
pub mod recorded_run;
#[cfg(feature = "cli")]
pub mod round_trips;
pub mod scenario;
#[cfg(feature = "cli")]
pub mod text;
mod timing;
#[cfg(feature = "toml-text")]
pub mod toml_text;
pub mod trial;
pub mod workload;

pub use check::{Checked, Place};
pub use fault::Fault;
pub use problem::{Problem, Problems};
pub use quantity::Quantity;
pub use recorded_run::{Intervention, Moment, RecordedRun};
pub use scenario::Scenario;

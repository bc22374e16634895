//! From a scenario document to runs and numbers.
//!
//! A [`Scenario`] is what people write, share and edit. [`Scenario::check`] turns it into a world's blueprint, or into all that is
//! wrong with it. A [`Session`] is a run that one can stop, act on, go back in and share. No variant is named here: what there is to
//! choose comes from [`universe::variants`](crate::universe::variants).

pub mod atlas;
pub mod check;
pub mod compare;
#[cfg(feature = "cli")]
pub mod consistency;
#[cfg(feature = "cli")]
pub mod divergence;
#[cfg(feature = "cli")]
pub mod explore;
pub mod fault;
#[cfg(feature = "cli")]
pub mod history;
mod machines;
pub mod outage;
mod places;
pub mod presets;
pub mod problem;
pub mod quantity;
mod read;
#[cfg(feature = "cli")]
pub mod round_trips;
pub mod run;
pub mod scenario;
pub mod session;
#[cfg(feature = "cli")]
pub mod shrink;
#[cfg(feature = "cli")]
pub mod swarm;
#[cfg(feature = "cli")]
pub mod text;
pub mod workload;

pub use check::{Checked, Place};
pub use compare::{Cell, CompareJob, Measured};
pub use fault::Fault;
pub use problem::{Problem, Problems};
pub use quantity::Quantity;
pub use read::read;
pub use run::{Report, Run};
pub use scenario::{Clients, Network, Recovery, Scenario, Site, Value, ValueBytes};
pub use session::{Document, Intervention, Moment, Replay, Session};
